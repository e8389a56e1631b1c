/* SPDX-License-Identifier: MIT
 *
 * analyzer_api.c - pm_analyzer of pressmark.h: takes a text, gives its terms as one line.
 */
#include "common/base/mem.h"
#include "common/text/analyzer.h"

struct pm_analyzer {
    analyzer *analyzer;
    buf line;
};

pm_status pm_analyzer_open(const char *lang, pm_analyzer **out, pm_error *err)
{
    *out = NULL;
    pm_analyzer *a = mem_zalloc(sizeof *a);
    if (!a) return error_nomem(err);
    pm_status st = analyzer_open(&a->analyzer, lang ? lang : "en", err);
    if (st == PM_OK)
        *out = a;
    else
        mem_free(a);
    return st;
}

void pm_analyzer_close(pm_analyzer *a)
{
    if (!a) return;
    analyzer_close(a->analyzer);
    buf_free(&a->line);
    mem_free(a);
}

static void append_token(buf *line, const token *t)
{
    if (line->len) buf_u8(line, ' ');
    buf_append(line, t->form->stem, t->form->stem_len);
    if (!t->marked) return;
    buf_u8(line, '|');
    buf_append(line, t->form->marker, t->form->marker_len);
}

pm_status pm_analyzer_terms(pm_analyzer *a, const char *text, size_t len, pm_text *out,
                            pm_error *err)
{
    *out = (pm_text){"", 0};
    if (len > UINT32_MAX)
        return error_set(err, PM_USAGE,
                         "a text of %zu bytes is too long to analyse at once; "
                         "split it at 4 GiB",
                         len);
    token t;
    buf *line = &a->line;
    line->failed = false;
    buf_reset(line);
    analyzer_begin(a->analyzer, text, len, false);
    while (analyzer_next(a->analyzer, &t)) append_token(line, &t);
    buf_u8(line, 0);
    if (line->failed || analyzer_failed(a->analyzer)) return error_nomem(err);
    *out = (pm_text){(const char *)line->data, line->len - 1};
    return PM_OK;
}
