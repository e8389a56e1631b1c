/* SPDX-License-Identifier: MIT
 *
 * emit.h - everything the program prints passes through here.
 *
 * Standard output is sticky: the first failed write is remembered, later ones do nothing,
 * and emit_finish turns it into the exit code, once, at the end.  A closed pipe is silent
 * and counts as success.  Messages go to standard error, one line each, beginning with
 * "pressmark: ", with control and bidirectional characters made visible.
 */
#ifndef PM_CLI_EMIT_H
#define PM_CLI_EMIT_H

#include <jansson.h>

#include "common/base/bytes.h"
#include "pressmark.h"

/* The exit codes of the program. */
enum {
    EXIT_OK = 0,
    EXIT_NONE = 1,        /* no hit, unknown id                                          */
    EXIT_USAGE = 2,       /* usage error or no such index                                */
    EXIT_PARTIAL = 3,     /* results are given but incomplete                            */
    EXIT_DAMAGED = 4,     /* the index is damaged                                        */
    EXIT_IO = 5,          /* reading or writing failed, or out of memory                 */
    EXIT_NOT_DURABLE = 6, /* the commit is visible but not known to be durable           */
    EXIT_BUSY = 7         /* another writer holds the index                              */
};

/* ---- standard output --------------------------------------------------------------------- */

void emit_data(const char *data, size_t len);
void emit_str(const char *text);
void emit_printf(const char *fmt, ...) PM_PRINTF(1, 2);
/* Lines made safe for a terminal (sanitize.h); newlines and tabs stay. */
void emit_safe(const char *data, size_t len);
/* Write out what is buffered; for protocols that answer line by line. */
void emit_flush(void);
/* True once a write failed: a long listing may stop. */
bool emit_broken(void);
/* Memory was refused while output was built: counts as a failed write. */
void emit_refused(void);
/* Flush; gives `code`, or what a failed write makes of it. */
int emit_finish(int code);

/* ---- standard error ------------------------------------------------------------------------ */

int emit_exit_code(pm_status status);
/* Print the error's line; gives its exit code. */
int emit_error(const pm_error *err);
/* "pressmark: <message>"; gives EXIT_USAGE. */
int emit_usage(const char *fmt, ...) PM_PRINTF(1, 2);
/* "pressmark: warning: <message>". */
void emit_warning(const char *fmt, ...) PM_PRINTF(1, 2);
/* A plain line for a person: summaries. */
void emit_note(const char *fmt, ...) PM_PRINTF(1, 2);
/* Two more lines: the text, and a caret under the byte at `offset`. */
void emit_caret(const char *text, uint64_t offset);
/* Out of memory in the program itself; gives EXIT_IO. */
int emit_nomem(void);

/* ---- JSON ---------------------------------------------------------------------------- */

/* Prints `value` on one line in the order of its keys, reals with 17 significant digits,
 * control and bidirectional characters escaped; takes the reference.  NULL means that
 * memory was refused while it was built, and is remembered as a failed write. */
void emit_json(json_t *value);
/* The same, appended to *out; false when memory is refused. */
bool emit_json_to(json_t *value, buf *out);
/* A JSON string; invalid UTF-8 is repaired.  NULL when memory is refused. */
json_t *emit_json_text(const char *data, size_t len);
/* Sets a key and takes the reference of `value`; a NULL value (memory refused) turns
 * *object into NULL, so that a chain is checked once, by emit_json. */
void emit_json_set(json_t **object, const char *key, json_t *value);

#endif
