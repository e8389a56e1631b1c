/* SPDX-License-Identifier: MIT
 *
 * fts5_driver.c - SQLite FTS5 on the protocol of the comparison.
 *
 *   fts5_driver index DIR FILE FORM    one transaction, then 'optimize' and VACUUM
 *   fts5_driver search DIR             peer_protocol.h on standard input and output
 *
 * Why this way: a tokenizer that splits at spaces keeps pressmark's terms as they are; the
 * table is contentless (content='') with positions (detail=full); title and body are two
 * columns, which is how FTS5 keeps phrases from crossing, and its bm25() adds them up.
 * FTS5 parses its query inside the step, so parsing is inside the clock.  TOP_k_COUNT steps
 * through the whole ranked list, since FTS5 ranks it whole before it gives the first row.
 * Its own analysis is 'porter unicode61'; with stored text the table is an ordinary one.
 * "must and should" has no form in FTS5 that scores alike: such queries are not answered.
 */
#include <sqlite3.h>
#include <stdint.h>

#include "peer_corpus.h"
#include "peer_protocol.h"
#include "peer_query.h"

typedef struct fts5_engine {
    sqlite3 *db;
    sqlite3_stmt *count, *top;
    char match[65536];
} fts5_engine;

static uint64_t indexed_tokens;

static bool report(sqlite3 *db, int rc)
{
    if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW) return true;
    fprintf(stderr, "fts5_driver: %s\n", db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
    return false;
}

/* ---- the tokenizer ----------------------------------------------------------------------- */

static int tokenizer_create(void *ctx, const char **args, int n_args, Fts5Tokenizer **out)
{
    (void)ctx, (void)args, (void)n_args;
    static char instance; /* it has no state */
    *out = (Fts5Tokenizer *)(void *)&instance;
    return SQLITE_OK;
}

static void tokenizer_delete(Fts5Tokenizer *tokenizer)
{
    (void)tokenizer;
}

static int tokenizer_split(Fts5Tokenizer *tokenizer, void *ctx, int flags, const char *text,
                           int len, int (*emit)(void *, int, const char *, int, int, int))
{
    (void)tokenizer;
    for (int at = 0; at < len;) {
        int start = at;
        while (at < len && text[at] != ' ') at++;
        if (at > start) {
            int rc = emit(ctx, 0, text + start, at - start, start, at);
            if (rc != SQLITE_OK) return rc;
            indexed_tokens += (flags & FTS5_TOKENIZE_DOCUMENT) != 0;
        }
        at++;
    }
    return SQLITE_OK;
}

static bool tokenizer_register(sqlite3 *db)
{
    fts5_api *api = NULL;
    sqlite3_stmt *stmt = NULL;
    bool ok = report(db, sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &stmt, NULL));
    ok = ok && report(db, sqlite3_bind_pointer(stmt, 1, (void *)&api, "fts5_api_ptr", NULL));
    ok = ok && report(db, sqlite3_step(stmt));
    sqlite3_finalize(stmt);
    if (!ok || api == NULL) return false;
    fts5_tokenizer spaces = {tokenizer_create, tokenizer_delete, tokenizer_split};
    return report(db, api->xCreateTokenizer(api, "spaces", NULL, &spaces, NULL));
}

/* ---- indexing -------------------------------------------------------------------------------- */

static bool execute(sqlite3 *db, const char *sql)
{
    return report(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static sqlite3 *open_database(const char *dir)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/fts5.db", dir);
    sqlite3 *db = NULL;
    if (report(db, sqlite3_open(path, &db)) && tokenizer_register(db)) return db;
    sqlite3_close(db);
    return NULL;
}

static bool insert_documents(sqlite3 *db, peer_corpus *corpus, uint64_t *documents)
{
    static const char sql[] = "INSERT INTO articles(rowid, title, body) VALUES(?1, ?2, ?3)";
    sqlite3_stmt *stmt = NULL;
    bool ok = report(db, sqlite3_prepare_v2(db, sql, -1, &stmt, NULL));
    while (ok && peer_corpus_next(corpus)) {
        sqlite3_bind_int64(stmt, 1, (sqlite3_int64)++ * documents);
        sqlite3_bind_text(stmt, 2, corpus->title, -1, SQLITE_STATIC);
        sqlite3_bind_text(stmt, 3, corpus->body, -1, SQLITE_STATIC);
        ok = report(db, sqlite3_step(stmt)) && report(db, sqlite3_reset(stmt));
    }
    sqlite3_finalize(stmt);
    return ok;
}

static const char *const create_table[] = {
    [PEER_TERMS] = "CREATE VIRTUAL TABLE articles USING fts5(title, body, content='',"
                   " detail=full, tokenize='spaces')",
    [PEER_TEXT] = "CREATE VIRTUAL TABLE articles USING fts5(title, body, content='',"
                  " detail=full, tokenize='porter unicode61')",
    [PEER_STORED] = "CREATE VIRTUAL TABLE articles USING fts5(title, body,"
                    " detail=full, tokenize='porter unicode61')",
};

static int run_index(const char *dir, const char *file, peer_form form)
{
    peer_corpus corpus;
    if (!peer_corpus_open(&corpus, file)) return 1;
    uint64_t documents = 0;
    sqlite3 *db = open_database(dir);
    bool ok = db != NULL &&
              execute(db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                          "PRAGMA cache_size=-262144") &&
              execute(db, create_table[form]) && execute(db, "BEGIN") &&
              insert_documents(db, &corpus, &documents) && execute(db, "COMMIT");
    peer_corpus_close(&corpus);
    uint64_t start = peer_now_ns();
    ok = ok && execute(db, "INSERT INTO articles(articles) VALUES('optimize'); VACUUM");
    printf("documents\t%llu\ntokens\t%llu\n", (unsigned long long)documents,
           (unsigned long long)indexed_tokens);
    printf("finish_seconds\t%.3f\n", (double)(peer_now_ns() - start) / 1e9);
    printf("version\tSQLite FTS5 %s\nanalysis\tporter unicode61\n", sqlite3_libversion());
    sqlite3_close(db);
    return ok ? 0 : 1;
}

/* ---- searching --------------------------------------------------------------------------- */

/* Append the clauses of one sign, joined by `operator`, in parentheses. */
static size_t match_append(char *out, size_t size, size_t at, const peer_query *query, char sign,
                           const char *operator)
{
    const char *before = "(";
    for (size_t i = 0; i < query->n; i++) {
        const peer_clause *clause = &query->clauses[i];
        if (clause->sign != sign) continue;
        at += (size_t)snprintf(out + at, size - at, "%s\"", before);
        for (size_t w = 0; w < clause->n; w++)
            at += (size_t)snprintf(out + at, size - at, "%s%s", w > 0 ? " " : "", clause->words[w]);
        at += (size_t)snprintf(out + at, size - at, "\"");
        before = operator;
    }
    return at + (size_t)snprintf(out + at, size - at, ")");
}

/* The query in FTS5's language; false when it has no form there.  The protocol's bounds on
 * clauses and words keep it short of `size`. */
static bool match_build(const peer_query *query, char *out, size_t size)
{
    if (query->must > 0 && query->should > 0) return false;
    size_t at = match_append(out, size, 0, query, query->must > 0 ? '+' : ' ',
                             query->must > 0 ? " AND " : " OR ");
    if (query->must_not == 0) return true;
    at += (size_t)snprintf(out + at, size - at, " NOT ");
    match_append(out, size, at, query, '-', " OR ");
    return true;
}

static bool run_count(fts5_engine *engine, peer_answer *answer)
{
    bool ok = report(engine->db, sqlite3_step(engine->count));
    answer->count = (uint64_t)sqlite3_column_int64(engine->count, 0);
    return ok;
}

static bool run_top(fts5_engine *engine, const peer_request *request, peer_answer *answer)
{
    int rc = SQLITE_ROW;
    volatile sqlite3_int64 row; /* read as a caller would */
    while ((request->count || answer->count < request->k) &&
           (rc = sqlite3_step(engine->top)) == SQLITE_ROW) {
        if (answer->count++ < request->k) row = sqlite3_column_int64(engine->top, 0);
    }
    (void)row;
    return report(engine->db, rc);
}

static bool answer_request(void *ctx, const peer_request *request, peer_answer *answer)
{
    fts5_engine *engine = ctx;
    static peer_query query;
    if (strlen(request->query) > sizeof engine->match / 8 ||
        !peer_query_parse(&query, request->query)) {
        fprintf(stderr, "fts5_driver: not a query\n");
        return false;
    }
    answer->supported = match_build(&query, engine->match, sizeof engine->match);
    if (!answer->supported) return true;
    sqlite3_stmt *stmt = request->k == 0 ? engine->count : engine->top;
    bool ok = report(engine->db, sqlite3_bind_text(stmt, 1, engine->match, -1, SQLITE_STATIC));

    uint64_t start = peer_now_ns();
    ok = ok && (request->k == 0 ? run_count(engine, answer) : run_top(engine, request, answer));
    answer->took_ns = peer_now_ns() - start;

    return report(engine->db, sqlite3_reset(stmt)) && ok;
}

static int run_search(const char *dir)
{
    static fts5_engine engine;
    engine.db = open_database(dir);
    if (engine.db == NULL) return 1;
    bool ok =
        execute(engine.db,
                "PRAGMA query_only=1; PRAGMA mmap_size=17179869184; PRAGMA cache_size=-262144") &&
        report(engine.db, sqlite3_prepare_v2(
                              engine.db, "SELECT count(*) FROM articles WHERE articles MATCH ?1",
                              -1, &engine.count, NULL)) &&
        report(engine.db,
               sqlite3_prepare_v2(
                   engine.db, "SELECT rowid FROM articles WHERE articles MATCH ?1 ORDER BY rank",
                   -1, &engine.top, NULL));
    int status = ok ? peer_serve(answer_request, &engine) : 1;
    sqlite3_finalize(engine.count);
    sqlite3_finalize(engine.top);
    sqlite3_close(engine.db);
    return status;
}

int main(int argc, char **argv)
{
    peer_form form = argc == 5 ? peer_form_named(argv[4]) : PEER_NO_FORM;
    if (form != PEER_NO_FORM && strcmp(argv[1], "index") == 0)
        return run_index(argv[2], argv[3], form);
    if (argc == 3 && strcmp(argv[1], "search") == 0) return run_search(argv[2]);
    fprintf(stderr, "usage: fts5_driver index DIR FILE terms|text|stored | search DIR\n");
    return 2;
}
