/* SPDX-License-Identifier: MIT
 *
 * cmd_batch.c - pressmark batch: many queries, answered in their order on many threads.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/emit_hits.h"
#include "common/cli/engine.h"
#include "common/cli/filters.h"
#include "common/cli/queries.h"
#include "common/cli/stream.h"

enum { FORMAT_TREC, FORMAT_JSONL, FORMAT_TSV };
#define LIMIT_UNSET UINT32_MAX

typedef struct batch_options {
    const char *index, *run_tag, *timing, *topic_fields;
    uint64_t limit, threads;
    unsigned format, match;
    double k1, b;
    filter_options filters;
    engine_options engine;
} batch_options;

static const batch_options defaults = {
    .run_tag = "pressmark",
    .topic_fields = "title",
    .limit = LIMIT_UNSET,
    .match = PM_MATCH_ANY,
    .k1 = -1,
    .b = -1,
};

#define FIELD(name) offsetof(batch_options, name)
static const cli_option table[] = {
    CLI_OPTION_INDEX(batch_options),
    {.name = "limit",
     .letter = 'k',
     .kind = CLI_NUMBER,
     .arg = "N",
     .offset = FIELD(limit),
     .high = 1000000000,
     .help = "hits for each query (default: trec 1000, else 10)"},
    {.name = "format",
     .kind = CLI_CHOICE,
     .arg = "trec|jsonl|tsv",
     .offset = FIELD(format),
     .help = "trec: a run file; jsonl: one object for each query; tsv: qid, rank, id, score, "
             "title (default trec)"},
    {.name = "run-tag",
     .kind = CLI_TEXT,
     .arg = "TAG",
     .offset = FIELD(run_tag),
     .help = "last column of trec lines (default pressmark)"},
    {.name = "match",
     .kind = CLI_CHOICE,
     .arg = "auto|all|any",
     .offset = FIELD(match),
     .help = "as for search (default any)"},
    CLI_OPTIONS_FILTER(batch_options, filters),
    CLI_OPTIONS_ENGINE(batch_options, engine),
    {.name = "threads",
     .kind = CLI_NUMBER,
     .arg = "N",
     .offset = FIELD(threads),
     .high = 1024,
     .help = "threads (default 0: as many as processors); the output is the same"},
    {.name = "timing",
     .kind = CLI_TEXT,
     .arg = "FILE",
     .offset = FIELD(timing),
     .help = "write one JSON object for each query: qid, parse_us, took_us, total, hits"},
    {.name = "topic-fields",
     .kind = CLI_TEXT,
     .arg = "title|desc|narr",
     .offset = FIELD(topic_fields),
     .help = "parts of TREC topics to ask, joined by commas (default title)"},
    CLI_OPTIONS_BM25(batch_options),
};

enum { QID_SHOWN = 100 };

typedef struct batch {
    const batch_options *options;
    query_list queries;
    json_stream timing;
    int code; /* of the first query that failed                                          */
} batch;

static pm_search_options to_search(const batch_options *o)
{
    pm_search_options s = PM_SEARCH_OPTIONS_INIT;
    s.limit = o->limit != LIMIT_UNSET ? o->limit : o->format == FORMAT_TREC ? 1000 : 10;
    s.match = (pm_match)o->match;
    s.k1 = o->k1;
    s.b = o->b;
    s.want_total = o->format == FORMAT_JSONL || o->timing;
    s.want_fields = o->format != FORMAT_TREC;
    s.want_snippets = false;
    s.xapian_weights = o->engine.weight == 1;
    return s;
}

static json_t *hit_json(const pm_hit *hit)
{
    json_t *o = json_object();
    emit_json_set(&o, "rank", json_integer((json_int_t)hit->rank));
    emit_json_set(&o, "id", emit_json_text(hit->id.data, hit->id.len));
    emit_json_set(&o, "score", json_real(hit->score));
    emit_json_set(&o, "title", emit_json_text(hit->title.data, hit->title.len));
    return o;
}

static void emit_query_json(const pm_batch_query *q, const pm_result *result)
{
    json_t *o = json_object(), *hits = json_array();
    for (size_t i = 0; hits && i < result->n_hits; i++) {
        json_t *hit = hit_json(&result->hits[i]);
        if (!hit || json_array_append_new(hits, hit) != 0) {
            json_decref(hits);
            hits = NULL;
        }
    }
    emit_json_set(&o, "qid", emit_json_text(q->qid.data, q->qid.len));
    emit_json_set(&o, "query", emit_json_text(q->query.data, q->query.len));
    emit_json_set(&o, "total", emit_total_json(result));
    if (result->truncated) emit_json_set(&o, "truncated", json_true());
    emit_json_set(&o, "hits", hits);
    emit_json(o);
}

static void put_timing(batch *b, const pm_batch_query *q, const pm_result *result)
{
    json_t *o = json_object();
    emit_json_set(&o, "qid", emit_json_text(q->qid.data, q->qid.len));
    emit_json_set(&o, "parse_us", json_real((double)result->parse_ns / 1e3));
    emit_json_set(&o, "took_us", json_real((double)result->took_ns / 1e3));
    emit_json_set(&o, "total", json_integer((json_int_t)result->total));
    emit_json_set(&o, "hits", json_integer((json_int_t)result->n_hits));
    stream_put(&b->timing, o);
}

static bool each(void *ctx, size_t i, const pm_result *result, const pm_error *error)
{
    batch *b = ctx;
    const pm_batch_query *q = &b->queries.items[i];
    bool again = error && error->status == PM_PARTIAL && b->code == EXIT_PARTIAL; /* said before */
    if (error && error->status != PM_OK && !again) {
        int code = emit_error(error);
        if (b->code == EXIT_OK) b->code = code;
    }
    if (!result) return b->code == EXIT_OK || b->code == EXIT_PARTIAL;
    if (result->truncated)
        emit_warning("query %.*s is longer than can be asked, and was cut (64 KiB, 1,024 words)",
                     (int)(q->qid.len < QID_SHOWN ? q->qid.len : QID_SHOWN), q->qid.data);
    switch (b->options->format) {
    case FORMAT_JSONL:
        emit_query_json(q, result);
        break;
    case FORMAT_TSV:
        emit_hits_tsv(result, q->qid);
        break;
    default:
        emit_hits_trec(result, q->qid, b->options->run_tag);
    }
    if (b->options->timing) put_timing(b, q, result);
    return !emit_broken();
}

static pm_status answer(batch *b, pm_index *index, pm_error *err)
{
    pm_search_options search = to_search(b->options);
    filter_list filters;
    filters_take(&b->options->filters, &filters, &search);
    pm_status st = PM_OK;
    if (b->options->timing) st = stream_create(&b->timing, b->options->timing, err);
    if (st == PM_OK) {
        st = pm_batch(index, b->queries.items, b->queries.n, &search, (unsigned)b->options->threads,
                      each, b, err);
    }
    if (emit_broken() || b->code != EXIT_OK) st = PM_OK; /* said already, or will be, once */
    if (st != PM_OK) {
        pm_error ignored;
        stream_finish(&b->timing, &ignored);
        return st;
    }
    return stream_finish(&b->timing, err);
}

/* The file of timings is none that is needed; gives an exit code. */
static int check_timing(const batch_options *o, const char *queries)
{
    bool below;
    if (!o->timing) return EXIT_OK;
    if (strcmp(o->timing, "-") == 0)
        return emit_usage("batch: --timing: standard output has the answers; name a file");
    if (strcmp(queries, "-") != 0 && stream_is_at(o->timing, queries, &below))
        return emit_usage("batch: --timing: %s has the queries, and would be overwritten; name "
                          "another file",
                          o->timing);
    if (stream_is_at(o->timing, cli_index_path(o->index), &below))
        return emit_usage("batch: --timing: %s would be a file of the index; name one elsewhere",
                          o->timing);
    return EXIT_OK;
}

/* Whoever reads the answers would take them for those of one query. */
static pm_status warn_of_repeated(const query_list *queries, pm_error *err)
{
    size_t n;
    pm_text id;
    pm_status st = queries_repeated(queries, &n, &id, err);
    if (st == PM_OK && n)
        emit_warning("query ids met more than once: %zu (%.*s%s); each is answered every time", n,
                     (int)(id.len < QID_SHOWN ? id.len : QID_SHOWN), id.data, n > 1 ? ", ..." : "");
    return st;
}

static int run(const void *given, const cli_args *args)
{
    batch b = {.options = given};
    pm_error err = {0};
    pm_index *index = NULL;
    unsigned fields = queries_topic_fields(b.options->topic_fields);
    if (!fields)
        return emit_usage("batch: --topic-fields: write title, desc or narr, joined by commas");
    int bad = check_timing(b.options, args->words[0]);
    if (bad != EXIT_OK) return bad;
    pm_status st = engine_open(cli_index_path(b.options->index), &b.options->engine, &index, &err);
    if (st == PM_OK) st = queries_read(&b.queries, args->words[0], fields, &err);
    if (st == PM_OK) st = warn_of_repeated(&b.queries, &err);
    if (st == PM_OK) st = answer(&b, index, &err);
    int code = st == PM_OK ? b.code : emit_error(&err);
    queries_free(&b.queries);
    pm_index_close(index);
    return code;
}

const cli_command cmd_batch = {
    "batch",
    "QUERYFILE|-",
    "answer many queries",
    "QUERYFILE ('-' is standard input) holds lines 'qid<TAB>query' or only the query (its line "
    "number is the qid), or JSON Lines with 'qid', else 'id', else '_id', and 'query', else "
    "'text', "
    "or TREC topics. It may be gzipped. Answers come in the order of the queries.",
    CLI_TABLE(table),
    &defaults,
    sizeof(batch_options),
    1,
    1,
    0,
    run,
};
