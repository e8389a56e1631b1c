/* SPDX-License-Identifier: MIT
 *
 * xapian_driver.cc - Xapian on the protocol of the comparison.
 *
 *   xapian_driver index DIR FILE FORM    terms and positions given by hand, then compacted
 *   xapian_driver search DIR             peer_protocol.h on standard input and output
 *
 * Why this way: Xapian never sees the text, so it indexes exactly the terms that pressmark
 * does.  Weights are BM25 with k1 1.2, b 0.75 and no floor under document lengths; Xapian's
 * idf differs in form, not in kind.  COUNT is asked with BoolWeight, which scores nothing.
 * Building the Query is outside the clock, the match inside.  Its own analysis is that of
 * its TermGenerator, with the English stemmer for all words; stored text is a document's data.
 */
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <xapian.h>

#include "peer_corpus.h"
#include "peer_protocol.h"
#include "peer_query.h"

namespace
{

/* Postings between flushes: keeps Xapian's own buffers near 512 MiB. */
const unsigned long FLUSH_POSTINGS = 2500000;

Xapian::termpos add_terms(Xapian::Document &doc, char *text, Xapian::termpos position)
{
    for (char *save = nullptr, *word = strtok_r(text, " ", &save); word != nullptr;
         word = strtok_r(nullptr, " ", &save))
        doc.add_posting(word, position++);
    return position;
}

Xapian::Document document_of_terms(const peer_corpus *corpus)
{
    Xapian::Document doc;
    Xapian::termpos next = add_terms(doc, corpus->title, 1);
    add_terms(doc, corpus->body, next + PEER_GAP);
    return doc;
}

Xapian::Document document_of_text(const peer_corpus *corpus, Xapian::TermGenerator *generator)
{
    Xapian::Document doc;
    generator->set_document(doc);
    generator->set_termpos(0);
    generator->index_text(corpus->title);
    generator->increase_termpos(PEER_GAP);
    generator->index_text(corpus->body);
    return doc;
}

void index_documents(const std::string &raw, peer_corpus *corpus, peer_form form)
{
    Xapian::WritableDatabase db(raw, Xapian::DB_CREATE_OR_OVERWRITE | Xapian::DB_NO_SYNC);
    Xapian::TermGenerator generator;
    generator.set_stemmer(Xapian::Stem("en"));
    generator.set_stemming_strategy(Xapian::TermGenerator::STEM_ALL);
    unsigned long pending = 0;
    while (peer_corpus_next(corpus)) {
        std::string data = corpus->id;
        if (form == PEER_STORED) data = data + '\t' + corpus->title + '\t' + corpus->body;
        Xapian::Document doc =
            form == PEER_TERMS ? document_of_terms(corpus) : document_of_text(corpus, &generator);
        doc.set_data(data);
        db.add_document(doc);
        pending += doc.termlist_count();
        if (pending < FLUSH_POSTINGS) continue;
        db.commit();
        pending = 0;
    }
    db.commit();
}

int run_index(const std::string &dir, const char *file, peer_form form)
{
    peer_corpus corpus;
    if (!peer_corpus_open(&corpus, file)) return 1;
    setenv("XAPIAN_FLUSH_THRESHOLD", "1000000000", 1);
    const std::string raw = dir + "/raw", compact = dir + "/compact";
    index_documents(raw, &corpus, form);
    peer_corpus_close(&corpus);
    uint64_t start = peer_now_ns();
    {
        Xapian::Database db(raw);
        db.compact(compact);
        printf("documents\t%lu\n", static_cast<unsigned long>(db.get_doccount()));
        printf("tokens\t%llu\n", static_cast<unsigned long long>(db.get_total_length()));
    }
    printf("finish_seconds\t%.3f\n", static_cast<double>(peer_now_ns() - start) / 1e9);
    printf("version\tXapian %s\n", Xapian::version_string());
    printf("analysis\tTermGenerator, english, STEM_ALL\n");
    std::filesystem::remove_all(raw);
    return 0;
}

Xapian::Query clause_query(const peer_clause &clause)
{
    if (clause.n == 1) return Xapian::Query(clause.words[0]);
    return Xapian::Query(Xapian::Query::OP_PHRASE, clause.words, clause.words + clause.n,
                         static_cast<Xapian::termcount>(clause.n));
}

Xapian::Query build_query(const peer_query &query)
{
    std::vector<Xapian::Query> must, should, must_not;
    for (size_t i = 0; i < query.n; i++) {
        const peer_clause &clause = query.clauses[i];
        (clause.sign == '+'   ? must
         : clause.sign == '-' ? must_not
                              : should)
            .push_back(clause_query(clause));
    }
    Xapian::Query result;
    if (must.empty()) {
        result = Xapian::Query(Xapian::Query::OP_OR, should.begin(), should.end());
    } else {
        result = Xapian::Query(Xapian::Query::OP_AND, must.begin(), must.end());
        if (!should.empty())
            result =
                Xapian::Query(Xapian::Query::OP_AND_MAYBE, result,
                              Xapian::Query(Xapian::Query::OP_OR, should.begin(), should.end()));
    }
    if (must_not.empty()) return result;
    return Xapian::Query(Xapian::Query::OP_AND_NOT, result,
                         Xapian::Query(Xapian::Query::OP_OR, must_not.begin(), must_not.end()));
}

bool answer_request(void *ctx, const peer_request *request, peer_answer *answer)
{
    const Xapian::Database &db = *static_cast<Xapian::Database *>(ctx);
    peer_query query;
    if (!peer_query_parse(&query, request->query)) {
        fprintf(stderr, "xapian_driver: not a query\n");
        return false;
    }
    Xapian::Enquire enquire(db);
    enquire.set_query(build_query(query));
    if (request->k == 0)
        enquire.set_weighting_scheme(Xapian::BoolWeight());
    else
        enquire.set_weighting_scheme(Xapian::BM25Weight(1.2, 0, 1, 0.75, 0));
    const Xapian::doccount check = request->count ? db.get_doccount() : 0;

    uint64_t start = peer_now_ns();
    Xapian::MSet mset = enquire.get_mset(0, static_cast<Xapian::doccount>(request->k), check);
    answer->count = request->count ? mset.get_matches_estimated() : mset.size();
    answer->took_ns = peer_now_ns() - start;

    if (request->count && mset.get_matches_lower_bound() != mset.get_matches_upper_bound()) {
        fprintf(stderr, "xapian_driver: the count is not exact\n");
        return false;
    }
    return true;
}

} // namespace

int main(int argc, char **argv)
{
    try {
        peer_form form = argc == 5 ? peer_form_named(argv[4]) : PEER_NO_FORM;
        if (form != PEER_NO_FORM && strcmp(argv[1], "index") == 0)
            return run_index(argv[2], argv[3], form);
        if (argc == 3 && strcmp(argv[1], "search") == 0) {
            Xapian::Database db(std::string(argv[2]) + "/compact");
            return peer_serve(answer_request, &db);
        }
    } catch (const Xapian::Error &error) {
        fprintf(stderr, "xapian_driver: %s\n", error.get_description().c_str());
        return 1;
    }
    fprintf(stderr, "usage: xapian_driver index DIR FILE terms|text|stored | search DIR\n");
    return 2;
}
