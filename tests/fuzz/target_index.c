/* SPDX-License-Identifier: MIT
 * target_index.c - fuzz targets that need an index: any text, indexed and asked any query, to its
 * snippet; any tombstone file, beside a segment that is sound.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/crc32c.h"
#include "common/base/mem.h"
#include "common/segment/snapshot.h"
#include "common/text/analyzer.h"
#include "tests/fuzz/targets.h"
#include "tests/support/folder.h"

static char folder[FOLDER_PATH];

static void remove_folder(void)
{
    folder_remove(folder);
}

static void make_folder(void)
{
    if (*folder) return;
    snprintf(folder, sizeof folder, "/dev/shm/pressmark-fuzz-XXXXXX");
    if (getenv("TMPDIR") || !mkdtemp(folder)) folder_make(folder);
    atexit(remove_folder);
}

static void put(pm_writer *writer, const char *id, const char *title, pm_text text)
{
    pm_article a = {.id = {id, strlen(id)}, .title = {title, strlen(title)}, .text = text};
    fuzz_must(pm_writer_add(writer, &a, NULL, NULL) == PM_OK);
}

static pm_writer *begin(void)
{
    pm_writer *writer;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.threads = 1;
    options.commit_level = 2;
    options.memory_bytes = 8u << 20;
    options.block_size = 8;
    folder_empty(folder);
    fuzz_must(pm_writer_open(folder, &options, &writer, NULL) == PM_OK);
    return writer;
}

/* ---- snippets ------------------------------------------------------------------------- */

/* Clean text of which every highlight is a part, in order. */
static void check_snippet(const pm_hit *hit)
{
    const char *s = hit->snippet.data;
    fuzz_must(utf8_valid_prefix(s, hit->snippet.len) == hit->snippet.len);
    for (size_t i = 0; i < hit->snippet.len; i++) fuzz_must((unsigned char)s[i] >= ' ');
    uint32_t last = 0;
    for (size_t i = 0; i < hit->n_highlights; i++) {
        const pm_highlight *h = &hit->highlights[i];
        fuzz_must(h->start >= last && h->start < h->end && h->end <= hit->snippet.len);
        fuzz_must(utf8_valid_prefix(s, h->start) == h->start);
        fuzz_must(utf8_valid_prefix(s, h->end) == h->end);
        last = h->end;
    }
}

static void search(pm_searcher *searcher, const char *query, size_t len, pm_match match)
{
    const pm_result *result;
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    options.match = match;
    options.want_explain = true;
    options.snippet_bytes = 20 + (unsigned)len % 300;
    pm_status st = pm_searcher_search(searcher, query, len, &options, &result, NULL);
    fuzz_must(st == PM_OK);
    fuzz_must(result->n_hits <= 2 && result->total == result->n_hits);
    for (size_t i = 0; i < result->n_hits; i++) check_snippet(&result->hits[i]);
}

/* The first line is the query, the rest the article. */
void fuzz_snippet(const uint8_t *data, size_t len)
{
    const char *query = (const char *)data;
    const char *newline = len ? memchr(data, '\n', len) : NULL;
    size_t query_len = newline ? (size_t)(newline - query) : len;
    pm_text text = {newline ? newline + 1 : query, newline ? len - query_len - 1 : len};
    pm_index *index;
    pm_searcher *searcher;
    make_folder();
    pm_writer *writer = begin();
    put(writer, "a", "", text);
    put(writer, "b", "the title", (pm_text){"tik tok and e-mail by U.S. post", 31});
    fuzz_must(pm_writer_commit(writer, NULL, NULL) == PM_OK);
    pm_writer_close(writer);
    fuzz_must(pm_check(folder, true, NULL, NULL, NULL, NULL) == PM_OK);
    fuzz_must(pm_index_open(folder, &index, NULL) == PM_OK);
    fuzz_must(pm_searcher_open(index, &searcher, NULL) == PM_OK);
    search(searcher, query, query_len, PM_MATCH_AUTO);
    search(searcher, query, query_len, PM_MATCH_ANY);
    pm_searcher_close(searcher);
    pm_index_close(index);
}

/* ---- tombstones ------------------------------------------------------------------------- */

enum { DOCS = 40 };

/* What was opened keeps its own rules. */
static void ask_tombstones(const tombstones *t, const segment *s)
{
    uint32_t dead = 0, df;
    uint64_t cf;
    for (uint32_t doc = 0; doc < 2 * DOCS; doc++) dead += tombstones_has(t, doc);
    fuzz_must(dead == t->n_deleted && t->n_docs == s->info.n_docs);
    for (uint32_t term = 0; term < s->info.n_terms + 2; term++) {
        tombstones_correction(t, term, &df, &cf);
        fuzz_must(df <= dead && cf >= df && (cf == 0) == (df == 0));
    }
}

void fuzz_tombstones(const uint8_t *data, size_t len)
{
    static snapshot *sound;
    tombstones t;
    make_folder();
    if (!sound) {
        pm_writer *writer = begin();
        for (unsigned i = 0; i < DOCS; i++) {
            char id[16], text[64];
            snprintf(id, sizeof id, "d%u", i);
            int n = snprintf(text, sizeof text, "t%u t%u t1 T.%u.", i % 9, i % 5, i % 3);
            put(writer, id, "t1 t2", (pm_text){text, (size_t)n});
        }
        fuzz_must(pm_writer_commit(writer, NULL, NULL) == PM_OK);
        pm_writer_close(writer);
        fuzz_must(snapshot_open(&sound, folder, NULL) == PM_OK);
    }
    segment *s = sound->segments[0].seg;
    uint8_t *copy = malloc(len + 1);
    fuzz_must(copy != NULL);
    if (len) memcpy(copy, data, len);
    uint32_t crc = 0;
    if (len >= 64) { /* of this segment, and with a right sum                              */
        memcpy(copy + 16, s->info.uuid, 16);
        crc = crc32c(0, copy, len - 4);
        store_u32(copy + len - 4, crc);
    }
    folder_write(folder, "t.del", copy, len);
    pm_status st = tombstones_open(&t, &sound->folder, "t.del", s, len, crc, NULL);
    fuzz_must(st == PM_OK || st == PM_CORRUPT);
    if (st == PM_OK) {
        ask_tombstones(&t, s);
        tombstones_close(&t);
    }
    free(copy);
}
