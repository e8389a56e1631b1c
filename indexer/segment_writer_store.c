/* SPDX-License-Identifier: MIT
 * segment_writer_store.c - stored records into deflated blocks, each written as soon as it is
 * full (FORMAT.md, "stored records").  Takes records in document order, gives the sections
 * "store" and "store-dir".  The one writer of zlib.
 *
 *   raw block: length of each record (varint), then the records
 */
#include "common/segment/zmem.h"
#include "indexer/segment_writer_parts.h"

typedef struct store_writer {
    z_stream z;
    bool open;
    uint32_t n_docs, first_doc; /* of the block being filled                            */
    buf lengths, records, deflated;
} store_writer;

bool store_writer_init(segment_writer *w)
{
    store_writer *store = mem_zalloc(sizeof *store);
    if (!store) return false;
    w->store = store;
    store->z.zalloc = zmem_alloc;
    store->z.zfree = zmem_free;
    store->open = deflateInit(&store->z, w->config.zlib_level) == Z_OK;
    return store->open;
}

void store_writer_free(segment_writer *w)
{
    if (!w->store) return;
    if (w->store->open) deflateEnd(&w->store->z);
    buf_free(&w->store->lengths);
    buf_free(&w->store->records);
    buf_free(&w->store->deflated);
    mem_free(w->store);
    w->store = NULL;
}

static void directory_entry(segment_writer *w, uint32_t first_doc, uint32_t raw_len)
{
    buf_u64(&w->store_dir, w->out.len - w->info.sections[SECTION_STORE].off);
    buf_u32(&w->store_dir, first_doc);
    buf_u32(&w->store_dir, raw_len);
}

/* Feed all of `bytes`; the output has room for everything. */
static bool deflate_part(z_stream *z, slice bytes, int flush)
{
    z->next_in = bytes.data;
    z->avail_in = (uInt)bytes.len;
    int rc = deflate(z, flush);
    return flush == Z_FINISH ? rc == Z_STREAM_END : rc == Z_OK && z->avail_in == 0;
}

static void block_write(segment_writer *w)
{
    store_writer *store = w->store;
    size_t raw_len = store->lengths.len + store->records.len;
    if (!store->n_docs || writer_bad(w)) return;
    writer_check_buf(w, &store->lengths);
    writer_check_buf(w, &store->records);
    deflateReset(&store->z);
    uLong bound = deflateBound(&store->z, (uLong)raw_len);
    buf_reset(&store->deflated);
    if (!buf_reserve(&store->deflated, bound)) writer_check_buf(w, &store->deflated);
    if (writer_bad(w)) return;
    store->z.next_out = store->deflated.data;
    store->z.avail_out = (uInt)bound;
    if (!deflate_part(&store->z, buf_slice(&store->lengths), Z_NO_FLUSH) ||
        !deflate_part(&store->z, buf_slice(&store->records), Z_FINISH)) {
        writer_fail(w, PM_NOMEM, "zlib refused to deflate a block");
        return;
    }
    directory_entry(w, store->first_doc, (uint32_t)raw_len);
    writer_put(w, store->deflated.data, bound - store->z.avail_out);
    store->first_doc += store->n_docs;
    store->n_docs = 0;
    buf_reset(&store->lengths);
    buf_reset(&store->records);
}

void store_writer_add(segment_writer *w, slice record)
{
    store_writer *store = w->store;
    if (record.len == 0 || record.len > STORE_RECORD_MAX) {
        writer_fail(w, PM_USAGE, "an article is larger than 64 MiB; split it");
        return;
    }
    if (store->n_docs && store->records.len + record.len > w->config.store_block_bytes)
        block_write(w);
    buf_varint(&store->lengths, record.len);
    buf_append(&store->records, record.data, record.len);
    store->n_docs++;
    if (store->records.len >= w->config.store_block_bytes) block_write(w);
}

void store_writer_raw(segment_writer *w, uint32_t n_docs, uint32_t raw_len, slice deflated)
{
    block_write(w);
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
    block_write(w);
    if (writer_bad(w)) return;
    directory_entry(w, w->info.n_docs, 0);
}
