/* SPDX-License-Identifier: MIT
 * store.c - stored articles: a record to bytes and back, and fetching a record out of its
 * deflated block; see store.h and FORMAT.md, "stored records".  The one reader of
 * zlib streams, by libdeflate.
 *
 * Sizes from the file are bounded before anything is allocated: a raw block is at most
 * STORE_RAW_MAX bytes and inflates into exactly what the directory says, or is damage.
 */
#include "common/segment/store.h"

#include "common/segment/layout.h"
#include "common/segment/zmem.h"

/* ---- records ------------------------------------------------------------------------------ */

static void put_field(buf *out, store_tag tag, const void *data, size_t len)
{
    if (!len) return;
    buf_varint(out, tag);
    buf_varint(out, len);
    buf_append(out, data, len);
}

static void put_text(buf *out, store_tag tag, pm_text text)
{
    put_field(out, tag, text.data, text.len);
}

static void put_source(buf *out, const pm_article *a)
{
    uint8_t bytes[40];
    size_t n = varint_encode(bytes, a->file_text_start);
    n += varint_encode(bytes + n, a->file_text_len);
    if (a->title_in_body) {
        n += varint_encode(bytes + n, a->title_start);
        n += varint_encode(bytes + n, a->title_end);
    }
    put_text(out, STORE_FILE, a->file_path);
    put_field(out, STORE_FILE_SPAN, bytes, n);
}

void store_encode(buf *out, const pm_article *a, bool with_text)
{
    uint8_t bytes[32];
    put_text(out, STORE_ID, a->id);
    put_text(out, STORE_TITLE, a->title);
    if (with_text) put_text(out, STORE_TEXT, a->text);
    put_text(out, STORE_DATE, a->date);
    put_text(out, STORE_URL, a->url);
    put_text(out, STORE_SOURCE, a->source);
    put_text(out, STORE_AUTHOR, a->author);
    put_text(out, STORE_TAGS, a->tags);
    put_text(out, STORE_LANG, a->lang);
    put_text(out, STORE_EXTRA, a->extra);
    if (with_text && a->title_in_body) {
        size_t n = varint_encode(bytes, a->title_start);
        n += varint_encode(bytes + n, a->title_end);
        put_field(out, STORE_TITLE_SPAN, bytes, n);
    }
    if (a->file_size || a->file_mtime_ns || a->file_hash) {
        size_t n = varint_encode(bytes, a->file_size);
        store_u64(bytes + n, (uint64_t)a->file_mtime_ns);
        store_u64(bytes + n + 8, a->file_hash);
        put_field(out, STORE_PROVENANCE, bytes, n + 16);
    }
    if (a->file_folder || a->file_lines) {
        store_u64(bytes, a->file_folder);
        store_u64(bytes + 8, a->file_lines);
        put_field(out, STORE_ORIGIN, bytes, 16);
    }
    if (!with_text && a->file_path.len) put_source(out, a);
}

static bool get_span(slice field, pm_article *out)
{
    reader r = reader_of(field);
    out->title_start = (size_t)read_varint(&r);
    out->title_end = (size_t)read_varint(&r);
    out->title_in_body = true;
    return !r.bad && !reader_left(&r);
}

static bool get_provenance(slice field, pm_article *out)
{
    reader r = reader_of(field);
    out->file_size = read_varint(&r);
    out->file_mtime_ns = (int64_t)read_u64(&r);
    out->file_hash = read_u64(&r);
    return !r.bad && !reader_left(&r);
}

static bool get_origin(slice field, pm_article *out)
{
    reader r = reader_of(field);
    out->file_folder = read_u64(&r);
    out->file_lines = read_u64(&r);
    return !r.bad && !reader_left(&r);
}

static bool get_file_span(slice field, store_source *out)
{
    reader r = reader_of(field);
    out->start = read_varint(&r);
    out->len = read_varint(&r);
    out->title_in_body = reader_left(&r) != 0;
    if (out->title_in_body) {
        out->title_start = read_varint(&r);
        out->title_end = read_varint(&r);
    }
    return !r.bad && !reader_left(&r) && out->title_start <= out->title_end;
}

static bool get_field(uint64_t tag, slice field, pm_article *out)
{
    store_source source = {.start = 0};
    pm_text *const texts[] = {
        [STORE_ID] = &out->id,         [STORE_TITLE] = &out->title, [STORE_TEXT] = &out->text,
        [STORE_DATE] = &out->date,     [STORE_URL] = &out->url,     [STORE_SOURCE] = &out->source,
        [STORE_AUTHOR] = &out->author, [STORE_TAGS] = &out->tags,   [STORE_LANG] = &out->lang,
        [STORE_EXTRA] = &out->extra,
    };
    if (tag == STORE_TITLE_SPAN) return get_span(field, out);
    if (tag == STORE_PROVENANCE) return get_provenance(field, out);
    if (tag == STORE_ORIGIN) return get_origin(field, out);
    if (tag == STORE_FILE_SPAN) return get_file_span(field, &source);
    if (tag < sizeof texts / sizeof *texts && texts[tag])
        *texts[tag] = (pm_text){(const char *)field.data, field.len};
    return true; /* a tag of a later version is skipped                                    */
}

pm_status store_decode(slice record, pm_article *out, pm_error *err)
{
    static const pm_text none = {"", 0};
    *out = (pm_article){.id = none,
                        .title = none,
                        .text = none,
                        .date = none,
                        .url = none,
                        .source = none,
                        .author = none,
                        .tags = none,
                        .lang = none,
                        .extra = none};
    reader r = reader_of(record);
    bool good = true;
    while (good && reader_left(&r)) {
        uint64_t tag = read_varint(&r);
        slice field = read_slice(&r, read_varint(&r));
        good = !r.bad && tag && field.len && get_field(tag, field, out);
    }
    good = good && out->id.len && out->id.len <= SEGMENT_ID_MAX &&
           out->title_start <= out->title_end && out->title_end <= out->text.len;
    if (good) return PM_OK;
    return error_corrupt(err, "stored record", 0, section_name(SECTION_STORE),
                         "its fields do not fit");
}

void store_decode_source(slice record, store_source *out)
{
    pm_article article = {.file_size = 0};
    reader r = reader_of(record);
    bool spanned = false;
    *out = (store_source){.path = {"", 0}};
    while (!r.bad && reader_left(&r)) {
        uint64_t tag = read_varint(&r);
        slice field = read_slice(&r, read_varint(&r));
        if (tag == STORE_FILE) out->path = (pm_text){(const char *)field.data, field.len};
        if (tag == STORE_FILE_SPAN) spanned = get_file_span(field, out);
        if (tag == STORE_PROVENANCE) get_provenance(field, &article);
    }
    out->file_size = article.file_size;
    out->file_mtime_ns = article.file_mtime_ns;
    out->file_hash = article.file_hash;
    if (r.bad || !spanned || memchr(out->path.data, 0, out->path.len)) out->path.len = 0;
}

/* ---- inflating ------------------------------------------------------------------------------ */

typedef enum inflated { INFLATED, INFLATE_REFUSED, INFLATE_DAMAGED } inflated;

/* All of `deflated`, into exactly raw_len bytes. */
static inflated inflate_exact(slice deflated, uint8_t *raw, uint32_t raw_len)
{
    struct libdeflate_decompressor *d = zmem_decompressor();
    size_t used = 0;
    if (!d) return INFLATE_REFUSED;
    bool whole = libdeflate_zlib_decompress_ex(d, deflated.data, deflated.len, raw, raw_len, &used,
                                               NULL) == LIBDEFLATE_SUCCESS;
    libdeflate_free_decompressor(d);
    return whole && used == deflated.len ? INFLATED : INFLATE_DAMAGED;
}

/* ---- blocks --------------------------------------------------------------------------------- */

uint32_t store_block_count(const segment *s)
{
    return (uint32_t)(layout_marks_at(&s->info) / STORE_DIR_BYTES - 1);
}

static bool store_damaged(segment *s, section_id id, uint64_t off, const char *what)
{
    segment_damaged(s, s->info.sections[id].off + off, section_name(id), what);
    return false;
}

bool store_block_raw(segment *s, uint32_t block, uint32_t *first_doc, uint32_t *n_docs,
                     uint32_t *raw_len, slice *deflated)
{
    slice entry;
    uint64_t at = (uint64_t)block * STORE_DIR_BYTES;
    if (!segment_slice(s, SECTION_STORE_DIR, at, 2 * STORE_DIR_BYTES, &entry)) return false;
    uint64_t start = load_u64(entry.data), end = load_u64(entry.data + 16);
    uint32_t first = load_u32(entry.data + 8), next = load_u32(entry.data + 24);
    *first_doc = first;
    *n_docs = next - first;
    *raw_len = load_u32(entry.data + 12);
    if (next <= first || next > s->info.n_docs || *raw_len > STORE_RAW_MAX || end <= start)
        return store_damaged(s, SECTION_STORE_DIR, at, "a store block is impossible");
    return segment_slice(s, SECTION_STORE, start, end - start, deflated);
}

bool store_find_block(segment *s, uint32_t doc, uint32_t *block)
{
    uint32_t low = 0, high = store_block_count(s);
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        slice entry;
        if (!segment_slice(s, SECTION_STORE_DIR, (uint64_t)mid * STORE_DIR_BYTES, STORE_DIR_BYTES,
                           &entry))
            return false;
        if (load_u32(entry.data + 8) <= doc)
            low = mid;
        else
            high = mid;
    }
    *block = low;
    return true;
}

bool store_mark(segment *s, uint32_t doc, uint8_t *mark)
{
    slice byte;
    if (!s->info.has_marks || doc >= s->info.n_docs) return false;
    if (!segment_slice(s, SECTION_STORE_DIR, layout_marks_at(&s->info) + doc, 1, &byte))
        return false;
    *mark = byte.data[0];
    return true;
}

/* Fill the cache with a block. */
static pm_status store_load(store_cache *cache, segment *s, uint32_t block, uint32_t raw_len,
                            slice deflated, pm_error *err)
{
    cache->s = NULL;
    buf_reset(&cache->raw);
    cache->raw.failed = false;
    if (!buf_reserve(&cache->raw, raw_len)) return error_nomem(err);
    inflated how = inflate_exact(deflated, cache->raw.data, raw_len);
    if (how == INFLATE_REFUSED) return error_nomem(err);
    if (how == INFLATE_DAMAGED) {
        segment_damaged(s, (uint64_t)(deflated.data - s->file.data), section_name(SECTION_STORE),
                        "a stored block does not inflate to its size");
        return segment_status(s, err);
    }
    cache->raw.len = raw_len;
    cache->s = s;
    cache->block = block;
    return PM_OK;
}

/* Record i of n in a raw block: n varint lengths, then the records. */
static bool store_record(slice raw, uint32_t n, uint32_t i, slice *out)
{
    reader r = reader_of(raw);
    uint64_t before = 0, len = 0, all = 0;
    for (uint32_t k = 0; k < n && !r.bad; k++) {
        uint64_t size = read_varint_max(&r, STORE_RECORD_MAX);
        if (k < i) before += size;
        if (k == i) len = size;
        all += size;
    }
    slice records = {r.p, reader_left(&r)};
    return !r.bad && all == records.len && len && slice_sub(records, before, len, out);
}

pm_status store_get(store_cache *cache, segment *s, uint32_t doc, slice *record, pm_error *err)
{
    uint32_t block, first, n, raw_len;
    slice deflated;
    pm_status st = PM_OK;
    *record = (slice){NULL, 0};
    if (doc >= s->info.n_docs) return error_set(err, PM_USAGE, "no such document number");
    if (!store_find_block(s, doc, &block) ||
        !store_block_raw(s, block, &first, &n, &raw_len, &deflated))
        return segment_status(s, err);
    if (doc < first || doc - first >= n) {
        store_damaged(s, SECTION_STORE_DIR, (uint64_t)block * STORE_DIR_BYTES,
                      "first documents do not rise");
        return segment_status(s, err);
    }
    if (cache->s != s || cache->block != block)
        PM_TRY(store_load(cache, s, block, raw_len, deflated, err));
    if (store_record(buf_slice(&cache->raw), n, doc - first, record)) return PM_OK;
    store_damaged(s, SECTION_STORE,
                  (uint64_t)(deflated.data - s->file.data) - s->info.sections[SECTION_STORE].off,
                  "record lengths do not fit the block");
    st = segment_status(s, err);
out:
    return st;
}

void store_cache_free(store_cache *cache)
{
    buf_free(&cache->raw);
    cache->s = NULL;
}
