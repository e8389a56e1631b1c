/* SPDX-License-Identifier: MIT
 * target_json.c - fuzz target of one line of JSON: the scanner against the library that is its
 * twin, to the fields of the document.
 */
#include "common/text/analyzer.h"
#include "indexer/fields.h"
#include "indexer/json_fields.h"
#include "indexer/json_line.h"
#include "tests/fuzz/targets.h"

static void same_text(pm_text a, pm_text b)
{
    fuzz_must(a.len == b.len && (!a.len || memcmp(a.data, b.data, a.len) == 0));
}

static void same_document(const document *a, const document *b)
{
    const pm_article *x = &a->article, *y = &b->article;
    same_text(x->id, y->id);
    same_text(x->title, y->title);
    same_text(x->text, y->text);
    same_text(x->date, y->date);
    same_text(x->url, y->url);
    same_text(x->source, y->source);
    same_text(x->author, y->author);
    same_text(x->tags, y->tags);
    same_text(x->lang, y->lang);
    same_text(x->extra, y->extra);
    fuzz_must(utf8_valid_prefix(x->text.data, x->text.len) == x->text.len);
}

/* By the scanner; false when it leaves the line to the library. */
static bool scan(document *d, const char *line, size_t len, bool *refused)
{
    static json_object_scan object;
    bool left = true;
    json_verdict verdict = json_scan(&object, line, len);
    *refused = verdict == JSON_REFUSED;
    if (verdict != JSON_SCANNED) return false;
    fuzz_must(object.n <= JSON_SCAN_MEMBERS_MAX);
    fuzz_must(json_fields_take(d, &object, &left, NULL) == PM_OK);
    return !left;
}

void fuzz_json_line(const uint8_t *data, size_t len)
{
    document scanned = {.n_spans = 0}, parsed = {.n_spans = 0};
    const char *line = (const char *)data;
    json_t *object = NULL;
    buf numbers = {0};
    uint64_t repaired = 0;
    char reason[160] = "";
    bool refused;
    bool taken = scan(&scanned, line, len, &refused);
    fuzz_must(json_line_parse(line, len, &object, &numbers, &repaired, reason, NULL) == PM_OK);
    fuzz_must((object != NULL) == (reason[0] == '\0'));
    fuzz_must(!taken || object != NULL);
    if (object) {
        fuzz_must(fields_take(&parsed, object, &numbers, FIELDS_JSONL, NULL) == PM_OK);
        fuzz_must(document_keep(&parsed, NULL) == PM_OK);
        if (taken) same_document(&scanned, &parsed);
    }
    json_line_sniff(line, len, len % 2);
    json_decref(object);
    buf_free(&numbers);
    document_free(&scanned);
    document_free(&parsed);
}
