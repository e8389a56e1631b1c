/* SPDX-License-Identifier: MIT
 * check_list.c - one posting list: documents rise, impacts are what tf and length give,
 * maxima are those of the impacts, exceptions are those that are needed, counts add up,
 * padding is zero.
 */
#include "common/codec/bits.h"
#include "common/codec/ef.h"
#include "common/segment/check_parts.h"

typedef struct list_walk {
    const term_entry *entry;
    uint64_t cf;
    uint32_t exceptions;  /* postings that need one                                */
    uint32_t counts[256]; /* of impact bytes                                       */
    uint8_t bucket_max;   /* of the dense bucket that is being walked               */
    uint32_t bucket;
    bool broken;
} list_walk;

static void list_finding(check *c, list_walk *walk, const postings *p, const char *what)
{
    if (!walk->broken) check_finding(c, section_name(SECTION_POSTINGS), p->base, what);
    walk->broken = true;
}

/* ---- exceptions ----------------------------------------------------------------------------- */

/* The i-th exception. */
static bool exception_at(const postings *p, reader *r, uint32_t i, uint64_t *next, uint64_t *rank,
                         uint64_t *tf)
{
    if (p->kind == POSTINGS_SMALL) {
        *rank = *next + read_varint_max(r, p->df);
        *tf = read_varint_max(r, UINT32_MAX);
        *next = *rank + 1;
        return !r->bad;
    }
    *rank = load_u32(p->exceptions.data + 4 * (size_t)i);
    *tf = load_u32(p->exceptions.data + 4 * ((size_t)p->n_exceptions + i));
    return true;
}

static void check_exceptions(check *c, list_walk *walk, const postings *p)
{
    reader r = reader_of(p->exceptions);
    uint64_t next = 0, before = 0, rank, tf;
    for (uint32_t i = 0; i < p->n_exceptions; i++) {
        if (!exception_at(p, &r, i, &next, &rank, &tf) || rank >= p->df || tf == 0 ||
            (i && rank <= before)) {
            list_finding(c, walk, p, "exceptions are out of order");
            return;
        }
        before = rank;
    }
    if (p->n_exceptions != walk->exceptions)
        list_finding(c, walk, p, "an exception that is not needed");
}

/* ---- shapes --------------------------------------------------------------------------------- */

static void padding(check *c, const void *end, uint64_t align)
{
    uint64_t off = (uint64_t)((const uint8_t *)end - c->s->file.data);
    check_zeros(c, section_name(SECTION_POSTINGS), off, layout_align(off, align) - off);
}

static void check_sparse(check *c, list_walk *walk, const postings *p)
{
    uint64_t words = 0;
    for (uint32_t b = 0; b < p->n_blocks; b++) {
        ef_shape shape;
        uint32_t base = b ? p->last[b - 1] + 1 : 0;
        if (p->off[b] != words || !ef_shape_of(p->count_1[b] + 1u, p->last[b] - base, &shape)) {
            list_finding(c, walk, p, "blocks do not lie side by side");
            return;
        }
        words += shape.words;
    }
    if (words != p->ef_words) list_finding(c, walk, p, "words that belong to no block");
    padding(c, p->block_max + p->n_blocks, 8);
}

static void check_dense(check *c, list_walk *walk, const postings *p)
{
    uint64_t rank = 0;
    for (uint32_t b = 0; b < p->n_buckets; b++) {
        if (p->rank[b] != rank) list_finding(c, walk, p, "a bucket's rank is wrong");
        rank += bits_rank(p->bits + (size_t)b * 8, BUCKET_DOCS);
    }
    if (rank != p->df) list_finding(c, walk, p, "more bits than postings");
    padding(c, p->bucket_max + p->n_buckets, 8);
}

/* Maxima of the whole list. */
static void check_maxima(check *c, list_walk *walk, const postings *p)
{
    static const uint32_t wanted[4] = {1, 10, 100, 1000};
    uint8_t found[4] = {0};
    uint32_t above = 0;
    for (unsigned v = 255; v > 0; v--) {
        above += walk->counts[v];
        for (unsigned k = 0; k < 4; k++)
            if (!found[k] && above >= wanted[k]) found[k] = (uint8_t)v;
    }
    if (found[0] != p->impact_max || memcmp(found + 1, p->kth, 3))
        list_finding(c, walk, p, "the list's largest impacts are wrong");
}

/* ---- postings -------------------------------------------------------------------------------- */

static void bucket_close(check *c, list_walk *walk, const postings *p, uint32_t next_bucket)
{
    for (; walk->bucket < next_bucket; walk->bucket++) {
        if (p->bucket_max[walk->bucket] != walk->bucket_max)
            list_finding(c, walk, p, "a bucket's largest impact is wrong");
        walk->bucket_max = 0;
    }
}

static uint32_t check_posting(check *c, list_walk *walk, const postings *p, uint32_t rank,
                              uint32_t doc, bool plain)
{
    uint32_t dl = segment_dl(c->s, doc), tf = postings_tf(p, rank, dl);
    double norm = segment_norm(&c->s->info, dl);
    uint8_t impact = p->impacts[rank];
    if (impact != impact_encode(tf, norm))
        list_finding(c, walk, p, "an impact is not what its posting gives");
    if (impact == 255 || impact_decode(impact, norm) != tf) walk->exceptions++;
    walk->counts[impact]++;
    walk->cf += tf;
    if (plain) c->tokens[doc] += tf;
    if (p->kind == POSTINGS_DENSE) {
        bucket_close(c, walk, p, doc / BUCKET_DOCS);
        if (impact > walk->bucket_max) walk->bucket_max = impact;
    }
    return tf;
}

/* False when the block does not decode. */
static bool check_block(check *c, list_walk *walk, const postings *p, uint32_t b, check_streams *st,
                        bool plain, check_form *form_counts)
{
    uint32_t docs[SEGMENT_BLOCK_MAX], first = postings_block_rank(p, b);
    uint32_t n = postings_decode_block(p, b, docs);
    if (!n) return false;
    uint8_t max = 0;
    check_streams_block(c, st, p, b, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t tf = check_posting(c, walk, p, first + i, docs[i], plain);
        if (p->impacts[first + i] > max) max = p->impacts[first + i];
        check_streams_posting(c, st, p, i, docs[i], tf, form_counts);
    }
    check_streams_block_end(c, st, p);
    if (p->kind == POSTINGS_SPARSE && p->block_max[b] != max)
        list_finding(c, walk, p, "a block's largest impact is wrong");
    return true;
}

void check_list(check *c, const term_entry *entry, bool plain, check_form *form_counts)
{
    postings p;
    list_walk walk = {.entry = entry};
    check_streams st;
    if (!postings_open(&p, c->s, entry) || !segment_touch(c->s, p.base, entry->len)) {
        check_reader_damage(c);
        return;
    }
    segment_pass(c->s, &c->passed, entry->len);
    check_streams_begin(&st, &p);
    bool decodes = true;
    for (uint32_t b = 0; b < p.n_blocks && decodes; b++)
        decodes = check_block(c, &walk, &p, b, &st, plain, form_counts);
    if (check_reader_damage(c) || !decodes) return;
    if (walk.cf != entry->cf) list_finding(c, &walk, &p, "term frequencies do not add up");
    check_exceptions(c, &walk, &p);
    check_maxima(c, &walk, &p);
    if (p.kind == POSTINGS_SPARSE) check_sparse(c, &walk, &p);
    if (p.kind == POSTINGS_DENSE) {
        bucket_close(c, &walk, &p, p.n_buckets);
        check_dense(c, &walk, &p);
    }
    if (p.kind != POSTINGS_SMALL) padding(c, p.impacts + p.df, 8);
    check_streams_end(c, &st, &p);
    c->list_forms = p.n_forms > 1 ? check_streams_form_bytes(&st, &p) : 0;
    c->list_positions = entry->off + entry->len - c->list_forms -
                        (uint64_t)(p.exceptions.data + p.exceptions.len - c->s->file.data -
                                   (ptrdiff_t)c->s->info.sections[SECTION_POSTINGS].off);
    check_reader_damage(c);
}
