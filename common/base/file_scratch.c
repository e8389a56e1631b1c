/* SPDX-License-Identifier: MIT
 * file_scratch.c - see scratch.h.
 *
 * A file is made by O_TMPFILE; where that is not known, under a name that is unlinked at once.
 * Its room is reserved by posix_fallocate, because a page of a hole that finds the disk full ends
 * the process.  A file grows by a quarter and its map moves (mremap).
 */
#include "common/base/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/mem.h"

enum { REGIONS_MAX = 256, PAGE = 4096, GROWTH = 4 };

typedef struct region {
    void *at;
    size_t len; /* bytes, whole pages                                                   */
    int fd;
} region;

struct scratch {
    const dir *folder;
    const char *name;
    size_t least;
    uint64_t window, leave, now, peak; /* bytes                                            */
    bool refused;         /* a file was, and none is asked for again                  */
    pthread_mutex_t lock; /* of regions                                              */
    region regions[REGIONS_MAX];
    unsigned n;
    _Atomic uint64_t passed;
};

static bool refused(const char *call, const scratch *s)
{
    return file_fault && file_fault(call, s->name) > 0;
}

/* ---- life ------------------------------------------------------------------------------- */

scratch *scratch_open(const dir *folder, const char *name, size_t least, uint64_t window,
                      uint64_t leave)
{
    scratch *s = mem_zalloc(sizeof *s);
    if (!s) return NULL;
    s->folder = folder;
    s->name = name;
    s->least = least;
    s->window = window;
    s->leave = leave;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void scratch_close(scratch *s)
{
    if (!s) return;
    pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

uint64_t scratch_peak(const scratch *s)
{
    return s ? s->peak : 0;
}

/* ---- regions ---------------------------------------------------------------------------- */

static int open_named(const scratch *s)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = refused("open", s) ? -1 : file_apart(openat(s->folder->fd, s->name, flags, 0600));
    if (fd < 0) return -1;
    if (!refused("unlink", s) && unlinkat(s->folder->fd, s->name, 0) == 0) return fd;
    close(fd);
    return -1;
}

static int open_file(const scratch *s)
{
    const int flags = O_RDWR | O_TMPFILE | O_CLOEXEC;
    int fd = refused("tmpfile", s) ? -1 : file_apart(openat(s->folder->fd, ".", flags, 0600));
    return fd < 0 ? open_named(s) : fd;
}

/* Room for bytes [from, to) of the file. */
static bool reserve(scratch *s, int fd, size_t from, size_t to)
{
    int failed;
    struct statvfs disk;
    if (refused("fallocate", s) || fstatvfs(fd, &disk) != 0) return false;
    if ((uint64_t)disk.f_bavail * disk.f_frsize < s->leave + (to - from)) return false;
    do failed = posix_fallocate(fd, (off_t)from, (off_t)(to - from));
    while (failed == EINTR);
    return failed == 0;
}

static size_t whole_pages(size_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

static void count(scratch *s, size_t more)
{
    s->now += more;
    if (s->now > s->peak) s->peak = s->now;
}

static void *region_make(scratch *s, size_t bytes)
{
    size_t len = whole_pages(bytes);
    if (s->refused || s->n == REGIONS_MAX || bytes > SIZE_MAX / 2) return NULL;
    int fd = open_file(s);
    void *at = MAP_FAILED;
    if (fd >= 0 && reserve(s, fd, 0, len) && !refused("mmap", s))
        at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    s->refused = at == MAP_FAILED;
    if (s->refused) {
        if (fd >= 0) close(fd);
        return NULL;
    }
    pthread_mutex_lock(&s->lock);
    s->regions[s->n++] = (region){at, len, fd};
    pthread_mutex_unlock(&s->lock);
    count(s, len);
    return at;
}

/* NULL: the array is of the heap. */
static region *find(scratch *s, const void *ptr)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->regions[i].at == ptr) return &s->regions[i];
    return NULL;
}

static void region_drop(scratch *s, region *r)
{
    pthread_mutex_lock(&s->lock);
    munmap(r->at, r->len);
    close(r->fd);
    s->now -= r->len;
    *r = s->regions[--s->n];
    pthread_mutex_unlock(&s->lock);
}

/* The array's place, which may be another; NULL: it is where it was, and no larger. */
static void *region_grow(scratch *s, region *r, size_t bytes)
{
    size_t len = whole_pages(bytes);
    void *at = MAP_FAILED;
    if (len == r->len) return r->at;
    pthread_mutex_lock(&s->lock);
    if (!s->refused && reserve(s, r->fd, r->len, len) && !refused("mremap", s))
        at = mremap(r->at, r->len, len, MREMAP_MAYMOVE);
    s->refused = at == MAP_FAILED;
    if (!s->refused) {
        count(s, len - r->len);
        r->at = at;
        r->len = len;
    }
    pthread_mutex_unlock(&s->lock);
    return s->refused ? NULL : at;
}

/* ---- arrays ------------------------------------------------------------------------------ */

void *scratch_array(scratch *s, size_t elements, size_t size)
{
    size_t bytes;
    if (!s || __builtin_mul_overflow(elements, size, &bytes) || bytes < s->least)
        return mem_array(elements, size);
    void *at = region_make(s, bytes);
    return at ? at : mem_array(elements, size);
}

/* From the heap to a file, or larger there; NULL: neither can be. */
static void *move(scratch *s, void *old, size_t had, size_t bytes)
{
    region *r = find(s, old);
    if (r) return region_grow(s, r, bytes);
    void *at = region_make(s, bytes);
    if (!at) return NULL;
    if (had) memcpy(at, old, had);
    mem_free(old);
    return at;
}

/* From a file to the heap. */
static void *go_home(scratch *s, void *old, size_t had, size_t bytes)
{
    void *at = mem_alloc(bytes);
    if (!at) return NULL;
    memcpy(at, old, had);
    region_drop(s, find(s, old));
    return at;
}

bool scratch_grow(scratch *s, void *ptr, size_t *cap, size_t need, size_t size)
{
    size_t want, bytes;
    void *old;
    if (need <= *cap) return true;
    want = *cap + *cap / GROWTH < need ? need : *cap + *cap / GROWTH;
    if (!s || __builtin_mul_overflow(want, size, &bytes) || bytes < s->least)
        return mem_grow(ptr, cap, need, size);
    memcpy(&old, ptr, sizeof old);
    void *at = move(s, old, *cap * size, bytes);
    if (!at && !find(s, old)) return mem_grow(ptr, cap, need, size);
    if (!at) at = go_home(s, old, *cap * size, bytes);
    if (!at) return false;
    memcpy(ptr, &at, sizeof at);
    *cap = want;
    return true;
}

void scratch_free(scratch *s, void *ptr)
{
    region *r = s && ptr ? find(s, ptr) : NULL;
    if (r)
        region_drop(s, r);
    else
        mem_free(ptr);
}

/* ---- pages ------------------------------------------------------------------------------- */

void scratch_pass(scratch *s, uint64_t bytes)
{
    if (!s) return;
    uint64_t passed = atomic_fetch_add_explicit(&s->passed, bytes, memory_order_relaxed) + bytes;
    if (passed < s->window) return;
    atomic_store_explicit(&s->passed, 0, memory_order_relaxed);
    pthread_mutex_lock(&s->lock);
    for (unsigned i = 0; i < s->n; i++) madvise(s->regions[i].at, s->regions[i].len, MADV_DONTNEED);
    pthread_mutex_unlock(&s->lock);
}
