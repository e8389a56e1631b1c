/* SPDX-License-Identifier: MIT
 *
 * xap_read.cc - a part of the shim: databases, read.
 */
#include "common/xapian/xap_shim.hpp"

#include <sstream>

namespace
{

using namespace shim;

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

} /* namespace */

void shim::fill_reading(xap_api *api)
{
    api->db_new = db_new;
    api->db_add_local = db_add_local;
    api->db_add_remote = db_add_remote;
    api->db_free = db_free;
    api->db_reopen = db_reopen;
    api->db_stats = db_stats;
    api->db_term = db_term;
    api->db_metadata = db_metadata;
    api->db_record = db_record;
    api->db_value = db_value;
    api->db_length = db_length;
    api->db_occurrences = db_occurrences;
    api->db_has_positions = db_has_positions;
    api->db_each_term = db_each_term;
    api->db_each_term_of = db_each_term_of;
    api->db_each_posting = db_each_posting;
    api->db_each_position = db_each_position;
    api->db_each_metadata = db_each_metadata;
    api->db_compact = db_compact;
    api->revision = revision;
    api->check = check;
}
