/* SPDX-License-Identifier: MIT
 * analyzer.h - characters to tokens: the one analysis that indexing and searching share.
 *
 *   text (UTF-8 bytes) --> words (tokenizer.c) --> forms, cached (forms.c) --> tokens
 *
 * A *surface form* is a word as written, apostrophes removed, 's dropped.  Everything that
 * depends on the word alone (folding, stem, marker spelling) is computed once for each
 * distinct surface form and kept in the analyzer's form table, so that libstemmer is called
 * for about one token in a hundred.
 *
 * The profile string names everything that decides terms; an index stores it, and a reader
 * with another profile refuses the index.  Rules: README.md of this folder;
 * tests/tables/analyzer.txt.
 */
#ifndef PM_TEXT_ANALYZER_H
#define PM_TEXT_ANALYZER_H

#include "common/base/bytes.h"
#include "common/base/error.h"

enum {
    TERM_MAX_BYTES = 255,      /* longer words are cut at a character boundary, counted     */
    ANALYZER_WORD_FORMS = 256, /* forms of a word at most                                   */
};

/* One distinct surface form.  All strings live until analyzer_reset_forms or close.  Equal
 * spellings are kept once: exact == folded when their bytes are.  Unique by (exact, marker): `eg`
 * and `e.g.` are two forms of one exact spelling, because only the second can carry a marker. */
typedef struct form {
    uint32_t id; /* dense from 0, in order of first appearance               */
    uint16_t exact_len, folded_len, stem_len, marker_len;
    const char *exact;  /* as written (NFC), case and marks kept: what =Exact matches */
    const char *folded; /* folded, not stemmed: what word*, wo?d and word~ match    */
    const char *stem;   /* the index term                                           */
    const char *marker; /* acronym spelling in capitals ("US"), len 0 if the form can
                           never carry one                                          */
} form;

typedef struct token {
    const form *form;
    uint32_t form_id;    /* form->id, without a look at the form                     */
    bool marked;         /* this occurrence carries form->marker                     */
    uint32_t position;   /* 0, 1, 2, ... within the text                              */
    uint32_t start, end; /* byte span in the text, end exclusive: what to highlight  */
} token;

#define ANALYZER_MARKED 0x80000000u /* beside a form's id; there are never so many forms */

typedef struct analyzer analyzer;

/* lang: a libstemmer name or code ("en", "english", "de", ...) or "none".  PM_USAGE names the
 * known ones.  Not thread-safe; one for each thread. */
pm_status analyzer_open(analyzer **out, const char *lang, pm_error *err);
void analyzer_close(analyzer *a);

/* e.g. "pressmark-1 nfkc-cf unicode-15.0.0 snowball-english-1a2b3c4d" (the last part is a
 * fingerprint of the stemmer's output): static for the analyzer's life. */
const char *analyzer_profile(const analyzer *a);
/* Canonical language name ("english", "none"). */
const char *analyzer_lang(const analyzer *a);

/* Begin a text (borrowed until the last analyzer_next).  At most UINT32_MAX bytes.
 * `query`: the text is a query, where a short all-capitals text still carries markers. */
void analyzer_begin(analyzer *a, const char *text, size_t len, bool query);
/* The next token; false at the end or when memory was refused (analyzer_failed). */
bool analyzer_next(analyzer *a, token *out);
/* As many tokens as analyzer_next would give, n at most, and the same: 0 where it would say false.
 */
size_t analyzer_fill(analyzer *a, token *out, size_t n);
/* The same without spans, for who needs no more: form ids, and ANALYZER_MARKED where the
 * occurrence carries its form's marker. */
size_t analyzer_fill_ids(analyzer *a, uint32_t *out, size_t n);
bool analyzer_failed(const analyzer *a);

/* Words that were cut to TERM_MAX_BYTES and invalid UTF-8 sequences met since open. */
uint64_t analyzer_cut_words(const analyzer *a);
uint64_t analyzer_repaired(const analyzer *a);

/* The form of one word, outside any text (query-time joins and splits: `a` + `b`).  `word` is
 * analysed as a text of its own, and a text under way is not disturbed; NULL when it is not
 * exactly one token, longer than 1024 bytes, or memory is short (analyzer_failed tells). */
const form *analyzer_form(analyzer *a, const char *word, size_t len);

/* Number of distinct forms, and the form with an id < count. */
uint32_t analyzer_form_count(const analyzer *a);
const form *analyzer_form_at(const analyzer *a, uint32_t id);
/* All of them, by id, until the next is made; the forms themselves stay until they are forgotten,
 * and none is ever changed. */
const form *const *analyzer_forms(const analyzer *a);
/* Bytes held by the form table; and forget all forms (ids start again from 0). */
size_t analyzer_memory(const analyzer *a);
void analyzer_reset_forms(analyzer *a);
/* Give back memory that was made ready for forms to come; when they come it takes longer. */
void analyzer_trim(analyzer *a);

/* ---- two threads ---------------------------------------------------------------------------
 *
 * A follower finds words in texts and looks them up in the forms of another analyzer, its leader,
 * on a thread of its own and while the leader goes on with other texts.  It makes no forms: what
 * the leader does not know yet it says, and the leader looks for that when the text's turn comes.
 */

/* A word whose forms a follower did not find. */
typedef struct analyzer_word {
    uint32_t at;         /* among the tokens found so far: where its own are to be            */
    uint32_t start, end; /* byte span                                                         */
    bool dotted;         /* an acronym with its points                                        */
} analyzer_word;

/* Leader's thread; one follower at a time, closed by analyzer_close before its leader is. */
pm_status analyzer_follow(analyzer **out, analyzer *leader, pm_error *err);
/* Follower's thread: before texts are begun, and after them.  In between the leader's forms cannot
 * be forgotten: it waits.  Returns the epoch of the ids found; 0: there is nothing to be looked at.
 */
uint32_t analyzer_follow_enter(analyzer *a);
void analyzer_follow_leave(analyzer *a);
/* As analyzer_fill_ids, of known words, and *n_words words that are not known, n together at most;
 * 0 of both at the end.  `at` of words counts from `done`. */
size_t analyzer_fill_known(analyzer *a, uint32_t *out, size_t n, uint32_t done,
                           analyzer_word *words, size_t *n_words);
/* Leader: the epoch, which is another one after analyzer_reset_forms. */
uint32_t analyzer_epoch(const analyzer *a);
/* Leader, of the text begun, words in order: the ids of a word as analyzer_fill_ids gives them, to
 * out[ANALYZER_WORD_FORMS]; returns how many, 0 also when memory was refused (analyzer_failed). */
size_t analyzer_word_ids(analyzer *a, const analyzer_word *word, uint32_t *out);
/* Ask for what that will look at. */
void analyzer_word_soon(const analyzer *a, const analyzer_word *word);

/* utf8.c: copy text with each invalid UTF-8 sequence (maximal subpart, Unicode 3.9 table
 * 3-7) replaced by U+FFFD and NUL bytes by U+FFFD; returns the number of repairs. */
size_t utf8_repair(buf *out, const char *text, size_t len);
/* Length of the longest valid prefix (NUL counts as valid). */
size_t utf8_valid_prefix(const char *text, size_t len);
/* Decode the character at text[*at] (at < len), advance *at by at least 1; U+FFFD for an
 * invalid sequence. */
uint32_t utf8_next(const char *text, size_t len, size_t *at);
/* Encode; returns 1..4. */
unsigned utf8_put(char out[4], uint32_t codepoint);

#endif
