/* SPDX-License-Identifier: MIT
 * writer.c - open an index for writing, hold its lock, close it; see writer.h.
 *
 * Order of opening: folder, manifest (an index that is not there is not locked into being),
 * lock, manifest again (nobody can change it now), options against it, analyzer, segments,
 * and the removal of files that a writer before us left behind when it died.
 */
#include "indexer/writer.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/cpu.h"
#include "common/base/mem.h"
#include "indexer/xapian_writer.h"

#define WRITER_K1 1.2
#define WRITER_B  0.75

enum {
    WRITER_BLOCK_SIZE = 256,
    WRITER_DENSE_SHIFT = 5,
    WRITER_DENSE_SHIFT_SMALL = 4,
    WRITER_STORE_BLOCK = 32 << 10,
    WRITER_STORE_BLOCK_MIN = 64,
    WRITER_STORE_BLOCK_MAX = 16 << 20,
};

/* ---- state --------------------------------------------------------------------------- */

/* How often this process was forked from another one since the library is there.  getpid is a call
 * to the system, 80 ns, and whose a writer is is asked for each article; what is rare asks it, too,
 * because not every way to fork tells. */
static unsigned forks;

static void count_fork(void)
{
    forks++;
}

/* The writer belongs to this process. */
static pm_status take_over(pm_writer *w, pm_error *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool counted;
    pthread_mutex_lock(&lock);
    if (!counted) counted = pthread_atfork(NULL, NULL, count_fork) == 0;
    bool is = counted;
    pthread_mutex_unlock(&lock);
    w->forks = forks;
    w->pid = getpid();
    return is ? PM_OK : error_nomem(err);
}

static pm_status not_ours(const pm_writer *w, pm_error *err)
{
    return error_set(err, PM_USAGE, "%s: this writer belongs to the process that opened it",
                     w->folder.path);
}

pm_status writer_is_ours(const pm_writer *w, pm_error *err)
{
    return w->pid == getpid() ? PM_OK : not_ours(w, err);
}

pm_status writer_ready(const pm_writer *w, bool commit, pm_error *err)
{
    if (w->forks != forks) return not_ours(w, err);
    if (w->status != PM_OK) {
        if (err) *err = w->first;
        return w->status;
    }
    if (w->not_durable && !commit)
        return error_set(err, PM_NOT_DURABLE,
                         "%s: the last commit is not known to be durable; commit again or close",
                         w->folder.path);
    return PM_OK;
}

bool writer_reserve_made(pm_writer *w)
{
    return mem_grow(&w->made, &w->made_cap, w->n_made + 1, sizeof *w->made);
}

void writer_made(pm_writer *w, const char *name)
{
    snprintf(w->made[w->n_made++], SEGMENT_NAME_MAX, "%s", name);
}

static void drop_batch(pm_writer *w)
{
    segment_writer_abandon(w->batch.out);
    w->batch.out = NULL;
    for (size_t i = 0; i < w->n_made; i++) dir_unlink(&w->folder, w->made[i], NULL);
    w->n_made = 0;
}

pm_status writer_discard(pm_writer *w, pm_status st, const pm_error *err)
{
    if (w->status != PM_OK) return st;
    w->status = st;
    w->first = *err;
    writer_beside_cancel(w);
    drop_batch(w);
    return st;
}

void writer_segment_close(writer_segment *s)
{
    if (s->seg) segment_close(s->seg);
    if (s->dirty) mem_free(s->committed_dead);
    mem_free(s->dead);
    mem_free(s->ends);
    mem_free(s->profile);
    kept_tokens_free(s->kept);
    *s = (writer_segment){0};
}

/* ---- options ------------------------------------------------------------------------- */

static pm_status take_options(pm_writer_options *out, const pm_writer_options *in, pm_error *err)
{
    *out = (pm_writer_options)PM_WRITER_OPTIONS_INIT;
    if (in && in->size < sizeof in->size)
        return error_set(err, PM_USAGE, "writer options are not initialised");
    if (in) memcpy(out, in, in->size < sizeof *out ? in->size : sizeof *out);
    if (out->threads == 0) out->threads = cpu_count();
    if (out->memory_bytes == 0) out->memory_bytes = UINT64_C(512) << 20;
    if (out->store_block_bytes == 0) out->store_block_bytes = WRITER_STORE_BLOCK;
    if (out->commit_level > 2)
        return error_set(err, PM_USAGE, "commit level %u: must be 0, 1 or 2", out->commit_level);
    if (out->block_size && (out->block_size < 8 || out->block_size > SEGMENT_BLOCK_MAX))
        return error_set(err, PM_USAGE, "block size %u: must be 8 to %d", out->block_size,
                         SEGMENT_BLOCK_MAX);
    if (out->dense_shift > 31)
        return error_set(err, PM_USAGE, "dense shift %u: must be 1 to 31", out->dense_shift);
    if (out->store_block_bytes < WRITER_STORE_BLOCK_MIN ||
        out->store_block_bytes > WRITER_STORE_BLOCK_MAX)
        return error_set(err, PM_USAGE, "store blocks of %u bytes: must be %d to %d",
                         out->store_block_bytes, WRITER_STORE_BLOCK_MIN, WRITER_STORE_BLOCK_MAX);
    return PM_OK;
}

static const char *yes_no(bool b)
{
    return b ? "yes" : "no";
}

static pm_status check_setting(const pm_writer *w, const char *what, int wish, bool is,
                               pm_error *err)
{
    if (wish < 0 || (wish != 0) == is) return PM_OK;
    return error_set(err, PM_USAGE,
                     "the index at %s was made with --%s=%s, not %s; leave the option out, or make "
                     "another index",
                     w->folder.path, what, yes_no(is), yes_no(wish != 0));
}

/* ---- the index as it is, or as it will be -------------------------------------------- */

static void new_manifest(pm_writer *w)
{
    manifest *m = &w->meta;
    *m = (manifest){.next_file = 1, .k1 = WRITER_K1, .b = WRITER_B};
    file_random(m->uuid);
    snprintf(m->engine, sizeof m->engine, "native");
    snprintf(m->lang, sizeof m->lang, "%s", analyzer_lang(w->a));
    snprintf(m->profile, sizeof m->profile, "%s", analyzer_profile(w->a));
    m->has_positions = w->options.positions != 0;
    m->has_text = w->options.store != 0;
    m->block_size = w->options.block_size ? w->options.block_size : WRITER_BLOCK_SIZE;
    m->small = w->options.small == 1;
    m->dense_shift = m->small ? WRITER_DENSE_SHIFT_SMALL : WRITER_DENSE_SHIFT;
    if (w->options.dense_shift) m->dense_shift = w->options.dense_shift;
}

static pm_status check_manifest(const pm_writer *w, pm_error *err)
{
    const manifest *m = &w->meta;
    if (strcmp(m->engine, w->xapian ? XAP_ENGINE : "native") != 0)
        return error_set(err, PM_USAGE, "the index at %s was made by engine %s", w->folder.path,
                         m->engine);
    if (strcmp(m->lang, analyzer_lang(w->a)) != 0)
        return error_set(err, PM_USAGE,
                         "the index at %s is in language %s, not %s; leave the option out, or make "
                         "another index",
                         w->folder.path, m->lang, analyzer_lang(w->a));
    if (strcmp(m->profile, analyzer_profile(w->a)) != 0)
        return error_set(err, PM_USAGE,
                         "the index at %s was analysed by \"%s\", this program analyses by \"%s\"; "
                         "index again",
                         w->folder.path, m->profile, analyzer_profile(w->a));
    pm_status st = check_setting(w, "positions", w->options.positions, m->has_positions, err);
    if (st == PM_OK) st = check_setting(w, "store", w->options.store, m->has_text, err);
    if (st == PM_OK && w->options.small >= 0 && (w->options.small != 0) != m->small)
        st = error_set(err, PM_USAGE,
                       "the index at %s was made %s --small; leave the option out, or make another "
                       "index",
                       w->folder.path, m->small ? "with" : "without");
    return st;
}

pm_status writer_open_analyzer(pm_writer *w, pm_error *err)
{
    if (!w->a) { /* no language was asked for                                                */
        pm_status st = analyzer_open(&w->a, w->exists ? w->meta.lang : "en", err);
        if (st != PM_OK) return st;
    }
    if (w->exists) return check_manifest(w, err);
    new_manifest(w);
    return PM_OK;
}

/* A segment of the snapshot becomes ours, its tombstones a bitmap that may change. */
static pm_status take_segment(writer_segment *to, snapshot_segment *from,
                              const manifest_segment *named, pm_error *err)
{
    to->named = *named;
    to->committed = true;
    if (named->n_deleted) {
        size_t words = bit_words(named->n_docs);
        to->dead = mem_array(words, sizeof *to->dead);
        if (!to->dead) return error_nomem(err);
        memcpy(to->dead, from->dead.bits.data, words * sizeof *to->dead);
        to->n_dead = named->n_deleted;
    }
    to->seg = from->seg;
    map_release(&to->seg->file);
    from->seg = NULL;
    return PM_OK;
}

static pm_status open_segments(pm_writer *w, pm_error *err)
{
    snapshot *s;
    pm_status st = snapshot_open_in(&s, &w->folder, err);
    if (st != PM_OK) return st;
    uint32_t n = s->meta.n_segments;
    w->segments = mem_array(n, sizeof *w->segments);
    w->segments_cap = w->segments ? n : 0;
    if (!w->segments) st = error_nomem(err);
    for (uint32_t i = 0; i < n && st == PM_OK; i++) {
        w->n_segments = i + 1;
        st = take_segment(&w->segments[i], &s->segments[i], &s->meta.segments[i], err);
    }
    snapshot_close(s);
    return st;
}

/* ---- open and close ------------------------------------------------------------------ */

static pm_status open_folder(pm_writer *w, const char *path, pm_error *err)
{
    bool absent;
    manifest probe;
    pm_status st = dir_open(&w->folder, path, &absent, err);
    bool made = absent && w->options.create;
    if (made) {
        st = dir_create(path, err);
        if (st == PM_OK) st = dir_open(&w->folder, path, NULL, err);
    }
    if (st != PM_OK) return st;
    st = manifest_read(&probe, &w->folder, &absent, err);
    if (st == PM_OK) manifest_free(&probe);
    /* Whoever made the folder may not have come as far as the sync of its parent. */
    if (absent && w->options.create) st = made ? PM_OK : dir_create(path, err);
    return st != PM_OK ? st : dir_lock(&w->folder, err);
}

static bool tell_progress(void *ctx, uint64_t bytes)
{
    pm_writer *w = ctx;
    w->written += bytes;
    if (!w->stopped)
        w->stopped = !w->options.progress(w->options.progress_ctx, w->phase, w->written);
    return !w->stopped;
}

static bool has_file(const pm_writer *w, const char *name)
{
    for (size_t i = 0; i < w->n_segments; i++) {
        const manifest_segment *s = &w->segments[i].named;
        if (!strcmp(s->name, name) || !strcmp(s->del_name, name)) return true;
    }
    return false;
}

/* Bytes of files that only manifest.prev names; they stay until the next commit. */
static uint64_t previous_bytes(const pm_writer *w)
{
    bool absent;
    manifest prev;
    uint64_t bytes = 0;
    if (manifest_read_named(&prev, &w->folder, "manifest.prev", &absent, NULL) != PM_OK) return 0;
    for (uint32_t i = 0; i < prev.n_segments; i++) {
        const manifest_segment *s = &prev.segments[i];
        if (!has_file(w, s->name)) bytes += s->size;
        if (s->del_name[0] && !has_file(w, s->del_name)) bytes += s->del_size;
    }
    manifest_free(&prev);
    return bytes;
}

static pm_status open_index(pm_writer *w, const char *path, pm_error *err)
{
    bool absent;
    pm_status st;
    PM_TRY(open_folder(w, path, err));
    if (w->options.progress) {
        w->folder.watch = tell_progress;
        w->folder.watch_ctx = w;
    }
    PM_TRY(dir_lock_holds(&w->folder, err)); /* it may have been deleted before it was locked */
    st = manifest_read(&w->meta, &w->folder, &absent, err);
    w->exists = st == PM_OK;
    if (st != PM_OK && !absent) goto out;
    if (absent) PM_TRY(xap_marker_overlooked(&w->folder, err));
    PM_TRY(writer_open_analyzer(w, err));
    PM_TRY(inverter_open(&w->iv, w->a, w->meta.has_positions, err));
    if (w->exists) PM_TRY(open_segments(w, err));
    if (w->exists) w->previous = previous_bytes(w);
    manifest_collect_garbage(&w->folder, NULL);
    file_random(w->batch.seed);
    st = PM_OK;
out:
    return st;
}

pm_status pm_writer_open(const char *path, const pm_writer_options *options, pm_writer **out,
                         pm_error *err)
{
    *out = NULL;
    pm_writer *w = mem_zalloc(sizeof *w);
    if (!w) return error_nomem(err);
    w->folder = (dir)DIR_INIT;
    bool xapian = false;
    pm_status st = take_over(w, err);
    if (st == PM_OK) st = take_options(&w->options, options, err);
    /* First, so that no folder is made for a language that is not known. */
    if (st == PM_OK && w->options.lang) st = analyzer_open(&w->a, w->options.lang, err);
    w->options.lang = NULL; /* the caller's string                                           */
    if (st == PM_OK) st = xapian_wanted(path, w->options.engine, &xapian, err);
    w->options.engine = NULL; /* the caller's string                                         */
    if (st == PM_OK && !xapian && w->options.shards > 1)
        st = error_set(err, PM_USAGE, "shards are for the engine xapian; name it, too");
    if (st == PM_OK) st = xapian ? xapian_writer_open(w, path, err) : open_index(w, path, err);
    if (st == PM_OK)
        *out = w;
    else
        pm_writer_close(w);
    return st;
}

void pm_writer_close(pm_writer *w)
{
    if (!w) return;
    if (w->pid != getpid()) { /* forked meanwhile: threads and files are not this process's */
        dir_close(&w->folder);
        return;
    }
    writer_beside_cancel(w);
    drop_batch(w);
    xapian_writer_close(w);
    for (size_t i = 0; i < w->n_segments; i++) writer_segment_close(&w->segments[i]);
    mem_free(w->segments);
    mem_free(w->made);
    inverter_close(w->iv);
    if (w->a) analyzer_close(w->a);
    batch_free(&w->batch);
    article_repair_free(&w->repair);
    buf_free(&w->record);
    store_cache_free(&w->cache);
    manifest_free(&w->meta);
    dir_close(&w->folder);
    mem_free(w);
}
