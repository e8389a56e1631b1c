/* SPDX-License-Identifier: MIT
 *
 * search.c - one query from text to result:
 *
 *   text -> query_parse -> plan_make -> rank_passing, rank_widened or rank_exhaustive
 *        -> hits_build -> pm_result
 *
 * An index of another engine takes over after query_parse (xapian_search.c).
 *
 * All of it lives in the searcher's arena, which is reset by the next search.
 */
#include "searcher/search.h"

#include <math.h>

#include "common/base/clock.h"
#include "searcher/xapian.h"

/* Forms met in snippets are kept up to here, between hits and between queries. */
enum { FORMS_BYTES_MAX = 16 << 20 };
/* Aim of a snippet, where none is said. */
enum { SNIPPET_BYTES = 240 };

static pm_status same_profile(const manifest *meta, const analyzer *words, pm_error *err)
{
    if (!strcmp(meta->profile, analyzer_profile(words))) return PM_OK;
    return error_set(err, PM_USAGE,
                     "the index was analysed by \"%s\", this program analyses by \"%s\"; index the "
                     "articles anew or use the program that made the index",
                     meta->profile, analyzer_profile(words));
}

pm_status pm_searcher_open(pm_index *index, pm_searcher **out, pm_error *err)
{
    pm_status st = PM_OK;
    *out = NULL;
    pm_searcher *s = mem_zalloc(sizeof *s);
    if (!s) return error_nomem(err);
    s->index = index;
    PM_TRY(analyzer_open(&s->words, index->snap->meta.lang, err));
    PM_TRY(same_profile(&index->snap->meta, s->words, err));
    *out = s;
out:
    if (st != PM_OK) pm_searcher_close(s);
    return st;
}

void pm_searcher_close(pm_searcher *s)
{
    if (!s) return;
    analyzer_close(s->words);
    topk_free(&s->best);
    match_scratch_free(&s->scratch);
    prune_state_free(&s->prune);
    filter_cache_free(&s->filters);
    snippet_free(&s->snippets);
    store_cache_free(&s->records);
    buf_free(&s->source);
    arena_free(&s->a);
    mem_free(s);
}

/* Options as given over the defaults: a caller built against an older header has a smaller
 * struct. */
static pm_status take_options(pm_searcher *s, const pm_search_options *given, pm_error *err)
{
    pm_search_options *o = &s->options;
    *o = (pm_search_options)PM_SEARCH_OPTIONS_INIT;
    if (given) {
        if (given->size < sizeof given->size)
            return error_set(err, PM_USAGE, "search options are not initialised");
        memcpy(o, given, given->size < sizeof *o ? given->size : sizeof *o);
    }
    if ((unsigned)o->match > PM_MATCH_ANY) return error_set(err, PM_USAGE, "no such match mode");
    if (isnan(o->k1) || isinf(o->k1) || o->k1 > 1e6)
        return error_set(err, PM_USAGE, "k1 must be a number from 0 to 1000000");
    if (isnan(o->b) || o->b > 1) return error_set(err, PM_USAGE, "b must be a number from 0 to 1");
    if (o->xapian_weights && !s->index->xapian)
        return error_set(err, PM_USAGE,
                         "%s: a native index has no weights of Xapian's; leave --weight out",
                         s->index->snap->folder.path);
    if (o->want_snippets) o->want_fields = true;
    if (!o->snippet_bytes) o->snippet_bytes = SNIPPET_BYTES;
    return PM_OK;
}

static void begin(pm_searcher *s)
{
    arena_reset(&s->a);
    memset(&s->result, 0, sizeof s->result);
    if (analyzer_memory(s->words) > FORMS_BYTES_MAX) analyzer_reset_forms(s->words);
}

/* Without positions a phrase is its words; strict refuses that as it refuses all guesses. */
static pm_status words_only(pm_searcher *s, pm_error *err)
{
    uint32_t notes = s->q.n_notes;
    if (!query_to_words(&s->q, &s->a)) return error_nomem(err);
    if (!s->options.strict || s->q.n_notes == notes) return PM_OK;
    return error_set(
        err, PM_USAGE,
        "%s: phrases and NEAR need positions, which this index was made without; make it "
        "anew with --positions=yes",
        s->index->snap->folder.path);
}

static bool has_phrase(const query_node *node)
{
    bool yes = node && (node->kind == QUERY_PHRASE || node->kind == QUERY_NEAR);
    for (const query_node *child = node ? node->first : NULL; child && !yes; child = child->next)
        yes = has_phrase(child);
    return yes;
}

/* What Xapian scores by another rule is said. */
static void note_scores(pm_searcher *s)
{
    if (s->index->xapian->remote || s->options.xapian_weights)
        query_add_note(&s->q, 0, false, "scored by Xapian's BM25Weight");
    if (has_phrase(s->q.root)) query_add_note(&s->q, 0, false, "phrases score by their words");
}

/* Filters of the options alone are a search for what passes them. */
static pm_status filters_only(pm_searcher *s, pm_error *err)
{
    bool taken;
    pm_search_options *o = &s->options;
    pm_status st = query_take_filters(&s->q, &s->a, o->filters, o->n_filters, &taken, err);
    if (taken) o->n_filters = 0;
    if (st == PM_OK) query_note_nothing(&s->q);
    return st;
}

static pm_status parse(pm_searcher *s, const char *text, size_t len, pm_error *err)
{
    pm_status st = PM_OK;
    uint64_t start = clock_ns();
    PM_TRY(query_parse(&s->q, &s->a, s->words, text, len, s->options.strict, err));
    PM_TRY(filters_only(s, err));
    if (!s->index->snap->meta.has_positions) PM_TRY(words_only(s, err));
    if (s->index->xapian) note_scores(s);
    PM_TRY(query_print(&s->q, &s->a, &s->result.interpreted, err));
    s->result.query = s->q.text;
    s->result.truncated = s->q.truncated;
    s->result.parse_ns = clock_ns() - start;
out:
    return st;
}

static pm_status rank(pm_searcher *s, pm_error *err)
{
    pm_status st = PM_OK;
    const pm_search_options *o = &s->options;
    snapshot *snap = s->index->snap;
    rank_totals totals;
    bool done = false;
    uint64_t k = o->limit > UINT64_MAX - o->offset ? UINT64_MAX : o->limit + o->offset;
    PM_TRY(plan_make(&s->p, snap, &s->a, s->words, &s->index->splits, &s->filters, &s->q, o, err));
    if (!o->limit) k = 0;
    if (s->p.only && !s->p.core) {
        PM_TRY(rank_passing(&s->p, k, &s->best, &totals, err));
        done = true;
    } else if (!o->exhaustive)
        PM_TRY(rank_widened(&s->p, k, o->want_total, &s->best, &s->scratch, &s->prune, &totals,
                            &done, err));
    if (!done) PM_TRY(rank_exhaustive(&s->p, k, &s->best, &s->scratch, &totals, err));
    s->result.match = o->match;
    s->result.total = totals.matches;
    s->result.total_all = totals.in_all;
    s->result.total_is_exact = !done || o->want_total;
    s->result.n_docs = snap->n_docs;
    s->result.avgdl = snap->avgdl;
    s->result.k1 = s->p.k1;
    s->result.b = s->p.b;
out:
    return st;
}

static pm_status answer(pm_searcher *s, pm_error *err)
{
    pm_status st;
    PM_TRY(rank(s, err));
    PM_TRY(hits_build(s, err));
    PM_TRY(snapshot_status(s->index->snap, err));
out:
    return st;
}

pm_status pm_searcher_search(pm_searcher *s, const char *text, size_t len,
                             const pm_search_options *options, const pm_result **out, pm_error *err)
{
    pm_status st = PM_OK;
    uint64_t start = clock_ns();
    *out = NULL;
    begin(s);
    PM_TRY(take_options(s, options, err));
    PM_TRY(parse(s, text, len, err));
    st = s->index->xapian ? xapian_answer(s, err) : answer(s, err);
    if (st != PM_OK && st != PM_PARTIAL) goto out;
    s->result.took_ns = clock_ns() - start;
    *out = &s->result;
out:
    return st;
}
