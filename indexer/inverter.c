/* SPDX-License-Identifier: MIT
 * inverter.c - articles to a stream of tokens; see inverter.h.
 *
 * Memory, counted (INVERTER_*_BYTES), so that flush points depend on the input alone:
 *   a token     4 in the stream, which the words of the buckets take over (inverter_scatter.c),
 *               and 6 where it ends a pair of frequent words, which all may do.  When these have
 *               gone, 12 in the longest list (position, form, and what they are encoded to), and
 *               4 more where a term may have more than 65,535 forms: they take two words then.
 *               How long that list is, is not known before forms are sorted by their stems: it
 *               has at most the tokens of all stems of one hash, which are added up when the
 *               limit is near, and all tokens since then.
 *               Lists that are not long share rooms of a few MB, however many threads there are.
 *   a form      its strings, some 130 in the analyzer's table (slots that are half empty are most
 *               of it) and in counters, and when written 112: twice 16 to sort, 32 as a
 *               variant, 24 as a term, 24 in tables by form
 *   a document  16 here, and 8 as a posting of the longest list; not counted are 4 more, where
 *               it ends
 *
 * The stream grows by doubling, but what is not yet written to is not yet memory.
 */
#include "indexer/inversion.h"

#include "common/base/hash.h"
#include "common/base/mem.h"

enum {
    INVERTER_TOKEN_BYTES = 10, /* while there are pairs                                      */
    INVERTER_WORD_BYTES = 4,
    INVERTER_LIST_BYTES = 12, /* a token of the longest list                                 */
    INVERTER_FORM_BYTES = 240,
    INVERTER_DOC_BYTES = 24,
    INVERTER_POSTING_BYTES = 8, /* of one list; the longest one's are a part of a document's */
    WORD_IN_SLOT = 16, /* a longer word stands in the analyzer's table once more            */
    WORD_CUT = 250,    /* and one that was cut to a form, whole                             */
    WORD_LONGEST = 1024,
    COUNT_AHEAD = 16, /* tokens whose counters are asked for before their turn              */
    STEM_HASHES = 1 << 16,
    FIELDS_ROOM = 16, /* a part of what may be that is free before fields come               */
};

pm_status inverter_open(inverter **out, analyzer *a, bool has_positions, pm_error *err)
{
    *out = mem_zalloc(sizeof **out);
    if (!*out) return error_nomem(err);
    (*out)->a = a;
    (*out)->has_positions = has_positions;
    return PM_OK;
}

void inverter_free_tables(inverter *iv)
{
    mem_free(iv->form_rows);
    mem_free(iv->form_buckets);
    mem_free(iv->form_marker);
    iv->form_rows = NULL;
    iv->form_buckets = iv->form_marker = NULL;
    iv->n_tables = 0;
}

void inverter_close(inverter *iv)
{
    if (!iv) return;
    mem_free(iv->tokens);
    mem_free(iv->docs);
    mem_free(iv->form_cf);
    mem_free(iv->form_stems);
    mem_free(iv->used);
    inverter_free_tables(iv);
    mem_free(iv->frozen);
    inverter_fields_free(&iv->fields);
    mem_free(iv);
}

bool inverter_reserve_counts(inverter *iv)
{
    uint32_t n_forms = analyzer_form_count(iv->a);
    if (n_forms <= iv->n_counted) return true;
    if (!mem_grow(&iv->form_cf, &iv->form_cf_cap, n_forms, sizeof *iv->form_cf) ||
        !mem_grow(&iv->used, &iv->used_cap, n_forms, sizeof *iv->used))
        return false;
    memset(iv->form_cf + iv->n_counted, 0, (n_forms - iv->n_counted) * sizeof *iv->form_cf);
    iv->n_counted = n_forms;
    return true;
}

void inverter_count(inverter *iv)
{
    const uint32_t *tokens = iv->tokens;
    uint32_t *counts = iv->form_cf, *used = iv->used, n_used = iv->n_used;
    for (size_t i = iv->counted; i < iv->n_tokens; i++) {
        if (i + COUNT_AHEAD < iv->n_tokens)
            __builtin_prefetch(&counts[TOKEN_FORM(tokens[i + COUNT_AHEAD])], 1);
        if (!counts[TOKEN_FORM(tokens[i])]++) used[n_used++] = TOKEN_FORM(tokens[i]);
    }
    iv->n_used = n_used;
    iv->counted = iv->n_tokens;
}

/* Add up how many tokens the longest list has at most; when memory is refused, it is as long as
 * was known. */
static bool measure_list(inverter *iv)
{
    if (!inverter_count_forms(iv)) return false;
    uint32_t *sums = mem_zalloc(STEM_HASHES * sizeof *sums), longest = 0;
    iv->refused = !sums || !inverter_reserve_counts(iv);
    if (!iv->refused) inverter_count(iv);
    for (uint32_t i = 0; i < iv->n_used && !iv->refused; i++) {
        uint32_t sum = sums[iv->form_stems[iv->used[i]]] += iv->form_cf[iv->used[i]];
        if (sum > longest) longest = sum;
    }
    mem_free(sums);
    if (!iv->refused) iv->list = (list_bound){.longest = longest, .n_tokens = iv->n_tokens};
    return !iv->refused;
}

bool inverter_exceeds(inverter *iv, uint64_t most)
{
    return inverter_memory(iv) > most && (!measure_list(iv) || inverter_memory(iv) > most);
}

/* Whether all that is there so far may be. */
static bool is_within(inverter *iv, uint64_t most)
{
    if (most == UINT64_MAX) return true;
    return inverter_count_forms(iv) && !inverter_exceeds(iv, most);
}

static bool add_text(inverter *iv, pm_text text, uint64_t most)
{
    size_t n = 0;
    analyzer_begin(iv->a, text.data, text.len, false);
    do {
        iv->n_tokens += n;
        if (!is_within(iv, most)) return !iv->refused;
        if (!inverter_reserve_tokens(iv, TOKENS_AT_ONCE)) return false;
        n = analyzer_fill_ids(iv->a, iv->tokens + iv->n_tokens, TOKENS_AT_ONCE);
    } while (n);
    return !analyzer_failed(iv->a);
}

/* A text in which a span is left out: the tokens that lie in it. */
static bool add_text_around(inverter *iv, const pm_article *article, uint64_t most,
                            inverter_doc *doc)
{
    token t[TOKENS_AT_ONCE];
    size_t begin = iv->n_tokens;
    analyzer_begin(iv->a, article->text.data, article->text.len, false);
    for (size_t n;;) {
        if (!is_within(iv, most)) return !iv->refused;
        if ((n = analyzer_fill(iv->a, t, TOKENS_AT_ONCE)) == 0) break;
        if (!inverter_reserve_tokens(iv, n)) return false;
        for (size_t i = 0; i < n; i++) {
            if (t[i].start >= article->title_start && t[i].end <= article->title_end) {
                doc->hole_at = (uint32_t)(iv->n_tokens - begin);
                doc->hole_len++;
            } else {
                iv->tokens[iv->n_tokens++] = t[i].form_id | (t[i].marked ? TOKEN_MARKED : 0);
            }
        }
    }
    return !analyzer_failed(iv->a);
}

/* Title and body; *doc says where they are. */
static bool add_texts(inverter *iv, const pm_article *article, uint64_t most, inverter_doc *doc)
{
    bool ok = add_text(iv, article->title, most);
    doc->n_title = (uint32_t)(iv->n_tokens - doc->first);
    if (ok && article->title_in_body) ok = add_text_around(iv, article, most, doc);
    if (ok && !article->title_in_body) ok = add_text(iv, article->text, most);
    return ok && analyzer_form_count(iv->a) <= TOKEN_MARKED;
}

bool inverter_count_forms(inverter *iv)
{
    uint32_t n = analyzer_form_count(iv->a);
    iv->refused = !mem_grow(&iv->form_stems, &iv->form_stems_cap, n, sizeof *iv->form_stems);
    if (iv->refused) return false;
    for (; iv->forms_seen < n; iv->forms_seen++) {
        const form *f = analyzer_form_at(iv->a, iv->forms_seen);
        iv->form_stems[iv->forms_seen] = (uint16_t)hash_bytes(f->stem, f->stem_len);
        if (f->exact_len > WORD_IN_SLOT) iv->form_bytes += f->exact_len;
        if (f->exact_len > WORD_CUT) iv->form_bytes += WORD_LONGEST;
        iv->form_bytes += (uint64_t)f->exact_len + f->folded_len + f->stem_len + f->marker_len;
    }
    return true;
}

/* What an article adds to, as it was before. */
typedef struct mark {
    size_t n_tokens, n_postings;
    uint32_t n_used;
    list_bound list;
} mark;

static void take_back(inverter *iv, const mark *m)
{
    for (size_t i = m->n_tokens; i < iv->counted; i++) iv->form_cf[TOKEN_FORM(iv->tokens[i])]--;
    if (iv->counted > m->n_tokens) iv->counted = m->n_tokens;
    iv->n_tokens = m->n_tokens;
    iv->n_used = m->n_used;
    iv->list = m->list;
    inverter_fields_take_back(&iv->fields, m->n_postings);
}

/* Its tokens are there: now they are counted, and its fields come. */
static bool add_rest(inverter *iv, const pm_article *article, uint64_t most, bool *fits)
{
    inverter_fields *f = &iv->fields;
    if (!inverter_reserve_counts(iv)) return false;
    inverter_count(iv);
    if (inverter_exceeds(iv, most - most / FIELDS_ROOM) && iv->refused) return false;
    uint64_t have = inverter_memory(iv) - inverter_fields_memory(f) + INVERTER_DOC_BYTES;
    *fits = have <= most;
    bool added = *fits && inverter_fields_add(f, article, (uint32_t)iv->n_docs, most - have);
    if (*fits) *fits = !f->over;
    return added;
}

pm_status inverter_add(inverter *iv, const pm_article *article, uint64_t most, uint32_t *dl,
                       pm_error *err)
{
    inverter_doc doc = {.first = (uint32_t)iv->n_tokens};
    mark before = {iv->n_tokens, iv->fields.n_postings, iv->n_used, iv->list};
    if (article->title.len > UINT32_MAX || article->text.len > UINT32_MAX)
        return error_set(err, PM_USAGE, "an article's text is longer than 4 GiB");
    bool ok = mem_grow(&iv->docs, &iv->docs_cap, iv->n_docs + 1, sizeof *iv->docs) &&
              add_texts(iv, article, most, &doc) && inverter_count_forms(iv);
    bool fits = iv->n_tokens <= INT32_MAX && is_within(iv, most);
    if (ok && fits && add_rest(iv, article, most, &fits)) {
        *dl = (uint32_t)(iv->n_tokens - doc.first);
        iv->docs[iv->n_docs++] = doc;
        return PM_OK;
    }
    take_back(iv, &before);
    if (!fits && !iv->refused)
        return error_set(err, PM_USAGE, "the words of an article take more memory");
    return error_nomem(err);
}

void inverter_drop_tokens(inverter *iv)
{
    if (iv->keep) return;
    mem_free(iv->tokens);
    iv->tokens = NULL;
    iv->tokens_cap = 0;
}

uint32_t inverter_n_docs(const inverter *iv)
{
    return (uint32_t)iv->n_docs;
}

uint64_t inverter_forms_memory(const inverter *iv)
{
    return iv->form_bytes + (uint64_t)iv->forms_seen * INVERTER_FORM_BYTES;
}

/* Of n tokens, `list` of them in the longest list, while lists are made. */
static uint64_t listed_memory(const inverter *iv, uint64_t n, uint64_t list)
{
    uint64_t words = iv->n_used > BUCKET_LATE ? 2 : 1;
    return n * words * INVERTER_WORD_BYTES + list * INVERTER_LIST_BYTES;
}

size_t inverter_second_room(const inverter *iv, size_t longest)
{
    uint64_t n = iv->n_tokens, paired = n * INVERTER_TOKEN_BYTES;
    uint64_t taken = listed_memory(iv, n, longest) + (uint64_t)iv->n_docs * INVERTER_POSTING_BYTES;
    return paired > taken ? (size_t)((paired - taken) / INVERTER_LIST_BYTES) : 0;
}

uint64_t inverter_memory(const inverter *iv)
{
    uint64_t n = iv->n_tokens, paired = n * INVERTER_TOKEN_BYTES;
    uint64_t listed = listed_memory(iv, n, iv->list.longest + (n - iv->list.n_tokens));
    return inverter_forms_memory(iv) + (paired > listed ? paired : listed) +
           inverter_fields_memory(&iv->fields) + (uint64_t)iv->n_docs * INVERTER_DOC_BYTES;
}

uint64_t inverter_stream_memory(const inverter *iv)
{
    return (uint64_t)iv->n_tokens * sizeof *iv->tokens + (uint64_t)iv->n_docs * sizeof *iv->docs +
           inverter_fields_memory(&iv->fields);
}

bool inverter_full(const inverter *iv)
{
    return iv->n_tokens >= INVERTER_TOKENS_MAX || iv->n_docs >= INVERTER_DOCS_MAX ||
           inverter_fields_full(&iv->fields);
}

void inverter_reset(inverter *iv, bool forget_forms)
{
    iv->n_tokens = iv->counted = 0;
    iv->n_docs = 0;
    for (uint32_t i = 0; i < iv->n_used; i++) iv->form_cf[iv->used[i]] = 0;
    iv->n_used = 0;
    iv->list = (list_bound){0};
    iv->keep = false;
    inverter_fields_reset(&iv->fields);
    if (!forget_forms) return;
    analyzer_reset_forms(iv->a);
    inverter_drop_tokens(iv);
    mem_free(iv->form_cf);
    mem_free(iv->form_stems);
    mem_free(iv->used);
    iv->form_cf = iv->used = NULL;
    iv->form_stems = NULL;
    iv->form_cf_cap = iv->form_stems_cap = iv->used_cap = 0;
    iv->n_counted = 0;
    inverter_free_tables(iv);
    iv->forms_seen = 0;
    iv->form_bytes = 0;
}
