/* SPDX-License-Identifier: MIT
 *
 * plan_split.c - find the live documents where a word stands as two; see split_cache.h.
 *
 * For every place where the folded word can be cut, both parts must stand in live documents as
 * words somewhere (form dictionaries); then their terms' lists are intersected, documents
 * that have the word itself are dropped, and positions compared in what is left.
 */
#include "common/base/sort.h"
#include "searcher/form_live.h"
#include "searcher/matcher.h"

typedef struct split_search {
    plan *p;
    match_scratch scratch;
    split_entry *entry;
    plan_matcher *specs; /* one for each place; word_len are enough                    */
    matcher *matchers;
    pm_text *halves; /* two for each place: terms                                      */
    uint32_t n;
    uint32_t *docs; /* of one segment                                  */
    size_t n_docs, docs_cap;
    matcher word;
    plan_matcher word_spec;
} split_search;

/* Has a live document this folded form?  Most parts of a word were never written, and then
 * neither is their term there.  What only deleted documents have must not count, or a merge would
 * change what is found. */
static pm_status attested(const plan *p, const char *word, size_t len, bool *yes, pm_error *err)
{
    const form *f = analyzer_form(p->words, word, len);
    *yes = f && p->snap->meta.small; /* forms are not recorded: its term will tell           */
    if (!f || *yes) return analyzer_failed(p->words) ? error_nomem(err) : PM_OK;
    slice stem = {(const uint8_t *)f->stem, f->stem_len}, folded = {(const uint8_t *)word, len};
    pm_status st = PM_OK;
    for (uint32_t s = 0; s < p->snap->meta.n_segments && !*yes && st == PM_OK; s++) {
        const snapshot_segment *part = &p->snap->segments[s];
        if (dict_may_have(part->seg, stem)) st = form_live_folded(part, folded, yes, err);
    }
    return st;
}

/* *key UINT32_MAX: no live document has the term of this half. */
static pm_status half_key(plan *p, const char *word, size_t len, uint32_t *key, pm_text *term,
                          pm_error *err)
{
    *key = UINT32_MAX;
    const form *f = analyzer_form(p->words, word, len);
    if (!f) return analyzer_failed(p->words) ? error_nomem(err) : PM_OK;
    *term = (pm_text){arena_strndup(p->a, f->stem, f->stem_len), f->stem_len};
    if (!term->data) return error_nomem(err);
    pm_status st = plan_add_key(p, 0, *term, key, err);
    if (st == PM_OK && !p->keys[*key].df) *key = UINT32_MAX;
    return st;
}

static pm_status make_matcher(plan *p, plan_matcher *spec, matcher *m, match_scratch *scratch,
                              const uint32_t *keys, uint32_t n, pm_error *err)
{
    uint32_t *copy = arena_alloc(p->a, n * sizeof *copy);
    *m = (matcher){.plan = spec, .scratch = scratch};
    m->words = arena_zalloc(p->a, n * sizeof *m->words);
    if (!copy || !m->words) return error_nomem(err);
    memcpy(copy, keys, n * sizeof *copy);
    *spec = (plan_matcher){.kind = n == 1 ? MATCH_KEY : MATCH_PHRASE, .n_words = n, .words = copy};
    return PM_OK;
}

/* The longer part first: it is rarer, and what is not there is asked for once. */
static pm_status both_attested(const plan *p, const char *word, size_t at, size_t len, bool *yes,
                               pm_error *err)
{
    pm_status st;
    bool left_first = at > len - at;
    for (unsigned i = 0; i < 2; i++) {
        bool left = left_first == !i;
        PM_TRY(left ? attested(p, word, at, yes, err) : attested(p, word + at, len - at, yes, err));
        if (!*yes) break;
    }
out:
    return st;
}

static pm_status try_place(split_search *x, size_t at, pm_error *err)
{
    pm_status st = PM_OK;
    const split_entry *e = x->entry;
    uint32_t keys[2];
    bool yes;
    PM_TRY(both_attested(x->p, e->word, at, e->word_len, &yes, err));
    if (!yes) goto out;
    x->entry->n_tried++;
    PM_TRY(half_key(x->p, e->word, at, &keys[0], &x->halves[2 * x->n], err));
    PM_TRY(half_key(x->p, e->word + at, e->word_len - at, &keys[1], &x->halves[2 * x->n + 1], err));
    if (keys[0] == UINT32_MAX || keys[1] == UINT32_MAX) goto out;
    PM_TRY(make_matcher(x->p, &x->specs[x->n], &x->matchers[x->n], &x->scratch, keys, 2, err));
    x->n++;
out:
    return st;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static pm_status take_doc(split_search *x, uint32_t doc, pm_error *err)
{
    if (!mem_grow(&x->docs, &x->docs_cap, x->n_docs + 1, sizeof *x->docs)) return error_nomem(err);
    x->docs[x->n_docs++] = doc;
    return PM_OK;
}

/* Live documents with both halves, without the word, and only then: with the halves as
 * neighbours.  For a common word that leaves few positions to look at. */
static pm_status gather_pair(split_search *x, matcher *m, uint32_t segment_index, pm_error *err)
{
    pm_status st = PM_OK;
    const snapshot_segment *part = &x->p->snap->segments[segment_index];
    matcher_open(m, x->p, segment_index);
    matcher_open(&x->word, x->p, segment_index);
    if (m->empty) return PM_OK;
    cursor *lead = &m->words[m->lead], *other = &m->words[1 - m->lead];
    uint32_t doc = cursor_next(lead), at;
    for (; doc != CURSOR_END; doc = at == doc ? cursor_next(lead) : cursor_seek(lead, at)) {
        at = cursor_seek(other, doc);
        if (at == CURSOR_END) break;
        if (at != doc || !snapshot_live(part, doc) || matcher_has(&x->word, doc)) continue;
        if (phrase_count(m, doc)) PM_TRY(take_doc(x, doc, err));
    }
out:
    return st;
}

/* The segment's list: documents with any of the pairs, rising, each once. */
static pm_status take_segment(split_search *x, uint32_t segment_index, pm_error *err)
{
    pm_status st = PM_OK;
    size_t kept = 0;
    x->n_docs = 0;
    for (uint32_t i = 0; i < x->n; i++) PM_TRY(gather_pair(x, &x->matchers[i], segment_index, err));
    if (x->scratch.no_memory) return error_nomem(err);
    if (x->n_docs) sort_items(x->docs, x->n_docs, sizeof *x->docs, by_number);
    for (size_t i = 0; i < x->n_docs; i++)
        if (!kept || x->docs[kept - 1] != x->docs[i]) x->docs[kept++] = x->docs[i];
    uint32_t *docs = arena_alloc(x->p->a, kept * sizeof *docs);
    if (!docs) return error_nomem(err);
    if (kept) memcpy(docs, x->docs, kept * sizeof *docs);
    x->entry->lists[segment_index] = (split_list){docs, (uint32_t)kept};
    x->entry->n_docs += kept;
out:
    return st;
}

static pm_status search_splits(split_search *x, uint32_t word_key, pm_error *err)
{
    pm_status st = PM_OK;
    const split_entry *e = x->entry;
    for (size_t at = 1; at < e->word_len; at++)
        if (((unsigned char)e->word[at] & 0xc0) != 0x80) PM_TRY(try_place(x, at, err));
    PM_TRY(make_matcher(x->p, &x->word_spec, &x->word, &x->scratch, &word_key, 1, err));
    for (uint32_t s = 0; x->n && s < x->p->snap->meta.n_segments; s++)
        PM_TRY(take_segment(x, s, err));
    x->entry->pairs = x->halves;
    x->entry->n_pairs = x->n;
out:
    return st;
}

pm_status plan_split(plan *p, pm_text word, uint32_t word_key, const split_entry **out,
                     pm_error *err)
{
    pm_status st = PM_OK;
    *out = split_cache_find(p->splits, word.data, word.len);
    if (*out) return PM_OK;
    split_search *x = arena_zalloc(p->a, sizeof *x);
    split_entry *e = arena_zalloc(p->a, sizeof *e);
    if (!x || !e) return error_nomem(err);
    e->word = word.data;
    e->word_len = word.len;
    e->lists = arena_zalloc(p->a, p->snap->meta.n_segments * sizeof *e->lists);
    x->p = p;
    x->entry = e;
    x->specs = arena_alloc(p->a, word.len * sizeof *x->specs);
    x->matchers = arena_alloc(p->a, word.len * sizeof *x->matchers);
    x->halves = arena_alloc(p->a, 2 * word.len * sizeof *x->halves);
    if (!e->lists || !x->specs || !x->matchers || !x->halves) return error_nomem(err);
    PM_TRY(search_splits(x, word_key, err));
    if (!split_cache_add(p->splits, e, p->snap->meta.n_segments)) {
        st = error_nomem(err);
        goto out;
    }
    *out = e;
out:
    match_scratch_free(&x->scratch);
    mem_free(x->docs);
    return st;
}
