/* SPDX-License-Identifier: MIT
 * segment_writer_ids.c - ids to blocks of 16 and to the table that leads from an id to its
 * document (FORMAT.md, "ids").  Takes ids in order of documents, gives three sections.
 */
#include "common/base/mem.h"
#include "common/segment/ids.h"
#include "indexer/segment_writer_parts.h"

/* ---- blocks ------------------------------------------------------------------------------- */

/* How an id follows from the one before. */
typedef struct id_code {
    unsigned high, low;
    size_t keep;    /* below ID_NUMBER: bytes kept of the id before                         */
    uint64_t value; /* ID_NUMBER                                                            */
} id_code;

/* True when the number `value` behind the stem, in so many digits at least, makes the id. */
static bool number_makes(slice id, size_t stem, uint64_t value, unsigned digits)
{
    uint8_t text[20];
    unsigned n = id_number_put(text, value, digits);
    return stem + n == id.len && !memcmp(id.data + stem, text, n);
}

static size_t shared_bytes(slice a, slice b)
{
    size_t n = 0, most = a.len < b.len ? a.len : b.len;
    while (n < most && a.data[n] == b.data[n]) n++;
    return n;
}

/* By the number at its end, when that is another one and shorter than the new bytes. */
static bool number_code(slice before, slice id, size_t new_bytes, id_code *out)
{
    id_number from = id_number_of(before.data, before.len), to = id_number_of(id.data, id.len);
    if (!from.digits || !to.digits || from.stem > id.len ||
        memcmp(before.data, id.data, from.stem) != 0)
        return false;
    uint64_t by = to.value - from.value;
    if (by - 1 < 17 && number_makes(id, from.stem, to.value, from.digits)) {
        *out = by == 1 ? (id_code){.high = ID_COUNT}
                       : (id_code){.high = ID_SKIP, .low = (unsigned)by - 2};
        return true;
    }
    unsigned n_bytes = 1;
    while (n_bytes < ID_NUMBER_BYTES && to.value >> 8 * n_bytes) n_bytes++;
    bool plain = number_makes(id, from.stem, to.value, 1);
    if (n_bytes >= new_bytes || (!plain && !number_makes(id, from.stem, to.value, from.digits)))
        return false;
    *out = (id_code){
        .high = ID_NUMBER, .low = (n_bytes - 1) | (plain ? 0 : ID_NUMBER_WIDE), .value = to.value};
    return true;
}

static id_code code_of(slice before, slice id)
{
    size_t keep = shared_bytes(before, id);
    id_code code;
    if (number_code(before, id, id.len - keep, &code)) return code;
    return (id_code){.high = id.len - keep < ID_LONG ? (unsigned)(id.len - keep) : ID_LONG,
                     .keep = keep};
}

static void put_code(buf *out, const id_code *code, size_t common, slice id)
{
    if (code->high > ID_LONG) {
        buf_u8(out, (uint8_t)(code->high << 4 | code->low));
        for (unsigned i = 0; code->high == ID_NUMBER && i <= code->low % ID_NUMBER_WIDE; i++)
            buf_u8(out, (uint8_t)(code->value >> 8 * i));
        return;
    }
    size_t keep = code->keep - common, len = id.len - code->keep;
    buf_u8(out, (uint8_t)(code->high << 4 | (keep < 15 ? keep : 15)));
    if (keep >= 15) buf_varint(out, keep - 15);
    if (code->high == ID_LONG) buf_varint(out, len - ID_LONG);
    buf_append(out, id.data + code->keep, len);
}

static void put_codes(buf *out, const id_code *codes, const slice *ids, uint32_t n, size_t common)
{
    for (uint32_t i = 1; i < n; i++) {
        id_code code = codes[i];
        while (code.high == ID_COUNT && i + 1 < n && codes[i + 1].high == ID_COUNT) {
            code.low++;
            i++;
        }
        put_code(out, &code, common, ids[i]);
    }
}

static void block_write(segment_writer *w)
{
    slice ids[ID_BLOCK];
    id_code codes[ID_BLOCK];
    uint32_t n = w->id_block_n;
    size_t common = SIZE_MAX, at = 0;
    w->id_block_n = 0;
    if (!n || w->id_block.failed) return;
    for (uint32_t i = 0; i < n; at += ids[i++].len)
        ids[i] = (slice){w->id_block.data + at, w->id_lens[i]};
    for (uint32_t i = 1; i < n; i++) {
        codes[i] = code_of(ids[i - 1], ids[i]);
        if (codes[i].high <= ID_LONG && codes[i].keep < common) common = codes[i].keep;
    }
    if (common == SIZE_MAX) common = 0;
    buf_u64(&w->id_offsets, w->ids.len);
    buf_varint(&w->ids, common);
    buf_varint(&w->ids, ids[0].len);
    buf_append(&w->ids, ids[0].data, ids[0].len);
    put_codes(&w->ids, codes, ids, n, common);
    buf_reset(&w->id_block);
}

void ids_add(segment_writer *w, const void *id, size_t len)
{
    slice next = {id, len}, last = {w->last_id, w->last_id_len};
    if (w->info.n_docs && id_order(last, next) >= 0) w->ids_fall = true;
    memcpy(w->last_id, id, len);
    w->last_id_len = len;
    buf_append(&w->id_block, id, len);
    w->id_lens[w->id_block_n++] = (uint16_t)len;
    if (w->id_block_n == ID_BLOCK) block_write(w);
}

/* ---- table -------------------------------------------------------------------------------- */

/* What the table needs to know of hashes: which bucket is sought by the upper half. */
typedef struct id_hashes {
    const segment_info *info;
    uint32_t *upper;
    uint8_t *lowest;
    uint32_t n;
} id_hashes;

static void add_hash(void *ctx, slice id)
{
    id_hashes *h = ctx;
    uint64_t hash = id_hash(h->info, id.data, id.len);
    h->upper[h->n] = (uint32_t)(hash >> 32);
    h->lowest[h->n++] = (uint8_t)hash;
}

/* From the blocks: the ids themselves are not kept. */
static bool hash_ids(segment_writer *w, id_hashes *h)
{
    uint32_t n = w->info.n_docs;
    h->n = 0;
    for (size_t i = 0; i < w->id_offsets.len; i += 8) {
        size_t at = load_u64(w->id_offsets.data + i);
        uint32_t left = n - h->n;
        slice block = {w->ids.data + at, w->ids.len - at};
        if (!ids_block_each(block, left < ID_BLOCK ? left : ID_BLOCK, add_hash, h)) return false;
    }
    return true;
}

/* Stable, by the hash's lowest byte. */
static void sort_bucket(const id_hashes *h, uint32_t *docs, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint32_t doc = docs[i], at = i;
        for (; at && h->lowest[docs[at - 1]] > h->lowest[doc]; at--) docs[at] = docs[at - 1];
        docs[at] = doc;
    }
}

static void count_buckets(const id_hashes *h, uint32_t *counts)
{
    for (uint32_t i = 0; i < h->n; i++) counts[id_bucket((uint64_t)h->upper[i] << 32, h->n)]++;
}

/* Hash the ids and count those of each bucket; once more with a key when one has far too many. */
static bool fill_buckets(segment_writer *w, id_hashes *h, uint32_t *counts)
{
    uint32_t buckets = id_buckets(w->info.n_docs), most = 0;
    if (!hash_ids(w, h)) return false;
    count_buckets(h, counts);
    for (uint32_t b = 0; b < buckets; b++)
        if (counts[b] > most) most = counts[b];
    if (most <= ID_BUCKET_MOST) return true;
    w->info.ids_keyed = true;
    memset(counts, 0, buckets * sizeof *counts);
    if (!hash_ids(w, h)) return false;
    count_buckets(h, counts);
    return true;
}

/* Counts become ends: documents by bucket and, within, by the hash's lowest byte; equal ones stay
 * in order. */
static void docs_by_hash(const id_hashes *h, uint32_t *ends, uint32_t *docs)
{
    uint32_t n = h->n, buckets = id_buckets(n), first = 0;
    for (uint32_t b = 0; b < buckets; b++) {
        uint32_t here = ends[b];
        ends[b] = first;
        first += here;
    }
    for (uint32_t i = 0; i < n; i++) docs[ends[id_bucket((uint64_t)h->upper[i] << 32, n)]++] = i;
    for (uint32_t b = 0; b < buckets; b++) {
        first = b ? ends[b - 1] : 0;
        sort_bucket(h, docs + first, ends[b] - first);
    }
}

static void put_numbers(buf *out, const uint32_t *docs, uint32_t n)
{
    unsigned bits = id_doc_bits(n), have = 0;
    uint64_t word = 0;
    for (uint32_t i = 0; i < n; i++) {
        word |= (uint64_t)docs[i] << have;
        for (have += bits; have >= 8; have -= 8, word >>= 8) buf_u8(out, (uint8_t)word);
    }
    if (have) buf_u8(out, (uint8_t)word);
}

static void table_fill(segment_writer *w, buf *table)
{
    uint32_t n = w->info.n_docs;
    id_hashes h = {.info = &w->info};
    uint32_t *ends = mem_array(id_buckets(n), sizeof *ends), *docs = mem_array(n, sizeof *docs);
    h.upper = mem_array(n, sizeof *h.upper);
    h.lowest = mem_array(n, sizeof *h.lowest);
    bool room = ends && docs && h.upper && h.lowest && buf_reserve(&w->ids, ID_BLOCK_SLACK);
    if (room && fill_buckets(w, &h, ends)) {
        docs_by_hash(&h, ends, docs);
        buf_append(table, ends, id_buckets(n) * sizeof *ends);
        for (uint32_t i = 0; i < n; i++) buf_u8(table, h.lowest[docs[i]]);
        put_numbers(table, docs, n);
    } else {
        writer_fail(w, PM_NOMEM, NULL);
    }
    mem_free(h.upper);
    mem_free(h.lowest);
    mem_free(ends);
    mem_free(docs);
}

void ids_finish(segment_writer *w)
{
    buf offsets = {.scratch = w->config.scratch}, table = {.scratch = w->config.scratch};
    block_write(w);
    writer_check_buf(w, &w->id_block);
    writer_check_buf(w, &w->id_offsets);
    writer_check_buf(w, &w->ids);
    if (writer_bad(w)) return;
    unsigned width = layout_offset_width(w->ids.len);
    for (size_t i = 0; i < w->id_offsets.len; i += 8)
        buf_append(&offsets, w->id_offsets.data + i, width);
    writer_section(w, SECTION_ID_OFFSETS, &offsets);
    writer_section(w, SECTION_IDS, &w->ids);
    if (w->ids_fall) table_fill(w, &table);
    writer_section(w, SECTION_ID_TABLE, &table);
    buf_free(&offsets);
    buf_free(&table);
}
