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
#include "indexer/document.h"
#include "indexer/encoding.h"
#include "indexer/id_set.h"
#include "indexer/input.h"
#include "indexer/inverter_side.h"

/* Where articles go; the five calls of a writer that a run needs, as in pressmark.h. */
typedef struct ingest_sink {
    void *ctx;
    pm_status (*add)(void *ctx, const pm_article *article, bool *replaced, pm_error *err);
    pm_status (*remove)(void *ctx, const char *id, size_t len, bool *found, pm_error *err);
    pm_status (*provenance)(void *ctx, const char *id, size_t len, bool *found, uint64_t *size,
                            int64_t *mtime_ns, uint64_t *hash, pm_error *err);
    pm_status (*each_id)(void *ctx, bool (*fn)(void *ctx, const char *id, size_t len), void *fn_ctx,
                         pm_error *err);
    pm_status (*commit)(void *ctx, pm_error *err);
    /* With more than one thread, articles may be analysed beside (inverter_side.h): by an
     * analyzer of this language, which forgets its forms when they take this much. */
    unsigned threads;
    const char *lang;
    uint64_t side_bytes;
    pm_status (*learn)(void *ctx, const side_stream *stream, pm_error *err);
    pm_status (*add_stream)(void *ctx, const pm_article *article, const side_stream *stream,
                            bool *replaced, pm_error *err);
} ingest_sink;

typedef struct ingest {
    const ingest_sink *sink;
    pm_ingest_options options;
    bool has_encoding; /* options.encoding, understood                              */
    encoding encoding;
    pm_ingest_summary summary;
    bool stopped; /* the caller said stop                                      */
    uint64_t since_commit;
    document doc;         /* the one at hand                                           */
    id_set seen;          /* ids indexed, or found unchanged, in this run              */
    id_set present;       /* with prune: ids of files that exist, whatever came of them */
    uint32_t root;        /* tag of the folder PATH at hand; 0 for a file              */
    bool root_incomplete; /* a part of it could not be listed                          */
    buf pruned_roots;     /* u32 tags of the folders whose gone articles are to go     */
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
pm_status ingest_prune(ingest *run, pm_error *err);

/* Sources.  `in` is open and at its start.  PM_IO is a failure of the input, anything else
 * one of the run; `*sink_failed` tells a PM_IO of the sink apart. */
pm_status source_jsonl_read(ingest *run, const ingest_input *file, input *in, bool *sink_failed,
                            pm_error *err);
/* Make run->doc of the whole of a text file; texts borrow from data. */
pm_status source_text_read(ingest *run, const buf *data, bool markdown, pm_error *err);

/* ingest_emit.c.  `line` is 0 unless JSON Lines. */
/* Index a document; `stream` is its analysis, or NULL. */
pm_status ingest_add(ingest *run, document *d, const side_stream *stream, const char *path,
                     uint64_t line, pm_error *err);
void ingest_skip(ingest *run, const char *path, uint64_t line, pm_text id, const char *reason);
void ingest_warn(ingest *run, const char *path, const char *reason);
void ingest_unchanged(ingest *run, const ingest_input *file);
void ingest_pruned(ingest *run, pm_text id);

/* Provenance hash: content in the upper half, then 8 bits of how the file is read and 24 of
 * the folder PATH it was found under; never 0, which means "no file". */
static inline uint64_t ingest_hash(uint32_t content, uint32_t stamp)
{
    return (uint64_t)content << 32 | stamp;
}
/* The lower half for files of the folder at hand. */
uint32_t ingest_stamp(const ingest *run);
static inline uint32_t ingest_stamp_root(uint64_t hash)
{
    return (uint32_t)hash & 0xffffff;
}

#endif
