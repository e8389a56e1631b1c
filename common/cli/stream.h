/* SPDX-License-Identifier: MIT
 *
 * stream.h - files that the user names beside the index: queries and texts to read,
 * reports and timings to write.
 *
 * "-" is standard input, or output.  Pipes and devices are welcome here (`batch <(make-queries)`),
 * unlike among the articles.
 */
#ifndef PM_CLI_STREAM_H
#define PM_CLI_STREAM_H

#include <jansson.h>
#include <stdio.h>

#include "common/base/bytes.h"
#include "pressmark.h"

/* PM_USAGE when there is nothing at `path`; for paths to be indexed, before any work. */
pm_status stream_check_exists(const char *path, pm_error *err);

/* Bytes of the files at and under `path`, which may be a link; hidden ones and what links below it
 * lead to left out; 0 when it cannot be told. */
uint64_t stream_tree_bytes(const char *path);
/* Bytes that the file system of `path` has room for; UINT64_MAX when it cannot be told. */
uint64_t stream_free_bytes(const char *path);

/* The whole content, inflated when it is gzip data; PM_USAGE when there is no such file, or it is a
 * folder. */
pm_status stream_read_all(const char *path, buf *out, pm_error *err);
/* Calls fn for each line, without its newline or return, until it gives something other
 * than PM_OK, which is then given back.  Standard input is read line by line, and not inflated; a
 * file as by stream_read_all. */
typedef pm_status stream_line_fn(void *ctx, const char *line, size_t len, pm_error *err);
pm_status stream_each_line(const char *path, stream_line_fn *fn, void *ctx, pm_error *err);
/* The same for what is read from standard input and ends with a NUL byte each; returns belong to
 * it. */
pm_status stream_each_record(stream_line_fn *fn, void *ctx, pm_error *err);

/* The value that a line is; NULL: it is none, or memory was *refused.  Owned by the caller. */
json_t *stream_json(const char *line, size_t len, bool *refused);

/* Is what `path` names, or would name once it is made, the same as `place` or below it? */
bool stream_is_at(const char *path, const char *place, bool *is_below);
/* A file that can be read, is not empty, and does not begin with `start`. */
bool stream_begins_otherwise(const char *path, const char *start);

/* A JSON Lines file to write; "-" is standard output.  A file that is there is replaced by
 * stream_finish, until which it keeps what it holds.  Sticky: stream_finish reports the first
 * failure, except of standard output, which emit_finish does.  Valid when zeroed: then writes do
 * nothing. */
typedef struct json_stream {
    FILE *file;
    const char *path; /* borrowed */
    int os_errno;
    char *real, *temp; /* NULL: it is written to as it is                                  */
} json_stream;
pm_status stream_create(json_stream *s, const char *path, pm_error *err);
void stream_put(json_stream *s, json_t *value); /* takes the reference                   */
pm_status stream_finish(json_stream *s, pm_error *err);
/* As if it had never been created. */
void stream_abandon(json_stream *s);

#endif
