/* SPDX-License-Identifier: MIT
 * segment_writer_dict.c - front coding: sorted keys in blocks of 16, each key as the number of
 * bytes it shares with the one before, and the rest; an index of first keys by their first
 * 8 bytes (FORMAT.md, "dictionaries").  Takes keys in bytewise order, gives two sections.
 */
#include "common/base/scratch.h"
#include "common/segment/dict_index.h"
#include "common/segment/form_spelling.h"
#include "indexer/segment_writer_parts.h"

enum {
    FILTER_PART = 4 << 20
}; /* bytes of a filter in a file that are at hand                      */

static size_t shared_len(slice a, slice b)
{
    size_t n = 0, most = a.len < b.len ? a.len : b.len;
    while (n < most && a.data[n] == b.data[n]) n++;
    return n;
}

/* What the keys before can give to this one: the whole last key, of forms the folded part. */
static slice last_front(const dict_writer *dict, bool forms)
{
    slice last = {dict->last, dict->last_len}, folded, exact;
    return forms && form_key_parts(last, &folded, &exact) ? folded : last;
}

/* The key's place in order; starts a block when the last one is full. */
static bool key_begin(dict_writer *dict, slice key, bool *first)
{
    if (key.len == 0 || key.len > DICT_KEY_MAX || dict->n_keys >= UINT32_MAX) return false;
    if (dict->n_keys && dict_compare(dict->last, dict->last_len, key.data, key.len) >= 0)
        return false;
    *first = dict->n_keys++ % DICT_BLOCK_KEYS == 0;
    if (!*first) return true;
    uint8_t prefix[8] = {0};
    memcpy(prefix, key.data, key.len < 8 ? key.len : 8);
    buf_u64(&dict->prefixes, __builtin_bswap64(load_u64(prefix)));
    buf_u64(&dict->offsets, dict->blocks.len);
    dict->last_term = 0;
    return true;
}

static void put_front(dict_writer *dict, slice front, size_t shared)
{
    size_t rest = front.len - shared;
    unsigned low = shared < DICT_SHORT ? (unsigned)shared : DICT_SHORT,
             high = rest < DICT_SHORT ? (unsigned)rest : DICT_SHORT;
    buf_u8(&dict->blocks, (uint8_t)(high << 4 | low));
    if (low == DICT_SHORT) buf_varint(&dict->blocks, shared - DICT_SHORT);
    if (high == DICT_SHORT) buf_varint(&dict->blocks, rest - DICT_SHORT);
    if (rest) buf_append(&dict->blocks, front.data + shared, rest);
}

static void key_end(dict_writer *dict, slice key)
{
    memcpy(dict->last, key.data, key.len);
    dict->last_len = key.len;
}

static void put_counts(buf *out, uint32_t df, uint64_t cf)
{
    if (df > 1) buf_varint(out, df - 2);
    if (cf > df) buf_varint(out, cf - df - 1);
}

bool dict_writer_term(dict_writer *dict, slice key, uint64_t base)
{
    bool first;
    if (!key_begin(dict, key, &first)) return false;
    if (first) buf_varint(&dict->blocks, base);
    if (key_is_plain(key.data[0])) buf_u64(&dict->hashes, hash_bytes(key.data, key.len));
    put_front(dict, key, first ? 0 : shared_len(last_front(dict, false), key));
    key_end(dict, key);
    return true;
}

void dict_writer_term_entry(dict_writer *dict, const term_entry *entry)
{
    buf *out = &dict->blocks;
    uint32_t forms = entry->style == FORM_LISTED ? entry->n_forms + FORM_CAPITALS : entry->style;
    if (!entry->n_forms) forms = 0;
    buf_varint(out, (uint64_t)forms << TERM_FORMS_SHIFT |
                        (entry->has_positions ? TERM_POSITIONS : 0u) |
                        (entry->df == 1 ? TERM_ONE_DOC : 0u) |
                        (entry->cf == entry->df ? TERM_ONCE_EACH : 0u));
    put_counts(out, entry->df, entry->cf);
    buf_varint(out, entry->len);
}

/* The bytes behind the flags that spell the exact form. */
static void put_exact(buf *out, slice folded, slice exact)
{
    uint32_t mask;
    if (!form_mask_of(folded, exact, &mask)) mask = 0;
    buf_varint(out, mask);
    if (mask) return;
    buf_varint(out, exact.len);
    buf_append(out, exact.data, exact.len);
}

bool dict_writer_form(dict_writer *dict, slice key, const form_entry *entry)
{
    slice folded, exact;
    bool first;
    buf *out = &dict->blocks;
    if (!form_key_parts(key, &folded, &exact) || !key_begin(dict, key, &first)) return false;
    put_front(dict, folded, first ? 0 : shared_len(last_front(dict, true), folded));
    form_style style = form_style_of(folded, exact);
    unsigned low = style == FORM_LISTED ? LISTED_OTHER_STYLE : (unsigned)style - FORM_SAME,
             index = entry->index < DICT_SHORT ? entry->index : DICT_SHORT;
    buf_u8(out, (uint8_t)(low | (entry->df == 1 ? LISTED_ONE_DOC : 0u) |
                          (entry->cf == entry->df ? LISTED_ONCE_EACH : 0u) |
                          index << LISTED_INDEX_SHIFT));
    if (low == LISTED_OTHER_STYLE) put_exact(out, folded, exact);
    if (index == DICT_SHORT) buf_varint(out, entry->index - DICT_SHORT);
    int64_t delta = (int64_t)entry->term - (int64_t)dict->last_term;
    buf_varint(out, (uint64_t)delta << 1 ^ (uint64_t)(delta >> 63));
    put_counts(out, entry->df, entry->cf);
    dict->last_term = entry->term;
    key_end(dict, key);
    return true;
}

bool dict_writer_join(dict_writer *dict, dict_writer *behind, slice first)
{
    uint64_t before = dict->blocks.len;
    if (!behind->n_keys) return true;
    if (dict->n_keys % DICT_BLOCK_KEYS || dict->n_keys + behind->n_keys > UINT32_MAX) return false;
    if (dict->n_keys && dict_compare(dict->last, dict->last_len, first.data, first.len) >= 0)
        return false;
    buf_append(&dict->blocks, behind->blocks.data, behind->blocks.len);
    buf_append(&dict->prefixes, behind->prefixes.data, behind->prefixes.len);
    for (size_t i = 0; i < behind->offsets.len; i += 8)
        buf_u64(&dict->offsets, before + load_u64(behind->offsets.data + i));
    dict->n_keys += behind->n_keys;
    key_end(dict, (slice){behind->last, behind->last_len});
    return true;
}

/* Blocks [from, to) of the filter; all hashes are read for them. */
static void filter_range(const dict_writer *dict, uint64_t blocks, uint64_t from, uint64_t to,
                         buf *out)
{
    uint64_t n = dict->hashes.len / 8;
    buf_zero(out, (size_t)(to - from) * TERM_FILTER_BLOCK);
    for (uint64_t i = 0; i < n && !out->failed; i++) {
        uint64_t hash = load_u64(dict->hashes.data + 8 * i),
                 block = term_filter_block(hash, blocks);
        scratch_pass(out->scratch, sizeof hash);
        if (block >= from && block < to)
            term_filter_set(out->data + TERM_FILTER_BLOCK * block, hash);
    }
    scratch_pass(out->scratch, (to - from) * TERM_FILTER_BLOCK);
}

/* Hashes hit it anywhere, so that all of it is at hand while they come, or one part after the other
 * where it is in a file. */
static void filter_encode(const dict_writer *dict, buf *out)
{
    uint64_t blocks = term_filter_blocks(dict->hashes.len / 8);
    uint64_t step = out->scratch ? FILTER_PART / TERM_FILTER_BLOCK : blocks;
    if (!buf_reserve(out, (size_t)blocks * TERM_FILTER_BLOCK)) return;
    for (uint64_t from = 0; from < blocks; from += step)
        filter_range(dict, blocks, from, blocks - from < step ? blocks : from + step, out);
}

/* The filter of plain terms, tops, then each group's prefixes and offsets. */
static void index_encode(const dict_writer *dict, unsigned width, buf *out)
{
    size_t blocks = dict->prefixes.len / 8;
    if (dict->prefixes.failed || dict->offsets.failed || dict->hashes.failed) return;
    filter_encode(dict, out);
    for (size_t block = 0; block < blocks; block += DICT_GROUP)
        buf_append(out, dict->prefixes.data + 8 * block, 8);
    for (size_t block = 0; block < blocks; block += DICT_GROUP) {
        size_t n = blocks - block < DICT_GROUP ? blocks - block : DICT_GROUP;
        buf_append(out, dict->prefixes.data + 8 * block, 8 * n);
        for (size_t i = block; i < block + n; i++)
            buf_append(out, dict->offsets.data + 8 * i, width);
    }
}

void dict_writer_finish(segment_writer *w, dict_writer *dict, section_id blocks, section_id index)
{
    unsigned width = layout_offset_width(dict->blocks.len);
    buf bytes = {.scratch = w->config.scratch};
    writer_check_buf(w, &dict->offsets);
    writer_check_buf(w, &dict->prefixes);
    writer_check_buf(w, &dict->hashes);
    writer_section(w, blocks, &dict->blocks);
    index_encode(dict, width, &bytes);
    writer_section(w, index, &bytes);
    buf_free(&bytes);
}
