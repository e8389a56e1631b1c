/* SPDX-License-Identifier: MIT
 *
 * plan_drivers.c - a set of matchers such that every match of the query has at least one of them:
 * the cheapest required part, or all parts where none is required.  Only drivers are walked;
 * the others are asked at the documents that drivers find.
 */
#include "searcher/plan.h"

static bool needs_all(const plan *p, const query_node *node)
{
    return node->kind == QUERY_AND || node->fixed ||
           (node->kind == QUERY_LIST && p->match == PM_MATCH_ALL);
}

/* The children of which one suffices as driver (true), or all are needed together. */
static bool drives_alone(const plan *p, const query_node *node, const query_node *child)
{
    return needs_all(p, node) ||
           (node->kind == QUERY_LIST && (child->sign == SIGN_MUST || child->restricts));
}

/* Must one of the plain words be there, so that all of them together are a driver? */
static bool wants_some(const plan *p, const query_node *node)
{
    bool plain = false, must = false;
    if (needs_all(p, node) || node->kind != QUERY_LIST) return false;
    for (const query_node *child = node->first; child; child = child->next) {
        if (!child->positive || child->restricts) continue;
        plain |= child->sign == SIGN_PLAIN;
        must |= child->sign == SIGN_MUST;
    }
    return plain && !must;
}

static uint64_t driver_cost(const plan *p, const query_node *node, bool mark);

static uint64_t leaf_cost(const plan *p, const query_node *node, bool mark)
{
    const plan_leaf *leaf = &p->leaves[node->leaf];
    uint64_t cost = 0;
    for (uint32_t i = 0; i < leaf->n_alts; i++) {
        cost += p->matchers[leaf->alts[i]].cost;
        if (mark) p->drivers[leaf->alts[i]] = true;
    }
    return cost;
}

/* Cost of the cheapest driver set of a positive node; mark it if asked. */
static uint64_t driver_cost(const plan *p, const query_node *node, bool mark)
{
    if (query_is_leaf(node)) return leaf_cost(p, node, mark);
    const query_node *best = NULL;
    uint64_t best_cost = UINT64_MAX, sum = 0;
    bool some = wants_some(p, node);
    for (const query_node *child = node->first; child; child = child->next) {
        if (!child->positive) continue;
        uint64_t cost = driver_cost(p, child, false);
        bool alone = drives_alone(p, node, child);
        if (!some || !child->restricts) sum += cost;
        if (!alone || cost >= best_cost) continue;
        best = child;
        best_cost = cost;
    }
    if (some && sum <= best_cost) best = NULL;
    if (!mark) return best ? best_cost : sum;
    for (const query_node *child = node->first; child; child = child->next)
        if (child->positive && (best ? child == best : !some || !child->restricts))
            driver_cost(p, child, true);
    return best ? best_cost : sum;
}

uint64_t plan_drive(plan *p, const query_node *root)
{
    return driver_cost(p, root, true);
}
