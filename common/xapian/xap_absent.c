/* SPDX-License-Identifier: MIT
 *
 * xap_absent.c - in the place of xap_load.c in a program that is linked statically, which cannot
 * open plugins: main.c hands over to the dynamic program before it comes to this.
 */
#include "common/xapian/xap_load.h"

bool xap_can_load(void)
{
    return false;
}

pm_status xap_load(const xap_api **out, pm_error *err)
{
    *out = NULL;
    return error_set(err, PM_USAGE,
                     "the engine xapian needs pressmark-dynamic, which is not beside this program; "
                     "install pressmark anew");
}
