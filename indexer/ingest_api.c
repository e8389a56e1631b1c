/* SPDX-License-Identifier: MIT
 * ingest_api.c - pm_ingest (pressmark.h): a run whose sink is a writer.
 */
#include "indexer/ingest.h"
#include "indexer/writer.h"

/* Of the writer's memory: what texts on their way from a reader beside may take.  It is not counted
 * where batches are, but within what those leave (writer_commit.c). */
enum {
    SIDE_SHARE = 16,
    ARTICLE_SHARE = 4,       /* of the limit of memory, that an article may take              */
    ARTICLE_LEAST = 1 << 20, /* or so many bytes                                              */
    TREE_SHARE = 8,          /* of the limit, for a line of JSON that is parsed to a tree       */
    TREE_LEAST = 64 << 20,
};

static pm_status writer_add(void *ctx, const pm_article *article, uint64_t *replaced, pm_error *err)
{
    return writer_add_stream(ctx, article, NULL, replaced, err);
}

static pm_status writer_remove(void *ctx, const char *id, size_t len, bool *found, pm_error *err)
{
    return pm_writer_delete(ctx, id, len, found, err);
}

static pm_status writer_known(void *ctx, const char *id, size_t len, uint64_t hash,
                              ingest_known *out, pm_error *err)
{
    stored_article stored;
    const pm_article *a = &stored.article;
    pm_status st = writer_find_live(ctx, id, len, hash, &stored, err);
    *out = (ingest_known){.seq = SEQ_NONE};
    if (st != PM_OK) return st;
    out->seq = stored.seq;
    out->found = stored.found;
    if (!stored.found) return PM_OK;
    out->size = a->file_size;
    out->hash = a->file_hash;
    out->folder = a->file_folder;
    out->lines = a->file_lines;
    out->mtime_ns = a->file_mtime_ns;
    return PM_OK;
}

static pm_status writer_each(void *ctx, ingest_id_fn *fn, void *fn_ctx, pm_error *err)
{
    return writer_each_committed(ctx, fn, fn_ctx, err);
}

static pm_status writer_commit(void *ctx, pm_error *err)
{
    pm_commit_info info;
    return pm_writer_commit(ctx, &info, err);
}

static void writer_held(void *ctx, uint64_t bytes)
{
    pm_writer *w = ctx;
    w->held = bytes;
}

static bool writer_usable(void *ctx)
{
    const pm_writer *w = ctx;
    return w->status == PM_OK;
}

static pm_status writer_add_analysed(void *ctx, const pm_article *article,
                                     const side_stream *stream, uint64_t *replaced, pm_error *err)
{
    return writer_add_stream(ctx, article, stream, replaced, err);
}

/* A quarter of the limit, but a megabyte always. */
static size_t article_max(uint64_t memory)
{
    uint64_t most = memory / ARTICLE_SHARE;
    if (most < ARTICLE_LEAST) return ARTICLE_LEAST;
    return most < INPUT_ARTICLE_MAX ? (size_t)most : INPUT_ARTICLE_MAX;
}

static size_t tree_max(uint64_t memory)
{
    return memory / TREE_SHARE > TREE_LEAST ? (size_t)(memory / TREE_SHARE) : TREE_LEAST;
}

pm_status pm_ingest(pm_writer *writer, const char *const *paths, size_t n_paths,
                    const pm_ingest_options *options, pm_ingest_summary *summary, pm_error *err)
{
    const ingest_sink sink = {
        .ctx = writer,
        .add = writer_add,
        .usable = writer_usable,
        .remove = writer_remove,
        .known = writer_known,
        .each_id = writer_each,
        .commit = writer_commit,
        .held = writer_held,
        .folder = writer->folder.path,
        .first_seq = writer->meta.next_seq,
        .article_max = article_max(writer->options.memory_bytes),
        .tree_max = tree_max(writer->options.memory_bytes),
        .keeps_no_text = !writer->meta.has_text,
        .threads =
            writer->xapian ? 1 : writer->options.threads, /* the reader beside fills an inverter */
        .analyzer = writer->a,
        .side_bytes = writer->options.memory_bytes / SIDE_SHARE,
        .side_article_max = writer_large_article(writer),
        .add_stream = writer_add_analysed,
    };
    pm_status st = writer_ready(writer, false, err);
    if (st != PM_OK) return st;
    return ingest_run(&sink, paths, n_paths, options, summary, err);
}
