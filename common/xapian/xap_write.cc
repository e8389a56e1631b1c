/* SPDX-License-Identifier: MIT
 *
 * xap_write.cc - a part of the shim: documents made, and one database written.
 */
#include "common/xapian/xap_shim.hpp"

#include <cstdlib>

struct xap_writer {
    Xapian::WritableDatabase db;
    xap_db view; /* the same database                                                       */
    bool open = false;
    unsigned threshold = 0; /* of changed documents, at which Xapian flushes                   */
    unsigned changed = 0;   /* since it did                                                     */
    uint64_t pending = 0;   /* bytes, about                                                     */
};

struct xap_doc {
    Xapian::Document doc;
};

namespace
{

using namespace shim;

pm_status doc_new(xap_doc **out, xap_error *e)
{
    *out = nullptr;
    return guarded(e, [&] { *out = new xap_doc; });
}

/* A new one: clearing would keep what was read of an old one. */
pm_status doc_clear(xap_doc *doc, xap_error *e)
{
    return guarded(e, [&] { doc->doc = Xapian::Document(); });
}

pm_status doc_record(xap_doc *doc, pm_text record, xap_error *e)
{
    return guarded(e, [&] { doc->doc.set_data(text_of(record)); });
}

pm_status doc_value(xap_doc *doc, uint32_t slot, pm_text value, xap_error *e)
{
    return guarded(e, [&] { doc->doc.add_value(slot, text_of(value)); });
}

pm_status doc_term(xap_doc *doc, pm_text term, uint32_t count, xap_error *e)
{
    return guarded(e, [&] { doc->doc.add_term(text_of(term), count); });
}

pm_status doc_position(xap_doc *doc, pm_text term, uint32_t position, bool counted, xap_error *e)
{
    return guarded(e, [&] { doc->doc.add_posting(text_of(term), position, counted); });
}

void doc_free(xap_doc *doc)
{
    quietly([&] { delete doc; });
}

void writer_free(xap_writer *w)
{
    if (!w) return;
    quietly([&] {
        if (w->open) w->db.cancel_transaction();
    });
    quietly([&] { w->db.close(); });
    quietly([&] { delete w; });
}

/* As Xapian reads it. */
unsigned flush_threshold()
{
    const char *given = getenv("XAPIAN_FLUSH_THRESHOLD");
    int n = given ? atoi(given) : 0;
    return n ? static_cast<unsigned>(n) : 10000;
}

pm_status writer_open(const char *path, bool make, xap_writer **out, xap_error *e)
{
    *out = nullptr;
    xap_writer *w = nullptr;
    pm_status st = guarded(e, [&] {
        w = new xap_writer;
        w->db =
            Xapian::WritableDatabase(path, make ? Xapian::DB_CREATE_OR_OVERWRITE : Xapian::DB_OPEN);
        w->view.db = w->db;
        w->threshold = flush_threshold();
        w->db.begin_transaction();
        w->open = true;
    });
    if (st == PM_OK)
        *out = w;
    else
        writer_free(w);
    return st;
}

xap_db *writer_db(xap_writer *w)
{
    return &w->view;
}

/* A posting and a list of positions are nodes of two maps, of 48 and 80 bytes; a term that is new
 * in them takes 240 besides, which on average is some 20 a posting. */
enum { POSTING_BYTES = 150, DOCUMENT_BYTES = 600, NUDGES_MOST = 1 << 20 };

void count_change(xap_writer *w, uint64_t n_terms)
{
    w->pending += n_terms * POSTING_BYTES + DOCUMENT_BYTES;
    if (++w->changed >= w->threshold) w->changed = 0;
}

pm_status writer_add(xap_writer *w, const xap_doc *doc, uint32_t *docid, xap_error *e)
{
    *docid = 0;
    return guarded(e, [&] {
        *docid = w->db.add_document(doc->doc);
        count_change(w, doc->doc.termlist_count());
    });
}

pm_status writer_delete(xap_writer *w, uint32_t docid, xap_error *e)
{
    return guarded(e, [&] {
        uint64_t n_terms = w->db.get_unique_terms(docid);
        w->db.delete_document(docid);
        count_change(w, n_terms);
    });
}

pm_status writer_metadata(xap_writer *w, pm_text key, pm_text value, xap_error *e)
{
    return guarded(e, [&] { w->db.set_metadata(text_of(key), text_of(value)); });
}

uint64_t writer_pending(const xap_writer *w)
{
    return w->pending;
}

/* Xapian has no call for this.  Within a transaction it puts pending postings and positions into
 * tables, invisibly, when as many documents have changed as its threshold says.  So one is written
 * again, as it is and no more of it than its values, until they have: 10,000 times take 3 ms. */
void reach_threshold(xap_writer *w, Xapian::docid id, const Xapian::Document &same)
{
    for (; w->changed < w->threshold; w->changed++) w->db.replace_document(id, same);
    w->changed = 0;
}

/* Pending values go when a stream of them is asked for after a change.  After the postings, as it
 * is a destructor that writes them, which must not be the first to need memory for the table. */
pm_status writer_flush(xap_writer *w, xap_error *e)
{
    return guarded(e, [&] {
        auto any = w->db.postlist_begin(std::string());
        if (any == w->db.postlist_end(std::string()) || w->threshold > NUDGES_MOST) return;
        Xapian::docid id = *any;
        Xapian::Document same = w->db.get_document(id);
        same.values_count(); /* reads them, which counts as a change                            */
        reach_threshold(w, id, same);
        w->db.replace_document(id, same);
        w->changed = 1;
        ask_for_reserve();
        w->db.valuestream_begin(0);
        w->pending = 0;
    });
}

pm_status writer_commit(xap_writer *w, xap_error *e)
{
    return guarded(e, [&] {
        w->db.commit_transaction();
        w->open = false;
        w->changed = 0;
        w->pending = 0;
        w->db.begin_transaction();
        w->open = true;
    });
}

} /* namespace */

void shim::fill_writing(xap_api *api)
{
    api->doc_new = doc_new;
    api->doc_clear = doc_clear;
    api->doc_record = doc_record;
    api->doc_value = doc_value;
    api->doc_term = doc_term;
    api->doc_position = doc_position;
    api->doc_free = doc_free;
    api->writer_open = writer_open;
    api->writer_db = writer_db;
    api->writer_add = writer_add;
    api->writer_delete = writer_delete;
    api->writer_metadata = writer_metadata;
    api->writer_pending = writer_pending;
    api->writer_flush = writer_flush;
    api->writer_commit = writer_commit;
    api->writer_free = writer_free;
}
