/* SPDX-License-Identifier: MIT
 * inverter_side.c - see inverter_side.h.
 */
#include "indexer/inverter_side.h"

#include "common/base/mem.h"
#include "indexer/inverter_internal.h"

enum {
    LEARN_AHEAD = 8, /* new forms, and tokens' ids, that are asked for before their turn        */
    IDS_AHEAD = 24,
};

/* ---- the other thread ------------------------------------------------------------------- */

pm_status side_open(side_reader *r, const char *lang, pm_error *err)
{
    *r = (side_reader){.epoch = 1};
    return analyzer_open(&r->a, lang, err);
}

void side_close(side_reader *r)
{
    analyzer_close(r->a);
    *r = (side_reader){0};
}

void side_forget(side_reader *r)
{
    analyzer_reset_forms(r->a);
    r->seen = 0;
    r->epoch++;
}

void side_stream_free(side_stream *s)
{
    mem_free(s->tokens);
    mem_free(s->fresh);
    *s = (side_stream){0};
}

static bool read_field(side_reader *r, pm_text text, side_stream *out)
{
    analyzer_begin(r->a, text.data, text.len, false);
    for (size_t n = 0;; out->n_tokens += n) {
        if (!mem_grow(&out->tokens, &out->tokens_cap, out->n_tokens + TOKENS_AT_ONCE,
                      sizeof *out->tokens))
            return false;
        n = analyzer_fill_ids(r->a, out->tokens + out->n_tokens, TOKENS_AT_ONCE);
        if (!n) return !analyzer_failed(r->a) && analyzer_form_count(r->a) <= TOKEN_MARKED;
    }
}

static bool note_fresh(side_reader *r, side_stream *out)
{
    uint32_t n = analyzer_form_count(r->a);
    if (!mem_grow(&out->fresh, &out->fresh_cap, n - r->seen, sizeof *out->fresh)) return false;
    while (r->seen < n) out->fresh[out->n_fresh++] = analyzer_form_at(r->a, r->seen++);
    return true;
}

pm_status side_read(side_reader *r, const pm_article *article, side_stream *out, pm_error *err)
{
    out->n_tokens = out->n_fresh = 0;
    out->epoch = r->epoch;
    bool ok = read_field(r, article->title, out);
    out->n_title = (uint32_t)out->n_tokens;
    ok = ok && read_field(r, article->text, out) && note_fresh(r, out);
    return ok ? PM_OK : error_nomem(err);
}

/* ---- the inverter ------------------------------------------------------------------------ */

pm_status inverter_learn(inverter *iv, const side_stream *s, pm_error *err)
{
    uint32_t epoch = s ? s->epoch : 0;
    if (epoch != iv->side_epoch) iv->side_n = 0;
    iv->side_epoch = epoch;
    if (!s || !s->n_fresh) return PM_OK;
    size_t n = iv->side_n + s->n_fresh;
    if (!mem_grow(&iv->side_forms, &iv->side_forms_cap, n, sizeof *iv->side_forms) ||
        !mem_grow(&iv->side_ids, &iv->side_ids_cap, n, sizeof *iv->side_ids))
        return error_nomem(err);
    memcpy(iv->side_forms + iv->side_n, s->fresh, s->n_fresh * sizeof *s->fresh);
    for (; iv->side_n < n; iv->side_n++) iv->side_ids[iv->side_n] = NO_FORM;
    for (uint32_t i = 0; i < s->n_fresh; i++) {
        if (i + LEARN_AHEAD < s->n_fresh) inverter_ask(s->fresh[i + LEARN_AHEAD]);
        analyzer_adopt_soon(iv->a, s->fresh[i]);
    }
    return PM_OK;
}

static bool add_tokens(inverter *iv, const side_stream *s)
{
    size_t n = iv->n_tokens + s->n_tokens;
    if (!mem_grow(&iv->tokens, &iv->tokens_cap, n, sizeof *iv->tokens)) return false;
    for (size_t i = 0; i < s->n_tokens; i++) {
        if (i + IDS_AHEAD < s->n_tokens)
            __builtin_prefetch(&iv->side_ids[TOKEN_FORM(s->tokens[i + IDS_AHEAD])]);
        uint32_t theirs = TOKEN_FORM(s->tokens[i]), id = iv->side_ids[theirs];
        if (id == NO_FORM) {
            if (!analyzer_adopt(iv->a, iv->side_forms[theirs], &id) || id >= TOKEN_MARKED)
                return false;
            iv->side_ids[theirs] = id;
        }
        iv->tokens[iv->n_tokens++] = id | (s->tokens[i] & TOKEN_MARKED);
    }
    return true;
}

pm_status inverter_add_stream(inverter *iv, const side_stream *s, const pm_article *article,
                              uint32_t *dl, pm_error *err)
{
    inverter_doc doc = {.first = (uint32_t)iv->n_tokens, .n_title = s->n_title};
    if (iv->n_tokens + s->n_tokens > INT32_MAX)
        return error_set(err, PM_USAGE, "an article has more than two billion tokens");
    bool ok =
        mem_grow(&iv->docs, &iv->docs_cap, iv->n_docs + 1, sizeof *iv->docs) && add_tokens(iv, s);
    inverter_count_forms(iv);
    if (!ok || !inverter_reserve_counts(iv) ||
        !inverter_fields_add(&iv->fields, article, (uint32_t)iv->n_docs, UINT64_MAX)) {
        iv->n_tokens = doc.first;
        return error_nomem(err);
    }
    inverter_count(iv, doc.first);
    *dl = (uint32_t)s->n_tokens;
    iv->docs[iv->n_docs++] = doc;
    return PM_OK;
}
