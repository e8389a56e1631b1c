/* SPDX-License-Identifier: MIT
 * dict.c - looking up and walking the two dictionaries; see dict.h and FORMAT.md,
 * "dictionaries".  Takes a key, gives an entry.
 *
 *   index:  groups of prefixes (8 first bytes of each block's first key, big-endian) and offsets
 *   block:  [base] key entry, key entry, ... up to 16; a key is (shared and length, suffix)
 *
 * Many keys may have the same first 8 bytes, so a tie of prefixes is resolved by the block's
 * real first key.
 */
#include "common/segment/dict.h"

#include "common/segment/dict_index.h"
#include "common/segment/form_spelling.h"

typedef struct dict_block {
    reader at;        /* next key                                                  */
    uint32_t left;    /* keys                                                      */
    uint64_t ordinal; /* of the next key                                           */
    uint64_t region;  /* terms: end of the region before; forms: ordinal of the term before  */
    uint64_t off;     /* in the file, for damage                                   */
} dict_block;

static section_id dict_blocks(bool forms)
{
    return forms ? SECTION_FORMS : SECTION_TERMS;
}
static section_id dict_index_section(bool forms)
{
    return forms ? SECTION_FORMS_INDEX : SECTION_TERMS_INDEX;
}
static uint64_t dict_keys(const segment *s, bool forms)
{
    return forms ? s->info.n_listed_forms : s->info.n_terms;
}

static void dict_damaged(segment *s, bool forms, uint64_t off, const char *what)
{
    segment_damaged(s, off, section_name(dict_blocks(forms)), what);
}

/* ---- blocks --------------------------------------------------------------------------------- */

static dict_index dict_layout(const segment *s, bool forms)
{
    return dict_index_of(dict_keys(s, forms), s->info.sections[dict_blocks(forms)].len,
                         forms ? 0 : s->info.n_plain_terms);
}

/* Where a block starts; the end of the section for the one behind the last.  False on damage. */
static bool dict_block_start(segment *s, bool forms, const dict_index *d, uint64_t block,
                             uint64_t *out)
{
    slice bytes;
    *out = s->info.sections[dict_blocks(forms)].len;
    if (block == d->blocks) return true;
    if (!segment_slice(s, dict_index_section(forms), dict_index_offset(d, block), d->width, &bytes))
        return false;
    *out = layout_offset(bytes.data, d->width);
    return true;
}

static bool dict_block_bytes(segment *s, bool forms, uint64_t block, slice *out)
{
    dict_index d = dict_layout(s, forms);
    uint64_t start, end;
    if (!dict_block_start(s, forms, &d, block, &start) ||
        !dict_block_start(s, forms, &d, block + 1, &end))
        return false;
    if (end <= start) {
        section_id index = dict_index_section(forms);
        segment_damaged(s, s->info.sections[index].off + dict_index_offset(&d, block),
                        section_name(index), "block offsets do not rise");
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
static inline slice dict_read_key(dict_block *b, uint32_t *shared)
{
    unsigned head = read_u8(&b->at);
    uint64_t len = head >> 4;
    *shared = head & DICT_SHORT;
    if (*shared == DICT_SHORT) *shared += (uint32_t)read_varint_max(&b->at, DICT_KEY_MAX);
    if (len == DICT_SHORT) len += read_varint_max(&b->at, DICT_KEY_MAX);
    return read_slice(&b->at, len);
}

/* df and cf: 1 and the same are flags, anything else a number. */
static inline void dict_read_counts(const segment *s, reader *r, bool one_doc, bool once_each,
                                    uint32_t *df, uint64_t *cf)
{
    uint64_t v = one_doc ? 1 : read_varint_max(r, s->info.n_docs) + 2;
    if (v > s->info.n_docs) r->bad = true;
    *df = (uint32_t)v;
    *cf = *df;
    if (!once_each) *cf += read_varint_max(r, UINT64_C(1) << 62) + 1;
}

static bool dict_read_term(const segment *s, dict_block *b, term_entry *out)
{
    uint64_t end = s->info.sections[SECTION_POSTINGS].len;
    uint64_t flags = read_varint_max(&b->at, (uint64_t)UINT32_MAX << TERM_FORMS_SHIFT);
    uint32_t forms = (uint32_t)(flags >> TERM_FORMS_SHIFT);
    out->ordinal = (uint32_t)b->ordinal++;
    dict_read_counts(s, &b->at, flags & TERM_ONE_DOC, flags & TERM_ONCE_EACH, &out->df, &out->cf);
    out->style = forms <= FORM_CAPITALS ? (form_style)forms : FORM_LISTED;
    out->n_forms = forms <= FORM_CAPITALS ? forms != 0 : forms - FORM_CAPITALS;
    out->has_positions = flags & TERM_POSITIONS;
    out->len = read_varint_max(&b->at, end);
    out->off = out->df > s->info.block_size ? layout_align(b->region, 8) : b->region;
    if (b->at.bad || out->off > end || out->len > end - out->off) return false;
    b->region = out->off + out->len;
    b->left--;
    return true;
}

/* ---- search --------------------------------------------------------------------------------- */

static uint64_t key_prefix(const uint8_t *key, size_t len)
{
    uint8_t bytes[8] = {0};
    if (len) memcpy(bytes, key, len < 8 ? len : 8);
    return __builtin_bswap64(load_u64(bytes));
}

int dict_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    size_t n = a_len < b_len ? a_len : b_len;
    int order = n ? memcmp(a, b, n) : 0;
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static void walk_start(dict_walk *w, segment *s, bool forms, uint64_t block);

/* First key of a block of terms; of forms, made by a walk. */
static bool first_key(segment *s, bool forms, uint64_t block, dict_walk *room, slice *key)
{
    dict_block b;
    uint32_t shared;
    if (forms) {
        walk_start(room, s, true, block);
        bool there = dict_walk_next(room);
        *key = (slice){room->key, room->key_len};
        return there;
    }
    if (!dict_block_open(s, forms, block, &b)) return false;
    *key = dict_read_key(&b, &shared);
    if (!b.at.bad && !shared) return true;
    dict_damaged(s, forms, b.off, "a block does not start with a whole key");
    return false;
}

/* n big-endian prefixes as numbers: how many are below `prefix`, and how many not above it. */
static void count_prefixes(const uint8_t *at, uint64_t n, uint64_t prefix, uint64_t *below,
                           uint64_t *upto)
{
    uint64_t low = 0, high = n;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (load_u64(at + 8 * mid) < prefix)
            low = mid + 1;
        else
            high = mid;
    }
    *below = low;
    while (low < n && load_u64(at + 8 * low) == prefix) low++;
    *upto = low;
}

/* Of blocks [low, high), whose first keys have the prefix of `key`: how many of these are <=
 * key, as the number of the first that is not.  False on damage. */
static bool settle_ties(segment *s, bool forms, slice key, uint64_t low, uint64_t high,
                        uint64_t *blocks)
{
    dict_walk room;
    slice first;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (!first_key(s, forms, mid, &room, &first)) return false;
        if (dict_compare(first.data, first.len, key.data, key.len) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    *blocks = low;
    return true;
}

/* Prefixes below and not above in one group, as numbers of blocks. */
static bool search_group(segment *s, bool forms, const dict_index *d, uint64_t group,
                         uint64_t prefix, uint64_t *below, uint64_t *upto)
{
    slice bytes;
    uint64_t n = dict_index_group_blocks(d, group);
    if (!segment_slice(s, dict_index_section(forms), dict_index_group(d, group), 8 * n, &bytes))
        return false;
    count_prefixes(bytes.data, n, prefix, below, upto);
    *below += group * DICT_GROUP;
    *upto += group * DICT_GROUP;
    return true;
}

/* Number of blocks whose first key is <= key; false on damage.  The tops name the groups in
 * which blocks with the key's prefix can begin and end: most often the same. */
static bool dict_locate(segment *s, bool forms, slice key, uint64_t *blocks)
{
    dict_index d = dict_layout(s, forms);
    uint64_t prefix = key_prefix(key.data, key.len), below, upto, first, last, unused;
    slice tops;
    *blocks = 0;
    if (!segment_slice(s, dict_index_section(forms), d.tops, 8 * dict_index_groups(&d), &tops))
        return false;
    count_prefixes(tops.data, dict_index_groups(&d), prefix, &below, &upto);
    if (!upto) return true;
    if (!search_group(s, forms, &d, below ? below - 1 : 0, prefix, &first, &last)) return false;
    if (upto - 1 != (below ? below - 1 : 0) &&
        !search_group(s, forms, &d, upto - 1, prefix, &unused, &last))
        return false;
    return settle_ties(s, forms, key, first, last, blocks);
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

bool dict_may_have(segment *s, slice word)
{
    uint64_t blocks = term_filter_blocks(s->info.n_plain_terms);
    slice block;
    if (!blocks) return false;
    uint64_t hash = hash_bytes(word.data, word.len);
    return segment_slice(s, SECTION_TERMS_INDEX,
                         TERM_FILTER_BLOCK * term_filter_block(hash, blocks), TERM_FILTER_BLOCK,
                         &block) &&
           term_filter_has(block.data, hash);
}

bool dict_find(segment *s, const void *key, size_t len, term_entry *out)
{
    uint64_t blocks;
    dict_block b;
    if (len == 0 || len > DICT_KEY_MAX) return false;
    if (key_is_plain(*(const uint8_t *)key) && !dict_may_have(s, (slice){key, len})) return false;
    if (!dict_locate(s, false, (slice){key, len}, &blocks) || blocks == 0) return false;
    return dict_block_open(s, false, blocks - 1, &b) && dict_scan(s, &b, key, len, out);
}

/* ---- one dictionary, key by key ------------------------------------------------------------ */

/* The next term's key, or the next folded form, into w->key. */
static bool walk_key(dict_walk *w, dict_block *b)
{
    uint32_t shared;
    slice suffix = dict_read_key(b, &shared);
    if (b->at.bad || shared > w->front_len || shared + suffix.len > DICT_KEY_MAX) return false;
    if (suffix.len) memcpy(w->key + shared, suffix.data, suffix.len);
    w->key_len = w->front_len = shared + suffix.len;
    return true;
}

/* The zero byte and the exact form behind the folded one. */
static bool walk_exact(dict_walk *w, dict_block *b, unsigned style)
{
    slice folded = {w->key, w->front_len}, exact = {NULL, 0};
    uint32_t mask = form_style_mask((form_style)(style + FORM_SAME));
    bool masked = style < LISTED_OTHER_STYLE;
    if (!masked) {
        mask = (uint32_t)read_varint_max(&b->at, UINT32_MAX);
        masked = mask != 0;
        if (!masked) exact = read_slice(&b->at, read_varint_max(&b->at, DICT_KEY_MAX));
    }
    uint64_t len = masked && mask ? folded.len : exact.len;
    if (b->at.bad || w->front_len + 1 + len > DICT_KEY_MAX) return false;
    uint8_t *out = w->key + w->front_len;
    *out++ = 0;
    w->key_len = w->front_len + 1 + (size_t)len;
    if (masked) return form_put_exact(out, folded, mask);
    if (exact.len) memcpy(out, exact.data, exact.len);
    return true;
}

/* Ordinals are differences within a block: forms and terms go almost in step. */
static bool walk_form(dict_walk *w, dict_block *b)
{
    form_entry *out = &w->form;
    unsigned flags = read_u8(&b->at);
    if (!walk_exact(w, b, flags & 3)) return false;
    out->index = flags >> LISTED_INDEX_SHIFT;
    if (out->index == DICT_SHORT)
        out->index += (uint32_t)read_varint_max(&b->at, UINT32_MAX - DICT_SHORT);
    uint64_t delta = read_varint_max(&b->at, UINT64_C(1) << 33);
    uint64_t term = b->region + (delta >> 1 ^ (0 - (delta & 1)));
    dict_read_counts(w->s, &b->at, flags & LISTED_ONE_DOC, flags & LISTED_ONCE_EACH, &out->df,
                     &out->cf);
    out->term = (uint32_t)term;
    b->region = term;
    b->ordinal++;
    b->left--;
    return !b->at.bad && term < w->s->info.n_terms;
}

bool dict_walk_next(dict_walk *w)
{
    dict_block b = {.at = w->at, .left = w->left, .ordinal = w->ordinal, .region = w->region};
    if (!b.left) {
        if (w->block >= w->n_blocks) return false;
        w->front_len = 0;
        if (!dict_block_open(w->s, w->forms, w->block, &b)) goto damaged;
        w->block++;
    }
    const uint8_t *entry = b.at.p;
    bool good =
        walk_key(w, &b) && (w->forms ? walk_form(w, &b) : dict_read_term(w->s, &b, &w->term));
    if (!good || !w->key_len) {
        dict_damaged(w->s, w->forms, (uint64_t)(entry - w->s->file.data),
                     "a dictionary entry is impossible");
        goto damaged;
    }
    w->at = b.at;
    w->left = b.left;
    w->ordinal = b.ordinal;
    w->region = b.region;
    return true;
damaged:
    w->left = 0;
    w->block = w->n_blocks;
    return false;
}

static void walk_start(dict_walk *w, segment *s, bool forms, uint64_t block)
{
    w->s = s;
    w->forms = forms;
    w->block = block;
    w->n_blocks = layout_groups(dict_keys(s, forms), DICT_BLOCK_KEYS);
    w->at = reader_of((slice){NULL, 0});
    w->left = 0;
    w->region = 0;
    w->ordinal = block * DICT_BLOCK_KEYS;
    w->key_len = w->front_len = 0;
}

void dict_walk_begin(dict_walk *w, segment *s, bool forms)
{
    walk_start(w, s, forms, 0);
}

bool dict_walk_seek(dict_walk *w, segment *s, bool forms, slice from)
{
    uint64_t blocks = 0;
    walk_start(w, s, forms, 0);
    if (from.len && !dict_locate(s, forms, from, &blocks)) {
        w->block = w->n_blocks;
        return false;
    }
    if (blocks) walk_start(w, s, forms, blocks - 1);
    while (dict_walk_next(w))
        if (dict_compare(w->key, w->key_len, from.data, from.len) >= 0) return true;
    return false;
}

bool dict_term_at(segment *s, uint32_t ordinal, term_entry *out, buf *key)
{
    dict_walk w;
    if (ordinal >= s->info.n_terms) return false;
    walk_start(&w, s, false, ordinal / DICT_BLOCK_KEYS);
    for (uint32_t i = 0; i <= ordinal % DICT_BLOCK_KEYS; i++)
        if (!dict_walk_next(&w)) return false;
    *out = w.term;
    if (!key) return true;
    buf_reset(key);
    buf_append(key, w.key, w.key_len);
    return !key->failed;
}
