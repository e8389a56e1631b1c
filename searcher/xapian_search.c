/* SPDX-License-Identifier: MIT
 *
 * xapian_search.c - one query on a Xapian index: plan, ask, count, show; again when a database
 * changed under it or a server died.
 *
 * An `auto` list is two searches: with every word, then the others, as many as are still wanted.
 */
#include "searcher/xapian_search.h"

#include <math.h>

static uint32_t clamp(uint64_t n)
{
    return n < UINT32_MAX / 2 ? (uint32_t)n : UINT32_MAX / 2;
}

/* The last bit of the largest sum that there can be; one list alone is no sum. */
static double quantum_of(const plan *p)
{
    double most = 0;
    if (p->n_terms == 1 && p->matchers[p->terms[0].matcher].kind == MATCH_KEY) return 0;
    for (size_t i = 0; i < p->n_terms; i++) {
        const plan_matcher *m = &p->matchers[p->terms[i].matcher];
        for (uint32_t w = 0; w < m->n_words; w++)
            most += p->terms[i].weight * (m->kind == MATCH_NEAR ? m->needs[w] : 1);
    }
    most *= (p->k1 + 1) * log1p((double)p->snap->n_docs);
    return most > 0 ? ldexp(1, ilogb(most) - 51) : 0;
}

static xap_spec spec_of(const pm_searcher *s, const xapian_list *l, uint64_t limit)
{
    const pm_search_options *o = &s->options;
    uint64_t n_docs = l->h->view.n_docs;
    return (xap_spec){.k1 = s->p.k1,
                      .b = s->p.b,
                      .quantum = l->q.quantum,
                      .own_weights = !l->q.by_xapian,
                      .by_slot = l->h->of->n_places > 1 || l->h->of->remote,
                      .slot = XAP_SLOT_HEAD,
                      .limit = clamp(limit < n_docs ? limit : n_docs),
                      .check_at_least = o->want_total || l->q.unpruned ? clamp(n_docs) : 0};
}

static pm_status ask(const pm_searcher *s, xapian_list *l, const xap_query *list, uint64_t limit,
                     xap_hits **out, pm_error *err)
{
    xap_spec spec = spec_of(s, l, limit);
    if (l->h->of->api->search(l->h->db, list, &spec, out, &l->h->last) == PM_OK) return PM_OK;
    return xapian_failed(l->h, err);
}

static pm_status count_all(const pm_searcher *s, xapian_list *l, pm_error *err)
{
    xap_hits *hits;
    pm_status st = ask(s, l, l->q.all, 0, &hits, err);
    if (st != PM_OK) return st;
    l->in_all = l->h->of->api->hits_matches(hits);
    l->h->of->api->hits_free(hits);
    return PM_OK;
}

/* The whole list in one search. */
static pm_status ask_once(const pm_searcher *s, xapian_list *l, uint64_t k, pm_error *err)
{
    pm_status st;
    const xap_query *list = s->options.match == PM_MATCH_ANY && l->q.any ? l->q.any : l->q.all;
    PM_TRY(ask(s, l, list, k, &l->parts[0], err));
    l->in_all = l->matches = l->h->of->api->hits_matches(l->parts[0]);
    if (list == l->q.all || s->options.total_only) goto out;
    l->in_all = 0;
    if (s->options.want_total) PM_TRY(count_all(s, l, err));
out:
    return st;
}

static pm_status ask_twice(const pm_searcher *s, xapian_list *l, uint64_t k, pm_error *err)
{
    pm_status st;
    const xap_api *api = l->h->of->api;
    PM_TRY(ask(s, l, l->q.all, k, &l->parts[0], err));
    l->in_all = l->matches = api->hits_matches(l->parts[0]);
    uint64_t got = api->hits_n(l->parts[0]);
    if (got >= k && !s->options.want_total) goto out;
    PM_TRY(ask(s, l, l->q.rest, k - got, &l->parts[1], err));
    l->matches += api->hits_matches(l->parts[1]);
out:
    return st;
}

static void report(pm_searcher *s, const xapian_list *l)
{
    pm_result *r = &s->result;
    r->match = s->options.match;
    r->total = l->matches;
    r->total_all = l->in_all;
    r->total_is_exact = s->options.want_total;
    r->n_docs = l->h->view.n_docs;
    r->avgdl = l->h->view.avgdl;
    r->k1 = s->p.k1;
    r->b = s->p.b;
}

static pm_status ask_all(pm_searcher *s, xapian_list *l, pm_error *err)
{
    pm_status st;
    pm_search_options plain = s->options;
    uint64_t k = s->options.limit > UINT64_MAX - s->options.offset
                     ? UINT64_MAX
                     : s->options.limit + s->options.offset;
    plain.exhaustive = true; /* filters stay in the tree, which is turned into a query         */
    plain.n_filters = 0;
    PM_TRY(plan_make(&s->p, &l->h->view, &s->a, s->words, &s->index->splits, &s->filters, &s->q,
                     &plain, err));
    l->q.quantum = quantum_of(&s->p);
    PM_TRY(xapian_query_make(&l->q, err));
    if (!s->options.limit) k = 0;
    PM_TRY(l->q.rest ? ask_twice(s, l, k, err) : ask_once(s, l, k, err));
    report(s, l);
    PM_TRY(xapian_hits(s, l, err));
out:
    return st;
}

static pm_status search_once(xapian_handle *h, void *ctx, pm_error *err)
{
    pm_searcher *s = ctx;
    xapian_list l = {.h = h};
    l.q = (xapian_query){.h = h, .p = &s->p, .options = &s->options};
    l.q.by_xapian = h->of->remote || s->options.xapian_weights;
    h->wants_df = s->options.want_explain;
    s->result.n_hits = 0;
    s->result.n_without_text = 0;
    pm_status st = ask_all(s, &l, err);
    for (size_t i = 0; i < 2; i++)
        if (l.parts[i]) h->of->api->hits_free(l.parts[i]);
    xapian_query_free(&l.q);
    return st;
}

pm_status xapian_answer(pm_searcher *s, pm_error *err)
{
    return xapian_with(s->index->xapian, search_once, s, err);
}
