/* SPDX-License-Identifier: MIT
 * micro_json.c - what reading JSON Lines alone takes: the lines of a file to documents, as `index`
 * reads them on one thread, without anything being indexed.
 *
 *   micro_json FILE [ROUNDS]
 *
 * Prints one line, of the fastest of ROUNDS rounds (5): articles, MB of title and text (10^6 bytes,
 * after parsing), seconds, MB/s of that, MB/s of the file.  What is to be taken from the time of
 * `pressmark bench index --threads 1` for the share of JSON.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "indexer/json_lines.h"

typedef struct reading {
    uint64_t articles, text_bytes, file_bytes, ns;
} reading;

static pm_status read_lines(const char *path, reading *r, pm_error *err)
{
    pm_status st;
    input in = {.ahead_at = 0};
    json_lines lines = {.at = 0};
    json_line_text line = {.is_article = false};
    bool more = true;
    uint64_t begin = clock_ns();
    *r = (reading){.ns = 0};
    PM_TRY(input_open(&in, path, false, 0, err));
    PM_TRY(json_lines_begin(&lines, &in, NULL, err));
    for (;;) {
        PM_TRY(json_lines_next(&lines, &line, &more, err));
        if (!more) break;
        if (!line.is_article) continue;
        r->articles++;
        r->text_bytes += line.doc.article.title.len + line.doc.article.text.len;
    }
    r->file_bytes = in.bytes;
    r->ns = clock_ns() - begin;
out:
    document_free(&line.doc);
    json_lines_free(&lines);
    input_close(&in);
    return st;
}

int main(int argc, char **argv)
{
    pm_error err;
    reading best = {.ns = UINT64_MAX};
    int rounds = argc > 2 ? atoi(argv[2]) : 5;
    if (argc < 2 || argc > 3 || rounds < 1) {
        fputs("usage: micro_json FILE [ROUNDS]\n", stderr);
        return 2;
    }
    for (int i = 0; i < rounds; i++) {
        reading r;
        if (read_lines(argv[1], &r, &err) != PM_OK) {
            fprintf(stderr, "micro_json: %s\n", err.message);
            return 5;
        }
        if (r.ns < best.ns) best = r;
    }
    double seconds = (double)best.ns * 1e-9, mb = (double)best.text_bytes * 1e-6;
    printf("%llu articles, %.1f MB of text, %.3f s: %.0f MB/s, of the file %.0f\n",
           (unsigned long long)best.articles, mb, seconds, mb / seconds,
           (double)best.file_bytes * 1e-6 / seconds);
    return 0;
}
