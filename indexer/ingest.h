/* SPDX-License-Identifier: MIT
 * ingest.h - one run of pm_ingest: what its parts share.
 *
 *   ingest.c        the run: paths in, summary out
 *   ingest_walk.c   folders to files
 *   ingest_file.c   one file: its format, whether it is unchanged, its source
 *   source_text.c   text and Markdown to a document
 *   source_jsonl.c  JSON Lines to documents, here or on a thread beside
 *   json_lines.c    JSON Lines to one document after the other
 *   ingest_emit.c   documents to the sink, events to the caller
 *   ingest_prune.c  articles whose files are gone
 *   ingest_api.c    pm_ingest: the writer as the sink
 *
 * A problem of one input is an event and the run goes on; only refused memory, a failing sink
 * and a caller who says stop end it.  Functions return PM_OK in both of the first cases and
 * when the caller said stop (`stopped`).
 */
#ifndef PM_INDEXER_INGEST_H
#define PM_INDEXER_INGEST_H

#include "common/base/file.h"
#include "common/base/hash.h"
#include "indexer/document.h"
#include "indexer/encoding.h"
#include "indexer/hash_set.h"
#include "indexer/input.h"
#include "indexer/inverter_side.h"
#include "indexer/seq_set.h"

/* What a sink has of an id: the live article's ingest number, and what is stored of where it came
 * from, as in pm_article. */
typedef struct ingest_known {
    uint64_t seq; /* SEQ_NONE: no article of the id is live                              */
    bool found;   /* what is stored of it could be read; the rest is only then set          */
    uint64_t size, hash, folder, lines;
    int64_t mtime_ns;
} ingest_known;

typedef bool ingest_id_fn(void *ctx, const char *id, size_t len, uint64_t seq);

/* Where articles go; the calls of a writer that a run needs, as in pressmark.h. */
typedef struct ingest_sink {
    void *ctx;
    /* *replaced: the ingest number of the article whose place it takes, or SEQ_NONE. */
    pm_status (*add)(void *ctx, const pm_article *article, uint64_t *replaced, pm_error *err);
    /* Whether articles may follow one that was refused; NULL: none may. */
    bool (*usable)(void *ctx);
    pm_status (*remove)(void *ctx, const char *id, size_t len, bool *found, pm_error *err);
    /* What is stored of an article, unless it is still on its way to a file.  With a hash that is
     * not 0 one of another hash may be left unfound, which a writer can do without inflating it. */
    pm_status (*known)(void *ctx, const char *id, size_t len, uint64_t hash, ingest_known *out,
                       pm_error *err);
    /* The committed articles; some may be gone since.  fn may call known and remove. */
    pm_status (*each_id)(void *ctx, ingest_id_fn *fn, void *fn_ctx, pm_error *err);
    pm_status (*commit)(void *ctx, pm_error *err);
    /* Bytes that the run holds of the memory that was given to the sink. */
    void (*held)(void *ctx, uint64_t bytes);
    const char *folder; /* where they go, which is not read itself; NULL: none of the kind   */
    uint64_t first_seq; /* that the next article gets; later ones get higher ones          */
    size_t article_max; /* bytes of an article; 0: as many as any (input.h)                */
    size_t tree_max;    /* bytes of what a line of JSON is parsed to; 0: as many as it takes */
    bool keeps_no_text; /* so that it wants to know where a text can be read again        */
    /* With more than one thread, articles may be analysed beside (inverter_side.h), by a follower
     * of this analyzer; so much text at most is on its way. */
    unsigned threads;
    analyzer *analyzer;
    uint64_t side_bytes;
    size_t side_article_max; /* bytes (article_bytes) of one that may be              */
    pm_status (*add_stream)(void *ctx, const pm_article *article, const side_stream *stream,
                            uint64_t *replaced, pm_error *err);
} ingest_sink;

/* Absolute paths, and which hashes are theirs. */
typedef struct folder_names {
    buf names; /* of each the hash, and the NUL-terminated path                            */
    hash_set hashes;
    size_t last; /* where the one that was found last stands                                */
} folder_names;  /* valid when zeroed                                                       */

typedef struct ingest {
    const ingest_sink *sink;
    pm_ingest_options options;
    bool has_encoding; /* options.encoding, understood                              */
    encoding encoding;
    pm_ingest_summary summary;
    bool stopped; /* the caller said stop                                      */
    uint64_t since_commit;
    document doc;          /* the one at hand                                           */
    seq_set left;          /* articles found unchanged in this run                      */
    seq_set present;       /* with prune: those whose files exist, whatever came of them */
    uint64_t noted;        /* additions to the sets                                     */
    uint64_t root;         /* hash of the folder PATH at hand, or of the file PATH; or 0   */
    buf root_path;         /* its absolute path                                         */
    bool root_incomplete;  /* a part of it could not be listed                          */
    hash_set files;        /* with prune: hashes of the paths of files that exist       */
    hash_set pruned_files; /* of JSON Lines files all of whose lines were read          */
    hash_set pruned_roots; /* of the folders whose gone articles are to go              */
    folder_names roots;    /* the same by name                                              */
    folder_names folders;  /* those listed below them, and those that they are below          */
} ingest;

/* ingest.c */
pm_status ingest_run(const ingest_sink *sink, const char *const *paths, size_t n_paths,
                     const pm_ingest_options *options, pm_ingest_summary *summary, pm_error *err);

/* One file as the walk met it; all borrowed. */
typedef struct ingest_input {
    const char *path;
    pm_text id;  /* path relative to the folder PATH, or base name            */
    bool walked; /* found in a folder, not given as PATH                      */
    file_info info;
} ingest_input;

pm_status ingest_walk(ingest *run, const char *root, pm_error *err);
pm_status ingest_file(ingest *run, const ingest_input *file, pm_error *err);
/* Standard input as JSON Lines. */
pm_status ingest_stdin(ingest *run, const ingest_input *file, pm_error *err);
/* With prune: the folder `below` the PATH at hand is being listed. */
pm_status ingest_listed(ingest *run, pm_text below, pm_error *err);
/* The PATH at hand, a folder, was listed: its gone articles are to go, unless a part of it could
 * not be.  `before`: run->folders.names.len when that began. */
pm_status ingest_prune_root(ingest *run, const char *path, size_t before, pm_error *err);
pm_status ingest_prune(ingest *run, pm_error *err);
void ingest_prune_free(ingest *run);
/* Append the absolute path of a name below the folder PATH at hand. */
bool ingest_real_path(const ingest *run, pm_text below, buf *out);

/* Sources.  `in` is open and at its start.  PM_IO is a failure of the input, anything else
 * one of the run; `*sink_failed` tells a PM_IO of the sink apart. */
pm_status source_jsonl_read(ingest *run, const ingest_input *file, uint64_t file_hash, input *in,
                            bool *sink_failed, pm_error *err);
/* Make run->doc of the whole of a text file; texts borrow from data. */
pm_status source_text_read(ingest *run, const buf *data, bool markdown, pm_error *err);

/* ingest_emit.c.  `line` is 0 unless JSON Lines. */
/* Index a document; `stream` is its analysis, or NULL. */
pm_status ingest_add(ingest *run, document *d, const side_stream *stream, const char *path,
                     uint64_t line, pm_error *err);
void ingest_skip(ingest *run, const char *path, uint64_t line, pm_text id, const char *reason);
void ingest_warn(ingest *run, const char *path, const char *reason);
/* The article of this id is as it was: it is met, and that is all. */
pm_status ingest_leave(ingest *run, const char *path, uint64_t line, pm_text id, uint64_t seq,
                       pm_error *err);
/* True when the article was indexed or left in this run: since those that are indexed get numbers
 * of their own, no id need be remembered. */
bool ingest_met(const ingest *run, uint64_t seq);
/* The article's file exists (with prune). */
pm_status ingest_present(ingest *run, uint64_t seq, uint64_t path_hash, pm_error *err);
/* What the index knows of an id: not where it came from when it was already met in this run, so
 * that it is indexed again.  Whoever wants to know only whether it has this hash says so, anybody
 * else 0 (ingest_sink, known). */
pm_status ingest_find(ingest *run, pm_text id, uint64_t hash, ingest_known *out, pm_error *err);
void ingest_pruned(ingest *run, pm_text id);

/* Provenance hash of a text file: content in the upper half, then 8 bits of how the file is read
 * and 24 of the folder PATH it was found under; never 0, which means "no file". */
static inline uint64_t ingest_hash(uint32_t content, uint32_t stamp)
{
    return (uint64_t)content << 32 | stamp;
}
/* The lower half for files of the folder at hand. */
uint32_t ingest_stamp(const ingest *run);
/* Of a line: its bytes, how they are read, the folder and the file they are from. */
uint64_t ingest_line_hash(const ingest *run, uint64_t file_hash, uint64_t line_hash);
/* Hash of the absolute path of a file; 0 for standard input. */
pm_status ingest_file_hash(ingest *run, const ingest_input *file, uint64_t *out, pm_error *err);
/* Hash of a path or a line as it is kept: never 0. */
static inline uint64_t ingest_mark(const void *data, size_t len)
{
    uint64_t hash = hash_bytes(data, len);
    return hash ? hash : 1;
}

#endif
