/* SPDX-License-Identifier: MIT
 * second_ids.c - ids of the second reader, and the table from ids to documents, as FORMAT.md,
 * "Ids", has them.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/second_parts.h"

uint64_t second_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t second_hash(uint64_t key, const uint8_t *p, uint64_t len)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ key, i = 0;
    do {
        uint64_t w = 0;
        for (unsigned k = 0; k < 8 && i + k < len; k++) w |= (uint64_t)p[i + k] << 8 * k;
        h = second_mix(h ^ w) + 0x9e3779b97f4a7c15u;
        i += 8;
    } while (i <= len); /* a word for what is left, also when nothing is                   */
    return second_mix(h ^ len);
}

/* The id before, with another number at its end; by: added to its own, or value when `other`. */
static second_id new_number(const second_id *before, bool other, uint64_t value, uint64_t least)
{
    second_id id = *before;
    uint64_t digits = 0, number = 0, ten = 1;
    char text[32];
    while (digits < 15 && digits < id.len && id.bytes[id.len - 1 - digits] >= '0' &&
           id.bytes[id.len - 1 - digits] <= '9') {
        number += ten * (uint64_t)(id.bytes[id.len - 1 - digits] - '0');
        ten *= 10;
        digits++;
    }
    EXPECT(digits > 0);
    if (!least) least = digits;
    number = other ? value : number + value;
    uint64_t n = 0;
    for (; number || n < least; number /= 10) text[n++] = (char)('0' + number % 10);
    id.len = id.len - digits + n;
    EXPECT(id.len <= 1024);
    for (uint64_t i = 0; i < n; i++) id.bytes[id.len - 1 - i] = (uint8_t)text[i];
    return id;
}

static second_id new_bytes(const second_id *before, bytes *r, uint64_t keep, uint64_t n)
{
    second_id id = *before;
    EXPECT(keep <= before->len && keep + n >= 1 && keep + n <= 1024);
    for (uint64_t i = 0; i < n; i++) id.bytes[keep + i] = (uint8_t)second_number(r, 1);
    id.len = keep + n;
    return id;
}

/* The ids of one code behind ids[-1]; returns their number. */
static uint64_t read_code(second_id *ids, bytes *r, uint64_t common)
{
    uint64_t head = second_number(r, 1), high = head / 16, low = head % 16;
    if (high == 15) {
        for (uint64_t i = 0; i <= low; i++) ids[i] = new_number(ids + i - 1, false, 1, 0);
        return low + 1;
    }
    if (high == 14) {
        ids[0] = new_number(ids - 1, false, low + 2, 0);
    } else if (high == 13) {
        EXPECT(low % 8 < 7);
        uint64_t value = second_number(r, (unsigned)(low % 8 + 1));
        ids[0] = new_number(ids - 1, true, value, low < 8);
    } else {
        uint64_t keep = common + low;
        if (low == 15) keep += second_varint(r);
        uint64_t n = high == 12 ? 12 + second_varint(r) : high;
        ids[0] = new_bytes(ids - 1, r, keep, n);
    }
    return 1;
}

static void read_blocks(file *f)
{
    bytes ids = f->sections[IDS], offs = f->sections[ID_OFFSETS];
    unsigned width = ids.len < UINT64_C(1) << 32 ? 4 : 8;
    static const second_id none;
    f->ids = second_room(f->n_docs + 16, sizeof *f->ids);
    for (uint64_t doc = 0; doc < f->n_docs;) {
        uint64_t end = doc + 16 < f->n_docs ? doc + 16 : f->n_docs;
        EXPECT(second_number(&offs, width) == ids.at);
        uint64_t common = second_varint(&ids), len = second_varint(&ids);
        f->ids[doc++] = new_bytes(&none, &ids, 0, len);
        while (doc < end) doc += read_code(f->ids + doc, &ids, common);
        EXPECT(doc == end);
    }
    EXPECT(ids.at == ids.len && offs.at == offs.len);
}

/* Shorter ones first. */
static int compare(const second_id *a, const second_id *b)
{
    if (a->len != b->len) return a->len < b->len ? -1 : 1;
    return memcmp(a->bytes, b->bytes, a->len);
}

static void read_table(file *f)
{
    bytes table = f->sections[ID_TABLE];
    uint64_t n = f->n_docs, buckets = second_groups(n, 32), bits = 0, i = 0;
    while ((n - 1) >> bits) bits++;
    EXPECT(table.len == 4 * buckets + n + second_groups(n * bits, 8));
    const uint8_t *tags = table.p + 4 * buckets, *docs = tags + n;
    for (uint64_t b = 0; b < buckets; b++) {
        uint64_t end = second_number(&table, 4), before = 0;
        EXPECT(end >= i && end <= n);
        for (uint64_t first = i; i < end; i++) {
            uint64_t doc = 0;
            for (uint64_t k = 0; k < bits; k++)
                doc |= (uint64_t)second_bit(docs, i * bits + k) << k;
            EXPECT(doc < n);
            uint64_t hash = second_hash(f->key, f->ids[doc].bytes, f->ids[doc].len);
            EXPECT((hash >> 32) * buckets >> 32 == b && hash % 256 == tags[i]);
            uint64_t key = (hash % 256) << 32 | doc;
            EXPECT(i == first || key > before);
            before = key;
        }
    }
    EXPECT(i == n);
    for (uint64_t k = n * bits; k % 8; k++) EXPECT(!second_bit(docs, k));
}

void second_read_ids(file *f)
{
    bool rise = true;
    read_blocks(f);
    for (uint64_t doc = 1; doc < f->n_docs; doc++)
        rise = rise && compare(&f->ids[doc - 1], &f->ids[doc]) < 0;
    if (rise)
        EXPECT(f->sections[ID_TABLE].len == 0);
    else
        read_table(f);
}
