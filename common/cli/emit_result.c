/* SPDX-License-Identifier: MIT
 *
 * emit_result.c - a result as a JSON object; the keys are promised to scripts.
 */
#include "common/cli/emit.h"
#include "common/cli/emit_hits.h"

static json_t *text(pm_text t)
{
    return emit_json_text(t.data, t.len);
}
static json_t *text_or_null(pm_text t)
{
    return t.len ? text(t) : json_null();
}
static json_t *integer(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *highlights(const pm_hit *hit)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < hit->n_highlights; i++) {
        json_t *span = json_pack("[I,I]", (json_int_t)hit->highlights[i].start,
                                 (json_int_t)hit->highlights[i].end);
        if (!span || json_array_append_new(list, span) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *explain_part(const pm_explain *part)
{
    json_t *o = json_object();
    emit_json_set(&o, "term", text(part->term));
    emit_json_set(&o, "tf", integer(part->tf));
    emit_json_set(&o, "df", integer(part->df));
    emit_json_set(&o, "idf", json_real(part->idf));
    emit_json_set(&o, "norm", json_real(part->norm));
    emit_json_set(&o, "weight", json_real(part->weight));
    emit_json_set(&o, "contribution", json_real(part->contribution));
    return o;
}

static json_t *explain_parts(const pm_hit *hit)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < hit->n_explain; i++) {
        json_t *part = explain_part(&hit->explain[i]);
        if (!part || json_array_append_new(list, part) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

json_t *emit_hit_json(const pm_hit *hit, bool explain)
{
    json_t *o = json_object();
    emit_json_set(&o, "rank", integer(hit->rank));
    emit_json_set(&o, "id", text(hit->id));
    emit_json_set(&o, "score", json_real(hit->score));
    emit_json_set(&o, "title", text(hit->title));
    emit_json_set(&o, "date", text_or_null(hit->date));
    emit_json_set(&o, "source", text(hit->source));
    emit_json_set(&o, "url", text(hit->url));
    emit_json_set(&o, "snippet", text(hit->snippet));
    emit_json_set(&o, "highlights", highlights(hit));
    if (explain) {
        emit_json_set(&o, "dl", integer(hit->dl));
        emit_json_set(&o, "explain", explain_parts(hit));
    }
    return o;
}

json_t *emit_total_json(const pm_result *result)
{
    json_t *o = json_object();
    emit_json_set(&o, "value", integer(result->total));
    emit_json_set(&o, "relation", json_string(result->total_is_exact ? "eq" : "gte"));
    emit_json_set(&o, "all", integer(result->total_all));
    return o;
}

static json_t *hits(const pm_result *result, bool explain)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < result->n_hits; i++) {
        json_t *hit = emit_hit_json(&result->hits[i], explain);
        if (!hit || json_array_append_new(list, hit) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

/* What the scores were computed with. */
static json_t *statistics(const pm_result *result)
{
    json_t *o = json_object();
    emit_json_set(&o, "documents", integer(result->n_docs));
    emit_json_set(&o, "avgdl", json_real(result->avgdl));
    emit_json_set(&o, "k1", json_real(result->k1));
    emit_json_set(&o, "b", json_real(result->b));
    return o;
}

json_t *emit_hits_json(const pm_result *result, bool explain)
{
    static const char *const matches[] = {"auto", "all", "any"};
    json_t *o = json_object();
    emit_json_set(&o, "query", text(result->query));
    emit_json_set(&o, "interpreted", text(result->interpreted));
    emit_json_set(&o, "match", json_string(matches[result->match]));
    emit_json_set(&o, "total", emit_total_json(result));
    emit_json_set(&o, "took_us", integer(result->took_ns / 1000));
    emit_json_set(&o, "suggestion", json_null());
    emit_json_set(&o, "truncated", json_boolean(result->truncated));
    if (explain) emit_json_set(&o, "statistics", statistics(result));
    emit_json_set(&o, "hits", hits(result, explain));
    return o;
}
