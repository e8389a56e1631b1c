/* SPDX-License-Identifier: MIT
 * writer_commit.c - from a batch to a segment, from segments to a commit; see writer.h.
 *
 * What the writer keeps of a segment after a commit is what it had before it: nothing is
 * opened again.  A segment whose documents are all dead is left out of the manifest, and
 * its files go with the next collection of garbage.
 */
#include "common/base/mem.h"
#include "common/segment/bigrams.h"
#include "indexer/merge.h"
#include "indexer/xapian_writer.h"

enum {
    WRITER_DEFLATE_LEVEL = 1,
    HELD_LEAVES = 4, /* a part of the limit that is a batch's, whatever else is held          */
};

/* ---- bytes of files ------------------------------------------------------------------ */

void writer_note_bytes(pm_writer *w, uint64_t more)
{
    uint64_t bytes = more + w->replaced + w->previous + manifest_size((uint32_t)w->n_segments);
    for (size_t i = 0; i < w->n_segments; i++)
        bytes += w->segments[i].named.size + w->segments[i].named.del_size;
    if (bytes > w->most_bytes) w->most_bytes = bytes;
}

uint64_t pm_writer_most_bytes(const pm_writer *w)
{
    return w->most_bytes;
}

/* ---- flush --------------------------------------------------------------------------- */

segment_writer_config writer_config(const pm_writer *w, uint64_t segment_id)
{
    const pm_writer_options *o = &w->options;
    segment_writer_config config = {
        .segment_id = segment_id,
        .k1 = w->meta.k1,
        .b = w->meta.b,
        .avgdl_ref = w->meta.avgdl_ref,
        .block_size = o->block_size ? o->block_size : w->meta.block_size,
        .dense_shift = o->dense_shift ? o->dense_shift : w->meta.dense_shift,
        .bigram_words = w->meta.small ? 0 : BIGRAM_WORDS,
        .no_forms = w->meta.small,
        .store_block_bytes = o->store_block_bytes,
        .deflate_level = WRITER_DEFLATE_LEVEL,
        .has_positions = w->meta.has_positions,
        .has_text = w->meta.has_text,
        .has_marks = true,
    };
    memcpy(config.uuid, w->meta.uuid, sizeof config.uuid);
    return config;
}

pm_status writer_begin_batch(pm_writer *w, pm_error *err)
{
    if (w->batch.out) return PM_OK;
    uint64_t number = w->meta.next_file++;
    manifest_make_name(w->batch.name, number, ".seg");
    segment_writer_config config = writer_config(w, number);
    return segment_writer_begin(&w->batch.out, &w->folder, w->batch.name, &config, err);
}

/* Five sixths of what the caller allows.  The rest, and some 32 MiB beyond the limit, are
 * for what is not counted: memory that the allocator cannot use, buffers of files and of whoever
 * reads the input, zlib, pages of older segments in which ids are looked up.  So a process
 * keeps within the limit and 64 MiB, and mostly within the limit. */
uint64_t writer_budget(const pm_writer *w)
{
    uint64_t counted = w->options.memory_bytes - w->options.memory_bytes / 6,
             most = counted - counted / HELD_LEAVES, held = w->held + writer_beside_memory(w);
    return counted - (held < most ? held : most);
}

bool writer_batch_full(const pm_writer *w)
{
    uint64_t budget = writer_budget(w), other = batch_memory(&w->batch) + writer_kept_memory(w);
    return inverter_full(w->iv) || inverter_exceeds(w->iv, budget > other ? budget - other : 0);
}

/* The finished file joins the segments; what `made` holds is taken over. */
static pm_status adopt_segment(pm_writer *w, const writer_segment *made, pm_error *err)
{
    writer_segment *s = &w->segments[w->n_segments++];
    const manifest_segment *named = &s->named;
    *s = *made;
    pm_status st = segment_open(&s->seg, &w->folder, named->name, w->meta.uuid, named->size,
                                named->footer_crc, err);
    if (st != PM_OK) { /* another writer that was let in may have collected it                */
        pm_error why;
        bool held = dir_lock_holds(&w->folder, &why) != PM_BUSY;
        if (!held) *err = why;
        return held ? st : PM_BUSY;
    }
    w->meta.avgdl_ref = s->seg->info.avgdl_ref;
    writer_note_bytes(w, 0);
    map_release(&s->seg->file); /* all that opening read                                      */
    return PM_OK;
}

static pm_status finish_batch(pm_writer *w, manifest_segment *named, pm_error *err)
{
    segment_writer *out = w->batch.out;
    w->phase = PM_PHASE_WRITE;
    segment_writer_docs_done(out);
    writer_keep(w, w->iv);
    analyzer_trim(w->a); /* a table of forms to come is not counted                           */
    pm_status st = inverter_write(w->iv, w->options.threads, out, err);
    w->batch.out = NULL;
    if (st != PM_OK) {
        segment_writer_abandon(out);
        return st;
    }
    st = segment_writer_finish(out, w->options.commit_level < 2, named, err);
    if (st == PM_OK) writer_made(w, named->name);
    w->phase = PM_PHASE_STORE;
    return st;
}

pm_status writer_flush(pm_writer *w, pm_error *err)
{
    batch *b = &w->batch;
    writer_segment made = {.n_dead = b->n_dead, .dirty = b->n_dead != 0};
    pm_status st = PM_OK;
    if (!b->out || !b->n_docs) return PM_OK;
    if (b->n_dead) {
        made.dead = mem_array(bit_words(b->n_docs), sizeof *made.dead);
        if (!made.dead) return error_nomem(err);
        memcpy(made.dead, b->dead, bit_words(b->n_docs) * sizeof *made.dead);
    }
    if (!writer_reserve_made(w) ||
        !mem_grow(&w->segments, &w->segments_cap, w->n_segments + 1, sizeof *w->segments))
        PM_TRY(error_nomem(err));
    PM_TRY(finish_batch(w, &made.named, err));
    st = adopt_segment(w, &made, err);
    made.dead = NULL;
    if (st != PM_OK) goto out;
    batch_reset(b);
    writer_take_kept(w, &w->segments[w->n_segments - 1]);
    bool forget = inverter_forms_memory(w->iv) > writer_budget(w) / 4;
    if (forget) writer_drop_kept(w);
    inverter_reset(w->iv, forget);
out:
    mem_free(made.dead);
    return st;
}

void writer_forget(pm_writer *w)
{
    segment_writer_abandon(w->batch.out);
    w->batch.out = NULL;
    writer_drop_kept(w);
    inverter_reset(w->iv, true);
}

/* ---- commit -------------------------------------------------------------------------- */

/* Step 1 for a segment that lost documents. */
static pm_status write_tombstones(pm_writer *w, writer_segment *s, pm_error *err)
{
    pm_status st;
    buf bytes = {0};
    outfile f = OUTFILE_INIT;
    manifest_segment named = s->named;
    uint64_t deleted_tokens;
    PM_TRY(tombstones_encode(s->seg, s->dead, &bytes, &named.del_crc, &named.n_deleted,
                             &deleted_tokens, err));
    named.del_size = bytes.len;
    named.live_tokens = s->seg->info.sum_dl - deleted_tokens;
    manifest_make_name(named.del_name, w->meta.next_file++, ".del");
    if (!writer_reserve_made(w)) PM_TRY(error_nomem(err));
    PM_TRY(outfile_create(&f, &w->folder, named.del_name, true, err));
    writer_made(w, named.del_name);
    outfile_write(&f, bytes.data, bytes.len);
    PM_TRY(outfile_finish(&f, w->options.commit_level < 2, err));
    s->named = named;
out:
    buf_free(&bytes);
    return st;
}

static bool is_live(const writer_segment *s)
{
    return s->n_dead < s->named.n_docs;
}

/* True when the next manifest would say what the last one says. */
static bool nothing_to_do(const pm_writer *w)
{
    if (!w->exists || w->not_durable) return false;
    for (size_t i = 0; i < w->n_segments; i++)
        if (!w->segments[i].committed || w->segments[i].dirty) return false;
    return true;
}

static pm_status build_manifest(pm_writer *w, manifest *next, pm_error *err)
{
    pm_status st = manifest_copy(next, &w->meta, err);
    if (st != PM_OK) return st;
    next->n_segments = 0;
    next->generation++;
    for (size_t i = 0; i < w->n_segments && st == PM_OK; i++) {
        writer_segment *s = &w->segments[i];
        if (!is_live(s)) continue;
        if (s->dirty) st = write_tombstones(w, s, err);
        if (st == PM_OK) st = manifest_add_segment(next, &s->named, err);
    }
    next->next_file = w->meta.next_file;
    return st;
}

/* The new manifest is visible: what it names is what there is. */
static void settle(pm_writer *w, manifest *next)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->n_segments; i++) {
        writer_segment *s = &w->segments[i];
        if (!is_live(s)) {
            if (s->committed) w->replaced += s->named.size + s->named.del_size;
            writer_segment_close(s);
            continue;
        }
        if (s->dirty) mem_free(s->committed_dead);
        s->committed_dead = NULL;
        s->dirty = false;
        s->committed = true;
        w->segments[kept++] = *s;
    }
    w->n_segments = kept;
    w->previous = w->replaced;
    w->replaced = 0;
    writer_note_bytes(w, 0);
    w->n_made = 0;
    w->exists = w->goes_on = true;
    manifest_free(&w->meta);
    w->meta = *next;
}

static void fill_info(const pm_writer *w, pm_commit_info *info)
{
    *info = w->pending;
    info->generation = w->meta.generation;
    for (size_t i = 0; i < w->n_segments; i++)
        info->index_bytes += w->segments[i].named.size + w->segments[i].named.del_size;
    info->index_bytes += manifest_size((uint32_t)w->n_segments);
}

static pm_status publish(pm_writer *w, pm_error *err)
{
    manifest next = {0};
    w->phase = PM_PHASE_COMMIT;
    pm_status st = build_manifest(w, &next, err);
    if (st == PM_OK) st = manifest_publish(&next, &w->folder, w->options.commit_level, err);
    if (st != PM_OK && st != PM_NOT_DURABLE) {
        manifest_free(&next);
        return writer_discard(w, st, err);
    }
    w->phase = PM_PHASE_STORE;
    store_cache_free(&w->cache);
    settle(w, &next);
    w->not_durable = st == PM_NOT_DURABLE;
    w->proven = st == PM_OK && !w->options.commit_level;
    if (st == PM_OK) manifest_collect_garbage(&w->folder, writer_beside_name(w));
    return st;
}

/* The last commit, of a writer that may have been killed before its last sync, or told that it
 * failed: whoever commits again must be able to rely on the answer. */
static pm_status prove(pm_writer *w, pm_error *err)
{
    if (w->proven || w->options.commit_level) return PM_OK;
    pm_status st = manifest_prove(&w->folder, err);
    if (st == PM_OK) manifest_mark(&w->folder, w->meta.uuid);
    w->not_durable = st != PM_OK;
    w->proven = st == PM_OK;
    return st;
}

/* After the last change of a transaction: publish if there is anything to, and report. */
static pm_status finish_commit(pm_writer *w, pm_commit_info *info, pm_error *err)
{
    pm_status st = nothing_to_do(w) ? prove(w, err) : publish(w, err);
    if (st != PM_OK && st != PM_NOT_DURABLE) return st;
    if (info) fill_info(w, info);
    if (st == PM_OK) w->pending = (pm_commit_info){0};
    return st;
}

static pm_status commit(pm_writer *w, bool last, pm_commit_info *info, pm_error *err)
{
    pm_error own = {0};
    if (!err) err = &own;
    pm_status st = writer_is_ours(w, err);
    if (st == PM_OK) st = writer_ready(w, true, err);
    if (st != PM_OK) return st;
    if (w->xapian) return xapian_writer_commit(w, info, err);
    st = writer_flush(w, err);
    if (last) writer_beside_cancel(w); /* what it merges is gathered, too                    */
    if (st == PM_OK && last) st = writer_gather(w, err);
    if (st == PM_OK && !nothing_to_do(w)) st = writer_tidy(w, true, !last, err);
    if (st != PM_OK) return writer_discard(w, st, err);
    return finish_commit(w, info, err);
}

pm_status pm_writer_commit(pm_writer *w, pm_commit_info *info, pm_error *err)
{
    return commit(w, false, info, err);
}

pm_status pm_writer_finish(pm_writer *w, pm_commit_info *info, pm_error *err)
{
    return commit(w, true, info, err);
}

/* ---- optimize ------------------------------------------------------------------------ */

static void count_live(const pm_writer *w, uint64_t *docs, uint64_t *tokens)
{
    *docs = *tokens = 0;
    for (size_t i = 0; i < w->n_segments; i++) {
        const writer_segment *s = &w->segments[i];
        *docs += s->named.n_docs - s->n_dead;
        *tokens += s->seg->info.sum_dl;
        for (uint32_t doc = 0; s->n_dead && doc < s->named.n_docs; doc++)
            if (bit_get(s->dead, doc)) *tokens -= segment_dl(s->seg, doc);
    }
}

static bool must_spill(pm_writer *w, size_t first, size_t n)
{
    merge_size size = {.docs = 0};
    for (size_t i = first; i < first + n; i++)
        merge_size_add(&size, &w->segments[i].seg->info, w->segments[i].n_dead);
    return writer_merge_fit(w, first, n, &size).spills;
}

/* The merge of `inputs`, which are segments from `first` on.  Tokens that are kept are inverted
 * anew, else the lists are read. */
static pm_status merge_inputs(pm_writer *w, const merge_input *inputs, size_t first, size_t n,
                              const segment_writer_config *config, pm_reorder by,
                              writer_segment *merged, pm_error *err)
{
    char name[SEGMENT_NAME_MAX];
    uint64_t spilled = 0;
    merge_order order = {.by = by,
                         .threads = w->options.threads,
                         .memory_bytes = w->options.memory_bytes,
                         .spilled = &spilled};
    pm_status st = PM_OK;
    manifest_make_name(name, config->segment_id, ".seg");
    if (by == PM_REORDER_KEEP && writer_kept_run(w, first, n)) {
        order.tokens = w->iv;
        st = writer_add_kept(w, first, n, err);
    }
    if (!order.tokens) order.spills = must_spill(w, first, n);
    if (st == PM_OK)
        st = merge_segments(&w->folder, inputs, n, name, config, &order,
                            w->options.commit_level < 2, &merged->named, err);
    if (st == PM_OK) writer_note_bytes(w, merged->named.size + spilled);
    if (order.tokens) {
        if (st == PM_OK) merged->kept = inverter_take(w->iv);
        inverter_reset(w->iv, false);
    }
    return st;
}

pm_status writer_merge(pm_writer *w, size_t first, size_t n, pm_reorder by, double avgdl,
                       writer_segment *merged, pm_error *err)
{
    merge_input *inputs = mem_array(n, sizeof *inputs);
    if (!inputs || !writer_reserve_made(w)) {
        mem_free(inputs);
        return error_nomem(err);
    }
    for (size_t i = 0; i < n; i++)
        inputs[i] = (merge_input){w->segments[first + i].seg, w->segments[first + i].dead};
    uint64_t number = w->meta.next_file++;
    *merged = (writer_segment){0};
    segment_writer_config config = writer_config(w, number);
    config.avgdl_ref = avgdl;
    w->phase = PM_PHASE_MERGE;
    pm_status st = merge_inputs(w, inputs, first, n, &config, by, merged, err);
    if (st == PM_OK) writer_made(w, merged->named.name);
    w->phase = PM_PHASE_STORE;
    mem_free(inputs);
    return st;
}

/* One segment in the place of all. */
static pm_status replace_all(pm_writer *w, pm_reorder by, double avgdl, pm_error *err)
{
    writer_segment merged = {0};
    pm_status st = writer_merge(w, 0, w->n_segments, by, avgdl, &merged, err);
    if (st != PM_OK) return st;
    store_cache_free(&w->cache);
    for (size_t i = 0; i < w->n_segments; i++) {
        if (w->segments[i].committed) w->replaced += w->segments[i].named.size;
        writer_segment_close(&w->segments[i]);
    }
    w->n_segments = 0;
    return adopt_segment(w, &merged, err);
}

/* The only segment needs no other order. */
static bool in_order(const pm_writer *w, pm_reorder by)
{
    return by == PM_REORDER_KEEP ||
           (by == PM_REORDER_NONE && w->segments[0].seg->info.seq_width == 0);
}

pm_status pm_writer_optimize(pm_writer *w, pm_commit_info *info, pm_error *err)
{
    return pm_writer_optimize_with(w, NULL, info, err);
}

pm_status pm_writer_optimize_with(pm_writer *w, const pm_optimize_options *options,
                                  pm_commit_info *info, pm_error *err)
{
    uint64_t docs, tokens;
    pm_error own = {0};
    pm_optimize_options o = PM_OPTIMIZE_OPTIONS_INIT;
    if (!err) err = &own;
    if (options && options->size < sizeof options->size)
        return error_set(err, PM_USAGE, "optimize options are not initialised");
    if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    if ((unsigned)o.reorder > PM_REORDER_BP) return error_set(err, PM_USAGE, "no such order");
    pm_status st = writer_is_ours(w, err);
    if (st == PM_OK) st = writer_ready(w, false, err);
    if (st != PM_OK) return st;
    if (w->xapian) return xapian_writer_optimize(w, o.reorder, info, err);
    st = writer_flush(w, err);
    writer_beside_cancel(w);
    if (st == PM_OK) {
        count_live(w, &docs, &tokens);
        double avgdl = segment_reference(tokens, docs);
        bool done = w->n_segments == 1 && !w->segments[0].n_dead && w->meta.avgdl_ref == avgdl &&
                    in_order(w, o.reorder);
        if (docs && !done) st = replace_all(w, o.reorder, avgdl, err);
        if (st == PM_USAGE) return st; /* an order that takes more memory: all is as it was   */
    }
    if (st != PM_OK) return writer_discard(w, st, err);
    st = finish_commit(w, info, err);
    if (st == PM_OK && !w->options.commit_level) manifest_forget_previous(&w->folder);
    return st;
}
