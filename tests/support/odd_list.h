/* SPDX-License-Identifier: MIT
 * odd_list.h - a posting list made by chance, and its bytes as FORMAT.md has them, with liberties
 * that no writer takes: blocks of any sizes, gaps with needless bytes.
 */
#ifndef PM_TESTS_ODD_LIST_H
#define PM_TESTS_ODD_LIST_H

#include "common/segment/segment.h"

enum { ODD_DOCS = 3000, ODD_DF_MAX = 1000, ODD_TF_MAX = 40, ODD_FORMS_MAX = 40000 };

typedef struct odd_list {
    uint32_t df, docs[ODD_DF_MAX], tfs[ODD_DF_MAX], places[ODD_DF_MAX][ODD_TF_MAX];
    uint8_t impacts[ODD_DF_MAX];
    uint64_t cf;
    uint32_t n_blocks, sizes[ODD_DF_MAX]; /* together df                                   */
    bool sparse, positions;
    bool wide; /* offsets of groups of positions have 4 bytes, which 2 would do            */
    uint32_t block_size;
    uint32_t n_forms, forms[ODD_FORMS_MAX]; /* of each occurrence; n_forms 0: none are recorded */
} odd_list;

/* Of the documents, and of one that there is not; a test sets them first. */
extern uint32_t odd_lengths[ODD_DOCS + 1];

/* df of the documents from `first` on, with positions; one block. */
void odd_random(odd_list *l, uint32_t df, uint32_t first, uint64_t *random);
/* Without positions a word may be anywhere any number of times. */
void odd_without_positions(odd_list *l, uint64_t *random);
/* Forms, the first one most often; not of a list that is too long for that. */
void odd_with_forms(odd_list *l, uint32_t n, uint64_t *random);
/* Blocks of least to most postings each, the last one of what is left. */
void odd_cut(odd_list *l, uint32_t least, uint32_t most, uint64_t *random);

double odd_norm(uint32_t doc);
bool odd_exception(const odd_list *l, uint32_t i);
/* The i-th largest impact, from 1; 0 when there are fewer. */
uint8_t odd_nth_largest(const odd_list *l, uint32_t nth);

/* Its bytes: sparse or dense; or small, with so many bytes more in each gap. */
void odd_put_large(buf *out, const odd_list *l);
void odd_put_small(buf *out, const odd_list *l, unsigned needless);

#endif
