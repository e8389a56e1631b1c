/* SPDX-License-Identifier: MIT
 *
 * analyze.c - the neutral form of a corpus and of a query file, for engines other than ours.
 *
 *   analyze corpus CORPUS.jsonl[.gz] TERMS TEXTS     a document a line: peer_corpus.h
 *   analyze queries QUERIES OUT                      class TAB query as written TAB in terms
 *
 * Why this way: every engine must see the same terms, so pressmark's analyzer makes them
 * once, through the public header, for documents and queries alike; spellings of acronyms
 * after '|' are dropped.  A word of a query that gives several terms becomes as many clauses
 * of the same sign; a phrase stays one.  Terms longer than TERM_BYTES are cut (Xapian takes
 * no more).  Queries are JSON Lines {"query":..,"tags":[class,..]} or plain lines, whose
 * class is read off their form.  Prints documents, bytes of title and text, and terms.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "pressmark.h"

enum { TERM_BYTES = 240 };

typedef struct totals {
    unsigned long long records, bytes, terms, cut;
} totals;

static pm_analyzer *analyzer;
static FILE *out;
static FILE *plain; /* the documents as written; with a corpus alone */
static totals sums;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "analyze: %s: %s\n", what, why);
    exit(1);
}

/* ---- lines, plain or gzip ------------------------------------------------------------------- */

static char *line;
static size_t line_capacity;

static void line_grow(void)
{
    line_capacity = line_capacity == 0 ? 1 << 16 : line_capacity * 2;
    line = realloc(line, line_capacity);
    if (line == NULL) die("line", "out of memory");
}

/* The next line into `line`, without its end; false at the end of the file. */
static bool line_next(gzFile in)
{
    size_t len = 0;
    for (;;) {
        if (line_capacity - len < 2) line_grow();
        if (gzgets(in, line + len, (int)(line_capacity - len)) == NULL) break;
        len += strlen(line + len);
        if (len > 0 && line[len - 1] == '\n') break;
    }
    if (len == 0) return false;
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

/* ---- terms ------------------------------------------------------------------------------- */

/* Write the terms of a text, each after `sign`, separated by spaces; terms are NUL-terminated.
 * Gives their number. */
static size_t write_terms(const char *text, size_t len, const char *sign)
{
    pm_error err = {0};
    pm_text terms;
    if (pm_analyzer_terms(analyzer, text, len, &terms, &err) != PM_OK) die("terms", err.message);
    size_t n = 0;
    for (size_t at = 0; at < terms.len; n++) {
        const char *term = terms.data + at;
        size_t whole = strcspn(term, " "), bare = strcspn(term, " |");
        if (bare > TERM_BYTES) {
            bare = TERM_BYTES;
            while ((term[bare] & 0xC0) == 0x80) bare--;
            sums.cut++;
        }
        fprintf(out, "%s%s%.*s", n > 0 ? " " : "", sign, (int)bare, term);
        at += whole + 1;
    }
    sums.terms += n;
    return n;
}

/* ---- corpus ------------------------------------------------------------------------------- */

/* The first of the named keys that is a string (or, for ids, an integer). */
static pm_text field(const json_t *object, const char *const *names, char number[32])
{
    for (; *names != NULL; names++) {
        const json_t *value = json_object_get(object, *names);
        if (json_is_string(value))
            return (pm_text){json_string_value(value), json_string_length(value)};
        if (number == NULL || !json_is_integer(value)) continue;
        int len = snprintf(number, 32, "%lld", (long long)json_integer_value(value));
        return (pm_text){number, (size_t)len};
    }
    return (pm_text){"", 0};
}

/* A text as it is written, on one line and without tabs. */
static void write_plain(pm_text text, FILE *to)
{
    for (size_t i = 0; i < text.len; i++)
        putc(iscntrl((unsigned char)text.data[i]) ? ' ' : text.data[i], to);
}

static void write_document(const json_t *object)
{
    static const char *const ids[] = {"id", "_id", "docno", "url", NULL};
    static const char *const titles[] = {"title", NULL};
    static const char *const texts[] = {"text", "body", "contents", "content", NULL};
    char number[32];
    pm_text id = field(object, ids, number);
    pm_text title = field(object, titles, NULL), text = field(object, texts, NULL);
    write_plain(id, out);
    putc('\t', out);
    write_terms(title.data, title.len, "");
    putc('\t', out);
    write_terms(text.data, text.len, "");
    putc('\n', out);
    write_plain(id, plain);
    putc('\t', plain);
    write_plain(title, plain);
    putc('\t', plain);
    write_plain(text, plain);
    putc('\n', plain);
    sums.records++;
    sums.bytes += title.len + text.len;
}

/* ---- queries ------------------------------------------------------------------------------ */

static const char *class_of(const char *query)
{
    size_t words = 0, must = 0, must_not = 0, phrases = 0;
    for (const char *c = query; *c != '\0';) {
        must += *c == '+';
        must_not += *c == '-';
        if (*c == '+' || *c == '-') c++;
        words++;
        if (*c == '"') {
            phrases++;
            c++;
            c += strcspn(c, "\"");
            c += *c == '"';
        }
        c += strcspn(c, " ");
        c += strspn(c, " ");
    }
    if (must_not > 0) return "negated";
    if (words == 1) return phrases == 1 ? "phrase" : "term";
    if (must == words) return "intersection";
    return must > 0 ? "intersection_union" : "union";
}

static void write_query_terms(const char *query)
{
    bool first = true;
    for (const char *c = query + strspn(query, " "); *c != '\0'; c += strspn(c, " ")) {
        char sign[2] = {0};
        if (*c == '+' || *c == '-') sign[0] = *c++;
        if (!first) putc(' ', out);
        bool quoted = *c == '"';
        size_t len = strcspn(c + quoted, quoted ? "\"" : " ");
        if (quoted) fprintf(out, "%s\"", sign);
        if (write_terms(c + quoted, len, quoted ? "" : sign) == 0)
            die(query, "a clause without a word");
        if (quoted) putc('"', out);
        c += quoted + len;
        c += quoted && *c == '"';
        first = false;
    }
}

static void write_query(const char *query, const char *class)
{
    fprintf(out, "%s\t%s\t", class != NULL ? class : class_of(query), query);
    write_query_terms(query);
    putc('\n', out);
    sums.records++;
}

/* ---- records ------------------------------------------------------------------------------ */

static void take_line(bool corpus)
{
    if (!corpus && line[0] != '{') {
        write_query(line, NULL);
        return;
    }
    json_error_t error;
    json_t *object = json_loads(line, JSON_ALLOW_NUL, &error);
    if (!json_is_object(object)) die(line, error.text);
    if (corpus) {
        write_document(object);
    } else {
        const char *query = json_string_value(json_object_get(object, "query"));
        if (query == NULL) die(line, "no \"query\"");
        write_query(query, json_string_value(json_array_get(json_object_get(object, "tags"), 0)));
    }
    json_decref(object);
}

int main(int argc, char **argv)
{
    bool corpus = argc == 5 && strcmp(argv[1], "corpus") == 0;
    if (!corpus && (argc != 4 || strcmp(argv[1], "queries") != 0)) {
        fprintf(stderr, "usage: analyze corpus IN TERMS TEXTS | queries IN OUT\n");
        return 2;
    }
    pm_error err = {0};
    if (pm_analyzer_open("en", &analyzer, &err) != PM_OK) die("analyzer", err.message);
    gzFile in = gzopen(argv[2], "r");
    out = fopen(argv[3], "w");
    if (in == NULL) die(argv[2], "cannot be read");
    if (out == NULL) die(argv[3], "cannot be written");
    plain = corpus ? fopen(argv[4], "w") : NULL;
    if (corpus && plain == NULL) die(argv[4], "cannot be written");
    while (line_next(in))
        if (line[strspn(line, " ")] != '\0') take_line(corpus);
    bool read_whole = gzeof(in) != 0;
    gzclose(in);
    if (!read_whole) die(argv[2], "read failed");
    if (fclose(out) != 0) die(argv[3], "write failed");
    if (plain != NULL && fclose(plain) != 0) die(argv[4], "write failed");
    pm_analyzer_close(analyzer);
    free(line);
    printf("records\t%llu\nbytes\t%llu\nterms\t%llu\ncut\t%llu\n", sums.records, sums.bytes,
           sums.terms, sums.cut);
    return 0;
}
