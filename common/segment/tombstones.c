/* SPDX-License-Identifier: MIT
 * tombstones.c - bytes to tombstones and back; see tombstones.h.
 *
 * The layout is FORMAT.md, "Tombstones": a head of 64 bytes, one bit a document, the
 * corrections in three arrays, a CRC-32C at the very end which the manifest repeats.  The
 * whole file is summed when it is opened: it is a few bits a document, and every search
 * reads nearly all of it.
 */
#include "common/segment/tombstones.h"

#include "common/base/crc32c.h"
#include "common/base/mem.h"
#include "common/segment/cursor.h"

enum {
    TOMBSTONES_VERSION = 1,
    TOMBSTONES_HEAD_BYTES = 64,
    TOMBSTONES_CRC_BYTES = 4,
    TOMBSTONES_BUCKET_DOCS = 512, /* the bitmap is padded to whole buckets            */
    POSTING_BYTES = 4,            /* of a list, about, with what stands beside it     */
};

static const char tombstones_magic[8] = {'P', 'M', 'T', 'O', 'M', 'B', 'S', 0x1a};

static uint64_t bitmap_bytes(uint32_t n_docs)
{
    return ((uint64_t)n_docs + TOMBSTONES_BUCKET_DOCS - 1) / TOMBSTONES_BUCKET_DOCS *
           (TOMBSTONES_BUCKET_DOCS / 8);
}

/* ---- opening ------------------------------------------------------------------------- */

typedef struct tombstones_source {
    slice whole;
    const dir *d;
    const char *name;
    pm_error *err;
} tombstones_source;

static pm_status source_corrupt(const tombstones_source *src, uint64_t at, const char *what)
{
    return error_corrupt(src->err, src->name, at, "tombstones", what);
}

static pm_status open_envelope(const tombstones_source *src, uint64_t file_size,
                               uint32_t expect_crc)
{
    slice bytes = src->whole;
    if (bytes.len != file_size || bytes.len < TOMBSTONES_HEAD_BYTES + TOMBSTONES_CRC_BYTES)
        return source_corrupt(src, 0, "wrong length");
    if (memcmp(bytes.data, tombstones_magic, sizeof tombstones_magic) != 0)
        return source_corrupt(src, 0, "not a tombstone file");
    size_t summed = bytes.len - TOMBSTONES_CRC_BYTES;
    uint32_t crc = load_u32(bytes.data + summed);
    if (crc != expect_crc || crc32c(0, bytes.data, summed) != crc)
        return source_corrupt(src, summed, "wrong checksum");
    if (load_u32(bytes.data + 8) != TOMBSTONES_VERSION)
        return source_corrupt(src, 8, "made by a newer pressmark, or none");
    return PM_OK;
}

static pm_status open_head(const tombstones_source *src, tombstones *t, const segment *s)
{
    reader r = reader_of(src->whole);
    read_bytes(&r, 12);
    uint32_t zero = read_u32(&r);
    const uint8_t *uuid = read_bytes(&r, 16);
    uint64_t segment_id = read_u64(&r);
    t->n_docs = read_u32(&r);
    t->n_deleted = read_u32(&r);
    t->deleted_tokens = read_u64(&r);
    t->n_corrections = read_u64(&r);
    if (!uuid || memcmp(uuid, s->info.uuid, 16) != 0 || segment_id != s->info.segment_id ||
        t->n_docs != s->info.n_docs)
        return source_corrupt(src, 16, "belongs to another segment");
    if (zero || t->n_deleted == 0 || t->n_deleted > t->n_docs ||
        t->deleted_tokens > s->info.sum_dl || t->n_corrections > s->info.n_terms)
        return source_corrupt(src, 40, "counts out of range");
    return PM_OK;
}

static pm_status open_arrays(const tombstones_source *src, tombstones *t)
{
    uint64_t off = TOMBSTONES_HEAD_BYTES, n = t->n_corrections;
    bool fits = slice_sub(src->whole, off, bitmap_bytes(t->n_docs), &t->bits);
    off += t->bits.len;
    fits = fits && slice_sub(src->whole, off, n * 8, &t->cf_minus);
    off += t->cf_minus.len;
    fits = fits && slice_sub(src->whole, off, n * 4, &t->ordinals);
    off += t->ordinals.len;
    fits = fits && slice_sub(src->whole, off, n * 4, &t->df_minus);
    off += t->df_minus.len;
    if (fits && off + TOMBSTONES_CRC_BYTES == src->whole.len) return PM_OK;
    return source_corrupt(src, off, "its arrays do not fill it");
}

static pm_status check_bits(const tombstones_source *src, const tombstones *t)
{
    uint64_t n = 0, words = t->bits.len / 8;
    for (uint64_t w = 0; w < words; w++) {
        uint64_t bits = load_u64(t->bits.data + w * 8);
        uint64_t first = w * 64;
        uint64_t beyond = first >= t->n_docs       ? bits
                          : t->n_docs - first < 64 ? bits >> (t->n_docs - first)
                                                   : 0;
        if (beyond) return source_corrupt(src, TOMBSTONES_HEAD_BYTES + w * 8, "no such document");
        n += (uint64_t)__builtin_popcountll(bits);
    }
    if (n != t->n_deleted) return source_corrupt(src, 44, "wrong number of deleted documents");
    return PM_OK;
}

static pm_status check_corrections(const tombstones_source *src, const tombstones *t,
                                   const segment *s)
{
    for (uint64_t i = 0; i < t->n_corrections; i++) {
        uint32_t ordinal = load_u32(t->ordinals.data + i * 4);
        uint32_t df = load_u32(t->df_minus.data + i * 4);
        uint64_t cf = load_u64(t->cf_minus.data + i * 8);
        bool rises = i == 0 || load_u32(t->ordinals.data + (i - 1) * 4) < ordinal;
        if (!rises || ordinal >= s->info.n_terms || df == 0 || df > t->n_deleted || cf < df)
            return source_corrupt(src, (uint64_t)(t->ordinals.data - src->whole.data) + i * 4,
                                  "a correction out of order or range");
    }
    return PM_OK;
}

pm_status tombstones_open(tombstones *t, const dir *d, const char *name, const segment *s,
                          uint64_t file_size, uint32_t expect_crc, pm_error *err)
{
    pm_status st;
    PM_TRY(map_open(&t->file, d, name, NULL, err));
    tombstones_source src = {{t->file.data, t->file.len}, d, name, err};
    PM_TRY(open_envelope(&src, file_size, expect_crc));
    PM_TRY(open_head(&src, t, s));
    PM_TRY(open_arrays(&src, t));
    PM_TRY(check_bits(&src, t));
    PM_TRY(check_corrections(&src, t, s));
out:
    if (st != PM_OK) tombstones_close(t);
    return st;
}

void tombstones_close(tombstones *t)
{
    map_close(&t->file);
    *t = (tombstones){0};
}

void tombstones_correction(const tombstones *t, uint32_t ordinal, uint32_t *df_minus,
                           uint64_t *cf_minus)
{
    uint64_t low = 0, high = t->n_corrections;
    *df_minus = 0;
    *cf_minus = 0;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        uint32_t at = load_u32(t->ordinals.data + mid * 4);
        if (at == ordinal) {
            *df_minus = load_u32(t->df_minus.data + mid * 4);
            *cf_minus = load_u64(t->cf_minus.data + mid * 8);
            return;
        }
        if (at < ordinal)
            low = mid + 1;
        else
            high = mid;
    }
}

/* ---- making -------------------------------------------------------------------------- */

typedef struct corrections {
    buf ordinals, df_minus, cf_minus;
    uint64_t n;
} corrections;

static void corrections_free(corrections *c)
{
    buf_free(&c->ordinals);
    buf_free(&c->df_minus);
    buf_free(&c->cf_minus);
}

static bool bitmap_has(const uint64_t *bits, uint32_t doc)
{
    return bits[doc >> 6] >> (doc & 63) & 1;
}

/* Walk one posting list and note what its deleted documents take away. */
static void correct_term(corrections *out, cursor *c, segment *s, const term_entry *term,
                         const uint64_t *deleted, uint64_t *passed)
{
    uint32_t df = 0;
    uint64_t cf = 0;
    cursor_open(c, s, term);
    while (cursor_next(c) != CURSOR_END) {
        segment_pass(s, passed, POSTING_BYTES);
        if (!bitmap_has(deleted, c->doc)) continue;
        df++;
        cf += cursor_tf(c);
    }
    if (!df) return;
    buf_u32(&out->ordinals, term->ordinal);
    buf_u32(&out->df_minus, df);
    buf_u64(&out->cf_minus, cf);
    out->n++;
}

static pm_status correct_all(corrections *out, segment *s, const uint64_t *deleted, pm_error *err)
{
    uint64_t passed = 0;
    dict_iter *it = mem_zalloc(sizeof *it);
    cursor *c = mem_zalloc(sizeof *c);
    pm_status st = it && c ? PM_OK : error_nomem(err);
    if (st == PM_OK) {
        dict_iter_begin(it, s, false, "", 0);
        while (dict_iter_next(it)) correct_term(out, c, s, &it->term, deleted, &passed);
        st = segment_status(s, err);
    }
    if (st == PM_OK && (out->ordinals.failed || out->df_minus.failed || out->cf_minus.failed))
        st = error_nomem(err);
    mem_free(it);
    mem_free(c);
    return st;
}

static void put_bitmap(buf *out, const uint64_t *deleted, uint32_t n_docs)
{
    size_t words = ((size_t)n_docs + 63) / 64;
    for (size_t w = 0; w < words; w++) buf_u64(out, deleted[w]);
    buf_zero(out, (size_t)bitmap_bytes(n_docs) - words * 8);
}

static void put_file(buf *out, const segment *s, const uint64_t *deleted, const corrections *c,
                     uint32_t n_deleted, uint64_t deleted_tokens)
{
    buf_append(out, tombstones_magic, sizeof tombstones_magic);
    buf_u32(out, TOMBSTONES_VERSION);
    buf_u32(out, 0);
    buf_append(out, s->info.uuid, 16);
    buf_u64(out, s->info.segment_id);
    buf_u32(out, s->info.n_docs);
    buf_u32(out, n_deleted);
    buf_u64(out, deleted_tokens);
    buf_u64(out, c->n);
    put_bitmap(out, deleted, s->info.n_docs);
    buf_append(out, c->cf_minus.data, c->cf_minus.len);
    buf_append(out, c->ordinals.data, c->ordinals.len);
    buf_append(out, c->df_minus.data, c->df_minus.len);
}

pm_status tombstones_encode(segment *s, const uint64_t *deleted, buf *out, uint32_t *crc,
                            uint32_t *n_deleted, uint64_t *deleted_tokens, pm_error *err)
{
    corrections c = {0};
    size_t begin = out->len;
    *n_deleted = 0;
    *deleted_tokens = 0;
    *crc = 0;
    for (uint32_t doc = 0; doc < s->info.n_docs; doc++)
        if (bitmap_has(deleted, doc)) {
            ++*n_deleted;
            *deleted_tokens += segment_dl(s, doc);
        }
    pm_status st = correct_all(&c, s, deleted, err);
    if (st == PM_OK) {
        put_file(out, s, deleted, &c, *n_deleted, *deleted_tokens);
        if (!out->failed) *crc = crc32c(0, out->data + begin, out->len - begin);
        buf_u32(out, *crc);
        if (out->failed) st = error_nomem(err);
    }
    corrections_free(&c);
    return st;
}
