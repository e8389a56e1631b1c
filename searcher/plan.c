/* SPDX-License-Identifier: MIT
 *
 * plan.c - tree to plan: keys with live statistics, matchers, terms in query order.
 */
#include "searcher/plan.h"

#include <math.h>
#include <stdio.h>

#include "common/base/hash.h"
#include "common/segment/bigrams.h"

/* Boosts multiply on the way down a tree, up to here: no weight is infinite. */
#define BOOST_MAX 1e12

double plan_idf(uint64_t n_docs, uint64_t df)
{
    double n = (double)n_docs, d = (double)df;
    return log(1.0 + (n - d + 0.5) / (d + 0.5));
}

/* ---- keys ------------------------------------------------------------------------------- */

static pm_status key_statistics(plan *p, plan_key *k, pm_error *err)
{
    const snapshot_terms *elsewhere = p->snap->elsewhere;
    pm_status st = PM_OK;
    if (elsewhere) st = elsewhere->df(elsewhere->ctx, k->key, k->len, &k->df, err);
    for (uint32_t s = 0; s < p->snap->meta.n_segments; s++) {
        const snapshot_segment *part = &p->snap->segments[s];
        uint64_t df, cf;
        if (!dict_find(part->seg, k->key, k->len, &k->entries[s])) {
            k->entries[s].df = 0;
            continue;
        }
        snapshot_segment_df(part, &k->entries[s], &df, &cf);
        k->df += df;
    }
    k->idf = plan_idf(p->snap->n_docs, k->df);
    return st;
}

pm_status plan_add_key(plan *p, uint8_t class, pm_text term, uint32_t *out, pm_error *err)
{
    size_t len = term.len + (class != 0);
    uint8_t *bytes = arena_alloc(p->a, len);
    if (!bytes) return error_nomem(err);
    if (class) bytes[0] = class;
    if (term.len) memcpy(bytes + (class != 0), term.data, term.len);
    uint64_t hash = hash_bytes(bytes, len);
    for (size_t i = 0; i < p->n_keys; i++) {
        const plan_key *k = &p->keys[i];
        if (k->hash == hash && k->len == len && !memcmp(k->key, bytes, len)) {
            *out = (uint32_t)i;
            return PM_OK;
        }
    }
    if (!arena_grow(p->a, &p->keys, &p->cap_keys, p->n_keys + 1, sizeof *p->keys))
        return error_nomem(err);
    plan_key k = {.key = bytes, .len = (uint32_t)len, .hash = hash};
    k.entries = arena_zalloc(p->a, p->snap->meta.n_segments * sizeof *k.entries);
    if (!k.entries) return error_nomem(err);
    pm_status st = key_statistics(p, &k, err);
    if (st != PM_OK) return st;
    *out = (uint32_t)p->n_keys;
    p->keys[p->n_keys++] = k;
    return PM_OK;
}

/* ---- matchers --------------------------------------------------------------------------- */

static bool same_matcher(const plan_matcher *a, const plan_matcher *b)
{
    return a->kind == b->kind && a->title == b->title && a->lists == b->lists &&
           a->filter == b->filter && a->n_words == b->n_words && a->window == b->window &&
           !memcmp(a->words, b->words, a->n_words * sizeof *a->words) &&
           (a->kind != MATCH_NEAR || !memcmp(a->needs, b->needs, a->n_words * sizeof *a->needs));
}

static pm_status add_matcher(plan *p, plan_matcher m, uint32_t *out, pm_error *err)
{
    for (size_t i = 0; i < p->n_matchers; i++)
        if (same_matcher(&p->matchers[i], &m)) {
            *out = (uint32_t)i;
            return PM_OK;
        }
    if (!arena_grow(p->a, &p->matchers, &p->cap_matchers, p->n_matchers + 1, sizeof *p->matchers))
        return error_nomem(err);
    bool by_words = m.kind != MATCH_DOCS && m.kind != MATCH_FILTER;
    if (by_words) m.cost = UINT64_MAX;
    for (uint32_t i = 0; by_words && i < m.n_words; i++)
        if (p->keys[m.words[i]].df < m.cost) m.cost = p->keys[m.words[i]].df;
    *out = (uint32_t)p->n_matchers;
    p->matchers[p->n_matchers++] = m;
    return PM_OK;
}

static uint32_t *copy_numbers(plan *p, const uint32_t *numbers, uint32_t n)
{
    uint32_t *copy = arena_alloc(p->a, n * sizeof *copy);
    if (copy && n) memcpy(copy, numbers, n * sizeof *copy);
    return copy;
}

pm_status plan_add_key_matcher(plan *p, uint32_t key, uint32_t *out, pm_error *err)
{
    plan_matcher m = {.kind = MATCH_KEY, .n_words = 1, .words = copy_numbers(p, &key, 1)};
    return m.words ? add_matcher(p, m, out, err) : error_nomem(err);
}

/* Does some segment have bigrams of these two? */
static bool pair_listed(const plan *p, const plan_key *a, const plan_key *b)
{
    for (uint32_t s = 0; s < p->snap->meta.n_segments; s++) {
        const segment_info *info = &p->snap->segments[s].seg->info;
        if (bigram_word(info, &a->entries[s]) && bigram_word(info, &b->entries[s])) return true;
    }
    return false;
}

static pm_status add_pair(plan *p, uint32_t a, uint32_t b, uint32_t *out, pm_error *err)
{
    const plan_key *x = &p->keys[a], *y = &p->keys[b];
    char *term = arena_alloc(p->a, (size_t)x->len + y->len + 1);
    if (!term) return error_nomem(err);
    memcpy(term, x->key, x->len);
    term[x->len] = BIGRAM_SEPARATOR;
    memcpy(term + x->len + 1, y->key, y->len);
    return plan_add_key(p, KEY_BIGRAM, (pm_text){term, (size_t)x->len + y->len + 1}, out, err);
}

static pm_status add_pairs(plan *p, plan_matcher *m, pm_error *err)
{
    pm_status st = PM_OK;
    uint32_t *pairs = NULL;
    for (uint32_t i = 0; i + 1 < m->n_words; i++) {
        if (!pair_listed(p, &p->keys[m->words[i]], &p->keys[m->words[i + 1]])) continue;
        if (!pairs) {
            pairs = arena_alloc(p->a, m->n_words * sizeof *pairs);
            if (!pairs) return error_nomem(err);
            for (uint32_t k = 0; k < m->n_words; k++) pairs[k] = UINT32_MAX;
        }
        PM_TRY(add_pair(p, m->words[i], m->words[i + 1], &pairs[i], err));
    }
    m->pairs = pairs;
out:
    return st;
}

pm_status plan_add_phrase(plan *p, const uint32_t *keys, uint32_t n, bool title, uint32_t *out,
                          pm_error *err)
{
    plan_matcher m = {.kind = MATCH_PHRASE, .title = title, .n_words = n};
    m.words = copy_numbers(p, keys, n);
    if (!m.words) return error_nomem(err);
    pm_status st = p->bigrams && !title && n > 1 ? add_pairs(p, &m, err) : PM_OK;
    return st == PM_OK ? add_matcher(p, m, out, err) : st;
}

pm_status plan_add_docs(plan *p, const split_entry *entry, uint32_t *out, pm_error *err)
{
    pm_status st = PM_OK;
    plan_matcher m = {.kind = MATCH_DOCS, .n_words = 2 * entry->n_pairs, .lists = entry->lists};
    uint32_t *keys = arena_alloc(p->a, m.n_words * sizeof *keys);
    if (!keys) return error_nomem(err);
    for (uint32_t i = 0; i < m.n_words; i++)
        PM_TRY(plan_add_key(p, 0, entry->pairs[i], &keys[i], err));
    m.words = keys;
    m.cost = entry->n_docs;
    st = add_matcher(p, m, out, err);
out:
    return st;
}

/* Its words are none, but not NULL: matchers are compared by them. */
static pm_status add_filter(plan *p, const query_filter *f, uint32_t *out, pm_error *err)
{
    static const uint32_t none;
    plan_matcher m = {.kind = MATCH_FILTER, .filter = f, .words = &none};
    for (uint32_t s = 0; s < p->snap->meta.n_segments; s++) {
        uint32_t lo, hi;
        filter_interval(p->snap->segments[s].seg, f, &lo, &hi);
        m.cost += hi - lo;
    }
    return add_matcher(p, m, out, err);
}

/* A window can reach from the title into the body, as they stand side by side in positions. */
static pm_status add_near(plan *p, const query_node *node, const uint32_t *keys, uint32_t *out,
                          pm_error *err)
{
    plan_matcher m = {.kind = MATCH_NEAR, .title = node->title};
    m.window = (uint64_t)node->n_words + node->slop;
    bool may_cross = !node->title;
    uint32_t *words = arena_zalloc(p->a, node->n_words * sizeof *words);
    uint32_t *needs = arena_zalloc(p->a, node->n_words * sizeof *needs);
    uint32_t *titles = arena_zalloc(p->a, node->n_words * sizeof *titles);
    if (!words || !needs || !titles) return error_nomem(err);
    for (uint32_t i = 0; i < node->n_words; i++) {
        uint32_t at = 0;
        while (at < m.n_words && words[at] != keys[i]) at++;
        if (at == m.n_words) words[m.n_words++] = keys[i];
        if (needs[at]++ || !may_cross) continue;
        pm_status st = plan_add_key(p, KEY_TITLE, node->words[i].term, &titles[at], err);
        if (st != PM_OK) return st;
    }
    m.words = words;
    m.needs = needs;
    m.titles = may_cross ? titles : NULL;
    return add_matcher(p, m, out, err);
}

pm_status plan_add_alt(plan *p, plan_leaf *leaf, uint32_t matcher, pm_error *err)
{
    for (uint32_t i = 0; i < leaf->n_alts; i++)
        if (leaf->alts[i] == matcher) return PM_OK;
    if (leaf->n_alts == leaf->cap_alts) {
        uint32_t cap = leaf->cap_alts ? leaf->cap_alts * 2 : 4;
        uint32_t *alts = arena_alloc(p->a, cap * sizeof *alts);
        if (!alts) return error_nomem(err);
        if (leaf->n_alts) memcpy(alts, leaf->alts, leaf->n_alts * sizeof *alts);
        leaf->alts = alts;
        leaf->cap_alts = cap;
    }
    leaf->alts[leaf->n_alts++] = matcher;
    return PM_OK;
}

/* ---- terms ------------------------------------------------------------------------------ */

static pm_status add_term(plan *p, plan_term t, pm_error *err)
{
    for (size_t i = 0; i < p->n_terms; i++)
        if (p->terms[i].matcher == t.matcher) {
            p->terms[i].weight += t.weight;
            return PM_OK;
        }
    if (!arena_grow(p->a, &p->terms, &p->cap_terms, p->n_terms + 1, sizeof *p->terms))
        return error_nomem(err);
    p->terms[p->n_terms++] = t;
    return PM_OK;
}

static pm_status make_label(plan *p, const query_node *node, pm_text *out, pm_error *err)
{
    buf text = {.arena = p->a};
    char slop[16];
    if (node->title) buf_append_str(&text, "title:");
    if (node->kind != QUERY_WORD) buf_u8(&text, '"');
    for (uint32_t i = 0; i < node->n_words; i++) {
        if (i) buf_u8(&text, ' ');
        buf_append(&text, node->words[i].term.data, node->words[i].term.len);
    }
    if (node->kind != QUERY_WORD) buf_u8(&text, '"');
    if (node->kind == QUERY_NEAR) {
        snprintf(slop, sizeof slop, "~%u", node->slop);
        buf_append_str(&text, slop);
    }
    out->len = text.len;
    buf_u8(&text, 0);
    out->data = (const char *)text.data;
    return text.failed ? error_nomem(err) : PM_OK;
}

/* A word matches by its plain term; an acronym scores by its marker where the index has it. */
static pm_status plan_word(plan *p, const query_node *node, plan_term *t, uint32_t *match,
                           pm_error *err)
{
    pm_status st = PM_OK;
    const query_word *word = &node->words[0];
    uint32_t key;
    PM_TRY(plan_add_key(p, node->title ? KEY_TITLE : 0, word->term, &key, err));
    PM_TRY(plan_add_key_matcher(p, key, match, err));
    t->matcher = *match;
    t->df = p->keys[key].df;
    t->idf = p->keys[key].idf;
    if (node->title || !word->marker.len || !node->positive) goto out;
    PM_TRY(plan_add_key(p, KEY_MARKER, word->marker, &key, err));
    if (!p->keys[key].df) goto out;
    PM_TRY(plan_add_key_matcher(p, key, &t->matcher, err));
    t->df = p->keys[key].df;
    t->idf = p->keys[key].idf;
    t->label = word->marker;
out:
    return st;
}

static pm_status plan_words(plan *p, const query_node *node, plan_term *t, uint32_t *match,
                            pm_error *err)
{
    pm_status st = PM_OK;
    if (!p->snap->meta.has_positions)
        return error_set(err, PM_USAGE,
                         "%s: phrases and NEAR need positions, which this index was "
                         "made without; make it anew with --positions=yes",
                         p->snap->folder.path);
    uint32_t *keys = arena_alloc(p->a, node->n_words * sizeof *keys);
    if (!keys) return error_nomem(err);
    t->df = UINT64_MAX;
    for (uint32_t i = 0; i < node->n_words; i++) {
        PM_TRY(plan_add_key(p, node->title ? KEY_TITLE : 0, node->words[i].term, &keys[i], err));
        t->idf += p->keys[keys[i]].idf;
        if (p->keys[keys[i]].df < t->df) t->df = p->keys[keys[i]].df;
    }
    if (node->kind == QUERY_NEAR)
        PM_TRY(add_near(p, node, keys, match, err));
    else
        PM_TRY(plan_add_phrase(p, keys, node->n_words, node->title, match, err));
    t->matcher = *match;
out:
    return st;
}

/* A filter is a key of its field, or an interval; it adds nothing to a score. */
static pm_status plan_filter_leaf(plan *p, const query_filter *filter, plan_leaf *leaf,
                                  pm_error *err)
{
    pm_status st = PM_OK;
    uint32_t key, match = 0;
    if (filter->key.len) {
        PM_TRY(plan_add_key(p, KEY_FIELD, filter->key, &key, err));
        PM_TRY(plan_add_key_matcher(p, key, &match, err));
    } else {
        PM_TRY(add_filter(p, filter, &match, err));
    }
    leaf->scored_by = match;
    PM_TRY(plan_add_alt(p, leaf, match, err));
out:
    return st;
}

static pm_status plan_leaf_node(plan *p, const query_node *node, double boost, bool negated,
                                pm_error *err)
{
    pm_status st = PM_OK;
    plan_leaf *leaf = &p->leaves[node->leaf];
    plan_term t = {.weight = boost};
    uint32_t match = 0;
    leaf->node = node;
    leaf->negated = negated;
    if (node->kind == QUERY_FILTER) return plan_filter_leaf(p, node->filter, leaf, err);
    if (node->kind == QUERY_WORD)
        PM_TRY(plan_word(p, node, &t, &match, err));
    else
        PM_TRY(plan_words(p, node, &t, &match, err));
    PM_TRY(plan_add_alt(p, leaf, match, err));
    leaf->scored_by = t.matcher;
    if (negated) goto out;
    if (!t.label.len) PM_TRY(make_label(p, node, &t.label, err));
    PM_TRY(add_term(p, t, err));
out:
    return st;
}

/* Depth is bounded by the parser. */
static pm_status plan_node(plan *p, const query_node *node, double boost, bool negated,
                           pm_error *err)
{
    pm_status st = PM_OK;
    boost *= node->boost;
    if (boost > BOOST_MAX) boost = BOOST_MAX;
    negated |= node->sign == SIGN_NOT;
    if (query_is_leaf(node)) return plan_leaf_node(p, node, boost, negated, err);
    for (const query_node *child = node->first; child; child = child->next)
        PM_TRY(plan_node(p, child, boost, negated, err));
out:
    return st;
}

/* Few documents that pass are a driver, too. */
static void drive_from_filters(plan *p)
{
    uint64_t n = 0;
    for (uint32_t s = 0; p->only && s < p->snap->meta.n_segments; s++) n += p->only[s].n;
    p->from_only = p->only && n < p->cost;
    if (p->from_only) p->cost = n;
}

/* ---- the whole -------------------------------------------------------------------------- */

pm_status plan_make(plan *p, snapshot *snap, arena *a, analyzer *words, split_cache *splits,
                    filter_cache *filters, const query *q, const pm_search_options *options,
                    pm_error *err)
{
    pm_status st = PM_OK;
    *p = (plan){.snap = snap,
                .a = a,
                .words = words,
                .splits = splits,
                .q = q,
                .match = options->match,
                .total_only = options->total_only};
    p->snippets = options->want_snippets;
    p->bigrams = !options->exhaustive;
    p->k1 = options->k1 < 0 ? snap->meta.k1 : options->k1;
    p->b = options->b < 0 ? snap->meta.b : options->b;
    p->leaves = arena_zalloc(a, q->n_leaves * sizeof *p->leaves);
    if (!p->leaves) return error_nomem(err);
    if (!q->root || !q->root->positive) return PM_OK;
    p->core = q->root;
    PM_TRY(plan_filter(p, filters, options, err));
    PM_TRY(plan_node(p, q->root, 1.0, false, err));
    if (options->joined) PM_TRY(plan_join(p, err));
    p->drivers = arena_zalloc(a, p->n_matchers * sizeof *p->drivers);
    if (!p->drivers) {
        st = error_nomem(err);
        goto out;
    }
    p->cost = plan_drive(p, q->root);
    drive_from_filters(p);
out:
    return st;
}
