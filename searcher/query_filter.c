/* SPDX-License-Identifier: MIT
 *
 * query_filter.c - what a filter says: its field's name, and its value made comparable.
 *
 * The same code reads date:2025-09 in a query and --after 2025-09 of a command; where a query asks
 * for nothing the latter stand in it.
 */

#include "common/segment/segment.h"
#include "common/text/period.h"
#include "common/text/value.h"
#include "searcher/query.h"

typedef struct field_name {
    const char *name; /* with its colon                                                   */
    pm_filter_field field;
    char key; /* second byte of its keys; 0: a date                                        */
} field_name;

static const field_name fields[] = {
    {"date:", PM_FILTER_DATE, 0},
    {"after:", PM_FILTER_AFTER, 0},
    {"before:", PM_FILTER_BEFORE, 0},
    {"source:", PM_FILTER_SOURCE, FIELD_SOURCE},
    {"author:", PM_FILTER_AUTHOR, FIELD_AUTHOR},
    {"tag:", PM_FILTER_TAG, FIELD_TAG},
    {"lang:", PM_FILTER_LANG, FIELD_LANG},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static const field_name *name_of(pm_filter_field field)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].field == field) return &fields[i];
    return NULL;
}

uint32_t query_filter_name(const char *text, uint32_t len, pm_filter_field *field)
{
    for (size_t i = 0; i < FIELDS; i++) {
        const char *name = fields[i].name;
        uint32_t n = (uint32_t)strlen(name), at = 0;
        while (at < n && at < len && (text[at] | 0x20) == (name[at] | 0x20)) at++;
        if (at < n || text[n - 1] != ':') continue;
        *field = fields[i].field;
        return n;
    }
    return 0;
}

static pm_status take_shown(query_filter *f, buf *shown, pm_error *err)
{
    f->shown.len = shown->len;
    buf_u8(shown, 0);
    f->shown.data = (const char *)shown->data;
    return shown->failed ? error_nomem(err) : PM_OK;
}

/* A canonical date has no spaces, so it needs no quotes. */
static pm_status make_date(arena *a, query_filter *f, const field_name *name, const char *value,
                           size_t len, pm_error *err)
{
    period p;
    bool ok =
        f->field == PM_FILTER_DATE ? period_range(value, len, &p) : period_parse(value, len, &p);
    if (!ok)
        return error_set(err, PM_USAGE, "%s%.*s is no date", name->name, (int)(len < 60 ? len : 60),
                         value);
    buf shown = {.arena = a};
    f->from = f->field == PM_FILTER_BEFORE ? INT64_MIN : p.from;
    f->to = f->field == PM_FILTER_DATE ? p.to : f->field == PM_FILTER_BEFORE ? p.from : INT64_MAX;
    buf_append_str(&shown, name->name);
    buf_append_str(&shown, p.text);
    return take_shown(f, &shown, err);
}

/* Would the lexer end an unquoted value at some byte of it? */
static bool needs_quotes(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c <= ' ' || c == '(' || c == ')' || c == '"' || c >= 0x7f) return true;
    }
    return false;
}

static pm_status make_value(arena *a, query_filter *f, const field_name *name, const char *value,
                            size_t len, pm_error *err)
{
    char key[1 + TERM_MAX_BYTES];
    size_t n = value_fold(value, len, key + 1);
    if (!n) return error_set(err, PM_USAGE, "%s without a value", name->name);
    key[0] = name->key;
    f->key = (pm_text){arena_strndup(a, key, n + 1), n + 1};
    if (!f->key.data) return error_nomem(err);
    bool quotes = needs_quotes(key + 1, n);
    buf shown = {.arena = a};
    buf_append_str(&shown, name->name);
    if (quotes) buf_u8(&shown, '"');
    buf_append(&shown, key + 1, n);
    if (quotes) buf_u8(&shown, '"');
    return take_shown(f, &shown, err);
}

pm_status query_filter_make(arena *a, pm_filter_field field, const char *value, size_t len,
                            const query_filter **out, pm_error *err)
{
    const field_name *name = name_of(field);
    *out = NULL;
    if (!name) return error_set(err, PM_USAGE, "no such filter");
    query_filter *f = arena_zalloc(a, sizeof *f);
    if (!f) return error_nomem(err);
    f->field = field;
    pm_status st = name->key ? make_value(a, f, name, value, len, err)
                             : make_date(a, f, name, value, len, err);
    if (st == PM_OK) *out = f;
    return st;
}

/* ---- filters of the options in the tree ---------------------------------------------------- */

/* Dates each bind; values of another field are alternatives. */
static pm_status add_filters(query_node *list, arena *a, const pm_filter *filters, size_t n,
                             pm_error *err)
{
    pm_status st = PM_OK;
    query_node *any[PM_FILTER_LANG + 1] = {0};
    for (size_t i = 0; i < n; i++) {
        const query_filter *made;
        const pm_filter *f = &filters[i];
        PM_TRY(query_filter_make(a, f->field, f->value.data, f->value.len, &made, err));
        query_node *leaf = query_node_make(a, QUERY_FILTER);
        if (!any[f->field]) any[f->field] = query_node_make(a, QUERY_OR);
        if (!leaf || !any[f->field]) return error_nomem(err);
        leaf->filter = made;
        query_node_append(made->key.len ? any[f->field] : list, leaf);
    }
    for (size_t i = 0; i <= PM_FILTER_LANG; i++) {
        query_node *node = query_node_collapse(any[i]);
        if (node) query_node_append(list, node);
    }
out:
    return st;
}

/* What is only negative stands behind the filters, neighbours as neighbours. */
static void add_negatives(query_node *list, query_node *root)
{
    if (root->kind != QUERY_LIST || root->fixed || root->sign == SIGN_NOT) {
        query_node_append(list, root);
        return;
    }
    for (query_node *child = root->first, *next; child; child = next) {
        next = child->next;
        query_node_append(list, child);
    }
}

pm_status query_take_filters(query *q, arena *a, const pm_filter *filters, size_t n, bool *taken,
                             pm_error *err)
{
    pm_status st = PM_OK;
    *taken = n && !(q->root && q->root->positive);
    if (!*taken) return PM_OK;
    query_node *list = query_node_make(a, QUERY_LIST);
    if (!list) return error_nomem(err);
    PM_TRY(add_filters(list, a, filters, n, err));
    if (q->root) add_negatives(list, q->root);
    q->root = query_node_collapse(list);
    q->n_leaves = 0;
    query_node_finish(q, q->root);
out:
    return st;
}
