/* SPDX-License-Identifier: MIT
 *
 * peer_fts5.c - SQLite's FTS5 as a peer, in the three settings that its manual offers.
 *
 *   default             rollback journal, synchronous=FULL: after a power cut the last commit
 *                       may roll back (sqlite.org/pragma.html#pragma_synchronous)
 *   synchronous=EXTRA   also syncs the folder after the journal is deleted
 *   journal_mode=WAL    write-ahead log, synchronous=FULL
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

typedef struct base {
    sqlite3 *db;
    sqlite3_stmt *statement; /* put, or search                                              */
    bool begun;
} base;

static bool failed(base *b, char why[PEER_WHY])
{
    peer_explain(why, sqlite3_errmsg(b->db));
    return false;
}

static bool run(base *b, const char *sql, char why[PEER_WHY])
{
    return sqlite3_exec(b->db, sql, NULL, NULL, NULL) == SQLITE_OK || failed(b, why);
}

static void base_close(void *any)
{
    base *b = any;
    sqlite3_finalize(b->statement);
    sqlite3_close(b->db);
    free(b);
}

static bool open_db(base *b, const char *folder, int flags, char why[PEER_WHY])
{
    char path[300];
    snprintf(path, sizeof path, "%s/fts5.db", folder);
    return sqlite3_open_v2(path, &b->db, flags, NULL) == SQLITE_OK || failed(b, why);
}

static bool prepare(base *b, const char *sql, char why[PEER_WHY])
{
    return sqlite3_prepare_v2(b->db, sql, -1, &b->statement, NULL) == SQLITE_OK || failed(b, why);
}

/* ---- writing --------------------------------------------------------------------------- */

static void *open_writer(const char *folder, const char *pragma, char why[PEER_WHY])
{
    base *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    if (open_db(b, folder, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, why) &&
        run(b, pragma, why) && run(b, "CREATE VIRTUAL TABLE IF NOT EXISTS t USING fts5(x)", why) &&
        prepare(b, "INSERT OR REPLACE INTO t(rowid, x) VALUES(?, ?)", why))
        return b;
    base_close(b);
    return NULL;
}

static void *writer_default(const char *folder, char why[PEER_WHY])
{
    return open_writer(folder, "", why);
}

static void *writer_extra(const char *folder, char why[PEER_WHY])
{
    return open_writer(folder, "PRAGMA synchronous=EXTRA", why);
}

static void *writer_wal(const char *folder, char why[PEER_WHY])
{
    return open_writer(folder, "PRAGMA journal_mode=WAL", why);
}

static bool put(void *any, unsigned number, const char *text, char why[PEER_WHY])
{
    base *b = any;
    if (!b->begun && !run(b, "BEGIN", why)) return false;
    b->begun = true;
    sqlite3_bind_int64(b->statement, 1, number);
    sqlite3_bind_text(b->statement, 2, text, -1, SQLITE_TRANSIENT);
    int code = sqlite3_step(b->statement);
    if (code != SQLITE_DONE) failed(b, why);
    sqlite3_reset(b->statement);
    return code == SQLITE_DONE;
}

static bool commit(void *any, char why[PEER_WHY])
{
    base *b = any;
    b->begun = false;
    return run(b, "COMMIT", why);
}

/* ---- reading --------------------------------------------------------------------------- */

/* Not read-only: after a cut a reader has the journal to roll back, as its manual says. */
static void *reader_open(const char *folder, char why[PEER_WHY])
{
    base *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    if (open_db(b, folder, SQLITE_OPEN_READWRITE, why) &&
        prepare(b, "SELECT rowid, rank, x FROM t WHERE t MATCH ? ORDER BY rank, rowid LIMIT ?",
                why))
        return b;
    base_close(b);
    return NULL;
}

static void read_hit(sqlite3_stmt *s, peer_hit *hit)
{
    hit->number = (unsigned)sqlite3_column_int64(s, 0);
    hit->score = sqlite3_column_double(s, 1);
    const void *text = sqlite3_column_text(s, 2);
    hit->text = text ? peer_sum(text, (size_t)sqlite3_column_bytes(s, 2)) : 0;
}

/* Words side by side are joined by AND already. */
static bool search(void *any, const char *words, peer_hits *out, char why[PEER_WHY])
{
    base *b = any;
    int code;
    out->n = 0;
    sqlite3_bind_text(b->statement, 1, words, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(b->statement, 2, PEER_HITS);
    while ((code = sqlite3_step(b->statement)) == SQLITE_ROW && out->n < PEER_HITS)
        read_hit(b->statement, &out->hits[out->n++]);
    if (code != SQLITE_DONE) failed(b, why);
    sqlite3_reset(b->statement);
    return code == SQLITE_DONE;
}

const peer peer_fts5 = {"FTS5",     "",          writer_default, put,       commit,
                        base_close, reader_open, search,         base_close};
const peer peer_fts5_extra = {"FTS5",     "synchronous=EXTRA", writer_extra, put,       commit,
                              base_close, reader_open,         search,       base_close};
const peer peer_fts5_wal = {"FTS5",     "journal_mode=WAL", writer_wal, put,       commit,
                            base_close, reader_open,        search,     base_close};
