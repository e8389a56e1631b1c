/* SPDX-License-Identifier: MIT
 * inversion.h - a stream of tokens on its way to posting lists; shared by inverter_plan.c (which
 * keys there are), inverter_scatter.c (where their tokens are), inverter_write.c (their lists),
 * inverter_buckets.c and inverter_bigrams.c.
 */
#ifndef PM_INDEXER_INVERSION_H
#define PM_INDEXER_INVERSION_H

#include <pthread.h>

#include "common/segment/layout.h"
#include "indexer/inverter_internal.h"
#include "indexer/keysort.h"
#include "indexer/list_tasks.h"

enum {
    /* Tokens for which the document is known by a look-up, a power of two: half of a document of
     * mean length, within these.                                                           */
    PLACE_SHIFT_LEAST = 5,
    PLACE_SHIFT_MOST = 12,
    PLACE_AHEAD = 12, /* places whose documents are asked for before their turn            */
    /* Tokens of a bucket of several terms, about: as many as fit into a core's own cache; more
     * where documents are many, because each bucket asks for most of them.                  */
    BUCKET_TOKENS = 64 << 10,
    BUCKET_TOKENS_MOST = 256 << 10,
    DOCS_A_TOKEN = 2,   /* documents for each token of a bucket, unless it were that large    */
    BUCKETS_LEAST = 64, /* or there were fewer                                              */
    /* Lists of a task, which are held with what is known of each until they are written. */
    BUCKET_TERMS = 8 << 10,
    /* Buckets have numbers of 16 bits: from here on only tokens count.                     */
    BUCKETS_MANY = 16 << 10,
    /* A variant's place in its bucket that 16 bits do not hold: the form's index is in a word of
     * its own.  A term of so many variants has a bucket of its own.                        */
    BUCKET_LATE = UINT16_MAX,
    LARGE_ROOMS = 2,
    PIECE_BYTES = 4096, /* of a bucket's tokens; begins at a multiple of it                  */
    PIECE_WORDS = PIECE_BYTES / 4 - sizeof(void *) / 4,
};

typedef struct inversion inversion;

typedef struct variant {
    const form *f;
    uint32_t term; /* in terms                                                         */
    uint32_t cf, df;
    uint32_t last_doc; /* document counted last, plus one                                  */
    uint16_t local;    /* its place in its bucket, or BUCKET_LATE                          */
} variant;

typedef struct term_plan {
    const form *f;          /* any form with this stem                                     */
    uint32_t first_variant; /* variants first_variant + index, by index                    */
    uint32_t n_variants;
    uint32_t cf;
    uint32_t ordinal;
    uint32_t bucket;
    bool implies; /* its only form, which is then not listed                            */
} term_plan;

/* What a form leads to. */
typedef struct form_row {
    uint32_t term;
    uint32_t index; /* of its variant among the term's; until ranked, in variants       */
} form_row;

/* Terms and variants of the sorted forms from `begin` on, numbered from there until both parts are
 * joined (inverter_plan.c). */
typedef struct plan_part {
    uint32_t begin, n_terms, n_variants;
} plan_part;

/* Neighbouring terms, whose lists are made together; a frequent term has its own. */
typedef struct bucket {
    uint32_t first_term, first_variant;
    uint32_t end; /* tokens up to here, with those of all buckets before it                 */
} bucket;

/* The tokens of a bucket, in order, as words of 32 bits (inverter_scatter.c). */
typedef struct piece {
    struct piece *next;
    uint32_t words[PIECE_WORDS];
} piece;

typedef struct piece_chain {
    piece *first, *last;
    uint32_t *end; /* of the words in last                                                 */
    uint32_t at;   /* number of the token put last; of the part's first, until one is       */
} piece_chain;

/* Neighbouring tokens of the stream, which one thread scatters. */
typedef struct scatter_part {
    uint32_t begin, end;
    piece_chain *chains; /* by bucket                                                      */
    uint8_t *pool;       /* what of the stream is read and not yet reused; NULL: it stays  */
    struct slab *slabs;  /* memory of pieces that the stream has no room for               */
    bool refused;
} scatter_part;

/* A bucket being read. */
typedef struct bucket_reader {
    const inversion *inv;
    uint32_t bucket, at;
    unsigned part; /* that comes next                                                    */
    const piece *next;
    const uint32_t *end; /* of the words in the part's last piece                          */
    bool late;           /* each token has a word more                                          */
    bool open;           /* whose word comes first in the next piece                            */
} bucket_reader;

/* One list at a time, being gathered by one thread; and the tokens of one bucket, by term
 * (inverter_buckets.c). */
typedef struct list_room {
    uint32_t *docs, *tfs, *positions, *forms;
    size_t postings_cap, occurrences_cap;
    uint32_t *sorted_docs, *sorted_positions, *sorted_forms; /* of each token              */
    uint32_t *rows; /* by variant of the bucket: its term there, its index             */
    uint32_t *ends; /* by term of the bucket: where its tokens end                       */
    size_t sorted_cap, rows_cap, ends_cap;
    buf key;
} list_room;

/* Written by one thread until the tokens are scattered; from then on read by many, each of
 * which changes the variants of the terms that it writes. */
struct inversion {
    inverter *iv;
    segment_writer *w;
    unsigned threads;
    uint32_t bucket_tokens;   /* BUCKET_TOKENS or more                                  */
    const form *const *forms; /* by id                                                  */
    uint32_t n_forms;
    form_row *form_rows;    /* the inverter's, by form id, as the next two                 */
    uint32_t *form_buckets; /* its bucket << 16, its variant's place there              */
    uint32_t *form_marker;  /* in markers, of forms that have one                       */
    plan_part plan[2];
    variant *variants, *ranked; /* ranked: by index, while they are planned                     */
    uint32_t *moved;            /* by variant: its number there                                 */
    uint32_t n_variants;
    term_plan *terms;
    uint32_t n_terms;
    const form **markers; /* one form for each distinct marker, sorted                 */
    uint32_t n_markers;
    bucket *buckets; /* and one behind the last                                       */
    uint32_t n_buckets;
    keysort_item *items, *scratch;
    uint32_t *ends;   /* by key of a class: where its tokens end in places             */
    uint32_t *places; /* numbers of tokens, by key of the class or pair at hand      */
    scatter_part parts[LIST_WORKERS_MAX];
    unsigned n_parts;
    uint32_t *block_docs; /* the document of every 2^place_shift-th token                */
    unsigned place_shift;
    uint32_t *doc_ends; /* by document: where its tokens end                               */
    list_room rooms[LIST_WORKERS_MAX];
    list_room large[LARGE_ROOMS]; /* of lists longer than bucket_tokens                   */
    bool large_taken[LARGE_ROOMS];
    uint32_t longest;   /* tokens of the most frequent term                                */
    size_t second_room; /* occurrences that the second large room may have                 */
    pthread_mutex_t large_lock;
    pthread_cond_t large_given;
};

/* Forms to variants, terms and markers. */
pm_status inversion_plan(inversion *inv, pm_error *err);
/* Orders forms by folded, then exact. */
int form_key_compare(const form *a, const form *b);
/* The second part of a form's key: empty when the form is its own folding. */
slice form_exact(const form *f);

/* inverter_scatter.c: the tokens' numbers and variants by bucket, in order of the tokens; the
 * stream's memory holds them then, unless it is kept. */
pm_status inversion_scatter(inversion *inv, pm_error *err);
void inversion_unscatter(inversion *inv);
/* The tokens of a bucket, some at a time: their numbers, and of each its variant's place in the
 * bucket, or the form's index where that is late.  Returns how many, at most PIECE_WORDS; 0: that
 * was all. */
bucket_reader bucket_read(const inversion *inv, uint32_t number);
uint32_t bucket_next(bucket_reader *r, uint32_t *places, uint32_t *locals);

/* inverter_buckets.c: the lists of all plain terms. */
pm_status inversion_plain(inversion *inv, pm_error *err);

/* inverter_write.c: exactly so many elements of four bytes, whatever was there; false when memory
 * is refused. */
bool inversion_array(uint32_t **array, size_t *cap, size_t n);
/* The room for a list of so many occurrences: the worker's own, or a large one, which is then
 * taken. */
list_room *inversion_begin(inversion *inv, unsigned worker, size_t occurrences, list_task *out);
void inversion_end(inversion *inv, list_room *room);
/* Room for the numbers of n tokens in inv->places; false when memory is refused. */
bool inversion_places(inversion *inv, uint32_t n);
void inversion_drop_places(inversion *inv);
/* Tokens to postings and positions, in docs, tfs and positions; returns df.  The room's positions
 * may be the places. */
uint32_t inversion_gather(const inversion *inv, list_room *room, const uint32_t *places,
                          uint32_t n);
/* The room's key: of a class (0: plain terms, KEY_TITLE, KEY_MARKER), its key-th. */
void inversion_key(const inversion *inv, list_room *room, uint8_t class, uint32_t key);
/* Encode the list of the gathered postings under the key made. */
void inversion_put(const list_room *room, segment_term *term, const uint32_t *positions,
                   uint32_t tag, list_task *out);
/* All bigrams; before the tokens are scattered. */
pm_status inversion_bigrams(inversion *inv, pm_error *err);

static inline uint32_t inverter_doc_end(const inverter *iv, size_t doc)
{
    return doc + 1 < iv->n_docs ? iv->docs[doc + 1].first : (uint32_t)iv->n_tokens;
}

/* Position of the i-th token of a document. */
static inline uint32_t token_position(const inverter_doc *d, uint32_t i)
{
    if (i < d->n_title) return i;
    uint32_t body = i - d->n_title;
    uint32_t hole = d->hole_at && body >= d->hole_at ? POSITION_BREAK : 0;
    return body + hole + (d->n_title ? d->n_title + POSITION_BREAK : 0);
}

/* The document of a token. */
static inline uint32_t inversion_doc_of(const inversion *inv, uint32_t place)
{
    uint32_t doc = inv->block_docs[place >> inv->place_shift];
    doc += inv->doc_ends[doc] <= place; /* often one on, and no branch foresees it           */
    while (inv->doc_ends[doc] <= place) doc++;
    return doc;
}

#endif
