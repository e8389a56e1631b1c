/* SPDX-License-Identifier: MIT
 * dict.c - looking up and walking the two dictionaries; see dict.h and FORMAT.md,
 * "dictionaries".  Takes a key, gives an entry.
 *
 *   index:  prefix[0] prefix[1] ...  (8 first bytes of each block's first key, big-endian)
 *   block:  [base] key entry, key entry, ... up to 16; a key is (shared, length, suffix)
 *
 * Many keys may have the same first 8 bytes, so a tie of prefixes is resolved by the block's
 * real first key.
 */
#include "common/segment/dict.h"

#include "common/segment/layout.h"

typedef struct dict_block {
    reader at;        /* next key                                                  */
    uint32_t left;    /* keys                                                      */
    uint64_t ordinal; /* of the next key                                           */
    uint64_t region;  /* terms: end of the region before                           */
    uint64_t off;     /* in the file, for damage                                   */
} dict_block;

static section_id dict_blocks(bool forms)
{
    return forms ? SECTION_FORMS : SECTION_TERMS;
}
static section_id dict_index(bool forms)
{
    return forms ? SECTION_FORMS_INDEX : SECTION_TERMS_INDEX;
}
static uint64_t dict_keys(const segment *s, bool forms)
{
    return forms ? s->info.n_forms : s->info.n_terms;
}

static void dict_damaged(segment *s, bool forms, uint64_t off, const char *what)
{
    segment_damaged(s, off, section_name(dict_blocks(forms)), what);
}

/* ---- blocks --------------------------------------------------------------------------------- */

static bool dict_block_bytes(segment *s, bool forms, uint64_t block, slice *out)
{
    uint64_t n_blocks = layout_groups(dict_keys(s, forms), DICT_BLOCK_KEYS);
    bool last = block + 1 == n_blocks;
    slice offs;
    if (!segment_slice(s, dict_index(forms), 8 * (n_blocks + block), last ? 8 : 16, &offs))
        return false;
    uint64_t start = load_u64(offs.data);
    uint64_t end = last ? s->info.sections[dict_blocks(forms)].len : load_u64(offs.data + 8);
    if (end <= start) {
        segment_damaged(s, s->info.sections[dict_index(forms)].off + 8 * (n_blocks + block),
                        section_name(dict_index(forms)), "block offsets do not rise");
        return false;
    }
    return segment_slice(s, dict_blocks(forms), start, end - start, out);
}

static bool dict_block_open(segment *s, bool forms, uint64_t block, dict_block *out)
{
    slice bytes;
    if (!dict_block_bytes(s, forms, block, &bytes)) return false;
    uint64_t left = dict_keys(s, forms) - block * DICT_BLOCK_KEYS;
    out->at = reader_of(bytes);
    out->left = left < DICT_BLOCK_KEYS ? (uint32_t)left : DICT_BLOCK_KEYS;
    out->ordinal = block * DICT_BLOCK_KEYS;
    out->off = (uint64_t)(bytes.data - s->file.data);
    out->region = forms ? 0 : read_varint_max(&out->at, s->info.sections[SECTION_POSTINGS].len);
    return true;
}

/* Shared length and suffix of the next key. */
static slice dict_read_key(dict_block *b, uint32_t *shared)
{
    *shared = (uint32_t)read_varint_max(&b->at, DICT_KEY_MAX);
    uint64_t len = read_varint_max(&b->at, DICT_KEY_MAX);
    return read_slice(&b->at, len);
}

static bool dict_read_term(const segment *s, dict_block *b, term_entry *out)
{
    uint64_t end = s->info.sections[SECTION_POSTINGS].len;
    out->ordinal = (uint32_t)b->ordinal++;
    out->df = (uint32_t)read_varint_max(&b->at, s->info.n_docs);
    out->cf = out->df + read_varint_max(&b->at, UINT64_C(1) << 62);
    uint64_t forms = read_varint_max(&b->at, (uint64_t)UINT32_MAX * 2 + 1);
    out->n_forms = (uint32_t)(forms >> 1);
    out->has_positions = forms & 1;
    out->len = read_varint_max(&b->at, end);
    out->off = out->df > s->info.block_size ? layout_align(b->region, 8) : b->region;
    if (b->at.bad || out->df == 0 || out->off > end || out->len > end - out->off) return false;
    b->region = out->off + out->len;
    b->left--;
    return true;
}

static bool dict_read_form(const segment *s, dict_block *b, form_entry *out)
{
    uint64_t term = read_varint_max(&b->at, UINT32_MAX);
    out->term = (uint32_t)term;
    out->index = (uint32_t)read_varint_max(&b->at, UINT32_MAX);
    out->df = (uint32_t)read_varint_max(&b->at, s->info.n_docs);
    out->cf = out->df + read_varint_max(&b->at, UINT64_C(1) << 62);
    b->ordinal++;
    b->left--;
    return !b->at.bad && out->df > 0 && term < s->info.n_terms;
}

/* ---- search --------------------------------------------------------------------------------- */

static uint64_t key_prefix(const uint8_t *key, size_t len)
{
    uint8_t bytes[8] = {0};
    if (len) memcpy(bytes, key, len < 8 ? len : 8);
    return __builtin_bswap64(load_u64(bytes));
}

static int key_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    size_t n = a_len < b_len ? a_len : b_len;
    int order = n ? memcmp(a, b, n) : 0;
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* First key of the block against key: *order < 0, 0, > 0.  False on damage. */
static bool dict_compare_first(segment *s, bool forms, uint64_t block, const uint8_t *key,
                               size_t len, uint64_t prefix, int *order)
{
    slice index;
    if (!segment_slice(s, dict_index(forms), 8 * block, 8, &index)) return false;
    uint64_t have = load_u64(index.data);
    *order = (have > prefix) - (have < prefix);
    if (*order) return true;
    dict_block b;
    uint32_t shared;
    if (!dict_block_open(s, forms, block, &b)) return false;
    slice first = dict_read_key(&b, &shared);
    if (b.at.bad || shared) {
        dict_damaged(s, forms, b.off, "a block does not start with a whole key");
        return false;
    }
    *order = key_compare(first.data, first.len, key, len);
    return true;
}

/* Number of blocks whose first key is <= key; false on damage. */
static bool dict_locate(segment *s, bool forms, const uint8_t *key, size_t len, uint64_t *blocks)
{
    uint64_t low = 0, high = layout_groups(dict_keys(s, forms), DICT_BLOCK_KEYS);
    uint64_t prefix = key_prefix(key, len);
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        int order;
        if (!dict_compare_first(s, forms, mid, key, len, prefix, &order)) return false;
        if (order <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    *blocks = low;
    return true;
}

typedef enum scan_order { SCAN_BEFORE, SCAN_HERE, SCAN_AFTER } scan_order;

/* Where the wanted key is, seen from the next key of a block.  *matched: bytes that it has in
 * common with the key before, which was smaller. */
static scan_order scan_key(slice suffix, uint32_t shared, const uint8_t *key, size_t len,
                           size_t *matched)
{
    if (shared > *matched) return SCAN_AFTER;
    if (shared < *matched) return SCAN_BEFORE;
    size_t common = 0, most = len - *matched < suffix.len ? len - *matched : suffix.len;
    while (common < most && suffix.data[common] == key[*matched + common]) common++;
    *matched += common;
    if (common == suffix.len) return *matched == len ? SCAN_HERE : SCAN_AFTER;
    if (*matched == len) return SCAN_BEFORE;
    return suffix.data[common] > key[*matched] ? SCAN_BEFORE : SCAN_AFTER;
}

static bool dict_scan(segment *s, dict_block *b, const uint8_t *key, size_t len, term_entry *out)
{
    size_t matched = 0;
    while (b->left) {
        uint32_t shared;
        slice suffix = dict_read_key(b, &shared);
        if (b->at.bad || !dict_read_term(s, b, out)) {
            dict_damaged(s, false, b->off, "an entry of this block is impossible");
            return false;
        }
        scan_order order = scan_key(suffix, shared, key, len, &matched);
        if (order != SCAN_AFTER) return order == SCAN_HERE;
    }
    return false;
}

bool dict_find(segment *s, const void *key, size_t len, term_entry *out)
{
    uint64_t blocks;
    dict_block b;
    if (len == 0 || len > DICT_KEY_MAX) return false;
    if (!dict_locate(s, false, key, len, &blocks) || blocks == 0) return false;
    return dict_block_open(s, false, blocks - 1, &b) && dict_scan(s, &b, key, len, out);
}

/* ---- iteration ------------------------------------------------------------------------------ */

/* The next key of the current block, into it->key. */
static bool iter_key(dict_iter *it, dict_block *b)
{
    uint32_t shared;
    slice suffix = dict_read_key(b, &shared);
    if (b->at.bad || shared > it->key_len || shared + suffix.len > DICT_KEY_MAX ||
        shared + suffix.len == 0)
        return false;
    if (suffix.len) memcpy(it->key + shared, suffix.data, suffix.len);
    it->key_len = shared + suffix.len;
    return it->forms ? dict_read_form(it->s, b, &it->form) : dict_read_term(it->s, b, &it->term);
}

static bool iter_advance(dict_iter *it)
{
    dict_block b = {.at = it->at, .left = it->left, .ordinal = it->ordinal, .region = it->region};
    if (!b.left) {
        if (it->block >= it->n_blocks) return false;
        it->key_len = 0;
        if (!dict_block_open(it->s, it->forms, it->block, &b)) goto damaged;
        it->block++;
    }
    const uint8_t *entry = b.at.p;
    if (!iter_key(it, &b)) {
        dict_damaged(it->s, it->forms, (uint64_t)(entry - it->s->file.data),
                     "a dictionary entry is impossible");
        goto damaged;
    }
    it->at = b.at;
    it->left = b.left;
    it->ordinal = b.ordinal;
    it->region = b.region;
    return true;
damaged:
    it->left = 0;
    it->block = it->n_blocks;
    return false;
}

static void iter_start(dict_iter *it, segment *s, bool forms, uint64_t block)
{
    it->s = s;
    it->forms = forms;
    it->block = block;
    it->n_blocks = layout_groups(dict_keys(s, forms), DICT_BLOCK_KEYS);
    it->at = reader_of((slice){NULL, 0});
    it->left = 0;
    it->region = 0;
    it->ordinal = block * DICT_BLOCK_KEYS;
    it->key_len = 0;
    it->pending = false;
}

void dict_iter_begin(dict_iter *it, segment *s, bool forms, const void *from, size_t from_len)
{
    uint64_t blocks = 0;
    iter_start(it, s, forms, 0);
    if (!from_len) return;
    if (!dict_locate(s, forms, from, from_len, &blocks)) {
        it->block = it->n_blocks;
        return;
    }
    if (blocks) iter_start(it, s, forms, blocks - 1);
    while (iter_advance(it))
        if (key_compare(it->key, it->key_len, from, from_len) >= 0) {
            it->pending = true;
            return;
        }
}

bool dict_iter_next(dict_iter *it)
{
    if (!it->pending) return iter_advance(it);
    it->pending = false;
    return true;
}

bool dict_term_at(segment *s, uint32_t ordinal, term_entry *out, buf *key)
{
    dict_iter it;
    if (ordinal >= s->info.n_terms) return false;
    iter_start(&it, s, false, ordinal / DICT_BLOCK_KEYS);
    for (uint32_t i = 0; i <= ordinal % DICT_BLOCK_KEYS; i++)
        if (!iter_advance(&it)) return false;
    *out = it.term;
    if (!key) return true;
    buf_reset(key);
    buf_append(key, it.key, it.key_len);
    return !key->failed;
}
