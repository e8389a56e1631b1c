/* SPDX-License-Identifier: MIT
 * check_places.c - where words stand: no two at one position of a document, none above the last
 * one, those of the title first and a number left out behind them.  A title's list says what the
 * word's own list says of the first positions.
 *
 * A second walk over all positions.  Memory: a bit a token, 8 bytes a document.
 */
#include "common/base/mem.h"
#include "common/segment/check_parts.h"

typedef struct place_check {
    check *c;
    uint64_t *start; /* c->tokens, from now on the first bit of each document              */
    uint64_t *taken; /* bit start[doc] + position                                          */
    uint32_t *title_n, *title_end; /* by document: occurrences in the title; behind the last one */
    cursor list, plain;
    uint32_t *row, *plain_row; /* positions of one posting                                      */
    size_t row_cap, plain_cap;
    bool broken;
} place_check;

static void places_wrong(place_check *p, uint64_t off, const char *what)
{
    if (!p->broken) check_section(p->c, SECTION_POSTINGS, off, what);
    p->broken = true;
}

uint32_t check_row(check *c, cursor *at, uint32_t **out, size_t *cap, pm_error *err)
{
    uint32_t tf = cursor_tf(at);
    if (tf > segment_dl(c->s, at->doc)) tf = 0; /* reported with its list                  */
    if (tf && !mem_grow(out, cap, tf, sizeof **out)) {
        error_nomem(err);
        return 0;
    }
    return tf ? cursor_positions(at, *out, tf) : 0;
}

static uint64_t place_bits(const check *c, uint32_t doc)
{
    return layout_position_most(segment_dl(c->s, doc)) + UINT64_C(1);
}

static pm_status places_begin(place_check *p, pm_error *err)
{
    check *c = p->c;
    uint64_t bits = 0;
    p->start = c->tokens;
    for (uint32_t doc = 0; doc < c->s->info.n_docs; doc++) {
        p->start[doc] = bits;
        bits += place_bits(c, doc);
    }
    p->taken = mem_array(bits / 64 + 1, sizeof *p->taken);
    p->title_n = mem_array(c->s->info.n_docs, sizeof *p->title_n);
    p->title_end = mem_array(c->s->info.n_docs, sizeof *p->title_end);
    return p->taken && p->title_n && p->title_end ? PM_OK : error_nomem(err);
}

static bool is_taken(const place_check *p, uint32_t doc, uint32_t position)
{
    uint64_t bit = p->start[doc] + position;
    return p->taken[bit / 64] >> bit % 64 & 1;
}

/* ---- words -------------------------------------------------------------------------------- */

static void take_places(place_check *p, const dict_iter *it, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t bit = p->start[p->list.doc] + p->row[i];
        if (is_taken(p, p->list.doc, p->row[i]))
            places_wrong(p, it->term.off, "two words at one position");
        p->taken[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

static pm_status walk_word(place_check *p, const dict_iter *it, pm_error *err)
{
    cursor_open(&p->list, p->c->s, &it->term);
    while (!p->broken && cursor_next(&p->list) != CURSOR_END) {
        uint32_t n = check_row(p->c, &p->list, &p->row, &p->row_cap, err);
        if (err->status != PM_OK) return err->status;
        take_places(p, it, n);
    }
    return PM_OK;
}

/* ---- titles ------------------------------------------------------------------------------- */

/* The occurrences of the title are the word's first ones in the document. */
static pm_status compare_title(place_check *p, const dict_iter *it, pm_error *err)
{
    uint32_t doc = p->list.doc, tf = cursor_tf(&p->list), n = 0, m = 0;
    bool there = cursor_seek(&p->plain, doc) == doc && cursor_tf(&p->plain) >= tf;
    if (there && p->c->s->info.has_positions) {
        n = check_row(p->c, &p->list, &p->row, &p->row_cap, err);
        m = check_row(p->c, &p->plain, &p->plain_row, &p->plain_cap, err);
        if (err->status != PM_OK) return err->status;
        there = n <= m && (!n || !memcmp(p->row, p->plain_row, n * sizeof *p->row));
    }
    if (!there) places_wrong(p, it->term.off, "a word of a title that is not in its text");
    p->title_n[doc] += tf;
    if (n && p->row[n - 1] >= p->title_end[doc]) p->title_end[doc] = p->row[n - 1] + 1;
    return PM_OK;
}

static pm_status walk_title(place_check *p, const dict_iter *it, pm_error *err)
{
    term_entry plain;
    pm_status st = PM_OK;
    if (!dict_find(p->c->s, it->key + 1, it->key_len - 1, &plain)) {
        places_wrong(p, it->term.off, "a word of a title that is no word");
        return PM_OK;
    }
    cursor_open(&p->plain, p->c->s, &plain);
    cursor_open(&p->list, p->c->s, &it->term);
    while (st == PM_OK && !p->broken && cursor_next(&p->list) != CURSOR_END)
        st = compare_title(p, it, err);
    return st;
}

/* ---- documents ------------------------------------------------------------------------------ */

/* Words stand at different places, so a title that ends behind its n-th place has no gap. */
static void check_title_ends(place_check *p)
{
    for (uint32_t doc = 0; doc < p->c->s->info.n_docs && !p->broken; doc++) {
        uint32_t n = p->title_n[doc];
        if (n != p->title_end[doc] || (n && is_taken(p, doc, n)))
            places_wrong(p, 0, "a title does not stand before its text, one number between");
    }
}

static pm_status walk_all(place_check *p, dict_iter *it, pm_error *err)
{
    pm_status st = PM_OK;
    bool positions = p->c->s->info.has_positions;
    dict_iter_begin(it, p->c->s, false, NULL, 0);
    while (st == PM_OK && !p->broken && dict_iter_next(it)) {
        if (it->key[0] == KEY_TITLE)
            st = walk_title(p, it, err);
        else if (it->key[0] >= 0x20 && positions)
            st = walk_word(p, it, err);
    }
    if (st == PM_OK && positions && !p->broken) check_title_ends(p);
    return st;
}

pm_status check_places(check *c, pm_error *err)
{
    pm_status st = PM_OK;
    pm_error own = {.status = PM_OK};
    dict_iter *it = mem_zalloc(sizeof *it);
    place_check *p = mem_zalloc(sizeof *p);
    if (!it || !p) PM_TRY(error_nomem(&own));
    p->c = c;
    PM_TRY(places_begin(p, &own));
    PM_TRY(walk_all(p, it, &own));
    check_reader_damage(c);
out:
    if (st != PM_OK && err) *err = own;
    if (p) {
        mem_free(p->taken);
        mem_free(p->title_n);
        mem_free(p->title_end);
        mem_free(p->row);
        mem_free(p->plain_row);
    }
    mem_free(p);
    mem_free(it);
    return st;
}
