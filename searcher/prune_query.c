/* SPDX-License-Identifier: MIT
 *
 * prune_query.c - which plans are flat queries, and their lists opened in one segment with
 * the bounds that impact bytes give at today's average length.
 */
#include <stdlib.h>

#include "common/base/mem.h"
#include "searcher/prune_window.h"

/* ---- from plan to words ---------------------------------------------------------------------- */

static uint32_t term_of(const plan *p, uint32_t which)
{
    for (size_t i = 0; i < p->n_terms; i++)
        if (p->terms[i].matcher == which) return (uint32_t)i;
    return UINT32_MAX;
}

static bool add_word(prune_query *q, uint32_t which, prune_role role)
{
    plan *p = q->p;
    for (uint32_t i = 0; i < q->n_words; i++) {
        prune_word *w = &q->words[i];
        if (w->matcher != which) continue;
        if ((w->role == PRUNE_NOT) != (role == PRUNE_NOT)) return false;
        if (role == PRUNE_MUST) w->role = PRUNE_MUST;
        return true;
    }
    if (q->n_words == PRUNE_LISTS_MAX) return false;
    prune_word w = {
        .matcher = which, .key = p->matchers[which].words[0], .term = UINT32_MAX, .role = role};
    w.phrase = p->matchers[which].kind != MATCH_KEY;
    if (role != PRUNE_NOT) {
        w.term = term_of(p, which);
        if (w.term == UINT32_MAX) return false; /* an acronym scores by another list     */
        w.weight = p->terms[w.term].weight * p->terms[w.term].idf * (p->k1 + 1.0);
        if (!(w.weight > 0)) q->ranked = false;
    }
    q->words[q->n_words++] = w;
    return true;
}

/* Optional phrases are left to the exhaustive loop. */
static bool add_phrase(prune_query *q, uint32_t which, prune_role role)
{
    const plan_matcher *m = &q->p->matchers[which];
    if (role == PRUNE_SHOULD) return false;
    q->n_phrases++;
    q->n_parts += m->titles ? 2 * m->n_words : m->n_words;
    return q->n_phrases <= PRUNE_PHRASES_MAX && q->n_parts <= PRUNE_PARTS_MAX &&
           add_word(q, which, role);
}

static bool add_leaf(prune_query *q, const query_node *node, prune_role role)
{
    const plan_leaf *leaf = &q->p->leaves[node->leaf];
    if (node->kind == QUERY_FILTER) return false;
    if (node->kind != QUERY_WORD) return add_phrase(q, leaf->alts[0], role);
    if (!leaf->negated && leaf->scored_by != leaf->alts[0]) return false; /* an acronym      */
    for (uint32_t i = 1; !q->p->narrow && i < leaf->n_alts; i++)
        if (q->p->matchers[leaf->alts[i]].cost) return false;
    const plan_matcher *m = &q->p->matchers[leaf->alts[0]];
    return m->kind == MATCH_KEY && add_word(q, leaf->alts[0], role);
}

static prune_role role_of(const query_node *parent, const query_node *child, bool all)
{
    if (child->sign == SIGN_NOT) return PRUNE_NOT;
    if (parent->kind == QUERY_AND || child->sign == SIGN_MUST) return PRUNE_MUST;
    if (parent->kind == QUERY_OR) return PRUNE_SHOULD;
    return parent->fixed || all ? PRUNE_MUST : PRUNE_SHOULD;
}

static bool bounds_apply(const plan *p)
{
    return p->k1 == p->snap->meta.k1 && p->b == p->snap->meta.b;
}

/* What stands under the root, if it is flat. */
static bool add_children(prune_query *q, const query_node *root, bool all)
{
    for (const query_node *child = root->first; child; child = child->next) {
        if (q->one_suffices && !child->positive) continue;       /* adds nothing to an OR     */
        if (!q->one_suffices && plan_is_clause(child)) continue; /* in p->only          */
        if (!query_is_leaf(child) || !add_leaf(q, child, role_of(root, child, all))) return false;
    }
    return true;
}

/* Roles are counted; whether words of them are asked for, and a forbidden phrase stands beside
 * required ones. */
static bool roles_allow(prune_query *q)
{
    bool forbids = false;
    for (uint32_t i = 0; i < q->n_words; i++) {
        q->n_must += q->words[i].role == PRUNE_MUST;
        q->n_should += q->words[i].role == PRUNE_SHOULD;
        q->n_not += q->words[i].role == PRUNE_NOT;
        forbids |= q->words[i].role == PRUNE_NOT && q->words[i].phrase;
    }
    return q->n_must || (q->n_should && !forbids);
}

bool prune_query_of(prune_query *q, plan *p, bool all)
{
    const query_node *root = p->core;
    q->p = p;
    q->n_words = q->n_must = q->n_should = q->n_not = q->n_phrases = q->n_parts = 0;
    q->ranked = bounds_apply(p);
    q->one_suffices = root && root->kind == QUERY_OR;
    if (!root || !root->positive || root->sign == SIGN_NOT) return false;
    bool flat = query_is_leaf(root)
                    ? add_leaf(q, root, root->kind == QUERY_WORD ? PRUNE_SHOULD : PRUNE_MUST)
                    : add_children(q, root, all);
    return flat && roles_allow(q);
}

/* ---- memory ------------------------------------------------------------------------------ */

bool prune_state_ready(prune_state *s, const snapshot *snap)
{
    s->scan = scan_get();
    /* Not zeroed: a list is opened before it is looked at, and most are never touched.      */
    if (!s->lists) s->lists = mem_alloc(PRUNE_LISTS_MAX * sizeof *s->lists);
    if (!s->all_bounds) s->all_bounds = mem_array(snap->meta.n_segments, sizeof *s->all_bounds);
    return s->lists && s->all_bounds && prune_window_ready(s);
}

void prune_state_free(prune_state *s)
{
    mem_free(s->lists);
    mem_free(s->all_bounds);
    mem_free(s->bitmap);
    mem_free(s->window);
    prune_pool_free(&s->pool);
    prune_phrases_free(&s->phrases);
    memset(s, 0, sizeof *s);
}

/* ---- bounds ------------------------------------------------------------------------------- */

/* x = tf / (tf + K) at the reference length bounds tf / (tf + r K) from r alone. */
static double share(double x, double r)
{
    return x >= 1 ? 1 : x / (x + r * (1 - x));
}

/* K at today's average is r times K at the reference, r between 1 and their ratio: both are
 * straight lines in dl that meet at dl = 0.  Floats are rounded outwards by far more than
 * the sums of PRUNE_LISTS_MAX of them can be off. */
static void bounds_make(prune_bounds *b, const segment_info *info, double avgdl)
{
    double ratio = info->avgdl_ref / avgdl;
    double least = ratio < 1 ? ratio : 1, most = ratio > 1 ? ratio : 1;
    for (unsigned w = 1; w < 256; w++) {
        double high = w == 255 ? 1 : (w + 0.5) / 255, low = w == 1 ? 0 : (w - 0.5) / 255;
        b->up[w] = (float)(share(high, least) * (1 + 1e-5));
        b->down[w] = (float)(share(low, most) * (1 - 1e-5));
        if (b->up[w] - b->down[w] > b->gap) b->gap = b->up[w] - b->down[w];
    }
    b->made = true;
}

unsigned prune_least_byte(const prune_state *s, const prune_list *list, float need)
{
    float target = need / list->weight * (1 - 1e-5f);
    unsigned low = 1, high = 256;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (s->bounds->up[mid] < target)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* ---- opening ------------------------------------------------------------------------------ */

static int by_df(const void *a, const void *b)
{
    const prune_list *x = *(prune_list *const *)a, *y = *(prune_list *const *)b;
    if (x->p.df != y->p.df) return x->p.df < y->p.df ? -1 : 1;
    return (x->word > y->word) - (x->word < y->word);
}

static int by_most(const void *a, const void *b)
{
    const prune_list *x = *(prune_list *const *)a, *y = *(prune_list *const *)b;
    if (x->most != y->most) return x->most > y->most ? -1 : 1;
    return (x->word > y->word) - (x->word < y->word);
}

bool prune_list_open(prune_state *s, const prune_word *w, const term_entry *entry, prune_list *list)
{
    list->word = w;
    list->phrase = UINT32_MAX;
    list->decoded = UINT32_MAX;
    list->block = 0;
    list->p.df = 0;
    if (!entry->df || !postings_open(&list->p, s->part->seg, entry)) return false;
    list->weight = (float)w->weight;
    list->most = list->weight * s->bounds->up[list->p.impact_max];
    if (list->p.kind == POSTINGS_SMALL) {
        list->n_docs = postings_decode_block(&list->p, 0, list->docs);
        list->decoded = 0;
    }
    return true;
}

/* False: the word is not there, or *apart: it is a phrase that positions decide. */
static bool open_word(prune_state *s, const prune_word *w, prune_list *list, bool *apart)
{
    const term_entry *entry = &s->q->p->keys[w->key].entries[s->segment];
    list->word = w;
    list->phrase = UINT32_MAX;
    list->p.df = 0;
    *apart = false;
    if (w->phrase) {
        if (!prune_phrase_open(s, w, &entry)) return false;
        *apart = !entry;
        if (*apart && w->role == PRUNE_MUST) list->phrase = s->phrases.n_must - 1;
        if (*apart) return false;
    }
    return prune_list_open(s, w, entry, list);
}

/* The lists of the words, by role; false: a required word is not there. */
static bool open_lists(prune_state *s)
{
    const prune_query *q = s->q;
    for (uint32_t i = 0; i < q->n_words; i++) {
        const prune_word *w = &q->words[i];
        prune_list *list = &s->lists[i];
        bool apart;
        if (!open_word(s, w, list, &apart)) {
            if (w->role == PRUNE_MUST && !apart) return false;
            continue;
        }
        if (w->role == PRUNE_MUST)
            s->must[s->n_must++] = list;
        else if (w->role == PRUNE_SHOULD)
            s->should[s->n_should++] = list;
        else
            s->not [s->n_not++] = list;
    }
    return true;
}

bool prune_open(prune_state *s, const prune_query *q, uint32_t segment_index)
{
    s->q = q;
    s->segment = segment_index;
    s->part = &q->p->snap->segments[segment_index];
    s->only = q->p->only ? &q->p->only[segment_index] : NULL;
    s->n_must = s->n_should = s->n_not = 0;
    prune_phrases_clear(&s->phrases);
    if (s->only && !s->only->n) return false;
    if (s->only && s->only->n == s->part->seg->info.n_docs) s->only = NULL;
    prune_bounds *bounds = &s->all_bounds[segment_index];
    if (!bounds->made) bounds_make(bounds, &s->part->seg->info, q->p->snap->avgdl);
    s->bounds = bounds;
    if (!open_lists(s)) return false;
    qsort(s->must, s->n_must, sizeof *s->must, by_df);
    qsort(s->should, s->n_should, sizeof *s->should, by_most);
    if (s->phrases.n_must + s->phrases.n_not) prune_phrase_needs(s);
    return s->n_must + s->n_should + s->phrases.n_must > 0;
}
