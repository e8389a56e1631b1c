/* SPDX-License-Identifier: MIT
 *
 * probe.c - see probe.h.
 */
#include "tests/support/probe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char probe_article_id[] = "003_49c9dfdcf3ca4ea9.txt";

static const char *const queries[PROBE_QUERIES] = {
    "rare earth export controls",
    "Xi Jinping",
    "\"rare earth\"",
    "\"trade talks\"~5",
    "title:Trump",
    "+china -tiktok",
    "(tariffs OR minerals) AND NOT apec",
    "U.S.",
    "the",
    "the of to and in a",
    "tik tok",
    "nosuchword zymurgy",
    "trump china date:2025-10..",
    "trump -before:2025-10 lang:en OR (tariffs source:nowhere)",
};

const char *probe_name(unsigned which)
{
    if (which < PROBE_QUERIES) return queries[which];
    return which == PROBE_ARTICLE ? "article" : which == PROBE_STATS ? "stats" : "dump";
}

/* ---- transcripts ---------------------------------------------------------------------- */

/* What does not fit is cut: no sound answer comes near the size. */
static void put_bytes(transcript *t, const char *data, size_t len)
{
    if (len > sizeof t->data - t->len) len = sizeof t->data - t->len;
    memcpy(t->data + t->len, data, len);
    t->len += len;
}

static void put(transcript *t, const char *fmt, ...) PM_PRINTF(2, 3);
static void put(transcript *t, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    put_bytes(t, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

/* With its length, so that two texts never run together. */
static void put_text(transcript *t, const char *name, pm_text text)
{
    put(t, "%s %zu ", name, text.len);
    if (text.len) put_bytes(t, text.data, text.len);
    put(t, "\n");
}

static void put_explain(transcript *t, const pm_explain *part)
{
    put_text(t, "term", part->term);
    put(t, "tf %" PRIu64 " df %" PRIu64 " idf %a norm %a weight %a contribution %a\n", part->tf,
        part->df, part->idf, part->norm, part->weight, part->contribution);
}

static void put_hit(transcript *t, const pm_hit *hit)
{
    uint64_t bits;
    memcpy(&bits, &hit->score, sizeof bits);
    put(t, "hit %" PRIu64 " score %016" PRIx64 " dl %" PRIu64 " all %d\n", hit->rank, bits, hit->dl,
        hit->in_all);
    put_text(t, "id", hit->id);
    put_text(t, "title", hit->title);
    put_text(t, "date", hit->date);
    put_text(t, "source", hit->source);
    put_text(t, "url", hit->url);
    put_text(t, "snippet", hit->snippet);
    for (size_t i = 0; i < hit->n_highlights; i++)
        put(t, "highlight %" PRIu32 " %" PRIu32 "\n", hit->highlights[i].start,
            hit->highlights[i].end);
    for (size_t i = 0; i < hit->n_explain; i++) put_explain(t, &hit->explain[i]);
}

static void put_result(transcript *t, const pm_result *result)
{
    put_text(t, "interpreted", result->interpreted);
    put(t, "total %" PRIu64 " all %" PRIu64 " exact %d docs %" PRIu64 "\n", result->total,
        result->total_all, result->total_is_exact, result->n_docs);
    for (size_t i = 0; i < result->n_hits; i++) put_hit(t, &result->hits[i]);
}

static void put_article(transcript *t, const pm_article *a)
{
    if (!a) {
        put(t, "no such article\n");
        return;
    }
    put_text(t, "id", a->id);
    put_text(t, "title", a->title);
    put_text(t, "text", a->text);
    put_text(t, "date", a->date);
    put_text(t, "source", a->source);
    put_text(t, "url", a->url);
    put_text(t, "author", a->author);
    put_text(t, "tags", a->tags);
    put_text(t, "lang", a->lang);
    put_text(t, "extra", a->extra);
}

static void put_stats(transcript *t, const pm_stats *s)
{
    put(t, "documents %" PRIu64 " deleted %" PRIu64 " terms %" PRIu64 " postings %" PRIu64 "\n",
        s->documents, s->deleted, s->terms, s->postings);
    put(t, "positions %" PRIu64 " tokens %" PRIu64 " bytes %" PRIu64 " generation %" PRIu64 "\n",
        s->positions, s->tokens, s->index_bytes, s->generation);
    put(t, "segments %u positions %d text %d %s %s %s\n", s->segments, s->has_positions,
        s->has_text, s->engine, s->analyzer, s->lang);
}

bool transcript_equal(const transcript *a, const transcript *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* ---- asking --------------------------------------------------------------------------- */

static bool write_dump(void *ctx, const char *data, size_t len)
{
    put_bytes(ctx, data, len);
    return true;
}

static pm_status ask_query(const char *query, pm_searcher *searcher, transcript *out, pm_error *err)
{
    const pm_result *result = NULL;
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    options.want_explain = true;
    pm_status st = pm_searcher_search(searcher, query, strlen(query), &options, &result, err);
    if (st == PM_OK) put_result(out, result);
    return st;
}

pm_status probe_ask(unsigned which, pm_index *index, pm_searcher *searcher, transcript *out,
                    pm_error *err)
{
    pm_status st = PM_OK;
    if (which < PROBE_QUERIES) return ask_query(queries[which], searcher, out, err);
    if (which == PROBE_ARTICLE) {
        pm_article *article = NULL;
        st = pm_index_article(index, probe_article_id, strlen(probe_article_id), &article, err);
        if (st == PM_OK) put_article(out, article);
        pm_article_free(article);
    } else if (which == PROBE_STATS) {
        pm_stats stats;
        st = pm_index_stats(index, &stats, err);
        if (st == PM_OK) put_stats(out, &stats);
    } else {
        st = pm_index_dump(index, write_dump, out, err);
    }
    return st;
}

pm_status probe_all(const char *path, transcript *out, pm_error *err)
{
    pm_index *index = NULL;
    pm_searcher *searcher = NULL;
    out->len = 0;
    pm_status st = pm_index_open(path, &index, err);
    if (st == PM_OK) st = pm_searcher_open(index, &searcher, err);
    for (unsigned which = 0; st == PM_OK && which < PROBE_COUNT; which++)
        st = probe_ask(which, index, searcher, out, err);
    pm_searcher_close(searcher);
    pm_index_close(index);
    return st;
}

/* ---- building ------------------------------------------------------------------------- */

static void must(pm_status st, const pm_error *err)
{
    if (st == PM_OK) return;
    fprintf(stderr, "broken test: %s: %s\n", pm_status_name(st), err->message);
    abort();
}

static pm_writer *open_writer(const char *path)
{
    pm_error err = {.status = PM_OK};
    pm_writer *writer = NULL;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.threads = 1;
    options.commit_level = 2;
    must(pm_writer_open(path, &options, &writer, &err), &err);
    return writer;
}

void probe_build(const char *path)
{
    static const char *const articles[] = {"corpus/articles"};
    pm_error err = {.status = PM_OK};
    pm_ingest_summary summary;
    pm_ingest_options options = PM_INGEST_OPTIONS_INIT;
    pm_writer *writer = open_writer(path);
    must(pm_ingest(writer, articles, 1, &options, &summary, &err), &err);
    must(pm_writer_commit(writer, NULL, &err), &err);
    pm_writer_close(writer);
    if (summary.added == 5) return;
    fprintf(stderr, "broken test: %" PRIu64 " articles in corpus/articles\n", summary.added);
    abort();
}

/* Windows of one long text, each a few hundred bytes further on. */
void probe_build_more(const char *path, unsigned n)
{
    enum { WINDOW = 2000, STEP = 211 };
    pm_error err = {.status = PM_OK};
    pm_index *index = NULL;
    pm_article *base = NULL;
    must(pm_index_open(path, &index, &err), &err);
    must(pm_index_article(index, probe_article_id, sizeof probe_article_id - 1, &base, &err), &err);
    pm_writer *writer = open_writer(path);
    for (unsigned i = 0; i < n; i++) {
        char id[32], text[WINDOW + 1];
        size_t len = 0;
        for (size_t at = (size_t)i * STEP; len < WINDOW; at++)
            text[len++] = base->text.data[at * (i % 7 + 1) % base->text.len];
        snprintf(id, sizeof id, "more-%u", i);
        pm_article article = {.id = {id, strlen(id)}, .title = base->title, .text = {text, len}};
        must(pm_writer_add(writer, &article, NULL, &err), &err);
    }
    must(pm_writer_optimize(writer, NULL, &err), &err);
    pm_writer_close(writer);
    pm_article_free(base);
    pm_index_close(index);
}

void probe_change(const char *path)
{
    static const char gone[] = "001_afc5136b0c11356f.txt", again[] = "000_320026c88f27f486.txt",
                      title[] = "Trump and Xi agree on rare earth exports",
                      text[] = "Trade talks in South Korea ended with a deal on rare earth export "
                               "controls, the U.S. said. TikTok was not mentioned.";
    pm_error err = {.status = PM_OK};
    bool found = false;
    pm_article article = {.id = {again, sizeof again - 1},
                          .title = {title, sizeof title - 1},
                          .text = {text, sizeof text - 1}};
    pm_writer *writer = open_writer(path);
    must(pm_writer_delete(writer, gone, sizeof gone - 1, &found, &err), &err);
    must(pm_writer_add(writer, &article, NULL, &err), &err);
    must(pm_writer_commit(writer, NULL, &err), &err);
    pm_writer_close(writer);
    if (found) return;
    fprintf(stderr, "broken test: %s is not in the index\n", gone);
    abort();
}
