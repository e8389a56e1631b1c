/* SPDX-License-Identifier: MIT
 * postings.c - opening one posting list and decoding its blocks; see postings.h and FORMAT.md,
 * "posting lists".  Takes a dictionary entry, gives pointers into the map that have been
 * checked once: every array lies inside the region and its counts add up to df.  What the
 * arrays say is checked where it is used.
 */
#include "common/segment/postings.h"

#include "common/codec/kernels.h"
#include "common/codec/scan.h"
#include "common/segment/layout.h"

static bool postings_damaged(postings *p, const uint8_t *at, const char *what)
{
    uint64_t off = at ? (uint64_t)(at - p->s->file.data) : p->base;
    segment_damaged(p->s, off, section_name(SECTION_POSTINGS), what);
    return false;
}

/* ---- small lists ------------------------------------------------------------------------ */

static void small_maxima(postings *p)
{
    const codec_kernels *k = kernels_get();
    p->impact_max = k->kth_largest(p->impacts, p->df, 1);
    if (p->df >= 10) p->kth[0] = k->kth_largest(p->impacts, p->df, 10);
    if (p->df >= 100) p->kth[1] = k->kth_largest(p->impacts, p->df, 100);
}

static bool small_open(postings *p, slice region)
{
    size_t gaps = kernels_get()->varints_len(region, p->df);
    reader r = reader_of(region);
    p->gaps = read_slice(&r, gaps);
    p->impacts = read_bytes(&r, p->df);
    p->n_exceptions = (uint32_t)read_varint_max(&r, p->df);
    const uint8_t *pairs = r.p;
    for (uint32_t i = 0; i < 2 * p->n_exceptions && !r.bad; i++) read_varint(&r);
    if (!gaps || r.bad) return postings_damaged(p, NULL, "a short list is cut off");
    p->exceptions = (slice){pairs, (size_t)(r.p - pairs)};
    slice rest = {r.p, reader_left(&r)};
    if (p->has_positions)
        p->position_bytes = rest;
    else if (p->n_forms > 1)
        p->form_bits = rest;
    else if (rest.len)
        return postings_damaged(p, NULL, "a short list is too long");
    p->kind = POSTINGS_SMALL;
    p->n_blocks = 1;
    small_maxima(p);
    return true;
}

static uint32_t small_decode(const postings *p, uint32_t *out)
{
    if (kernels_get()->varint_rising(p->gaps, p->df, p->n_docs, out)) return p->df;
    /* Damaged, or gaps with needless bytes, which are allowed. */
    reader r = reader_of(p->gaps);
    uint64_t next = 0;
    for (uint32_t i = 0; i < p->df; i++) {
        uint64_t doc = next + read_varint_max(&r, p->n_docs);
        if (r.bad || doc >= p->n_docs) return 0;
        out[i] = (uint32_t)doc;
        next = doc + 1;
    }
    return p->df;
}

/* ---- longer lists ----------------------------------------------------------------------- */

/* n elements of `size` bytes, padded to `align`. */
static const void *take(reader *r, uint64_t n, uint64_t size, uint64_t align)
{
    return read_bytes(r, layout_align(n * size, align));
}

static bool sparse_counts(postings *p)
{
    uint64_t sum = 0;
    p->uniform = true;
    for (uint32_t b = 0; b < p->n_blocks; b++) {
        sum += p->count_1[b] + 1u;
        if (b + 1 < p->n_blocks && p->count_1[b] + 1u != p->block_size) p->uniform = false;
    }
    if (p->uniform && p->n_blocks > 1 && p->count_1[p->n_blocks - 1] >= p->block_size)
        p->uniform = false;
    return sum == p->df;
}

static bool sparse_open(postings *p, reader *r, uint32_t n_blocks)
{
    p->kind = POSTINGS_SPARSE;
    p->n_blocks = n_blocks;
    p->last = take(r, n_blocks, 4, 1);
    p->off = take(r, n_blocks, 4, 1);
    p->count_1 = take(r, n_blocks, 1, 1);
    p->block_max = take(r, n_blocks, 1, 1);
    take(r, (8 - 2 * (n_blocks % 4)) % 8, 1, 1);
    p->ef = take(r, p->ef_words, 8, 1);
    if (r->bad || n_blocks == 0 || !sparse_counts(p))
        return postings_damaged(p, NULL, "the block directory does not fit the list");
    return true;
}

static bool dense_open(postings *p, reader *r, uint32_t n_blocks)
{
    p->kind = POSTINGS_DENSE;
    p->n_blocks = (uint32_t)layout_groups(p->df, p->block_size);
    p->uniform = true;
    p->n_buckets = (uint32_t)layout_groups(p->n_docs, BUCKET_DOCS);
    p->bits = take(r, (uint64_t)p->n_buckets * 8, 8, 1);
    p->rank = take(r, p->n_buckets, 4, 1);
    p->bucket_max = take(r, p->n_buckets, 1, 1);
    take(r, (8 - 5 * (uint64_t)p->n_buckets % 8) % 8, 1, 1);
    if (r->bad || n_blocks || p->ef_words)
        return postings_damaged(p, NULL, "the bitmap does not fit the list");
    return true;
}

/* Positions' directory and bytes, then the form bits; r stands behind the exceptions. */
static bool streams_open(postings *p, reader *r)
{
    if (p->has_positions) {
        uint64_t dir_len = (uint64_t)p->n_blocks * 4;
        if (reader_left(r) < 8 + dir_len ||
            !segment_touch_slice(p->s, (slice){r->p, (size_t)(8 + dir_len)}))
            return postings_damaged(p, r->p, "the positions are cut off");
        uint64_t len = read_u64(r);
        p->position_dir = read_slice(r, dir_len);
        p->position_bytes = read_slice(r, len);
        if (r->bad) return postings_damaged(p, NULL, "the positions are cut off");
    }
    slice rest = {r->p, reader_left(r)};
    if (p->n_forms > 1)
        p->form_bits = rest;
    else if (rest.len)
        return postings_damaged(p, r->p, "the list is too long");
    return true;
}

/* Bytes of a longer list before its positions, from its head alone. */
static uint64_t large_core_len(const postings *p, const uint8_t *head, bool dense)
{
    uint64_t n_blocks = load_u32(head + 12), buckets = layout_groups(p->n_docs, BUCKET_DOCS);
    uint64_t docs = dense ? buckets * 64 + layout_align(buckets * 5, 8)
                          : layout_align(n_blocks * 10, 8) + (uint64_t)load_u32(head + 8) * 8;
    return LIST_HEAD_BYTES + docs + layout_align(p->df, 8) + (uint64_t)load_u32(head + 4) * 8;
}

static bool large_open(postings *p, slice region)
{
    bool dense = layout_is_dense(&p->s->info, p->df);
    reader r = reader_of(region);
    slice head = {r.p, LIST_HEAD_BYTES};
    if (!read_bytes(&r, LIST_HEAD_BYTES) || !segment_touch_slice(p->s, head))
        return postings_damaged(p, NULL, "the list is cut off");
    uint64_t core = large_core_len(p, head.data, dense);
    if (core > region.len || !segment_touch_slice(p->s, (slice){region.data, (size_t)core}))
        return postings_damaged(p, NULL, "the list is cut off");
    p->impact_max = head.data[0];
    memcpy(p->kth, head.data + 1, 3);
    p->n_exceptions = load_u32(head.data + 4);
    p->ef_words = load_u32(head.data + 8);
    uint32_t n_blocks = load_u32(head.data + 12);
    if (!(dense ? dense_open(p, &r, n_blocks) : sparse_open(p, &r, n_blocks))) return false;
    p->impacts = take(&r, p->df, 1, 8);
    p->exceptions = read_slice(&r, (uint64_t)p->n_exceptions * 8);
    if (r.bad || p->n_exceptions > p->df) return postings_damaged(p, NULL, "the list is cut off");
    return streams_open(p, &r);
}

bool postings_open(postings *out, segment *s, const term_entry *entry)
{
    *out = (postings){.s = s,
                      .df = entry->df,
                      .cf = entry->cf,
                      .n_docs = s->info.n_docs,
                      .block_size = s->info.block_size,
                      .base = s->info.sections[SECTION_POSTINGS].off + entry->off,
                      .has_positions = entry->has_positions,
                      .n_forms = entry->n_forms};
    const section *sec = &s->info.sections[SECTION_POSTINGS];
    bool ok = entry->off <= sec->len && entry->len <= sec->len - entry->off && entry->df > 0 &&
              entry->df <= s->info.n_docs && entry->cf >= entry->df;
    if (!ok)
        segment_damaged(s, sec->off, section_name(SECTION_POSTINGS),
                        "an entry leads out of the section");
    slice region = {s->file.data + out->base, (size_t)entry->len};
    if (ok && entry->df <= s->info.block_size)
        ok = segment_touch_slice(s, region) && small_open(out, region);
    else if (ok)
        ok = out->base % 8 ? postings_damaged(out, NULL, "a list is not aligned")
                           : large_open(out, region);
    if (!ok) *out = (postings){.s = s, .n_docs = s->info.n_docs, .block_size = s->info.block_size};
    return ok;
}

/* ---- blocks ------------------------------------------------------------------------------- */

uint32_t postings_block_rank(const postings *p, uint32_t b)
{
    if (b == 0) return 0;
    if (b >= p->n_blocks) return p->df;
    if (p->uniform) return b * p->block_size;
    uint32_t rank = 0;
    for (uint32_t i = 0; i < b; i++) rank += p->count_1[i] + 1u;
    return rank;
}

static uint32_t sparse_decode(const postings *p, uint32_t b, uint32_t *out)
{
    uint64_t base = b ? (uint64_t)p->last[b - 1] + 1 : 0;
    uint32_t last = p->last[b];
    ef_shape shape;
    if (last >= p->n_docs || base > last) return 0;
    if (!ef_shape_of(p->count_1[b] + 1u, last - (uint32_t)base, &shape)) return 0;
    if (p->off[b] > p->ef_words || shape.words > p->ef_words - p->off[b]) return 0;
    return kernels_get()->ef_decode(&shape, p->ef + p->off[b], (uint32_t)base, out);
}

/* Last bucket that starts at or before rank. */
static uint32_t dense_bucket_of(const postings *p, uint32_t rank)
{
    uint32_t low = 0, high = p->n_buckets;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (p->rank[mid] <= rank)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static uint32_t dense_decode(const postings *p, uint32_t b, uint32_t *out)
{
    uint32_t first = b * p->block_size, n = p->df - first;
    if (n > p->block_size) n = p->block_size;
    uint32_t bucket = dense_bucket_of(p, first);
    if (p->rank[bucket] > first || first - p->rank[bucket] >= BUCKET_DOCS) return 0;
    uint32_t word = bucket * (BUCKET_DOCS / 64);
    uint32_t got =
        kernels_get()->bits_expand(p->bits + word, p->n_buckets * (BUCKET_DOCS / 64) - word,
                                   word * 64, first - p->rank[bucket], n, out);
    return got == n && out[n - 1] < p->n_docs ? n : 0;
}

uint32_t postings_decode_block(const postings *p, uint32_t b, uint32_t *out)
{
    if (b >= p->n_blocks) return 0;
    uint32_t n = p->kind == POSTINGS_SMALL    ? small_decode(p, out)
                 : p->kind == POSTINGS_SPARSE ? sparse_decode(p, b, out)
                                              : dense_decode(p, b, out);
    if (!n)
        segment_damaged(p->s, p->base, section_name(SECTION_POSTINGS), "a block does not decode");
    return n;
}

/* ---- term frequencies --------------------------------------------------------------------- */

static uint32_t small_exception(const postings *p, uint32_t rank)
{
    reader r = reader_of(p->exceptions);
    uint64_t next = 0;
    for (uint32_t i = 0; i < p->n_exceptions && next <= rank; i++) {
        uint64_t at = next + read_varint_max(&r, p->df);
        uint64_t tf = read_varint_max(&r, UINT32_MAX);
        if (at == rank) return (uint32_t)tf;
        next = at + 1;
    }
    return 0;
}

/* Index of the first exception whose rank is not below `rank`. */
static uint32_t large_exception_from(const postings *p, uint32_t rank)
{
    uint32_t low = 0, high = p->n_exceptions;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (load_u32(p->exceptions.data + 4 * (size_t)mid) < rank)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static uint32_t large_exception(const postings *p, uint32_t rank)
{
    uint32_t i = large_exception_from(p, rank);
    const uint8_t *ranks = p->exceptions.data;
    if (i == p->n_exceptions || load_u32(ranks + 4 * (size_t)i) != rank) return 0;
    return load_u32(ranks + 4 * ((size_t)p->n_exceptions + i));
}

/* What to believe of a posting whose tf should have been an exception. */
static uint32_t tf_missing(const postings *p)
{
    segment_damaged(p->s, p->base, section_name(SECTION_POSTINGS), "a term frequency is missing");
    return 1;
}

uint32_t postings_tf(const postings *p, uint32_t rank, uint32_t dl)
{
    if (rank >= p->df) return 0;
    if (p->n_exceptions) {
        uint32_t tf =
            p->kind == POSTINGS_SMALL ? small_exception(p, rank) : large_exception(p, rank);
        if (tf) return tf;
    }
    if (p->impacts[rank] == 255) return tf_missing(p);
    return impact_decode(p->impacts[rank], segment_norm(&p->s->info, dl));
}

/* Set out[i] where rank + i < end is an exception that says more than 0. */
static void small_exceptions(const postings *p, uint32_t rank, uint32_t n, uint32_t *out)
{
    reader r = reader_of(p->exceptions);
    uint64_t next = 0, end = (uint64_t)rank + n;
    for (uint32_t i = 0; i < p->n_exceptions && next < end; i++) {
        uint64_t at = next + read_varint_max(&r, p->df);
        uint32_t tf = (uint32_t)read_varint_max(&r, UINT32_MAX);
        if (at >= rank && at < end && tf) out[at - rank] = tf;
        next = at + 1;
    }
}

static void large_exceptions(const postings *p, uint32_t rank, uint32_t n, uint32_t *out)
{
    const uint8_t *ranks = p->exceptions.data;
    uint32_t first = large_exception_from(p, rank), left = p->n_exceptions - first;
    for (uint32_t i = first; i - first < n && i - first < left; i++) {
        uint32_t at = load_u32(ranks + 4 * (size_t)i);
        uint32_t tf = load_u32(ranks + 4 * ((size_t)p->n_exceptions + i));
        if (at < rank || at - rank >= n) break;
        if (tf) out[at - rank] = tf;
    }
}

void postings_exceptions(const postings *p, uint32_t rank, uint32_t n, uint32_t *at, uint32_t *out)
{
    if (p->kind == POSTINGS_SMALL) {
        small_exceptions(p, rank, n, out);
        return;
    }
    const uint32_t *ranks = (const uint32_t *)(const void *)p->exceptions.data;
    uint32_t from = *at > p->n_exceptions || (*at && ranks[*at - 1] >= rank) ? 0 : *at;
    uint32_t i = scan_get()->seek(ranks, from, p->n_exceptions, rank);
    for (*at = i; i < p->n_exceptions && ranks[i] - rank < n; i++) {
        uint32_t tf = load_u32(p->exceptions.data + 4 * ((size_t)p->n_exceptions + i));
        if (tf) out[ranks[i] - rank] = tf;
    }
}

void postings_tfs(const postings *p, uint32_t rank, uint32_t n, const uint32_t *docs, uint32_t *out)
{
    uint32_t lengths[POSTINGS_TF_MAX];
    segment_lengths(p->s, docs, n, lengths);
    postings_tfs_of(p, rank, n, lengths, out);
}

void postings_tfs_of(const postings *p, uint32_t rank, uint32_t n, const uint32_t *lengths,
                     uint32_t *out)
{
    const segment_info *info = &p->s->info;
    bool missing = false;
    for (uint32_t i = 0; i < n; i++) missing |= p->impacts[rank + i] == 255;
    const norm_scale scale = {info->k1, info->b, info->avgdl_ref};
    kernels_get()->impact_tf(p->impacts + rank, lengths, n, &scale, out);
    for (uint32_t i = 0; missing && i < n; i++)
        if (p->impacts[rank + i] == 255) out[i] = 0;
    if (p->n_exceptions && p->kind == POSTINGS_SMALL)
        small_exceptions(p, rank, n, out);
    else if (p->n_exceptions)
        large_exceptions(p, rank, n, out);
    for (uint32_t i = 0; missing && i < n; i++)
        if (!out[i]) out[i] = tf_missing(p);
}
