/* SPDX-License-Identifier: MIT
 *
 * emit_fields.c - results for other programs: ids, tab-separated, TREC.
 *
 * Titles are made safe always, ids come out as the bytes they are (line ends, tabs and in TREC
 * blanks and controls aside) unless standard output is a terminal: an id is to be handed back.
 */
#include <math.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/cli/emit.h"
#include "common/cli/emit_hits.h"
#include "common/cli/sanitize.h"
#include "common/cli/terminal.h"

static void put(buf *out)
{
    if (out->failed)
        emit_refused();
    else
        emit_data((const char *)out->data, out->len);
    buf_free(out);
}

/* Text on one line, made safe; newline, tab and return become blanks. */
static void emit_line(pm_text text)
{
    buf out = {0};
    sanitize_append(&out, text.data, text.len, SAFE_LINE);
    put(&out);
}

static const char *escape_of(char c)
{
    return c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : NULL;
}

/* An id as one field: newline, tab and return become \n, \t, \r; made safe on a terminal. */
static void emit_id(pm_text id)
{
    buf out = {0};
    if (terminal_is_stdout()) {
        sanitize_append(&out, id.data, id.len, SAFE_NAME);
        put(&out);
        return;
    }
    size_t from = 0;
    for (size_t i = 0; i < id.len; i++) {
        const char *escape = escape_of(id.data[i]);
        if (!escape) continue;
        emit_data(id.data + from, i - from);
        emit_str(escape);
        from = i + 1;
    }
    if (from < id.len) emit_data(id.data + from, id.len - from);
}

void emit_hits_ids(const pm_result *result, bool null)
{
    bool bytes = null && !terminal_is_stdout();
    for (size_t i = 0; i < result->n_hits; i++) {
        pm_text id = result->hits[i].id;
        if (bytes)
            emit_data(id.data, id.len);
        else
            emit_id(id);
        emit_data(bytes ? "" : "\n", 1);
    }
}

void emit_hits_tsv(const pm_result *result, pm_text qid)
{
    for (size_t i = 0; i < result->n_hits; i++) {
        const pm_hit *hit = &result->hits[i];
        if (qid.len) {
            emit_id(qid);
            emit_str("\t");
        }
        emit_printf("%llu\t", (unsigned long long)hit->rank);
        emit_id(hit->id);
        emit_printf("\t%.17g\t", hit->score);
        emit_line(hit->title);
        emit_str("\n");
    }
}

/* Bytes at p that may stand in a field of TREC as they are; 0: the first must be escaped. */
static size_t trec_plain(const unsigned char *p, const unsigned char *end)
{
    uint32_t code = 0;
    if (*p <= 0x20 || *p == 0x7f) return 0;
    if (!terminal_is_stdout()) return 1;
    size_t n = sanitize_decode(p, end, &code);
    return sanitize_is_hidden(code) ? 0 : n;
}

/* A field without blanks, because programs split the line at them: blanks and control bytes
 * become %XX; on a terminal everything that it might obey. */
static void emit_trec_field(pm_text text)
{
    const unsigned char *p = (const unsigned char *)text.data, *end = p + text.len;
    while (p < end) {
        size_t n = trec_plain(p, end);
        if (n)
            emit_data((const char *)p, n);
        else
            emit_printf("%%%02X", *p);
        p += n ? n : 1;
    }
}

void emit_hits_trec(const pm_result *result, pm_text qid, const char *tag)
{
    float last = INFINITY;
    for (size_t i = 0; i < result->n_hits; i++) {
        const pm_hit *hit = &result->hits[i];
        float score = (float)hit->score;
        if (!(score < last)) score = nextafterf(last, -INFINITY);
        last = score;
        emit_trec_field(qid);
        emit_str(" Q0 ");
        emit_trec_field(hit->id);
        emit_printf(" %llu %.9g ", (unsigned long long)hit->rank, (double)score);
        emit_trec_field((pm_text){tag, strlen(tag)});
        emit_str("\n");
    }
}
