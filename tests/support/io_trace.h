/* SPDX-License-Identifier: MIT
 *
 * io_trace.h - what a program did to one folder, call by call, with the bytes.
 *
 * Takes the events of file_done (common/base/file.h), gives a row of operations on numbered
 * files, from which crash_states.h derives what a power cut could leave.  A file keeps its number
 * through renames and links, so that operations may be left out and moved about.
 */
#ifndef PM_TESTS_IO_TRACE_H
#define PM_TESTS_IO_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_NAME = 48, TRACE_FILES = 400, TRACE_NAMES = 64 };

typedef enum trace_kind {
    TRACE_CREATE, /* name is now file                                                 */
    TRACE_TRUNCATE,
    TRACE_WRITE, /* data[len] after what file holds                                  */
    TRACE_SYNC,  /* file                                                             */
    TRACE_SYNC_FOLDER,
    TRACE_SYNC_ALL,
    TRACE_RENAME, /* from is gone, name is now file                                   */
    TRACE_LINK,   /* name is now file, too                                            */
    TRACE_UNLINK, /* name was file                                                    */
    TRACE_BOUNDS, /* from here on a power cut may leave commits low .. high           */
} trace_kind;

typedef struct trace_op {
    trace_kind kind;
    unsigned file, low, high;
    char name[TRACE_NAME], from[TRACE_NAME];
    uint8_t *data; /* owned by the trace that recorded it                                  */
    size_t len;
} trace_op;

typedef struct io_trace {
    trace_op *ops;
    size_t n, cap;
    bool is_copy; /* data is another's                                                     */
} io_trace;

/* Record what happens to the folder at path until trace_stop; to file_done, whose only user
 * it then is.  May be stopped and begun again on the same trace. */
void trace_begin(io_trace *t, const char *path);
void trace_continue(void);
void trace_stop(void);
void trace_bounds(io_trace *t, unsigned low, unsigned high);

/* A copy to leave out and move operations in. */
void trace_copy(io_trace *out, const io_trace *t);
void trace_free(io_trace *t);
void trace_remove(io_trace *t, size_t at);
/* Put the operation at `from` before the one at `to`, to <= from. */
void trace_move(io_trace *t, size_t from, size_t to);
void trace_insert(io_trace *t, size_t at, const trace_op *op);
/* Index of the last operation before `end` of this kind on this name, or SIZE_MAX. */
size_t trace_last(const io_trace *t, size_t end, trace_kind kind, const char *name);
/* True when the file was created under a name with this suffix. */
bool trace_created_as(const io_trace *t, unsigned file, const char *suffix);
bool trace_ends_with(const char *name, const char *suffix);

#endif
