/* SPDX-License-Identifier: MIT
 *
 * xap_weight.hpp - a part of the shim: pressmark's BM25 inside Xapian's matcher.
 */
#ifndef PM_XAPIAN_XAP_WEIGHT_HPP
#define PM_XAPIAN_XAP_WEIGHT_HPP

#include "common/xapian/xap_shim.hpp"

#include <cmath>

/* Since 1.5 the matcher tells weights and sources more than it did. */
#define XAP_LATER XAPIAN_AT_LEAST(1, 5, 0)

namespace shim
{

/* A bound must not be below what it bounds, whatever rounding does. */
const double BOUND = 1 + 1e-12;

/* To a multiple of a power of two of which every sum of a query's parts can be told apart from its
 * neighbours: then sums are exact, whatever the order in which a shard or a threshold has them
 * made, and articles that tie do so in every shard.  0: as it is. */
inline double rounded(double part, double quantum)
{
    return quantum > 0 ? std::nearbyint(part / quantum) * quantum : part;
}

/* pressmark's BM25: idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * dl / avgdl)). */
class OwnWeight : public Xapian::Weight
{
    double k1, b, quantum, avgdl = 1, factor = 0;

    OwnWeight *clone() const override { return new OwnWeight(k1, b, quantum); }

    void init(double scale) override
    {
        double n = get_collection_size(), df = get_termfreq();
        avgdl = get_average_length() > 0 ? get_average_length() : 1;
        factor = scale * std::log(1 + (n - df + 0.5) / (df + 0.5));
    }

    double part(double tf, double dl) const
    {
        if (tf <= 0) return 0;
        return rounded(factor * tf * (k1 + 1) / (tf + k1 * (1 - b + b * dl / avgdl)), quantum);
    }

  public:
    OwnWeight(double k1_, double b_, double quantum_) : k1(k1_), b(b_), quantum(quantum_)
    {
        need_stat(COLLECTION_SIZE);
        need_stat(TERMFREQ);
        need_stat(AVERAGE_LENGTH);
        need_stat(WDF);
        need_stat(WDF_MAX);
        need_stat(DOC_LENGTH);
        need_stat(DOC_LENGTH_MIN);
    }

    std::string name() const override { return "PressmarkBM25"; }
    std::string serialise() const override
    {
        throw Xapian::UnimplementedError("pressmark's weights do not travel to other machines");
    }

    double get_maxpart() const override
    {
        return BOUND * part(get_wdf_upper_bound(), get_doclength_lower_bound()) + quantum;
    }
#if XAP_LATER
    double get_sumpart(Xapian::termcount wdf, Xapian::termcount dl, Xapian::termcount,
                       Xapian::termcount) const override
    {
        return part(wdf, dl);
    }
    double get_sumextra(Xapian::termcount, Xapian::termcount, Xapian::termcount) const override
    {
        return 0;
    }
#else
    double get_sumpart(Xapian::termcount wdf, Xapian::termcount dl,
                       Xapian::termcount) const override
    {
        return part(wdf, dl);
    }
    double get_sumextra(Xapian::termcount, Xapian::termcount) const override
    {
        return 0;
    }
#endif
    double get_maxextra() const override
    {
        return 0;
    }
};

/* A term that adds nothing to the length of its document, so has no count: title words and
 * acronyms.  Its occurrences are its positions. */
class PositionsSource : public Xapian::PostingSource
{
    std::string term;
    double factor, k1, b, avgdl, quantum;
    Xapian::Database db;
    Xapian::PostingIterator at, end;
    bool begun = false;
    Xapian::doccount df = 0;

    /* All that is asked later where the matcher, with its lists half made, survives no exception.
     */
    void start(const Xapian::Database &in)
    {
        test_point();
        db = in;
        begun = false;
        df = db.get_termfreq(term);
        set_maxweight(BOUND * factor * (k1 + 1) + quantum);
    }

    void begin()
    {
        if (begun) return;
        at = db.postlist_begin(term);
        end = db.postlist_end(term);
        begun = true;
    }

  public:
    PositionsSource(const std::string &term_, double factor_, double k1_, double b_, double avgdl_,
                    double quantum_)
        : term(term_), factor(factor_), k1(k1_), b(b_), avgdl(avgdl_), quantum(quantum_)
    {
    }

    PositionsSource *clone() const override
    {
        return new PositionsSource(term, factor, k1, b, avgdl, quantum);
    }
    std::string name() const override { return "PressmarkPositions"; }
#if XAP_LATER
    void reset(const Xapian::Database &in, Xapian::doccount) override
    {
        start(in);
    }
#else
    void init(const Xapian::Database &in) override
    {
        start(in);
    }
#endif
    Xapian::doccount get_termfreq_min() const override
    {
        return df;
    }
    Xapian::doccount get_termfreq_est() const override
    {
        return df;
    }
    Xapian::doccount get_termfreq_max() const override
    {
        return df;
    }

    void next(double) override
    {
        bool first = !begun;
        begin();
        if (!first) ++at;
    }
    void skip_to(Xapian::docid docid, double) override
    {
        begin();
        at.skip_to(docid);
    }
    bool at_end() const override
    {
        return begun && at == end;
    }
    Xapian::docid get_docid() const override
    {
        return *at;
    }
    double get_weight() const override
    {
        double tf = 0;
        for (auto p = at.positionlist_begin(); p != at.positionlist_end(); ++p) tf++;
        double norm = k1 * (1 - b + b * at.get_doclength() / avgdl);
        return rounded(factor * tf * (k1 + 1) / (tf + norm), quantum);
    }
};

} /* namespace shim */

#endif
