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
    EXPECT(f->all.at == f->all.len - 384);
    EXPECT(second_number(foot, 4) == second_crc(f->all.p + roots, f->all.at - roots));
}

static void read_footer(file *f)
{
    bytes foot = second_part(&f->all, f->all.len - 384, 384);
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
    f->dl_width = second_number(&foot, 1);
    f->seq_width = second_number(&foot, 1);
    f->date_width = second_number(&foot, 1);
    uint64_t halvings = second_number(&foot, 1);
    EXPECT(halvings <= 4);
    f->seq_base = second_number(&foot, 8);
    read_places(f, &foot, 65536 >> halvings);
    second_zeros(&foot, 4);
    EXPECT(second_number(&foot, 8) == f->all.len);
    EXPECT(!memcmp(foot.p + foot.at, "PMSEND\r\n", 8));
    foot.at += 8;
    second_zeros(&foot, 4);
    EXPECT(second_number(&foot, 4) == second_crc(foot.p, 380));
}

/* ---- Document columns, stored records ---------------------------------------------------- */

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
    uint64_t v = second_number(dates, (unsigned)width);
    if (width == 8) return (int64_t)v;
    return v == 0x80000000u ? INT64_MIN : (int64_t)(int32_t)(uint32_t)v * 86400;
}

static void read_id_table(file *f)
{
    bytes table = f->sections[ID_TABLE], offs = f->sections[ID_OFFSETS];
    uint64_t before = 0;
    for (uint64_t i = 0; i < f->n_docs; i++) {
        table.at = 4 * i;
        uint64_t hash = second_number(&table, 4);
        table.at = 4 * (f->n_docs + i);
        uint64_t doc = second_number(&table, 4);
        EXPECT(doc < f->n_docs && (i == 0 || (hash << 32 | doc) > before));
        before = hash << 32 | doc;
        offs.at = 8 * doc;
        uint64_t start = second_number(&offs, 8), end = second_number(&offs, 8);
        EXPECT(hash == id_hash(f->sections[IDS].p + start, end - start));
    }
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

static void read_docs(file *f, const second_sink *sink)
{
    bytes dl = f->sections[LENGTHS], seq = f->sections[SEQUENCE], date = f->sections[DATES],
          offs = f->sections[ID_OFFSETS];
    uint64_t blocks = f->sections[STORE_DIR].len / 16 - 1, doc = 0, first, n, sum = 0;
    f->dl = second_room(f->n_docs, sizeof *f->dl);
    for (uint64_t i = 0; i < blocks; i++) {
        bytes raw = read_block(f, i, &first, &n), lengths = raw;
        EXPECT(first == doc && n > 0);
        for (uint64_t k = 0; k < n; k++)
            second_varint(&raw); /* raw now stands at the records        */
        for (uint64_t k = 0; k < n; k++, doc++) {
            uint64_t len = second_varint(&lengths), start = second_number(&offs, 8),
                     end = second_number(&offs, 8);
            offs.at -= 8;
            second_doc out = {.record = raw.p + raw.at,
                              .record_len = len,
                              .id = f->sections[IDS].p + start,
                              .id_len = end - start};
            out.dl = (uint32_t)second_number(&dl, (unsigned)f->dl_width);
            out.seq = f->seq_width == 8
                          ? second_number(&seq, 8)
                          : f->seq_base + (f->seq_width ? second_number(&seq, 4) : doc);
            out.date = read_date(&date, f->date_width);
            raw.at += len;
            EXPECT(raw.at <= raw.len && end <= f->sections[IDS].len && start < end);
            f->dl[doc] = out.dl;
            sum += out.dl;
            if (sink->doc) sink->doc(sink->ctx, (uint32_t)doc, &out);
        }
        EXPECT(raw.at == raw.len);
        union {
            const uint8_t *read;
            uint8_t *write;
        } of = {raw.p};
        free(of.write);
    }
    EXPECT(doc == f->n_docs && sum == f->sum_dl);
    read_id_table(f);
}

/* ---- Dictionaries ------------------------------------------------------------------------ */

typedef struct keys {
    bytes blocks, index;
    uint64_t n, total, n_blocks;
    uint8_t key[1024], before[1024];
    size_t len;
} keys;

static keys keys_of(const file *f, int blocks, int index, uint64_t total)
{
    keys k = {.blocks = f->sections[blocks],
              .index = f->sections[index],
              .total = total,
              .n_blocks = second_groups(total, 16)};
    EXPECT(k.index.len == 16 * k.n_blocks);
    return k;
}

/* The next key; at a block's start the index is compared, and *base read when there is one. */
static void next_key(keys *k, uint64_t *base)
{
    bool first = k->n % 16 == 0;
    if (first) {
        k->index.at = 8 * (k->n_blocks + k->n / 16);
        EXPECT(second_number(&k->index, 8) == k->blocks.at);
        if (base) *base = second_varint(&k->blocks);
    }
    uint64_t shared = second_varint(&k->blocks), rest = second_varint(&k->blocks);
    EXPECT(shared <= k->len && shared + rest >= 1 && shared + rest <= 1024 &&
           (!first || shared == 0));
    memcpy(k->before, k->key, k->len);
    for (uint64_t i = 0; i < rest; i++) k->key[shared + i] = (uint8_t)second_number(&k->blocks, 1);
    size_t len = (size_t)(shared + rest), least = len < k->len ? len : k->len;
    int order = memcmp(k->before, k->key, least);
    EXPECT(k->n == 0 || order < 0 || (order == 0 && k->len < len));
    if (!first && shared < least) EXPECT(k->before[shared] != k->key[shared]);
    k->len = len;
    if (first) {
        uint64_t prefix = 0;
        for (size_t i = 0; i < 8; i++) prefix = prefix << 8 | (i < len ? k->key[i] : 0);
        k->index.at = 8 * (k->n / 16);
        EXPECT(second_number(&k->index, 8) == prefix);
    }
    k->n++;
}

static void read_forms(file *f, const second_sink *sink)
{
    keys k = keys_of(f, FORMS, FORMS_INDEX, f->n_forms);
    while (k.n < k.total) {
        next_key(&k, NULL);
        second_form form = {.key = k.key, .key_len = k.len};
        form.term = (uint32_t)second_varint(&k.blocks);
        form.index = (uint32_t)second_varint(&k.blocks);
        form.df = (uint32_t)second_varint(&k.blocks);
        form.cf = form.df + second_varint(&k.blocks);
        if (sink->form) sink->form(sink->ctx, &form);
    }
    EXPECT(k.blocks.at == k.blocks.len);
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
        list.df = (uint32_t)second_varint(&k.blocks);
        list.cf = list.df + second_varint(&k.blocks);
        uint64_t forms = second_varint(&k.blocks), len = second_varint(&k.blocks);
        list.n_forms = (uint32_t)(forms / 2);
        list.has_positions = forms % 2;
        if (list.df > f->block_size) second_zeros_to(&lists, 0, 8);
        second_read_list(f, &list, second_part(&lists, lists.at, len));
        lists.at += len;
        count_plain(f, &list);
        if (sink->list) sink->list(sink->ctx, &list);
        free_list(&list);
    }
    EXPECT(k.blocks.at == k.blocks.len && lists.at == lists.len);
    EXPECT(f->plain_terms == 0 && f->plain_postings == 0 && f->plain_positions == 0);
}

/* ---- the whole
 * ----------------------------------------------------------------------------------- */

static uint8_t *load(const char *path, uint64_t *len)
{
    FILE *in = fopen(path, "rb");
    EXPECT(in != NULL && fseek(in, 0, SEEK_END) == 0);
    long size = ftell(in);
    EXPECT(size >= 64 + 384 && fseek(in, 0, SEEK_SET) == 0);
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
    read_docs(&f, sink);
    read_terms(&f, sink);
    read_forms(&f, sink);
    free(f.dl);
    free(data);
}
