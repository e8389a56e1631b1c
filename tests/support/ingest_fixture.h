/* SPDX-License-Identifier: MIT
 * ingest_fixture.h - a temporary folder of inputs, a memory sink, and the events of a run.
 */
#ifndef PM_TESTS_INGEST_FIXTURE_H
#define PM_TESTS_INGEST_FIXTURE_H

#include "tests/support/folder.h"
#include "tests/support/memory_sink.h"

enum { FIXTURE_LOG_BYTES = 1 << 16 };

typedef struct ingest_fixture {
    char folder[FOLDER_PATH]; /* absolute                                                 */
    memory_sink sink;
    pm_ingest_options options;
    pm_ingest_summary summary;
    pm_error err;
    unsigned stop_after; /* the event callback says stop at this event; 0: never      */
    unsigned events;
    char log[FIXTURE_LOG_BYTES]; /* one line an event: "KIND id :line (reason)"           */
    size_t log_len;
} ingest_fixture;

void fixture_open(ingest_fixture *f);
/* Deletes the folder with all in it. */
void fixture_close(ingest_fixture *f);
/* Write a file of the folder; folders in its name are made. */
void fixture_write(const ingest_fixture *f, const char *name, const void *data, size_t len);
void fixture_text(const ingest_fixture *f, const char *name, const char *text);
void fixture_gzip(const ingest_fixture *f, const char *name, const void *data, size_t len);
/* Path of a name in the folder; static storage, overwritten by the fourth next call. */
const char *fixture_path(const ingest_fixture *f, const char *name);
/* Run over one path (NULL: the folder), with the sink kept from run to run. */
pm_status fixture_run(ingest_fixture *f, const char *path);
pm_status fixture_run_paths(ingest_fixture *f, const char *const *paths, size_t n);
/* The text of a live article, NUL-terminated; fails the test when there is none. */
const char *fixture_body(const ingest_fixture *f, const char *id);

#endif
