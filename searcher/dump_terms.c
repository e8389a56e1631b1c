/* SPDX-License-Identifier: MIT
 *
 * dump_terms.c - the dump's terms with their postings, and its surface forms.  Memory is
 * bounded by the longest posting list, and four bytes a document: tokens of its title.  The
 * lists of titles come first and tell how many, so that positions in bodies can be shown with
 * the gap that stands for the end of the title.
 */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/segment/layout.h"
#include "searcher/dump.h"
#include "searcher/form_live.h"
#include "searcher/term_merge.h"

typedef struct dump_posting {
    uint64_t seq;
    uint32_t segment, doc, tf;
    size_t positions; /* index of the first                                        */
} dump_posting;

typedef struct dump_list {
    dump_posting *postings;
    uint32_t *positions;
    size_t n, cap, n_positions, positions_cap;
    uint32_t **titles; /* by segment and document: tokens of titles                      */
    cursor c;
} dump_list;

static void titles_free(dump_list *l, const snapshot *snap)
{
    for (uint32_t i = 0; l->titles && i < snap->meta.n_segments; i++) mem_free(l->titles[i]);
    mem_free(l->titles);
}

static bool titles_open(dump_list *l, const snapshot *snap)
{
    l->titles = mem_zalloc((snap->meta.n_segments + 1) * sizeof *l->titles);
    for (uint32_t i = 0; l->titles && i < snap->meta.n_segments; i++) {
        l->titles[i] = mem_zalloc(snap->segments[i].seg->info.n_docs * sizeof **l->titles);
        if (!l->titles[i]) return false;
    }
    return l->titles != NULL;
}

/* Title and body stand POSITION_BREAK apart in an index, and FIELD_GAP for who looks at it. */
static uint32_t shown(uint32_t position, uint32_t title)
{
    return title && position >= title ? position + (FIELD_GAP - POSITION_BREAK) : position;
}

static int by_seq(const void *a, const void *b)
{
    const dump_posting *x = a, *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static pm_status gather_posting(dump_list *l, snapshot *snap, uint32_t segment_index, pm_error *err)
{
    segment *seg = snap->segments[segment_index].seg;
    cursor *c = &l->c;
    dump_posting posting = {segment_seq(seg, c->doc), segment_index, c->doc, cursor_tf(c),
                            l->n_positions};
    if (!mem_grow(&l->postings, &l->cap, l->n + 1, sizeof *l->postings)) return error_nomem(err);
    l->postings[l->n++] = posting;
    if (!c->list.has_positions || posting.tf > segment_dl(seg, c->doc)) return PM_OK;
    if (!mem_grow(&l->positions, &l->positions_cap, l->n_positions + posting.tf,
                  sizeof *l->positions))
        return error_nomem(err);
    if (cursor_positions(c, l->positions + l->n_positions, posting.tf))
        l->n_positions += posting.tf;
    return PM_OK;
}

static pm_status gather(dump_list *l, term_merge *m, pm_error *err)
{
    pm_status st = PM_OK;
    l->n = l->n_positions = 0;
    for (uint32_t i = 0; i < m->n_at; i++) {
        const snapshot_segment *part = &m->snap->segments[m->at[i]];
        cursor_open(&l->c, part->seg, &m->iters[m->at[i]].term);
        while (cursor_next(&l->c) != CURSOR_END)
            if (snapshot_live(part, l->c.doc)) PM_TRY(gather_posting(l, m->snap, m->at[i], err));
    }
    if (l->n) qsort(l->postings, l->n, sizeof *l->postings, by_seq);
out:
    return st;
}

static pm_status write_postings(dump_sink *s, const dump_list *l, snapshot *snap, bool positions,
                                bool in_titles, pm_error *err)
{
    pm_status st = PM_OK;
    for (size_t i = 0; i < l->n; i++) {
        const dump_posting *p = &l->postings[i];
        uint8_t room[SEGMENT_ID_ROOM];
        slice id = segment_id(snap->segments[p->segment].seg, p->doc, room);
        buf_u8(&s->text, ' ');
        dump_escaped(s, id.data, id.len);
        dump_format(s, ":%u", p->tf);
        uint32_t title = in_titles ? 0 : l->titles[p->segment][p->doc];
        for (uint32_t k = 0; positions && k < p->tf && p->positions + k < l->n_positions; k++)
            dump_format(s, "%c%u", k ? ',' : ':', shown(l->positions[p->positions + k], title));
        if (in_titles) l->titles[p->segment][p->doc] += p->tf;
        buf_u8(&s->text, '\n');
        PM_TRY(dump_flush(s, false, err));
    }
out:
    return st;
}

void dump_key(dump_sink *s, const uint8_t *key, size_t len)
{
    bool class = len && key[0] < 0x20;
    if (class)
        buf_append_str(&s->text, key[0] == KEY_MARKER  ? "marker:"
                                 : key[0] == KEY_TITLE ? "title:"
                                 : key[0] == KEY_FIELD ? "field:"
                                                       : "?:");
    dump_escaped(s, key + class, len - class);
}

pm_status dump_terms(dump_sink *s, snapshot *snap, pm_error *err)
{
    pm_status st = PM_OK;
    term_merge m = {0};
    dump_list l = {0};
    PM_TRY(term_merge_open(&m, snap, false, "", 0, err));
    if (!titles_open(&l, snap)) PM_TRY(error_nomem(err));
    while (term_merge_next(&m)) {
        uint64_t df, cf;
        term_merge_live(&m, &df, &cf);
        if (!df || m.key[0] == KEY_BIGRAM) continue; /* they follow from the positions      */
        buf_append_str(&s->text, "term ");
        dump_key(s, m.key, m.key_len);
        dump_format(s, " %llu %llu\n", (unsigned long long)df, (unsigned long long)cf);
        PM_TRY(gather(&l, &m, err));
        bool positions = snap->meta.has_positions && m.key_len && !key_is_flat(m.key[0]);
        PM_TRY(write_postings(s, &l, snap, positions, m.key_len && m.key[0] == KEY_TITLE, err));
    }
out:
    term_merge_close(&m);
    mem_free(l.postings);
    mem_free(l.positions);
    titles_free(&l, snap);
    return st;
}

/* ---- forms ------------------------------------------------------------------------------ */

/* key = folded, 0x00, exact (empty when equal). */
static void write_form(dump_sink *s, const uint8_t *key, size_t len, uint64_t df, uint64_t cf)
{
    const uint8_t *zero = memchr(key, 0, len);
    size_t folded = zero ? (size_t)(zero - key) : len;
    buf_append_str(&s->text, "form ");
    dump_escaped(s, key, folded);
    buf_u8(&s->text, ' ');
    if (folded + 1 < len)
        dump_escaped(s, key + folded + 1, len - folded - 1);
    else
        buf_u8(&s->text, '=');
    dump_format(s, " %llu %llu\n", (unsigned long long)df, (unsigned long long)cf);
}

pm_status dump_forms(dump_sink *s, snapshot *snap, pm_error *err)
{
    pm_status st = PM_OK;
    term_merge m = {0};
    buf key = {0};
    PM_TRY(term_merge_open(&m, snap, true, "", 0, err));
    while (term_merge_next(&m)) {
        uint64_t df = 0, cf = 0;
        for (uint32_t i = 0; i < m.n_at; i++)
            form_live_counts(&snap->segments[m.at[i]], &m.iters[m.at[i]].form, &key, &df, &cf);
        if (df) write_form(s, m.key, m.key_len, df, cf);
        PM_TRY(dump_flush(s, false, err));
    }
    if (key.failed) st = error_nomem(err);
out:
    term_merge_close(&m);
    buf_free(&key);
    return st;
}
