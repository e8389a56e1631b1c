/* SPDX-License-Identifier: MIT
 * second_parts.h - what the files of the second reader share (second_reader.h).
 */
#ifndef PM_TESTS_SECOND_PARTS_H
#define PM_TESTS_SECOND_PARTS_H

#include "tests/oracle/second_reader.h"

extern const char *second_path; /* of the file that is being read                         */

#define EXPECT(cond) second_expect((cond), #cond, __FILE__, __LINE__)
void second_expect(bool ok, const char *what, const char *source, int line);

/* A range of bytes and a place in it. */
typedef struct bytes {
    const uint8_t *p;
    uint64_t len, at;
} bytes;

void *second_room(uint64_t n, size_t size);
void second_free(const uint8_t *room);
int second_order(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);
uint64_t second_number(bytes *b, unsigned width);
uint64_t second_varint(bytes *b);
double second_real(bytes *b);
void second_zeros(bytes *b, uint64_t n);
void second_zeros_to(bytes *b, uint64_t start, uint64_t multiple);
bytes second_part(const bytes *b, uint64_t off, uint64_t len);
bool second_bit(const uint8_t *p, uint64_t at);
uint64_t second_groups(uint64_t x, uint64_t n);
/* The format's hash of a byte string, and its last step. */
uint64_t second_hash(uint64_t key, const uint8_t *p, uint64_t len);
uint64_t second_mix(uint64_t x);
uint64_t second_align(uint64_t x, uint64_t n);
uint32_t second_crc(const uint8_t *p, uint64_t n);

enum {
    STORE,
    STORE_DIR,
    POSTINGS,
    TERMS,
    TERMS_INDEX,
    FORMS,
    FORMS_INDEX,
    LENGTHS,
    SEQUENCE,
    DATES,
    ID_OFFSETS,
    IDS,
    ID_TABLE,
    SECTIONS
};

typedef struct second_id {
    uint64_t len;
    uint8_t bytes[1024 + 16];
} second_id;

typedef struct file {
    bytes all, sections[SECTIONS];
    uint64_t n_docs, n_terms, n_forms, plain_terms, plain_postings, plain_positions, sum_dl;
    double k1, b, avgdl_ref;
    uint64_t block_size, dense_shift, flags, dl_width, seq_width, date_width, seq_base;
    uint64_t parts[5], n_listed, forms_read, key; /* key: of the hashes of ids               */
    second_form *forms;
    uint32_t *dl;
    second_id *ids;
} file;

/* second_ids.c: fills f->ids; free it after use. */
void second_read_ids(file *f);
/* second_lists.c: fills the arrays of list, whose entry is known; free them after use. */
void second_read_list(file *f, second_list *list, bytes region);

#endif
