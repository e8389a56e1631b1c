/* SPDX-License-Identifier: MIT
 * ids.c - from a document number to its id, and from an id to the document; see ids.h.
 *
 * An id is made by walking its block from the first one: 16 bytes are copied at a time where
 * they are enough, and a run of numbers is one step.  The way back is a search through the
 * blocks where ids rise, else a table of buckets: one byte of each hash says which of a
 * bucket's documents may carry the id.
 */
#include "common/segment/ids.h"

/* ---- numbers -------------------------------------------------------------------------------- */

id_number id_number_of(const uint8_t *id, size_t len)
{
    id_number n = {.stem = len};
    while (n.stem && n.digits < ID_DIGITS_MAX && id[n.stem - 1] >= '0' && id[n.stem - 1] <= '9') {
        n.stem--;
        n.digits++;
    }
    for (size_t i = n.stem; i < len; i++) n.value = n.value * 10 + (uint64_t)(id[i] - '0');
    return n;
}

unsigned id_number_put(uint8_t *out, uint64_t value, unsigned digits)
{
    uint8_t reversed[20];
    unsigned n = 0;
    do reversed[n++] = (uint8_t)('0' + value % 10);
    while (value /= 10);
    while (n < digits) reversed[n++] = '0';
    for (unsigned i = 0; i < n; i++) out[i] = reversed[n - 1 - i];
    return n;
}

int id_order(slice a, slice b)
{
    if (a.len != b.len) return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.data, b.data, a.len) : 0;
}

/* ---- a block -------------------------------------------------------------------------------- */

/* The current id lies in room[len]; room has SEGMENT_ID_ROOM bytes. */
typedef struct id_walk {
    reader at;
    uint8_t *room;
    size_t len, common;
} id_walk;

static bool ids_damaged(segment *s, uint32_t block)
{
    section_id id = SECTION_ID_OFFSETS;
    uint64_t width = layout_offset_width(s->info.sections[SECTION_IDS].len);
    segment_damaged(s, s->info.sections[id].off + width * block, section_name(SECTION_IDS),
                    "ids do not decode");
    return false;
}

/* Opening a segment has compared the lengths of sections with n_docs. */
static bool block_bytes(segment *s, uint32_t block, slice *out)
{
    const section *ids = &s->info.sections[SECTION_IDS];
    unsigned width = layout_offset_width(ids->len);
    bool last = block == (s->info.n_docs - 1) / ID_BLOCK;
    uint64_t at = s->info.sections[SECTION_ID_OFFSETS].off + (uint64_t)width * block;
    if (!segment_touch(s, at, last ? width : 2 * width)) return false;
    const uint8_t *offs = s->file.data + at;
    uint64_t start = layout_offset(offs, width), end = ids->len;
    if (!last) end = layout_offset(offs + width, width);
    if (end <= start || end > ids->len) return ids_damaged(s, block);
    *out = (slice){s->file.data + ids->off + start, (size_t)(end - start)};
    return segment_touch(s, ids->off + start, end - start);
}

/* len bytes behind keep ones.  The map is longer than its sections by 64 bytes and more. */
static inline bool walk_put(id_walk *w, size_t keep, uint64_t len)
{
    const uint8_t *p = read_bytes(&w->at, len);
    if (!p || keep > w->len || keep + len > SEGMENT_ID_MAX || keep + len == 0) return false;
    if (len <= 16)
        memcpy(w->room + keep, p, 16);
    else
        memcpy(w->room + keep, p, (size_t)len);
    w->len = keep + (size_t)len;
    return true;
}

static bool walk_number(id_walk *w, size_t stem, uint64_t value, unsigned digits)
{
    uint8_t text[20];
    unsigned n = id_number_put(text, value, digits);
    if (stem + n > SEGMENT_ID_MAX) return false;
    memcpy(w->room + stem, text, n);
    w->len = stem + n;
    return true;
}

/* The number at the end, and `by`, at most 17 * 16. */
static bool walk_add(id_walk *w, unsigned by)
{
    uint8_t *last = w->room + w->len - 1;
    if (*last < '0' || *last > '9') return false;
    if (*last + by <= '9') {
        *last = (uint8_t)(*last + by);
        return true;
    }
    id_number n = id_number_of(w->room, w->len);
    return walk_number(w, n.stem, n.value + by, n.digits);
}

static bool walk_other_number(id_walk *w, unsigned low)
{
    unsigned n_bytes = low % ID_NUMBER_WIDE + 1;
    const uint8_t *p = n_bytes <= ID_NUMBER_BYTES ? read_bytes(&w->at, n_bytes) : NULL;
    id_number n = id_number_of(w->room, w->len);
    uint64_t value = 0;
    if (!p || !n.digits) return false;
    for (unsigned i = 0; i < n_bytes; i++) value |= (uint64_t)p[i] << 8 * i;
    return walk_number(w, n.stem, value, low & ID_NUMBER_WIDE ? n.digits : 1);
}

/* The next code; at most `most` ids on.  Returns how many, 0 on damage. */
static inline uint32_t walk_next(id_walk *w, uint32_t most)
{
    unsigned head = read_u8(&w->at), high = head >> 4, low = head & 15;
    if (high <= ID_LONG) {
        uint64_t keep = low, len = high;
        if (low == 15) keep += read_varint_max(&w->at, SEGMENT_ID_MAX);
        if (high == ID_LONG) len += read_varint_max(&w->at, SEGMENT_ID_MAX);
        return walk_put(w, w->common + (size_t)keep, len);
    }
    if (high == ID_COUNT) {
        uint32_t n = low + 1 < most ? low + 1 : most;
        return walk_add(w, n) ? n : 0;
    }
    return high == ID_SKIP ? walk_add(w, low + 2) : walk_other_number(w, low);
}

/* To the block's first id. */
static bool walk_first(slice bytes, uint8_t *room, id_walk *w)
{
    *w = (id_walk){.at = reader_of(bytes), .room = room};
    w->common = (size_t)read_varint_max(&w->at, SEGMENT_ID_MAX);
    uint64_t len = read_varint_max(&w->at, SEGMENT_ID_MAX);
    return walk_put(w, 0, len);
}

static bool walk_begin(segment *s, uint32_t block, uint8_t *room, id_walk *w)
{
    slice bytes;
    return block_bytes(s, block, &bytes) && (walk_first(bytes, room, w) || ids_damaged(s, block));
}

/* As walk_next, but a run of numbers is given one by one: *run of it are left. */
static bool walk_one(id_walk *w, uint32_t *run)
{
    if (!*run && reader_left(&w->at) && *w->at.p >> 4 == ID_COUNT)
        *run = (read_u8(&w->at) & 15) + 1;
    if (!*run) return walk_next(w, 1) == 1;
    --*run;
    return walk_add(w, 1);
}

bool ids_block_each(slice bytes, uint32_t n, void (*fn)(void *ctx, slice id), void *ctx)
{
    uint8_t room[SEGMENT_ID_ROOM];
    uint32_t run = 0;
    id_walk w;
    bool good = walk_first(bytes, room, &w);
    for (uint32_t i = 0; i < n && good; i++) {
        if (i) good = walk_one(&w, &run) && !w.at.bad;
        if (good) fn(ctx, (slice){room, w.len});
    }
    return good;
}

slice segment_id(segment *s, uint32_t doc, uint8_t room[SEGMENT_ID_ROOM])
{
    id_walk w;
    slice none = {NULL, 0};
    if (doc >= s->info.n_docs || !walk_begin(s, doc / ID_BLOCK, room, &w)) return none;
    for (uint32_t left = doc % ID_BLOCK, n; left; left -= n)
        if (!(n = walk_next(&w, left)) || w.at.bad) {
            ids_damaged(s, doc / ID_BLOCK);
            return none;
        }
    return (slice){room, w.len};
}

void segment_id_ahead(segment *s, uint32_t doc)
{
    slice bytes;
    if (doc >= s->info.n_docs || !block_bytes(s, doc / ID_BLOCK, &bytes)) return;
    __builtin_prefetch(bytes.data);
    __builtin_prefetch(bytes.data + bytes.len - 1);
}

bool ids_block_exact(segment *s, uint32_t block)
{
    id_walk w;
    uint8_t room[SEGMENT_ID_ROOM];
    uint32_t left = s->info.n_docs - block * ID_BLOCK;
    if (!walk_begin(s, block, room, &w)) return true;
    for (left = (left < ID_BLOCK ? left : ID_BLOCK) - 1; left;) {
        uint32_t n = walk_next(&w, ID_BLOCK);
        if (!n || n > left) return false;
        left -= n;
    }
    return !w.at.bad && !reader_left(&w.at);
}

/* ---- from an id to the document ----------------------------------------------------------- */

unsigned id_doc_bits(uint32_t n_docs)
{
    unsigned bits = 0;
    while (bits < 32 && (n_docs - 1) >> bits) bits++;
    return bits;
}

uint64_t id_table_bytes(uint32_t n_docs)
{
    return 4 * (uint64_t)id_buckets(n_docs) + n_docs +
           layout_groups((uint64_t)n_docs * id_doc_bits(n_docs), 8);
}

bool id_table_doc(segment *s, uint32_t i, uint32_t *doc)
{
    uint32_t n = s->info.n_docs;
    unsigned bits = id_doc_bits(n);
    uint64_t first = (uint64_t)i * bits, end = layout_groups(first + bits, 8);
    slice bytes;
    if (!segment_slice(s, SECTION_ID_TABLE, 4 * (uint64_t)id_buckets(n) + n + first / 8,
                       end - first / 8, &bytes))
        return false;
    /* Up to 8 bytes: the section is followed by more than that. */
    *doc = (uint32_t)(load_u64(bytes.data) >> first % 8 & ((UINT64_C(1) << bits) - 1));
    return true;
}

/* True when document `candidate` has the id. */
static bool has_id(segment *s, uint32_t candidate, const char *id, size_t len)
{
    uint8_t room[SEGMENT_ID_ROOM];
    slice have = segment_id(s, candidate, room);
    return have.len == len && !memcmp(have.data, id, len);
}

uint64_t id_hash(const segment_info *info, const void *id, size_t len)
{
    return hash_keyed(info->ids_keyed ? load_u64(info->uuid) : 0, id, len);
}

/* Rows [*first, *end) of the table are those of a bucket; false: damaged. */
static bool read_bucket(segment *s, uint32_t bucket, uint32_t *first, uint32_t *end)
{
    slice ends;
    if (!segment_slice(s, SECTION_ID_TABLE, 4 * (uint64_t)(bucket - (bucket > 0)), bucket ? 8 : 4,
                       &ends))
        return false;
    *first = bucket ? load_u32(ends.data) : 0;
    *end = load_u32(ends.data + (bucket ? 4 : 0));
    if (*end >= *first && *end <= s->info.n_docs) return true;
    segment_damaged(s, s->info.sections[SECTION_ID_TABLE].off + 4 * (uint64_t)bucket,
                    section_name(SECTION_ID_TABLE), "a bucket is impossible");
    return false;
}

static bool find_in_table(segment *s, const char *id, size_t len, uint32_t *doc)
{
    uint32_t n = s->info.n_docs, first, end;
    uint64_t hash = id_hash(&s->info, id, len);
    slice tags;
    if (!read_bucket(s, id_bucket(hash, n), &first, &end) ||
        !segment_slice(s, SECTION_ID_TABLE, 4 * (uint64_t)id_buckets(n) + first, end - first,
                       &tags))
        return false;
    for (uint32_t i = end - first; i-- > 0;) {
        if (tags.data[i] != (uint8_t)hash) continue;
        if (!id_table_doc(s, first + i, doc)) return false;
        if (*doc >= n) {
            segment_damaged(s, s->info.sections[SECTION_ID_TABLE].off,
                            section_name(SECTION_ID_TABLE), "a document number is too large");
            return false;
        }
        if (has_id(s, *doc, id, len)) return true;
    }
    return false;
}

/* Blocks whose first id is not above the wanted one. */
static bool blocks_up_to(segment *s, slice id, uint32_t *blocks)
{
    uint8_t room[SEGMENT_ID_ROOM];
    uint32_t low = 0, high = (s->info.n_docs - 1) / ID_BLOCK + 1;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        slice first = segment_id(s, mid * ID_BLOCK, room);
        if (!first.len) return false;
        if (id_order(first, id) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    *blocks = low;
    return true;
}

static bool find_rising(segment *s, slice id, uint32_t *doc)
{
    uint8_t room[SEGMENT_ID_ROOM];
    uint32_t blocks, low, high;
    if (!blocks_up_to(s, id, &blocks) || !blocks) return false;
    low = (blocks - 1) * ID_BLOCK;
    high = s->info.n_docs - low > ID_BLOCK ? low + ID_BLOCK : s->info.n_docs;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        slice have = segment_id(s, mid, room);
        if (!have.len) return false;
        int order = id_order(have, id);
        *doc = mid;
        if (!order) return true;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

bool segment_find_id(segment *s, const char *id, size_t len, uint32_t *doc)
{
    if (s->info.sections[SECTION_ID_TABLE].len) return find_in_table(s, id, len, doc);
    return find_rising(s, (slice){(const uint8_t *)id, len}, doc);
}
