/* SPDX-License-Identifier: MIT
 *
 * powercut.c - a power cut under a real file system of the kernel, on a disk that keeps a log.
 *
 *   index -> ext4 -> loop device -> the one file of a FUSE file system -> log of writes
 *
 * This program answers the kernel's FUSE requests itself (linux/fuse.h): every write to the disk
 * and every flush of its cache goes into a log.  A child mounts the file system and runs a row of
 * commits (crash_script.h), marking in the log when each is acknowledged.  Then the disk is made
 * again as it was after n log entries, for n by chance: everything before the last flush is
 * there; of the writes after it all, none, or a random subset, the last one perhaps torn
 * at a sector.  It is mounted, so that the kernel recovers its journal, and the index must show
 * the last acknowledged commit or the one under way.
 *
 * Needs root, /dev/fuse and loop devices; says so and ends with 0 where they are missing.
 *   powercut STATES [SEED [FILE-SYSTEM MOUNT-OPTIONS]]
 *   powercut STATES SEED --mutant   commits without their last sync: some state must be bad
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "tests/support/crash_script.h"

enum {
    DISK_BYTES = 16 << 20,
    LOG_BYTES = 256 << 20,
    LOG_MAX = 1 << 16,
    SECTOR = 512,
    REQUEST_BYTES = 1 << 20,
    COMMITS = 8,
    DISK_NODE = 2, /* the one file                                                         */
};

typedef struct entry {
    uint64_t at;  /* on the disk                                                          */
    size_t data;  /* in log_data                                                          */
    uint32_t len; /* 0: a flush                                                           */
    unsigned low; /* the last commit acknowledged before it came                          */
} entry;

/* Shared by the server, the child that writes and the parent that judges. */
typedef struct shared {
    uint8_t disk[DISK_BYTES], first[DISK_BYTES], log_data[LOG_BYTES];
    entry log[LOG_MAX];
    size_t n_log, n_data;
    bool logging, overrun;
    _Atomic unsigned acknowledged;
} shared;

static shared *share;
static char base[FOLDER_PATH], fuse_path[FOLDER_PATH + 8], disk_path[FOLDER_PATH + 16],
    mounted[FOLDER_PATH + 8], image_path[FOLDER_PATH + 16], index_path[FOLDER_PATH + 16];
static const char *fs_type = "ext4", *fs_options = "";
static crash_script script;

/* ---- the disk ------------------------------------------------------------------------- */

static void log_entry(uint64_t at, const void *data, uint32_t len)
{
    if (!share->logging) return;
    if (share->n_log == LOG_MAX || share->n_data + len > LOG_BYTES) {
        share->overrun = true;
        return;
    }
    share->log[share->n_log++] = (entry){at, share->n_data, len, share->acknowledged};
    if (len) memcpy(share->log_data + share->n_data, data, len);
    share->n_data += len;
}

static int fuse_fd;

static void answer(const struct fuse_in_header *in, int error, const void *data, size_t len)
{
    static uint8_t out[REQUEST_BYTES + sizeof(struct fuse_out_header)];
    struct fuse_out_header head = {(uint32_t)(sizeof head + len), error, in->unique};
    memcpy(out, &head, sizeof head);
    if (len) memcpy(out + sizeof head, data, len);
    if (write(fuse_fd, out, head.len) < 0 && errno != ENOENT) perror("fuse");
}

static void fill_attr(struct fuse_attr *attr, uint64_t node)
{
    *attr = (struct fuse_attr){.ino = node, .nlink = 1, .mode = S_IFREG | 0600};
    if (node == FUSE_ROOT_ID) attr->mode = S_IFDIR | 0700;
    if (node == DISK_NODE) attr->size = DISK_BYTES;
    attr->blksize = 4096;
    attr->blocks = attr->size / SECTOR;
}

static void serve_init(const struct fuse_in_header *in, const struct fuse_init_in *init)
{
    struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION,
                                .minor = FUSE_KERNEL_MINOR_VERSION,
                                .max_readahead = init->max_readahead,
                                .flags = init->flags & FUSE_BIG_WRITES,
                                .max_background = 16,
                                .congestion_threshold = 12,
                                .max_write = 128 << 10,
                                .time_gran = 1};
    if (init->minor < out.minor) out.minor = init->minor;
    answer(in, 0, &out, sizeof out);
}

static void serve_write(const struct fuse_in_header *in, const struct fuse_write_in *w)
{
    struct fuse_write_out out = {.size = w->size};
    if (w->offset > DISK_BYTES || w->size > DISK_BYTES - w->offset) {
        answer(in, -ENOSPC, NULL, 0);
        return;
    }
    memcpy(share->disk + w->offset, w + 1, w->size);
    log_entry(w->offset, w + 1, w->size);
    answer(in, 0, &out, sizeof out);
}

static void serve_read(const struct fuse_in_header *in, const struct fuse_read_in *r)
{
    uint64_t left = r->offset < DISK_BYTES ? DISK_BYTES - r->offset : 0;
    answer(in, 0, share->disk + (left ? r->offset : 0), r->size < left ? r->size : (size_t)left);
}

static void serve(const struct fuse_in_header *in)
{
    const void *body = in + 1;
    struct fuse_entry_out found = {.nodeid = DISK_NODE, .attr_valid = 3600, .entry_valid = 3600};
    struct fuse_attr_out attr = {.attr_valid = 3600};
    struct fuse_open_out opened = {.open_flags = FOPEN_DIRECT_IO};
    switch (in->opcode) {
    case FUSE_INIT:
        serve_init(in, body);
        break;
    case FUSE_LOOKUP:
        fill_attr(&found.attr, DISK_NODE);
        if (strcmp(body, "disk") == 0)
            answer(in, 0, &found, sizeof found);
        else
            answer(in, -ENOENT, NULL, 0);
        break;
    case FUSE_GETATTR:
    case FUSE_SETATTR:
        fill_attr(&attr.attr, in->nodeid);
        answer(in, 0, &attr, sizeof attr);
        break;
    case FUSE_OPEN:
        answer(in, 0, &opened, sizeof opened);
        break;
    case FUSE_READ:
        serve_read(in, body);
        break;
    case FUSE_WRITE:
        serve_write(in, body);
        break;
    case FUSE_FSYNC:
        log_entry(0, NULL, 0);
        answer(in, 0, NULL, 0);
        break;
    case FUSE_FLUSH:
    case FUSE_RELEASE:
        answer(in, 0, NULL, 0);
        break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
        break;
    default:
        answer(in, -ENOSYS, NULL, 0);
    }
}

/* Until the file system is unmounted. */
static void serve_all(void)
{
    static union {
        struct fuse_in_header head;
        uint8_t bytes[REQUEST_BYTES];
    } request;
    for (;;) {
        ssize_t got = read(fuse_fd, request.bytes, sizeof request.bytes);
        if (got < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN)) continue;
        if (got <= 0) _exit(0);
        serve(&request.head);
    }
}

/* ---- mounting ------------------------------------------------------------------------- */

static void clean_up(void)
{
    unlink(image_path);
    rmdir(fuse_path);
    rmdir(mounted);
    rmdir(base);
}

static void skip(const char *why)
{
    printf("powercut: skipped: %s (%s)\n", why, strerror(errno));
    umount2(fuse_path, MNT_DETACH);
    clean_up();
    exit(0);
}

/* A loop device for the file, gone with its last user; -1 when there is none. */
static int loop_open(const char *file, char device[32])
{
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), fd = -1;
    int backing = open(file, O_RDWR | O_CLOEXEC);
    for (unsigned tries = 0; control >= 0 && backing >= 0 && fd < 0 && tries < 8; tries++) {
        int n = ioctl(control, LOOP_CTL_GET_FREE);
        if (n < 0) break;
        snprintf(device, 32, "/dev/loop%d", n);
        fd = open(device, O_RDWR | O_CLOEXEC);
        struct loop_config config = {.fd = (uint32_t)backing,
                                     .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};
        if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) == 0) break;
        if (fd >= 0) close(fd);
        fd = -1;
    }
    if (control >= 0) close(control);
    if (backing >= 0) close(backing);
    return fd;
}

static bool mount_disk(const char *file)
{
    char device[32];
    int fd = loop_open(file, device);
    if (fd < 0) return false;
    bool ok = mount(device, mounted, fs_type, 0, fs_options) == 0;
    int why = errno;
    close(fd);
    errno = why;
    return ok;
}

static void make_file_system(void)
{
    char command[FOLDER_PATH + 120];
    snprintf(command, sizeof command, "mkfs.%s %s %s >/dev/null 2>&1", fs_type,
             strcmp(fs_type, "ext4") == 0 ? "-q -F -b 4096 -J size=4" : "", image_path);
    int fd = open(image_path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    folder_must(fd >= 0 && ftruncate(fd, DISK_BYTES) == 0, "make", image_path);
    if (system(command) != 0) skip("mkfs failed");
    folder_must(pread(fd, share->disk, DISK_BYTES, 0) == DISK_BYTES, "read", image_path);
    close(fd);
}

static void make_places(void)
{
    script_folder(base);
    snprintf(fuse_path, sizeof fuse_path, "%s/fuse", base);
    snprintf(mounted, sizeof mounted, "%s/mnt", base);
    snprintf(disk_path, sizeof disk_path, "%s/disk", fuse_path);
    snprintf(image_path, sizeof image_path, "%s/image", base);
    snprintf(index_path, sizeof index_path, "%s/idx", mounted);
    folder_must(mkdir(fuse_path, 0700) == 0 && mkdir(mounted, 0700) == 0, "make", base);
}

static pid_t start_server(void)
{
    char options[80];
    fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fuse_fd < 0) skip("no /dev/fuse");
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse_fd);
    if (mount("powercut", fuse_path, "fuse", 0, options) != 0) skip("FUSE cannot be mounted");
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", "");
    if (pid == 0) serve_all();
    close(fuse_fd);
    return pid;
}

/* ---- the run -------------------------------------------------------------------------- */

static void on_acknowledged(void *ctx, unsigned k)
{
    (void)ctx;
    share->acknowledged = k;
}

static void record_run(void)
{
    pm_error err = {.status = PM_OK};
    pid_t server = start_server();
    if (!mount_disk(disk_path)) skip("the loop device cannot be mounted");
    sync();
    memcpy(share->first, share->disk, DISK_BYTES);
    share->logging = true;
    pm_status st = script_run(&script, index_path, 0, COMMITS, on_acknowledged, NULL, &err);
    share->logging = false;
    folder_must(st == PM_OK, err.message, index_path);
    folder_must(!share->overrun, "log so much as", fs_type);
    umount(mounted);
    umount(fuse_path);
    waitpid(server, NULL, 0);
}

/* ---- cutting -------------------------------------------------------------------------- */

typedef struct cut {
    size_t after, flushed; /* log entries; the last flush among them                       */
    unsigned kind;         /* 0 all, 1 none after the flush, 2 a subset, 3 and torn        */
} cut;

static void put_write(const entry *e, uint32_t len)
{
    memcpy(share->disk + e->at, share->log_data + e->data, len);
}

static void make_disk(const cut *c, uint64_t *random)
{
    memcpy(share->disk, share->first, DISK_BYTES);
    for (size_t i = 0; i < c->after; i++) {
        const entry *e = &share->log[i];
        bool sure = i < c->flushed || c->kind == 0;
        if (sure || (c->kind >= 2 && random_next(random) % 2))
            put_write(e, !sure && c->kind == 3 && e->len > SECTOR
                             ? (uint32_t)(random_next(random) % (e->len / SECTOR)) * SECTOR
                             : e->len);
    }
    int fd = open(image_path, O_WRONLY | O_CLOEXEC);
    folder_must(fd >= 0 && pwrite(fd, share->disk, DISK_BYTES, 0) == DISK_BYTES, "write",
                image_path);
    close(fd);
}

typedef struct tally {
    unsigned long states, old, new, bad, unmounted;
} tally;

static void judge(const cut *c, tally *t)
{
    pm_error err = {.status = PM_OK};
    /* What was acknowledged when the next write came: the cut may be right before it. */
    int low = (int)(c->after < share->n_log ? share->log[c->after].low : share->acknowledged);
    t->states++;
    if (!mount_disk(image_path)) {
        t->unmounted++;
        return;
    }
    int seen = script_seen(&script, index_path, &err);
    bool well = seen == low || seen == low + 1;
    const char *what = "another commit";
    unsigned next = (unsigned)seen + 1;
    if (well && next <= COMMITS + 1) {
        what = "the next writer";
        well = script_run(&script, index_path, next - 1, next, NULL, NULL, &err) == PM_OK &&
               script_seen(&script, index_path, &err) == (int)next;
    }
    t->old += seen == low;
    t->new += seen == low + 1;
    if (!well && t->bad++ < 5)
        printf("powercut: after write %zu (kind %u, flushed %zu): commit %d of %d: %s: %s\n",
               c->after, c->kind, c->flushed, seen, low, what, err.message);
    folder_must(umount(mounted) == 0, "unmount", mounted);
}

/* Returns the number of bad states. */
static unsigned long cut_all(unsigned long n, uint64_t seed)
{
    double begun = script_clock();
    uint64_t random = seed;
    tally t = {.states = 0};
    size_t flushes = 0;
    for (size_t i = 0; i < share->n_log; i++) flushes += share->log[i].len == 0;
    while (t.states < n) {
        cut c = {.after = 1 + (size_t)(random_next(&random) % share->n_log),
                 .kind = (unsigned)(random_next(&random) % 4)};
        for (c.flushed = c.after; c.flushed > 0 && share->log[c.flushed - 1].len;) c.flushed--;
        make_disk(&c, &random);
        judge(&c, &t);
    }
    printf("powercut %s %s: %zu writes and %zu flushes of %u commits; %lu states from seed %lu, "
           "%.0f s: %lu show the last commit, %lu the next, %lu not mountable, %lu bad\n",
           fs_type, fs_options, share->n_log - flushes, flushes, COMMITS, t.states,
           (unsigned long)seed, script_clock() - begun, t.old, t.new, t.unmounted, t.bad);
    return t.bad + t.unmounted;
}

int main(int argc, char **argv)
{
    unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 300;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    bool mutant = argc > 3 && strcmp(argv[3], "--mutant") == 0;
    if (argc > 3 && !mutant) fs_type = argv[3];
    if (argc > 4) fs_options = argv[4];
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        skip("not root");
    share = mmap(NULL, sizeof *share, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    folder_must(share != MAP_FAILED, "map", "");
    unsetenv("PRESSMARK_SEED");
    script_make(&script, seed, COMMITS, mutant ? 1 : 0);
    make_places();
    make_file_system();
    record_run();
    unsigned long bad = cut_all(n, seed);
    clean_up();
    if (mutant) printf("powercut: the mutant is %s\n", bad ? "caught" : "NOT caught");
    return mutant ? !bad : bad != 0;
}
