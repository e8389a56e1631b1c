/* SPDX-License-Identifier: MIT
 *
 * plan_split_elsewhere.c - a word that may stand as two in an index of another engine: each place
 * where both parts were written as words adds a phrase of them to what the leaf matches.
 *
 * Which places those are is asked once a word and kept in the split cache, as each part is a
 * question to the engine, over the network perhaps; an index that is open does not forget forms.
 */
#include "searcher/plan.h"

typedef struct place_search {
    plan *p;
    split_entry *entry;
    pm_text *halves; /* two for each place: terms                                            */
} place_search;

static pm_status form_there(const plan *p, const char *word, size_t len, bool *yes, pm_error *err)
{
    const form *f = analyzer_form(p->words, word, len);
    *yes = false;
    if (!f) return analyzer_failed(p->words) ? error_nomem(err) : PM_OK;
    return p->snap->elsewhere->form(p->snap->elsewhere->ctx, word, len, yes, err);
}

static pm_status stem_of(const plan *p, const char *word, size_t len, pm_text *out, pm_error *err)
{
    const form *f = analyzer_form(p->words, word, len);
    if (!f) return error_nomem(err);
    *out = (pm_text){arena_strndup(p->a, f->stem, f->stem_len), f->stem_len};
    return out->data ? PM_OK : error_nomem(err);
}

static pm_status try_place(place_search *x, size_t at, pm_error *err)
{
    pm_status st;
    split_entry *e = x->entry;
    bool left, right = false;
    PM_TRY(form_there(x->p, e->word, at, &left, err));
    if (left) PM_TRY(form_there(x->p, e->word + at, e->word_len - at, &right, err));
    if (!left || !right) goto out;
    PM_TRY(stem_of(x->p, e->word, at, &x->halves[2 * e->n_pairs], err));
    PM_TRY(stem_of(x->p, e->word + at, e->word_len - at, &x->halves[2 * e->n_pairs + 1], err));
    e->n_tried++;
    e->n_pairs++;
out:
    return st;
}

static pm_status find_places(plan *p, pm_text word, const split_entry **out, pm_error *err)
{
    pm_status st = PM_OK;
    *out = split_cache_find(p->splits, word.data, word.len);
    if (*out) return PM_OK;
    split_entry *e = arena_zalloc(p->a, sizeof *e);
    pm_text *halves = arena_zalloc(p->a, 2 * (word.len + 1) * sizeof *halves);
    if (!e || !halves) return error_nomem(err);
    *e = (split_entry){.word = word.data, .word_len = word.len, .pairs = halves};
    place_search x = {p, e, halves};
    for (size_t at = 1; at < word.len; at++)
        if (((unsigned char)word.data[at] & 0xc0) != 0x80) PM_TRY(try_place(&x, at, err));
    if (!split_cache_add(p->splits, e, 0)) st = error_nomem(err);
    *out = e;
out:
    return st;
}

pm_status plan_split_elsewhere(plan *p, plan_leaf *leaf, pm_text word, pm_error *err)
{
    pm_status st;
    const split_entry *e;
    PM_TRY(find_places(p, word, &e, err));
    p->n_splits += e->n_tried;
    for (uint32_t i = 0; i < e->n_pairs; i++) {
        uint32_t keys[2], matcher;
        PM_TRY(plan_add_key(p, 0, e->pairs[2 * i], &keys[0], err));
        PM_TRY(plan_add_key(p, 0, e->pairs[2 * i + 1], &keys[1], err));
        if (!p->keys[keys[0]].df || !p->keys[keys[1]].df) continue;
        PM_TRY(plan_add_phrase(p, keys, 2, false, &matcher, err));
        PM_TRY(plan_add_alt(p, leaf, matcher, err));
    }
out:
    return st;
}
