/* SPDX-License-Identifier: MIT
 *
 * xapian_query.c - the query tree, as planned, in Xapian's operators.
 *
 * What a document must be and what it scores are two things (match_set.c), so in general
 *
 *     AND_MAYBE( 0 * tree, OR(parts) )      one part for each term of the plan
 *
 * Of an OR on the right of AND_MAYBE Xapian 1.4 takes a list for found one document behind one
 * that the list has just refused (OrPostList::check), and scores it there.  A list of one word
 * refuses none; a phrase or NEAR may, so each has an AND_MAYBE of its own.  For the same reason no
 * threshold may turn an OR that holds one into something else: then all that matches is scored.
 *
 * A flat query, which most are, needs its lists once: its leaves carry their weights themselves.
 * With pressmark's formula a word scores as in a native index, to the last digits; a phrase or
 * NEAR scores by its words where it stands.  Title words and acronyms have no count in Xapian:
 * their positions are counted, or with Xapian's own weights the plain word scores in their place.
 */
#include "searcher/xapian_query.h"

#include "common/base/mem.h"

/* ---- pieces ------------------------------------------------------------------------------ */

static bool reserve(xapian_query *q)
{
    return mem_grow(&q->made, &q->made_cap, q->n_made + 1, sizeof *q->made);
}

/* Keep what the shim made, to be freed with the others. */
static pm_status keep(xapian_query *q, pm_status st, xap_query *made, const xap_query **out,
                      pm_error *err)
{
    *out = made;
    if (st != PM_OK) return xapian_failed(q->h, err);
    q->made[q->n_made++] = made;
    return PM_OK;
}

static pm_status term_query(xapian_query *q, pm_text name, const xap_query **out, pm_error *err)
{
    xap_query *made = NULL;
    if (!reserve(q)) return error_nomem(err);
    pm_status st = q->h->of->api->query_term(name, &made, &q->h->last);
    return keep(q, st, made, out, err);
}

static pm_status term(xapian_query *q, const void *key, size_t len, const xap_query **out,
                      pm_error *err)
{
    xap_term t;
    return term_query(q, xap_term_of_key(&t, key, len), out, err);
}

static pm_status group(xapian_query *q, xap_op op, const xap_query *const *parts, size_t n,
                       uint64_t window, const xap_query **out, pm_error *err)
{
    xap_query *made = NULL;
    if (n == 1 && op <= XAP_AND) {
        *out = parts[0];
        return PM_OK;
    }
    if (!reserve(q)) return error_nomem(err);
    uint32_t positions = window < XAP_WINDOW_MAX ? (uint32_t)window : XAP_WINDOW_MAX;
    pm_status st = q->h->of->api->query_group(op, parts, n, positions, &made, &q->h->last);
    return keep(q, st, made, out, err);
}

static pm_status pair(xapian_query *q, xap_op op, const xap_query *a, const xap_query *b,
                      const xap_query **out, pm_error *err)
{
    const xap_query *both[2] = {a, b};
    return group(q, op, both, 2, 0, out, err);
}

static pm_status scale(xapian_query *q, const xap_query *sub, double factor, const xap_query **out,
                       pm_error *err)
{
    xap_query *made = NULL;
    if (!reserve(q)) return error_nomem(err);
    pm_status st = q->h->of->api->query_scale(sub, factor, &made, &q->h->last);
    return keep(q, st, made, out, err);
}

static pm_status nothing(xapian_query *q, const xap_query **out, pm_error *err)
{
    return group(q, XAP_OR, NULL, 0, 0, out, err);
}

static pm_status everything(xapian_query *q, const xap_query **out, pm_error *err)
{
    xap_query *made = NULL;
    if (!reserve(q)) return error_nomem(err);
    pm_status st = q->h->of->api->query_everything(&made, &q->h->last);
    return keep(q, st, made, out, err);
}

/* A growing list of queries, of the arena. */
typedef struct query_list {
    const xap_query **items;
    size_t n, cap;
} query_list;

static pm_status add(xapian_query *q, query_list *l, const xap_query *sub, pm_error *err)
{
    if (!arena_grow(q->p->a, &l->items, &l->cap, l->n + 1, sizeof *l->items))
        return error_nomem(err);
    l->items[l->n++] = sub;
    return PM_OK;
}

/* ---- matchers ---------------------------------------------------------------------------- */

/* Values are inclusive at both ends, periods are not at their end. */
static pm_status dates(xapian_query *q, const query_filter *f, const xap_query **out, pm_error *err)
{
    char low[8], high[8];
    xap_query *made = NULL;
    if (f->from >= f->to) return nothing(q, out, err);
    if (!reserve(q)) return error_nomem(err);
    xap_put_date(low, f->from == INT64_MIN ? INT64_MIN + 1 : f->from);
    xap_put_date(high, f->to - 1);
    pm_text to = {high, f->to == INT64_MAX ? 0 : sizeof high};
    pm_status st = q->h->of->api->query_between(XAP_SLOT_DATE, (pm_text){low, sizeof low}, to,
                                                &made, &q->h->last);
    return keep(q, st, made, out, err);
}

static pm_status filter_query(xapian_query *q, const query_filter *f, const xap_query **out,
                              pm_error *err)
{
    if (!f->key.len) return dates(q, f, out, err);
    uint8_t *key = arena_alloc(q->p->a, f->key.len + 1);
    if (!key) return error_nomem(err);
    key[0] = KEY_FIELD;
    memcpy(key + 1, f->key.data, f->key.len);
    return term(q, key, f->key.len + 1, out, err);
}

/* The words of a phrase or NEAR; a word that NEAR wants twice stands twice.  `plain`: of title keys
 * the plain words. */
static pm_status words_of(xapian_query *q, const plan_matcher *m, bool plain, query_list *l,
                          pm_error *err)
{
    pm_status st = PM_OK;
    for (uint32_t i = 0; i < m->n_words; i++) {
        const plan_key *k = &q->p->keys[m->words[i]];
        size_t skip = plain && k->len && k->key[0] < 0x20;
        uint32_t times = m->kind == MATCH_NEAR ? m->needs[i] : 1;
        const xap_query *word;
        PM_TRY(term(q, k->key + skip, k->len - skip, &word, err));
        for (uint32_t n = 0; n < times; n++) PM_TRY(add(q, l, word, err));
    }
out:
    return st;
}

static pm_status matcher_query(xapian_query *q, uint32_t index, const xap_query **out,
                               pm_error *err)
{
    pm_status st;
    const plan_matcher *m = &q->p->matchers[index];
    query_list words = {0};
    if (m->kind == MATCH_FILTER) return filter_query(q, m->filter, out, err);
    PM_TRY(words_of(q, m, false, &words, err));
    if (m->kind == MATCH_PHRASE)
        PM_TRY(group(q, XAP_PHRASE, words.items, words.n, words.n, out, err));
    else if (m->kind == MATCH_NEAR)
        PM_TRY(group(q, XAP_NEAR, words.items, words.n, m->window, out, err));
    else
        *out = words.items[0];
out:
    return st;
}

/* ---- parts of a score -------------------------------------------------------------------- */

static bool is_counted(const plan *p, const plan_matcher *m)
{
    const plan_key *k = &p->keys[m->words[0]];
    return k->len && key_is_plain(k->key[0]);
}

/* The key of the plain word that an acronym's leaf matches by. */
static uint32_t plain_key(const plan *p, uint32_t matcher)
{
    for (uint32_t i = 0; i < p->q->n_leaves; i++) {
        const plan_leaf *leaf = &p->leaves[i];
        if (leaf->n_alts && leaf->scored_by == matcher) return p->matchers[leaf->alts[0]].words[0];
    }
    return p->matchers[matcher].words[0];
}

/* Title words and acronyms by Xapian's weights: where they stand, the plain words score. */
static pm_status plain_words(xapian_query *q, uint32_t matcher, const xap_query **out,
                             pm_error *err)
{
    pm_status st;
    const plan_matcher *m = &q->p->matchers[matcher];
    const plan_key *k = &q->p->keys[m->words[0]];
    query_list words = {0};
    const xap_query *there;
    PM_TRY(matcher_query(q, matcher, &there, err));
    PM_TRY(scale(q, there, 0, &there, err));
    PM_TRY(add(q, &words, there, err));
    if (k->len && k->key[0] == KEY_MARKER) {
        const plan_key *plain = &q->p->keys[plain_key(q->p, matcher)];
        PM_TRY(term(q, plain->key, plain->len, &there, err));
        PM_TRY(add(q, &words, there, err));
    } else {
        PM_TRY(words_of(q, m, true, &words, err));
    }
    PM_TRY(group(q, XAP_AND, words.items, words.n, 0, out, err));
out:
    return st;
}

/* By positions, which are counted: one word, or where a title phrase stands, its words. */
static pm_status by_positions(xapian_query *q, const plan_matcher *m, uint32_t matcher,
                              double weight, const xap_query **out, pm_error *err)
{
    pm_status st = PM_OK;
    const plan *p = q->p;
    query_list words = {0};
    const xap_query *there;
    if (m->kind != MATCH_KEY) {
        PM_TRY(matcher_query(q, matcher, &there, err));
        PM_TRY(scale(q, there, 0, &there, err));
        PM_TRY(add(q, &words, there, err));
    }
    for (uint32_t i = 0; i < m->n_words; i++) {
        const plan_key *k = &p->keys[m->words[i]];
        xap_term t;
        xap_query *made = NULL;
        double factor = weight * k->idf * (m->kind == MATCH_NEAR ? m->needs[i] : 1);
        if (!reserve(q)) return error_nomem(err);
        st =
            q->h->of->api->query_by_positions(xap_term_of_key(&t, k->key, k->len), factor, p->k1,
                                              p->b, p->snap->avgdl, q->quantum, &made, &q->h->last);
        PM_TRY(keep(q, st, made, &there, err));
        PM_TRY(add(q, &words, there, err));
    }
    PM_TRY(group(q, XAP_AND, words.items, words.n, 0, out, err));
out:
    return st;
}

/* What a term of the plan adds where it stands. */
static pm_status part(xapian_query *q, size_t i, const xap_query **out, pm_error *err)
{
    pm_status st = PM_OK;
    const plan_term *t = &q->p->terms[i];
    const plan_matcher *m = &q->p->matchers[t->matcher];
    if (!is_counted(q->p, m) && !q->by_xapian)
        return by_positions(q, m, t->matcher, t->weight, out, err);
    if (is_counted(q->p, m))
        PM_TRY(matcher_query(q, t->matcher, out, err));
    else
        PM_TRY(plain_words(q, t->matcher, out, err));
    if (t->weight != 1) PM_TRY(scale(q, *out, t->weight, out, err));
out:
    return st;
}

/* One list, which says of any document at once where it stands next.  Others may have to say
 * that a document which has all their words is none of theirs. */
static bool is_list(const xapian_query *q, size_t i)
{
    const plan_matcher *m = &q->p->matchers[q->p->terms[i].matcher];
    return m->kind == MATCH_KEY && (is_counted(q->p, m) || !q->by_xapian);
}

static pm_status all_parts(xapian_query *q, pm_error *err)
{
    pm_status st = PM_OK;
    if (q->parts) return PM_OK;
    q->parts = arena_zalloc(q->p->a, (q->p->n_terms + 1) * sizeof *q->parts);
    if (!q->parts) return error_nomem(err);
    for (size_t i = 0; i < q->p->n_terms; i++) PM_TRY(part(q, i, &q->parts[i], err));
out:
    return st;
}

/* ---- the tree ---------------------------------------------------------------------------- */

/* How a tree is being built. */
typedef struct build {
    xapian_query *q;
    bool any;    /* plain neighbours are optional                                            */
    bool scored; /* leaves carry their weights                                               */
} build;

static pm_status node_query(const build *b, const query_node *node, const xap_query **out,
                            pm_error *err);

/* The term of a leaf in a flat query. */
static size_t term_of(const plan *p, const plan_leaf *leaf)
{
    size_t i = 0;
    while (i < p->n_terms && p->terms[i].matcher != leaf->scored_by) i++;
    return i;
}

static pm_status leaf_query(const build *b, const query_node *node, const xap_query **out,
                            pm_error *err)
{
    pm_status st = PM_OK;
    xapian_query *q = b->q;
    const plan_leaf *leaf = &q->p->leaves[node->leaf];
    bool scored = b->scored && !leaf->negated && node->kind != QUERY_FILTER;
    query_list alts = {0};
    for (uint32_t i = 0; i < leaf->n_alts; i++) {
        const xap_query *alt;
        if (scored && i == 0) {
            PM_TRY(part(q, term_of(q->p, leaf), &alt, err));
        } else {
            PM_TRY(matcher_query(q, leaf->alts[i], &alt, err));
            if (b->scored) PM_TRY(scale(q, alt, 0, &alt, err));
        }
        PM_TRY(add(q, &alts, alt, err));
    }
    PM_TRY(group(q, XAP_OR, alts.items, alts.n, 0, out, err));
out:
    return st;
}

/* All of `must`, none of `not`. */
static pm_status restricted(xapian_query *q, const query_list *must, const query_list * not,
                            const xap_query **out, pm_error *err)
{
    pm_status st;
    const xap_query *none;
    if (must->n)
        PM_TRY(group(q, XAP_AND, must->items, must->n, 0, out, err));
    else
        PM_TRY(everything(q, out, err));
    if (!not ->n) goto out;
    PM_TRY(group(q, XAP_OR, not ->items, not ->n, 0, &none, err));
    PM_TRY(pair(q, XAP_AND_NOT, *out, none, out, err));
out:
    return st;
}

/* A child as it stands, in the list for its sign. */
static pm_status take_child(const build *b, const query_node *child, query_list *must,
                            query_list * not, pm_error *err)
{
    pm_status st;
    const xap_query *sub;
    build inner = *b;
    if (child->sign == SIGN_NOT) {
        inner.any = b->q->p->match == PM_MATCH_ANY;
        inner.scored = false;
    }
    PM_TRY(node_query(&inner, child, &sub, err));
    PM_TRY(add(b->q, child->sign == SIGN_NOT ? not : must, sub, err));
out:
    return st;
}

static pm_status all_query(const build *b, const query_node *node, const xap_query **out,
                           pm_error *err)
{
    pm_status st = PM_OK;
    query_list must = {0}, not = {0};
    for (const query_node *child = node->first; child; child = child->next)
        PM_TRY(take_child(b, child, &must, &not, err));
    PM_TRY(restricted(b->q, &must, &not, out, err));
out:
    return st;
}

static bool has_positive_child(const query_node *node)
{
    for (const query_node *child = node->first; child; child = child->next)
        if (child->positive) return true;
    return false;
}

/* One positive child; where none is positive, any. */
static pm_status one_query(const build *b, const query_node *node, const xap_query **out,
                           pm_error *err)
{
    pm_status st = PM_OK;
    bool positive = has_positive_child(node);
    query_list one = {0};
    for (const query_node *child = node->first; child; child = child->next) {
        query_list must = {0}, not = {0};
        const xap_query *sub;
        if (child->positive != positive) continue;
        PM_TRY(take_child(b, child, &must, &not, err));
        PM_TRY(restricted(b->q, &must, &not, &sub, err));
        PM_TRY(add(b->q, &one, sub, err));
    }
    PM_TRY(group(b->q, XAP_OR, one.items, one.n, 0, out, err));
out:
    return st;
}

static bool is_optional(const query_node *child)
{
    return child->positive && child->sign == SIGN_PLAIN && !child->restricts;
}

/* What may add to *out's scores: those of `together` at once, those of `apart` one by one. */
static pm_status maybe(xapian_query *q, const query_list *together, const query_list *apart,
                       const xap_query **out, pm_error *err)
{
    pm_status st = PM_OK;
    const xap_query *found;
    if (together->n) {
        PM_TRY(group(q, XAP_OR, together->items, together->n, 0, &found, err));
        PM_TRY(pair(q, XAP_AND_MAYBE, *out, found, out, err));
    }
    for (size_t i = 0; i < apart->n; i++)
        PM_TRY(pair(q, XAP_AND_MAYBE, *out, apart->items[i], out, err));
out:
    return st;
}

/* Optional children beside required ones, as far as they add to scores. */
static pm_status maybe_children(const build *b, const query_node *node, const xap_query **out,
                                pm_error *err)
{
    pm_status st = PM_OK;
    query_list together = {0}, apart = {0}, not = {0};
    for (const query_node *child = node->first; child; child = child->next) {
        if (!is_optional(child)) continue;
        bool list = is_list(b->q, term_of(b->q->p, &b->q->p->leaves[child->leaf]));
        PM_TRY(take_child(b, child, list ? &together : &apart, &not, err));
    }
    PM_TRY(maybe(b->q, &together, &apart, out, err));
out:
    return st;
}

/* Neighbours of which the plain ones are optional (match_set.c). */
static pm_status neighbours_query(const build *b, const query_node *node, const xap_query **out,
                                  pm_error *err)
{
    pm_status st = PM_OK;
    bool required = false;
    query_list must = {0}, not = {0}, wanted = {0};
    const xap_query *found;
    for (const query_node *child = node->first; child; child = child->next)
        required |= !is_optional(child) && child->positive && !child->restricts;
    for (const query_node *child = node->first; child; child = child->next) {
        if (!is_optional(child))
            PM_TRY(take_child(b, child, &must, &not, err));
        else if (!required)
            PM_TRY(take_child(b, child, &wanted, &not, err));
    }
    if (wanted.n) {
        PM_TRY(group(b->q, XAP_OR, wanted.items, wanted.n, 0, &found, err));
        PM_TRY(add(b->q, &must, found, err));
    }
    PM_TRY(restricted(b->q, &must, &not, out, err));
    if (required && b->scored) PM_TRY(maybe_children(b, node, out, err));
out:
    return st;
}

/* Depth is bounded by the parser. */
static pm_status node_query(const build *b, const query_node *node, const xap_query **out,
                            pm_error *err)
{
    if (query_is_leaf(node)) return leaf_query(b, node, out, err);
    if (node->kind == QUERY_OR) return one_query(b, node, out, err);
    if (node->kind == QUERY_AND || node->fixed || !b->any) return all_query(b, node, out, err);
    return neighbours_query(b, node, out, err);
}

/* ---- the whole --------------------------------------------------------------------------- */

/* One leaf for each term, none below another group: then the tree can carry the weights. */
static bool is_flat(const plan *p)
{
    const query_node *root = p->q->root;
    size_t scored = 0;
    for (uint32_t i = 0; i < p->q->n_leaves; i++) {
        const plan_leaf *leaf = &p->leaves[i];
        if (leaf->negated || leaf->node->kind == QUERY_FILTER) continue;
        if (leaf->scored_by != leaf->alts[0]) return false;
        scored++;
    }
    if (scored != p->n_terms) return false;
    for (const query_node *child = root->first; child; child = child->next)
        if (child->positive && !child->restricts && !query_is_leaf(child)) return false;
    return true;
}

/* Filters of the options: dates each bind; of other fields one value is enough. */
static pm_status take_filters(xapian_query *q, query_list *must, pm_error *err)
{
    pm_status st = PM_OK;
    const pm_search_options *o = q->options;
    query_list fields[PM_FILTER_LANG + 1] = {0};
    for (size_t i = 0; i < o->n_filters; i++) {
        const pm_filter *f = &o->filters[i];
        const query_filter *made;
        const xap_query *sub;
        PM_TRY(query_filter_make(q->p->a, f->field, f->value.data, f->value.len, &made, err));
        PM_TRY(filter_query(q, made, &sub, err));
        PM_TRY(scale(q, sub, 0, &sub, err));
        PM_TRY(add(q, made->key.len ? &fields[f->field] : must, sub, err));
    }
    for (size_t i = 0; i <= PM_FILTER_LANG; i++) {
        const xap_query *sub;
        if (!fields[i].n) continue;
        PM_TRY(group(q, XAP_OR, fields[i].items, fields[i].n, 0, &sub, err));
        PM_TRY(add(q, must, sub, err));
    }
out:
    return st;
}

/* What matches, within the filters, with the weights that leaves carry. */
static pm_status match_query(const build *b, const xap_query **out, pm_error *err)
{
    pm_status st;
    query_list must = {0};
    PM_TRY(node_query(b, b->q->p->q->root, out, err));
    if (!b->scored) PM_TRY(scale(b->q, *out, 0, out, err));
    PM_TRY(add(b->q, &must, *out, err));
    PM_TRY(take_filters(b->q, &must, err));
    PM_TRY(group(b->q, XAP_AND, must.items, must.n, 0, out, err));
out:
    return st;
}

/* The same with its score. */
static pm_status list_query(xapian_query *q, bool any, const xap_query **out, pm_error *err)
{
    pm_status st;
    build b = {q, any, is_flat(q->p)};
    query_list together = {0}, apart = {0};
    PM_TRY(match_query(&b, out, err));
    if (b.scored || !q->p->n_terms) goto out;
    PM_TRY(all_parts(q, err));
    for (size_t i = 0; i < q->p->n_terms; i++)
        PM_TRY(add(q, is_list(q, i) ? &together : &apart, q->parts[i], err));
    PM_TRY(maybe(q, &together, &apart, out, err));
out:
    return st;
}

/* Of the whole list what does not have every word.  What is taken away only matches: Xapian 1.4
 * reads bounds that nobody set where AND_MAYBE stands below AND there, and then takes away too
 * little. */
static pm_status rest_query(xapian_query *q, pm_error *err)
{
    pm_status st;
    build b = {q, false, false};
    const xap_query *all;
    PM_TRY(match_query(&b, &all, err));
    PM_TRY(pair(q, XAP_AND_NOT, q->any, all, &q->rest, err));
out:
    return st;
}

pm_status xapian_query_make(xapian_query *q, pm_error *err)
{
    pm_status st = PM_OK;
    const query_node *root = q->p->q->root;
    if (!root || !root->positive) return nothing(q, &q->all, err);
    for (size_t i = 0; i < q->p->n_terms; i++) q->unpruned |= q->p->n_terms > 1 && !is_list(q, i);
    PM_TRY(list_query(q, false, &q->all, err));
    if (q->p->match == PM_MATCH_ALL || query_is_leaf(root)) goto out;
    PM_TRY(list_query(q, true, &q->any, err));
    if (q->p->match == PM_MATCH_AUTO) PM_TRY(rest_query(q, err));
out:
    return st;
}

pm_status xapian_query_part(xapian_query *q, size_t i, pm_text id, const xap_query **out,
                            pm_error *err)
{
    pm_status st;
    xap_term name;
    const xap_query *one;
    pm_text key = xap_term_make(&name, XAP_KEY_ID, id.data, id.len);
    PM_TRY(all_parts(q, err));
    PM_TRY(term_query(q, key, &one, err));
    PM_TRY(scale(q, one, 0, &one, err));
    PM_TRY(pair(q, XAP_AND, one, q->parts[i], out, err));
out:
    return st;
}

void xapian_query_free(xapian_query *q)
{
    for (size_t i = 0; i < q->n_made; i++) q->h->of->api->query_free(q->made[i]);
    mem_free(q->made);
    q->made = NULL;
    q->n_made = q->made_cap = 0;
}
