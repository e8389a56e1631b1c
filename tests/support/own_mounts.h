/* SPDX-License-Identifier: MIT
 *
 * own_mounts.h - a place where mounts are this process's own, for tests that need file systems.
 */
#ifndef PM_TESTS_OWN_MOUNTS_H
#define PM_TESTS_OWN_MOUNTS_H

#include <stdbool.h>

/* By root or by a user namespace; false where there is neither.  For a child: there is no way
 * back. */
bool own_mounts(void);

#endif
