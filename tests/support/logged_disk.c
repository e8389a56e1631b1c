/* SPDX-License-Identifier: MIT
 *
 * logged_disk.c - see logged_disk.h.
 *
 * The kernel's FUSE requests are answered here (linux/fuse.h), by a child, so that nothing but
 * the kernel is needed.  A disk of xfs is 300 MB at least, nearly all of it zeros: only pages
 * that were ever written are kept, compared and written again.
 */
#include "tests/support/logged_disk.h"

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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "tests/support/crash_script.h"
#include "tests/support/own_mounts.h"

enum {
    DISK_MAX = 320 << 20,
    PAGE = 4096,
    PAGES_MAX = DISK_MAX / PAGE,
    LOG_BYTES = 512 << 20,
    LOG_MAX = 1 << 17,
    SECTOR = 512,
    REQUEST_BYTES = 1 << 20,
    DISK_NODE = 2, /* the one file                                                         */
};

typedef struct entry {
    uint64_t at;  /* on the disk                                                          */
    size_t data;  /* in log_data                                                          */
    uint32_t len; /* 0: a flush                                                           */
    unsigned low; /* the last commit acknowledged before it came                          */
} entry;

/* Shared by the server and the process that works and looks. */
typedef struct shared {
    uint8_t disk[DISK_MAX], first[DISK_MAX], log_data[LOG_BYTES];
    bool written[PAGES_MAX];
    entry log[LOG_MAX];
    size_t n_log, n_data, size;
    bool logging, overrun;
    _Atomic bool refuse_reads;
    _Atomic unsigned acknowledged;
} shared;

static shared *share;
static disk_kind the_kind;
static char base[FOLDER_PATH], fuse_path[FOLDER_PATH + 8], disk_path[FOLDER_PATH + 16],
    mounted[FOLDER_PATH + 8], image_path[FOLDER_PATH + 16];

/* ---- the disk ------------------------------------------------------------------------- */

static void mark_written(uint64_t at, size_t len)
{
    for (uint64_t page = at / PAGE; len && page <= (at + len - 1) / PAGE; page++)
        share->written[page] = true;
}

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
    if (node == DISK_NODE) attr->size = share->size;
    attr->blksize = PAGE;
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
    if (w->offset > share->size || w->size > share->size - w->offset) {
        answer(in, -ENOSPC, NULL, 0);
        return;
    }
    memcpy(share->disk + w->offset, w + 1, w->size);
    mark_written(w->offset, w->size);
    log_entry(w->offset, w + 1, w->size);
    answer(in, 0, &out, sizeof out);
}

static void serve_read(const struct fuse_in_header *in, const struct fuse_read_in *r)
{
    uint64_t left = r->offset < share->size ? share->size - r->offset : 0;
    if (share->refuse_reads)
        answer(in, -EIO, NULL, 0);
    else
        answer(in, 0, share->disk + (left ? r->offset : 0),
               r->size < left ? r->size : (size_t)left);
}

static void serve_lookup(const struct fuse_in_header *in, const char *name)
{
    struct fuse_entry_out found = {.nodeid = DISK_NODE, .attr_valid = 3600, .entry_valid = 3600};
    fill_attr(&found.attr, DISK_NODE);
    if (strcmp(name, "disk") == 0)
        answer(in, 0, &found, sizeof found);
    else
        answer(in, -ENOENT, NULL, 0);
}

static void serve(const struct fuse_in_header *in)
{
    const void *body = in + 1;
    struct fuse_attr_out attr = {.attr_valid = 3600};
    struct fuse_open_out opened = {.open_flags = FOPEN_DIRECT_IO};
    switch (in->opcode) {
    case FUSE_INIT:
        serve_init(in, body);
        break;
    case FUSE_LOOKUP:
        serve_lookup(in, body);
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

/* Until it is killed. */
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

/* What is missing, and what the system says of it. */
static const char *because(const char *what)
{
    static char why[160];
    snprintf(why, sizeof why, "%s (%s)", what, strerror(errno));
    return why;
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

static bool mount_file(const char *file)
{
    char device[32];
    int fd = loop_open(file, device);
    if (fd < 0) return false;
    bool ok = mount(device, mounted, the_kind.type, 0, the_kind.options) == 0;
    int why = errno;
    close(fd);
    errno = why;
    return ok;
}

static void make_places(void)
{
    script_folder(base);
    snprintf(fuse_path, sizeof fuse_path, "%s/fuse", base);
    snprintf(mounted, sizeof mounted, "%s/mnt", base);
    snprintf(disk_path, sizeof disk_path, "%s/disk", fuse_path);
    snprintf(image_path, sizeof image_path, "%s/image", base);
    folder_must(mkdir(fuse_path, 0700) == 0 && mkdir(mounted, 0700) == 0, "make", base);
}

/* Size and options as small as each allows; a small journal is gone through more often. */
static const char *mkfs_options(const char *type, size_t *size)
{
    *size = (size_t)(strcmp(type, "xfs") == 0 ? 304 : strcmp(type, "btrfs") == 0 ? 128 : 16) << 20;
    return strcmp(type, "ext4") == 0 ? "-q -F -b 4096 -J size=4" : "-q -f";
}

static bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

/* The image's pages that are not zero; holes stay holes. */
static void load_image(int fd)
{
    static uint8_t page[PAGE];
    for (off_t at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0; at += PAGE) {
        at -= at % PAGE;
        folder_must(pread(fd, page, PAGE, at) == PAGE, "read", image_path);
        if (is_zero(page)) continue;
        memcpy(share->disk + at, page, PAGE);
        mark_written((uint64_t)at, PAGE);
    }
}

static const char *make_file_system(void)
{
    static char command[FOLDER_PATH + 120];
    const char *options = mkfs_options(the_kind.type, &share->size);
    int fd = open(image_path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    folder_must(fd >= 0 && ftruncate(fd, (off_t)share->size) == 0, "make", image_path);
    snprintf(command, sizeof command, "PATH=$PATH:/usr/sbin:/sbin mkfs.%s %s %s >/dev/null 2>&1",
             the_kind.type, options, image_path);
    bool made = system(command) == 0;
    if (made) load_image(fd);
    close(fd);
    snprintf(command, sizeof command, "mkfs.%s is not here or fails", the_kind.type);
    return made ? NULL : command;
}

const char *disk_open(const disk_kind *kind)
{
    the_kind = *kind;
    if (getuid() != 0) return "only root may make loop devices";
    if (!own_mounts()) return because("mounting is not allowed");
    share = mmap(NULL, sizeof *share, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    folder_must(share != MAP_FAILED, "map", "");
    make_places();
    const char *why = make_file_system();
    if (why) disk_close();
    return why;
}

void disk_close(void)
{
    umount2(fuse_path, MNT_DETACH);
    unlink(image_path);
    rmdir(fuse_path);
    rmdir(mounted);
    rmdir(base);
    munmap(share, sizeof *share);
}

const char *disk_folder(void)
{
    return mounted;
}

/* ---- the work ------------------------------------------------------------------------- */

static const char *start_server(pid_t *pid)
{
    char options[80];
    fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fuse_fd < 0) return because("/dev/fuse cannot be opened");
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse_fd);
    if (mount("logged_disk", fuse_path, "fuse", 0, options) != 0)
        return because("FUSE cannot be mounted");
    fflush(stdout);
    *pid = fork();
    folder_must(*pid >= 0, "fork", "");
    if (*pid == 0) {
        /* With mounts of its own, the server never has to unmount, in its exit, what only it can
         * serve; and it goes when a parent that aborted has been unmounted by the kernel. */
        folder_must(unshare(CLONE_NEWNS) == 0, "leave", fuse_path);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve_all();
    }
    close(fuse_fd);
    return NULL;
}

static void copy_written(uint8_t *to, const uint8_t *from)
{
    for (size_t page = 0; page < share->size / PAGE; page++)
        if (share->written[page]) memcpy(to + page * PAGE, from + page * PAGE, PAGE);
}

/* From a disk that holds all that was done so far. */
static void begin_log(void)
{
    int fd = open(mounted, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folder_must(fd >= 0 && syncfs(fd) == 0, "sync", mounted);
    close(fd);
    copy_written(share->first, share->disk);
    share->logging = true;
}

const char *disk_record(void (*work)(void *ctx), void *ctx)
{
    pid_t server = 0;
    const char *why = start_server(&server);
    if (!why && !mount_file(disk_path)) why = because("the loop device cannot be mounted");
    if (!why) {
        begin_log();
        work(ctx);
        share->logging = false;
        share->refuse_reads = false;
        folder_must(!share->overrun, "log so much as", the_kind.type);
        folder_must(umount(mounted) == 0, "unmount", mounted);
    }
    umount2(fuse_path, MNT_DETACH);
    if (server) kill(server, SIGKILL);
    if (server) waitpid(server, NULL, 0);
    return why;
}

void disk_acknowledge(unsigned k)
{
    share->acknowledged = k;
}

void disk_refuse_reads(bool refuse)
{
    share->refuse_reads = refuse;
}

disk_counts disk_count(void)
{
    disk_counts c = {0, 0};
    for (size_t i = 0; i < share->n_log; i++) c.flushes += share->log[i].len == 0;
    c.writes = share->n_log - c.flushes;
    return c;
}

/* ---- cutting -------------------------------------------------------------------------- */

disk_cut disk_cut_random(uint64_t *random)
{
    disk_cut c = {.after = 1 + (size_t)(random_next(random) % share->n_log),
                  .kind = (unsigned)(random_next(random) % 4),
                  .seed = random_next(random)};
    for (c.flushed = c.after; c.flushed > 0 && share->log[c.flushed - 1].len;) c.flushed--;
    return c;
}

/* What was acknowledged when the next write came: the cut may be right before it. */
unsigned disk_cut_acknowledged(const disk_cut *c)
{
    return c->after < share->n_log ? share->log[c->after].low : share->acknowledged;
}

/* The bytes of a write that reached the disk. */
static uint32_t survives(const disk_cut *c, size_t i, uint64_t *random)
{
    const entry *e = &share->log[i];
    if (i < c->flushed || c->kind == 0) return e->len;
    if (c->kind == 1 || random_next(random) % 2) return 0;
    if (c->kind == 2 || e->len <= SECTOR) return e->len;
    return (uint32_t)(random_next(random) % (e->len / SECTOR)) * SECTOR;
}

/* Written pages in runs; all else is a hole. */
static void write_image(void)
{
    size_t end = share->size / PAGE;
    int fd = open(image_path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    folder_must(fd >= 0 && ftruncate(fd, (off_t)share->size) == 0, "make", image_path);
    for (size_t page = 0, from; page < end; page++) {
        for (from = page; page < end && share->written[page];) page++;
        size_t len = (page - from) * PAGE, at = from * PAGE;
        folder_must(!len || pwrite(fd, share->disk + at, len, (off_t)at) == (ssize_t)len, "write",
                    image_path);
    }
    close(fd);
}

static void make_disk(const disk_cut *c)
{
    uint64_t random = c->seed;
    copy_written(share->disk, share->first);
    for (size_t i = 0; i < c->after; i++) {
        const entry *e = &share->log[i];
        memcpy(share->disk + e->at, share->log_data + e->data, survives(c, i, &random));
    }
    write_image();
}

bool disk_mount(const disk_cut *c)
{
    make_disk(c);
    return mount_file(image_path);
}

void disk_unmount(void)
{
    folder_must(umount(mounted) == 0, "unmount", mounted);
}
