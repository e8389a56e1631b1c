/* SPDX-License-Identifier: MIT
 *
 * stats.c - what an index holds, exactly, over live documents; and which bytes it takes.
 */
#include <stdio.h>

#include "common/base/mem.h"
#include "searcher/index.h"
#include "searcher/term_merge.h"

static void add_section(pm_stats *out, const char *name, uint64_t bytes)
{
    unsigned i = 0;
    while (i < out->n_sections && strcmp(out->sections[i].name, name)) i++;
    if (i == sizeof out->sections / sizeof *out->sections) return;
    if (i == out->n_sections) {
        snprintf(out->sections[i].name, sizeof out->sections[i].name, "%s", name);
        out->n_sections++;
    }
    out->sections[i].bytes += bytes;
}

/* Where the lists of a segment's bigrams stand: keys of one class are neighbours, and so are
 * their lists. */
static uint64_t bigram_bytes(segment *s, dict_iter *it)
{
    static const uint8_t first[] = {KEY_BIGRAM};
    uint64_t from = UINT64_MAX, to = 0;
    if (!s->info.bigram_min) return 0;
    dict_iter_begin(it, s, false, first, sizeof first);
    while (dict_iter_next(it) && it->key[0] == KEY_BIGRAM) {
        if (it->term.off < from) from = it->term.off;
        to = it->term.off + it->term.len;
    }
    return to > from ? to - from : 0;
}

/* Every byte of every file that the commit names belongs to one of the sections. */
static pm_status count_bytes(pm_stats *out, const snapshot *snap, pm_error *err)
{
    uint64_t other = 0;
    uint64_t bigrams = 0;
    buf encoded = {0};
    dict_iter *it = mem_alloc(sizeof *it);
    if (!it) return error_nomem(err);
    for (uint32_t i = 0; i < snap->meta.n_segments; i++) {
        const manifest_segment *m = &snap->meta.segments[i];
        const segment_info *info = &snap->segments[i].seg->info;
        uint64_t named = 0;
        for (int id = 0; id < SECTION_COUNT; id++) {
            uint64_t own = id == SECTION_POSTINGS ? bigram_bytes(snap->segments[i].seg, it) : 0;
            add_section(out, section_name((section_id)id), info->sections[id].len - own);
            bigrams += own;
            named += info->sections[id].len;
        }
        other += m->size - named;
        add_section(out, "tombstones", m->del_size);
        out->index_bytes += m->size + m->del_size;
    }
    mem_free(it);
    if (bigrams) add_section(out, "bigrams", bigrams);
    manifest_encode(&snap->meta, &encoded);
    add_section(out, "manifest", encoded.len);
    add_section(out, "other", other);
    out->index_bytes += encoded.len;
    bool failed = encoded.failed;
    buf_free(&encoded);
    return failed ? error_nomem(err) : PM_OK;
}

static pm_status count_terms(pm_stats *out, snapshot *snap, pm_error *err)
{
    pm_status st = PM_OK;
    term_merge m = {0};
    static const uint8_t first_plain[] = {0x20};
    PM_TRY(term_merge_open(&m, snap, false, first_plain, sizeof first_plain, err));
    while (term_merge_next(&m)) {
        uint64_t df, cf;
        term_merge_live(&m, &df, &cf);
        out->terms += df != 0;
        out->postings += df;
        if (snap->meta.has_positions) out->positions += cf;
    }
    PM_TRY(snapshot_status(snap, err));
out:
    term_merge_close(&m);
    return st;
}

static void copy_settings(pm_stats *out, const snapshot *snap)
{
    const manifest *meta = &snap->meta;
    out->documents = snap->n_docs;
    for (uint32_t i = 0; i < meta->n_segments; i++) out->deleted += meta->segments[i].n_deleted;
    out->tokens = snap->n_tokens;
    out->avgdl = snap->n_docs ? (double)snap->n_tokens / (double)snap->n_docs : 0;
    out->k1 = meta->k1;
    out->b = meta->b;
    out->generation = meta->generation;
    out->segments = meta->n_segments;
    out->format_version = SEGMENT_VERSION;
    out->has_positions = meta->has_positions;
    out->has_text = meta->has_text;
    memcpy(out->engine, meta->engine, sizeof out->engine);
    memcpy(out->analyzer, meta->profile, sizeof out->analyzer);
    memcpy(out->lang, meta->lang, sizeof out->lang);
}

pm_status pm_index_stats(pm_index *index, pm_stats *out, pm_error *err)
{
    pm_status st = PM_OK;
    memset(out, 0, sizeof *out);
    copy_settings(out, index->snap);
    PM_TRY(count_bytes(out, index->snap, err));
    PM_TRY(count_terms(out, index->snap, err));
out:
    return st;
}
