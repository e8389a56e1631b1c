/* SPDX-License-Identifier: MIT
 *
 * crash_states.c - see crash_states.h.
 *
 * A file's bytes are written once and only grow; a truncation starts another content under the
 * same file, so that every state of a file is a prefix of some content, perhaps with zeros.
 * LOCK is never synced, so that each state would be there as often as its bytes can be: they are
 * chosen by what else is in the folder, but where there are few states.
 */
#include "tests/support/crash_states.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "tests/support/folder.h"

enum { PENDING_MAX = 200, CHOICES = 4, FEW = 4 };

typedef struct content {
    uint8_t *data;
    size_t len, cap;
} content;

typedef struct place {
    unsigned content;
    size_t len;
} place;

struct states_run {
    content contents[TRACE_FILES];
    unsigned n_contents;
    place durable[TRACE_FILES], now[TRACE_FILES]; /* by file                               */
    state_name names[TRACE_NAMES];                /* durable                               */
    unsigned n_names;
    const trace_op *pending[PENDING_MAX];
    unsigned n_pending;
    unsigned low, high;
    unsigned lock; /* the file LOCK; 0: it is not there yet                                   */
    uint64_t random;
    unsigned at_each;
};

/* ---- names ---------------------------------------------------------------------------- */

static void name_set(state_name *names, unsigned *n, const char *name, unsigned file)
{
    unsigned i = 0;
    while (i < *n && strcmp(names[i].name, name) != 0) i++;
    folder_must(i < TRACE_NAMES, "name", name);
    if (i == *n) {
        (*n)++;
        snprintf(names[i].name, sizeof names[i].name, "%s", name);
    }
    names[i].file = file;
}

/* Only while it still is that file. */
static void name_clear(state_name *names, unsigned *n, const char *name, unsigned file)
{
    for (unsigned i = 0; i < *n; i++)
        if (strcmp(names[i].name, name) == 0 && names[i].file == file) names[i--] = names[--*n];
}

static void apply_name(state_name *names, unsigned *n, const trace_op *op)
{
    if (op->kind == TRACE_UNLINK) {
        name_clear(names, n, op->name, op->file);
        return;
    }
    name_set(names, n, op->name, op->file);
    if (op->kind == TRACE_RENAME) name_clear(names, n, op->from, op->file);
}

static void sync_names(states_run *r)
{
    for (unsigned i = 0; i < r->n_pending; i++) apply_name(r->names, &r->n_names, r->pending[i]);
    r->n_pending = 0;
}

/* ---- bytes ---------------------------------------------------------------------------- */

static void new_content(states_run *r, unsigned file)
{
    folder_must(r->n_contents < TRACE_FILES, "follow so many files", "");
    r->now[file] = (place){.content = r->n_contents++};
}

static void append(states_run *r, const trace_op *op)
{
    content *c = &r->contents[r->now[op->file].content];
    if (c->cap < c->len + op->len) {
        c->cap = 2 * (c->len + op->len);
        c->data = realloc(c->data, c->cap);
        folder_must(c->data != NULL, "follow", op->name);
    }
    memcpy(c->data + c->len, op->data, op->len);
    c->len += op->len;
    r->now[op->file].len = c->len;
}

static void step(states_run *r, const trace_op *op)
{
    switch (op->kind) {
    case TRACE_CREATE:
        if (strcmp(op->name, "LOCK") == 0) r->lock = op->file;
        new_content(r, op->file);
        r->durable[op->file] = r->now[op->file];
        /* fall through */
    case TRACE_RENAME:
    case TRACE_LINK:
    case TRACE_UNLINK:
        folder_must(r->n_pending < PENDING_MAX, "keep so many changes of names", op->name);
        r->pending[r->n_pending++] = op;
        break;
    case TRACE_TRUNCATE:
        new_content(r, op->file);
        break;
    case TRACE_WRITE:
        append(r, op);
        break;
    case TRACE_SYNC:
        r->durable[op->file] = r->now[op->file];
        break;
    case TRACE_SYNC_ALL:
        memcpy(r->durable, r->now, sizeof r->durable);
        /* fall through */
    case TRACE_SYNC_FOLDER:
        sync_names(r);
        break;
    case TRACE_BOUNDS:
        r->low = op->low;
        r->high = op->high;
        break;
    }
}

/* none, half, zeros, all of what is not synced */
static state_bytes choose_bytes(const states_run *r, unsigned file, unsigned choice)
{
    place old = r->durable[file], now = r->now[file];
    size_t kept = old.content == now.content ? old.len : 0; /* of what is there now            */
    switch (choice) {
    case 0:
        return (state_bytes){old.content, old.len, old.len};
    case 1:
        return (state_bytes){now.content, kept + (now.len - kept) / 2, kept + (now.len - kept) / 2};
    case 2:
        return (state_bytes){now.content, kept, now.len};
    default:
        return (state_bytes){now.content, now.len, now.len};
    }
}

static bool is_dirty(const states_run *r, unsigned file)
{
    return r->durable[file].content != r->now[file].content ||
           r->durable[file].len != r->now[file].len;
}

/* ---- states at one place -------------------------------------------------------------- */

/* Sum, not chain, over names: their order does not matter.  One file may be left out. */
static uint64_t state_key(const crash_state *s, unsigned without)
{
    uint64_t key = 0;
    for (unsigned i = 0; i < s->n; i++) {
        const state_name *n = &s->names[i];
        if (without && n->file == without) continue;
        uint64_t parts[4] = {n->file, n->bytes.content, n->bytes.prefix, n->bytes.len};
        key += hash_mix(hash_bytes(n->name, strlen(n->name)) ^ hash_bytes(parts, sizeof parts));
    }
    return key;
}

/* The subset of names' changes by bits, the choice of each file's bytes by pairs of bits; that of
 * LOCK's is given, or CHOICES. */
static void make_state(const states_run *r, const bool *taken, const uint8_t *choice,
                       unsigned of_lock, crash_state *out)
{
    memcpy(out->names, r->names, sizeof out->names);
    out->n = r->n_names;
    out->low = r->low;
    out->high = r->high;
    for (unsigned i = 0; i < r->n_pending; i++)
        if (taken[i]) apply_name(out->names, &out->n, r->pending[i]);
    for (unsigned i = 0; i < out->n; i++)
        out->names[i].bytes = choose_bytes(r, out->names[i].file, choice[out->names[i].file]);
    if (of_lock == CHOICES) of_lock = (unsigned)(hash_mix(state_key(out, r->lock)) % CHOICES);
    for (unsigned i = 0; i < out->n; i++)
        if (r->lock && out->names[i].file == r->lock)
            out->names[i].bytes = choose_bytes(r, r->lock, of_lock);
    out->key = state_key(out, 0);
}

static unsigned dirty_files(const states_run *r, unsigned *files)
{
    unsigned n = 0;
    for (unsigned file = 1; file < TRACE_FILES; file++)
        if (file != r->lock && is_dirty(r, file)) files[n++] = file;
    return n;
}

/* Number of combinations, or limit + 1 when there are more. */
static unsigned long combinations(unsigned n_names, unsigned n_files, unsigned long limit)
{
    unsigned long all = 1;
    for (unsigned i = 0; i < n_names && all <= limit; i++) all *= 2;
    for (unsigned i = 0; i < n_files && all <= limit; i++) all *= CHOICES;
    return all <= limit ? all : limit + 1;
}

/* The at-th combination: all of them in turn, or, of too many, first the extremes, then every
 * single change left out or made alone, then chance. */
static void pick(states_run *r, unsigned long at, bool whole, bool *taken, const unsigned *files,
                 unsigned n_files, uint8_t *choice)
{
    unsigned long rest = at, extremes = 2 * CHOICES, singles = 2 * (unsigned long)r->n_pending;
    uint64_t bits = random_next(&r->random);
    for (unsigned i = 0; i < r->n_pending; i++) {
        if (whole)
            taken[i] = rest % 2, rest /= 2;
        else if (at < extremes)
            taken[i] = at % 2;
        else if (at < extremes + singles)
            taken[i] = (i == (at - extremes) / 2) ^ (at % 2);
        else
            taken[i] = (random_next(&r->random) & 7) < (bits & 7);
    }
    for (unsigned i = 0; i < n_files; i++) {
        if (whole)
            choice[files[i]] = (uint8_t)(rest % CHOICES), rest /= CHOICES;
        else if (at < extremes)
            choice[files[i]] = (uint8_t)(at / 2);
        else
            choice[files[i]] = (uint8_t)(random_next(&r->random) % CHOICES);
    }
}

static bool explore_place(states_run *r, size_t after, unsigned long *n,
                          bool (*fn)(void *ctx, const states_run *run, const crash_state *s),
                          void *ctx)
{
    static crash_state s;
    bool taken[PENDING_MAX] = {false};
    uint8_t choice[TRACE_FILES] = {0};
    unsigned files[TRACE_FILES], n_files = dirty_files(r, files);
    unsigned long all = combinations(r->n_pending, n_files, r->at_each);
    bool whole = all <= r->at_each, each_lock = all <= FEW && r->lock && is_dirty(r, r->lock);
    unsigned long n_states = (whole ? all : r->at_each) * (each_lock ? CHOICES : 1);
    for (unsigned long i = 0; i < n_states; i++) {
        unsigned long at = each_lock ? i / CHOICES : i;
        pick(r, at, whole, taken, files, n_files, choice);
        make_state(r, taken, choice, each_lock ? (unsigned)(i % CHOICES) : CHOICES, &s);
        s.after = after;
        ++*n;
        if (!fn(ctx, r, &s)) return false;
    }
    return true;
}

unsigned long states_explore(const io_trace *t, const states_options *options,
                             bool (*fn)(void *ctx, const states_run *run, const crash_state *s),
                             void *ctx)
{
    unsigned long n = 0;
    states_run *r = calloc(1, sizeof *r);
    folder_must(r != NULL, "explore", "a trace");
    r->random = options->seed;
    r->at_each = options->at_each;
    r->n_contents = 1; /* 0: a file that is not there yet                                  */
    r->high = 1;
    bool more = true;
    for (size_t i = 0; i < t->n && more; i++) {
        step(r, &t->ops[i]);
        more = explore_place(r, i + 1, &n, fn, ctx);
    }
    for (unsigned i = 0; i < r->n_contents; i++) free(r->contents[i].data);
    free(r);
    return n;
}

/* ---- making one ----------------------------------------------------------------------- */

static void write_bytes(const states_run *r, const state_name *n, const char *path)
{
    const content *c = &r->contents[n->bytes.content];
    uint8_t *data = calloc(1, n->bytes.len + 1);
    folder_must(data != NULL, "write", n->name);
    if (n->bytes.prefix) memcpy(data, c->data, n->bytes.prefix);
    folder_write(path, n->name, data, n->bytes.len);
    free(data);
}

void states_materialise(const states_run *run, const crash_state *s, const char *path)
{
    folder_must(mkdir(path, 0777) == 0, "make", path);
    for (unsigned i = 0; i < s->n; i++) {
        unsigned first = 0;
        while (s->names[first].file != s->names[i].file) first++;
        if (first == i) {
            write_bytes(run, &s->names[i], path);
            continue;
        }
        char from[FOLDER_PATH + TRACE_NAME], to[FOLDER_PATH + TRACE_NAME];
        snprintf(from, sizeof from, "%s/%s", path, s->names[first].name);
        snprintf(to, sizeof to, "%s/%s", path, s->names[i].name);
        folder_must(link(from, to) == 0, "link", to);
    }
}
