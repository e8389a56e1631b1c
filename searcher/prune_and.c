/* SPDX-License-Identifier: MIT
 *
 * prune_and.c - the conjunctive loop over one segment.
 *
 * The rarest list leads, impacts first; the others are required in order of length, optional
 * lists add, negated lists drop.  When the matches are to be counted, too, the loop may do so
 * on its way: it then looks at all postings of the lead.
 */
#include "searcher/prune_count.h"

/* Postings of a lead among bitmaps that are all scored so that they can be counted. */
enum { COUNT_ALONG = 2000 };

typedef struct and_plan {
    float must_rest[PRUNE_LISTS_MAX + 1], should_rest[PRUNE_LISTS_MAX + 1];
    float margin;
    bool counts; /* all are walked and counted                                             */
} and_plan;

/* Where a sparse list has to be probed for the count anyway, or few documents have to be scored
 * for it, one pass costs less than two (DECISIONS.md, "Ranking"). */
bool prune_and_counts(const prune_state *s)
{
    const postings *lead = &s->must[0]->p;
    if (!s->phrases.counting || s->n_must < 2 || lead->kind == POSTINGS_DENSE) return false;
    return s->must[1]->p.kind != POSTINGS_DENSE || lead->df <= COUNT_ALONG;
}

/* What has all required words and no forbidden one. */
static void count_batch(prune_state *s)
{
    for (uint32_t i = 0; i < s->n_not && s->batch.n; i++) prune_exclude(s, s->not [i]);
    if (s->phrases.n_not) prune_phrase_exclude(s);
    s->phrases.counted += count_batch_live(s);
}

static void and_finish_batch(prune_state *s, const and_plan *a)
{
    prune_batch *b = &s->batch;
    for (uint32_t j = 1; j < s->n_must && b->n; j++) {
        float least = a->counts ? 0 : s->pool.threshold - a->must_rest[j];
        b->n = s->scan->keep_least(b->docs, b->scores, b->n, least);
        prune_require(s, s->must[j]);
    }
    if (a->counts) count_batch(s);
    for (uint32_t j = 0; j < s->n_should && b->n; j++) {
        b->n = s->scan->keep_least(b->docs, b->scores, b->n, s->pool.threshold - a->should_rest[j]);
        prune_add(s, s->should[j]);
    }
    prune_deliver(s, a->margin);
    b->n = 0;
}

/* ---- bitmaps alone ----------------------------------------------------------------------- */

/* Documents of the bucket that stand in all lists but the lead, and pass. */
static void bucket_both(const prune_state *s, uint32_t bucket, uint64_t *both)
{
    size_t word = (size_t)bucket * 8;
    memcpy(both, s->must[1]->p.bits + word, 64);
    for (uint32_t j = 2; j < s->n_must; j++)
        for (unsigned i = 0; i < 8; i++) both[i] &= s->must[j]->p.bits[word + i];
    if (s->only && s->only->bits)
        for (unsigned i = 0; i < 8; i++) both[i] &= s->only->bits[word + i];
}

/* Three bitmaps or more: their words meet before any document is looked at. */
static void and_dense(prune_state *s, const and_plan *a)
{
    const prune_list *lead = s->must[0];
    prune_batch *b = &s->batch;
    prune_walk w = {.list = s->must[0]};
    prune_walk_begin(s, &w);
    unsigned low = prune_least_byte(s, lead, s->pool.threshold - a->must_rest[1]);
    for (; w.next < w.end; w.next++) {
        if (lead->p.bucket_max[w.next] < low) continue;
        uint64_t both[8];
        uint32_t from = b->n;
        bucket_both(s, w.next, both);
        b->n += prune_bucket_take(s, lead, both, w.next, (uint8_t)low, 255, b->docs + from);
        s->scan->table_values(s->bounds->up, s->bytes, b->n - from, lead->weight, b->scores + from);
        if (s->only) prune_keep_passing(s, from);
        if (b->n < PRUNE_BATCH) continue;
        and_finish_batch(s, a);
        low = prune_least_byte(s, lead, s->pool.threshold - a->must_rest[1]);
        if (low > 255) return;
    }
    and_finish_batch(s, a);
}

/* ---- the rarest list leads ------------------------------------------------------------------ */

static void and_lead(prune_state *s, const and_plan *a)
{
    prune_walk w = {.list = s->must[0]};
    if (w.list->p.kind == POSTINGS_DENSE && s->n_must > 1) w.also = s->must[1]->p.bits;
    for (bool more = true; more;) {
        float need = a->counts ? 0 : s->pool.threshold - a->must_rest[1];
        unsigned low = prune_least_byte(s, w.list, need);
        if (low > 255) return;
        more = prune_walk_fill(s, &w, (uint8_t)low, 255);
        and_finish_batch(s, a);
    }
}

void prune_and(prune_state *s)
{
    and_plan a = {.margin = 0, .counts = prune_and_counts(s)};
    uint32_t n = s->n_must, m = s->n_should;
    a.should_rest[m] = 0;
    for (uint32_t i = m; i-- > 0;) a.should_rest[i] = a.should_rest[i + 1] + s->should[i]->most;
    a.must_rest[n] = a.should_rest[0];
    for (uint32_t i = n; i-- > 0;) a.must_rest[i] = a.must_rest[i + 1] + s->must[i]->most;
    for (uint32_t i = 0; i < n; i++) a.margin += s->must[i]->weight * s->bounds->gap;
    for (uint32_t i = 0; i < m; i++) a.margin += s->should[i]->weight * s->bounds->gap;
    s->batch.n = 0;
    if (n > 2 && s->must[0]->p.kind == POSTINGS_DENSE)
        and_dense(s, &a);
    else
        and_lead(s, &a);
}
