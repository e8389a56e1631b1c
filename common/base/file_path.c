/* SPDX-License-Identifier: MIT
 * file_path.c - the absolute path of an input; see file.h.
 */
#include "common/base/file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

pm_status file_real_path(const char *path, buf *out, pm_error *err)
{
    char real[PATH_MAX];
    int fault = file_fault ? file_fault("realpath", path) : 0;
    if (fault) return error_os(err, fault, "cannot read %s", path);
    if (!realpath(path, real)) return error_os(err, errno, "cannot read %s", path);
    buf_append_str(out, real);
    return out->failed ? error_nomem(err) : PM_OK;
}
