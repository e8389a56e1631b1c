/* SPDX-License-Identifier: MIT
 *
 * bm25_oracle.h - what a search must answer, computed over plain arrays.
 *
 * A collection is an array of documents, each two arrays of word numbers.  There is no index,
 * no analysis and no cleverness here: every statistic is counted, every tree evaluated and
 * every document scored from its arrays, straight from the definitions of the contract.
 * Nothing of the library is included but its public enums.
 */
#ifndef PM_TESTS_BM25_ORACLE_H
#define PM_TESTS_BM25_ORACLE_H

#include "pressmark.h"

enum {
    ORACLE_GAP = 100,     /* positions between title and body                           */
    ORACLE_MARK = 0x8000, /* set in a body word: written in capitals, an acronym        */
    ORACLE_CHILDREN = 6,
    ORACLE_TERMS = 128,
};

typedef struct oracle_doc {
    char id[16];
    bool live;
    unsigned n_title, n_body;
    uint16_t *title, *body;
    uint64_t seq;
} oracle_doc;

typedef struct oracle_collection {
    const char *const *words; /* spelling of each word number                             */
    unsigned n_words;
    oracle_doc *docs;
    unsigned n_docs;
} oracle_collection;

typedef enum oracle_kind {
    ORACLE_WORD,
    ORACLE_PHRASE,
    ORACLE_NEAR,
    ORACLE_LIST,
    ORACLE_AND,
    ORACLE_OR
} oracle_kind;

typedef struct oracle_node oracle_node;
struct oracle_node {
    oracle_kind kind;
    char sign; /* 0, '+' (under ORACLE_LIST), '-'                            */
    bool title;
    double boost;
    unsigned slop, n; /* words of a leaf, or children                               */
    uint16_t words[ORACLE_CHILDREN]; /* ORACLE_MARK: as an acronym                        */
    oracle_node *children[ORACLE_CHILDREN];
};

typedef struct oracle_hit {
    unsigned doc;
    double score;
    bool in_all;
} oracle_hit;

typedef struct oracle_answer {
    oracle_hit *hits; /* room for n_docs; the whole list, in order                  */
    unsigned n, n_all;
} oracle_answer;

void oracle_search(const oracle_collection *c, const oracle_node *query, pm_match match, double k1,
                   double b, bool joined, oracle_answer *out);

#endif
