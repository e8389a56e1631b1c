/* SPDX-License-Identifier: MIT
 * second_reader.c - see second_reader.h.  Section names in comments are FORMAT.md's.
 */
#include "tests/oracle/second_reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- expectations and bytes ------------------------------------------------------------------ */

static const char *second_path;

#define EXPECT(cond) expect((cond), #cond, __LINE__)
static void expect(bool ok, const char *what, int line)
{
    if (ok) return;
    fprintf(stderr, "second_reader.c:%d: %s: expected %s\n", line, second_path, what);
    abort();
}

static void *room(uint64_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    EXPECT(p != NULL);
    return p;
}

typedef struct bytes {
    const uint8_t *p;
    uint64_t len, at;
} bytes;

static uint64_t number(bytes *b, unsigned width)
{
    uint64_t v = 0;
    EXPECT(b->at + width <= b->len);
    for (unsigned i = 0; i < width; i++) v |= (uint64_t)b->p[b->at++] << 8 * i;
    return v;
}

static uint64_t varint(bytes *b)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 10; i++) {
        uint64_t byte = number(b, 1);
        v |= (byte & 127) << 7 * i;
        if (byte < 128) return v;
    }
    EXPECT(!"a varint ends");
    return 0;
}

static double real(bytes *b)
{
    uint64_t v = number(b, 8);
    double d;
    memcpy(&d, &v, 8);
    return d;
}

static void zeros(bytes *b, uint64_t n)
{
    while (n--) EXPECT(number(b, 1) == 0);
}

static void zeros_to(bytes *b, uint64_t start, uint64_t multiple)
{
    while ((b->at - start) % multiple) EXPECT(number(b, 1) == 0);
}

static bytes part(const bytes *b, uint64_t off, uint64_t len)
{
    EXPECT(off <= b->len && len <= b->len - off);
    return (bytes){b->p + off, len, 0};
}

static bool bit(const uint8_t *p, uint64_t at) { return p[at / 8] >> at % 8 & 1; }

static uint64_t groups(uint64_t x, uint64_t n) { return (x + n - 1) / n; }
static uint64_t align(uint64_t x, uint64_t n) { return groups(x, n) * n; }

static uint32_t crc(const uint8_t *p, uint64_t n)
{
    uint32_t c = UINT32_MAX;
    for (; n--; p++) {
        c ^= *p;
        for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
    }
    return ~c;
}

/* ---- Segment file ----------------------------------------------------------------------------- */

enum { STORE, STORE_DIR, POSTINGS, TERMS, TERMS_INDEX, FORMS, FORMS_INDEX, LENGTHS, SEQUENCE, DATES,
       ID_OFFSETS, IDS, ID_TABLE, SECTIONS };

typedef struct file {
    bytes all, sections[SECTIONS];
    uint64_t n_docs, n_terms, n_forms, plain_terms, plain_postings, plain_positions, sum_dl;
    double k1, b, avgdl_ref;
    uint64_t block_size, dense_shift, flags, dl_width, seq_width, date_width, seq_base;
    uint32_t *dl;
} file;

static void read_header(const file *f)
{
    bytes h = part(&f->all, 0, 64);
    EXPECT(!memcmp(h.p, "\x89PMS\r\n\x1a\n", 8));
    h.at = 8;
    EXPECT(number(&h, 4) == 1);
    zeros(&h, 4);
    h.at = 40;
    zeros(&h, 20);
    EXPECT(number(&h, 4) == crc(h.p, 60));
}

static void read_places(file *f, bytes *foot)
{
    static const int order[SECTIONS] = {STORE, POSTINGS, STORE_DIR, TERMS, TERMS_INDEX, FORMS, FORMS_INDEX,
                                        LENGTHS, SEQUENCE, DATES, ID_OFFSETS, IDS, ID_TABLE};
    uint64_t off[SECTIONS], len[SECTIONS], at = 64;
    for (int i = 0; i < SECTIONS; i++) {
        off[i] = number(foot, 8);
        len[i] = number(foot, 8);
        f->sections[i] = part(&f->all, off[i], len[i]);
    }
    for (int i = 0; i < SECTIONS; i++) {
        uint64_t end = off[order[i]] + len[order[i]];
        EXPECT(off[order[i]] == at);
        at = align(end + 64, 64);
        f->all.at = end;
        zeros(&f->all, at - end);
    }
    EXPECT(number(foot, 8) == at);
    EXPECT(number(foot, 8) == 4 * groups(at, 65536));
    for (uint64_t page = 0; page < at; page += 65536)
        EXPECT(number(&f->all, 4) == crc(f->all.p + page, at - page < 65536 ? at - page : 65536));
    zeros_to(&f->all, 0, 8);
    EXPECT(f->all.at == f->all.len - 384);
    EXPECT(number(foot, 4) == crc(f->all.p + at, f->all.at - at));
}

static void read_footer(file *f)
{
    bytes foot = part(&f->all, f->all.len - 384, 384);
    EXPECT(!memcmp(foot.p, f->all.p + 16, 24));
    foot.at = 24;
    EXPECT(number(&foot, 4) == 1);
    f->n_docs = number(&foot, 4);
    f->n_terms = number(&foot, 8);
    f->n_forms = number(&foot, 8);
    f->plain_terms = number(&foot, 8);
    f->plain_postings = number(&foot, 8);
    f->plain_positions = number(&foot, 8);
    f->sum_dl = number(&foot, 8);
    f->k1 = real(&foot);
    f->b = real(&foot);
    f->avgdl_ref = real(&foot);
    f->block_size = number(&foot, 4);
    f->dense_shift = number(&foot, 4);
    f->flags = number(&foot, 4);
    f->dl_width = number(&foot, 1);
    f->seq_width = number(&foot, 1);
    f->date_width = number(&foot, 1);
    zeros(&foot, 1);
    f->seq_base = number(&foot, 8);
    read_places(f, &foot);
    zeros(&foot, 4);
    EXPECT(number(&foot, 8) == f->all.len);
    EXPECT(!memcmp(foot.p + foot.at, "PMSEND\r\n", 8));
    foot.at += 8;
    zeros(&foot, 4);
    EXPECT(number(&foot, 4) == crc(foot.p, 380));
}

/* ---- Document columns, stored records ---------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint32_t id_hash(const uint8_t *p, uint64_t len)
{
    uint64_t h = 0x9e3779b97f4a7c15u, i = 0;
    do {
        uint64_t w = 0;
        for (unsigned k = 0; k < 8 && i + k < len; k++) w |= (uint64_t)p[i + k] << 8 * k;
        h = mix(h ^ w) + 0x9e3779b97f4a7c15u;
        i += 8;
    } while (i <= len); /* a word for what is left, also when nothing is                   */
    return (uint32_t)(mix(h ^ len) >> 32);
}

static int64_t read_date(bytes *dates, uint64_t width)
{
    if (width == 0) return INT64_MIN;
    uint64_t v = number(dates, (unsigned)width);
    if (width == 8) return (int64_t)v;
    return v == 0x80000000u ? INT64_MIN : (int64_t)(int32_t)(uint32_t)v * 86400;
}

static void read_id_table(file *f)
{
    bytes table = f->sections[ID_TABLE], offs = f->sections[ID_OFFSETS];
    uint64_t before = 0;
    for (uint64_t i = 0; i < f->n_docs; i++) {
        table.at = 4 * i;
        uint64_t hash = number(&table, 4);
        table.at = 4 * (f->n_docs + i);
        uint64_t doc = number(&table, 4);
        EXPECT(doc < f->n_docs && (i == 0 || (hash << 32 | doc) > before));
        before = hash << 32 | doc;
        offs.at = 8 * doc;
        uint64_t start = number(&offs, 8), end = number(&offs, 8);
        EXPECT(hash == id_hash(f->sections[IDS].p + start, end - start));
    }
}

/* Inflates block i into fresh memory; *n_docs records begin with document *first. */
static bytes read_block(file *f, uint64_t i, uint64_t *first, uint64_t *n_docs)
{
    bytes table = f->sections[STORE_DIR];
    table.at = 16 * i;
    uint64_t off = number(&table, 8);
    *first = number(&table, 4);
    uLongf raw_len = (uLongf)number(&table, 4);
    uint64_t end = number(&table, 8);
    *n_docs = number(&table, 4) - *first;
    bytes deflated = part(&f->sections[STORE], off, end - off), raw = {room(raw_len, 1), raw_len, 0};
    uLongf got = raw_len;
    union { const uint8_t *read; uint8_t *write; } to = {raw.p};
    EXPECT(uncompress(to.write, &got, deflated.p, (uLong)deflated.len) == Z_OK && got == raw_len);
    return raw;
}

static void read_docs(file *f, const second_sink *sink)
{
    bytes dl = f->sections[LENGTHS], seq = f->sections[SEQUENCE], date = f->sections[DATES],
          offs = f->sections[ID_OFFSETS];
    uint64_t blocks = f->sections[STORE_DIR].len / 16 - 1, doc = 0, first, n, sum = 0;
    f->dl = room(f->n_docs, sizeof *f->dl);
    for (uint64_t i = 0; i < blocks; i++) {
        bytes raw = read_block(f, i, &first, &n), lengths = raw;
        EXPECT(first == doc && n > 0);
        for (uint64_t k = 0; k < n; k++) varint(&raw); /* raw now stands at the records        */
        for (uint64_t k = 0; k < n; k++, doc++) {
            uint64_t len = varint(&lengths), start = number(&offs, 8), end = number(&offs, 8);
            offs.at -= 8;
            second_doc out = {.record = raw.p + raw.at, .record_len = len, .id = f->sections[IDS].p + start, .id_len = end - start};
            out.dl = (uint32_t)number(&dl, (unsigned)f->dl_width);
            out.seq = f->seq_width == 8 ? number(&seq, 8) : f->seq_base + (f->seq_width ? number(&seq, 4) : doc);
            out.date = read_date(&date, f->date_width);
            raw.at += len;
            EXPECT(raw.at <= raw.len && end <= f->sections[IDS].len && start < end);
            f->dl[doc] = out.dl;
            sum += out.dl;
            if (sink->doc) sink->doc(sink->ctx, (uint32_t)doc, &out);
        }
        EXPECT(raw.at == raw.len);
        union { const uint8_t *read; uint8_t *write; } of = {raw.p};
        free(of.write);
    }
    EXPECT(doc == f->n_docs && sum == f->sum_dl);
    read_id_table(f);
}

/* ---- Dictionaries ------------------------------------------------------------------------------ */

typedef struct keys {
    bytes blocks, index;
    uint64_t n, total, n_blocks;
    uint8_t key[1024], before[1024];
    size_t len;
} keys;

static keys keys_of(const file *f, int blocks, int index, uint64_t total)
{
    keys k = {.blocks = f->sections[blocks], .index = f->sections[index], .total = total, .n_blocks = groups(total, 16)};
    EXPECT(k.index.len == 16 * k.n_blocks);
    return k;
}

/* The next key; at a block's start the index is compared, and *base read when there is one. */
static void next_key(keys *k, uint64_t *base)
{
    bool first = k->n % 16 == 0;
    if (first) {
        k->index.at = 8 * (k->n_blocks + k->n / 16);
        EXPECT(number(&k->index, 8) == k->blocks.at);
        if (base) *base = varint(&k->blocks);
    }
    uint64_t shared = varint(&k->blocks), rest = varint(&k->blocks);
    EXPECT(shared <= k->len && shared + rest >= 1 && shared + rest <= 1024 && (!first || shared == 0));
    memcpy(k->before, k->key, k->len);
    for (uint64_t i = 0; i < rest; i++) k->key[shared + i] = (uint8_t)number(&k->blocks, 1);
    size_t len = (size_t)(shared + rest), least = len < k->len ? len : k->len;
    int order = memcmp(k->before, k->key, least);
    EXPECT(k->n == 0 || order < 0 || (order == 0 && k->len < len));
    if (!first && shared < least) EXPECT(k->before[shared] != k->key[shared]);
    k->len = len;
    if (first) {
        uint64_t prefix = 0;
        for (size_t i = 0; i < 8; i++) prefix = prefix << 8 | (i < len ? k->key[i] : 0);
        k->index.at = 8 * (k->n / 16);
        EXPECT(number(&k->index, 8) == prefix);
    }
    k->n++;
}

static void read_forms(file *f, const second_sink *sink)
{
    keys k = keys_of(f, FORMS, FORMS_INDEX, f->n_forms);
    while (k.n < k.total) {
        next_key(&k, NULL);
        second_form form = {.key = k.key, .key_len = k.len};
        form.term = (uint32_t)varint(&k.blocks);
        form.index = (uint32_t)varint(&k.blocks);
        form.df = (uint32_t)varint(&k.blocks);
        form.cf = form.df + varint(&k.blocks);
        if (sink->form) sink->form(sink->ctx, &form);
    }
    EXPECT(k.blocks.at == k.blocks.len);
}

/* ---- Posting lists ----------------------------------------------------------------------------- */

typedef struct walk {
    file *f;
    second_list *list;
    bytes region;
    uint64_t n_blocks, block_of[4096]; /* postings of each block                              */
} walk;

static uint64_t field(const uint8_t *p, uint64_t at, uint64_t n)
{
    uint64_t v = 0;
    for (uint64_t i = 0; i < n; i++) v |= (uint64_t)bit(p, at + i) << i;
    return v;
}

static uint64_t log2_floor(uint64_t x)
{
    uint64_t h = 0;
    while (x >>= 1) h++;
    return h;
}

/* "Block of a sparse list": n documents from base to last out of the words at p. */
static uint64_t read_ef(const bytes *words, uint64_t at, uint64_t n, uint64_t base, uint64_t last, uint32_t *docs)
{
    uint64_t range = last - base, l = range < n ? 0 : log2_floor(range / n), i = 0;
    uint64_t low = n == 256 ? 4 * l : groups(n * l, 64), high = groups(n + (range >> l), 64);
    bool bitmap = groups(range + 1, 64) <= 2 * (low + high);
    uint64_t used = bitmap ? groups(range + 1, 64) : low + high;
    bytes block = part(words, 8 * at, 8 * used);
    const uint8_t *ones = bitmap ? block.p : block.p + 8 * low;
    uint64_t n_bits = 64 * (bitmap ? used : high);
    for (uint64_t at_bit = 0; at_bit < n_bits; at_bit++) {
        if (!bit(ones, at_bit)) continue;
        EXPECT(i < n);
        uint64_t value = at_bit;
        if (!bitmap) {
            uint64_t lows = 0;
            for (uint64_t k = 0; k < l; k++) { /* bit k of value i                              */
                uint64_t in_lane = i / 8 * l + k;
                uint64_t where = n == 256 ? 32 * (8 * (in_lane / 32) + i % 8) + in_lane % 32 : i * l + k;
                lows |= (uint64_t)bit(block.p, where) << k;
            }
            value = (at_bit - i) << l | lows;
        }
        docs[i++] = (uint32_t)(base + value);
    }
    EXPECT(i == n && docs[n - 1] == last);
    if (!bitmap && n != 256) EXPECT(field(block.p, n * l, 64 * low - n * l < 64 ? 64 * low - n * l : 0) == 0);
    return used;
}

static void read_sparse(walk *w, uint64_t n_words, uint64_t n_blocks)
{
    bytes *r = &w->region;
    EXPECT(n_blocks > 0 && n_blocks <= 4096);
    uint64_t start = r->at, words_at = align(start + 10 * n_blocks, 8), sum = 0, word = 0;
    EXPECT(start % 8 == 0);
    bytes words = part(r, words_at, 8 * n_words);
    for (uint64_t b = 0; b < n_blocks; b++) {
        bytes d = *r;
        uint64_t base = 0;
        if (b) {
            d.at = start + 4 * (b - 1);
            base = number(&d, 4) + 1;
        }
        d.at = start + 4 * b;
        uint64_t last = number(&d, 4);
        d.at = start + 4 * (n_blocks + b);
        EXPECT(number(&d, 4) == word);
        d.at = start + 8 * n_blocks + b;
        uint64_t n = number(&d, 1) + 1;
        EXPECT(sum + n <= w->list->df && last >= base && last < w->f->n_docs);
        word += read_ef(&words, word, n, base, last, w->list->docs + sum);
        w->block_of[b] = n;
        sum += n;
    }
    EXPECT(sum == w->list->df && word == n_words);
    w->n_blocks = n_blocks;
    r->at = start + 10 * n_blocks;
    zeros_to(r, 0, 8);
    r->at = words_at + 8 * n_words;
}

static void read_dense(walk *w)
{
    bytes *r = &w->region;
    uint64_t buckets = groups(w->f->n_docs, 512), n = 0;
    bytes bits = part(r, r->at, 64 * buckets);
    r->at += 64 * buckets;
    for (uint64_t b = 0; b < buckets; b++) {
        EXPECT(number(r, 4) == n);
        for (uint64_t doc = 512 * b; doc < 512 * (b + 1); doc++)
            if (bit(bits.p, doc)) {
                EXPECT(n < w->list->df && doc < w->f->n_docs);
                w->list->docs[n++] = (uint32_t)doc;
            }
    }
    EXPECT(n == w->list->df);
    r->at += buckets; /* maxima: compared when the impacts are known                        */
    zeros_to(r, 0, 8);
    w->n_blocks = groups(n, w->f->block_size);
    EXPECT(w->n_blocks <= 4096);
    for (uint64_t b = 0; b < w->n_blocks; b++)
        w->block_of[b] = n - b * w->f->block_size < w->f->block_size ? n - b * w->f->block_size : w->f->block_size;
}

static void read_impacts(walk *w)
{
    for (uint32_t i = 0; i < w->list->df; i++) w->list->impacts[i] = (uint8_t)number(&w->region, 1);
}

/* tf from impact and length; 0 for 255, which needs an exception. */
static void recover_tfs(walk *w)
{
    const file *f = w->f;
    for (uint32_t i = 0; i < w->list->df; i++) {
        double dl = f->dl[w->list->docs[i]], norm = f->k1 * ((1 - f->b) + (f->b * dl) / f->avgdl_ref);
        double impact = w->list->impacts[i], tf = floor((norm * impact) / (255 - impact) + 0.5);
        w->list->tfs[i] = impact == 255 ? 0 : tf < 1 ? 1 : (uint32_t)tf;
    }
}

static void set_exception(walk *w, uint64_t rank, uint64_t tf)
{
    EXPECT(rank < w->list->df && tf > 0 && tf != w->list->tfs[rank]);
    w->list->tfs[rank] = (uint32_t)tf;
}

static void read_small(walk *w)
{
    bytes *r = &w->region;
    uint64_t next = 0;
    for (uint32_t i = 0; i < w->list->df; i++) {
        next += varint(r);
        EXPECT(next < w->f->n_docs);
        w->list->docs[i] = (uint32_t)next++;
    }
    read_impacts(w);
    recover_tfs(w);
    next = 0;
    for (uint64_t n = varint(r); n--; next++) {
        next += varint(r);
        set_exception(w, next, varint(r));
    }
    w->n_blocks = 1;
    w->block_of[0] = w->list->df;
}

/* k-th largest impact, 0 when there are fewer. */
static unsigned kth_impact(const second_list *list, uint32_t k)
{
    for (unsigned v = 255; v > 0; v--) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < list->df; i++) n += list->impacts[i] >= v;
        if (n >= k) return v;
    }
    return 0;
}

/* Maxima of the blocks (sparse) or buckets (dense), which stand at `at`. */
static void compare_maxima(walk *w, bool dense, uint64_t at, uint64_t n)
{
    uint64_t rank = 0;
    for (uint64_t b = 0; b < n; b++) {
        uint8_t max = 0;
        for (uint64_t i = 0; dense ? rank < w->list->df && w->list->docs[rank] / 512 == b : i < w->block_of[b]; i++, rank++)
            if (w->list->impacts[rank] > max) max = w->list->impacts[rank];
        EXPECT(w->region.p[at + b] == max);
    }
}

static void read_large(walk *w, bool dense)
{
    static const uint32_t wanted[4] = {1, 10, 100, 1000};
    bytes *r = &w->region;
    uint64_t buckets = groups(w->f->n_docs, 512);
    bytes maxima = part(r, 0, 4);
    r->at = 4;
    uint64_t n_exceptions = number(r, 4), n_words = number(r, 4), n_blocks = number(r, 4);
    if (dense) {
        EXPECT(n_words == 0 && n_blocks == 0);
        read_dense(w);
    } else {
        read_sparse(w, n_words, n_blocks);
    }
    read_impacts(w);
    zeros_to(r, 0, 8);
    recover_tfs(w);
    bytes ranks = part(r, r->at, 4 * n_exceptions), tfs = part(r, r->at + 4 * n_exceptions, 4 * n_exceptions);
    while (ranks.at < ranks.len) {
        uint64_t rank = number(&ranks, 4);
        set_exception(w, rank, number(&tfs, 4));
    }
    r->at += 8 * n_exceptions;
    for (unsigned k = 0; k < 4; k++) EXPECT(number(&maxima, 1) == kth_impact(w->list, wanted[k]));
    if (dense) compare_maxima(w, true, 16 + 68 * buckets, buckets);
    else compare_maxima(w, false, 16 + 9 * n_blocks, n_blocks);
}

/* ---- Positions, Forms ---------------------------------------------------------------------------- */

static uint64_t nibble_number(const bytes *b, uint64_t *at)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 3) {
        EXPECT(*at / 2 < b->len && shift < 33);
        unsigned nibble = b->p[*at / 2] >> 4 * (*at % 2) & 15;
        ++*at;
        v |= (uint64_t)(nibble & 7) << shift;
        if (nibble < 8) return v;
    }
}

/* One block of n postings, the first of which has this rank; r stands behind it. */
static void read_position_block(walk *w, bytes *r, uint64_t rank, uint64_t n, uint32_t *out)
{
    uint64_t width = n > 16 ? number(r, 1) : 0, header = r->at, at = 0;
    EXPECT(n <= 16 || width == 2 || width == 4);
    if (n > 16) r->at += width * (groups(n, 16) - 1);
    bytes nibbles = part(r, r->at, r->len - r->at);
    for (uint64_t i = 0; i < n; i++) {
        if (i && i % 16 == 0) {
            bytes entry = part(r, header + width * (i / 16 - 1), width);
            EXPECT(number(&entry, (unsigned)width) == at);
        }
        uint64_t next = 0;
        for (uint32_t k = 0; k < w->list->tfs[rank + i]; k++) {
            next += nibble_number(&nibbles, &at);
            EXPECT(next <= UINT32_MAX);
            *out++ = (uint32_t)next++;
        }
    }
    if (at % 2) EXPECT(nibbles.p[at / 2] >> 4 == 0);
    r->at += groups(at, 2);
}

static void read_positions(walk *w, bool small)
{
    bytes *r = &w->region;
    uint64_t rank = 0, at = 0, len = small ? 0 : number(r, 8), offsets = r->at;
    if (!small) r->at += 4 * w->n_blocks;
    uint64_t start = r->at;
    for (uint64_t b = 0; b < w->n_blocks; b++) {
        if (!small) {
            bytes entry = part(r, offsets + 4 * b, 4);
            EXPECT(number(&entry, 4) == r->at - start);
        }
        read_position_block(w, r, rank, w->block_of[b], w->list->positions + at);
        for (uint64_t i = 0; i < w->block_of[b]; i++) at += w->list->tfs[rank++];
    }
    EXPECT(small || r->at - start == len);
}

static void read_form_codes(walk *w, bool small)
{
    bytes *r = &w->region;
    uint64_t n_bits = small ? 0 : number(r, 8), at = 0;
    bytes codes = part(r, r->at, r->len - r->at);
    for (uint64_t i = 0; i < w->list->cf; i++) {
        uint64_t h = 0;
        for (;; h++) {
            EXPECT(at / 8 < codes.len);
            if (bit(codes.p, at++)) break;
        }
        EXPECT(at + h <= 8 * codes.len);
        w->list->forms[i] = (uint32_t)((UINT64_C(1) << h | field(codes.p, at, h)) - 1);
        at += h;
        EXPECT(w->list->forms[i] < w->list->n_forms);
    }
    EXPECT(small || at == n_bits);
    EXPECT(groups(at, 8) == codes.len && field(codes.p, at, 8 * codes.len - at) == 0);
    r->at = r->len;
}

static void read_list(file *f, second_list *list, bytes region)
{
    walk *w = room(1, sizeof *w);
    bool small = list->df <= f->block_size, dense = !small && list->df >= f->n_docs >> f->dense_shift;
    uint64_t cf = 0;
    w->f = f;
    w->list = list;
    w->region = region;
    list->docs = room(list->df, 4);
    list->tfs = room(list->df, 4);
    list->impacts = room(list->df, 1);
    if (small) read_small(w);
    else read_large(w, dense);
    for (uint32_t i = 0; i < list->df; i++) cf += list->tfs[i];
    EXPECT(cf == list->cf);
    list->positions = list->has_positions ? room(cf, 4) : NULL;
    list->forms = room(cf, 4);
    if (list->has_positions) read_positions(w, small);
    if (list->n_forms > 1) read_form_codes(w, small);
    EXPECT(w->region.at == w->region.len);
    free(w);
}

static void free_list(second_list *list)
{
    free(list->docs);
    free(list->tfs);
    free(list->impacts);
    free(list->positions);
    free(list->forms);
}

static void count_plain(file *f, const second_list *list)
{
    if (list->key[0] < 0x20) return;
    f->plain_terms--;
    f->plain_postings -= list->df;
    if (list->has_positions) f->plain_positions -= list->cf;
}

static void read_terms(file *f, const second_sink *sink)
{
    keys k = keys_of(f, TERMS, TERMS_INDEX, f->n_terms);
    bytes lists = f->sections[POSTINGS];
    while (k.n < k.total) {
        uint64_t base = lists.at;
        next_key(&k, &base);
        EXPECT(base == lists.at);
        second_list list = {.key = k.key, .key_len = k.len, .ordinal = (uint32_t)(k.n - 1)};
        list.df = (uint32_t)varint(&k.blocks);
        list.cf = list.df + varint(&k.blocks);
        uint64_t forms = varint(&k.blocks), len = varint(&k.blocks);
        list.n_forms = (uint32_t)(forms / 2);
        list.has_positions = forms % 2;
        if (list.df > f->block_size) zeros_to(&lists, 0, 8);
        read_list(f, &list, part(&lists, lists.at, len));
        lists.at += len;
        count_plain(f, &list);
        if (sink->list) sink->list(sink->ctx, &list);
        free_list(&list);
    }
    EXPECT(k.blocks.at == k.blocks.len && lists.at == lists.len);
    EXPECT(f->plain_terms == 0 && f->plain_postings == 0 && f->plain_positions == 0);
}

/* ---- the whole ----------------------------------------------------------------------------------- */

static uint8_t *load(const char *path, uint64_t *len)
{
    FILE *in = fopen(path, "rb");
    EXPECT(in != NULL && fseek(in, 0, SEEK_END) == 0);
    long size = ftell(in);
    EXPECT(size >= 64 + 384 && fseek(in, 0, SEEK_SET) == 0);
    uint8_t *data = room((uint64_t)size, 1);
    EXPECT(fread(data, 1, (size_t)size, in) == (size_t)size);
    fclose(in);
    *len = (uint64_t)size;
    return data;
}

void second_read(const char *path, const second_sink *sink)
{
    file f = {0};
    second_path = path;
    uint8_t *data = load(path, &f.all.len);
    f.all.p = data;
    read_header(&f);
    read_footer(&f);
    read_docs(&f, sink);
    read_terms(&f, sink);
    read_forms(&f, sink);
    free(f.dl);
    free(data);
}
