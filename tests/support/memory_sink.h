/* SPDX-License-Identifier: MIT
 * memory_sink.h - a stand-in for a writer: keeps the articles that an ingest run gives it in
 * a plain list, so that tests of ingest need no index.
 */
#ifndef PM_TESTS_MEMORY_SINK_H
#define PM_TESTS_MEMORY_SINK_H

#include "indexer/ingest.h"

typedef struct sink_article {
    pm_article article; /* owned copies of all texts, each followed by a NUL             */
    bool committed, deleted;
} sink_article;

typedef struct memory_sink {
    sink_article *items;
    size_t n, cap;
    unsigned commits;
    pm_status fail_add; /* returned by add when not PM_OK                                */
    bool usable;        /* after PM_USAGE of add                                         */
    size_t article_max; /* 0: as of ingest_sink                                          */
} memory_sink;          /* valid when zeroed */

ingest_sink memory_sink_of(memory_sink *m);
/* The live article, or NULL. */
const pm_article *memory_sink_get(const memory_sink *m, const char *id);
const pm_article *memory_sink_find(const memory_sink *m, const char *id, size_t len);
size_t memory_sink_count(const memory_sink *m);
void memory_sink_commit(memory_sink *m);
void memory_sink_free(memory_sink *m);

#endif
