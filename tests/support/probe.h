/* SPDX-License-Identifier: MIT
 *
 * probe.h - a handful of questions to an index, and their answers as text.
 *
 * Two indexes that answer every probe alike are the same to a user: results with score bits,
 * snippets and highlights, a stored article, the statistics, the dump.  Answers go to
 * transcripts of fixed size, so that the allocator under test is left alone.
 */
#ifndef PM_TESTS_PROBE_H
#define PM_TESTS_PROBE_H

#include "pressmark.h"

enum {
    PROBE_QUERIES = 14,
    PROBE_ARTICLE = PROBE_QUERIES, /* the stored article with the id of probe_article_id   */
    PROBE_STATS,
    PROBE_DUMP,
    PROBE_COUNT,
    TRANSCRIPT_BYTES = 1 << 20
};

extern const char probe_article_id[];

typedef struct transcript {
    size_t len;
    char data[TRANSCRIPT_BYTES];
} transcript;

/* Printable name: the query itself, "article", ... */
const char *probe_name(unsigned which);

/* Ask one probe; its answer is appended.  Returns the library's status. */
pm_status probe_ask(unsigned which, pm_index *index, pm_searcher *searcher, transcript *out,
                    pm_error *err);

/* Open the index, ask all probes, close.  The first status that is not PM_OK ends it. */
pm_status probe_all(const char *path, transcript *out, pm_error *err);

bool transcript_equal(const transcript *a, const transcript *b);

/* Index the five articles of corpus/articles into `path` by one commit; aborts on failure. */
void probe_build(const char *path);
/* Further articles made of the words of those five, so that the segment has several pages. */
void probe_build_more(const char *path, unsigned n);
/* Afterwards: replace one article and delete another, by a second commit. */
void probe_change(const char *path);

#endif
