/* SPDX-License-Identifier: MIT
 *
 * peer.h - what the comparison asks of an engine: put texts, commit, search, read back.
 *
 * Every engine does the same: a text stands under a number, replaces the one that was there, and
 * is indexed by its lower-case words with positions and kept whole.  Power cuts and changed
 * bytes (powercut_peers.c, flip_peers.c) know nothing more of an engine than this.
 */
#ifndef PM_TESTS_PEER_H
#define PM_TESTS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PEER_WHY = 200, PEER_HITS = 10 };

typedef struct peer_hit {
    unsigned number;
    double score;
    uint64_t text; /* peer_sum of the text as stored                                       */
} peer_hit;

typedef struct peer_hits {
    size_t n;
    peer_hit hits[PEER_HITS];
} peer_hits;

/* A failure returns NULL or false and says why.  Any folder that an engine is given exists. */
typedef struct peer {
    const char *name, *settings; /* settings: what differs from the engine's defaults      */
    void *(*writer_open)(const char *folder, char why[PEER_WHY]);
    bool (*put)(void *writer, unsigned number, const char *text, char why[PEER_WHY]);
    /* True: the engine promises that all before it lasts. */
    bool (*commit)(void *writer, char why[PEER_WHY]);
    void (*writer_close)(void *writer);
    void *(*reader_open)(const char *folder, char why[PEER_WHY]);
    /* The best PEER_HITS texts that hold all the words (separated by one blank each). */
    bool (*search)(void *reader, const char *words, peer_hits *out, char why[PEER_WHY]);
    void (*reader_close)(void *reader);
} peer;

extern const peer peer_pressmark, peer_fts5, peer_fts5_extra, peer_fts5_wal, peer_xapian;

uint64_t peer_sum(const void *data, size_t len);
void peer_explain(char why[PEER_WHY], const char *text);

/* The two campaigns; they print their figures.  Return the exit code: failures of peers are what
 * is counted, only a failure of pressmark is a failure. */
int peer_powercut(const peer *engine, const char *fs_type, unsigned long states, uint64_t seed);
int peer_flips(const peer *engine, unsigned mask);

#ifdef __cplusplus
}
#endif

#endif
