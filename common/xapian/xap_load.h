/* SPDX-License-Identifier: MIT
 *
 * xap_load.h - finding and opening the plugin, and its errors as pressmark's.
 */
#ifndef PM_XAPIAN_XAP_LOAD_H
#define PM_XAPIAN_XAP_LOAD_H

#include "common/base/error.h"
#include "common/xapian/xap.h"

/* The plugin's table, for the life of the process.  It is looked for as pressmark-xapian.so in
 * $PRESSMARK_PLUGINS, or where that is not set beside the program or library that this code is
 * in, and in the folders pressmark/ and ../lib/pressmark/ from there.  PM_USAGE when it is not
 * to be had, or this is a program that cannot open plugins (xap_absent.c). */
pm_status xap_load(const xap_api **out, pm_error *err);

/* Can this program open plugins at all? */
bool xap_can_load(void);

/* Fill *err from *e and give its status; `where`: the folder or server that it happened at. */
pm_status xap_failed(const xap_error *e, const char *where, pm_error *err);
/* The same of a database that a marker promises: that it is absent is damage. */
pm_status xap_failed_promised(const xap_error *e, const char *where, pm_error *err);

#endif
