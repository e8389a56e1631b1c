/* SPDX-License-Identifier: MIT
 *
 * query_tree.c - building the query tree: nodes of the arena, groups of one dissolved.
 *
 * Depth is bounded: the parser opens at most QUERY_DEPTH_MAX groups, and each adds at most
 * three levels (OR over AND over LIST), so recursion over a tree is bounded, too.
 */
#include "searcher/query.h"

query_node *query_node_make(arena *a, query_kind kind)
{
    query_node *node = arena_zalloc(a, sizeof *node);
    if (!node) return NULL;
    node->kind = kind;
    node->boost = 1.0;
    return node;
}

void query_node_append(query_node *parent, query_node *child)
{
    child->next = NULL;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

query_node *query_node_collapse(query_node *group)
{
    if (!group || !group->first) return NULL;
    if (group->first != group->last) return group;
    query_node *only = group->first;
    only->boost *= group->boost;
    return only;
}

void query_node_sign(query_node *node, query_sign sign)
{
    bool negated = (node->sign == SIGN_NOT) != (sign == SIGN_NOT);
    node->sign = negated ? SIGN_NOT : sign == SIGN_MUST ? SIGN_MUST : SIGN_PLAIN;
}

void query_node_finish(query *q, query_node *node)
{
    bool positive = query_is_leaf(node);
    if (positive) node->leaf = q->n_leaves++;
    node->restricts = !positive || node->kind == QUERY_FILTER;
    for (query_node *child = node->first; child; child = child->next) {
        query_node_finish(q, child);
        positive |= child->positive;
        node->restricts &= child->restricts;
    }
    node->positive = positive && node->sign != SIGN_NOT;
}

/* A phrase or NEAR group as a list of its words, all of them required. */
static bool node_to_words(arena *a, query_node *node)
{
    query_word *words = node->words;
    uint32_t n = node->n_words;
    for (uint32_t i = 0; i < n; i++) {
        query_node *leaf = query_node_make(a, QUERY_WORD);
        if (!leaf) return false;
        leaf->title = node->title;
        leaf->words = &words[i];
        leaf->n_words = 1;
        query_node_append(node, leaf);
    }
    node->kind = QUERY_LIST;
    node->fixed = true;
    node->title = false;
    node->words = NULL;
    node->n_words = 0;
    return true;
}

static bool tree_to_words(query *q, arena *a, query_node *node)
{
    if (node->kind == QUERY_PHRASE || node->kind == QUERY_NEAR) {
        query_add_note(q, 0, true, "phrases taken as words: the index has no positions");
        return node_to_words(a, node);
    }
    for (query_node *child = node->first; child; child = child->next)
        if (!tree_to_words(q, a, child)) return false;
    return true;
}

bool query_to_words(query *q, arena *a)
{
    if (!q->root) return true;
    if (!tree_to_words(q, a, q->root)) return false;
    q->n_leaves = 0;
    query_node_finish(q, q->root);
    return true;
}
