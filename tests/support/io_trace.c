/* SPDX-License-Identifier: MIT
 *
 * io_trace.c - see io_trace.h.
 */
#include "tests/support/io_trace.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "tests/support/folder.h"

enum { FDS = 1024, NO_FILE = 0, THE_FOLDER = UINT16_MAX };

/* The recorder: who is what, while calls are made. */
static struct {
    io_trace *out;
    const char *path;
    pthread_mutex_t lock;
    unsigned n_files;
    unsigned of_fd[FDS];
    struct {
        char name[TRACE_NAME];
        unsigned file;
    } names[TRACE_NAMES];
} live = {.lock = PTHREAD_MUTEX_INITIALIZER};

void trace_insert(io_trace *t, size_t at, const trace_op *op)
{
    trace_op copy = *op;
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 256;
        t->ops = realloc(t->ops, t->cap * sizeof *t->ops);
        folder_must(t->ops != NULL, "keep", "a trace");
    }
    memmove(t->ops + at + 1, t->ops + at, (t->n - at) * sizeof *t->ops);
    t->ops[at] = copy;
    t->n++;
}

static void record(trace_kind kind, unsigned file, const file_event *event)
{
    trace_op op = {.kind = kind, .file = file};
    snprintf(op.name, sizeof op.name, "%s", event->path);
    if (event->from) snprintf(op.from, sizeof op.from, "%s", event->from);
    if (kind == TRACE_WRITE) {
        op.len = event->len;
        op.data = malloc(op.len + 1);
        folder_must(op.data != NULL, "keep", "a trace");
        memcpy(op.data, event->data, op.len);
    }
    trace_insert(live.out, live.out->n, &op);
}

/* The place of a name, free (file 0) when it is not there. */
static unsigned *lookup(const char *name)
{
    unsigned spare = TRACE_NAMES;
    for (unsigned i = 0; i < TRACE_NAMES; i++) {
        if (live.names[i].file && strcmp(live.names[i].name, name) == 0) return &live.names[i].file;
        if (!live.names[i].file) spare = i;
    }
    folder_must(spare < TRACE_NAMES && strlen(name) < TRACE_NAME, "name", name);
    snprintf(live.names[spare].name, TRACE_NAME, "%s", name);
    return &live.names[spare].file;
}

static void on_open(const file_event *e)
{
    folder_must(e->fd < FDS, "open so many", e->path);
    live.of_fd[e->fd] = strcmp(e->path, live.path) == 0 ? (unsigned)THE_FOLDER : (unsigned)NO_FILE;
    if (e->flags & O_DIRECTORY || strchr(e->path, '/')) return;
    unsigned *file = lookup(e->path);
    if (*file && e->flags & O_TRUNC) record(TRACE_TRUNCATE, *file, e);
    if (!*file) {
        *file = ++live.n_files;
        folder_must(live.n_files < TRACE_FILES, "record so many files as", e->path);
        record(TRACE_CREATE, *file, e);
    }
    live.of_fd[e->fd] = *file;
}

static void on_sync(const file_event *e)
{
    unsigned file = live.of_fd[e->fd];
    if (file == THE_FOLDER) record(TRACE_SYNC_FOLDER, 0, e);
    if (file && file != THE_FOLDER) record(TRACE_SYNC, file, e);
}

static void on_rename(const file_event *e)
{
    unsigned *from = lookup(e->from), file = *from;
    unsigned *to = lookup(e->path);
    if (*to == file) return; /* two names of one file: nothing happens */
    record(TRACE_RENAME, file, e);
    *to = file;
    *from = 0;
}

static void on_event(const file_event *e)
{
    pthread_mutex_lock(&live.lock);
    if (strcmp(e->call, "open") == 0) {
        on_open(e);
    } else if (strcmp(e->call, "write") == 0) {
        if (live.of_fd[e->fd]) record(TRACE_WRITE, live.of_fd[e->fd], e);
    } else if (strcmp(e->call, "fsync") == 0) {
        on_sync(e);
    } else if (strcmp(e->call, "syncfs") == 0) {
        record(TRACE_SYNC_ALL, 0, e);
    } else if (strcmp(e->call, "rename") == 0) {
        on_rename(e);
    } else if (strcmp(e->call, "link") == 0) {
        unsigned file = *lookup(e->from);
        record(TRACE_LINK, file, e);
        *lookup(e->path) = file;
    } else if (strcmp(e->call, "unlink") == 0) {
        unsigned *file = lookup(e->path);
        record(TRACE_UNLINK, *file, e);
        *file = 0;
    }
    pthread_mutex_unlock(&live.lock);
}

void trace_begin(io_trace *t, const char *path)
{
    memset(t, 0, sizeof *t);
    live.out = t;
    live.path = path;
    live.n_files = 0;
    memset(live.of_fd, 0, sizeof live.of_fd);
    memset(live.names, 0, sizeof live.names);
    file_done = on_event;
}

void trace_continue(void)
{
    file_done = on_event;
}

void trace_stop(void)
{
    file_done = NULL;
}

void trace_bounds(io_trace *t, unsigned low, unsigned high)
{
    trace_insert(t, t->n, &(trace_op){.kind = TRACE_BOUNDS, .low = low, .high = high});
}

void trace_copy(io_trace *out, const io_trace *t)
{
    *out = (io_trace){.n = t->n, .cap = t->n + 1, .is_copy = true};
    out->ops = malloc(out->cap * sizeof *out->ops);
    folder_must(out->ops != NULL, "copy", "a trace");
    memcpy(out->ops, t->ops, t->n * sizeof *t->ops);
}

void trace_free(io_trace *t)
{
    for (size_t i = 0; i < t->n && !t->is_copy; i++) free(t->ops[i].data);
    free(t->ops);
    memset(t, 0, sizeof *t);
}

void trace_remove(io_trace *t, size_t at)
{
    memmove(t->ops + at, t->ops + at + 1, (--t->n - at) * sizeof *t->ops);
}

void trace_move(io_trace *t, size_t from, size_t to)
{
    trace_op op = t->ops[from];
    memmove(t->ops + to + 1, t->ops + to, (from - to) * sizeof *t->ops);
    t->ops[to] = op;
}

size_t trace_last(const io_trace *t, size_t end, trace_kind kind, const char *name)
{
    while (end-- > 0)
        if (t->ops[end].kind == kind && strcmp(t->ops[end].name, name) == 0) return end;
    return SIZE_MAX;
}

bool trace_ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

bool trace_created_as(const io_trace *t, unsigned file, const char *suffix)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->ops[i].kind == TRACE_CREATE && t->ops[i].file == file)
            return trace_ends_with(t->ops[i].name, suffix);
    return false;
}
