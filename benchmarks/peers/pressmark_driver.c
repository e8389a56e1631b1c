/* SPDX-License-Identifier: MIT
 *
 * pressmark_driver.c - pressmark on the protocol of the comparison, by its public header.
 *
 *   pressmark_driver index DIR CORPUS FORM    the original JSON Lines, one thread, one segment
 *   pressmark_driver search DIR               peer_protocol.h on standard input and output
 *
 * Why this way: pressmark reads what its users give it.  Its indexing time contains parsing
 * of JSON and analysis, which the peers are spared; queries come as people write them, and
 * the parse, which the library times itself, is taken off.  Hits are document numbers, as the
 * peers' are.  Joined forms are off, since no peer has them: the match sets must be equal.
 * FORM is that of peer_corpus.h: text is stored with `stored` alone, and `terms` and `text`
 * are the same, since there is no way past the analyzer.
 */
#include "peer_corpus.h"
#include "peer_protocol.h"
#include "pressmark.h"

static int fail(const pm_error *err)
{
    fprintf(stderr, "pressmark_driver: %s\n", err->message);
    return 1;
}

static bool warn_event(void *ctx, const pm_ingest_event *event)
{
    (void)ctx;
    if (event->kind == PM_INGEST_SKIPPED || event->kind == PM_INGEST_DUPLICATE)
        fprintf(stderr, "pressmark_driver: %.*s line %llu: %s\n", (int)event->path.len,
                event->path.data, (unsigned long long)event->line,
                event->reason != NULL ? event->reason : "");
    return true;
}

/* Everything of the corpus, committed, in one segment; finish_ns is the commit and the merge. */
static pm_status build(const char *dir, const char *corpus, bool store, uint64_t *finish_ns,
                       pm_error *err)
{
    pm_writer_options writing = PM_WRITER_OPTIONS_INIT;
    writing.threads = 1;
    writing.store = store;
    pm_ingest_options reading = PM_INGEST_OPTIONS_INIT;
    reading.format = PM_INPUT_JSONL;
    reading.event = warn_event;
    pm_ingest_summary summary;
    pm_commit_info info;
    pm_writer *writer = NULL;
    pm_status status = pm_writer_open(dir, &writing, &writer, err);
    if (status == PM_OK) status = pm_ingest(writer, &corpus, 1, &reading, &summary, err);
    uint64_t start = peer_now_ns();
    if (status == PM_OK || status == PM_PARTIAL) status = pm_writer_commit(writer, &info, err);
    pm_index *index = NULL;
    pm_stats stats;
    if (status == PM_OK) status = pm_index_open(dir, &index, err);
    if (status == PM_OK) status = pm_index_stats(index, &stats, err);
    pm_index_close(index);
    if (status == PM_OK && stats.segments > 1) status = pm_writer_optimize(writer, &info, err);
    *finish_ns = peer_now_ns() - start;
    pm_writer_close(writer);
    return status;
}

static int run_index(const char *dir, const char *corpus, bool store)
{
    pm_error err = {0};
    uint64_t finish_ns = 0;
    if (build(dir, corpus, store, &finish_ns, &err) != PM_OK) return fail(&err);
    pm_index *index = NULL;
    pm_stats stats;
    pm_status status = pm_index_open(dir, &index, &err);
    if (status == PM_OK) status = pm_index_stats(index, &stats, &err);
    pm_index_close(index);
    if (status != PM_OK) return fail(&err);
    printf("documents\t%llu\ntokens\t%llu\n", (unsigned long long)stats.documents,
           (unsigned long long)stats.tokens);
    printf("finish_seconds\t%.3f\n", (double)finish_ns / 1e9);
    printf("version\tpressmark %s\nanalysis\tenglish, and JSON\n", pm_version());
    return 0;
}

static bool answer_request(void *ctx, const peer_request *request, peer_answer *answer)
{
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    options.limit = request->k;
    options.match = PM_MATCH_ANY;
    options.want_total = request->count;
    options.want_ids = false; /* document numbers, as the others give                     */
    options.want_fields = options.want_snippets = options.joined = false;
    const pm_result *result = NULL;
    pm_error err = {0};
    size_t len = strlen(request->query);

    uint64_t start = peer_now_ns();
    pm_status status = pm_searcher_search(ctx, request->query, len, &options, &result, &err);
    uint64_t took_ns = peer_now_ns() - start;

    if (status != PM_OK || (request->count && !result->total_is_exact)) {
        fprintf(stderr, "pressmark_driver: %s: %s\n", request->query,
                status != PM_OK ? err.message : "the count is not exact");
        return false;
    }
    answer->count = request->count ? result->total : result->n_hits;
    answer->took_ns = took_ns > result->parse_ns ? took_ns - result->parse_ns : 0;
    return true;
}

static int run_search(const char *dir)
{
    pm_error err = {0};
    pm_index *index = NULL;
    pm_searcher *searcher = NULL;
    pm_status status = pm_index_open(dir, &index, &err);
    if (status == PM_OK) status = pm_searcher_open(index, &searcher, &err);
    int code = status == PM_OK ? peer_serve(answer_request, searcher) : fail(&err);
    pm_searcher_close(searcher);
    pm_index_close(index);
    return code;
}

int main(int argc, char **argv)
{
    peer_form form = argc == 5 ? peer_form_named(argv[4]) : PEER_NO_FORM;
    if (form != PEER_NO_FORM && strcmp(argv[1], "index") == 0)
        return run_index(argv[2], argv[3], form == PEER_STORED);
    if (argc == 3 && strcmp(argv[1], "search") == 0) return run_search(argv[2]);
    fprintf(stderr, "usage: pressmark_driver index DIR CORPUS terms|text|stored | search DIR\n");
    return 2;
}
