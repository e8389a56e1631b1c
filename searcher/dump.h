/* SPDX-License-Identifier: MIT
 *
 * dump.h - what the parts of a dump share: a buffered sink for escaped lines.
 */
#ifndef PM_SEARCHER_DUMP_H
#define PM_SEARCHER_DUMP_H

#include "common/segment/snapshot.h"

typedef struct dump_sink {
    bool (*write)(void *ctx, const char *data, size_t len);
    void *ctx;
    buf text;
} dump_sink;

/* Bytes as text: control bytes, backslash, and what would end a field, as \xNN. */
void dump_escaped(dump_sink *s, const void *data, size_t len);
void dump_format(dump_sink *s, const char *fmt, ...) PM_PRINTF(2, 3);
/* Hand over what has gathered, if that is much or `all`.  PM_IO when the writer stopped. */
pm_status dump_flush(dump_sink *s, bool all, pm_error *err);

void dump_settings(dump_sink *s, const snapshot *snap);
/* One key's name, after its class. */
void dump_key(dump_sink *s, const uint8_t *key, size_t len);
void dump_article(dump_sink *s, pm_text id, uint64_t dl, int64_t date, const pm_article *article);
pm_status dump_terms(dump_sink *s, snapshot *snap, pm_error *err);
pm_status dump_forms(dump_sink *s, snapshot *snap, pm_error *err);
pm_status dump_documents(dump_sink *s, snapshot *snap, pm_error *err);

#endif
