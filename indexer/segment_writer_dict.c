/* SPDX-License-Identifier: MIT
 * segment_writer_dict.c - front coding: sorted keys in blocks of 16, each key as the number of
 * bytes it shares with the one before, and the rest; an index of first keys by their first
 * 8 bytes (FORMAT.md, "dictionaries").  Takes keys in bytewise order, gives two sections.
 */
#include "indexer/segment_writer_parts.h"

static size_t shared_len(const dict_writer *dict, const uint8_t *key, size_t len)
{
    size_t n = 0, most = len < dict->last_len ? len : dict->last_len;
    while (n < most && key[n] == dict->last[n]) n++;
    return n;
}

static void block_begin(dict_writer *dict, const uint8_t *key, size_t len, uint64_t base,
                        bool with_base)
{
    uint8_t prefix[8] = {0};
    memcpy(prefix, key, len < 8 ? len : 8);
    buf_u64(&dict->prefixes, __builtin_bswap64(load_u64(prefix)));
    buf_u64(&dict->offsets, dict->blocks.len);
    if (with_base) buf_varint(&dict->blocks, base);
}

bool dict_writer_key(dict_writer *dict, const void *key, size_t len, uint64_t base, bool with_base)
{
    const uint8_t *bytes = key;
    if (len == 0 || len > DICT_KEY_MAX || dict->n_keys >= UINT32_MAX) return false;
    size_t shared = shared_len(dict, bytes, len);
    bool follows = shared < len && (shared == dict->last_len || bytes[shared] > dict->last[shared]);
    if (dict->n_keys && !follows) return false;
    if (dict->n_keys++ % DICT_BLOCK_KEYS == 0) {
        block_begin(dict, bytes, len, base, with_base);
        shared = 0;
    }
    buf_varint(&dict->blocks, shared);
    buf_varint(&dict->blocks, len - shared);
    buf_append(&dict->blocks, bytes + shared, len - shared);
    memcpy(dict->last, bytes, len);
    dict->last_len = len;
    return true;
}

void dict_writer_free(dict_writer *dict)
{
    buf_free(&dict->blocks);
    buf_free(&dict->prefixes);
    buf_free(&dict->offsets);
}
