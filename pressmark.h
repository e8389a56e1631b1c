/* SPDX-License-Identifier: MIT
 *
 * pressmark.h - the public contract of libpressmark, a full-text search engine.
 *
 * The seven nouns mean one thing everywhere: document, token, posting, segment, cursor,
 * hit, result.  An *article* is what a caller hands in or gets back; it becomes one
 * document of the index.
 *
 * Conventions
 *   - Every fallible call returns a pm_status and, unless that is PM_OK, fills the caller's
 *     pm_error.  The library never prints, never exits, never installs signal handlers.
 *   - Text is UTF-8 given as pointer and byte length; it need not end in NUL, and invalid
 *     bytes are repaired, counted, never fatal.  Text in articles, results and analyses that
 *     are handed out is valid UTF-8 and followed by a NUL that its length does not count; what a
 *     function of the caller's is given (pm_ingest_event, pm_writer_each_id) need not be.  Ids
 *     are bytes as they came.
 *   - NULL may stand for options (the defaults), for a pm_error, a summary or a pm_commit_info
 *     that nobody wants, for `found` and `replaced` where it is said, for a text of length 0, and
 *     for `event`, `finding` and `progress`.  It may not for `out`, where a handle, an article or a
 *     result that could not be had is NULL.  Every close and free takes NULL.
 *   - A handle belongs to the caller until its close; what a struct points to is said beside it.
 *     A path is a C string of bytes, as the system takes it, and is copied.
 *   - Option structs start with `size`; fill them by their PM_..._INIT macro and change
 *     what you need.  Fields added later keep the old meaning when absent.
 *   - A pm_index shows the commit that it was opened at, whatever is written meanwhile: open
 *     another for a newer one.  (Of an index of the engine xapian a search may also see a later
 *     commit.)  It must outlive its searchers.
 *   - A pm_index may be used by many threads at once: by pm_index_stats, pm_index_article,
 *     pm_index_dump and pm_batch, and by searchers, each of which belongs to one thread at a time,
 *     as a pm_analyzer does.  A pm_writer belongs to one thread at a time, and to the process that
 *     opened it: one that was forked meanwhile can only close it, which changes nothing.  (With a
 *     writer of the engine xapian it keeps Xapian's lock until it ends.)
 *   - A writer's call that fails with PM_USAGE changes nothing.  After PM_NOMEM, PM_IO, PM_CORRUPT
 *     or PM_BUSY what was added since its last commit is gone, its other calls repeat the error,
 *     and it can only be closed; the index is as the last commit left it.  Not so after
 *     pm_writer_provenance and pm_writer_each_id, which change nothing, and pm_ingest, where
 *     it was its reading that failed: what was added is there, for the next commit.
 *   - A path may be relative, and lead through links: it is looked up when an index or a writer is
 *     opened, and what becomes of it later does not matter to them.
 *   - Functions of the caller's return to the library: no exception, no longjmp goes through it.
 */
#ifndef PRESSMARK_H
#define PRESSMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PM_VERSION_MAJOR 0
#define PM_VERSION_MINOR 1
#define PM_VERSION_PATCH 0

#if defined(__GNUC__)
#define PM_API               __attribute__((visibility("default")))
#define PM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PM_API
#define PM_PRINTF(fmt, args)
#endif

/* ---- status and errors ------------------------------------------------------------- */

typedef enum pm_status {
    PM_OK = 0,
    PM_NOMEM,      /* memory was refused; no commit was lost                            */
    PM_IO,         /* the system refused to read or write; os_errno says why; ECANCELED: the
                      caller did, by a function of its own that returned false           */
    PM_CORRUPT,    /* bytes on disk are not what was written; offset says where        */
    PM_USAGE,      /* the caller asked for something impossible, or no such index      */
    PM_BUSY,       /* another writer holds the index                                   */
    PM_PARTIAL,    /* a result is given but incomplete                                 */
    PM_NOT_DURABLE /* the commit is visible, but not known to survive a power cut      */
} pm_status;

typedef struct pm_error {
    pm_status status;
    int os_errno;      /* 0 when the system was not involved                            */
    uint64_t offset;   /* byte offset in the file the message names, if it names one    */
    char message[400]; /* one line, no newline: what, where (path, offset), what to do */
} pm_error;

/* "0.1.0"; static storage. */
PM_API const char *pm_version(void);
/* "ok", "out of memory", ...; static storage. */
PM_API const char *pm_status_name(pm_status status);

/* ---- articles ------------------------------------------------------------------------ */

typedef struct pm_text {
    const char *data;
    size_t len; /* bytes */
} pm_text;

/* One article.  Only `id` must be non-empty (1..1024 bytes, no NUL).  `tags` is one
 * string, tags separated by U+001F.  `date` is YYYY-MM-DD or YYYY-MM-DDThh:mm:ss[+hh:mm];
 * pm_writer_add takes anything pm_date_parse understands and stores the canonical form,
 * or no date.  `extra` is a JSON object of further keys, or empty; it is kept as it is, and
 * nobody looks whether it is one.
 * When `title_in_body` is set the title is a copy of a part of the body: it is shown and
 * ranked as the title, and its span [title_start, title_end) of `text` is not indexed a
 * second time. */
typedef struct pm_article {
    pm_text id, title, text, date, url, source, author, tags, lang, extra;
    bool title_in_body;
    size_t title_start, title_end;
    /* Provenance, used to skip unchanged files; zero when unknown.  Programs of their own may put
     * any hash there; pm_ingest's tells a file of another time but the same bytes.  Its time is
     * that of the last change of the inode (ctime), which new content gets also where its own time
     * is set back. */
    uint64_t file_size;
    int64_t file_mtime_ns;
    uint64_t file_hash;
    /* Of absolute paths, hashes: of the folder it was found under, and of the JSON Lines file
     * that it is a line of.  0: none. */
    uint64_t file_folder, file_lines;
    /* Where `text` stands in a file, for an index that keeps no text: the file's absolute
     * path (empty: nowhere) and a span of its bytes, in UTF-8.  Taken, never given out. */
    pm_text file_path;
    uint64_t file_text_start, file_text_len;
    /* Given out only: the index keeps no text, and the source is gone, has changed, or is no file
     * in which the text stands as it is (JSON Lines, compressed, another encoding). */
    bool text_missing;
} pm_article;

/* ---- writing ------------------------------------------------------------------------- */

typedef struct pm_writer pm_writer;

/* What a writer is writing. */
typedef enum pm_phase {
    PM_PHASE_STORE, /* stored text of the articles as they come                         */
    PM_PHASE_WRITE, /* the segment of a batch                                           */
    PM_PHASE_MERGE, /* one segment of several                                           */
    PM_PHASE_COMMIT /* manifest and tombstones: the commit itself                       */
} pm_phase;

typedef struct pm_writer_options {
    size_t size;
    const char *lang;      /* libstemmer language ("en", "english", ...) or "none"; NULL:
                              as the index, else "en"                                   */
    uint64_t memory_bytes; /* bound of the writer's own memory; default 512 MiB        */
    unsigned threads;      /* 0: as many as processors                                 */
    int positions;         /* 1, 0, or -1: as the index, else 1                        */
    int store;             /* 1, 0, or -1: as the index, else 1                        */
    bool create;           /* create the index if there is none                        */
    unsigned commit_level; /* 0 full (default), 1 atomic, 2 none: see FORMAT.md, commit */
    /* Geometry, for tests; 0: as the index, of a new one the default.  What is out of range is
     * PM_USAGE.  The first two are recorded in the index and in each segment, the last nowhere. */
    unsigned block_size;        /* postings a block, 8..256; default 256                    */
    unsigned dense_shift;       /* a term is dense when df >= N >> dense_shift; 1..31, default
                                   5, 4 with `small`                                        */
    unsigned store_block_bytes; /* raw bytes a stored block, 64 B to 16 MiB; 0: 32 KiB      */
    /* 1, 0, or -1: as the index, else 0.  A smaller, somewhat slower index: bitmaps for fewer
     * terms, no bigrams, and no surface forms, which operators on unstemmed words need. */
    int small;
    /* Asked each time that a piece of at most some hundred KiB is to be written, and while articles
     * are put in another order, on the caller's thread; `written`: bytes so far.  False stops: the
     * call in progress fails with PM_IO, its files are removed, and the index stays as the last
     * commit left it.  A commit that has become visible is not asked about any more.  Of a Xapian
     * index pm_writer_optimize alone asks. */
    bool (*progress)(void *ctx, pm_phase phase, uint64_t written);
    void *progress_ctx;
    /* "native" or "xapian"; NULL: as the index, else native.  Xapian's is a plugin, and knows no
     * geometry, no `small` and no reordering. */
    const char *engine;
    unsigned shards; /* of a new Xapian index: databases that articles are spread over, 0: 1 */
} pm_writer_options;
#define PM_WRITER_OPTIONS_INIT                                                                     \
    {                                                                                              \
        sizeof(pm_writer_options), NULL, 512u << 20, 0, -1, -1, true, 0, 0, 0, 0, -1, NULL, NULL,  \
            NULL, 0                                                                                \
    }

typedef struct pm_commit_info {
    uint64_t generation;
    uint64_t added, updated, deleted; /* articles since the last commit                 */
    uint64_t text_bytes;              /* title and text bytes of those articles         */
    uint64_t repaired;                /* invalid UTF-8 sequences repaired               */
    uint64_t bad_dates;               /* dates not understood and dropped               */
    uint64_t index_bytes;             /* size of all files the commit names             */
} pm_commit_info;

/* Open the index at `path`, a folder, for writing, or create it.  Takes the writer lock: PM_BUSY
 * when another writer holds it.  PM_USAGE when options contradict the index, or there is none and
 * `create` is false.  What options point to is copied, but progress_ctx. */
PM_API pm_status pm_writer_open(const char *path, const pm_writer_options *options, pm_writer **out,
                                pm_error *err);
/* Add or replace one article (by id).  The article is copied.  `*replaced` (may be NULL)
 * tells whether the id was there before, in the index or in this batch.  PM_USAGE when the id is
 * not one, or the article is over 64 MiB or does not fit into memory_bytes.  O(words); when a share
 * of memory_bytes is full, a segment is written as well, which nobody sees before the commit. */
PM_API pm_status pm_writer_add(pm_writer *writer, const pm_article *article, bool *replaced,
                               pm_error *err);
/* Delete the article of this id, added by this writer or before, from the next commit on.  `*found`
 * (may be NULL) tells whether there was one; that there was none is no error. */
PM_API pm_status pm_writer_delete(pm_writer *writer, const char *id, size_t id_len, bool *found,
                                  pm_error *err);
/* Provenance of a stored article (id's live version as of the last commit), to skip
 * unchanged files.  *found false when absent; the numbers may be NULL, `found` may not. */
PM_API pm_status pm_writer_provenance(pm_writer *writer, const char *id, size_t id_len, bool *found,
                                      uint64_t *file_size, int64_t *file_mtime_ns,
                                      uint64_t *file_hash, pm_error *err);
/* Call `fn` once for each live committed id, in no particular order, until it returns
 * false.  The id is borrowed for the duration of the call, and no NUL need follow it.  Of the
 * writer's calls fn may make pm_writer_delete alone. */
PM_API pm_status pm_writer_each_id(pm_writer *writer,
                                   bool (*fn)(void *ctx, const char *id, size_t id_len), void *ctx,
                                   pm_error *err);
/* Make everything since the last commit visible and durable, atomically.  Returns PM_OK
 * only when durable.  After PM_IO nothing changed; after PM_NOT_DURABLE the new state is
 * visible but unproven, and the writer accepts only another commit or close.  A commit
 * with nothing to do writes nothing; a writer's first one still syncs the folder of a native
 * index, in case the writer before it could not.  PM_BUSY, and nothing changed, of a native index:
 * the file LOCK was deleted, so that another writer may have been at work.
 * Costs some fsyncs, and what merges cost: an article is written again each time that the segment
 * it is in is merged with its neighbours, which keeps some ten of them. */
PM_API pm_status pm_writer_commit(pm_writer *writer, pm_commit_info *info, pm_error *err);
/* The same at the end of many commits: the newest segments, as far as their words are still in
 * memory, are first made one, so that searches find few segments.  That costs as much as
 * indexing so many words, reading them apart. */
PM_API pm_status pm_writer_finish(pm_writer *writer, pm_commit_info *info, pm_error *err);
/* Merge all segments into one, dropping deleted documents, and commit.  Reads and writes the whole
 * index, which takes as much disk again meanwhile (pm_writer_most_bytes).  Of a Xapian index:
 * commit, then each database becomes a compacted copy of itself; stopped, the commit stands. */
PM_API pm_status pm_writer_optimize(pm_writer *writer, pm_commit_info *info, pm_error *err);
/* The same, and choose the order in which documents stand.  Answers and the order of ties,
 * which is that of ingest, do not depend on it; size and speed do. */
typedef enum pm_reorder {
    PM_REORDER_KEEP, /* as they stand, segment by segment                                */
    PM_REORDER_NONE, /* order of ingest                                                  */
    PM_REORDER_BP    /* documents with the same words side by side: recursive graph
                        bisection (Dhulipala et al., KDD 2016); PM_USAGE when it needs
                        more than the writer's memory_bytes                              */
} pm_reorder;
typedef struct pm_optimize_options {
    size_t size;
    pm_reorder reorder;
} pm_optimize_options;
#define PM_OPTIMIZE_OPTIONS_INIT                                                                   \
    {                                                                                              \
        sizeof(pm_optimize_options), PM_REORDER_KEEP                                               \
    }
PM_API pm_status pm_writer_optimize_with(pm_writer *writer, const pm_optimize_options *options,
                                         pm_commit_info *info, pm_error *err);
/* Bytes of files in the folder at most, since the writer was opened: of the commits, of what merges
 * write while their inputs are there, of what a merge does not hold in memory.  Less index_bytes of
 * the last commit, that is the temporary disk it took.  0 for an index of the engine xapian. */
PM_API uint64_t pm_writer_most_bytes(const pm_writer *writer);
/* Releases the lock; what was not committed is discarded.  NULL is allowed. */
PM_API void pm_writer_close(pm_writer *writer);

/* ---- ingest: files, folders, JSON Lines into a writer -------------------------------- */

typedef enum pm_input_format {
    PM_INPUT_AUTO,
    PM_INPUT_TEXT,
    PM_INPUT_MARKDOWN,
    PM_INPUT_JSONL
} pm_input_format;

typedef enum pm_ingest_kind {
    PM_INGEST_ADDED,
    PM_INGEST_UPDATED,
    PM_INGEST_UNCHANGED,
    PM_INGEST_PRUNED,
    PM_INGEST_SKIPPED,   /* nothing was indexed; `reason` says why; makes the run PM_PARTIAL */
    PM_INGEST_DUPLICATE, /* id met twice in one run; the later won; PM_PARTIAL         */
    PM_INGEST_WARNING
} pm_ingest_kind;

/* One thing that happened to one input, for warnings, progress and the ingest report.
 * All pointers are borrowed for the duration of the call. */
typedef struct pm_ingest_event {
    pm_ingest_kind kind;
    pm_text path;  /* input file, "-" for stdin                                     */
    uint64_t line; /* for JSON Lines, from 1; else 0                                */
    pm_text id, title, date;
    const char *title_rule; /* "front-matter", "first-line", "after-caption", "first-sentence",
                               "field", "none"                                           */
    const char *date_rule;  /* "front-matter", "first-line", "field", "none"            */
    const char *reason;     /* for SKIPPED, DUPLICATE and WARNING                       */
    /* Spans of the file's text (bytes of it as UTF-8, end exclusive; those of the file unless it
     * was converted or repaired) taken as furniture, and why; n may be 0. */
    const struct pm_span {
        uint64_t start, end;
        const char *why;
    } * spans;
    size_t n_spans;
} pm_ingest_event;

typedef struct pm_ingest_options {
    size_t size;
    pm_input_format format;
    const char *encoding;  /* NULL: detect; else "utf-8", "utf-16le", "utf-16be", "windows-1252" */
    bool prune;            /* delete articles whose files under PATH are gone        */
    uint64_t commit_every; /* articles; 0: once at the end by the caller             */
    bool (*event)(void *ctx, const pm_ingest_event *event); /* false stops the run: PM_PARTIAL */
    void *ctx;
} pm_ingest_options;
#define PM_INGEST_OPTIONS_INIT                                                                     \
    {                                                                                              \
        sizeof(pm_ingest_options), PM_INPUT_AUTO, NULL, false, 0, NULL, NULL                       \
    }

typedef struct pm_ingest_summary {
    uint64_t added, updated, unchanged, skipped, duplicates, pruned;
    uint64_t text_bytes;  /* title and text of what was added or updated                 */
    uint64_t input_bytes; /* as read, after decompression                                */
    uint64_t repaired;    /* invalid UTF-8 sequences                                     */
    uint64_t converted;   /* inputs converted from another encoding                      */
    uint64_t bad_dates;
} pm_ingest_summary;

/* Feed every article found under the paths (files, folders with all theirs, in order of names; "-"
 * is JSON Lines on standard input) to the writer; does not commit at the end.  PM_OK when
 * everything was taken, PM_PARTIAL when something was skipped (details by event) or the event
 * function stopped the run, another status when the run had to stop.  Skipped are, among others,
 * articles and lines of more than 64 MiB, or of more than a quarter of the writer's memory_bytes
 * (at least 1 MiB), articles whose words, and lines of JSON whose values take more than that
 * memory; folders below a path that are an index are left out. */
PM_API pm_status pm_ingest(pm_writer *writer, const char *const *paths, size_t n_paths,
                           const pm_ingest_options *options, pm_ingest_summary *summary,
                           pm_error *err);

/* ---- reading --------------------------------------------------------------------------- */

typedef struct pm_index pm_index;

/* Open the newest commit for reading.  No lock, no write permission is needed.  PM_USAGE
 * when there is no index at `path`; PM_CORRUPT when it is damaged.  Files are mapped, not read,
 * but for lists of what is deleted: the cost is that of some segments, whatever their size. */
PM_API pm_status pm_index_open(const char *path, pm_index **out, pm_error *err);
/* The same with options.  `path` may also be a list of servers, tcp:HOST:PORT,tcp:HOST:PORT (of
 * Xapian databases that pressmark made, served by xapian-tcpsrv), or a stub file of Xapian's that
 * names such servers and databases: they are searched as one index.  A server that does not
 * answer is left out, and searches are PM_PARTIAL from then on; `require_all` makes that PM_IO.
 * Xapian has the process ignore SIGPIPE once it has reached a server. */
typedef struct pm_index_options {
    size_t size;
    unsigned timeout_ms;         /* of one answer of a server, 1 or more                     */
    unsigned connect_timeout_ms; /* of reaching it                                           */
    bool require_all;
} pm_index_options;
#define PM_INDEX_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(pm_index_options), 10000, 5000, false                                               \
    }
PM_API pm_status pm_index_open_with(const char *path, const pm_index_options *options,
                                    pm_index **out, pm_error *err);
/* After its searchers; no call may be under way. */
PM_API void pm_index_close(pm_index *index);

typedef struct pm_section_bytes {
    char name[24]; /* ends in NUL, as the texts of pm_stats do                             */
    uint64_t bytes;
} pm_section_bytes;

typedef struct pm_stats {
    uint64_t documents; /* live                                                         */
    uint64_t deleted;   /* still on disk, not live                                      */
    uint64_t terms;     /* distinct plain terms over all segments                       */
    uint64_t postings;  /* (term, live document) pairs of plain terms                   */
    uint64_t positions; /* stored positions of plain terms                              */
    uint64_t tokens;    /* sum of dl over live documents                                */
    double avgdl;       /* tokens / documents; 0 when empty                             */
    double k1, b;       /* of the index                                                 */
    uint64_t index_bytes;
    uint64_t bare_bytes; /* of those neither stored articles nor bigrams                 */
    uint64_t generation;
    unsigned segments;
    unsigned format_version;
    bool has_positions, has_text, small;
    char engine[16];   /* "native" or "xapian"                                         */
    char analyzer[96]; /* profile string, see common/text/analyzer.h                   */
    char lang[16];
    pm_section_bytes sections[24]; /* by place in the files; together index_bytes       */
    unsigned n_sections;
    pm_section_bytes parts[12]; /* by what they are for; together index_bytes           */
    unsigned n_parts;
} pm_stats;
/* Exact; walks the dictionary: O(terms). */
PM_API pm_status pm_index_stats(pm_index *index, pm_stats *out, pm_error *err);

/* The stored article, or PM_OK and *out NULL when the id is unknown.  It and its texts are the
 * caller's, also after pm_index_close; free with pm_article_free.  Inflates one block of the store
 * (32 KiB, or the article, where that is longer).  PM_PARTIAL: it may be behind a server that did
 * not answer. */
PM_API pm_status pm_index_article(pm_index *index, const char *id, size_t id_len, pm_article **out,
                                  pm_error *err);
PM_API void pm_article_free(pm_article *article);

/* Diffable text of the whole index, in order of terms then documents, independent of how
 * documents are spread over segments.  `write` is given piece after piece, valid during the call,
 * and returns false to stop (then PM_IO).  Reads the whole index. */
PM_API pm_status pm_index_dump(pm_index *index,
                               bool (*write)(void *ctx, const char *data, size_t len), void *ctx,
                               pm_error *err);

typedef struct pm_check_summary {
    uint64_t files, bytes, pages, terms, postings, documents; /* verified                */
    uint64_t findings;
    uint64_t deleted; /* verified, too: still on disk, not among `documents`               */
} pm_check_summary;
/* Verify every byte (checksums) and, if deep, every invariant of FORMAT.md.  `finding` is
 * called once for each damage with file, section, offset and text, all valid during the call.
 * PM_OK when sound, PM_CORRUPT when there was any finding.  Reads the whole index; deep, it also
 * decodes every list and inflates every record. */
PM_API pm_status pm_check(const char *path, bool deep,
                          void (*finding)(void *ctx, const char *file, const char *section,
                                          uint64_t offset, const char *what),
                          void *ctx, pm_check_summary *summary, pm_error *err);

/* ---- searching ------------------------------------------------------------------------- */

typedef struct pm_searcher pm_searcher;

typedef enum pm_match { PM_MATCH_AUTO, PM_MATCH_ALL, PM_MATCH_ANY } pm_match;

/* A restriction that adds nothing to scores.  Filters of one field are alternatives, but dates,
 * which all bind; different fields all bind.  An undated article passes no date filter. */
typedef enum pm_filter_field {
    PM_FILTER_DATE,   /* in the period or range (pm_date_range)                           */
    PM_FILTER_AFTER,  /* at its start or later                                            */
    PM_FILTER_BEFORE, /* before its start                                                 */
    PM_FILTER_SOURCE, /* the value, but for case, marks, apostrophes and runs of spaces   */
    PM_FILTER_AUTHOR, /* the same of all authors, or of one of several                    */
    PM_FILTER_TAG,    /* one of the tags                                                  */
    PM_FILTER_LANG    /* the language (en-gb), or its first part (en)                     */
} pm_filter_field;
typedef struct pm_filter {
    pm_filter_field field;
    pm_text value;
} pm_filter;

typedef struct pm_search_options {
    size_t size;
    uint64_t limit, offset; /* hits [offset, offset + limit) of the ranked list          */
    pm_match match;
    double k1, b;           /* negative: those of the index                              */
    bool want_total;        /* exact totals; without it total_is_exact may be false      */
    bool want_ids;          /* the id of each hit, else it is empty                      */
    bool want_fields;       /* title, date, source, url of each hit                      */
    bool want_snippets;     /* snippet and highlights of each hit; implies want_fields   */
    bool want_explain;      /* per-term parts of each hit's score                        */
    bool joined;            /* also match joined and split forms (tik tok, TikTok)       */
    bool strict;            /* a query that cannot be parsed is PM_USAGE with a column   */
    unsigned snippet_bytes; /* aim; default 240                                          */
    bool exhaustive;        /* score every match: the definition that faster loops equal */
    /* n_filters of them; no date, or no value: PM_USAGE.  With a query of no words, or of
     * negatives only, they say what is looked for, as filters in the query would. */
    const pm_filter *filters;
    size_t n_filters;
    bool total_only; /* PM_MATCH_ANY need not count total_all, which then may be 0       */
    /* Xapian's own BM25Weight instead of pressmark's formula, which searches over servers use
     * always.  PM_USAGE for a native index. */
    bool xapian_weights;
} pm_search_options;
#define PM_SEARCH_OPTIONS_INIT                                                                     \
    {                                                                                              \
        sizeof(pm_search_options), 10, 0, PM_MATCH_AUTO, -1.0, -1.0, true, true, true, true,       \
            false, true, false, 240, false, NULL, 0, false, false                                  \
    }

typedef struct pm_highlight {
    uint32_t start, end; /* bytes of `snippet`, end exclusive                            */
} pm_highlight;

/* One term's part of one hit's score.  Parts sum to the score, in this order. */
typedef struct pm_explain {
    pm_text term; /* as in the index; phrases in quotes                          */
    uint64_t tf, df;
    double idf, norm; /* norm = k1 * (1 - b + b * dl / avgdl)                         */
    double weight;    /* boost times repetitions                                     */
    double contribution;
} pm_explain;

typedef struct pm_hit {
    uint64_t rank;   /* from 1, in the whole list                                   */
    uint64_t number; /* of the article, as long as the index is open                */
    double score;
    pm_text id, title, date, source, url; /* date.len 0: none                            */
    bool in_all; /* under PM_MATCH_AUTO: in the first part (has every word)     */
    uint64_t dl; /* tokens of the article                                       */
    pm_text snippet;
    const pm_highlight *highlights;
    size_t n_highlights;
    const pm_explain *explain;
    size_t n_explain;
} pm_hit;

typedef struct pm_result {
    pm_text query;       /* as given, repaired                                          */
    pm_text interpreted; /* how it was understood                                       */
    bool truncated;      /* the query was cut (length or clauses)                       */
    pm_match match;
    uint64_t total;     /* matching live articles                                      */
    uint64_t total_all; /* of those, with every word                                   */
    bool total_is_exact;
    uint64_t n_docs; /* statistics the scores were computed with                    */
    double avgdl, k1, b;
    const pm_hit *hits;
    size_t n_hits;
    uint64_t parse_ns, took_ns;
    uint64_t n_without_text; /* hits whose snippet is empty because the index keeps no text
                                and their source is not there unchanged                  */
} pm_result;

/* What one thread needs to ask the index, kept from query to query: keep it, too.  PM_USAGE when
 * the index was analysed by other rules than this library's. */
PM_API pm_status pm_searcher_open(pm_index *index, pm_searcher **out, pm_error *err);
/* The last result goes with it. */
PM_API void pm_searcher_close(pm_searcher *searcher);
/* Run one query.  *out and everything it points to belong to the searcher and live until
 * its next search or close.  PM_PARTIAL still gives a result.  Scores are BM25 (S. Robertson,
 * H. Zaragoza, "The probabilistic relevance framework: BM25 and beyond", 2009): the sum over terms
 * of idf * tf * (k1 + 1) / (tf + norm), norm as in pm_explain, where idf is ln(1 + x) with
 * x = (N - df + 0.5) / (df + 0.5).  N, df and avgdl are of live articles; in doubles, the same for
 * any number of segments; equal scores stand in order of ingest.  Costs at most what the lists of
 * its words are long, of which ranking passes over most. */
PM_API pm_status pm_searcher_search(pm_searcher *searcher, const char *query, size_t query_len,
                                    const pm_search_options *options, const pm_result **out,
                                    pm_error *err);

/* Run many queries on `threads` threads (0: as many as processors); `each` is called on
 * the calling thread, in input order, once for every query, with its result (valid during the
 * call) or with its error, with both where that is PM_PARTIAL; it returns false to stop.  PM_OK
 * also when queries failed or `each` stopped: the status is of the run, not of its queries.  `qid`
 * is the caller's own. */
typedef struct pm_batch_query {
    pm_text qid, query;
} pm_batch_query;
PM_API pm_status pm_batch(pm_index *index, const pm_batch_query *queries, size_t n,
                          const pm_search_options *options, unsigned threads,
                          bool (*each)(void *ctx, size_t i, const pm_result *result,
                                       const pm_error *error),
                          void *ctx, pm_error *err);

/* ---- analysis -------------------------------------------------------------------------- */

typedef struct pm_analyzer pm_analyzer;
/* lang as in pm_writer_options, NULL: "en"; PM_USAGE for an unknown language. */
PM_API pm_status pm_analyzer_open(const char *lang, pm_analyzer **out, pm_error *err);
PM_API void pm_analyzer_close(pm_analyzer *analyzer);
/* The terms of one text in position order, separated by spaces, a marker after its term
 * joined by '|'.  *out belongs to the analyzer and lives until the next call or close.  O(len). */
PM_API pm_status pm_analyzer_terms(pm_analyzer *analyzer, const char *text, size_t len,
                                   pm_text *out, pm_error *err);

/* Canonical form of a date, with a NUL, at most 26 bytes of `out`; false, and nothing is written,
 * when it is not understood. */
PM_API bool pm_date_parse(const char *text, size_t len, char out[32]);
/* What a date of a filter covers, seconds [*from, *to) since 1970 (UTC, or as written without a
 * zone): a year (2025), a month (2025-09), whatever pm_date_parse takes (a day, or a second), or
 * A..B, which includes all of both; A.. and ..B are open (INT64_MAX, INT64_MIN).  False, and
 * nothing is written, when it is not understood. */
PM_API bool pm_date_range(const char *text, size_t len, int64_t *from, int64_t *to);

#ifdef __cplusplus
}
#endif
#endif
