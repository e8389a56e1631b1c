/* SPDX-License-Identifier: MIT
 * second_reader.h - a second, naive reader of segment files, written from FORMAT.md alone.
 *
 * It shares no code and no header with the real one: it reads the whole file into memory,
 * walks everything in order, bit by bit, and never skips.  What it does not expect, it says,
 * with the place, and aborts the test.  Takes a path, gives lists and columns as plain arrays.
 */
#ifndef PM_TESTS_SECOND_READER_H
#define PM_TESTS_SECOND_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct second_list {
    const uint8_t *key;
    size_t key_len;
    uint32_t ordinal, df, n_forms;
    uint64_t cf;
    uint64_t position_bytes, form_bytes; /* of the region                                      */
    bool has_positions;
    uint32_t *docs, *tfs; /* df                                                 */
    uint8_t *impacts;     /* df                                                 */
    uint32_t *positions;  /* cf, when has_positions                             */
    uint32_t *forms;      /* cf; all 0 when n_forms <= 1                         */
} second_list;

typedef struct second_form {
    const uint8_t *key;
    size_t key_len;
    uint32_t term, index, df;
    uint64_t cf;
} second_form;

typedef struct second_doc {
    uint32_t dl;
    uint64_t seq;
    int64_t date;
    const uint8_t *id;
    size_t id_len;
    const uint8_t *record; /* borrowed until the next document                   */
    size_t record_len;
    bool marked; /* the segment has marks                                */
    uint8_t mark;
} second_doc;

/* Arrays are borrowed for the call. */
typedef struct second_sink {
    void (*doc)(void *ctx, uint32_t number, const second_doc *doc);
    void (*list)(void *ctx, const second_list *list);
    void (*form)(void *ctx, const second_form *form);
    void *ctx;
} second_sink;

/* Reads the whole file; calls doc for each document, then list for each key, then form for
 * each form, in the order of the file.  Checksums, places and paddings are verified. */
void second_read(const char *path, const second_sink *sink);

#endif
