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
    return a->kind == QUERY_WORD && b->kind == QUERY_WORD && !a->title && !b->title &&
           a->sign == b->sign;
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

static pm_status split_word(plan *p, const query_node *node, pm_error *err)
{
    pm_status st = PM_OK;
    plan_leaf *leaf = &p->leaves[node->leaf];
    const split_entry *entry;
    uint32_t matcher;
    if (p->n_splits >= PLAN_SPLITS_MAX) return PM_OK;
    if (p->snap->elsewhere) return plan_split_elsewhere(p, leaf, node->words[0].folded, err);
    PM_TRY(plan_split(p, node->words[0].folded, p->matchers[leaf->alts[0]].words[0], &entry, err));
    p->n_splits += entry->n_tried;
    if (!entry->n_docs && !(p->snippets && entry->n_pairs)) goto out;
    PM_TRY(plan_add_docs(p, entry, &matcher, err));
    PM_TRY(plan_add_alt(p, leaf, matcher, err));
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
