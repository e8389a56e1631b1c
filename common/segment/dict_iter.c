/* SPDX-License-Identifier: MIT
 * dict_iter.c - all terms, or all forms, in order of their keys.  Forms come from two places, the
 * form dictionary and the entries of terms whose only form follows from their key; those keys
 * rise with the terms' own, so two walks are merged.  Takes a key, gives entries.
 */
#include "common/segment/form_spelling.h"

/* The form of the term that `terms` stands on, if it is one that is not listed: its key. */
static bool implied_make(dict_iter *it)
{
    const dict_walk *t = &it->terms;
    slice folded = {t->key, t->key_len};
    if (t->term.style == FORM_LISTED) return false;
    uint32_t mask = form_style_mask(t->term.style);
    it->implied_len = t->key_len + 1 + (mask ? t->key_len : 0);
    if (it->implied_len > DICT_KEY_MAX ||
        !form_put_exact(it->implied + t->key_len + 1, folded, mask)) {
        segment_damaged(it->s, (uint64_t)(t->at.p - it->s->file.data), section_name(SECTION_TERMS),
                        "a term's form cannot be spelled so");
        return false;
    }
    memcpy(it->implied, t->key, t->key_len);
    it->implied[t->key_len] = 0;
    return true;
}

/* To the next such term; `here`: unless it is the one at hand. */
static bool implied_next(dict_iter *it, bool here)
{
    while (here || dict_walk_next(&it->terms)) {
        if (implied_make(it)) return true;
        here = false;
    }
    return false;
}

static void implied_seek(dict_iter *it, slice from)
{
    static const uint8_t first_plain = 0x20;
    slice folded = from, exact;
    form_key_parts(from, &folded, &exact);
    if (!folded.len) folded = (slice){&first_plain, 1};
    it->more_implied = dict_walk_seek(&it->terms, it->s, false, folded) && implied_next(it, true);
    while (it->more_implied && dict_compare(it->implied, it->implied_len, from.data, from.len) < 0)
        it->more_implied = implied_next(it, false);
}

void dict_iter_begin(dict_iter *it, segment *s, bool forms, const void *from, size_t from_len)
{
    slice first = {from, from_len};
    it->s = s;
    it->forms = forms;
    it->started = it->more_implied = false;
    it->key = it->walk.key;
    it->key_len = 0;
    it->more = dict_walk_seek(&it->walk, s, forms, first);
    if (forms) implied_seek(it, first);
}

bool dict_folded_there(segment *s, slice folded)
{
    term_entry term;
    dict_walk w;
    uint8_t from[DICT_KEY_MAX];
    if (!folded.len || folded.len >= DICT_KEY_MAX) return false;
    if (dict_find(s, folded.data, folded.len, &term) && term.style != FORM_LISTED) return true;
    memcpy(from, folded.data, folded.len);
    from[folded.len] = 0;
    return dict_walk_seek(&w, s, true, (slice){from, folded.len + 1}) && w.key_len > folded.len &&
           !memcmp(w.key, from, folded.len + 1);
}

/* What was given is passed. */
static void iter_pass(dict_iter *it)
{
    if (it->started && it->key == it->walk.key)
        it->more = dict_walk_next(&it->walk);
    else if (it->started)
        it->more_implied = implied_next(it, false);
    it->started = true;
}

bool dict_iter_next(dict_iter *it)
{
    iter_pass(it);
    if (it->more_implied && (!it->more || dict_compare(it->implied, it->implied_len, it->walk.key,
                                                       it->walk.key_len) < 0)) {
        const term_entry *t = &it->terms.term;
        it->key = it->implied;
        it->key_len = it->implied_len;
        it->form = (form_entry){.term = t->ordinal, .df = t->df, .cf = t->cf};
        return true;
    }
    it->key = it->walk.key;
    it->key_len = it->walk.key_len;
    if (it->forms)
        it->form = it->walk.form;
    else
        it->term = it->walk.term;
    return it->more;
}
