/* SPDX-License-Identifier: MIT
 *
 * xapian_hits.c - hits of a Xapian list to what a caller sees.
 *
 * A part of a score is what Xapian gives a search for that part in that one document: whatever the
 * weights are, the parts are those that were summed.
 */
#include "searcher/xapian_search.h"

/* Hit i of the list: which search, and its number there. */
static xap_hits *locate(const xapian_list *l, uint64_t i, uint32_t *at)
{
    uint32_t first = l->h->of->api->hits_n(l->parts[0]);
    *at = (uint32_t)(i < first ? i : i - first);
    return i < first ? l->parts[0] : l->parts[1];
}

static pm_status part_score(xapian_list *l, const pm_searcher *s, size_t i, pm_text id,
                            double *score, pm_error *err)
{
    pm_status st;
    const xap_api *api = l->h->of->api;
    const xap_query *sub;
    xap_hits *hits = NULL;
    xap_hit one_hit;
    xap_spec spec = {.k1 = s->p.k1,
                     .b = s->p.b,
                     .quantum = l->q.quantum,
                     .own_weights = !l->q.by_xapian,
                     .limit = 1};
    *score = 0;
    PM_TRY(xapian_query_part(&l->q, i, id, &sub, err));
    if (api->search(l->h->db, sub, &spec, &hits, &l->h->last) != PM_OK)
        return xapian_failed(l->h, err);
    if (api->hits_n(hits) && api->hits_get(hits, 0, &one_hit, &l->h->last) != PM_OK)
        st = xapian_failed(l->h, err);
    else
        *score = api->hits_n(hits) ? one_hit.score : 0;
    api->hits_free(hits);
out:
    return st;
}

/* Of a word its occurrences; of words together, that they are there. */
static pm_status count_tf(xapian_list *l, const pm_searcher *s, const plan_matcher *m,
                          uint32_t docid, uint64_t *tf, pm_error *err)
{
    const plan_key *k = &s->p.keys[m->words[0]];
    xap_term term;
    uint32_t wdf, positions;
    *tf = 1;
    if (m->kind != MATCH_KEY) return PM_OK;
    pm_text name = xap_term_of_key(&term, k->key, k->len);
    if (l->h->of->api->db_occurrences(l->h->db, name, docid, &wdf, &positions, &l->h->last) !=
        PM_OK)
        return xapian_failed(l->h, err);
    *tf = wdf ? wdf : positions;
    return PM_OK;
}

static pm_status explain(pm_searcher *s, xapian_list *l, pm_text id, pm_hit *to, pm_error *err)
{
    pm_status st = PM_OK;
    const plan *p = &s->p;
    pm_explain *parts = arena_zalloc(&s->a, (p->n_terms + 1) * sizeof *parts);
    size_t n = 0;
    if (!parts) return error_nomem(err);
    for (size_t i = 0; i < p->n_terms; i++) {
        const plan_term *t = &p->terms[i];
        pm_explain one = {.term = t->label, .df = t->df, .idf = t->idf, .weight = t->weight};
        one.norm = plan_norm(p, (uint32_t)to->dl);
        PM_TRY(part_score(l, s, i, id, &one.contribution, err));
        if (one.contribution <= 0) continue;
        PM_TRY(count_tf(l, s, &p->matchers[t->matcher], (uint32_t)to->number, &one.tf, err));
        parts[n++] = one;
    }
    to->explain = parts;
    to->n_explain = n;
out:
    return st;
}

static pm_status fill_fields(pm_searcher *s, xapian_list *l, xap_hits *hits, uint32_t at,
                             pm_hit *to, pm_error *err)
{
    pm_status st;
    pm_text record;
    pm_article article;
    if (l->h->of->api->hits_record(hits, at, &record, &l->h->last) != PM_OK)
        return xapian_failed(l->h, err);
    PM_TRY(store_decode(xap_slice(record), &article, err));
    PM_TRY(hits_fields(s, xap_slice(record), &article, to, err));
out:
    return st;
}

/* Number, score, and what its head says. */
static pm_status begin(pm_searcher *s, xapian_list *l, xap_hits *hits, uint32_t at, pm_hit *to,
                       pm_text *id, pm_error *err)
{
    const xap_api *api = l->h->of->api;
    xap_hit found;
    xap_head head;
    pm_text value;
    if (api->hits_get(hits, at, &found, &l->h->last) != PM_OK ||
        api->hits_value(hits, at, XAP_SLOT_HEAD, &value, &l->h->last) != PM_OK)
        return xapian_failed(l->h, err);
    if (!xap_get_head(value, &head))
        return error_corrupt(err, l->h->of->view.folder.path, found.docid, "values",
                             "a document without its head");
    to->number = found.docid;
    to->score = found.score;
    to->dl = head.dl;
    *id = (pm_text){arena_strndup(&s->a, head.id.data, head.id.len), head.id.len};
    return id->data ? PM_OK : error_nomem(err);
}

static pm_status fill(pm_searcher *s, xapian_list *l, uint64_t i, pm_hit *to, pm_error *err)
{
    pm_status st;
    uint32_t at;
    xap_hits *hits = locate(l, i, &at);
    pm_text id;
    hits_begin(to, i + 1);
    to->in_all =
        hits == l->parts[0] && (l->q.rest || s->options.match == PM_MATCH_ALL || !l->q.any);
    PM_TRY(begin(s, l, hits, at, to, &id, err));
    if (s->options.want_ids) to->id = id;
    if (s->options.want_fields) PM_TRY(fill_fields(s, l, hits, at, to, err));
    if (s->options.want_explain) PM_TRY(explain(s, l, id, to, err));
out:
    return st;
}

pm_status xapian_hits(pm_searcher *s, xapian_list *l, pm_error *err)
{
    pm_status st = PM_OK;
    const xap_api *api = l->h->of->api;
    uint64_t n = api->hits_n(l->parts[0]), skip = s->options.offset;
    if (l->parts[1]) n += api->hits_n(l->parts[1]);
    n = n > skip ? n - skip : 0;
    if (n > s->options.limit) n = s->options.limit;
    pm_hit *hits = arena_zalloc(&s->a, (size_t)n * sizeof *hits);
    if (!hits) return error_nomem(err);
    if (s->options.want_snippets && n)
        PM_TRY(snippet_begin(&s->snippets, &s->p, s->options.snippet_bytes, err));
    for (uint64_t i = 0; i < n; i++) PM_TRY(fill(s, l, skip + i, &hits[i], err));
    s->result.hits = hits;
    s->result.n_hits = (size_t)n;
out:
    return st;
}
