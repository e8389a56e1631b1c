/* SPDX-License-Identifier: MIT
 * peer_corpus.h - the neutral file of analysed documents, read line by line.
 *
 *     id TAB terms of the title TAB terms of the body LF
 *
 * Terms are separated by single spaces and stand in position order.  The title takes
 * positions 0 .. t-1, the body begins at t + PEER_GAP, so that no phrase crosses the border.
 * Gives one document at a time, borrowed until the next.  Valid as C and as C++.
 */
#ifndef PM_PEERS_CORPUS_H
#define PM_PEERS_CORPUS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEER_GAP = 100 };

typedef struct peer_corpus {
    FILE *file;
    char *line;
    size_t capacity;
    char *id, *title, *body; /* of the current document */
} peer_corpus;

static inline bool peer_corpus_open(peer_corpus *corpus, const char *path)
{
    memset(corpus, 0, sizeof *corpus);
    corpus->file = fopen(path, "r");
    if (corpus->file == NULL) perror(path);
    return corpus->file != NULL;
}

/* False at the end; a line of another form ends the driver. */
static inline bool peer_corpus_next(peer_corpus *corpus)
{
    if (getline(&corpus->line, &corpus->capacity, corpus->file) <= 0) return false;
    corpus->line[strcspn(corpus->line, "\n")] = '\0';
    corpus->id = corpus->line;
    corpus->title = strchr(corpus->id, '\t');
    corpus->body = corpus->title != NULL ? strchr(corpus->title + 1, '\t') : NULL;
    if (corpus->body == NULL) {
        fprintf(stderr, "driver: not an analysed document: %.60s\n", corpus->line);
        exit(1);
    }
    *corpus->title++ = '\0';
    *corpus->body++ = '\0';
    return true;
}

static inline void peer_corpus_close(peer_corpus *corpus)
{
    if (corpus->file != NULL) fclose(corpus->file);
    free(corpus->line);
}

#endif
