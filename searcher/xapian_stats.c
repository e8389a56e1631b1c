/* SPDX-License-Identifier: MIT
 *
 * xapian_stats.c - what a Xapian index holds, and which of its tables take how many bytes.
 *
 * The bytes of databases behind servers are not known; they count as none.
 */
#include <stdio.h>

#include "searcher/xapian.h"

typedef struct table_count {
    pm_stats *out;
    const char *folder;
} table_count;

static void add_table(pm_section_bytes *list, unsigned *n, unsigned room, const char *name,
                      size_t len, uint64_t bytes)
{
    unsigned i = 0;
    while (i < *n && (strlen(list[i].name) != len || memcmp(list[i].name, name, len))) i++;
    if (i == room) return;
    if (i == *n) snprintf(list[(*n)++].name, sizeof list->name, "%.*s", (int)len, name);
    list[i].bytes += bytes;
}

/* A table's file is its name and an ending: postlist.glass. */
static pm_status count_table(void *ctx, const char *name, pm_error *err)
{
    table_count *c = ctx;
    pm_stats *out = c->out;
    char path[4096];
    file_info info;
    size_t len = strcspn(name, ".");
    int n = snprintf(path, sizeof path, "%s/%s", c->folder, name);
    if (n < 0 || (size_t)n >= sizeof path || len >= sizeof out->sections->name) return PM_OK;
    if (file_stat(path, &info, err) != PM_OK || !info.is_regular) return PM_OK;
    add_table(out->sections, &out->n_sections, 24, name, len, info.size);
    add_table(out->parts, &out->n_parts, 12, name, len, info.size);
    out->index_bytes += info.size;
    if (strncmp(name, "docdata", 7) != 0) out->bare_bytes += info.size;
    return PM_OK;
}

static pm_status count_bytes(xapian_handle *h, pm_stats *out, pm_error *err)
{
    pm_status st = PM_OK;
    table_count c = {out, NULL};
    for (size_t i = 0; i < h->of->n_places && st == PM_OK; i++) {
        if (h->of->places[i].host) continue;
        c.folder = h->of->places[i].name;
        st = file_each(c.folder, count_table, &c, err);
    }
    c.folder = h->of->root;
    if (h->of->is_folder && st == PM_OK) st = count_table(&c, XAP_MARKER, err);
    return st;
}

static bool count_term(void *ctx, pm_text term, uint64_t df)
{
    pm_stats *out = ctx;
    if (!term.len || !key_is_plain((uint8_t)term.data[0])) return true;
    out->terms++;
    out->postings += df;
    return true;
}

static pm_status read_generation(xapian_handle *h, pm_stats *out, pm_error *err)
{
    pm_text text;
    char state[64];
    unsigned long long seq = 0, generation = 0;
    if (h->of->api->db_metadata(h->db, (pm_text){XAP_STATE, strlen(XAP_STATE)}, &text, &h->last) !=
        PM_OK)
        return xapian_failed(h, err);
    snprintf(state, sizeof state, "%.*s", (int)(text.len < 63 ? text.len : 63), text.data);
    sscanf(state, "%llu %llu", &seq, &generation);
    out->generation = generation;
    return PM_OK;
}

static void copy_settings(const xapian_handle *h, pm_stats *out)
{
    const snapshot *view = &h->view;
    out->documents = view->n_docs;
    out->tokens = view->n_tokens;
    out->avgdl = view->n_docs ? view->avgdl : 0;
    out->positions = view->meta.has_positions ? view->n_tokens : 0;
    out->k1 = view->meta.k1;
    out->b = view->meta.b;
    out->segments = (unsigned)(h->of->n_places - h->n_missing);
    out->format_version = XAP_MARKER_VERSION;
    out->has_positions = view->meta.has_positions;
    out->has_text = view->meta.has_text;
    memcpy(out->engine, view->meta.engine, sizeof out->engine);
    memcpy(out->analyzer, view->meta.profile, sizeof out->analyzer);
    memcpy(out->lang, view->meta.lang, sizeof out->lang);
}

static pm_status count(xapian_handle *h, void *ctx, pm_error *err)
{
    pm_status st;
    pm_stats *out = ctx;
    memset(out, 0, sizeof *out);
    copy_settings(h, out);
    PM_TRY(read_generation(h, out, err));
    PM_TRY(count_bytes(h, out, err));
    if (h->of->api->db_each_term(h->db, count_term, out, &h->last) != PM_OK)
        return xapian_failed(h, err);
out:
    return st;
}

pm_status xapian_stats(xapian_index *x, pm_stats *out, pm_error *err)
{
    return xapian_with(x, count, out, err);
}
