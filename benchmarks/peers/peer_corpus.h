/* SPDX-License-Identifier: MIT
 * peer_corpus.h - the neutral files of documents, read line by line.
 *
 *     id TAB title TAB body LF
 *
 * In the file of terms both are terms, separated by single spaces, in position order; in the
 * file of texts they are as written, control characters become spaces.  The title takes
 * positions 0 .. t-1, the body begins at t + PEER_GAP, so that no phrase crosses the border.
 * peer_form says what an engine is given and what it keeps.
 * Gives one document at a time, borrowed until the next.  Valid as C and as C++.
 */
#ifndef PM_PEERS_CORPUS_H
#define PM_PEERS_CORPUS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEER_GAP = 100 };

typedef enum peer_form {
    PEER_TERMS,  /* terms, to be split at spaces; no text is stored */
    PEER_TEXT,   /* texts, for the engine's own analysis with stems; no text is stored */
    PEER_STORED, /* the same; title and body are stored, to be shown with a hit */
    PEER_NO_FORM,
} peer_form;

/* The form by its name on the command line: terms, text, stored. */
static inline peer_form peer_form_named(const char *name)
{
    static const char *const names[] = {"terms", "text", "stored"};
    int form = PEER_TERMS;
    while (form < PEER_NO_FORM && strcmp(name, names[form]) != 0) form++;
    return (peer_form)form;
}

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
        fprintf(stderr, "driver: not a document of three fields: %.60s\n", corpus->line);
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
