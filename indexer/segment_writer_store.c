/* SPDX-License-Identifier: MIT
 * segment_writer_store.c - stored records into deflated blocks, each written as soon as it is
 * full (FORMAT.md, "stored records").  Takes records in document order, gives the sections
 * "store" and "store-dir".  The one writer of zlib streams.
 *
 *   raw block: length of each record (varint), then the records
 *
 * Blocks are deflated whole, by libdeflate: twice as fast as zlib's first level, and smaller.  A
 * huge one goes through zlib, which takes it from where it stands, in two parts.
 *
 * With a thread beside it, full blocks go round a ring: filled here, deflated there, written
 * here again in the order they were filled.  So the file, its failures and its bytes are those
 * of one thread alone.
 */
#include "indexer/segment_writer_store.h"

#include "common/base/ring.h"
#include "common/base/thread.h"
#include "common/segment/zmem.h"
#include "indexer/segment_writer_parts.h"

enum {
    STORE_BLOCKS = 8,           /* in the ring, the one being filled among them              */
    STORE_BLOCK_HUGE = 1 << 20, /* of raw bytes: such a block is waited for                   */
};

typedef struct store_block {
    uint32_t n_docs;
    buf lengths, records, deflated;
    slice huge;   /* instead of records: one that is borrowed, as the block ends with it    */
    bool refused; /* memory                                                       */
} store_block;

typedef struct store_writer {
    struct libdeflate_compressor *whole; /* of the thread that deflates, as z            */
    z_stream z;                          /* for huge blocks                              */
    bool z_open, beside;
    int level;
    uint32_t first_doc; /* of the oldest block                                          */
    store_block blocks[STORE_BLOCKS];
    unsigned filling, in_flight; /* the block being filled; those before it, given away */
    ring *given, *done;
    thread *deflater;
} store_writer;

/* ---- deflating -------------------------------------------------------------------------- */

/* Feed all of `bytes`; the output has room for everything. */
static bool deflate_part(z_stream *z, slice bytes, int flush)
{
    z->next_in = bytes.data;
    z->avail_in = (uInt)bytes.len;
    int rc = deflate(z, flush);
    return flush == Z_FINISH ? rc == Z_STREAM_END : rc == Z_OK && z->avail_in == 0;
}

static size_t block_raw_len(const store_block *b)
{
    return b->lengths.len + b->records.len + b->huge.len;
}

static bool huge_begin(store_writer *store)
{
    z_stream *z = &store->z;
    if (store->z_open) return deflateReset(z) == Z_OK;
    z->zalloc = zmem_alloc;
    z->zfree = zmem_free;
    store->z_open = deflateInit(z, store->level) == Z_OK;
    return store->z_open;
}

static bool huge_deflate(store_writer *store, store_block *b)
{
    z_stream *z = &store->z;
    if (!huge_begin(store)) return false;
    uLong bound = deflateBound(z, (uLong)block_raw_len(b));
    if (!buf_reserve(&b->deflated, bound)) return false;
    z->next_out = b->deflated.data;
    z->avail_out = (uInt)bound;
    bool ok =
        deflate_part(z, buf_slice(&b->lengths), Z_NO_FLUSH) && deflate_part(z, b->huge, Z_FINISH);
    b->deflated.len = bound - z->avail_out;
    return ok;
}

/* The records follow their lengths: one piece of memory. */
static bool whole_deflate(store_writer *store, store_block *b)
{
    buf_append(&b->lengths, b->records.data, b->records.len);
    slice raw = buf_slice(&b->lengths);
    buf_reset(&b->records);
    size_t bound = libdeflate_zlib_compress_bound(store->whole, raw.len);
    if (b->lengths.failed || !buf_reserve(&b->deflated, bound)) return false;
    b->deflated.len =
        libdeflate_zlib_compress(store->whole, raw.data, raw.len, b->deflated.data, bound);
    return b->deflated.len != 0;
}

static void block_deflate(store_writer *store, store_block *b)
{
    buf_reset(&b->deflated);
    b->refused = b->huge.len ? !huge_deflate(store, b) : !whole_deflate(store, b);
}

static void deflate_given(void *ctx)
{
    store_writer *store = ctx;
    unsigned slot, same;
    while (ring_take(store->given, &slot)) {
        block_deflate(store, &store->blocks[slot]);
        if (ring_room(store->done, &same)) ring_give(store->done, 0);
        ring_free(store->given);
    }
}

/* ---- life ------------------------------------------------------------------------------- */

bool store_writer_init(segment_writer *w)
{
    store_writer *store = mem_zalloc(sizeof *store);
    if (!store) return false;
    w->store = store;
    store->level = w->config.deflate_level;
    store->whole = zmem_compressor(store->level);
    return store->whole != NULL;
}

void segment_writer_deflate_beside(segment_writer *w)
{
    w->store->beside = true;
}

static void thread_end(store_writer *store)
{
    if (store->given) ring_end(store->given);
    thread_join(store->deflater);
    ring_close(store->given);
    ring_close(store->done);
    store->deflater = NULL;
    store->given = store->done = NULL;
}

/* Whether there is a thread to give blocks to. */
static bool thread_ready(store_writer *store)
{
    if (store->deflater || !store->beside) return store->deflater != NULL;
    if (ring_open(&store->given, STORE_BLOCKS, 1, UINT64_MAX, NULL) != PM_OK ||
        ring_open(&store->done, STORE_BLOCKS, 1, UINT64_MAX, NULL) != PM_OK ||
        thread_start(&store->deflater, deflate_given, store, NULL) != PM_OK) {
        thread_end(store); /* it may be asked for beside once more                             */
        store->beside = false;
    }
    return store->deflater != NULL;
}

static void block_free(store_block *b)
{
    buf_free(&b->lengths);
    buf_free(&b->records);
    buf_free(&b->deflated);
}

void store_writer_free(segment_writer *w)
{
    store_writer *store = w->store;
    if (!store) return;
    thread_end(store);
    if (store->z_open) deflateEnd(&store->z);
    libdeflate_free_compressor(store->whole);
    for (size_t i = 0; i < STORE_BLOCKS; i++) block_free(&store->blocks[i]);
    mem_free(store);
}

/* ---- writing ---------------------------------------------------------------------------- */

static void directory_entry(segment_writer *w, uint32_t first_doc, uint32_t raw_len)
{
    buf_u64(&w->store_dir, w->out.len - w->info.sections[SECTION_STORE].off);
    buf_u32(&w->store_dir, first_doc);
    buf_u32(&w->store_dir, raw_len);
}

/* A deflated block to the file; then it is empty. */
static void block_write(segment_writer *w, store_block *b)
{
    store_writer *store = w->store;
    size_t raw_len = block_raw_len(b);
    if (b->refused) writer_fail(w, PM_NOMEM, "memory was refused to deflate a block");
    if (!writer_bad(w)) {
        directory_entry(w, store->first_doc, (uint32_t)raw_len);
        writer_put(w, b->deflated.data, b->deflated.len);
    }
    store->first_doc += b->n_docs;
    b->n_docs = 0;
    b->huge = (slice){NULL, 0};
    buf_reset(&b->lengths);
    if (raw_len > STORE_BLOCK_HUGE) block_free(b);
}

/* Write the oldest blocks until no more than `most` are under way. */
static void collect(segment_writer *w, unsigned most)
{
    store_writer *store = w->store;
    unsigned slot;
    while (store->in_flight > most && ring_take(store->done, &slot)) {
        block_write(w, &store->blocks[slot]);
        ring_free(store->done);
        store->in_flight--;
    }
}

static void block_give(segment_writer *w, store_block *b)
{
    store_writer *store = w->store;
    unsigned slot;
    bool huge = block_raw_len(b) > STORE_BLOCK_HUGE;
    collect(w, STORE_BLOCKS - 2);
    if (!ring_room(store->given, &slot)) return;
    ring_give(store->given, 0);
    store->in_flight++;
    store->filling = (store->filling + 1) % STORE_BLOCKS;
    if (huge) collect(w, 0);
}

/* The block being filled is full. */
static void block_end(segment_writer *w)
{
    store_writer *store = w->store;
    store_block *b = &store->blocks[store->filling];
    if (!b->n_docs) return;
    writer_check_buf(w, &b->lengths);
    writer_check_buf(w, &b->records);
    if (writer_bad(w)) return;
    if (thread_ready(store)) {
        block_give(w, b);
        return;
    }
    block_deflate(store, b);
    block_write(w, b);
}

void store_writer_add(segment_writer *w, slice record)
{
    store_writer *store = w->store;
    if (record.len == 0 || record.len > STORE_RECORD_MAX) {
        writer_fail(w, PM_USAGE, "an article is larger than 64 MiB; split it");
        return;
    }
    store_block *b = &store->blocks[store->filling];
    if (b->n_docs && b->records.len + record.len > w->config.store_block_bytes) block_end(w);
    b = &store->blocks[store->filling];
    buf_varint(&b->lengths, record.len);
    bool whole = record.len > STORE_BLOCK_HUGE && record.len >= w->config.store_block_bytes;
    if (whole && !b->n_docs)
        b->huge = record;
    else
        buf_append(&b->records, record.data, record.len);
    b->n_docs++;
    if (whole || b->records.len >= w->config.store_block_bytes) block_end(w);
}

/* Blocks end, and all are in the file. */
static void flush_blocks(segment_writer *w)
{
    block_end(w);
    collect(w, 0);
}

void store_writer_raw(segment_writer *w, uint32_t n_docs, uint32_t raw_len, slice deflated)
{
    flush_blocks(w);
    if (writer_bad(w)) return;
    if (!n_docs || !deflated.len || raw_len > STORE_RAW_MAX) {
        writer_fail(w, PM_USAGE, "segment writer: an impossible raw block");
        return;
    }
    directory_entry(w, w->store->first_doc, raw_len);
    writer_put(w, deflated.data, deflated.len);
    w->store->first_doc += n_docs;
}

void store_writer_finish(segment_writer *w)
{
    flush_blocks(w);
    thread_end(w->store);
    if (writer_bad(w)) return;
    directory_entry(w, w->info.n_docs, 0);
    writer_check_buf(w, &w->marks);
    buf_append(&w->store_dir, w->marks.data, w->marks.len);
    buf_free(&w->marks);
}
