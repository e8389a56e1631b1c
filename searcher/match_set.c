/* SPDX-License-Identifier: MIT
 *
 * match_set.c - does a document match the query tree, and with what score?
 *
 * A node is *positive* when it holds a leaf that no NOT stands above.  Positive children say
 * what is looked for; the others only restrict:
 *   AND         all children hold
 *   OR          one positive child holds (one child, where none is positive)
 *   neighbours  no child under "-" matches, all under "+" and all restrictions hold, and of
 *               the plain ones: all, or where they are optional at least one unless there is
 *               a "+"; a filter always restricts here
 * Under a NOT neighbours are all required, unless --match any: what "-" takes away is then
 * the same in both parts of an auto list.
 */
#include "searcher/rank.h"

pm_status match_set_init(match_set *set, plan *p, match_scratch *scratch, pm_error *err)
{
    pm_status st = PM_OK;
    set->p = p;
    set->n = (uint32_t)p->n_matchers;
    set->items = arena_zalloc(p->a, p->n_matchers * sizeof *set->items);
    if (!set->items) return error_nomem(err);
    for (uint32_t i = 0; i < set->n; i++) PM_TRY(matcher_init(&set->items[i], p, i, scratch, err));
out:
    return st;
}

void match_set_open(match_set *set, uint32_t segment_index)
{
    for (uint32_t i = 0; i < set->n; i++) matcher_open(&set->items[i], set->p, segment_index);
}

static bool leaf_matches(match_set *set, const query_node *node, uint32_t doc)
{
    const plan_leaf *leaf = &set->p->leaves[node->leaf];
    uint32_t n = set->p->narrow ? 1 : leaf->n_alts;
    for (uint32_t i = 0; i < n; i++)
        if (matcher_has(&set->items[leaf->alts[i]], doc)) return true;
    return false;
}

/* A child's value with its sign. */
static bool child_holds(match_set *set, const query_node *child, uint32_t doc, bool any)
{
    if (child->sign != SIGN_NOT) return match_set_eval(set, child, doc, any);
    return !match_set_eval(set, child, doc, set->p->match == PM_MATCH_ANY);
}

static bool all_hold(match_set *set, const query_node *node, uint32_t doc, bool any)
{
    for (const query_node *child = node->first; child; child = child->next)
        if (!child_holds(set, child, doc, any)) return false;
    return true;
}

static bool has_positive_child(const query_node *node)
{
    for (const query_node *child = node->first; child; child = child->next)
        if (child->positive) return true;
    return false;
}

static bool one_holds(match_set *set, const query_node *node, uint32_t doc, bool any)
{
    bool positive = has_positive_child(node);
    for (const query_node *child = node->first; child; child = child->next)
        if (child->positive == positive && child_holds(set, child, doc, any)) return true;
    return false;
}

static bool is_optional(const query_node *child)
{
    return child->positive && child->sign == SIGN_PLAIN && !child->restricts;
}

static bool neighbours_hold(match_set *set, const query_node *node, uint32_t doc, bool any)
{
    bool wanted = false, required = false, found = false;
    for (const query_node *child = node->first; child; child = child->next) {
        if (is_optional(child)) {
            wanted = true;
            continue;
        }
        if (!child_holds(set, child, doc, any)) return false;
        required |= child->positive && !child->restricts;
    }
    if (!wanted || required) return true;
    for (const query_node *child = node->first; child && !found; child = child->next)
        if (is_optional(child)) found = child_holds(set, child, doc, any);
    return found;
}

bool match_set_eval(match_set *set, const query_node *node, uint32_t doc, bool any)
{
    if (query_is_leaf(node)) return leaf_matches(set, node, doc);
    if (node->kind == QUERY_OR) return one_holds(set, node, doc, any);
    if (node->kind == QUERY_AND || node->fixed || !any) return all_hold(set, node, doc, any);
    return neighbours_hold(set, node, doc, any);
}

double match_set_score(match_set *set, uint32_t doc, uint32_t *tfs)
{
    const plan *p = set->p;
    double score = 0, norm = -1;
    for (size_t i = 0; i < p->n_terms; i++) {
        matcher *m = &set->items[p->terms[i].matcher];
        uint32_t tf = matcher_tf(m, doc);
        if (tfs) tfs[i] = tf;
        if (!tf) continue;
        if (norm < 0) norm = plan_norm(p, segment_dl(m->seg, doc));
        score += plan_contribution(p, &p->terms[i], tf, norm);
    }
    return score;
}
