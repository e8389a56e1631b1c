/* SPDX-License-Identifier: MIT
 * file.h - the only door to the file system (INV-3).
 *
 * Three groups: an index folder (`dir`: every name relative to an open directory, no
 * symbolic links followed), write-once output files (`outfile`), and read-only maps and
 * input streams.  All calls retry EINTR and short transfers; a file whose fsync failed is
 * never synced again.  Test seam: file_fault is asked before every system call, and file_done
 * told after those that changed something, so that tests can count, refuse, cut short, record
 * and kill at each one.
 */
#ifndef PM_BASE_FILE_H
#define PM_BASE_FILE_H

#include "common/base/bytes.h"
#include "common/base/error.h"

/* ---- an index folder ------------------------------------------------------------------- */

typedef struct dir {
    int fd;        /* -1 when closed                                                       */
    int lock_fd;   /* -1 when not locked                                                   */
    int locked_by; /* process that took the lock; 0: none did                            */
    char *path;    /* as given, for messages                                               */
    /* Asked before bytes of a new file are written, on the thread that writes; false: they are
     * not, and the file has failed (ECANCELED).  NULL: nobody is asked.                     */
    bool (*watch)(void *ctx, uint64_t bytes);
    void *watch_ctx;
} dir;
#define DIR_INIT                                                                                   \
    {                                                                                              \
        -1, -1, 0, NULL, NULL, NULL                                                                \
    }

/* Open an existing folder.  PM_USAGE with *absent (may be NULL) true if there is none. */
pm_status dir_open(dir *d, const char *path, bool *absent, pm_error *err);
/* The same folder once more, whatever its path leads to by now; without its lock. */
pm_status dir_again(dir *d, const dir *folder, pm_error *err);
/* mkdir (the last component only) and fsync the parent; an existing folder is fine. */
pm_status dir_create(const char *path, pm_error *err);
/* Gives the lock back, for processes that were forked meanwhile, too; they themselves only close
 * what is theirs. */
void dir_close(dir *d);
/* Take the writer lock: OFD write lock on `LOCK`.  PM_BUSY when held elsewhere. */
pm_status dir_lock(dir *d, pm_error *err);
/* PM_BUSY when LOCK is not the file any more that was locked: whoever deleted it let another writer
 * in.  PM_OK of a folder that is not locked. */
pm_status dir_lock_holds(const dir *d, pm_error *err);
/* What LOCK says: information for whoever comes later, never synced.  Of a folder that is not
 * locked nothing can be read (false) or written; nor is what the system refuses.  *len: up to room.
 */
bool dir_lock_read(const dir *d, void *text, size_t room, size_t *len);
void dir_lock_write(const dir *d, const void *text, size_t len);
pm_status dir_sync(const dir *d, pm_error *err);
/* One sync of the whole file system that holds the folder (commit level `none`). */
pm_status dir_sync_all(const dir *d, pm_error *err);
pm_status dir_rename(const dir *d, const char *from, const char *to, pm_error *err);
/* Hard link; `to` must not exist. */
pm_status dir_link(const dir *d, const char *from, const char *to, pm_error *err);
/* An absent file is PM_OK. */
pm_status dir_unlink(const dir *d, const char *name, pm_error *err);
/* Each of two names, folders or files, gets what the other was, in one step.  Not every file system
 * can: ext4, xfs, btrfs and tmpfs do. */
pm_status dir_exchange(const dir *d, const char *a, const char *b, pm_error *err);
/* Delete a folder inside with the files in it, which may not be folders.  An absent one is PM_OK.
 */
pm_status dir_remove(const dir *d, const char *name, pm_error *err);
/* Calls fn for each name in the folder except . and .., in sorted order. */
pm_status dir_each(const dir *d, pm_status (*fn)(void *ctx, const char *name, pm_error *err),
                   void *ctx, pm_error *err);
/* Whole content of a small file, at most `max` bytes (PM_CORRUPT beyond).  *absent instead
 * of an error when there is none.  Appends to *out. */
pm_status dir_read(const dir *d, const char *name, uint64_t max, buf *out, bool *absent,
                   pm_error *err);

/* ---- write-once files --------------------------------------------------------------------- */

/* Sequential, buffered (128 KiB), sticky: after a failure writes do nothing and
 * outfile_sync/close report it. */
typedef struct outfile {
    int fd;
    bool failed;
    uint64_t len; /* bytes accepted so far = offset of the next byte                 */
    uint8_t *buffer;
    size_t buffered;
    char *path; /* for messages                                                    */
    bool (*watch)(void *ctx, uint64_t bytes); /* of the folder                        */
    void *watch_ctx;
    pm_error first; /* the first failure                                               */
} outfile;
#define OUTFILE_INIT                                                                               \
    {                                                                                              \
        -1, false, 0, NULL, 0, NULL, NULL, NULL,                                                   \
        {                                                                                          \
            PM_OK, 0, 0, ""                                                                        \
        }                                                                                          \
    }

/* Create `name` in d; it must not exist when `exclusive`, else it is truncated. */
pm_status outfile_create(outfile *f, const dir *d, const char *name, bool exclusive, pm_error *err);
void outfile_write(outfile *f, const void *data, size_t len);
/* Flush, fsync on the fd that wrote (unless !sync), close; reports the sticky failure. */
pm_status outfile_finish(outfile *f, bool sync, pm_error *err);
/* Close without promises; for a failed writer.  Safe after finish. */
void outfile_abandon(outfile *f);

/* ---- read-only maps ------------------------------------------------------------------------ */

typedef struct map {
    const uint8_t *data; /* mapped; len bytes readable; NULL when len is 0                */
    size_t len;
} map;
/* Map a regular file of d read-only (O_NOFOLLOW).  *absent instead of an error when there
 * is none; without `absent`, and for anything but a regular file, PM_CORRUPT. */
pm_status map_open(map *m, const dir *d, const char *name, bool *absent, pm_error *err);
void map_close(map *m);
/* Give the pages back that reading has made the process's; what is read next comes back from
 * the system's cache, in small pages from now on.  Slices stay valid, and other threads may be
 * reading. */
void map_release(const map *m);

/* ---- inputs: what is to be indexed ---------------------------------------------------------- */

typedef struct file_info {
    bool is_dir, is_regular;
    bool is_link; /* the path itself is a symbolic link; all else is said of its target */
    uint64_t size;
    int64_t changed_ns; /* of its inode: also when content of another time got the old one back */
    uint64_t number;    /* on its file system: another where another has taken its place        */
} file_info;
pm_status file_stat(const char *path, file_info *out, pm_error *err);
/* Append the absolute path, free of links and dots, of something that exists. */
pm_status file_real_path(const char *path, buf *out, pm_error *err);
/* Names (not paths) in a folder, sorted bytewise, hidden ones left out; calls fn for each. */
pm_status file_each(const char *folder, pm_status (*fn)(void *ctx, const char *name, pm_error *err),
                    void *ctx, pm_error *err);

/* Sequential input of a regular file or standard input ("-"); opened O_NONBLOCK and
 * fstat'ed, so that a FIFO or device never hangs (PM_IO: not a regular file).  No gzip
 * here. */
typedef struct infile {
    int fd;
    char *path;
} infile;
#define INFILE_INIT                                                                                \
    {                                                                                              \
        -1, NULL                                                                                   \
    }
pm_status infile_open(infile *f, const char *path, pm_error *err);
/* Up to cap bytes; *got 0 at the end. */
pm_status infile_read(infile *f, void *data, size_t cap, size_t *got, pm_error *err);
void infile_close(infile *f);
/* Once this descriptor can be read, standard input is at its end, for who waits for it, too; -1:
 * there is none. */
extern int infile_stop_fd;

/* For who opens a file: the same one under a number above 2 where fd, which is closed then, is not
 * above it; else fd.  A program that closed its standard error and writes to it all the same must
 * not write into an index.  -1, with errno, when no number is left. */
int file_apart(int fd);

/* ---- test seam ------------------------------------------------------------------------------ */

/* Called before each system call that changes or reads the file system, with its name
 * ("open", "write", "fsync", "rename", ...); a positive return is the errno it fails with, -n
 * lets a read or a write transfer n bytes at most.  NULL turns it off. */
extern int (*file_fault)(const char *call, const char *path);

/* A system call that succeeded: open, write, fsync, syncfs, rename, exchange, link, unlink, mkdir,
 * rmdir. */
typedef struct file_event {
    const char *call, *path; /* as file_fault was given them                              */
    const char *from;        /* rename, exchange, link: the name that was there; else NULL */
    int fd;                  /* open: the new one; write, fsync; else -1                  */
    int flags;               /* open                                                      */
    const void *data;        /* write: what was taken                                     */
    size_t len;
} file_event;
/* Called after each of them, on the thread that made it.  NULL turns it off. */
extern void (*file_done)(const file_event *event);

/* 16 random bytes from the kernel.  When PRESSMARK_SEED (a number) is set they are a function
 * of it alone, the same at every call, so that file names and UUIDs repeat. */
void file_random(uint8_t out[16]);

#endif
