/* SPDX-License-Identifier: MIT
 * manifest.c - bytes to manifest and back; see manifest.h.
 *
 * The layout is FORMAT.md, "Manifest": a fixed head of 224 bytes, 120 bytes a segment, and a
 * CRC-32C of all that at the very end.  The sum is checked before any field is believed, so
 * what follows it only guards against files that were made to deceive.  How a manifest
 * becomes the current one is manifest_publish.c.
 */
#include "common/segment/manifest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/crc32c.h"
#include "common/base/mem.h"

enum {
    MANIFEST_HEAD_BYTES = 224,
    MANIFEST_SEGMENT_BYTES = 120,
    MANIFEST_CRC_BYTES = 4,
    MANIFEST_MIN_BYTES = MANIFEST_HEAD_BYTES + MANIFEST_CRC_BYTES,
    MANIFEST_FLAG_POSITIONS = 1,
    MANIFEST_FLAG_TEXT = 2,
    MANIFEST_FLAG_SMALL = 4,
};

/* Counters that rise by one do not come so far; one that somebody made is not read or published. */
#define COUNTER_END (UINT64_C(1) << 63)

static const char manifest_magic[8] = {'P', 'M', 'M', 'A', 'N', 'I', 'F', 0x1a};

_Static_assert(sizeof(((manifest *)0)->engine) == 16, "stored as 16 bytes");
_Static_assert(sizeof(((manifest *)0)->lang) == 16, "stored as 16 bytes");
_Static_assert(sizeof(((manifest *)0)->profile) == 96, "stored as 96 bytes");
_Static_assert(SEGMENT_NAME_MAX == 40, "stored as 40 bytes");

/* ---- names --------------------------------------------------------------------------- */

/* <number>-<8 hexadecimal digits><suffix>; *number gets the first part. */
static bool name_parse(const char *name, const char *suffix, uint64_t *number)
{
    const char *p = name;
    uint64_t n = 0;
    if (*p < '1' || *p > '9') return false;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
            return false;
    if (*p++ != '-') return false;
    for (unsigned i = 0; i < 8; i++, p++)
        if (!(*p >= '0' && *p <= '9') && !(*p >= 'a' && *p <= 'f')) return false;
    *number = n;
    return strcmp(p, suffix) == 0;
}

bool manifest_own_name(const char *name)
{
    uint64_t number;
    return name_parse(name, ".seg", &number) || name_parse(name, ".del", &number) ||
           strcmp(name, "manifest.tmp") == 0 || strcmp(name, "manifest.prev.tmp") == 0;
}

void manifest_make_name(char out[SEGMENT_NAME_MAX], uint64_t number, const char *suffix)
{
    uint8_t random[16];
    file_random(random);
    snprintf(out, SEGMENT_NAME_MAX, "%llu-%08x%s", (unsigned long long)number, load_u32(random),
             suffix);
}

/* ---- decoding ------------------------------------------------------------------------ */

typedef struct decoder {
    reader r;
    slice whole;
    const char *path;
    pm_error *err;
} decoder;

static pm_status decoder_corrupt(const decoder *d, const char *what)
{
    uint64_t at = d->r.p ? (uint64_t)(d->r.p - d->whole.data) : 0;
    return error_corrupt(d->err, d->path, at, "manifest", what);
}

static pm_status decoder_version(const decoder *d, uint32_t version)
{
    char what[96];
    snprintf(what, sizeof what, "format version %u, made by a newer pressmark; this one knows %u",
             version, (unsigned)MANIFEST_VERSION);
    return error_corrupt(d->err, d->path, 8, "manifest", what);
}

/* A string in a field of `size` bytes: printable ASCII, then zeros, at least one. */
static bool read_string(reader *r, char *out, size_t size)
{
    const uint8_t *p = read_bytes(r, size);
    if (!p) return false;
    size_t len = 0;
    while (len < size && p[len] >= 0x20 && p[len] < 0x7f) len++;
    for (size_t i = len; i < size; i++)
        if (p[i]) return false;
    memcpy(out, p, size);
    return len < size;
}

static bool is_positive(double v)
{
    return isfinite(v) && v > 0;
}
static bool is_not_negative(double v)
{
    return isfinite(v) && v >= 0;
}

bool manifest_counters_fit(const manifest *m)
{
    return m->generation < COUNTER_END && m->next_file < COUNTER_END && m->next_seq < COUNTER_END;
}

static pm_status decode_head(decoder *d, manifest *m, uint32_t *n_segments)
{
    reader *r = &d->r;
    memcpy(m->uuid, read_bytes(r, 16), 16);
    m->generation = read_u64(r);
    m->next_file = read_u64(r);
    m->next_seq = read_u64(r);
    m->k1 = read_f64(r);
    m->b = read_f64(r);
    m->avgdl_ref = read_f64(r);
    m->block_size = read_u32(r);
    m->dense_shift = read_u32(r);
    uint32_t flags = read_u32(r);
    m->has_positions = flags & MANIFEST_FLAG_POSITIONS;
    m->has_text = flags & MANIFEST_FLAG_TEXT;
    m->small = flags & MANIFEST_FLAG_SMALL;
    *n_segments = read_u32(r);
    if (!read_string(r, m->engine, sizeof m->engine) || !read_string(r, m->lang, sizeof m->lang) ||
        !read_string(r, m->profile, sizeof m->profile))
        return decoder_corrupt(d, "a name that is no string");
    if (m->generation == 0 || m->next_file == 0) return decoder_corrupt(d, "zero generation");
    if (!manifest_counters_fit(m)) return decoder_corrupt(d, "a counter out of range");
    if (!is_positive(m->k1) || !is_not_negative(m->b) || m->b > 1 || !is_not_negative(m->avgdl_ref))
        return decoder_corrupt(d, "scoring parameters out of range");
    if (m->block_size < 8 || m->block_size > SEGMENT_BLOCK_MAX || m->dense_shift < 1 ||
        m->dense_shift > 31)
        return decoder_corrupt(d, "geometry out of range");
    if (flags & ~(uint32_t)(MANIFEST_FLAG_POSITIONS | MANIFEST_FLAG_TEXT | MANIFEST_FLAG_SMALL))
        return decoder_corrupt(d, "unknown flags");
    if (*n_segments > MANIFEST_SEGMENTS_MAX || d->whole.len != manifest_size(*n_segments))
        return decoder_corrupt(d, "number of segments and length of file disagree");
    return PM_OK;
}

static pm_status decode_segment(decoder *d, manifest_segment *s, uint64_t next_file)
{
    reader *r = &d->r;
    uint64_t number;
    bool strings = read_string(r, s->name, sizeof s->name);
    s->size = read_u64(r);
    s->footer_crc = read_u32(r);
    s->n_docs = read_u32(r);
    strings = read_string(r, s->del_name, sizeof s->del_name) && strings;
    s->del_size = read_u64(r);
    s->del_crc = read_u32(r);
    s->n_deleted = read_u32(r);
    s->live_tokens = read_u64(r);
    if (!strings || !name_parse(s->name, ".seg", &number) || number >= next_file)
        return decoder_corrupt(d, "a segment's name is not one of ours");
    if (s->n_docs == 0 || s->n_deleted > s->n_docs)
        return decoder_corrupt(d, "document counts out of range");
    if (s->n_deleted == 0 && (s->del_name[0] || s->del_size || s->del_crc))
        return decoder_corrupt(d, "tombstones of nothing");
    if (s->n_deleted != 0 && (!name_parse(s->del_name, ".del", &number) || number >= next_file))
        return decoder_corrupt(d, "a tombstone file's name is not one of ours");
    return PM_OK;
}

static int number_order(const void *a, const void *b)
{
    uint64_t x = load_u64(a), y = load_u64(b);
    return (x > y) - (x < y);
}

/* No number is used twice: a segment named twice would count its documents twice. */
static pm_status check_distinct(const decoder *d, const manifest *m)
{
    size_t n = 0;
    uint64_t *numbers = mem_array(2 * (size_t)m->n_segments, sizeof *numbers);
    if (!numbers) return error_nomem(d->err);
    for (uint32_t i = 0; i < m->n_segments; i++) {
        n += name_parse(m->segments[i].name, ".seg", &numbers[n]);
        n += name_parse(m->segments[i].del_name, ".del", &numbers[n]);
    }
    qsort(numbers, n, sizeof *numbers, number_order);
    pm_status st = PM_OK;
    for (size_t i = 1; i < n && st == PM_OK; i++)
        if (numbers[i - 1] == numbers[i]) st = decoder_corrupt(d, "a file is named twice");
    mem_free(numbers);
    return st;
}

/* Magic, sum and version: what every version of the format keeps in its place. */
static pm_status decode_envelope(decoder *d)
{
    slice bytes = d->whole;
    if (bytes.len < 16 + MANIFEST_CRC_BYTES) return decoder_corrupt(d, "too short");
    if (memcmp(bytes.data, manifest_magic, sizeof manifest_magic) != 0)
        return decoder_corrupt(d, "not a manifest");
    size_t summed = bytes.len - MANIFEST_CRC_BYTES;
    if (crc32c(0, bytes.data, summed) != load_u32(bytes.data + summed))
        return decoder_corrupt(d, "wrong checksum");
    uint32_t version = load_u32(bytes.data + 8);
    if (version != MANIFEST_VERSION) return decoder_version(d, version);
    if (load_u32(bytes.data + 12) != bytes.len || bytes.len < MANIFEST_MIN_BYTES)
        return decoder_corrupt(d, "wrong length");
    read_bytes(&d->r, 16);
    return PM_OK;
}

/* Another name is no damage, but ends the search. */
static pm_status refuse_other(void *ctx, const char *name, pm_error *err)
{
    (void)ctx;
    bool ours = strcmp(name, "LOCK") == 0 || manifest_own_name(name);
    return ours ? PM_OK : error_set(err, PM_USAGE, "%s is not of an index", name);
}

/* LOCK, and nothing but files of our names, or segments that have lost their manifests. */
static pm_status is_begun(const char *folder, pm_error *err)
{
    bool lock = false, lost = false;
    dir d = DIR_INIT;
    pm_status st;
    PM_TRY(dir_open(&d, folder, NULL, err));
    PM_TRY(manifest_lock_is_ours(&d, &lock, err));
    if (!lock) PM_TRY(error_set(err, PM_USAGE, "%s has no lock", folder));
    PM_TRY(manifest_is_lost(&d, &lost, err));
    if (!lost) PM_TRY(dir_each(&d, refuse_other, NULL, err));
out:
    dir_close(&d);
    return st;
}

static pm_status has_manifest(const char *path, pm_error *err)
{
    infile f = INFILE_INIT;
    uint8_t begin[sizeof manifest_magic];
    size_t got = 0;
    pm_status st = infile_open(&f, path, err);
    if (st == PM_OK) st = infile_read(&f, begin, sizeof begin, &got, err);
    infile_close(&f);
    bool is = got == sizeof begin && memcmp(begin, manifest_magic, sizeof begin) == 0;
    return st != PM_OK || is ? st : error_set(err, PM_USAGE, "%s is no manifest", path);
}

pm_status manifest_is_in(const char *folder, bool *yes, pm_error *err)
{
    pm_status st;
    pm_error why;
    buf path = {0}, prev = {0};
    *yes = false;
    buf_append_str(&path, folder);
    buf_append(&path, "/manifest", sizeof "/manifest");
    buf_append_str(&prev, folder);
    buf_append(&prev, "/manifest.prev", sizeof "/manifest.prev");
    if (path.failed || prev.failed) PM_TRY(error_nomem(err));
    st = has_manifest((const char *)path.data, &why);
    if (st != PM_OK && st != PM_NOMEM) st = has_manifest((const char *)prev.data, &why);
    if (st != PM_OK && st != PM_NOMEM) st = is_begun(folder, &why);
    *yes = st == PM_OK;
    st = st == PM_NOMEM ? error_nomem(err) : PM_OK; /* else there is none that can be read      */
out:
    buf_free(&path);
    buf_free(&prev);
    return st;
}

pm_status manifest_decode(manifest *m, slice bytes, const char *path, pm_error *err)
{
    pm_status st;
    uint32_t n_segments = 0;
    decoder d = {reader_of(bytes), bytes, path, err};
    *m = (manifest){0};
    PM_TRY(decode_envelope(&d));
    PM_TRY(decode_head(&d, m, &n_segments));
    m->segments = mem_array(n_segments, sizeof *m->segments);
    if (!m->segments) PM_TRY(error_nomem(err));
    m->n_segments = m->segments_cap = n_segments;
    for (uint32_t i = 0; i < n_segments; i++)
        PM_TRY(decode_segment(&d, &m->segments[i], m->next_file));
    PM_TRY(check_distinct(&d, m));
out:
    if (st != PM_OK) manifest_free(m);
    return st;
}

/* ---- encoding ------------------------------------------------------------------------ */

/* The field as a string, with zeros up to its size. */
static void put_string(buf *out, const char *s, size_t size)
{
    size_t len = strnlen(s, size - 1);
    buf_append(out, s, len);
    buf_zero(out, size - len);
}

static void encode_segment(const manifest_segment *s, buf *out)
{
    put_string(out, s->name, sizeof s->name);
    buf_u64(out, s->size);
    buf_u32(out, s->footer_crc);
    buf_u32(out, s->n_docs);
    put_string(out, s->del_name, sizeof s->del_name);
    buf_u64(out, s->del_size);
    buf_u32(out, s->del_crc);
    buf_u32(out, s->n_deleted);
    buf_u64(out, s->live_tokens);
}

void manifest_encode(const manifest *m, buf *out)
{
    size_t begin = out->len;
    uint32_t flags = (m->has_positions ? MANIFEST_FLAG_POSITIONS : 0u) |
                     (m->has_text ? MANIFEST_FLAG_TEXT : 0u) |
                     (m->small ? MANIFEST_FLAG_SMALL : 0u);
    buf_append(out, manifest_magic, sizeof manifest_magic);
    buf_u32(out, MANIFEST_VERSION);
    buf_u32(out, (uint32_t)manifest_size(m->n_segments));
    buf_append(out, m->uuid, 16);
    buf_u64(out, m->generation);
    buf_u64(out, m->next_file);
    buf_u64(out, m->next_seq);
    buf_f64(out, m->k1);
    buf_f64(out, m->b);
    buf_f64(out, m->avgdl_ref);
    buf_u32(out, m->block_size);
    buf_u32(out, m->dense_shift);
    buf_u32(out, flags);
    buf_u32(out, m->n_segments);
    put_string(out, m->engine, sizeof m->engine);
    put_string(out, m->lang, sizeof m->lang);
    put_string(out, m->profile, sizeof m->profile);
    for (uint32_t i = 0; i < m->n_segments; i++) encode_segment(&m->segments[i], out);
    if (!out->failed) buf_u32(out, crc32c(0, out->data + begin, out->len - begin));
}

uint64_t manifest_size(uint32_t n_segments)
{
    return MANIFEST_MIN_BYTES + (uint64_t)n_segments * MANIFEST_SEGMENT_BYTES;
}

/* ---- reading ------------------------------------------------------------------------- */

/* A manifest that is gone while its predecessor, or segments of its commits, stand was removed by
 * hand. */
static pm_status manifest_absent(const dir *d, pm_error *err)
{
    map prev;
    bool absent, lost = false;
    pm_status st = map_open(&prev, d, "manifest.prev", &absent, err);
    if (st != PM_OK) return st;
    map_close(&prev);
    if (absent) st = manifest_is_lost(d, &lost, err);
    if (st != PM_OK) return st;
    if (lost)
        return error_corrupt(err, d->path, 0, "manifest",
                             "it is missing, and manifest.prev with it, but segments of the index "
                             "are there: put one of the two back, from a copy");
    if (absent)
        return error_set(err, PM_USAGE, "no index at %s; make one with 'pressmark index'", d->path);
    return error_corrupt(err, d->path, 0, "manifest",
                         "it is missing, but manifest.prev is there: copied to manifest, that "
                         "brings back the commit before");
}

pm_status manifest_read_named(manifest *m, const dir *d, const char *name, bool *absent,
                              pm_error *err)
{
    pm_status st;
    buf bytes = {0};
    char *path = NULL;
    const uint64_t max = manifest_size(MANIFEST_SEGMENTS_MAX);
    *m = (manifest){0};
    PM_TRY(dir_read(d, name, max, &bytes, absent, err));
    if (*absent) goto out;
    size_t len = strlen(d->path) + strlen(name) + 2;
    path = mem_alloc(len);
    if (!path) PM_TRY(error_nomem(err));
    snprintf(path, len, "%s/%s", d->path, name);
    PM_TRY(manifest_decode(m, buf_slice(&bytes), path, err));
out:
    mem_free(path);
    buf_free(&bytes);
    return st;
}

pm_status manifest_read(manifest *m, const dir *d, bool *absent, pm_error *err)
{
    pm_status st;
    bool gone = false, again = false;
    do { /* what else is there may be of a first commit, which came after the first look          */
        st = manifest_read_named(m, d, "manifest", &gone, err);
        if (st != PM_OK || !gone) break;
        st = manifest_absent(d, err);
        again = !again && st == PM_CORRUPT;
    } while (again);
    if (absent) *absent = gone && st == PM_USAGE;
    return st;
}

bool manifest_advance(manifest *m, const dir *d)
{
    manifest next;
    if (manifest_read(&next, d, NULL, NULL) != PM_OK) return false;
    if (next.generation <= m->generation) {
        manifest_free(&next);
        return false;
    }
    manifest_free(m);
    *m = next;
    return true;
}

void manifest_free(manifest *m)
{
    mem_free(m->segments);
    *m = (manifest){0};
}

pm_status manifest_copy(manifest *out, const manifest *m, pm_error *err)
{
    *out = *m;
    out->segments = mem_array(m->n_segments, sizeof *out->segments);
    out->segments_cap = m->n_segments;
    if (!out->segments) {
        *out = (manifest){0};
        return error_nomem(err);
    }
    if (m->n_segments) memcpy(out->segments, m->segments, m->n_segments * sizeof *out->segments);
    return PM_OK;
}

pm_status manifest_add_segment(manifest *m, const manifest_segment *s, pm_error *err)
{
    if (m->n_segments >= MANIFEST_SEGMENTS_MAX)
        return error_set(err, PM_USAGE,
                         "the index has %u segments, as many as it can; run "
                         "'pressmark optimize' first",
                         m->n_segments);
    size_t cap = m->segments_cap;
    if (!mem_grow(&m->segments, &cap, (size_t)m->n_segments + 1, sizeof *m->segments))
        return error_nomem(err);
    m->segments_cap = (uint32_t)cap;
    m->segments[m->n_segments++] = *s;
    return PM_OK;
}
