/* SPDX-License-Identifier: MIT
 * second_reader.c - see second_reader.h.  Section names in comments are FORMAT.md's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/oracle/second_parts.h"

static void read_header(const file *f)
{
    bytes h = second_part(&f->all, 0, 64);
    EXPECT(!memcmp(h.p, "\x89PMS\r\n\x1a\n", 8));
    h.at = 8;
    EXPECT(second_number(&h, 4) == 1);
    second_zeros(&h, 4);
    h.at = 40;
    second_zeros(&h, 20);
    EXPECT(second_number(&h, 4) == second_crc(h.p, 60));
}

static void read_places(file *f, bytes *foot, uint64_t page_bytes)
{
    static const int order[SECTIONS] = {STORE,      POSTINGS,    STORE_DIR, TERMS,    TERMS_INDEX,
                                        FORMS,      FORMS_INDEX, LENGTHS,   SEQUENCE, DATES,
                                        ID_OFFSETS, IDS,         ID_TABLE};
    uint64_t off[SECTIONS], len[SECTIONS], at = 64;
    for (int i = 0; i < SECTIONS; i++) {
        off[i] = second_number(foot, 8);
        len[i] = second_number(foot, 8);
        f->sections[i] = second_part(&f->all, off[i], len[i]);
    }
    for (int i = 0; i < SECTIONS; i++) {
        uint64_t end = off[order[i]] + len[order[i]];
        EXPECT(off[order[i]] == at);
        at = second_align(end + 64, 64);
        f->all.at = end;
        second_zeros(&f->all, at - end);
    }
    EXPECT(second_number(foot, 8) == at);
    EXPECT(second_number(foot, 8) == 4 * second_groups(at, page_bytes));
    for (uint64_t page = 0; page < at; page += page_bytes)
        EXPECT(second_number(&f->all, 4) ==
               second_crc(f->all.p + page, at - page < page_bytes ? at - page : page_bytes));
    second_zeros_to(&f->all, 0, 8);
    uint64_t roots = f->all.at;
    for (uint64_t page = at; page < roots; page += page_bytes)
        EXPECT(second_number(&f->all, 4) ==
               second_crc(f->all.p + page, roots - page < page_bytes ? roots - page : page_bytes));
    second_zeros_to(&f->all, 0, 8);
    EXPECT(f->all.at == f->all.len - 432);
    EXPECT(second_number(foot, 4) == second_crc(f->all.p + roots, f->all.at - roots));
}

static void read_footer(file *f)
{
    bytes foot = second_part(&f->all, f->all.len - 432, 432);
    EXPECT(!memcmp(foot.p, f->all.p + 16, 24));
    foot.at = 24;
    EXPECT(second_number(&foot, 4) == 1);
    f->n_docs = second_number(&foot, 4);
    f->n_terms = second_number(&foot, 8);
    f->n_forms = second_number(&foot, 8);
    f->plain_terms = second_number(&foot, 8);
    f->plain_postings = second_number(&foot, 8);
    f->plain_positions = second_number(&foot, 8);
    f->sum_dl = second_number(&foot, 8);
    f->k1 = second_real(&foot);
    f->b = second_real(&foot);
    f->avgdl_ref = second_real(&foot);
    f->block_size = second_number(&foot, 4);
    f->dense_shift = second_number(&foot, 4);
    f->flags = second_number(&foot, 4);
    EXPECT(f->flags < 32);
    bytes uuid = second_part(&f->all, f->all.len - 432, 16);
    f->key = f->flags & 16 ? second_number(&uuid, 8) : 0;
    f->dl_width = second_number(&foot, 1);
    f->seq_width = second_number(&foot, 1);
    f->date_width = second_number(&foot, 1);
    uint64_t halvings = second_number(&foot, 1);
    EXPECT(halvings <= 4);
    f->seq_base = second_number(&foot, 8);
    read_places(f, &foot, 65536 >> halvings);
    foot.at = 360;
    for (unsigned i = 0; i < 5; i++) f->parts[i] = second_number(&foot, 8);
    f->n_listed = second_number(&foot, 8);
    EXPECT(second_number(&foot, 8) == f->all.len);
    EXPECT(!memcmp(foot.p + foot.at, "PMSEND\r\n", 8));
    foot.at += 8;
    second_zeros(&foot, 4);
    EXPECT(second_number(&foot, 4) == second_crc(foot.p, 428));
}

/* ---- Document columns, stored records ---------------------------------------------------- */

static int64_t read_date(bytes *dates, uint64_t width)
{
    if (width == 0) return INT64_MIN;
    uint64_t v = second_number(dates, (unsigned)width);
    if (width == 8) return (int64_t)v;
    return v == 0x80000000u ? INT64_MIN : (int64_t)(int32_t)(uint32_t)v * 86400;
}

/* Inflates block i into fresh memory; *n_docs records begin with document *first. */
static bytes read_block(file *f, uint64_t i, uint64_t *first, uint64_t *n_docs)
{
    bytes table = f->sections[STORE_DIR];
    table.at = 16 * i;
    uint64_t off = second_number(&table, 8);
    *first = second_number(&table, 4);
    uLongf raw_len = (uLongf)second_number(&table, 4);
    uint64_t end = second_number(&table, 8);
    *n_docs = second_number(&table, 4) - *first;
    bytes deflated = second_part(&f->sections[STORE], off, end - off),
          raw = {second_room(raw_len, 1), raw_len, 0};
    uLongf got = raw_len;
    union {
        const uint8_t *read;
        uint8_t *write;
    } to = {raw.p};
    EXPECT(uncompress(to.write, &got, deflated.p, (uLong)deflated.len) == Z_OK && got == raw_len);
    return raw;
}

/* The hash of tag 12, 0 without one. */
static uint64_t record_hash(bytes record)
{
    uint64_t hash = 0;
    while (record.at < record.len) {
        uint64_t tag = second_varint(&record), len = second_varint(&record);
        bytes field = second_part(&record, record.at, len);
        record.at += len;
        if (tag != 12) continue;
        second_varint(&field);
        second_number(&field, 8);
        hash = second_number(&field, 8);
    }
    return hash;
}

static void read_docs(file *f, const second_sink *sink)
{
    bytes dl = f->sections[LENGTHS], seq = f->sections[SEQUENCE], date = f->sections[DATES];
    bytes marks = f->sections[STORE_DIR];
    bool marked = f->flags & 8;
    EXPECT(!marked || marks.len >= f->n_docs);
    marks.at = marks.len - (marked ? f->n_docs : 0);
    EXPECT(marks.at % 16 == 0 && marks.at >= 32);
    uint64_t blocks = marks.at / 16 - 1, doc = 0, first, n, sum = 0;
    f->dl = second_room(f->n_docs, sizeof *f->dl);
    for (uint64_t i = 0; i < blocks; i++) {
        bytes raw = read_block(f, i, &first, &n), lengths = raw;
        EXPECT(first == doc && n > 0);
        for (uint64_t k = 0; k < n; k++)
            second_varint(&raw); /* raw now stands at the records        */
        for (uint64_t k = 0; k < n; k++, doc++) {
            uint64_t len = second_varint(&lengths);
            second_doc out = {.record = raw.p + raw.at,
                              .record_len = len,
                              .id = f->ids[doc].bytes,
                              .id_len = f->ids[doc].len};
            out.dl = (uint32_t)second_number(&dl, (unsigned)f->dl_width);
            out.seq = f->seq_width == 8
                          ? second_number(&seq, 8)
                          : f->seq_base + (f->seq_width ? second_number(&seq, 4) : doc);
            out.date = read_date(&date, f->date_width);
            out.marked = marked;
            if (marked) out.mark = (uint8_t)second_number(&marks, 1);
            if (marked) EXPECT(out.mark == record_hash(second_part(&raw, raw.at, len)) % 256);
            raw.at += len;
            EXPECT(raw.at <= raw.len);
            f->dl[doc] = out.dl;
            sum += out.dl;
            if (sink->doc) sink->doc(sink->ctx, (uint32_t)doc, &out);
        }
        EXPECT(raw.at == raw.len);
        second_free(raw.p);
    }
    EXPECT(doc == f->n_docs && sum == f->sum_dl);
}

/* ---- Dictionaries ------------------------------------------------------------------------ */

typedef struct keys {
    bytes blocks, index;
    uint64_t n, total, n_blocks, width;
    uint64_t term; /* of the form before in the block                                          */
    uint8_t key[1024], before[1024];
    size_t len, before_len;
    size_t front; /* what the next key may share                                              */
    uint64_t filter_len; /* bytes of the filter in front of the index                          */
} keys;

static keys keys_of(const file *f, int blocks, int index, uint64_t total)
{
    keys k = {.blocks = f->sections[blocks],
              .index = f->sections[index],
              .total = total,
              .n_blocks = second_groups(total, 16)};
    k.width = k.blocks.len < UINT64_C(1) << 32 ? 4 : 8;
    k.filter_len = index == TERMS_INDEX ? 64 * second_groups(f->plain_terms, 64) : 0;
    EXPECT(k.index.len ==
           k.filter_len + 8 * second_groups(k.n_blocks, 256) + (8 + k.width) * k.n_blocks);
    return k;
}

/* Of the index: where the group of a block starts. */
static uint64_t index_group(const keys *k, uint64_t block)
{
    return k->filter_len + 8 * second_groups(k->n_blocks, 256) + block / 256 * 256 * (8 + k->width);
}

/* Where a block must start; *base is read when there is one. */
static void begin_block(keys *k, uint64_t *base)
{
    uint64_t block = k->n / 16, group = block / 256 * 256;
    uint64_t in_group = k->n_blocks - group < 256 ? k->n_blocks - group : 256;
    k->index.at = index_group(k, block) + 8 * in_group + k->width * (block - group);
    EXPECT(second_number(&k->index, (unsigned)k->width) == k->blocks.at);
    if (base) *base = second_varint(&k->blocks);
    k->term = 0;
}

/* The bytes that are shared, and the rest, over the front of the key before. */
static void read_front(keys *k, bool first)
{
    uint64_t head = second_number(&k->blocks, 1), shared = head % 16, rest = head / 16;
    if (shared == 15) shared += second_varint(&k->blocks);
    if (rest == 15) rest += second_varint(&k->blocks);
    EXPECT(shared <= k->front && shared + rest <= 1024 && (!first || shared == 0));
    uint8_t next = shared < k->front ? k->key[shared] : 0;
    for (uint64_t i = 0; i < rest; i++) k->key[shared + i] = (uint8_t)second_number(&k->blocks, 1);
    if (!first && rest && shared < k->front) EXPECT(k->key[shared] != next);
    k->front = k->len = (size_t)(shared + rest);
}

/* The key is complete: order, and the index. */
static void end_key(keys *k)
{
    EXPECT(k->len > 0 && (k->n == 0 || second_order(k->before, k->before_len, k->key, k->len) < 0));
    if (k->n % 16 == 0) {
        uint64_t prefix = 0;
        for (size_t i = 0; i < 8; i++) prefix = prefix << 8 | (i < k->len ? k->key[i] : 0);
        uint64_t block = k->n / 16;
        k->index.at = index_group(k, block) + 8 * (block % 256);
        EXPECT(second_number(&k->index, 8) == prefix);
        k->index.at = k->filter_len + 8 * (block / 256);
        if (block % 256 == 0) EXPECT(second_number(&k->index, 8) == prefix);
    }
    memcpy(k->before, k->key, k->len);
    k->before_len = k->len;
    k->n++;
}

/* flags: 1 when df is 1, 2 when cf is df. */
static void read_counts(bytes *r, uint64_t flags, uint32_t *df, uint64_t *cf)
{
    *df = flags & 1 ? 1 : (uint32_t)(second_varint(r) + 2);
    *cf = flags & 2 ? *df : *df + second_varint(r) + 1;
}

/* ---- forms ---- */

/* The zero byte and the exact form behind the folded one.  Letters of a mask are capitals, 2^32 -
 * 1: all. */
static void put_exact(keys *k, uint64_t mask)
{
    size_t n = k->front;
    EXPECT(n + 1 + (mask ? n : 0) <= 1024 && mask <= UINT32_MAX);
    k->key[n] = 0;
    k->len = n + 1 + (mask ? n : 0);
    for (size_t i = 0; mask && i < n; i++) {
        bool letter = k->key[i] >= 'a' && k->key[i] <= 'z', wanted = i < 32 && mask >> i & 1;
        if (mask == UINT32_MAX) wanted = letter;
        EXPECT(letter || !wanted);
        k->key[n + 1 + i] = (uint8_t)(k->key[i] - (wanted ? 32 : 0));
    }
    EXPECT(mask == UINT32_MAX || n >= 32 || mask >> n == 0);
}

static void read_exact(keys *k, uint64_t style)
{
    if (style < 3) {
        put_exact(k, style == 2 ? UINT32_MAX : style);
        return;
    }
    uint64_t mask = second_varint(&k->blocks);
    put_exact(k, mask);
    if (mask) return;
    uint64_t n = second_varint(&k->blocks);
    EXPECT(k->len + n <= 1024);
    for (uint64_t i = 0; i < n; i++) k->key[k->len++] = (uint8_t)second_number(&k->blocks, 1);
}

static void keep_form(file *f, const keys *k, uint32_t term, uint32_t index, uint32_t df,
                      uint64_t cf)
{
    EXPECT(f->forms_read < f->n_forms);
    uint8_t *key = second_room(k->len, 1);
    memcpy(key, k->key, k->len);
    f->forms[f->forms_read++] = (second_form){key, k->len, term, index, df, cf};
}

/* A term's only form, which is not listed. */
static void implied_form(file *f, const keys *k, uint64_t style, const second_list *list)
{
    keys made = *k;
    EXPECT(k->key[0] >= 0x20);
    made.front = k->len;
    put_exact(&made, style == 3 ? UINT32_MAX : style - 1);
    keep_form(f, &made, list->ordinal, 0, list->df, list->cf);
}

static int by_key(const void *a, const void *b)
{
    const second_form *x = a, *y = b;
    return second_order(x->key, x->key_len, y->key, y->key_len);
}

static void read_forms(file *f, const second_sink *sink)
{
    keys k = keys_of(f, FORMS, FORMS_INDEX, f->n_listed);
    while (k.n < k.total) {
        bool first = k.n % 16 == 0;
        uint32_t df;
        uint64_t cf;
        if (first) begin_block(&k, NULL);
        read_front(&k, first);
        uint64_t flags = second_number(&k.blocks, 1), index = flags >> 4;
        read_exact(&k, flags & 3);
        if (index == 15) index += second_varint(&k.blocks);
        uint64_t delta = second_varint(&k.blocks);
        k.term = delta % 2 ? k.term - delta / 2 - 1 : k.term + delta / 2;
        EXPECT(k.term < f->n_terms);
        read_counts(&k.blocks, flags >> 2, &df, &cf);
        end_key(&k);
        keep_form(f, &k, (uint32_t)k.term, (uint32_t)index, df, cf);
    }
    EXPECT(k.blocks.at == k.blocks.len && f->forms_read == f->n_forms);
    qsort(f->forms, f->n_forms, sizeof *f->forms, by_key);
    for (uint64_t i = 0; i < f->n_forms; i++) {
        EXPECT(i == 0 || by_key(&f->forms[i - 1], &f->forms[i]) < 0);
        if (sink->form) sink->form(sink->ctx, &f->forms[i]);
    }
    for (uint64_t i = 0; i < f->n_forms; i++) second_free(f->forms[i].key);
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

static void count_parts(file *f, const second_list *list, uint64_t len)
{
    if (list->key[0] == 3) {
        f->parts[4] -= len;
        return;
    }
    f->parts[0] -= len - list->df - list->position_bytes - list->form_bytes;
    f->parts[1] -= list->df;
    f->parts[2] -= list->position_bytes;
    f->parts[3] -= list->form_bytes;
}

/* Set the bits of a plain term's key. */
static void filter_add(uint8_t *filter, uint64_t blocks, const keys *k)
{
    uint64_t h = second_hash(0, k->key, k->len), bits = second_mix(h);
    uint8_t *block = filter + 64 * ((h >> 32) * blocks >> 32);
    for (unsigned i = 0; i < 5; i++, bits >>= 9) block[bits % 512 / 8] |= (uint8_t)(1 << bits % 8);
}

static void read_terms(file *f, const second_sink *sink)
{
    keys k = keys_of(f, TERMS, TERMS_INDEX, f->n_terms);
    uint8_t *filter = second_room(k.filter_len + 1, 1);
    memset(filter, 0, k.filter_len);
    bytes lists = f->sections[POSTINGS];
    while (k.n < k.total) {
        bool first = k.n % 16 == 0;
        uint64_t base = lists.at, start = lists.at;
        if (first) begin_block(&k, &base);
        EXPECT(base == lists.at);
        read_front(&k, first);
        end_key(&k);
        second_list list = {.key = k.key, .key_len = k.len, .ordinal = (uint32_t)(k.n - 1)};
        uint64_t flags = second_varint(&k.blocks), forms = flags >> 3;
        read_counts(&k.blocks, flags >> 1 & 3, &list.df, &list.cf);
        uint64_t len = second_varint(&k.blocks);
        list.n_forms = (uint32_t)(forms > 3 ? forms - 3 : forms > 0);
        list.has_positions = flags & 1;
        if (forms >= 1 && forms <= 3) implied_form(f, &k, forms, &list);
        if (list.df > f->block_size) second_zeros_to(&lists, 0, 8);
        second_read_list(f, &list, second_part(&lists, lists.at, len));
        lists.at += len;
        count_parts(f, &list, lists.at - start);
        count_plain(f, &list);
        if (k.key[0] >= 0x20) filter_add(filter, k.filter_len / 64, &k);
        if (sink->list) sink->list(sink->ctx, &list);
        free_list(&list);
    }
    EXPECT(k.blocks.at == k.blocks.len && lists.at == lists.len);
    EXPECT(!memcmp(filter, k.index.p, k.filter_len));
    second_free(filter);
    EXPECT(f->plain_terms == 0 && f->plain_postings == 0 && f->plain_positions == 0);
    for (unsigned i = 0; i < 5; i++) EXPECT(f->parts[i] == 0);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static uint8_t *load(const char *path, uint64_t *len)
{
    FILE *in = fopen(path, "rb");
    EXPECT(in != NULL && fseek(in, 0, SEEK_END) == 0);
    long size = ftell(in);
    EXPECT(size >= 64 + 432 && fseek(in, 0, SEEK_SET) == 0);
    uint8_t *data = second_room((uint64_t)size, 1);
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
    second_read_ids(&f);
    read_docs(&f, sink);
    f.forms = second_room(f.n_forms, sizeof *f.forms);
    read_terms(&f, sink);
    read_forms(&f, sink);
    free(f.forms);
    free(f.dl);
    free(f.ids);
    free(data);
}
