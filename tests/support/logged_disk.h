/* SPDX-License-Identifier: MIT
 *
 * logged_disk.h - a disk that keeps a log of its writes, under a file system of the kernel.
 *
 *   files -> ext4, xfs, btrfs -> loop device -> the one file of a FUSE file system -> log
 *
 * Takes a kind of file system and some work on files, gives the disk as a power cut could leave
 * it at any moment of that work, mounted.  A state is: everything before the disk's last flush is
 * there; of the writes after it all, none, or a random subset, the last ones perhaps torn at
 * a sector.  The kernel recovers its journal when it mounts that.
 *
 * Needs root, /dev/fuse, loop devices and mkfs; where one is missing the functions say which.
 * One disk at a time, for one process, whose mounts become its own.
 */
#ifndef PM_TESTS_LOGGED_DISK_H
#define PM_TESTS_LOGGED_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct disk_kind {
    const char *type, *options; /* as mount(8) takes them; options "" for none             */
} disk_kind;

/* A moment: after so many entries of the log, of which the last flush is number `flushed`. */
typedef struct disk_cut {
    size_t after, flushed;
    unsigned kind; /* of the writes after it: 0 all, 1 none, 2 a subset, 3 and torn         */
    uint64_t seed; /* of the subset                                                        */
} disk_cut;

typedef struct disk_counts {
    size_t writes, flushes;
} disk_counts;

/* Make the file system.  NULL, or why there can be none here. */
const char *disk_open(const disk_kind *kind);
void disk_close(void);
/* The folder where it is mounted, during the work and after disk_mount. */
const char *disk_folder(void);

/* Mount it, log what work does to it, unmount it.  NULL, or why it cannot be mounted. */
const char *disk_record(void (*work)(void *ctx), void *ctx);
/* During the work: write in the log that commit k is promised to last. */
void disk_acknowledge(unsigned k);
/* During the work: let every read of the disk fail from now on, or no longer. */
void disk_refuse_reads(bool refuse);
disk_counts disk_count(void);

/* Afterwards.  A moment by chance; the last commit acknowledged before it. */
disk_cut disk_cut_random(uint64_t *random);
unsigned disk_cut_acknowledged(const disk_cut *c);
/* Make the disk as it was then and mount it; false when the kernel refuses it. */
bool disk_mount(const disk_cut *c);
void disk_unmount(void);

#endif
