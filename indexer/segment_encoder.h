/* SPDX-License-Identifier: MIT
 * segment_encoder.h - posting lists to the bytes of their regions, apart from the file that
 * they go to: any number of encoders may work for one segment writer at the same time.
 *
 *   segment_encoder_open    when the writer's documents are done
 *   segment_encode          a list; what it gives is the encoder's until its next list
 *   segment_writer_list     (segment_writer.h) appends it: in order of keys, on one thread
 *
 * The bytes of a list depend on the list and on the documents' lengths alone, so it does not
 * matter which encoder made them (INV-5).
 */
#ifndef PM_INDEXER_SEGMENT_ENCODER_H
#define PM_INDEXER_SEGMENT_ENCODER_H

#include "indexer/segment_writer.h"

typedef struct segment_encoder segment_encoder;

/* Valid when zeroed: an empty list, which is wrong. */
struct segment_list {
    term_entry entry;              /* but for its place                                   */
    slice region;                  /* borrowed                                            */
    size_t positions_at, forms_at; /* where they begin in region                          */
    pm_status status;              /* PM_NOMEM, or PM_USAGE when the list breaks a rule   */
    const char *what;              /* the rule; static                                    */
};

/* Bits as codec/bits.h has them; EF_STRING_SLACK bytes (codec/ef_string.h) can be read behind. */
typedef struct bit_string {
    const uint8_t *bytes;
    uint64_t at, n; /* n bits from bit `at` on                                               */
} bit_string;

/* What a merge knows of a list in another shape than that of a segment_term. */
typedef struct segment_feed {
    const uint32_t *lengths; /* of the df documents; NULL: they are looked up                     */
    bit_string strings;      /* positions as they will be (codec/ef_string.h); bytes NULL: none */
    /* With a ctx neither positions nor forms are held, and both are asked for from the first
     * posting to the last, a few at a time.  What is given is valid until the next call.  NULL, or
     * false: memory was refused, or it cannot be read, and then ctx knows why. */
    void *ctx;
    bool has_positions;
    /* Start, or start again, with positions or with forms. */
    void (*begin)(void *ctx, bool positions);
    /* The next n bits of positions, which are those of whole postings. */
    bool (*next_strings)(void *ctx, uint64_t n, bit_string *out);
    /* The form indexes of the next n occurrences, which are those of whole postings. */
    const uint32_t *(*next_forms)(void *ctx, uint64_t n);
} segment_feed;

/* Borrows from w until it is closed; NULL when memory was refused. */
segment_encoder *segment_encoder_open(const segment_writer *w);
void segment_encoder_close(segment_encoder *e);
/* feed: NULL, or what there is in the place of t's arrays. */
void segment_encode(segment_encoder *e, const segment_term *t, const segment_feed *feed,
                    segment_list *out);
/* Take the memory of the last list's region, for that of another buffer. */
void segment_encoder_swap(segment_encoder *e, buf *region);

#endif
