/* SPDX-License-Identifier: MIT
 * peer_query.h - the one query syntax that every engine of the comparison is asked in.
 *
 *     query  = clause *( " " clause )
 *     clause = [ "+" / "-" ] ( word / DQUOTE word *( " " word ) DQUOTE )
 *
 * Words are index terms, analysed already.  + must occur, - must not, neither: should; a
 * quoted clause is a phrase.  Takes a writable line and cuts it up in place: the words point
 * into it.  Valid as C and as C++.
 */
#ifndef PM_PEERS_QUERY_H
#define PM_PEERS_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { PEER_CLAUSES_MAX = 64, PEER_WORDS_MAX = 64 };

typedef struct peer_clause {
    char sign; /* '+', '-' or ' ' */
    size_t n;  /* words; more than one: a phrase */
    const char *words[PEER_WORDS_MAX];
} peer_clause;

typedef struct peer_query {
    size_t n;
    size_t must, should, must_not; /* clauses of each sign */
    peer_clause clauses[PEER_CLAUSES_MAX];
} peer_query;

/* Cut off the words of `text` (up to `end`, where a NUL is put). */
static inline bool peer_clause_words(peer_clause *clause, char *text, char *end)
{
    *end = '\0';
    for (char *word = text; *word != '\0';) {
        if (clause->n == PEER_WORDS_MAX) return false;
        clause->words[clause->n++] = word;
        word = word + strcspn(word, " ");
        if (*word != '\0') *word++ = '\0';
    }
    return clause->n > 0;
}

/* False when there is no clause, a quote is open, or a bound is passed. */
static inline bool peer_query_parse(peer_query *query, char *line)
{
    query->n = query->must = query->should = query->must_not = 0;
    while (*line != '\0') {
        if (query->n == PEER_CLAUSES_MAX) return false;
        peer_clause *clause = &query->clauses[query->n++];
        clause->n = 0;
        clause->sign = ' ';
        if (*line == '+' || *line == '-') clause->sign = *line++;
        bool quoted = *line == '"';
        if (quoted) line++;
        char *end = line + strcspn(line, quoted ? "\"" : " ");
        bool last = *end == '\0';
        if (quoted && last) return false;
        if (!peer_clause_words(clause, line, end)) return false;
        line = last ? end : end + 1;
        while (*line == ' ') line++;
        if (clause->sign == '+')
            query->must++;
        else if (clause->sign == '-')
            query->must_not++;
        else
            query->should++;
    }
    return query->must + query->should > 0;
}

#endif
