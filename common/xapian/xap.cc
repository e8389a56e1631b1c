/* SPDX-License-Identifier: MIT
 *
 * xap.cc - the shim: Xapian behind the functions of xap.h, built as pressmark-xapian.so.
 *
 * The source is MIT; the shared object links libxapian, which is GPL-2+, so the object, as it is
 * given away, is under the GPL.  Nothing of the core links it: it is opened when an index asks for
 * it.
 *
 * One idea: each function is a body handed to `guarded`, which lets nothing out but a status.
 * What was thrown is named in one place, `translate`.  Written for Xapian 1.4; what later series
 * changed stands behind XAPIAN_AT_LEAST.
 */
#include "common/xapian/xap.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <xapian.h>

#ifdef XAP_TEST
#include "tests/support/xap_throw.h"
#else
static inline void test_point() {}
#endif

#include "common/xapian/xap_weight.hpp"

struct xap_db {
    Xapian::Database db;
    std::string text; /* what was given out last                                            */
};

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

struct xap_query {
    Xapian::Query query;
};

struct xap_hits {
    Xapian::MSet set;
    bool by_slot = false; /* sorted by a value, which each hit has with it                      */
    uint32_t slot = 0;
    bool fetched = false;
    std::string text;
};

namespace
{

/* ---- what is thrown ---------------------------------------------------------------------- */

void say(char *to, size_t room, const char *text)
{
    snprintf(to, room, "%s", text ? text : "");
}

pm_status tell(xap_error *e, pm_status status, const char *type, const char *message,
               const char *context = "")
{
    e->status = status;
    say(e->type, sizeof e->type, type);
    say(e->message, sizeof e->message, message);
    say(e->context, sizeof e->context, context);
    return status;
}

/* The system's words for what went wrong, where there are any. */
void add_cause(xap_error *e, const Xapian::Error &x)
{
    const char *cause = x.get_error_string();
    size_t used = strlen(e->message);
    if (cause && *cause) snprintf(e->message + used, sizeof e->message - used, ": %s", cause);
}

struct class_status {
    const char *type;
    pm_status status;
};

/* By name, as Xapian's classes have no other number; classes that are not here are PM_IO. */
const class_status statuses[] = {
    {"DatabaseLockError", PM_BUSY},
    {"DatabaseCorruptError", PM_CORRUPT},
    {"DocNotFoundError", PM_CORRUPT},
    {"SerialisationError", PM_CORRUPT},
    {"DatabaseVersionError", PM_USAGE},
    {"DatabaseClosedError", PM_USAGE},
    {"FeatureUnavailableError", PM_USAGE},
    {"InvalidArgumentError", PM_USAGE},
    {"InvalidOperationError", PM_USAGE},
    {"UnimplementedError", PM_USAGE},
    {"QueryParserError", PM_USAGE},
    {"WildcardError", PM_USAGE},
    {"RangeError", PM_USAGE},
};

pm_status status_of(const char *type)
{
    for (const class_status &c : statuses)
        if (!strcmp(c.type, type)) return c.status;
    return PM_IO;
}

/* Of a folder without a root file Xapian knows no cause. */
bool is_absent(const Xapian::Error &x)
{
    const char *type = x.get_type(), *cause = x.get_error_string();
    return !strcmp(type, "DatabaseNotFoundError") ||
           (!strcmp(type, "DatabaseOpeningError") && (!cause || !strcmp(cause, strerror(ENOENT))));
}

/* A file that ends before a block of it is damaged; Xapian has no class for that. */
bool is_cut(const Xapian::Error &x)
{
    return !strcmp(x.get_type(), "DatabaseError") && !x.get_msg().compare(0, 11, "EOF reading");
}

pm_status tell_xapian(xap_error *e, const Xapian::Error &x)
{
    const char *type = x.get_type();
    pm_status status = is_cut(x) ? PM_CORRUPT : status_of(type);
    tell(e, status, type, x.get_msg().c_str(), x.get_context().c_str());
    e->modified = !strcmp(type, "DatabaseModifiedError");
    e->network = !strncmp(type, "Network", 7);
    e->absent = is_absent(x);
    add_cause(e, x);
    return e->status;
}

/* Called where something was caught; names it.  Naming may run out of memory itself. */
pm_status translate(xap_error *e) noexcept
{
    try {
        throw;
    } catch (const Xapian::Error &x) {
        try {
            return tell_xapian(e, x);
        } catch (...) {
            return tell(e, PM_NOMEM, "std::bad_alloc", "memory was refused");
        }
    } catch (const std::bad_alloc &) {
        return tell(e, PM_NOMEM, "std::bad_alloc", "memory was refused");
    } catch (const std::length_error &x) {
        return tell(e, PM_NOMEM, "std::length_error", x.what());
    } catch (const std::exception &x) {
        return tell(e, PM_IO, "std::exception", x.what());
    } catch (...) {
        return tell(e, PM_IO, "unknown", "something that is no exception was thrown");
    }
}

template <typename Body> pm_status guarded(xap_error *e, Body &&body) noexcept
{
    memset(e, 0, sizeof *e);
    try {
        test_point();
        body();
        return PM_OK;
    } catch (...) {
        return translate(e);
    }
}

/* For what has nobody to tell: freeing. */
template <typename Body> void quietly(Body &&body) noexcept
{
    try {
        body();
    } catch (...) {
        return;
    }
}

std::string text_of(pm_text t)
{
    return t.len ? std::string(t.data, t.len) : std::string();
}

pm_text lend(std::string &keep, std::string &&text)
{
    keep = std::move(text);
    return pm_text{keep.data(), keep.size()};
}

/* Where memory ends Xapian 1.4 frees twice a part of a phrase that it makes ready, and lets an
 * exception out of the destructor that writes values after a deletion.  So memory that it might
 * want is asked for, and given back, before: where there is none, it ends here. */
void ask_for_reserve()
{
    std::vector<char> reserve(1 << 20);
    reserve.back() = 1;
}

/* ---- reading ----------------------------------------------------------------------------- */

pm_status db_new(xap_db **out, xap_error *e)
{
    *out = nullptr;
    return guarded(e, [&] { *out = new xap_db; });
}

pm_status db_add_local(xap_db *db, const char *path, xap_error *e)
{
    return guarded(e, [&] { db->db.add_database(Xapian::Database(path)); });
}

pm_status db_add_remote(xap_db *db, const char *host, uint32_t port, uint32_t timeout_ms,
                        uint32_t connect_ms, bool ask, xap_error *e)
{
    return guarded(e, [&] {
        Xapian::Database one = Xapian::Remote::open(host, port, timeout_ms, connect_ms);
        if (ask) one.keep_alive();
        db->db.add_database(one);
    });
}

void db_free(xap_db *db)
{
    quietly([&] { delete db; });
}

pm_status db_reopen(xap_db *db, xap_error *e)
{
    return guarded(e, [&] { db->db.reopen(); });
}

pm_status db_stats(xap_db *db, xap_stats *out, xap_error *e)
{
    *out = xap_stats{};
    return guarded(e, [&] {
        xap_stats s{};
        s.n_docs = db->db.get_doccount();
        s.last_docid = db->db.get_lastdocid();
        s.n_tokens = db->db.get_total_length();
        *out = s;
    });
}

pm_status db_term(xap_db *db, pm_text term, uint64_t *df, uint64_t *cf, xap_error *e)
{
    *df = *cf = 0;
    return guarded(e, [&] {
        std::string name = text_of(term);
        uint64_t n = db->db.get_termfreq(name);
        *cf = n ? db->db.get_collection_freq(name) : 0;
        *df = n;
    });
}

pm_status db_metadata(xap_db *db, pm_text key, pm_text *out, xap_error *e)
{
    *out = pm_text{"", 0};
    return guarded(e, [&] { *out = lend(db->text, db->db.get_metadata(text_of(key))); });
}

pm_status db_record(xap_db *db, uint32_t docid, pm_text *out, xap_error *e)
{
    *out = pm_text{"", 0};
    return guarded(e, [&] { *out = lend(db->text, db->db.get_document(docid).get_data()); });
}

pm_status db_value(xap_db *db, uint32_t docid, uint32_t slot, pm_text *out, xap_error *e)
{
    *out = pm_text{"", 0};
    return guarded(e, [&] { *out = lend(db->text, db->db.get_document(docid).get_value(slot)); });
}

pm_status db_length(xap_db *db, uint32_t docid, uint32_t *out, xap_error *e)
{
    *out = 0;
    return guarded(e, [&] { *out = db->db.get_doclength(docid); });
}

pm_status db_occurrences(xap_db *db, pm_text term, uint32_t docid, uint32_t *wdf,
                         uint32_t *n_positions, xap_error *e)
{
    *wdf = *n_positions = 0;
    return guarded(e, [&] {
        std::string name = text_of(term);
        auto at = db->db.postlist_begin(name);
        at.skip_to(docid);
        if (at == db->db.postlist_end(name) || *at != docid) return;
        uint32_t n = 0;
        for (auto p = db->db.positionlist_begin(docid, name);
             p != db->db.positionlist_end(docid, name); ++p)
            n++;
        *wdf = at.get_wdf();
        *n_positions = n;
    });
}

pm_status db_each_term(xap_db *db, bool (*fn)(void *ctx, pm_text term, uint64_t df), void *ctx,
                       xap_error *e)
{
    return guarded(e, [&] {
        for (auto at = db->db.allterms_begin(); at != db->db.allterms_end(); ++at) {
            std::string name = *at;
            if (!fn(ctx, pm_text{name.data(), name.size()}, at.get_termfreq())) return;
        }
    });
}

pm_status db_has_positions(xap_db *db, bool *out, xap_error *e)
{
    *out = false;
    return guarded(e, [&] { *out = db->db.has_positions(); });
}

/* Each database of pressmark's making has such lists: one that has none has lost their file. */
pm_status db_each_term_of(xap_db *db, uint32_t docid,
                          bool (*fn)(void *ctx, pm_text term, uint32_t wdf, uint32_t n_positions),
                          void *ctx, xap_error *e)
{
    return guarded(e, [&] {
        try {
            for (auto at = db->db.termlist_begin(docid); at != db->db.termlist_end(docid); ++at) {
                std::string name = *at;
                if (!fn(ctx, pm_text{name.data(), name.size()}, at.get_wdf(),
                        at.positionlist_count()))
                    return;
            }
        } catch (const Xapian::FeatureUnavailableError &x) {
            throw Xapian::DatabaseCorruptError(x.get_msg());
        }
    });
}

pm_status db_each_posting(xap_db *db, pm_text term,
                          bool (*fn)(void *ctx, uint32_t docid, uint32_t wdf), void *ctx,
                          xap_error *e)
{
    return guarded(e, [&] {
        std::string name = text_of(term);
        for (auto at = db->db.postlist_begin(name); at != db->db.postlist_end(name); ++at)
            if (!fn(ctx, *at, at.get_wdf())) return;
    });
}

pm_status db_each_position(xap_db *db, pm_text term, uint32_t docid,
                           bool (*fn)(void *ctx, uint32_t position), void *ctx, xap_error *e)
{
    return guarded(e, [&] {
        std::string name = text_of(term);
        for (auto at = db->db.positionlist_begin(docid, name);
             at != db->db.positionlist_end(docid, name); ++at)
            if (!fn(ctx, *at)) return;
    });
}

pm_status db_each_metadata(xap_db *db, pm_text prefix, bool (*fn)(void *ctx, pm_text key),
                           void *ctx, xap_error *e)
{
    return guarded(e, [&] {
        std::string begin = text_of(prefix);
        for (auto at = db->db.metadata_keys_begin(begin); at != db->db.metadata_keys_end(begin);
             ++at) {
            std::string key = *at;
            if (!fn(ctx, pm_text{key.data(), key.size()})) return;
        }
    });
}

class Watched : public Xapian::Compactor
{
    bool (*go_on)(void *ctx);
    void *ctx;

  public:
    Watched(bool (*fn)(void *ctx), void *of) : go_on(fn), ctx(of) {}
    void set_status(const std::string &, const std::string &) override
    {
        test_point();
        if (!go_on(ctx)) throw Xapian::DatabaseError("stopped");
    }
};

pm_status db_compact(xap_db *db, const char *folder, bool (*go_on)(void *ctx), void *ctx,
                     xap_error *e)
{
    return guarded(e, [&] {
        Watched watched(go_on, ctx);
        db->db.compact(folder, Xapian::Compactor::FULL | Xapian::DBCOMPACT_NO_RENUMBER, 0, watched);
    });
}

/* Why a database does not open is for others to say. */
pm_status revision(const char *path, uint64_t *out, xap_error *e)
{
    *out = 0;
    return guarded(e, [&] {
        try {
            *out = Xapian::Database(path).get_revision();
        } catch (const Xapian::Error &) {
            *out = 0;
        }
    });
}

pm_status check(const char *path, void (*line)(void *ctx, const char *text), void *ctx,
                uint64_t *findings, xap_error *e)
{
    *findings = 0;
    return guarded(e, [&] {
        std::ostringstream said;
        size_t n = Xapian::Database::check(path, 0, &said);
        std::istringstream lines(said.str());
        for (std::string one; n && std::getline(lines, one);) line(ctx, one.c_str());
        *findings = n;
    });
}

/* ---- queries ----------------------------------------------------------------------------- */

pm_status query_made(xap_query **out, Xapian::Query &&query)
{
    *out = new xap_query{std::move(query)};
    return PM_OK;
}

pm_status query_term(pm_text term, xap_query **out, xap_error *e)
{
    *out = nullptr;
    return guarded(e, [&] { query_made(out, Xapian::Query(text_of(term))); });
}

pm_status query_everything(xap_query **out, xap_error *e)
{
    *out = nullptr;
    return guarded(e, [&] { query_made(out, Xapian::Query(std::string())); });
}

Xapian::Query::op op_of(xap_op op)
{
    switch (op) {
    case XAP_OR:
        return Xapian::Query::OP_OR;
    case XAP_AND:
        return Xapian::Query::OP_AND;
    case XAP_AND_NOT:
        return Xapian::Query::OP_AND_NOT;
    case XAP_AND_MAYBE:
        return Xapian::Query::OP_AND_MAYBE;
    case XAP_PHRASE:
        return Xapian::Query::OP_PHRASE;
    case XAP_NEAR:
        return Xapian::Query::OP_NEAR;
    }
    throw Xapian::InvalidArgumentError("no such operator");
}

pm_status query_group(xap_op op, const xap_query *const *parts, size_t n, uint32_t window,
                      xap_query **out, xap_error *e)
{
    *out = nullptr;
    return guarded(e, [&] {
        std::vector<Xapian::Query> all;
        all.reserve(n);
        for (size_t i = 0; i < n; i++) all.push_back(parts[i]->query);
        query_made(out, Xapian::Query(op_of(op), all.begin(), all.end(), window));
    });
}

pm_status query_scale(const xap_query *query, double factor, xap_query **out, xap_error *e)
{
    *out = nullptr;
    return guarded(e, [&] {
        query_made(out, Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, query->query, factor));
    });
}

pm_status query_between(uint32_t slot, pm_text low, pm_text high, xap_query **out, xap_error *e)
{
    *out = nullptr;
    return guarded(e, [&] {
        if (high.len)
            query_made(out, Xapian::Query(Xapian::Query::OP_VALUE_RANGE, slot, text_of(low),
                                          text_of(high)));
        else
            query_made(out, Xapian::Query(Xapian::Query::OP_VALUE_GE, slot, text_of(low)));
    });
}

pm_status query_by_positions(pm_text term, double factor, double k1, double b, double avgdl,
                             xap_query **out, xap_error *e)
{
    *out = nullptr;
    return guarded(e, [&] {
        Xapian::PostingSource *source = new PositionsSource(text_of(term), factor, k1, b, avgdl);
        query_made(out, Xapian::Query(source->release()));
    });
}

void query_free(xap_query *query)
{
    quietly([&] { delete query; });
}

/* ---- searching --------------------------------------------------------------------------- */

/* min_normlen 0: lengths count as they are.  k3 is of no use: no term stands twice in a query. */
void set_weights(Xapian::Enquire &enquire, const xap_spec *spec)
{
    if (spec->own_weights)
        enquire.set_weighting_scheme(OwnWeight(spec->k1, spec->b));
    else
        enquire.set_weighting_scheme(Xapian::BM25Weight(spec->k1, 0, 1, spec->b, 0));
}

pm_status search(xap_db *db, const xap_query *query, const xap_spec *spec, xap_hits **out,
                 xap_error *e)
{
    *out = nullptr;
    return guarded(e, [&] {
        ask_for_reserve();
        Xapian::Enquire enquire(db->db);
        enquire.set_query(query->query);
        set_weights(enquire, spec);
        if (spec->by_slot) enquire.set_sort_by_relevance_then_value(spec->slot, false);
        Xapian::MSet set = enquire.get_mset(0, spec->limit, spec->check_at_least);
        xap_hits *hits = new xap_hits;
        hits->set = set;
        hits->by_slot = spec->by_slot;
        hits->slot = spec->slot;
        *out = hits;
    });
}

void hits_free(xap_hits *hits)
{
    quietly([&] { delete hits; });
}

uint32_t hits_n(const xap_hits *hits)
{
    return hits->set.size();
}

uint64_t hits_matches(const xap_hits *hits)
{
    return hits->set.get_matches_estimated();
}

pm_status hits_get(const xap_hits *hits, uint32_t i, xap_hit *out, xap_error *e)
{
    *out = xap_hit{};
    return guarded(e, [&] {
        Xapian::MSetIterator at = hits->set[i];
        *out = xap_hit{*at, at.get_weight()};
    });
}

Xapian::Document hit_document(xap_hits *hits, uint32_t i)
{
    if (!hits->fetched) hits->set.fetch();
    hits->fetched = true;
    return hits->set[i].get_document();
}

pm_status hits_record(xap_hits *hits, uint32_t i, pm_text *out, xap_error *e)
{
    *out = pm_text{"", 0};
    return guarded(e, [&] { *out = lend(hits->text, hit_document(hits, i).get_data()); });
}

pm_status hits_value(xap_hits *hits, uint32_t i, uint32_t slot, pm_text *out, xap_error *e)
{
    *out = pm_text{"", 0};
    return guarded(e, [&] {
        bool here = hits->by_slot && hits->slot == slot;
        *out = lend(hits->text,
                    here ? hits->set[i].get_sort_key() : hit_document(hits, i).get_value(slot));
    });
}

/* ---- writing ----------------------------------------------------------------------------- */

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

const xap_api api = {
    .version = XAP_VERSION,
    .engine = XAPIAN_VERSION,
    .db_new = db_new,
    .db_add_local = db_add_local,
    .db_add_remote = db_add_remote,
    .db_free = db_free,
    .db_reopen = db_reopen,
    .db_stats = db_stats,
    .db_term = db_term,
    .db_metadata = db_metadata,
    .db_record = db_record,
    .db_value = db_value,
    .db_length = db_length,
    .db_occurrences = db_occurrences,
    .db_has_positions = db_has_positions,
    .db_each_term = db_each_term,
    .db_each_term_of = db_each_term_of,
    .db_each_posting = db_each_posting,
    .db_each_position = db_each_position,
    .db_each_metadata = db_each_metadata,
    .db_compact = db_compact,
    .revision = revision,
    .check = check,
    .query_term = query_term,
    .query_everything = query_everything,
    .query_group = query_group,
    .query_scale = query_scale,
    .query_between = query_between,
    .query_by_positions = query_by_positions,
    .query_free = query_free,
    .search = search,
    .hits_free = hits_free,
    .hits_n = hits_n,
    .hits_matches = hits_matches,
    .hits_get = hits_get,
    .hits_record = hits_record,
    .hits_value = hits_value,
    .doc_new = doc_new,
    .doc_clear = doc_clear,
    .doc_record = doc_record,
    .doc_value = doc_value,
    .doc_term = doc_term,
    .doc_position = doc_position,
    .doc_free = doc_free,
    .writer_open = writer_open,
    .writer_db = writer_db,
    .writer_add = writer_add,
    .writer_delete = writer_delete,
    .writer_metadata = writer_metadata,
    .writer_pending = writer_pending,
    .writer_flush = writer_flush,
    .writer_commit = writer_commit,
    .writer_free = writer_free,
};

} /* namespace */

extern "C" const xap_api *pressmark_xapian(uint32_t version)
{
    return version == XAP_VERSION ? &api : nullptr;
}
