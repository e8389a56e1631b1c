/* SPDX-License-Identifier: MIT
 *
 * plan_joined.c - one word or two?  Widen what plain words match, never what they score.
 *
 *   query  tik tok      each word also matches documents with the term of "tiktok"
 *   query  email        also matches documents where "e" and "mail" are neighbours, provided
 *                       that both halves stand in the index as words of their own
 *
 * Dictionaries are asked first: a join whose term no live document has, or a split of which
 * a half was never written, costs look-ups and no postings.
 */
#include "searcher/plan.h"

static bool joins(const query_node *a, const query_node *b)
{
    return a->kind == QUERY_WORD && b->kind == QUERY_WORD && !a->title && !b->title && a->sign == b->sign;
}

static pm_status join_pair(plan *p, const query_node *a, const query_node *b, pm_error *err)
{
    pm_status st = PM_OK;
    const pm_text left = a->words[0].folded, right = b->words[0].folded;
    uint32_t key, matcher;
    char *word = arena_alloc(p->a, left.len + right.len + 1);
    if (!word) return error_nomem(err);
    memcpy(word, left.data, left.len);
    memcpy(word + left.len, right.data, right.len);
    const form *f = analyzer_form(p->words, word, left.len + right.len);
    if (!f) return analyzer_failed(p->words) ? error_nomem(err) : PM_OK;
    char *stem = arena_strndup(p->a, f->stem, f->stem_len);
    if (!stem) return error_nomem(err);
    PM_TRY(plan_add_key(p, 0, (pm_text){stem, f->stem_len}, &key, err));
    if (!p->keys[key].df) goto out;
    PM_TRY(plan_add_key_matcher(p, key, &matcher, err));
    PM_TRY(plan_add_alt(p, &p->leaves[a->leaf], matcher, err));
    PM_TRY(plan_add_alt(p, &p->leaves[b->leaf], matcher, err));
out:
    return st;
}

/* Was this folded form ever written in any segment? */
static bool attested(const plan *p, const char *word, size_t len)
{
    uint8_t from[TERM_MAX_BYTES + 1];
    dict_iter it;
    if (len > TERM_MAX_BYTES) return false;
    memcpy(from, word, len);
    from[len] = 0;
    for (uint32_t s = 0; s < p->snap->meta.n_segments; s++) {
        dict_iter_begin(&it, p->snap->segments[s].seg, true, from, len + 1);
        if (dict_iter_next(&it) && it.key_len > len && !memcmp(it.key, from, len + 1)) return true;
    }
    return false;
}

/* *key UINT32_MAX: no live document has the term of this half. */
static pm_status half_key(plan *p, const char *word, size_t len, uint32_t *key, pm_error *err)
{
    *key = UINT32_MAX;
    const form *f = analyzer_form(p->words, word, len);
    if (!f) return analyzer_failed(p->words) ? error_nomem(err) : PM_OK;
    char *stem = arena_strndup(p->a, f->stem, f->stem_len);
    if (!stem) return error_nomem(err);
    pm_status st = plan_add_key(p, 0, (pm_text){stem, f->stem_len}, key, err);
    if (st == PM_OK && !p->keys[*key].df) *key = UINT32_MAX;
    return st;
}

static pm_status split_word(plan *p, const query_node *node, pm_error *err)
{
    pm_status st = PM_OK;
    const pm_text word = node->words[0].folded;
    uint32_t keys[2], matcher;
    for (size_t at = 1; at < word.len && p->n_splits < PLAN_SPLITS_MAX; at++) {
        if (((unsigned char)word.data[at] & 0xc0) == 0x80) continue;
        if (!attested(p, word.data, at) || !attested(p, word.data + at, word.len - at)) continue;
        p->n_splits++;
        PM_TRY(half_key(p, word.data, at, &keys[0], err));
        PM_TRY(half_key(p, word.data + at, word.len - at, &keys[1], err));
        if (keys[0] == UINT32_MAX || keys[1] == UINT32_MAX) continue;
        PM_TRY(plan_add_phrase(p, keys, 2, false, &matcher, err));
        PM_TRY(plan_add_alt(p, &p->leaves[node->leaf], matcher, err));
    }
out:
    return st;
}

/* Depth is bounded by the parser. */
static pm_status join_node(plan *p, const query_node *node, pm_error *err)
{
    pm_status st = PM_OK;
    bool splits = node->kind == QUERY_WORD && !node->title && !node->words[0].marker.len;
    if (splits && p->snap->meta.has_positions) PM_TRY(split_word(p, node, err));
    for (const query_node *child = node->first; child; child = child->next) {
        if (node->kind == QUERY_LIST && child->next && joins(child, child->next))
            PM_TRY(join_pair(p, child, child->next, err));
        PM_TRY(join_node(p, child, err));
    }
out:
    return st;
}

pm_status plan_join(plan *p, pm_error *err)
{
    return join_node(p, p->q->root, err);
}
