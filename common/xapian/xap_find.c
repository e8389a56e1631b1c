/* SPDX-License-Identifier: MIT
 *
 * xap_find.c - the live document of an id.  A long id's term ends in a hash, so what its term
 * finds counts only when the document says the same id.
 */
#include "common/xapian/xap_find.h"

typedef struct id_search {
    const xap_api *api;
    xap_db *db;
    const char *id, *where;
    size_t len;
    xap_found found;
    pm_status status;
    xap_error *e;
    pm_error *err;
} id_search;

static bool look(void *ctx, uint32_t docid, uint32_t wdf)
{
    id_search *s = ctx;
    xap_head head;
    pm_text value;
    (void)wdf;
    if (s->api->db_value(s->db, docid, XAP_SLOT_HEAD, &value, s->e) != PM_OK)
        s->status = xap_failed(s->e, s->where, s->err);
    else if (!xap_get_head(value, &head))
        s->status = error_corrupt(s->err, s->where, docid, "values", "a document without its head");
    if (s->status != PM_OK) return false;
    if (head.id.len == s->len && !memcmp(head.id.data, s->id, s->len))
        s->found = (xap_found){docid, head.seq};
    return !s->found.docid;
}

pm_status xap_find_id(const xap_api *api, xap_db *db, const char *id, size_t len, const char *where,
                      xap_found *found, xap_error *e, pm_error *err)
{
    xap_term term;
    xap_error own;
    id_search s = {api, db, id, where, len, {0, 0}, PM_OK, e, err};
    *found = (xap_found){0, 0};
    if (!len || len > SEGMENT_ID_MAX) return PM_OK;
    pm_text name = xap_term_make(&term, XAP_KEY_ID, id, len);
    pm_status st = api->db_each_posting(db, name, look, &s, &own);
    if (s.status != PM_OK) return s.status;
    if (st == PM_OK) *found = s.found;
    if (st == PM_OK) return PM_OK;
    *e = own;
    return xap_failed(e, where, err);
}
