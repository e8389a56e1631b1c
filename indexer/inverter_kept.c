/* SPDX-License-Identifier: MIT
 * inverter_kept.c - see inverter_kept.h.
 */
#include "indexer/inverter_kept.h"

#include "common/base/mem.h"
#include "indexer/inverter_internal.h"

enum {
    /* A token of a stream that is written while it stays: 4 there, 6 in pairs and then 4 in
     * buckets, 12 at most in the longest list. */
    KEPT_TOKEN_COST = 22,
    KEPT_DOC_COST = 24,
    FROZEN_FORM_COST = 124, /* 8 here, 4 to count it, 112 when written (inverter.c)          */
};

void inverter_keep(inverter *iv)
{
    iv->keep = true;
}

void kept_tokens_free(kept_tokens *k)
{
    if (!k) return;
    mem_free(k->tokens);
    mem_free(k->docs);
    inverter_fields_free(&k->fields);
    mem_free(k);
}

kept_tokens *inverter_take(inverter *iv)
{
    if (!iv->keep) return NULL;
    kept_tokens *k = mem_zalloc(sizeof *k);
    if (!k) return NULL;
    k->n_tokens = iv->n_tokens;
    k->n_docs = iv->n_docs;
    k->tokens = mem_alloc(k->n_tokens * sizeof *k->tokens);
    k->docs = mem_alloc(k->n_docs * sizeof *k->docs);
    if (!k->tokens || !k->docs || !inverter_fields_copy(&k->fields, &iv->fields)) {
        kept_tokens_free(k);
        return NULL;
    }
    if (k->n_tokens) memcpy(k->tokens, iv->tokens, k->n_tokens * sizeof *k->tokens);
    memcpy(k->docs, iv->docs, k->n_docs * sizeof *k->docs);
    return k;
}

uint64_t kept_tokens_memory(const kept_tokens *k)
{
    return sizeof *k + k->n_tokens * sizeof *k->tokens + k->n_docs * sizeof *k->docs +
           inverter_fields_memory(&k->fields);
}

uint64_t kept_tokens_count(const kept_tokens *k)
{
    return k->n_tokens;
}

uint64_t kept_tokens_cost(const kept_tokens *k)
{
    return (uint64_t)k->n_tokens * KEPT_TOKEN_COST + (uint64_t)k->n_docs * KEPT_DOC_COST +
           inverter_fields_memory(&k->fields);
}

static bool is_dead(const uint64_t *dead, size_t doc)
{
    return dead && dead[doc / 64] >> (doc % 64) & 1;
}

/* Number the live documents, from those that are there. */
static uint32_t *number_documents(const inverter *iv, const kept_tokens *k, const uint64_t *dead)
{
    uint32_t *numbers = mem_alloc(k->n_docs * sizeof *numbers), next = (uint32_t)iv->n_docs;
    for (size_t doc = 0; numbers && doc < k->n_docs; doc++)
        numbers[doc] = is_dead(dead, doc) ? FIELDS_NO_DOC : next++;
    return numbers;
}

static void add_document(inverter *iv, const kept_tokens *k, size_t doc)
{
    inverter_doc d = k->docs[doc];
    size_t end = doc + 1 < k->n_docs ? k->docs[doc + 1].first : k->n_tokens, n = end - d.first;
    if (n) memcpy(iv->tokens + iv->n_tokens, k->tokens + d.first, n * sizeof *iv->tokens);
    d.first = (uint32_t)iv->n_tokens;
    iv->n_tokens += n;
    iv->docs[iv->n_docs++] = d;
}

bool inverter_add_kept(inverter *iv, const kept_tokens *k, const uint64_t *dead)
{
    size_t first = iv->n_tokens, n_docs = iv->n_docs + k->n_docs;
    if (first + k->n_tokens > INT32_MAX || n_docs > INVERTER_DOCS_MAX) return false;
    if (!mem_grow(&iv->docs, &iv->docs_cap, n_docs, sizeof *iv->docs) ||
        !mem_grow(&iv->tokens, &iv->tokens_cap, first + k->n_tokens, sizeof *iv->tokens) ||
        !inverter_reserve_counts(iv))
        return false;
    uint32_t *numbers = number_documents(iv, k, dead);
    bool ok = numbers && inverter_fields_append(&iv->fields, &k->fields, numbers);
    for (size_t doc = 0; ok && doc < k->n_docs; doc++)
        if (numbers[doc] != FIELDS_NO_DOC) add_document(iv, k, doc);
    if (ok) inverter_count(iv);
    mem_free(numbers);
    return ok;
}

bool inverter_freeze(inverter *iv)
{
    iv->n_frozen = analyzer_form_count(iv->a);
    iv->frozen = mem_array(iv->n_frozen, sizeof *iv->frozen);
    if (!iv->frozen) return false;
    if (iv->n_frozen) memcpy(iv->frozen, analyzer_forms(iv->a), iv->n_frozen * sizeof *iv->frozen);
    return true;
}

uint64_t inverter_frozen_memory(const inverter *iv)
{
    return (uint64_t)analyzer_form_count(iv->a) * FROZEN_FORM_COST;
}
