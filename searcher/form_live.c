/* SPDX-License-Identifier: MIT
 *
 * form_live.c - see form_live.h.
 */
#include "searcher/form_live.h"

#include "common/segment/cursor.h"

/* By the list of the form's term, whose entry is known. */
static void walk_list(const snapshot_segment *part, const form_entry *form, const term_entry *term,
                      bool first_will_do, uint64_t *df, uint64_t *cf)
{
    cursor c;
    form_stream f;
    cursor_open(&c, part->seg, term);
    form_stream_open(&f, &c.list);
    while (cursor_next(&c) != CURSOR_END) {
        uint32_t tf = cursor_tf(&c), count = 0;
        for (uint32_t i = 0; i < tf; i++) count += form_stream_next(&f) == form->index;
        if (!count || !snapshot_live(part, c.doc)) continue;
        *df += 1;
        *cf += count;
        if (first_will_do) return;
    }
}

void form_live_counts(const snapshot_segment *part, const form_entry *form, buf *key, uint64_t *df,
                      uint64_t *cf)
{
    term_entry term;
    if (!part->dead.n_deleted) {
        *df += form->df;
        *cf += form->cf;
        return;
    }
    buf_reset(key);
    if (dict_term_at(part->seg, form->term, &term, key))
        walk_list(part, form, &term, false, df, cf);
}

/* More documents have the form than there are dead ones with its term, or one of them is found. */
static bool is_live(const snapshot_segment *part, const form_entry *form, buf *key)
{
    term_entry term;
    uint64_t term_df, term_cf, df = 0, cf = 0;
    buf_reset(key);
    if (!dict_term_at(part->seg, form->term, &term, key)) return false;
    snapshot_segment_df(part, &term, &term_df, &term_cf);
    if (form->df > term.df - term_df) return true;
    if (term_df) walk_list(part, form, &term, true, &df, &cf);
    return df != 0;
}

pm_status form_live_folded(const snapshot_segment *part, slice folded, bool *yes, pm_error *err)
{
    dict_iter it;
    buf key = {0};
    uint8_t from[DICT_KEY_MAX];
    *yes = dict_folded_there(part->seg, folded);
    if (!*yes || !part->dead.n_deleted) return PM_OK;
    *yes = false;
    memcpy(from, folded.data, folded.len);
    from[folded.len] = 0;
    dict_iter_begin(&it, part->seg, true, from, folded.len + 1);
    while (!*yes && dict_iter_next(&it) && it.key_len > folded.len &&
           memcmp(it.key, from, folded.len + 1) == 0)
        *yes = is_live(part, &it.form, &key);
    pm_status st = key.failed ? error_nomem(err) : PM_OK;
    buf_free(&key);
    return st;
}
