/* SPDX-License-Identifier: MIT
 *
 * emit.c - standard output and standard error of the program (emit.h).
 *
 * The first failed write of standard output is kept with its errno, because stdio would
 * forget it; emit_finish speaks of it once.
 */
#include "common/cli/emit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/cli/sanitize.h"

static int out_errno; /* of the first failed write, 0 while all is well */

static void note_failure(void)
{
    if (!out_errno) out_errno = errno ? errno : EIO;
}

void emit_data(const char *data, size_t len)
{
    if (out_errno || !len) return;
    errno = 0;
    if (fwrite(data, 1, len, stdout) != len) note_failure();
}

void emit_str(const char *text)
{
    emit_data(text, strlen(text));
}

void emit_printf(const char *fmt, ...)
{
    if (out_errno) return;
    va_list args;
    va_start(args, fmt);
    errno = 0;
    if (vfprintf(stdout, fmt, args) < 0) note_failure();
    va_end(args);
}

void emit_safe(const char *data, size_t len)
{
    buf out = {0};
    sanitize_append(&out, data, len, SAFE_LINES);
    if (out.failed)
        emit_refused();
    else
        emit_data((const char *)out.data, out.len);
    buf_free(&out);
}

void emit_flush(void)
{
    if (out_errno) return;
    errno = 0;
    if (fflush(stdout) != 0) note_failure();
}

bool emit_broken(void)
{
    return out_errno != 0;
}

void emit_refused(void)
{
    if (!out_errno) out_errno = ENOMEM;
}

int emit_finish(int code)
{
    emit_flush();
    if (!out_errno) return code;
    if (out_errno == EPIPE) return code <= EXIT_NONE ? EXIT_OK : code;
    pm_error err;
    error_os(&err, out_errno, "standard output: cannot write; the answer is incomplete");
    return emit_error(&err);
}

int emit_exit_code(pm_status status)
{
    switch (status) {
    case PM_OK:
        return EXIT_OK;
    case PM_USAGE:
        return EXIT_USAGE;
    case PM_PARTIAL:
        return EXIT_PARTIAL;
    case PM_CORRUPT:
        return EXIT_DAMAGED;
    case PM_NOMEM:
    case PM_IO:
        return EXIT_IO;
    case PM_NOT_DURABLE:
        return EXIT_NOT_DURABLE;
    case PM_BUSY:
        return EXIT_BUSY;
    }
    return EXIT_IO;
}

/* One line, made safe; on a refused allocation the plain ASCII of it. */
static void message(const char *prefix, const char *text)
{
    buf safe = {0};
    sanitize_append(&safe, text, strlen(text), SAFE_LINE);
    if (safe.failed)
        fprintf(stderr, "%sout of memory\n", prefix);
    else
        fprintf(stderr, "%s%.*s\n", prefix, (int)safe.len,
                safe.data ? (const char *)safe.data : "");
    buf_free(&safe);
}

int emit_error(const pm_error *err)
{
    fflush(stdout);
    message("pressmark: ", *err->message ? err->message : pm_status_name(err->status));
    return emit_exit_code(err->status);
}

PM_PRINTF(2, 0)
static void message_va(const char *prefix, const char *fmt, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof(text), fmt, args);
    message(prefix, text);
}

int emit_usage(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    message_va("pressmark: ", fmt, args);
    va_end(args);
    return EXIT_USAGE;
}

void emit_warning(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    message_va("pressmark: warning: ", fmt, args);
    va_end(args);
}

void emit_note(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    message_va("", fmt, args);
    va_end(args);
}

int emit_nomem(void)
{
    pm_error err;
    error_nomem(&err);
    return emit_error(&err);
}

void emit_caret(const char *text, uint64_t offset)
{
    buf line = {0}, before = {0};
    size_t len = strlen(text), at = offset < len ? (size_t)offset : len;
    sanitize_append(&line, text, len, SAFE_LINE);
    sanitize_append(&before, text, at, SAFE_LINE);
    size_t column = 0;
    for (size_t i = 0; i < before.len; i++) column += (before.data[i] & 0xc0) != 0x80;
    if (!line.failed && !before.failed) {
        fprintf(stderr, "  %.*s\n  %*s^\n", (int)line.len, (const char *)line.data, (int)column,
                "");
    }
    buf_free(&line);
    buf_free(&before);
}
