/* SPDX-License-Identifier: MIT
 *
 * emit_report.c - see ingest_report.h.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/cli/emit.h"
#include "common/cli/ingest_report.h"
#include "common/cli/meter.h"

static const char *const actions[] = {
    [PM_INGEST_ADDED] = "added",         [PM_INGEST_UPDATED] = "updated",
    [PM_INGEST_UNCHANGED] = "unchanged", [PM_INGEST_PRUNED] = "pruned",
    [PM_INGEST_SKIPPED] = "skipped",     [PM_INGEST_DUPLICATE] = "duplicate",
    [PM_INGEST_WARNING] = "warning",
};

static json_t *text_or_null(pm_text t)
{
    return t.len ? emit_json_text(t.data, t.len) : json_null();
}

static json_t *string_or_null(const char *s)
{
    return s ? emit_json_text(s, strlen(s)) : json_null();
}

static json_t *boilerplate(const pm_ingest_event *e)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < e->n_spans; i++) {
        json_t *span = json_object();
        emit_json_set(&span, "start", json_integer((json_int_t)e->spans[i].start));
        emit_json_set(&span, "end", json_integer((json_int_t)e->spans[i].end));
        emit_json_set(&span, "why", string_or_null(e->spans[i].why));
        if (!span || json_array_append_new(list, span) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static void put_report(ingest_report *r, const pm_ingest_event *e)
{
    if (!r->file.file) return;
    json_t *o = json_object();
    emit_json_set(&o, "action", json_string(actions[e->kind]));
    emit_json_set(&o, "path", emit_json_text(e->path.data, e->path.len));
    if (e->line) emit_json_set(&o, "line", json_integer((json_int_t)e->line));
    emit_json_set(&o, "id", text_or_null(e->id));
    emit_json_set(&o, "title", text_or_null(e->title));
    emit_json_set(&o, "date", text_or_null(e->date));
    emit_json_set(&o, "title_rule", string_or_null(e->title_rule));
    emit_json_set(&o, "date_rule", string_or_null(e->date_rule));
    emit_json_set(&o, "boilerplate", boilerplate(e));
    emit_json_set(&o, "reason", string_or_null(e->reason));
    stream_put(&r->file, o);
}

static void put_warning(ingest_report *r, const pm_ingest_event *e)
{
    char line[32] = "";
    if (r->warnings++ >= WARNINGS_SHOWN) return;
    progress_clear(&r->line);
    if (e->line) snprintf(line, sizeof(line), ":%llu", (unsigned long long)e->line);
    emit_warning("%.*s%s: %s%s", (int)(e->path.len < 500 ? e->path.len : 500), e->path.data, line,
                 e->kind == PM_INGEST_SKIPPED ? "skipped: " : "",
                 e->reason ? e->reason : actions[e->kind]);
}

pm_status report_open(ingest_report *r, const char *file, const char *index,
                      const char *const *paths, size_t n, pm_error *err)
{
    bool below = false;
    if (strcmp(file, "-") != 0 && stream_is_at(file, index, &below))
        return error_set(err, PM_USAGE,
                         "--report: %s would be a file of the index; name one elsewhere", file);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(file, "-") == 0 || strcmp(paths[i], "-") == 0) continue;
        if (!stream_is_at(file, paths[i], &below)) continue;
        if (!below || stream_begins_otherwise(file, "{\"action\":\""))
            return error_set(err, PM_USAGE,
                             "--report: %s is to be indexed, and would be overwritten; name "
                             "another file",
                             file);
    }
    return stream_create(&r->file, file, err);
}

void report_progress(ingest_report *r, const char *const *paths, size_t n)
{
    progress_begin(&r->line);
    r->read_before = meter_read_bytes();
    for (size_t i = 0; i < n; i++) {
        uint64_t bytes = stream_tree_bytes(paths[i]);
        if (bytes == 0) { /* standard input, or something that cannot be told */
            r->total_bytes = 0;
            return;
        }
        r->total_bytes += bytes;
    }
}

static void put_progress(ingest_report *r)
{
    double seconds;
    if (!progress_due(&r->line, &seconds)) return;
    fprintf(stderr, "%llu articles, %.0f/s", (unsigned long long)r->done,
            (double)r->done / seconds);
    if (r->total_bytes)
        progress_put_left((double)(meter_read_bytes() - r->read_before) / (double)r->total_bytes,
                          seconds);
    progress_put_phase(r->phase);
}

void report_phase(ingest_report *r, pm_phase phase)
{
    r->phase = phase;
    put_progress(r);
}

void report_event(ingest_report *r, const pm_ingest_event *e)
{
    put_report(r, e);
    switch (e->kind) {
    case PM_INGEST_ADDED:
    case PM_INGEST_UPDATED:
    case PM_INGEST_UNCHANGED:
        r->done++;
        break;
    case PM_INGEST_SKIPPED:
    case PM_INGEST_DUPLICATE:
    case PM_INGEST_WARNING:
        put_warning(r, e);
        break;
    case PM_INGEST_PRUNED:
        break;
    }
    put_progress(r);
}

void report_end(ingest_report *r)
{
    progress_clear(&r->line);
    if (r->warnings <= WARNINGS_SHOWN) return;
    emit_warning("%llu more of these; --report FILE lists them all",
                 (unsigned long long)(r->warnings - WARNINGS_SHOWN));
}
