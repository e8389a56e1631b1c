/* SPDX-License-Identifier: MIT
 *
 * stats.c - what an index holds, exactly, over live documents; and which bytes it takes.
 */
#include <stdio.h>

#include "searcher/term_merge.h"
#include "searcher/xapian.h"

/* Adds to the entry of that name, or appends one while there is room. */
static void add_bytes(pm_section_bytes *list, unsigned *n, unsigned room, const char *name,
                      uint64_t bytes)
{
    unsigned i = 0;
    while (i < *n && strcmp(list[i].name, name)) i++;
    if (i == room) return;
    if (i == *n) {
        snprintf(list[i].name, sizeof list[i].name, "%s", name);
        ++*n;
    }
    list[i].bytes += bytes;
}

static void add_section(pm_stats *out, const char *name, uint64_t bytes)
{
    add_bytes(out->sections, &out->n_sections, sizeof out->sections / sizeof *out->sections, name,
              bytes);
}

static void add_part(pm_stats *out, const char *name, uint64_t bytes)
{
    add_bytes(out->parts, &out->n_parts, sizeof out->parts / sizeof *out->parts, name, bytes);
}

/* What each section is for; the postings are divided further. */
static const char *const part_of[SECTION_COUNT] = {
    [SECTION_STORE] = "stored",
    [SECTION_STORE_DIR] = "stored",
    [SECTION_TERMS] = "dictionaries",
    [SECTION_TERMS_INDEX] = "dictionaries",
    [SECTION_FORMS] = "dictionaries",
    [SECTION_FORMS_INDEX] = "dictionaries",
    [SECTION_DL] = "columns",
    [SECTION_SEQ] = "columns",
    [SECTION_DATE] = "columns",
    [SECTION_ID_OFFSETS] = "ids",
    [SECTION_IDS] = "ids",
    [SECTION_ID_TABLE] = "ids",
};

static const char *const posting_parts[PART_COUNT] = {
    [PART_DOCUMENTS] = "documents", [PART_IMPACTS] = "impacts", [PART_POSITIONS] = "positions",
    [PART_FORMS] = "form streams",  [PART_BIGRAMS] = "bigrams",
};

/* A segment's sections; returns their bytes. */
static uint64_t count_segment(pm_stats *out, const segment_info *info)
{
    uint64_t named = 0;
    for (int id = 0; id < SECTION_COUNT; id++) {
        uint64_t len = info->sections[id].len, bigrams = info->parts[PART_BIGRAMS];
        add_section(out, section_name((section_id)id),
                    len - (id == SECTION_POSTINGS ? bigrams : 0));
        named += len;
        if (part_of[id]) add_part(out, part_of[id], len);
        if (part_of[id] != part_of[SECTION_STORE]) out->bare_bytes += len;
    }
    for (int part = 0; part < PART_COUNT; part++)
        add_part(out, posting_parts[part], info->parts[part]);
    out->bare_bytes -= info->parts[PART_BIGRAMS];
    return named;
}

/* Every byte of every file that the commit names belongs to one of the sections. */
static pm_status count_bytes(pm_stats *out, const snapshot *snap, pm_error *err)
{
    uint64_t other = 0, deletions = 0, bigrams = 0;
    buf encoded = {0};
    for (uint32_t i = 0; i < snap->meta.n_segments; i++) {
        const manifest_segment *m = &snap->meta.segments[i];
        const segment_info *info = &snap->segments[i].seg->info;
        other += m->size - count_segment(out, info);
        bigrams += info->parts[PART_BIGRAMS];
        deletions += m->del_size;
        out->index_bytes += m->size + m->del_size;
    }
    add_section(out, "tombstones", deletions);
    if (bigrams) add_section(out, "bigrams", bigrams);
    manifest_encode(&snap->meta, &encoded);
    add_section(out, "manifest", encoded.len);
    add_section(out, "other", other);
    add_part(out, "other", other + deletions + encoded.len);
    out->index_bytes += encoded.len;
    out->bare_bytes += other + deletions + encoded.len;
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
    out->small = meta->small;
    memcpy(out->engine, meta->engine, sizeof out->engine);
    memcpy(out->analyzer, meta->profile, sizeof out->analyzer);
    memcpy(out->lang, meta->lang, sizeof out->lang);
}

pm_status pm_index_stats(pm_index *index, pm_stats *out, pm_error *err)
{
    pm_status st = PM_OK;
    memset(out, 0, sizeof *out);
    if (index->xapian) return xapian_stats(index->xapian, out, err);
    copy_settings(out, index->snap);
    PM_TRY(count_bytes(out, index->snap, err));
    PM_TRY(count_terms(out, index->snap, err));
out:
    return st;
}
