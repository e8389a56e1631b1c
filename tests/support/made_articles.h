/* SPDX-License-Identifier: MIT
 *
 * made_articles.h - articles made from a number and a version, and writers that take them.
 *
 * What goes wrong in a function that returns no status fails the test.
 */
#ifndef PM_TESTS_MADE_ARTICLES_H
#define PM_TESTS_MADE_ARTICLES_H

#include "indexer/writer.h"
#include "tests/support/whole_index.h"

enum { MADE_TEXT = 2048 };

/* Its own texts, to which `a` points: not to be moved. */
typedef struct made_article {
    pm_article a;
    char id[24], title[128], text[MADE_TEXT], date[16];
} made_article;

/* Article "a<number>": some twenty words in any mixture, and one that no other version has. */
void make_article(made_article *m, unsigned number, unsigned version);

/* Small blocks, so that little text crosses every boundary. */
pm_writer_options made_options(void);
pm_writer *open_writer(const char *path, uint64_t memory);
/* Whether it replaced one. */
bool add(pm_writer *w, unsigned number, unsigned version);
/* Whether it was there. */
bool remove_article(pm_writer *w, unsigned number);
pm_commit_info commit(pm_writer *w);

#endif
