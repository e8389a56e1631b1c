/* SPDX-License-Identifier: MIT
 * check_store.c - stored records: blocks lie side by side, each inflates to its size, and each
 * record decodes and carries its document's id and the hash of its mark.
 */
#include "common/segment/check_parts.h"
#include "common/segment/store.h"

/* The directory fills the section "store" and ends in the sentinel. */
static void check_directory(check *c)
{
    segment *s = c->s;
    slice table;
    uint32_t n = store_block_count(s);
    if (!segment_slice(s, SECTION_STORE_DIR, 0, s->info.sections[SECTION_STORE_DIR].len, &table))
        return;
    const uint8_t *end = table.data + (size_t)n * STORE_DIR_BYTES;
    if (load_u64(table.data) || load_u32(table.data + 8) ||
        load_u64(end) != s->info.sections[SECTION_STORE].len ||
        load_u32(end + 8) != s->info.n_docs || load_u32(end + 12))
        check_section(c, SECTION_STORE_DIR, 0, "blocks do not fill the store");
    for (uint32_t b = 0; b < n; b++) {
        uint32_t first, docs, raw_len;
        slice deflated;
        if (!store_block_raw(s, b, &first, &docs, &raw_len, &deflated)) return;
    }
}

static bool same_id(slice id, pm_text have)
{
    return id.len == have.len && id.len && !memcmp(id.data, have.data, id.len);
}

/* Length of the UTF-8 character at p (Unicode, table 3-7), or 0. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] > 0xf4 || !n || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    bool sound = (p[0] != 0xe0 || p[1] >= 0xa0) && (p[0] != 0xed || p[1] < 0xa0) &&
                 (p[0] != 0xf0 || p[1] >= 0x90) && (p[0] != 0xf4 || p[1] < 0x90);
    return sound ? n : 0;
}

static bool is_utf8(pm_text text)
{
    const uint8_t *p = (const uint8_t *)text.data, *end = p + text.len;
    for (size_t n; p < end; p += n)
        if (!(n = utf8_len(p, (size_t)(end - p)))) return false;
    return true;
}

/* A stored text, or where it can be read again, and never both. */
static const char *texts_wrong(bool has_text, slice record, const pm_article *article)
{
    store_source source;
    store_decode_source(record, &source);
    if ((article->text.len || article->title_in_body) && !has_text)
        return "text in an index without stored text";
    if (source.path.len && has_text) return "the place of a text that is stored";
    if (!is_utf8(article->title) || !is_utf8(article->text)) return "a text is not UTF-8";
    return NULL;
}

/* The mark of a document is the lowest byte of its record's hash. */
static void check_mark(check *c, uint32_t doc, uint64_t hash)
{
    uint8_t mark;
    if (store_mark(c->s, doc, &mark) && mark != (uint8_t)hash)
        check_section(c, SECTION_STORE_DIR, layout_marks_at(&c->s->info) + doc,
                      "a mark is not the lowest byte of its record's hash");
}

/* False when the check of the store should end. */
static bool check_record(check *c, const store_cache *cache, uint32_t doc, slice record,
                         pm_error *err)
{
    pm_article article;
    slice entry;
    if (!segment_slice(c->s, SECTION_STORE_DIR, cache->block * STORE_DIR_BYTES, STORE_DIR_BYTES,
                       &entry))
        return false;
    uint64_t off = load_u64(entry.data);
    if (store_decode(record, &article, err) != PM_OK) {
        check_section(c, SECTION_STORE, off, "a stored record does not decode");
        return false;
    }
    uint8_t room[SEGMENT_ID_ROOM];
    if (!same_id(segment_id(c->s, doc, room), article.id)) {
        check_section(c, SECTION_STORE, off, "a stored record has another id than its document");
        return false;
    }
    const char *wrong = texts_wrong(c->s->info.has_text, record, &article);
    if (wrong) check_section(c, SECTION_STORE, off, wrong);
    check_mark(c, doc, article.file_hash);
    return !wrong;
}

pm_status check_store(check *c, pm_error *err)
{
    store_cache cache = {0};
    pm_status st = PM_OK;
    check_directory(c);
    bool go_on = !check_reader_damage(c);
    for (uint32_t doc = 0; doc < c->s->info.n_docs && go_on; doc++) {
        slice record;
        st = store_get(&cache, c->s, doc, &record, err);
        if (st == PM_NOMEM) break;
        segment_pass(c->s, &c->passed, record.len);
        go_on = st == PM_OK ? check_record(c, &cache, doc, record, err) : !check_reader_damage(c);
        st = PM_OK;
    }
    store_cache_free(&cache);
    return st;
}
