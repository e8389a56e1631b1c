/* SPDX-License-Identifier: MIT
 * segment_encoder.c - one posting list to the bytes of its region; see segment_encoder.h.
 */
#include "indexer/segment_encoder.h"

#include "common/base/mem.h"
#include "indexer/segment_writer_parts.h"

segment_encoder *segment_encoder_open(const segment_writer *w)
{
    segment_encoder *e = mem_zalloc(sizeof *e);
    if (!e) return NULL;
    e->info = &w->info;
    e->dl = w->dl.data;
    e->no_forms = w->config.no_forms;
    if (impact_memo_open(e, w->max_dl)) return e;
    segment_encoder_close(e);
    return NULL;
}

void segment_encoder_close(segment_encoder *e)
{
    if (!e) return;
    buf *const owned[] = {&e->region, &e->words, &e->bytes, &e->offsets, &e->exceptions};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) buf_free(owned[i]);
    mem_free(e->impacts);
    mem_free(e);
}

void encoder_fail(segment_encoder *e, pm_status status, const char *what)
{
    if (encoder_bad(e)) return;
    e->status = status;
    e->what = what;
}

void segment_encoder_swap(segment_encoder *e, buf *region)
{
    buf was = e->region;
    e->region = *region;
    *region = was;
}

static bool has_positions(const segment_encoder *e, const segment_term *t)
{
    if (!e->feed) return t->positions != NULL;
    return e->feed->ctx ? e->feed->has_positions : e->feed->strings.bytes != NULL;
}

/* Sum of tfs; 0 when the list breaks a rule. */
static uint64_t term_check(const segment_encoder *e, const segment_term *t)
{
    uint64_t cf = 0;
    if (t->df == 0) return 0;
    for (uint32_t i = 0; i < t->df; i++) {
        if (t->tfs[i] == 0 || (i && t->docs[i] <= t->docs[i - 1])) return 0;
        cf += t->tfs[i];
    }
    if (t->docs[t->df - 1] >= e->info->n_docs) return 0;
    if (t->n_forms > 1 && !t->forms && !encoder_fed(e)) return 0;
    return has_positions(e, t) && !e->info->has_positions ? 0 : cf;
}

static void describe(const segment_encoder *e, const segment_term *t, uint64_t cf,
                     segment_list *out)
{
    out->region = buf_slice(&e->region);
    out->entry = (term_entry){.df = t->df,
                              .cf = cf,
                              .n_forms = t->n_forms,
                              .style = t->n_forms == 1 ? t->style : FORM_LISTED,
                              .has_positions = has_positions(e, t),
                              .len = e->region.len};
}

static void encode(segment_encoder *e, const segment_term *t, uint64_t cf, segment_list *out)
{
    buf_reset(&e->region);
    uint32_t n_blocks = region_postings(e, t);
    out->positions_at = e->region.len;
    if (has_positions(e, t) && !encoder_bad(e)) region_positions(e, t, n_blocks);
    out->forms_at = e->region.len;
    if (t->n_forms > 1 && !encoder_bad(e)) region_forms(e, t, cf);
    encoder_check_buf(e, &e->region);
    describe(e, t, cf, out);
}

/* The list of one document, which most lists are; the same bytes as above. */
static void encode_one(segment_encoder *e, const segment_term *t, segment_list *out)
{
    uint32_t doc = t->docs[0], tf = t->tfs[0], dl = encoder_dl(e, doc);
    bool exact;
    buf *region = &e->region;
    buf_reset(region);
    buf_varint(region, doc);
    buf_u8(region, impact_memo_get(e, tf, dl, &exact));
    buf_u8(region, !exact);
    if (!exact) {
        buf_u8(region, 0);
        buf_varint(region, tf);
    }
    out->positions_at = region->len;
    if (has_positions(e, t)) region_positions_one(e, t, dl);
    out->forms_at = region->len;
    if (t->n_forms > 1 && !encoder_bad(e)) region_forms(e, t, tf);
    encoder_check_buf(e, region);
    describe(e, t, tf, out);
}

void segment_encode(segment_encoder *e, const segment_term *given, const segment_feed *feed,
                    segment_list *out)
{
    segment_term t = *given;
    e->feed = feed;
    *out = (segment_list){.status = PM_OK};
    if (e->no_forms) t.n_forms = 0;
    e->status = PM_OK;
    uint64_t cf = term_check(e, &t);
    if (cf && t.df == 1 && !encoder_fed(e))
        encode_one(e, &t, out);
    else if (cf)
        encode(e, &t, cf, out);
    else
        encoder_fail(e, PM_USAGE, "segment writer: a posting list or its key is out of order");
    out->status = e->status;
    out->what = e->what;
}
