/* SPDX-License-Identifier: MIT
 *
 * peer_xapian.cc - Xapian as a peer: default backend (glass) and flags.
 *
 * commit() "ensures that the modifications are durable" (its documentation of
 * WritableDatabase::commit), which is the promise that is tested.  Exceptions end here.
 */
#include <string>

#include <xapian.h>

#include "peer.h"

namespace
{

/* f(), or `otherwise` and why. */
template <typename T, typename F> T guarded(T otherwise, char *why, F f)
{
    try {
        return f();
    } catch (const Xapian::Error &e) {
        peer_explain(why, e.get_description().c_str());
    } catch (const std::exception &e) {
        peer_explain(why, e.what());
    }
    return otherwise;
}

void *writer_open(const char *folder, char *why)
{
    return guarded<void *>(nullptr, why, [&] {
        return new Xapian::WritableDatabase(std::string(folder) + "/xapian",
                                            Xapian::DB_CREATE_OR_OPEN);
    });
}

bool put(void *writer, unsigned number, const char *text, char *why)
{
    return guarded(false, why, [&] {
        Xapian::Document doc;
        Xapian::TermGenerator words;
        words.set_document(doc);
        words.index_text(text);
        doc.set_data(text);
        static_cast<Xapian::WritableDatabase *>(writer)->replace_document(number, doc);
        return true;
    });
}

bool commit(void *writer, char *why)
{
    return guarded(false, why, [&] {
        static_cast<Xapian::WritableDatabase *>(writer)->commit();
        return true;
    });
}

void writer_close(void *writer)
{
    char why[PEER_WHY];
    guarded(false, why, [&] {
        delete static_cast<Xapian::WritableDatabase *>(writer);
        return true;
    });
}

void *reader_open(const char *folder, char *why)
{
    return guarded<void *>(nullptr, why,
                           [&] { return new Xapian::Database(std::string(folder) + "/xapian"); });
}

Xapian::Query all_of(const std::string &words)
{
    Xapian::Query query = Xapian::Query::MatchAll;
    for (size_t at = 0, end; at < words.size(); at = end + 1) {
        end = words.find(' ', at);
        if (end == std::string::npos) end = words.size();
        Xapian::Query word(words.substr(at, end - at));
        query = at ? Xapian::Query(Xapian::Query::OP_AND, query, word) : word;
    }
    return query;
}

void find(const Xapian::Database &db, const char *words, peer_hits *out)
{
    Xapian::Enquire enquire(db);
    enquire.set_query(all_of(words));
    Xapian::MSet found = enquire.get_mset(0, PEER_HITS);
    out->n = 0;
    for (Xapian::MSetIterator i = found.begin(); i != found.end() && out->n < PEER_HITS; ++i) {
        const std::string text = i.get_document().get_data();
        out->hits[out->n++] = {*i, i.get_weight(), peer_sum(text.data(), text.size())};
    }
}

/* A DatabaseModifiedError asks for another try on the newest revision: it gets one. */
bool search(void *reader, const char *words, peer_hits *out, char *why)
{
    return guarded(false, why, [&] {
        Xapian::Database &db = *static_cast<Xapian::Database *>(reader);
        try {
            find(db, words, out);
        } catch (const Xapian::DatabaseModifiedError &) {
            db.reopen();
            find(db, words, out);
        }
        return true;
    });
}

void reader_close(void *reader)
{
    delete static_cast<Xapian::Database *>(reader);
}

} // namespace

const peer peer_xapian = {"Xapian",     "",          writer_open, put,         commit,
                          writer_close, reader_open, search,      reader_close};
