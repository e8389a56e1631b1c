/* SPDX-License-Identifier: MIT
 *
 * plan_filter.c - what binds every match is taken out of the tree: filters of the options, and
 * those of the query that stand at its top.
 *
 *     (tariffs OR steel) date:2025 -date:2025-03     clauses  +date:2025  -date:2025-03
 *                                                    core     tariffs OR steel
 *
 * The clauses become sets of documents (filter.h), the core is what is ranked.  A filter deeper
 * down, or a group of filters that is more than alternatives, stays a part of the core and is
 * asked document by document.  The exhaustive definition takes nothing out of the query.
 */
#include "searcher/plan.h"

typedef struct gather {
    plan *p;
    filter_clause *clauses; /* arena                                                      */
    size_t cap;
    uint32_t n;
} gather;

bool plan_is_clause(const query_node *node)
{
    if (!node->restricts) return false;
    if (node->kind == QUERY_FILTER) return true;
    if (node->kind != QUERY_OR) return false;
    for (const query_node *child = node->first; child; child = child->next)
        if (child->kind != QUERY_FILTER || child->sign == SIGN_NOT) return false;
    return true;
}

/* A clause with room for n atoms. */
static pm_status new_clause(gather *g, uint32_t n, bool negated, filter_clause **out, pm_error *err)
{
    if (!arena_grow(g->p->a, &g->clauses, &g->cap, g->n + 1u, sizeof *g->clauses))
        return error_nomem(err);
    filter_clause c = {.negated = negated};
    c.atoms = arena_alloc(g->p->a, n * sizeof *c.atoms);
    if (!c.atoms) return error_nomem(err);
    g->clauses[g->n] = c;
    *out = &g->clauses[g->n++];
    return PM_OK;
}

static pm_status take_node(gather *g, const query_node *node, pm_error *err)
{
    uint32_t n = node->kind == QUERY_FILTER;
    filter_clause *c;
    for (const query_node *child = node->first; child; child = child->next) n++;
    pm_status st = new_clause(g, n, node->sign == SIGN_NOT, &c, err);
    if (st != PM_OK) return st;
    if (node->kind == QUERY_FILTER) c->atoms[c->n++] = node->filter;
    for (const query_node *child = node->first; child; child = child->next)
        c->atoms[c->n++] = child->filter;
    return PM_OK;
}

/* Down from the root, as long as one part beside filters is left. */
static pm_status take_query(gather *g, pm_error *err)
{
    pm_status st = PM_OK;
    const query_node *node = g->p->core, *rest = NULL;
    while (node) {
        if (plan_is_clause(node)) {
            PM_TRY(take_node(g, node, err));
            g->p->core = NULL;
            goto out;
        }
        if (query_is_leaf(node) || node->kind == QUERY_OR || node->sign == SIGN_NOT) break;
        uint32_t others = 0;
        rest = NULL;
        for (const query_node *child = node->first; child; child = child->next) {
            if (plan_is_clause(child)) {
                PM_TRY(take_node(g, child, err));
                continue;
            }
            others++;
            rest = child;
        }
        if (others > 1 || (rest && rest->sign == SIGN_NOT)) break;
        g->p->core = node = rest;
    }
out:
    return st;
}

static uint32_t values_of(const pm_search_options *o, pm_filter_field field)
{
    uint32_t n = 0;
    for (size_t i = 0; i < o->n_filters; i++) n += o->filters[i].field == field;
    return n;
}

/* Dates each bind; other fields once, by any of their values. */
static pm_status take_options(gather *g, const pm_search_options *o, pm_error *err)
{
    pm_status st = PM_OK;
    uint32_t clause_of[PM_FILTER_LANG + 1] = {0}; /* plus one                             */
    for (size_t i = 0; i < o->n_filters; i++) {
        const pm_filter *f = &o->filters[i];
        const query_filter *atom;
        PM_TRY(query_filter_make(g->p->a, f->field, f->value.data, f->value.len, &atom, err));
        if (!atom->key.len || !clause_of[f->field]) {
            filter_clause *fresh;
            PM_TRY(new_clause(g, values_of(o, f->field), false, &fresh, err));
            clause_of[f->field] = g->n;
        }
        filter_clause *c = &g->clauses[clause_of[f->field] - 1];
        c->atoms[c->n++] = atom;
    }
out:
    return st;
}

pm_status plan_filter(plan *p, filter_cache *cache, const pm_search_options *options, pm_error *err)
{
    pm_status st = PM_OK;
    gather g = {.p = p};
    PM_TRY(take_options(&g, options, err));
    if (!options->exhaustive) PM_TRY(take_query(&g, err));
    if (!g.n) goto out;
    p->only = filter_find(cache, p->snap, g.clauses, g.n);
    if (!p->only) st = error_nomem(err);
out:
    return st;
}
