/* SPDX-License-Identifier: MIT
 *
 * xap_search.cc - a part of the shim: queries, asking them, and hits.
 */
#include "common/xapian/xap_weight.hpp"

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

using namespace shim;

/* ---- queries ----------------------------------------------------------------------------- */

void query_made(xap_query **out, Xapian::Query &&query)
{
    *out = new xap_query{std::move(query)};
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
                             double quantum, xap_query **out, xap_error *e)
{
    *out = nullptr;
    return guarded(e, [&] {
        Xapian::PostingSource *source =
            new PositionsSource(text_of(term), factor, k1, b, avgdl, quantum);
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
        enquire.set_weighting_scheme(OwnWeight(spec->k1, spec->b, spec->quantum));
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

} /* namespace */

void shim::fill_searching(xap_api *api)
{
    api->query_term = query_term;
    api->query_everything = query_everything;
    api->query_group = query_group;
    api->query_scale = query_scale;
    api->query_between = query_between;
    api->query_by_positions = query_by_positions;
    api->query_free = query_free;
    api->search = search;
    api->hits_free = hits_free;
    api->hits_n = hits_n;
    api->hits_matches = hits_matches;
    api->hits_get = hits_get;
    api->hits_record = hits_record;
    api->hits_value = hits_value;
}
