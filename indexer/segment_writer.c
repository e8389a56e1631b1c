/* SPDX-License-Identifier: MIT
 * segment_writer.c - the life of one segment file: header, store and posting lists as they
 * come, then tables, dictionaries, page table and footer.  Takes documents, terms and forms
 * in order, gives a file that FORMAT.md describes.
 *
 * Every byte goes through writer_put, which sums it into its page; no byte is written twice.
 * Failures are sticky (writer_fail); functions here do nothing once one is kept.
 */
#include "indexer/segment_writer.h"

#include <math.h>
#include <stdio.h>

#include "common/base/crc32c.h"
#include "common/base/mem.h"
#include "common/base/scratch.h"
#include "indexer/segment_writer_parts.h"

/* ---- failures ------------------------------------------------------------------------------ */

void writer_fail(segment_writer *w, pm_status status, const char *what)
{
    if (writer_bad(w)) return;
    w->status = status;
    if (status == PM_NOMEM)
        error_nomem(&w->first);
    else
        error_set(&w->first, status, "%s", what);
}

void writer_check_buf(segment_writer *w, const buf *b)
{
    if (b->failed) writer_fail(w, PM_NOMEM, NULL);
}

/* ---- output --------------------------------------------------------------------------------- */

void writer_put(segment_writer *w, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t page_bytes = segment_page_bytes(&w->info);
    if (writer_bad(w)) return;
    while (len) {
        size_t room = page_bytes - w->out.len % page_bytes;
        size_t n = len < room ? len : room;
        w->page_crc = crc32c(w->page_crc, p, n);
        scratch_pass(w->config.scratch, n);
        outfile_write(&w->out, p, n);
        if (w->out.failed) {
            w->status = w->out.first.status;
            w->first = w->out.first;
            return;
        }
        p += n;
        len -= n;
        if (n < room) continue;
        buf_u32(&w->page_crcs, w->page_crc);
        w->page_crc = 0;
    }
}

static void put_zeros(segment_writer *w, uint64_t len)
{
    static const uint8_t zeros[256];
    for (; len && !writer_bad(w); len -= len < sizeof zeros ? len : sizeof zeros)
        writer_put(w, zeros, len < sizeof zeros ? (size_t)len : sizeof zeros);
}

/* A section from here on; and its end, with the slack. */
static void section_begin(segment_writer *w, section_id id)
{
    w->info.sections[id].off = w->out.len;
}

static void section_end(segment_writer *w, section_id id)
{
    uint64_t end = w->out.len;
    w->info.sections[id].len = end - w->info.sections[id].off;
    put_zeros(w, layout_next(end) - end);
}

void writer_section(segment_writer *w, section_id id, const buf *content)
{
    writer_check_buf(w, content);
    section_begin(w, id);
    if (content->len) writer_put(w, content->data, content->len);
    section_end(w, id);
}

/* ---- life ------------------------------------------------------------------------------- */

static pm_status config_check(const segment_writer_config *c, pm_error *err)
{
    bool good = c->block_size >= 8 && c->block_size <= SEGMENT_BLOCK_MAX && c->dense_shift <= 31 &&
                isfinite(c->k1) && c->k1 >= 0 && c->k1 <= 1e6 && c->b >= 0 && c->b <= 1 &&
                (c->avgdl_ref == 0 || segment_reference_fits(c->avgdl_ref)) &&
                c->store_block_bytes <= STORE_RECORD_MAX;
    return good ? PM_OK
                : error_set(err, PM_USAGE, "segment geometry is out of range (FORMAT.md, footer)");
}

/* What grows with the segment. */
enum { WRITER_TABLES = 21 };

static void writer_tables(segment_writer *w, buf *out[WRITER_TABLES])
{
    buf *const all[WRITER_TABLES] = {&w->page_crcs,
                                     &w->store_dir,
                                     &w->marks,
                                     &w->dl,
                                     &w->seq,
                                     &w->date,
                                     &w->id_offsets,
                                     &w->ids,
                                     &w->implied,
                                     &w->terms.blocks,
                                     &w->terms.prefixes,
                                     &w->terms.hashes,
                                     &w->terms.offsets,
                                     &w->forms.blocks,
                                     &w->forms.prefixes,
                                     &w->forms.offsets,
                                     &w->forms.hashes,
                                     &w->forms_behind.blocks,
                                     &w->forms_behind.prefixes,
                                     &w->forms_behind.offsets,
                                     &w->first_behind};
    memcpy(out, all, sizeof all);
}

static segment_info info_of(const segment_writer_config *config)
{
    segment_info info = {.segment_id = config->segment_id,
                         .k1 = config->k1,
                         .b = config->b,
                         .avgdl_ref = config->avgdl_ref,
                         .block_size = config->block_size,
                         .dense_shift = config->dense_shift,
                         .page_shift = SEGMENT_PAGE_SHIFT,
                         .has_positions = config->has_positions,
                         .has_text = config->has_text,
                         .has_marks = config->has_marks};
    memcpy(info.uuid, config->uuid, sizeof info.uuid);
    return info;
}

pm_status segment_writer_begin(segment_writer **out, const dir *d, const char *name,
                               const segment_writer_config *config, pm_error *err)
{
    pm_status st = PM_OK;
    uint8_t header[LAYOUT_HEADER_BYTES];
    *out = NULL;
    segment_writer *w = mem_zalloc(sizeof *w);
    if (!w) return error_nomem(err);
    w->out = (outfile)OUTFILE_INIT;
    PM_TRY(config_check(config, err));
    w->folder = d;
    w->config = *config;
    w->info = info_of(config);
    snprintf(w->name, sizeof w->name, "%s", name);
    buf *tables[WRITER_TABLES];
    writer_tables(w, tables);
    for (size_t i = 0; i < WRITER_TABLES; i++) tables[i]->scratch = config->scratch;
    if (!store_writer_init(w)) PM_TRY(error_nomem(err));
    PM_TRY(outfile_create(&w->out, d, name, true, err));
    w->created = true;
    header_encode(&w->info, header);
    writer_put(w, header, sizeof header);
    section_begin(w, SECTION_STORE);
    *out = w;
    return PM_OK;
out:
    segment_writer_abandon(w);
    return st;
}

/* ---- documents ------------------------------------------------------------------------------- */

void segment_writer_doc(segment_writer *w, const segment_doc *doc)
{
    if (writer_bad(w)) return;
    if (w->docs_done) {
        writer_fail(w, PM_USAGE, "segment writer: a document after the last one");
        return;
    }
    tables_add(w, doc);
    if (writer_bad(w)) return;
    if (w->info.has_marks) buf_u8(&w->marks, doc->mark);
    if (w->raw_pending)
        w->raw_pending--;
    else
        store_writer_add(w, doc->record);
}

void segment_writer_raw_block(segment_writer *w, uint32_t n_docs, uint32_t raw_len, slice deflated)
{
    if (writer_bad(w)) return;
    if (w->raw_pending || w->docs_done) {
        writer_fail(w, PM_USAGE, "segment writer: documents of the last raw block are missing");
        return;
    }
    store_writer_raw(w, n_docs, raw_len, deflated);
    w->raw_pending = n_docs;
}

void segment_writer_docs_done(segment_writer *w)
{
    if (writer_bad(w) || w->docs_done) return;
    if (w->info.n_docs == 0 || w->raw_pending) {
        writer_fail(w, PM_USAGE, "segment writer: a segment without documents, or with too few");
        return;
    }
    store_writer_finish(w);
    const buf *const columns[] = {&w->dl,         &w->seq, &w->date,
                                  &w->id_offsets, &w->ids, &w->store_dir};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) writer_check_buf(w, columns[i]);
    section_end(w, SECTION_STORE);
    section_begin(w, SECTION_POSTINGS);
    if (w->info.avgdl_ref == 0)
        w->info.avgdl_ref = segment_reference(w->info.sum_dl, w->info.n_docs);
    w->docs_done = true;
}

/* ---- terms and forms --------------------------------------------------------------------- */

/* len: of the region, with the padding before it. */
static void term_count(segment_writer *w, uint8_t class, const segment_list *list, uint64_t len)
{
    const term_entry *entry = &list->entry;
    uint64_t *parts = w->info.parts, positions = list->forms_at - list->positions_at,
             forms = list->region.len - list->forms_at;
    if (class == KEY_BIGRAM) {
        parts[PART_BIGRAMS] += len;
    } else {
        parts[PART_IMPACTS] += entry->df;
        parts[PART_POSITIONS] += positions;
        parts[PART_FORMS] += forms;
        parts[PART_DOCUMENTS] += len - entry->df - positions - forms;
    }
    if (class < 0x20) return;
    w->info.n_plain_terms++;
    w->info.n_plain_postings += entry->df;
    if (entry->has_positions) w->info.n_plain_positions += entry->cf;
}

uint32_t segment_writer_list(segment_writer *w, slice key, const segment_list *list)
{
    uint64_t base = w->region_end;
    uint32_t ordinal = (uint32_t)w->terms.n_keys;
    if (list->status != PM_OK) writer_fail(w, list->status, list->what);
    if (writer_bad(w)) return 0;
    if (!w->docs_done || !list->entry.df || !dict_writer_term(&w->terms, key, base)) {
        writer_fail(w, PM_USAGE, "segment writer: a posting list or its key is out of order");
        return 0;
    }
    if (list->entry.df > w->info.block_size) base = layout_align(base, 8);
    put_zeros(w, base - w->region_end);
    writer_put(w, list->region.data, list->region.len);
    term_count(w, key.data[0], list, base + list->region.len - w->region_end);
    w->region_end = base + list->region.len;
    dict_writer_term_entry(&w->terms, &list->entry);
    buf_u8(&w->implied, list->entry.style != FORM_LISTED);
    writer_check_buf(w, &w->terms.blocks);
    writer_check_buf(w, &w->implied);
    return ordinal;
}

uint32_t segment_writer_term(segment_writer *w, const segment_term *t)
{
    segment_list list = {.status = PM_NOMEM};
    if (writer_bad(w)) return 0;
    if (!w->encoder) w->encoder = segment_encoder_open(w);
    if (w->encoder) segment_encode(w->encoder, t, NULL, &list);
    return segment_writer_list(w, (slice){t->key, t->key_len}, &list);
}

void segment_writer_bigrams(segment_writer *w, uint32_t min_cf)
{
    w->info.bigram_min = min_cf;
}

bool segment_writer_failed(const segment_writer *w)
{
    return writer_bad(w);
}

const uint8_t *segment_writer_lengths(const segment_writer *w)
{
    return w->dl.data;
}

const segment_writer_config *segment_writer_settings(const segment_writer *w)
{
    return &w->config;
}

void segment_writer_implied_forms(segment_writer *w, uint32_t n)
{
    w->info.n_forms += n;
}

/* False when it is not in order. */
static bool put_form(const segment_writer *w, dict_writer *dict, slice key, const form_entry *entry)
{
    bool known = entry->df && entry->cf >= entry->df && entry->term < w->implied.len;
    if (known && w->implied.data[entry->term]) return true;
    return known && dict_writer_form(dict, key, entry);
}

static const char form_order[] = "segment writer: a form or its key is out of order";

void segment_writer_form(segment_writer *w, const void *key, size_t key_len, uint32_t term,
                         uint32_t index, uint32_t df, uint64_t cf)
{
    const form_entry entry = {term, index, df, cf};
    if (writer_bad(w) || w->config.no_forms) return;
    w->info.n_forms++;
    if (!put_form(w, &w->forms, (slice){key, key_len}, &entry))
        writer_fail(w, PM_USAGE, form_order);
    writer_check_buf(w, &w->forms.blocks);
}

void segment_writer_form_behind(segment_writer *w, const void *key, size_t key_len, uint32_t term,
                                uint32_t index, uint32_t df, uint64_t cf)
{
    const form_entry entry = {term, index, df, cf};
    if (w->behind_bad || w->config.no_forms) return;
    w->n_behind++;
    if (!put_form(w, &w->forms_behind, (slice){key, key_len}, &entry)) w->behind_bad = true;
    if (w->forms_behind.n_keys && !w->first_behind.len) buf_append(&w->first_behind, key, key_len);
}

static void join_forms(segment_writer *w)
{
    writer_check_buf(w, &w->forms_behind.blocks);
    writer_check_buf(w, &w->forms_behind.prefixes);
    writer_check_buf(w, &w->forms_behind.offsets);
    writer_check_buf(w, &w->first_behind);
    if (writer_bad(w)) return;
    w->info.n_forms += w->n_behind;
    if (w->behind_bad ||
        !dict_writer_join(&w->forms, &w->forms_behind, buf_slice(&w->first_behind)))
        writer_fail(w, PM_USAGE, form_order);
    writer_check_buf(w, &w->forms.blocks);
}

/* ---- finish ------------------------------------------------------------------------------ */

/* Page table, the sums of its own pages, and footer; returns the footer's crc. */
static uint32_t ends_write(segment_writer *w)
{
    uint8_t bytes[LAYOUT_FOOTER_BYTES];
    uint32_t page_bytes = segment_page_bytes(&w->info);
    layout_footer footer = {.info = w->info, .page_table_off = w->out.len};
    if (w->out.len % page_bytes) buf_u32(&w->page_crcs, w->page_crc);
    footer.page_table_len = w->page_crcs.len;
    buf table = w->page_crcs, roots = {0}; /* moved out: writing goes on adding page sums     */
    w->page_crcs = (buf){.scratch = table.scratch};
    buf_pad(&table, 8);
    for (size_t at = 0; at < table.len && !table.failed; at += page_bytes)
        buf_u32(&roots, crc32c(0, table.data + at,
                               table.len - at < page_bytes ? table.len - at : page_bytes));
    buf_pad(&roots, 8);
    writer_check_buf(w, &table);
    writer_check_buf(w, &roots);
    footer.roots_crc = crc32c(0, roots.data, roots.len);
    writer_put(w, table.data, table.len);
    writer_put(w, roots.data, roots.len);
    buf_free(&table);
    buf_free(&roots);
    footer.file_len = w->out.len + LAYOUT_FOOTER_BYTES;
    uint32_t crc = footer_encode(&footer, bytes);
    writer_put(w, bytes, sizeof bytes);
    return crc;
}

static uint32_t writer_finish_sections(segment_writer *w)
{
    if (!w->docs_done) writer_fail(w, PM_USAGE, "segment writer: finished before its documents");
    join_forms(w);
    if (writer_bad(w)) return 0;
    w->info.n_terms = w->terms.n_keys;
    w->info.n_listed_forms = w->forms.n_keys;
    section_end(w, SECTION_POSTINGS);
    writer_section(w, SECTION_STORE_DIR, &w->store_dir);
    dict_writer_finish(w, &w->terms, SECTION_TERMS, SECTION_TERMS_INDEX);
    dict_writer_finish(w, &w->forms, SECTION_FORMS, SECTION_FORMS_INDEX);
    if (!writer_bad(w)) tables_finish(w);
    return writer_bad(w) ? 0 : ends_write(w);
}

pm_status segment_writer_finish(segment_writer *w, bool sync, manifest_segment *out, pm_error *err)
{
    uint32_t crc = writer_finish_sections(w);
    pm_status st = w->status;
    if (st == PM_OK) {
        *out = (manifest_segment){.size = w->out.len,
                                  .footer_crc = crc,
                                  .n_docs = w->info.n_docs,
                                  .live_tokens = w->info.sum_dl};
        memcpy(out->name, w->name, sizeof out->name);
        st = outfile_finish(&w->out, sync, err);
    } else if (err) {
        *err = w->first;
    }
    if (st == PM_OK) w->created = false; /* the file stays                                */
    segment_writer_abandon(w);
    return st;
}

void segment_writer_abandon(segment_writer *w)
{
    if (!w) return;
    outfile_abandon(&w->out);
    if (w->created) dir_unlink(w->folder, w->name, NULL);
    store_writer_free(w);
    segment_encoder_close(w->encoder);
    buf *tables[WRITER_TABLES];
    writer_tables(w, tables);
    for (size_t i = 0; i < WRITER_TABLES; i++) buf_free(tables[i]);
    buf_free(&w->id_block);
    mem_free(w);
}
