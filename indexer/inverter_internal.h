/* SPDX-License-Identifier: MIT
 * inverter_internal.h - the token stream that inverter.c fills and inverter_write.c inverts.
 *
 * A token is one u32: the id of its form, and in the top bit whether this occurrence carries
 * the form's marker.  Its position is not kept: tokens of a field are dense, so it follows
 * from the token's place and four numbers of its document.
 */
#ifndef PM_INDEXER_INVERTER_INTERNAL_H
#define PM_INDEXER_INVERTER_INTERNAL_H

#include "common/base/mem.h"
#include "indexer/inverter.h"
#include "indexer/inverter_fields.h"

#define TOKEN_MARKED  ANALYZER_MARKED
#define TOKEN_FORM(t) ((t) & ~TOKEN_MARKED)

enum { TOKENS_AT_ONCE = 64 }; /* that the analyzer is asked for                             */

typedef struct inverter_doc {
    uint32_t first;    /* in the stream                                                    */
    uint32_t n_title;  /* tokens of the title, which come first                            */
    uint32_t hole_at;  /* body tokens before the title's span; 0: no hole                  */
    uint32_t hole_len; /* tokens left out there                                            */
} inverter_doc;

/* What is known of the tokens of the longest list: of the first n_tokens it has at most so many. */
typedef struct list_bound {
    size_t longest, n_tokens;
} list_bound;

struct inverter {
    analyzer *a;
    bool has_positions;
    uint32_t *tokens;
    size_t n_tokens, tokens_cap;
    inverter_doc *docs;
    size_t n_docs, docs_cap;
    size_t counted; /* tokens that are, in form_cf                                         */
    list_bound list;
    uint32_t *form_cf; /* by form id, those below n_counted: tokens in the stream          */
    uint32_t n_counted;
    size_t form_cf_cap;
    uint16_t *form_stems; /* by form id, those below forms_seen: hash of the stem          */
    size_t form_stems_cap;
    uint32_t *used, n_used; /* forms that occur, in order of first occurrence                */
    size_t used_cap;
    /* By form id, of those that occur, while they are written (inverter_plan.c); the memory stays,
     * so that a small batch does not ask the system for pages all over again. */
    struct form_row *form_rows;
    uint32_t *form_buckets, *form_marker;
    uint32_t n_tables;
    const form **frozen; /* by id; NULL: the analyzer's (inverter_kept.h)                    */
    uint32_t n_frozen;
    uint32_t forms_seen; /* forms whose strings are counted                               */
    uint64_t form_bytes;
    bool refused; /* memory, when forms or the longest list were counted last              */
    bool keep;    /* the stream, while it is written (inverter_kept.h)                          */
    inverter_fields fields;
};

/* inverter_kept.h */
struct kept_tokens {
    uint32_t *tokens;
    inverter_doc *docs;
    size_t n_tokens, n_docs;
    inverter_fields fields; /* without slots                                                */
};

/* Ask for a form and what is behind it, its strings, before its turn. */
static inline void inverter_ask(const form *f)
{
    __builtin_prefetch(f);
    __builtin_prefetch(f + 1);
}

/* Have room for n tokens more; false when memory is refused. */
static inline bool inverter_reserve_tokens(inverter *iv, size_t n)
{
    return mem_grow(&iv->tokens, &iv->tokens_cap, iv->n_tokens + n, sizeof *iv->tokens);
}

/* Have a counter for every form there is; then the tokens that are not yet counted can be. */
bool inverter_reserve_counts(inverter *iv);
void inverter_count(inverter *iv);
void inverter_free_tables(inverter *iv);

/* Give the stream's memory back; it is not to be read until the reset. */
void inverter_drop_tokens(inverter *iv);

/* Once pairs are gone: occurrences of another list that may be made beside the longest one, within
 * what inverter_memory counts. */
size_t inverter_second_room(const inverter *iv, size_t longest);

/* Count the forms that the last article brought; false when memory is refused. */
bool inverter_count_forms(inverter *iv);

#endif
