/* SPDX-License-Identifier: MIT
 * golden_segments.c - see golden_segments.h.  Stored blocks are deflated at level 0, whose
 * bytes do not depend on the version of zlib.
 */
#include "tests/support/golden_segments.h"

#include <stdio.h>
#include <string.h>

#include "common/segment/store.h"

const uint8_t golden_uuid[16] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                                 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};

static pm_status golden_begin(segment_writer **w, const dir *d, const char *name,
                              uint32_t dense_shift, bool marks, pm_error *err)
{
    segment_writer_config config = {.segment_id = 1,
                                    .k1 = 1.2,
                                    .b = 0.75,
                                    .block_size = 8,
                                    .dense_shift = dense_shift,
                                    .store_block_bytes = 32768,
                                    .deflate_level = 0,
                                    .has_positions = true,
                                    .has_text = true,
                                    .has_marks = marks};
    memcpy(config.uuid, golden_uuid, 16);
    return segment_writer_begin(w, d, name, &config, err);
}

static void golden_article(segment_writer *w, const pm_article *article, uint32_t dl, uint64_t seq,
                           int64_t date)
{
    buf record = {0};
    store_encode(&record, article, true);
    segment_doc doc = {
        article->id.data,           article->id.len, dl, seq, date, buf_slice(&record),
        (uint8_t)article->file_hash};
    segment_writer_doc(w, &doc);
    buf_free(&record);
}

static void golden_doc(segment_writer *w, const char *id, const char *title, const char *text,
                       uint32_t dl, uint64_t seq, int64_t date)
{
    pm_article article = {
        .id = {id, strlen(id)}, .title = {title, strlen(title)}, .text = {text, strlen(text)}};
    golden_article(w, &article, dl, seq, date);
}

/* ---- tiny -------------------------------------------------------------------------------- */

/*   a   "to be or not to be"        b   title "Do", text "To do" (one position between them)
 * do: b at 0 and 3.   to: a at 0 and 4, b at 2.   title do: b at 0. */
static void tiny_terms(segment_writer *w)
{
    static const uint32_t a[] = {0}, b[] = {1}, ab[] = {0, 1}, once[] = {1}, twice[] = {2},
                          to_tf[] = {2, 1};
    static const uint32_t p0[] = {0}, p_be[] = {1, 5}, p_do[] = {0, 3}, p_not[] = {3}, p_or[] = {2},
                          p_to[] = {0, 4, 2}, f_do[] = {0, 1}, f_to[] = {0, 0, 1};
    const segment_term terms[] = {
        {"\x02"
         "do",
         3, 1, b, once, p0, NULL, 0, FORM_LISTED},
        {"be", 2, 1, a, twice, p_be, NULL, 1, FORM_SAME},
        {"do", 2, 1, b, twice, p_do, f_do, 2, FORM_LISTED},
        {"not", 3, 1, a, once, p_not, NULL, 1, FORM_SAME},
        {"or", 2, 1, a, once, p_or, NULL, 1, FORM_SAME},
        {"to", 2, 2, ab, to_tf, p_to, f_to, 2, FORM_LISTED},
    };
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) segment_writer_term(w, &terms[i]);
    segment_writer_form(w, "be\0", 3, 1, 0, 1, 2);
    segment_writer_form(w, "do\0", 3, 2, 1, 1, 1);
    segment_writer_form(w, "do\0Do", 5, 2, 0, 1, 1);
    segment_writer_form(w, "not\0", 4, 3, 0, 1, 1);
    segment_writer_form(w, "or\0", 3, 4, 0, 1, 1);
    segment_writer_form(w, "to\0", 3, 5, 0, 1, 2);
    segment_writer_form(w, "to\0To", 5, 5, 1, 1, 1);
}

pm_status golden_tiny(const dir *d, const char *name, manifest_segment *out, pm_error *err)
{
    segment_writer *w;
    pm_status st = golden_begin(&w, d, name, 5, false, err);
    if (st != PM_OK) return st;
    golden_doc(w, "a", "", "to be or not to be", 6, 7, 86400);
    golden_doc(w, "b", "Do", "To do", 3, 9, INT64_MIN);
    segment_writer_docs_done(w);
    tiny_terms(w);
    return segment_writer_finish(w, false, out, err);
}

/* ---- lists ------------------------------------------------------------------------------- */

enum { LISTS_DOCS = 60, LISTS_MANY = 400 };

/* Every `step`-th document from `first` on; tf by rank; document 30 repeats "all" LISTS_MANY times,
 * which no impact byte gives back.  "all" (step 1) stands behind "some" where that is. */
static void lists_term(segment_writer *w, const char *key, uint32_t first, uint32_t step,
                       uint32_t n_forms)
{
    uint32_t docs[LISTS_DOCS], tfs[LISTS_DOCS], positions[LISTS_DOCS * 3 + LISTS_MANY],
        forms[LISTS_DOCS * 3 + LISTS_MANY], df = 0, cf = 0;
    for (uint32_t doc = first; doc < LISTS_DOCS; doc += step, df++) {
        docs[df] = doc;
        uint32_t behind = step == 1 && doc % 5 == 2 ? 2 + doc / 5 % 3 : 0;
        tfs[df] = step == 1 && doc == 30 ? LISTS_MANY : 1 + df % 3;
        for (uint32_t k = 0; k < tfs[df]; k++) {
            positions[cf] = behind ? behind + k : k + (k > df % 7 ? doc % 3 : 0);
            forms[cf++] = k % 5 == 4 ? 1 : 0;
        }
    }
    segment_term term = {key,
                         strlen(key),
                         df,
                         docs,
                         tfs,
                         positions,
                         n_forms > 1 ? forms : NULL,
                         n_forms,
                         n_forms > 1 ? FORM_LISTED : FORM_SAME};
    segment_writer_term(w, &term);
}

static uint32_t lists_dl(uint32_t doc)
{
    uint32_t all = doc == 30 ? LISTS_MANY : 1 + doc % 3;
    return all + (doc % 5 == 2 ? 1 + doc / 5 % 3 : 0);
}

pm_status golden_lists(const dir *d, const char *name, manifest_segment *out, pm_error *err)
{
    segment_writer *w;
    pm_status st = golden_begin(&w, d, name, 2, false, err);
    if (st != PM_OK) return st;
    for (uint32_t doc = 0; doc < LISTS_DOCS; doc++) {
        char id[8];
        snprintf(id, sizeof id, "d%02u", doc * 7 % LISTS_DOCS);
        golden_doc(w, id, "", "", lists_dl(doc), 100 + doc, INT64_MIN);
    }
    segment_writer_docs_done(w);
    lists_term(w, "all", 0, 1, 2);
    lists_term(w, "some", 2, 5, 1);
    segment_writer_form(w, "all\0", 4, 0, 0, 60, 439);
    segment_writer_form(w, "all\0All", 7, 0, 1, 1, 80);
    segment_writer_form(w, "some\0", 5, 1, 0, 12, 24);
    return segment_writer_finish(w, false, out, err);
}

/* ---- marks ------------------------------------------------------------------------------- */

static void marks_doc(segment_writer *w, const char *id, uint64_t seq, uint64_t hash)
{
    pm_article article = {.id = {id, 1},
                          .text = {"one", 3},
                          .file_size = hash ? 4 : 0,
                          .file_mtime_ns = hash ? 1000000000 : 0,
                          .file_hash = hash};
    golden_article(w, &article, 1, seq, INT64_MIN);
}

pm_status golden_marks(const dir *d, const char *name, manifest_segment *out, pm_error *err)
{
    static const uint32_t docs[] = {0, 1, 2}, once[] = {1, 1, 1}, first[] = {0, 0, 0};
    const segment_term one = {"one", 3, 3, docs, once, first, NULL, 1, FORM_SAME};
    segment_writer *w;
    pm_status st = golden_begin(&w, d, name, 5, true, err);
    if (st != PM_OK) return st;
    marks_doc(w, "a", 0, 0x1112131415161718);
    marks_doc(w, "b", 1, 0);
    marks_doc(w, "c", 2, 0x21222324252627ff);
    segment_writer_docs_done(w);
    segment_writer_term(w, &one);
    segment_writer_form(w, "one\0", 4, 0, 0, 3, 3);
    return segment_writer_finish(w, false, out, err);
}
