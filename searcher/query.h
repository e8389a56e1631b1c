/* SPDX-License-Identifier: MIT
 *
 * query.h - the query language: text in, a tree of words, phrases and groups out.
 *
 *   text --lexer--> lexemes --analyzer--> lexemes with words --parser--> tree --printer--> text
 *
 * Grammar (a neighbour list binds tightest, as in SQLite's FTS5):
 *   query  := and ("OR" and)*
 *   and    := list ("AND" list)*
 *   list   := item+                       neighbours: required or not as --match says
 *   item   := "NOT"* sign? (word | "title:" word | phrase | filter | "(" query ")") boost?
 *   filter := ("date:" | "after:" | "before:" | "source:" | "author:" | "tag:" | "lang:") value
 *   value  := word | quote words quote    nothing of it is analysed
 *   sign   := "+" | "-"                   after a space or "(", before anything but a space
 *   phrase := quote words quote ("~" n)?  boost := "^" number
 * No text is an error: what does not fit is taken as words or left out, and a note says so
 * (strict: PM_USAGE with the column).  All quantities are bounded: QUERY_BYTES_MAX bytes,
 * QUERY_WORDS_MAX words, QUERY_DEPTH_MAX parentheses; time is linear in the text.
 *
 * A tree lives in the arena it was parsed into.
 */
#ifndef PM_SEARCHER_QUERY_H
#define PM_SEARCHER_QUERY_H

#include "common/base/mem.h"
#include "common/text/analyzer.h"

enum {
    QUERY_BYTES_MAX = 64 * 1024,
    QUERY_WORDS_MAX = 1024, /* clauses: words, those inside phrases included             */
    QUERY_DEPTH_MAX = 64,   /* open parentheses at one place                             */
    QUERY_NOTES_MAX = 12,
};
#define QUERY_BOOST_MAX 1e6

typedef enum query_sign { SIGN_PLAIN, SIGN_MUST, SIGN_NOT } query_sign;

typedef enum query_kind {
    QUERY_WORD,   /* words[0]                                                             */
    QUERY_PHRASE, /* words at neighbouring positions                                      */
    QUERY_NEAR,   /* all words in any order within n_words + slop positions               */
    QUERY_FILTER, /* a field's value; adds nothing to scores                              */
    QUERY_LIST,   /* neighbours; each child's sign counts                                 */
    QUERY_AND,
    QUERY_OR
} query_kind;

typedef struct query_word {
    pm_text term;   /* index term (stem)                                                  */
    pm_text folded; /* what joined forms are made of, and what is shown                   */
    pm_text marker; /* acronym spelling; len 0 when this occurrence has none              */
} query_word;

/* A restriction by a field. */
typedef struct query_filter {
    pm_filter_field field;
    int64_t from, to; /* dates: seconds, [from, to)                                       */
    pm_text key;      /* other fields: behind KEY_FIELD, in the term dictionary; len 0: a date */
    pm_text shown;    /* canonical, with the field's name                                 */
} query_filter;

typedef struct query_node query_node;
struct query_node {
    query_kind kind;
    query_sign sign;  /* in its parent: SIGN_NOT negates; SIGN_MUST only under QUERY_LIST */
    bool title;       /* leaves: in titles only                                           */
    bool fixed;       /* QUERY_LIST: all children required whatever --match says          */
    bool positive;    /* holds a leaf that no NOT stands above                            */
    bool restricts;   /* holds filters only: required among neighbours, whatever --match
                         says, and never a reason to leave optional words aside           */
    double boost;     /* multiplies into the weights of all leaves below                  */
    uint32_t slop;    /* QUERY_NEAR                                                       */
    uint32_t n_words; /* leaves                                                           */
    query_word *words;
    const query_filter *filter; /* QUERY_FILTER                                           */
    uint32_t leaf; /* leaves: 0, 1, 2, ... in order of appearance                      */
    query_node *first, *last, *next; /* children; sibling                                 */
};

static inline bool query_is_leaf(const query_node *node)
{
    return node->kind < QUERY_LIST;
}

typedef struct query_note {
    uint32_t at;  /* byte offset in the text                                          */
    bool lenient; /* strict refuses it                                                */
    char text[72];
} query_note;

typedef struct query {
    pm_text text;     /* as given, repaired                                               */
    query_node *root; /* NULL: nothing to look for                                        */
    uint32_t n_leaves, n_words;
    bool truncated;
    query_note notes[QUERY_NOTES_MAX];
    uint32_t n_notes;
} query;

/* Parse.  PM_USAGE only when strict (err->offset is the byte offset in the text, the message
 * names the column); else PM_OK or PM_NOMEM. */
pm_status query_parse(query *q, arena *a, analyzer *words, const char *text, size_t len,
                      bool strict, pm_error *err);
/* The note of a query that matches nothing because it is no search. */
void query_note_nothing(query *q);
/* For an index without positions: phrases and NEAR groups become required words, and a note
 * says so.  False: memory is refused. */
bool query_to_words(query *q, arena *a);
/* A query that is no search (no words, or negatives only) becomes one by the filters of the
 * options, as if they stood in it; *taken says so, and they need not be obeyed again. */
pm_status query_take_filters(query *q, arena *a, const pm_filter *filters, size_t n, bool *taken,
                             pm_error *err);
/* The canonical form of the tree, notes in brackets behind it. */
pm_status query_print(const query *q, arena *a, pm_text *out, pm_error *err);

/* ---- between lexer and parser --------------------------------------------------------- */

typedef enum lexeme_kind {
    LEX_WORD,
    LEX_PHRASE,
    LEX_FILTER,
    LEX_OPEN,
    LEX_CLOSE,
    LEX_AND,
    LEX_OR,
    LEX_NOT
} lexeme_kind;

typedef struct lexeme {
    lexeme_kind kind;
    query_sign sign;
    bool title, near;
    bool operand; /* an operand can start here (parser)                             */
    uint32_t slop;
    double boost;
    uint32_t at;         /* of the whole lexeme, for notes                                 */
    uint32_t start, end; /* of what is analysed                                           */
    uint32_t first_token, n_tokens;
    const query_filter *filter;
} lexeme;

typedef struct lex_token {
    const form *form; /* of the analyzer, valid while the query is parsed               */
    bool marked;
} lex_token;

typedef struct lexemes {
    lexeme *items; /* arena                                                          */
    uint32_t n;
    lex_token *tokens; /* arena                                                          */
    uint32_t n_tokens;
} lexemes;

/* Cut text into lexemes and analyse their words in one pass over the whole text, so that the
 * rule for acronyms in all-capitals text sees the query as one line. */
pm_status query_lex(lexemes *out, query *q, arena *a, analyzer *words, const char *text,
                    uint32_t len, pm_error *err);
/* The filter that a query, or an option, names; PM_USAGE (and *out NULL) when the value does not
 * fit the field. */
pm_status query_filter_make(arena *a, pm_filter_field field, const char *value, size_t len,
                            const query_filter **out, pm_error *err);
/* Field of a name with its colon at the start of text, in any case: length of the name, 0 none. */
uint32_t query_filter_name(const char *text, uint32_t len, pm_filter_field *field);
/* Remember a note once; repeats of the same text are dropped. */
void query_add_note(query *q, uint32_t at, bool lenient, const char *fmt, ...) PM_PRINTF(4, 5);

/* ---- tree ------------------------------------------------------------------------------- */

query_node *query_node_make(arena *a, query_kind kind);
void query_node_append(query_node *parent, query_node *child);
/* What stands for a finished group: NULL when empty, its only child instead of a group of
 * one, signs and boosts multiplied together. */
query_node *query_node_collapse(query_node *group);
/* Give a finished item its sign: two negations cancel. */
void query_node_sign(query_node *node, query_sign sign);
/* Number the leaves and set `positive`, bottom up. */
void query_node_finish(query *q, query_node *node);

#endif
