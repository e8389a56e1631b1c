/* SPDX-License-Identifier: MIT
 * target_text.c - fuzz targets of everything that people type or write: queries, texts, front
 * matter, dates.
 */
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/text/date.h"
#include "common/text/period.h"
#include "indexer/document.h"
#include "indexer/fields.h"
#include "indexer/front_matter.h"
#include "searcher/query.h"
#include "tests/fuzz/targets.h"

enum { FORMS_BYTES_MAX = 16 << 20 };

/* One analyzer of each kind for all inputs; its cache is emptied when it grows. */
static analyzer *the_analyzer(const char *lang)
{
    static struct {
        const char *lang;
        analyzer *a;
    } known[8];
    unsigned i = 0;
    while (known[i].lang && strcmp(known[i].lang, lang) != 0) i++;
    if (!known[i].a) {
        fuzz_must(analyzer_open(&known[i].a, lang, NULL) == PM_OK);
        known[i].lang = lang;
    }
    if (analyzer_memory(known[i].a) > FORMS_BYTES_MAX) analyzer_reset_forms(known[i].a);
    return known[i].a;
}

/* ---- queries -------------------------------------------------------------------------- */

/* Nodes below a node, whose depth must be bounded. */
static unsigned count_leaves(const query_node *node, unsigned depth)
{
    unsigned n = 0;
    fuzz_must(depth <= 4 * QUERY_DEPTH_MAX + 8);
    if (query_is_leaf(node)) return 1;
    for (const query_node *child = node->first; child; child = child->next)
        n += count_leaves(child, depth + 1);
    return n;
}

void fuzz_query(const uint8_t *data, size_t len)
{
    arena mem = {0};
    analyzer *words = the_analyzer("english");
    const char *text = (const char *)data;
    for (unsigned strict = 0; strict < 2; strict++) {
        query q;
        pm_text shown;
        pm_error err = {.status = PM_OK};
        pm_status st = query_parse(&q, &mem, words, text, len, strict, &err);
        fuzz_must(st == PM_OK || (strict && st == PM_USAGE && err.offset <= q.text.len));
        if (st != PM_OK) continue;
        fuzz_must(q.n_words <= QUERY_WORDS_MAX && q.n_notes <= QUERY_NOTES_MAX);
        fuzz_must((q.root ? count_leaves(q.root, 0) : 0) == q.n_leaves);
        fuzz_must(query_print(&q, &mem, &shown, &err) == PM_OK);
        fuzz_must(utf8_valid_prefix(shown.data, shown.len) == shown.len);
    }
    arena_free(&mem);
}

/* ---- analysis ------------------------------------------------------------------------- */

static void check_form(const form *f)
{
    fuzz_must(f->stem_len > 0 && f->stem_len <= TERM_MAX_BYTES + 2);
    fuzz_must(utf8_valid_prefix(f->stem, f->stem_len) == f->stem_len);
    fuzz_must(utf8_valid_prefix(f->exact, f->exact_len) == f->exact_len);
    fuzz_must(utf8_valid_prefix(f->folded, f->folded_len) == f->folded_len);
}

/* What a token says, added to a sum. */
static uint64_t add_token(uint64_t sum, const token *t)
{
    uint64_t place = (uint64_t)t->start << 32 | t->end;
    return hash_mix(hash_mix(sum ^ place) ^ (uint64_t)t->form_id << 33 ^ t->position ^
                    (uint64_t)t->marked << 32);
}

/* Many at a time: the same once more. */
static void check_fill(analyzer *a, uint64_t want)
{
    token t[24];
    uint64_t sum = 0;
    for (size_t n; (n = analyzer_fill(a, t, 24)) != 0;)
        for (size_t i = 0; i < n; i++) sum = add_token(sum, &t[i]);
    fuzz_must(sum == want);
}

void fuzz_analyzer(const uint8_t *data, size_t len)
{
    static const char *const langs[] = {"english", "none", "german", "turkish"};
    if (!len) return;
    analyzer *a = the_analyzer(langs[data[0] % 4]);
    const char *text = (const char *)data + 1;
    token t;
    uint32_t last = 0, start = 0, n = 0;
    uint64_t sum = 0;
    analyzer_begin(a, text, len - 1, data[0] & 4);
    while (analyzer_next(a, &t)) {
        fuzz_must(t.start <= t.end && t.end <= len - 1);
        fuzz_must(n == 0 || (t.position >= last && t.start >= start));
        fuzz_must(t.position <= len && n++ <= 2 * len);
        fuzz_must(!t.marked || t.form->marker_len > 0);
        check_form(t.form);
        last = t.position;
        start = t.start;
        sum = add_token(sum, &t);
    }
    fuzz_must(!analyzer_failed(a));
    analyzer_begin(a, text, len - 1, data[0] & 4);
    check_fill(a, sum);
}

/* ---- front matter --------------------------------------------------------------------- */

void fuzz_front_matter(const uint8_t *data, size_t len)
{
    front_matter_span span;
    const char *text = (const char *)data;
    document d = {.n_spans = 0};
    json_t *object = NULL;
    buf sound = {0};
    if (front_matter_find(text, len, &span)) {
        fuzz_must(span.start <= span.end && span.end <= span.body && span.body <= len);
        fuzz_must(span.end - span.start <= FRONT_MATTER_MAX_BYTES);
    }
    utf8_repair(&sound, text, len < 4096 ? len : 4096);
    const char *block = sound.len ? (const char *)sound.data : "";
    fuzz_must(front_matter_parse(block, sound.len, &object, NULL) == PM_OK);
    fuzz_must(json_is_object(object));
    fuzz_must(fields_take(&d, object, NULL, FIELDS_FRONT_MATTER, NULL) == PM_OK);
    fuzz_must(document_keep(&d, NULL) == PM_OK);
    json_decref(object);
    document_free(&d);
    buf_free(&sound);
}

/* ---- dates ---------------------------------------------------------------------------- */

static void check_period(const char *text, size_t len)
{
    period p, again;
    if (!period_range(text, len, &p)) return;
    fuzz_must(memchr(p.text, 0, sizeof p.text) != NULL);
    fuzz_must(period_range(p.text, strlen(p.text), &again));
    fuzz_must(p.from == again.from && p.to == again.to && !strcmp(p.text, again.text));
}

void fuzz_date(const uint8_t *data, size_t len)
{
    check_period((const char *)data, len);
    char out[32], again[32];
    memset(out, 'x', sizeof out);
    size_t taken = date_scan((const char *)data, len, out);
    fuzz_must(taken <= len);
    if (taken) fuzz_must(memchr(out, 0, sizeof out) != NULL);
    if (!pm_date_parse((const char *)data, len, out)) return;
    size_t n = strnlen(out, sizeof out);
    fuzz_must(n == 10 || n == 19 || n == 25);
    fuzz_must(pm_date_parse(out, n, again));
    fuzz_must(strcmp(out, again) == 0);
}
