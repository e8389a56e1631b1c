/* SPDX-License-Identifier: MIT
 *
 * xap_failed.c - what the shim caught, told as every other failure is: what, where, what next.
 */
#include <stdio.h>

#include "common/xapian/xap_load.h"

/* Of a class of errors, by status. */
static const char *advice(const xap_error *e)
{
    if (e->network) return "; is the server there, and of this version of Xapian?";
    if (e->modified) return "; the index changes faster than it can be read, try again";
    switch (e->status) {
    case PM_BUSY:
        return "; wait for the other writer to finish";
    case PM_IO:
        return "; see to what the system says and try again";
    default:
        return "";
    }
}

pm_status xap_failed(const xap_error *e, const char *where, pm_error *err)
{
    if (e->status == PM_NOMEM) return error_nomem(err);
    if (e->status == PM_CORRUPT) {
        char what[sizeof e->type + sizeof e->message + 4];
        snprintf(what, sizeof what, "%s: %s", e->type, e->message);
        return error_corrupt(err, where, 0, "xapian", what);
    }
    error_set(err, e->status, "%s: %s: %s%s%s%s%s", where, e->type, e->message,
              *e->context ? " (" : "", e->context, *e->context ? ")" : "", advice(e));
    if (err) err->os_errno = e->os_errno;
    return e->status;
}

pm_status xap_failed_promised(const xap_error *e, const char *where, pm_error *err)
{
    xap_error lost = *e;
    if (lost.absent) lost.status = PM_CORRUPT;
    return xap_failed(&lost, where, err);
}
