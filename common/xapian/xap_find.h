/* SPDX-License-Identifier: MIT
 *
 * xap_find.h - the live document of an id in a Xapian database.
 */
#ifndef PM_XAPIAN_XAP_FIND_H
#define PM_XAPIAN_XAP_FIND_H

#include "common/xapian/xap_index.h"

static inline slice xap_slice(pm_text t)
{
    return (slice){(const uint8_t *)t.data, t.len};
}

typedef struct xap_found {
    uint32_t docid; /* 0: there is none                                                      */
    uint64_t seq;
} xap_found;

/* *e is what failed, where Xapian did. */
pm_status xap_find_id(const xap_api *api, xap_db *db, const char *id, size_t len, const char *where,
                      xap_found *found, xap_error *e, pm_error *err);

#endif
