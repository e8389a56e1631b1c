/* SPDX-License-Identifier: MIT
 * paragraphs.c - a collection of long articles as one of short ones: each line of an article's
 * text that is not blank becomes an article of its own.
 *
 *   paragraphs < articles.jsonl > paragraphs.jsonl
 *
 * JSON Lines in and out.  The id of a paragraph is the article's, '#' and its line from 0;
 * title, date and all else are left out, so that lists are of the text alone.  A line that is
 * no object with a string `text` (or `body`) is an error: a measured collection has no holes.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool put_paragraph(const char *id, unsigned line, const char *text, size_t len)
{
    json_t *object =
        json_pack("{s:o, s:s%}", "id", json_sprintf("%s#%u", id, line), "text", text, len);
    bool good = object && json_dumpf(object, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF;
    json_decref(object);
    return good;
}

static size_t trim(const char **text, size_t len)
{
    while (len && strchr(" \t\r", **text)) (*text)++, len--;
    while (len && strchr(" \t\r", (*text)[len - 1])) len--;
    return len;
}

static bool put_article(const json_t *article, const char *fallback_id)
{
    const json_t *text = json_object_get(article, "text");
    if (!text) text = json_object_get(article, "body");
    const char *id = json_string_value(json_object_get(article, "id"));
    const char *at = json_string_value(text), *end = at ? at + json_string_length(text) : NULL;
    if (!at) return false;
    for (unsigned line = 0; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        size_t len = trim(&at, (size_t)(stop - at));
        if (len && !put_paragraph(id ? id : fallback_id, line, at, len)) return false;
        at = stop + 1;
    }
    return true;
}

int main(void)
{
    char *line = NULL, id[32];
    size_t cap = 0;
    ssize_t len;
    for (unsigned long n = 1; (len = getline(&line, &cap, stdin)) >= 0; n++) {
        json_error_t error;
        json_t *article = json_loadb(line, (size_t)len, 0, &error);
        snprintf(id, sizeof id, "%lu", n);
        if (!article || !put_article(article, id)) {
            fprintf(stderr, "paragraphs: line %lu: %s\n", n,
                    article ? "no text, or it cannot be written" : error.text);
            return 1;
        }
        json_decref(article);
    }
    free(line);
    return ferror(stdin) || fflush(stdout) != 0;
}
