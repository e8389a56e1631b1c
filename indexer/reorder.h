/* SPDX-License-Identifier: MIT
 * reorder.h - documents with the same words side by side, so that lists have short gaps and
 * whole blocks of them can be passed over.
 *
 * Takes the words of each document (a forward index), gives an order of the documents.
 * Recursive graph bisection: L. Dhulipala et al., "Compressing graphs and indexes with
 * recursive graph bisection", KDD 2016; with gains cached by term as in J. Mackenzie,
 * M. Petri and A. Moffat, "Faster index reordering with bipartite graph partitioning",
 * SIGIR 2021.  The order is the same for any number of threads and on any machine.
 */
#ifndef PM_INDEXER_REORDER_H
#define PM_INDEXER_REORDER_H

#include <stdbool.h>

#include "common/base/error.h"

enum {
    REORDER_DF_MIN = 16, /* rarer terms are left out: they cost memory and decide little   */
    REORDER_LEAF = 24,   /* documents that are not divided further                         */
    REORDER_ROUNDS = 20, /* of exchanges in one division, at most                          */
};

/* Terms of document d: terms[starts[d]] .. terms[starts[d + 1] - 1], each once, < n_terms. */
typedef struct forward_index {
    uint32_t n_docs, n_terms;
    uint64_t *starts;
    uint32_t *terms;
} forward_index;

/* Bytes that the index and the division take: 4 a posting, 48 a document, 20 a term and
 * thread. */
uint64_t reorder_memory(uint32_t n_docs, uint32_t n_terms, uint64_t n_postings, unsigned threads);

/* Asked on the caller's thread, every 50 ms of a division; false: no more of it. */
typedef struct reorder_watch {
    bool (*go_on)(void *ctx);
    void *ctx;
} reorder_watch;

/* order: n_docs document numbers in the order to start from; becomes the new order.  watch NULL:
 * nobody is asked.  When told to stop: PM_IO (ECANCELED), and order is of no use. */
pm_status reorder_bisect(const forward_index *f, unsigned threads, const reorder_watch *watch,
                         uint32_t *order, pm_error *err);

#endif
