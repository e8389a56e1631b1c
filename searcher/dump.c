/* SPDX-License-Identifier: MIT
 *
 * dump.c - the whole index as text made for diff, one fact a line:
 *
 *   pressmark dump 1
 *   setting analyzer pressmark-1 ...
 *   documents 2 tokens 9
 *   term rare 2 3                     df and cf, live
 *    003.txt:2:0,7                    id, tf, positions; in order of ingest
 *   form rare Rare 1 1                folded, exact ("=" when equal), df, cf
 *   document 003.txt 5 1759968000     id, dl, date in seconds
 *    title "..."
 *
 * Markers are written as marker:US, title terms as title:rare.  Document numbers, segments,
 * sequence numbers and generations do not appear: two indexes that hold the same articles in
 * the same order give the same dump, however they came about.
 */
#include "searcher/dump.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base/number.h"
#include "searcher/xapian.h"

enum { FLUSH_BYTES = 64 * 1024 };

void dump_escaped(dump_sink *s, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++) {
        bool plain = p[i] > 0x20 && p[i] != 0x7f && p[i] != '\\' && p[i] != ':';
        if (plain)
            buf_u8(&s->text, p[i]);
        else
            dump_format(s, "\\x%02x", p[i]);
    }
}

void dump_format(dump_sink *s, const char *fmt, ...)
{
    char line[256];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (len > 0)
        buf_append(&s->text, line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
}

pm_status dump_flush(dump_sink *s, bool all, pm_error *err)
{
    if (s->text.failed) return error_nomem(err);
    if (s->text.len == 0 || (!all && s->text.len < FLUSH_BYTES)) return PM_OK;
    bool taken = s->write(s->ctx, (const char *)s->text.data, s->text.len);
    buf_reset(&s->text);
    return taken ? PM_OK : error_os(err, ECANCELED, "the dump could not be written");
}

void dump_settings(dump_sink *s, const snapshot *snap)
{
    const manifest *m = &snap->meta;
    dump_format(s, "pressmark dump 1\nsetting engine %s\nsetting lang %s\nsetting analyzer %s\n",
                m->engine, m->lang, m->profile);
    char k1[40], b[40];
    number_print(k1, sizeof k1, "%.17g", m->k1);
    number_print(b, sizeof b, "%.17g", m->b);
    dump_format(s, "setting positions %s\nsetting store %s\nsetting k1 %s\nsetting b %s\n",
                m->has_positions ? "yes" : "no", m->has_text ? "yes" : "no", k1, b);
    dump_format(s, "documents %llu tokens %llu\n", (unsigned long long)snap->n_docs,
                (unsigned long long)snap->n_tokens);
}

pm_status pm_index_dump(pm_index *index, bool (*write)(void *ctx, const char *data, size_t len),
                        void *ctx, pm_error *err)
{
    pm_status st = PM_OK;
    dump_sink s = {.write = write, .ctx = ctx};
    if (index->xapian) return xapian_dump(index->xapian, write, ctx, err);
    dump_settings(&s, index->snap);
    PM_TRY(dump_terms(&s, index->snap, err));
    PM_TRY(dump_forms(&s, index->snap, err));
    PM_TRY(dump_documents(&s, index->snap, err));
    PM_TRY(dump_flush(&s, true, err));
    PM_TRY(snapshot_status(index->snap, err));
out:
    buf_free(&s.text);
    return st;
}
