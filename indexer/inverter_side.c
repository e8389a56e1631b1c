/* SPDX-License-Identifier: MIT
 * inverter_side.c - see inverter_side.h.
 */
#include "indexer/inverter_side.h"

#include "common/base/mem.h"
#include "indexer/inverter_internal.h"

enum { WORDS_AHEAD = 8 }; /* unknown words that are asked for before their turn                */

/* ---- the other thread ------------------------------------------------------------------- */

pm_status side_open(side_reader *r, analyzer *leader, pm_error *err)
{
    return analyzer_follow(&r->a, leader, err);
}

void side_close(side_reader *r)
{
    analyzer_close(r->a);
    *r = (side_reader){0};
}

void side_stream_free(side_stream *s)
{
    mem_free(s->tokens);
    mem_free(s->words);
    *s = (side_stream){0};
}

/* A field behind `n_tokens` and `n_words` of others. */
static bool read_field(side_reader *r, pm_text text, side_stream *out, side_part *part)
{
    size_t tokens = out->title.n_tokens, words = out->title.n_words, n, n_words;
    analyzer_begin(r->a, text.data, text.len, false);
    do {
        size_t at = tokens + part->n_tokens, word = words + part->n_words;
        if (!mem_grow(&out->tokens, &out->tokens_cap, at + TOKENS_AT_ONCE, sizeof *out->tokens) ||
            !mem_grow(&out->words, &out->words_cap, word + TOKENS_AT_ONCE, sizeof *out->words))
            return false;
        n = analyzer_fill_known(r->a, out->tokens + at, TOKENS_AT_ONCE, (uint32_t)at,
                                out->words + word, &n_words);
        part->n_tokens += n;
        part->n_words += n_words;
    } while (n || n_words);
    return true;
}

pm_status side_read(side_reader *r, const pm_article *article, side_stream *out, pm_error *err)
{
    side_part title = {0}, text = {0};
    out->title = out->text = title;
    out->epoch = analyzer_follow_enter(r->a);
    if (!out->epoch) return PM_OK;
    bool ok = read_field(r, article->title, out, &title);
    out->title = title;
    ok = ok && read_field(r, article->text, out, &text);
    out->text = text;
    analyzer_follow_leave(r->a);
    return ok ? PM_OK : error_nomem(err);
}

/* ---- the inverter ------------------------------------------------------------------------ */

bool inverter_knows(const inverter *iv, const side_stream *s)
{
    return s->epoch == analyzer_epoch(iv->a);
}

static bool copy_ids(inverter *iv, const uint32_t *ids, size_t n)
{
    if (!inverter_reserve_tokens(iv, n + ANALYZER_WORD_FORMS)) return false;
    if (n) memcpy(iv->tokens + iv->n_tokens, ids, n * sizeof *ids);
    iv->n_tokens += n;
    return true;
}

/* The tokens [at, ...) of a field, of which words are those that were not known. */
static bool add_field(inverter *iv, pm_text text, const side_stream *s, size_t at,
                      const analyzer_word *words, const side_part *part)
{
    size_t end = at + part->n_tokens;
    analyzer_begin(iv->a, text.data, text.len, false);
    for (size_t i = 0; i < part->n_words; i++) {
        if (i + WORDS_AHEAD < part->n_words) analyzer_word_soon(iv->a, &words[i + WORDS_AHEAD]);
        if (!copy_ids(iv, s->tokens + at, words[i].at - at)) return false;
        at = words[i].at;
        iv->n_tokens += analyzer_word_ids(iv->a, &words[i], iv->tokens + iv->n_tokens);
        if (analyzer_failed(iv->a)) return false;
    }
    return copy_ids(iv, s->tokens + at, end - at) && analyzer_form_count(iv->a) <= TOKEN_MARKED;
}

static bool add_fields(inverter *iv, const side_stream *s, const pm_article *article,
                       inverter_doc *doc)
{
    if (!add_field(iv, article->title, s, 0, s->words, &s->title)) return false;
    doc->n_title = (uint32_t)(iv->n_tokens - doc->first);
    return add_field(iv, article->text, s, s->title.n_tokens, s->words + s->title.n_words,
                     &s->text);
}

pm_status inverter_add_stream(inverter *iv, const side_stream *s, const pm_article *article,
                              uint32_t *dl, pm_error *err)
{
    inverter_doc doc = {.first = (uint32_t)iv->n_tokens};
    uint64_t most = s->title.n_tokens + s->text.n_tokens +
                    (uint64_t)ANALYZER_WORD_FORMS * (s->title.n_words + s->text.n_words);
    if (iv->n_tokens + most > INT32_MAX)
        return error_set(err, PM_USAGE, "an article has more than two billion tokens");
    bool ok = mem_grow(&iv->docs, &iv->docs_cap, iv->n_docs + 1, sizeof *iv->docs) &&
              add_fields(iv, s, article, &doc);
    if (!ok || !inverter_count_forms(iv) || !inverter_reserve_counts(iv) ||
        !inverter_fields_add(&iv->fields, article, (uint32_t)iv->n_docs, UINT64_MAX)) {
        iv->n_tokens = doc.first;
        return error_nomem(err);
    }
    inverter_count(iv);
    *dl = (uint32_t)(iv->n_tokens - doc.first);
    iv->docs[iv->n_docs++] = doc;
    return PM_OK;
}
