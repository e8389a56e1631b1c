/* SPDX-License-Identifier: MIT
 * version.c - the version of the library that runs, which may not be that of the header a
 * program was compiled with.
 */
#include "pressmark.h"

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

const char *pm_version(void)
{
    return TEXT(PM_VERSION_MAJOR) "." TEXT(PM_VERSION_MINOR) "." TEXT(PM_VERSION_PATCH);
}
