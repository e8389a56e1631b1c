/* SPDX-License-Identifier: MIT
 * peer_pressmark.c - pressmark as one of the peers, through its public header, default options.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "pressmark.h"

static void *writer_open(const char *folder, char why[PEER_WHY])
{
    pm_error err;
    pm_writer *writer = NULL;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    if (pm_writer_open(folder, &options, &writer, &err) != PM_OK) peer_explain(why, err.message);
    return writer;
}

static bool put(void *writer, unsigned number, const char *text, char why[PEER_WHY])
{
    pm_error err;
    char id[16];
    int len = snprintf(id, sizeof id, "%u", number);
    pm_article article = {.id = {id, (size_t)len}, .text = {text, strlen(text)}};
    if (pm_writer_add(writer, &article, NULL, &err) == PM_OK) return true;
    peer_explain(why, err.message);
    return false;
}

static bool commit(void *writer, char why[PEER_WHY])
{
    pm_error err;
    if (pm_writer_commit(writer, NULL, &err) == PM_OK) return true;
    peer_explain(why, err.message);
    return false;
}

static void writer_close(void *writer)
{
    pm_writer_close(writer);
}

typedef struct reader {
    pm_index *index;
    pm_searcher *searcher;
} reader;

static void reader_close(void *any)
{
    reader *r = any;
    pm_searcher_close(r->searcher);
    pm_index_close(r->index);
    free(r);
}

static void *reader_open(const char *folder, char why[PEER_WHY])
{
    pm_error err = {.status = PM_NOMEM};
    reader *r = calloc(1, sizeof *r);
    if (r && pm_index_open(folder, &r->index, &err) == PM_OK &&
        pm_searcher_open(r->index, &r->searcher, &err) == PM_OK)
        return r;
    peer_explain(why, err.message);
    if (r) reader_close(r);
    return NULL;
}

static pm_status read_hit(reader *r, const pm_hit *from, peer_hit *hit, pm_error *err)
{
    pm_article *article = NULL;
    pm_status st = pm_index_article(r->index, from->id.data, from->id.len, &article, err);
    if (st != PM_OK) return st;
    hit->number = (unsigned)strtoul(from->id.data, NULL, 10);
    hit->score = from->score;
    hit->text = article ? peer_sum(article->text.data, article->text.len) : 0;
    pm_article_free(article);
    return PM_OK;
}

static bool search(void *any, const char *words, peer_hits *out, char why[PEER_WHY])
{
    reader *r = any;
    pm_error err;
    const pm_result *result = NULL;
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    options.match = PM_MATCH_ALL;
    options.limit = PEER_HITS;
    options.want_snippets = false;
    out->n = 0;
    pm_status st = pm_searcher_search(r->searcher, words, strlen(words), &options, &result, &err);
    for (size_t i = 0; st == PM_OK && i < result->n_hits; i++)
        st = read_hit(r, &result->hits[i], &out->hits[out->n++], &err);
    if (st != PM_OK) peer_explain(why, err.message);
    return st == PM_OK;
}

const peer peer_pressmark = {"pressmark",  "",          writer_open, put,         commit,
                             writer_close, reader_open, search,      reader_close};
