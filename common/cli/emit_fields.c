/* SPDX-License-Identifier: MIT
 *
 * emit_fields.c - results for other programs: ids, tab-separated, TREC.
 *
 * Ids come out as the bytes they are, unless standard output is a terminal.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/cli/emit.h"
#include "common/cli/emit_hits.h"
#include "common/cli/sanitize.h"
#include "common/cli/terminal.h"

/* Bytes with newline, tab and return replaced, others as they are. */
static void append_field(buf *out, pm_text text, bool is_id)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c != '\n' && c != '\t' && c != '\r') buf_u8(out, (uint8_t)c);
        else if (is_id) buf_append_str(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        else buf_u8(out, ' ');
    }
}

static void emit_field(pm_text text, bool is_id)
{
    static int is_terminal = -1;
    if (is_terminal < 0) is_terminal = terminal_is_stdout();
    if (!is_terminal && !memchr(text.data, '\n', text.len) && !memchr(text.data, '\t', text.len) &&
        !memchr(text.data, '\r', text.len)) {
        emit_data(text.data, text.len);
        return;
    }
    buf out = {0};
    if (is_terminal) sanitize_append(&out, text.data, text.len, is_id ? SAFE_NAME : SAFE_LINE);
    else append_field(&out, text, is_id);
    if (out.failed) emit_refused();
    else emit_data((const char *)out.data, out.len);
    buf_free(&out);
}

void emit_line(pm_text text)
{
    if (text.len) emit_field(text, false);
}

void emit_id(pm_text id)
{
    if (id.len) emit_field(id, true);
}

void emit_hits_ids(const pm_result *result)
{
    for (size_t i = 0; i < result->n_hits; i++) {
        emit_id(result->hits[i].id);
        emit_str("\n");
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

/* A field without blanks, because programs split the line at them: blanks and control
 * bytes become %XX. */
static void emit_trec_field(pm_text text)
{
    const char *from = text.data, *end = text.data + text.len;
    for (const char *p = from; p < end; p++) {
        unsigned char c = (unsigned char)*p;
        if (c > 0x20 && c != 0x7f) continue;
        emit_data(from, (size_t)(p - from));
        emit_printf("%%%02X", c);
        from = p + 1;
    }
    if (from < end) emit_data(from, (size_t)(end - from));
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
