/* SPDX-License-Identifier: MIT
 *
 * bm25_oracle.c - see bm25_oracle.h.
 */
#include "tests/oracle/bm25_oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one document ----------------------------------------------------------------------- */

/* Words of a document by position; 0xffff where there is none. */
static unsigned word_at(const oracle_doc *d, bool title, unsigned position)
{
    unsigned base = d->n_title ? d->n_title + ORACLE_GAP : 0;
    if (position < d->n_title) return d->title[position];
    if (title || position < base || position - base >= d->n_body) return 0xffff;
    return d->body[position - base] & ~(unsigned)ORACLE_MARK;
}

static unsigned end_of(const oracle_doc *d)
{
    return (d->n_title ? d->n_title + ORACLE_GAP : 0) + d->n_body;
}

static unsigned count_word(const oracle_doc *d, bool title, unsigned word)
{
    unsigned n = 0;
    for (unsigned p = 0; p < end_of(d); p++) n += word_at(d, title, p) == word;
    return n;
}

static unsigned count_marks(const oracle_doc *d, unsigned word)
{
    unsigned n = 0;
    for (unsigned i = 0; i < d->n_body; i++) n += d->body[i] == (word | ORACLE_MARK);
    return n;
}

static unsigned count_phrase(const oracle_doc *d, bool title, const uint16_t *words, unsigned n)
{
    unsigned found = 0;
    for (unsigned p = 0; p < end_of(d); p++) {
        unsigned i = 0;
        while (i < n && word_at(d, title, p + i) == words[i]) i++;
        found += i == n;
    }
    return found;
}

/* Do words[from..to] of one field hold all the words, each as often as it is named? */
static bool holds(const uint16_t *field, unsigned from, unsigned to, const oracle_node *q)
{
    for (unsigned i = 0; i < q->n; i++) {
        unsigned need = 0, have = 0;
        for (unsigned k = 0; k < q->n; k++) need += q->words[k] == q->words[i];
        for (unsigned p = from; p <= to; p++)
            have += (field[p] & ~(unsigned)ORACLE_MARK) == q->words[i];
        if (have < need) return false;
    }
    return true;
}

/* Windows of a field that hold all words and do not without an end of theirs. */
static unsigned count_windows(const uint16_t *field, unsigned n, const oracle_node *q)
{
    unsigned found = 0, limit = q->n + q->slop;
    for (unsigned from = 0; from < n; from++)
        for (unsigned to = from; to < n && to - from < limit; to++) {
            if (!holds(field, from, to, q)) continue;
            found +=
                from == to || (!holds(field, from + 1, to, q) && !holds(field, from, to - 1, q));
            break;
        }
    return found;
}

static unsigned count_near(const oracle_doc *d, const oracle_node *q)
{
    unsigned found = count_windows(d->title, d->n_title, q);
    return q->title ? found : found + count_windows(d->body, d->n_body, q);
}

static bool has_pair(const oracle_doc *d, unsigned a, unsigned b)
{
    const uint16_t pair[] = {(uint16_t)a, (uint16_t)b};
    return count_phrase(d, false, pair, 2) != 0;
}

/* ---- matching --------------------------------------------------------------------------- */

typedef struct context {
    const oracle_collection *c;
    pm_match match;
    bool joined;
} context;

static unsigned plain(const oracle_node *leaf)
{
    return leaf->words[0] & ~(unsigned)ORACLE_MARK;
}

/* Is word w = spelling(a) + spelling(b)? */
static bool is_join(const context *x, unsigned w, unsigned a, unsigned b)
{
    const char *ws = x->c->words[w], *as = x->c->words[a], *bs = x->c->words[b];
    size_t n = strlen(as);
    return strlen(ws) == n + strlen(bs) && !memcmp(ws, as, n) && !strcmp(ws + n, bs);
}

static bool joins(const oracle_node *a, const oracle_node *b)
{
    return a->kind == ORACLE_WORD && b->kind == ORACLE_WORD && !a->title && !b->title &&
           a->sign == b->sign;
}

static bool word_matches(const context *x, const oracle_doc *d, const oracle_node *leaf,
                         const oracle_node *before, const oracle_node *behind)
{
    unsigned w = plain(leaf), n = x->c->n_words;
    if (count_word(d, leaf->title, w)) return true;
    if (!x->joined) return false;
    for (unsigned j = 0; j < n; j++) {
        if (before && joins(before, leaf) && is_join(x, j, plain(before), w) &&
            count_word(d, false, j))
            return true;
        if (behind && joins(leaf, behind) && is_join(x, j, w, plain(behind)) &&
            count_word(d, false, j))
            return true;
    }
    if (leaf->title || leaf->words[0] & ORACLE_MARK) return false;
    for (unsigned a = 0; a < n; a++)
        for (unsigned b = 0; b < n; b++)
            if (is_join(x, w, a, b) && has_pair(d, a, b)) return true;
    return false;
}

/* Has a leaf that no NOT stands above. */
static bool positive(const oracle_node *q)
{
    if (q->sign == '-') return false;
    if (q->kind <= ORACLE_NEAR) return true;
    for (unsigned i = 0; i < q->n; i++)
        if (positive(q->children[i])) return true;
    return false;
}

static bool node_matches(const context *x, const oracle_doc *d, const oracle_node *q, bool any,
                         const oracle_node *before, const oracle_node *behind);

static bool child_matches(const context *x, const oracle_doc *d, const oracle_node *q, unsigned i,
                          bool any)
{
    const oracle_node *child = q->children[i];
    bool list = q->kind == ORACLE_LIST, negated = child->sign == '-';
    return node_matches(x, d, child, negated ? x->match == PM_MATCH_ANY : any,
                        list && i ? q->children[i - 1] : NULL,
                        list && i + 1 < q->n ? q->children[i + 1] : NULL) != negated;
}

static bool group_matches(const context *x, const oracle_doc *d, const oracle_node *q, bool any)
{
    unsigned wanted = 0, found = 0, required = 0;
    bool some_positive = false, all = q->kind == ORACLE_AND || (q->kind == ORACLE_LIST && !any);
    for (unsigned i = 0; i < q->n; i++) some_positive |= positive(q->children[i]);
    for (unsigned i = 0; i < q->n; i++) {
        const oracle_node *child = q->children[i];
        bool yes = child_matches(x, d, q, i, any);
        bool optional = q->kind == ORACLE_OR || (!all && positive(child) && child->sign != '+');
        if (!optional && !yes) return false;
        if (!optional) required += positive(child);
        if (!optional || (q->kind == ORACLE_OR && positive(child) != some_positive)) continue;
        wanted++;
        found += yes;
    }
    return !wanted || found || required;
}

static bool node_matches(const context *x, const oracle_doc *d, const oracle_node *q, bool any,
                         const oracle_node *before, const oracle_node *behind)
{
    switch (q->kind) {
    case ORACLE_WORD:
        return word_matches(x, d, q, before, behind);
    case ORACLE_PHRASE:
        return count_phrase(d, q->title, q->words, q->n) != 0;
    case ORACLE_NEAR:
        return count_near(d, q) != 0;
    default:
        return group_matches(x, d, q, any);
    }
}

/* ---- scores ----------------------------------------------------------------------------- */

typedef struct scoring_term {
    const oracle_node *leaf;
    bool marker;
    double weight, idf;
} scoring_term;

typedef struct scoring {
    scoring_term terms[ORACLE_TERMS];
    unsigned n;
    double n_docs, avgdl;
} scoring;

static double idf(double n, double df)
{
    return log(1.0 + (n - df + 0.5) / (df + 0.5));
}

static unsigned count_term(const oracle_doc *d, const oracle_node *leaf, bool marker)
{
    if (marker) return count_marks(d, plain(leaf));
    if (leaf->kind == ORACLE_WORD) return count_word(d, leaf->title, plain(leaf));
    return leaf->kind == ORACLE_PHRASE ? count_phrase(d, leaf->title, leaf->words, leaf->n)
                                       : count_near(d, leaf);
}

static unsigned df_of(const oracle_collection *c, bool title, unsigned word, bool marker)
{
    unsigned df = 0;
    for (unsigned i = 0; i < c->n_docs; i++) {
        const oracle_doc *d = &c->docs[i];
        if (d->live) df += marker ? count_marks(d, word) != 0 : count_word(d, title, word) != 0;
    }
    return df;
}

static unsigned first_met(const oracle_node *q, uint16_t *out)
{
    unsigned n = 0;
    for (unsigned i = 0; i < q->n; i++) {
        unsigned k = 0;
        while (k < n && out[k] != q->words[i]) k++;
        if (k == n) out[n++] = q->words[i];
    }
    return n;
}

/* The same words as often, first met in the same order: one NEAR, however it is written. */
static bool same_bag(const oracle_node *a, const oracle_node *b)
{
    uint16_t x[ORACLE_CHILDREN], y[ORACLE_CHILDREN];
    unsigned n = first_met(a, x), m = first_met(b, y);
    if (n != m || memcmp(x, y, n * sizeof *x)) return false;
    for (unsigned i = 0; i < a->n; i++) {
        int balance = 0;
        for (unsigned k = 0; k < a->n; k++)
            balance += (a->words[k] == a->words[i]) - (b->words[k] == a->words[i]);
        if (balance) return false;
    }
    return true;
}

static bool same_term(const scoring_term *t, const oracle_node *leaf, bool marker)
{
    const oracle_node *l = t->leaf;
    if (l->kind != leaf->kind || l->title != leaf->title || t->marker != marker) return false;
    if (leaf->kind == ORACLE_WORD) return plain(l) == plain(leaf);
    if (l->n != leaf->n) return false;
    if (leaf->kind == ORACLE_PHRASE) return !memcmp(l->words, leaf->words, l->n * sizeof *l->words);
    return l->slop == leaf->slop && same_bag(l, leaf);
}

static void add_leaf(scoring *s, const oracle_collection *c, const oracle_node *leaf, double boost)
{
    bool marker = leaf->kind == ORACLE_WORD && !leaf->title && (leaf->words[0] & ORACLE_MARK) &&
                  df_of(c, false, plain(leaf), true);
    for (unsigned i = 0; i < s->n; i++)
        if (same_term(&s->terms[i], leaf, marker)) {
            s->terms[i].weight += boost;
            return;
        }
    scoring_term t = {leaf, marker, boost, 0};
    for (unsigned i = 0; i < leaf->n; i++)
        t.idf +=
            idf(s->n_docs, df_of(c, leaf->title, leaf->words[i] & ~(unsigned)ORACLE_MARK, marker));
    s->terms[s->n++] = t;
}

static void add_node(scoring *s, const oracle_collection *c, const oracle_node *q, double boost)
{
    if (q->sign == '-') return;
    if (q->kind <= ORACLE_NEAR) {
        add_leaf(s, c, q, boost * q->boost);
        return;
    }
    for (unsigned i = 0; i < q->n; i++) add_node(s, c, q->children[i], boost * q->boost);
}

static double score_of(const scoring *s, const oracle_doc *d, double k1, double b)
{
    double score = 0, dl = d->n_title + d->n_body;
    for (unsigned i = 0; i < s->n; i++) {
        const scoring_term *t = &s->terms[i];
        double tf = count_term(d, t->leaf, t->marker);
        if (tf == 0) continue;
        score += t->weight * t->idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * dl / s->avgdl));
    }
    return score;
}

/* ---- the list --------------------------------------------------------------------------- */

static const oracle_collection *sorted_collection; /* of the list being sorted            */
static bool sorted_parts;

static int by_rank(const void *a, const void *b)
{
    const oracle_hit *x = a, *y = b;
    if (sorted_parts && x->in_all != y->in_all) return x->in_all ? -1 : 1;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    uint64_t p = sorted_collection->docs[x->doc].seq, q = sorted_collection->docs[y->doc].seq;
    return (p > q) - (p < q);
}

void oracle_search(const oracle_collection *c, const oracle_node *query, pm_match match, double k1,
                   double b, bool joined, oracle_answer *out)
{
    context x = {c, match, joined};
    scoring s = {.n = 0};
    double tokens = 0;
    out->n = out->n_all = 0;
    for (unsigned i = 0; i < c->n_docs; i++)
        if (c->docs[i].live) s.n_docs++, tokens += c->docs[i].n_title + c->docs[i].n_body;
    if (s.n_docs == 0 || !positive(query)) return;
    s.avgdl = tokens / s.n_docs;
    add_node(&s, c, query, 1);
    for (unsigned i = 0; i < c->n_docs; i++) {
        const oracle_doc *d = &c->docs[i];
        if (!d->live) continue;
        bool all = node_matches(&x, d, query, false, NULL, NULL);
        bool any = match != PM_MATCH_ALL && node_matches(&x, d, query, true, NULL, NULL);
        if (!all && !any) continue;
        out->hits[out->n++] = (oracle_hit){i, score_of(&s, d, k1, b), all};
        out->n_all += all;
    }
    sorted_collection = c;
    sorted_parts = match == PM_MATCH_AUTO;
    qsort(out->hits, out->n, sizeof *out->hits, by_rank);
}
