/* SPDX-License-Identifier: MIT
 *
 * filter.c - clauses to sets of documents, and the sets that were asked last; see filter.h.
 *
 * A set starts as the whole segment.  Clauses that are intervals narrow it; each other clause
 * is made a bitmap and met with it.  At the end a bitmap is drawn in to its first and last
 * document, and given up when all between them pass.
 */
#include "searcher/filter.h"

#include "common/codec/bits.h"
#include "common/codec/scan.h"

enum { DAY = 86400 };

/* ---- one atom -------------------------------------------------------------------------------- */

/* The first document not before `when`; dates rise. */
static uint32_t first_from(segment *s, int64_t when)
{
    uint32_t low = 0, high = s->info.n_docs;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (segment_date(s, mid) < when)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool filter_interval(segment *s, const query_filter *f, uint32_t *lo, uint32_t *hi)
{
    *lo = 0;
    *hi = s->info.date_width && f->from < f->to ? s->info.n_docs : 0;
    if (!*hi) return true;
    if (!s->info.dates_sorted) return false;
    *lo = first_from(s, f->from);
    *hi = first_from(s, f->to);
    if (*hi < *lo) *hi = *lo;
    return true;
}

bool filter_passes(segment *s, const query_filter *f, uint32_t doc)
{
    int64_t date = segment_date(s, doc);
    return date != INT64_MIN && date >= f->from && date < f->to;
}

/* ---- bitmaps --------------------------------------------------------------------------------- */

static size_t words_of(const segment *s)
{
    return (size_t)(s->info.n_docs / 512 + (s->info.n_docs % 512 != 0)) * 8;
}

static int64_t day_from(int64_t seconds)
{
    int64_t day = seconds / DAY;
    return day + (seconds % DAY > 0);
}

static int32_t day_bound(int64_t seconds)
{
    int64_t day = day_from(seconds);
    return day <= INT32_MIN ? INT32_MIN + 1 : day > INT32_MAX ? INT32_MAX : (int32_t)day;
}

/* Eight bytes of 0 and 1 to eight bits, 64 of them to a word. */
static uint64_t pack(const uint8_t *ones)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8; i++)
        bits |= load_u64(ones + 8 * i) * UINT64_C(0x0102040810204080) >> 56 << 8 * i;
    return bits;
}

/* Which of 64 documents have a day in [from, from + span).  A loop that compilers turn into
 * vectors. */
static uint64_t days_within(const uint8_t *days, uint32_t from, uint32_t span)
{
    uint8_t ones[64];
    for (size_t i = 0; i < 64; i++) ones[i] = load_u32(days + i * 4) - from < span;
    return pack(ones);
}

static uint64_t seconds_within(const uint8_t *dates, uint64_t from, uint64_t span)
{
    uint8_t ones[64];
    for (size_t i = 0; i < 64; i++) ones[i] = load_u64(dates + i * 8) - from < span;
    return pack(ones);
}

/* Add the documents of a date atom.  Undated is the least value, which no bound admits. */
static void add_dates(segment *s, const query_filter *f, uint64_t *out)
{
    slice column;
    uint32_t width = s->info.date_width, n = s->info.n_docs;
    if (!width || f->from >= f->to) return;
    if (!segment_slice(s, SECTION_DATE, 0, (uint64_t)n * width, &column)) return;
    int64_t from = f->from == INT64_MIN ? INT64_MIN + 1 : f->from;
    int32_t first = day_bound(from), last = day_bound(f->to);
    if (width == 4 && first >= last) return;
    uint64_t span =
        width == 4 ? (uint32_t)last - (uint32_t)first : (uint64_t)f->to - (uint64_t)from;
    uint8_t end[64 * 8] = {0}; /* the last documents; what is beyond them is cleared later   */
    memcpy(end, column.data + (size_t)(n / 64) * 64 * width, (size_t)(n % 64) * width);
    for (uint32_t at = 0; at < n; at += 64) {
        const uint8_t *dates = n - at < 64 ? end : column.data + (size_t)at * width;
        out[at / 64] |= width == 4 ? days_within(dates, (uint32_t)first, (uint32_t)span)
                                   : seconds_within(dates, (uint64_t)from, span);
    }
}

/* Add the documents with a value. */
static void add_postings(segment *s, const query_filter *f, uint64_t *out, size_t words)
{
    uint8_t key[1 + 1 + TERM_MAX_BYTES] = {KEY_FIELD};
    uint32_t docs[SEGMENT_BLOCK_MAX + SCAN_SLACK];
    term_entry entry;
    postings p;
    if (f->key.len > sizeof key - 1) return;
    memcpy(key + 1, f->key.data, f->key.len);
    if (!dict_find(s, key, 1 + f->key.len, &entry) || !postings_open(&p, s, &entry)) return;
    if (p.kind == POSTINGS_DENSE) {
        size_t n = (size_t)p.n_buckets * 8;
        scan_get()->or_into(out, p.bits, n < words ? n : words);
        return;
    }
    for (uint32_t b = 0; b < p.n_blocks; b++) {
        uint32_t n = postings_decode_block(&p, b, docs);
        for (uint32_t i = 0; i < n; i++) bits_set(out, docs[i]);
    }
}

/* ---- a set ----------------------------------------------------------------------------------- */

/* A clause of one date, in a segment in order of date; negated when what is left is one
 * interval, too. */
static bool clause_interval(segment *s, const filter_clause *c, uint32_t *lo, uint32_t *hi)
{
    uint32_t n = s->info.n_docs;
    if (c->n != 1 || c->atoms[0]->key.len || !filter_interval(s, c->atoms[0], lo, hi)) return false;
    if (!c->negated) return true;
    if (*lo == *hi)
        *lo = 0, *hi = n;
    else if (*lo == 0)
        *lo = *hi, *hi = n;
    else if (*hi == n)
        *hi = *lo, *lo = 0;
    else
        return false;
    return true;
}

static void clause_bits(segment *s, const filter_clause *c, uint64_t *out, size_t words)
{
    memset(out, 0, words * sizeof *out);
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->atoms[i]->key.len)
            add_postings(s, c->atoms[i], out, words);
        else
            add_dates(s, c->atoms[i], out);
    }
    for (size_t i = 0; c->negated && i < words; i++) out[i] = ~out[i];
}

/* Clear all bits outside [lo, hi). */
static void keep_interval(uint64_t *bits, size_t words, uint32_t lo, uint32_t hi)
{
    size_t first = lo / 64, last = hi / 64;
    memset(bits, 0, (first < words ? first : words) * sizeof *bits);
    if (first < words) bits[first] &= UINT64_MAX << lo % 64;
    if (last < words) {
        bits[last] &= (UINT64_C(1) << hi % 64) - 1;
        memset(bits + last + 1, 0, (words - last - 1) * sizeof *bits);
    }
}

static void draw_in(filter_set *f, const uint64_t *bits, size_t words)
{
    size_t first = 0, last = words;
    while (first < words && !bits[first]) first++;
    while (last > first && !bits[last - 1]) last--;
    f->n = (uint32_t)scan_get()->total(bits, words);
    f->lo = f->hi = 0;
    if (first == last) {
        f->bits = NULL;
        return;
    }
    f->lo = (uint32_t)first * 64 + (uint32_t)bits_lowest(bits[first]);
    f->hi = (uint32_t)(last - 1) * 64 + (uint32_t)bits_log2(bits[last - 1]) + 1;
    if (f->n == f->hi - f->lo) f->bits = NULL;
}

/* The documents of a bitmap, where they are few. */
static bool list_docs(filter_set *f, filter_room *room, uint32_t n_docs)
{
    uint32_t n = 0;
    if (!f->bits || f->n > n_docs / FILTER_FEW) return true;
    if (!mem_grow(&room->docs, &room->docs_cap, f->n, sizeof *room->docs)) return false;
    for (size_t at = f->lo / 64; at <= (f->hi - 1) / 64; at++)
        for (uint64_t word = f->bits[at]; word; word &= word - 1)
            room->docs[n++] = (uint32_t)at * 64 + bits_lowest(word);
    f->docs = room->docs;
    return true;
}

/* One more clause as a bitmap: *bits, NULL before the first one, are what all of them have. */
static bool meet_bits(filter_cache *c, filter_room *own, segment *s, const filter_clause *clause,
                      uint64_t **bits)
{
    size_t words = words_of(s);
    uint64_t **room = *bits ? &c->scratch : &own->words;
    size_t *cap = *bits ? &c->scratch_cap : &own->words_cap;
    if (!mem_grow(room, cap, words, sizeof **room)) return false;
    clause_bits(s, clause, *room, words);
    if (*bits) scan_get()->and_into(*bits, c->scratch, words);
    *bits = own->words;
    return true;
}

static bool make_set(filter_cache *c, filter_entry *e, segment *s, uint32_t segment_index,
                     const filter_clause *clauses, uint32_t n)
{
    filter_set *f = &e->sets[segment_index];
    filter_room *own = &e->rooms[segment_index];
    size_t words = words_of(s);
    uint64_t *bits = NULL;
    *f = (filter_set){.lo = 0, .hi = s->info.n_docs};
    for (uint32_t i = 0; i < n && f->lo < f->hi; i++) {
        uint32_t lo, hi;
        if (clause_interval(s, &clauses[i], &lo, &hi)) {
            if (lo > f->lo) f->lo = lo;
            if (hi < f->hi) f->hi = hi;
        } else if (!meet_bits(c, own, s, &clauses[i], &bits)) {
            return false;
        }
    }
    if (f->lo >= f->hi) {
        *f = (filter_set){0};
        return true;
    }
    f->n = f->hi - f->lo;
    if (!bits) return true;
    keep_interval(bits, words, f->lo, f->hi);
    f->bits = bits;
    draw_in(f, bits, words);
    return list_docs(f, own, s->info.n_docs);
}

uint32_t filter_from(const filter_set *f, uint32_t doc)
{
    if (doc < f->lo) doc = f->lo;
    if (doc >= f->hi) return UINT32_MAX;
    if (!f->bits) return doc;
    size_t at = doc / 64, end = (f->hi - 1) / 64;
    uint64_t word = f->bits[at] & UINT64_MAX << doc % 64;
    while (!word && at < end) word = f->bits[++at];
    return word ? (uint32_t)at * 64 + bits_lowest(word) : UINT32_MAX;
}

/* ---- the cache ------------------------------------------------------------------------------- */

static void entry_free(filter_entry *e)
{
    for (uint32_t i = 0; e->rooms && i < e->n_segments; i++) {
        mem_free(e->rooms[i].words);
        mem_free(e->rooms[i].docs);
    }
    mem_free(e->rooms);
    mem_free(e->sets);
    buf_free(&e->key);
}

void filter_cache_free(filter_cache *c)
{
    for (uint32_t i = 0; i < FILTERS_KEPT; i++) entry_free(&c->entries[i]);
    buf_free(&c->key);
    mem_free(c->scratch);
    memset(c, 0, sizeof *c);
}

static void spell(buf *key, const filter_clause *clauses, uint32_t n)
{
    buf_reset(key);
    for (uint32_t i = 0; i < n; i++) {
        buf_u8(key, clauses[i].negated ? '-' : '+');
        for (uint32_t k = 0; k < clauses[i].n; k++) {
            const pm_text shown = clauses[i].atoms[k]->shown;
            buf_append(key, shown.data, shown.len);
            buf_u8(key, 0);
        }
    }
}

static bool entry_ready(filter_entry *e, uint32_t n_segments)
{
    e->n_segments = n_segments;
    if (!e->sets) e->sets = mem_array(n_segments, sizeof *e->sets);
    if (!e->rooms) e->rooms = mem_array(n_segments, sizeof *e->rooms);
    return e->sets && e->rooms;
}

const filter_set *filter_find(filter_cache *c, snapshot *snap, const filter_clause *clauses,
                              uint32_t n)
{
    spell(&c->key, clauses, n);
    filter_entry *e = &c->entries[0];
    for (uint32_t i = 0; i < FILTERS_KEPT; i++) {
        filter_entry *one = &c->entries[i];
        bool same = one->key.len == c->key.len && c->key.len &&
                    !memcmp(one->key.data, c->key.data, c->key.len);
        if (same && !c->key.failed) {
            one->used = ++c->clock;
            return one->sets;
        }
        if (one->used < e->used) e = one;
    }
    buf_reset(&e->key);
    if (!entry_ready(e, snap->meta.n_segments)) return NULL;
    for (uint32_t i = 0; i < snap->meta.n_segments; i++)
        if (!make_set(c, e, snap->segments[i].seg, i, clauses, n)) return NULL;
    buf_append(&e->key, c->key.data, c->key.len);
    e->used = ++c->clock;
    if (!c->key.failed && !e->key.failed) return e->sets;
    buf_free(&e->key);
    buf_free(&c->key);
    return NULL;
}
