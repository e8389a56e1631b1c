/* SPDX-License-Identifier: MIT
 * snapshot.c - open one commit: its manifest, its segments, their tombstones; see snapshot.h.
 *
 * A reader takes no lock.  Between its reading of the manifest and its opening of the files
 * a writer may publish twice and delete them; so when anything fails to open the manifest is
 * read again, and if a newer commit is there by then, that one is opened instead.  The same
 * commit failing twice is damage.
 */
#include "common/segment/snapshot.h"

#include "common/base/mem.h"

static void snapshot_drop_segments(snapshot *s)
{
    for (uint32_t i = 0; s->segments && i < s->meta.n_segments; i++) {
        tombstones_close(&s->segments[i].dead);
        if (s->segments[i].seg) segment_close(s->segments[i].seg);
    }
    mem_free(s->segments);
    s->segments = NULL;
}

void snapshot_close(snapshot *s)
{
    if (!s) return;
    snapshot_drop_segments(s);
    manifest_free(&s->meta);
    dir_close(&s->folder);
    mem_free(s);
}

/* What manifest, segment and tombstones say of each other. */
static pm_status check_segment(const snapshot *s, const manifest_segment *named,
                               const snapshot_segment *at, uint64_t tokens, pm_error *err)
{
    const segment_info *info = &at->seg->info;
    const manifest *m = &s->meta;
    if (info->n_docs != named->n_docs || at->dead.n_deleted != named->n_deleted ||
        tokens != named->live_tokens)
        return error_corrupt(err, at->seg->path, 0, "header", "the manifest has other counts");
    if (info->k1 != m->k1 || info->b != m->b || info->avgdl_ref != m->avgdl_ref ||
        info->has_positions != m->has_positions || info->has_text != m->has_text)
        return error_corrupt(err, at->seg->path, 0, "header", "the manifest has other settings");
    return PM_OK;
}

static pm_status open_segment(snapshot *s, uint32_t i, pm_error *err)
{
    const manifest_segment *named = &s->meta.segments[i];
    snapshot_segment *at = &s->segments[i];
    pm_status st = segment_open(&at->seg, &s->folder, named->name, s->meta.uuid, named->size,
                                named->footer_crc, err);
    if (st == PM_OK && named->n_deleted)
        st = tombstones_open(&at->dead, &s->folder, named->del_name, at->seg, named->del_size,
                             named->del_crc, err);
    if (st != PM_OK) return st;
    uint64_t tokens = at->seg->info.sum_dl - at->dead.deleted_tokens;
    s->n_docs += named->n_docs - named->n_deleted;
    if (__builtin_add_overflow(s->n_tokens, tokens, &s->n_tokens))
        return error_corrupt(err, at->seg->path, 0, "header", "more tokens than can be");
    return check_segment(s, named, at, tokens, err);
}

static pm_status open_segments(snapshot *s, pm_error *err)
{
    pm_status st = PM_OK;
    s->n_docs = s->n_tokens = 0;
    s->segments = mem_array(s->meta.n_segments, sizeof *s->segments);
    if (!s->segments) return error_nomem(err);
    for (uint32_t i = 0; i < s->meta.n_segments && st == PM_OK; i++) st = open_segment(s, i, err);
    s->avgdl = s->n_tokens ? (double)s->n_tokens / (double)s->n_docs : 1.0;
    if (st != PM_OK) snapshot_drop_segments(s);
    return st;
}

/* Of a path or, where that is NULL, of a folder. */
static pm_status open_either(snapshot **out, const char *path, const dir *folder, pm_error *err)
{
    pm_status st;
    *out = NULL;
    snapshot *s = mem_zalloc(sizeof *s);
    if (!s) return error_nomem(err);
    PM_TRY(path ? dir_open(&s->folder, path, NULL, err) : dir_again(&s->folder, folder, err));
    PM_TRY(manifest_read(&s->meta, &s->folder, NULL, err));
    do st = open_segments(s, err);
    while (st != PM_OK && st != PM_NOMEM && manifest_advance(&s->meta, &s->folder));
out:
    if (st == PM_OK)
        *out = s;
    else
        snapshot_close(s);
    return st;
}

pm_status snapshot_open(snapshot **out, const char *path, pm_error *err)
{
    return open_either(out, path, NULL, err);
}

pm_status snapshot_open_in(snapshot **out, const dir *folder, pm_error *err)
{
    return open_either(out, NULL, folder, err);
}

void snapshot_segment_df(const snapshot_segment *s, const term_entry *entry, uint64_t *df,
                         uint64_t *cf)
{
    uint32_t df_minus;
    uint64_t cf_minus;
    *df = entry->df;
    *cf = entry->cf;
    if (!s->dead.n_deleted) return;
    tombstones_correction(&s->dead, entry->ordinal, &df_minus, &cf_minus);
    if (df_minus > entry->df || cf_minus > entry->cf ||
        cf_minus - df_minus > entry->cf - entry->df) {
        segment_damaged(s->seg, 0, "tombstones", "more postings deleted than there are");
        df_minus = 0;
        cf_minus = 0;
    }
    *df -= df_minus;
    *cf -= cf_minus;
}

void snapshot_df(snapshot *s, const void *key, size_t len, uint64_t *df, uint64_t *cf)
{
    *df = *cf = 0;
    for (uint32_t i = 0; i < s->meta.n_segments; i++) {
        term_entry entry;
        uint64_t segment_df, segment_cf;
        if (!dict_find(s->segments[i].seg, key, len, &entry)) continue;
        snapshot_segment_df(&s->segments[i], &entry, &segment_df, &segment_cf);
        *df += segment_df;
        *cf += segment_cf;
    }
}

/* An id has at most one live document: a later one replaced all before it.  So the newest
 * segments are asked first, and in each the last document that carries the id. */
bool snapshot_find_id(snapshot *s, const char *id, size_t len, uint32_t *segment_index,
                      uint32_t *doc)
{
    for (uint32_t i = s->meta.n_segments; i-- > 0;) {
        uint32_t at;
        if (!segment_find_id(s->segments[i].seg, id, len, &at)) continue;
        if (!snapshot_live(&s->segments[i], at)) continue;
        *segment_index = i;
        *doc = at;
        return true;
    }
    return false;
}

pm_status snapshot_status(const snapshot *s, pm_error *err)
{
    for (uint32_t i = 0; i < s->meta.n_segments; i++) {
        pm_status st = segment_status(s->segments[i].seg, err);
        if (st != PM_OK) return st;
    }
    return PM_OK;
}
