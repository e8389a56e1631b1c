/* SPDX-License-Identifier: MIT
 *
 * topics.c - TREC topics, as trec.nist.gov distributes them.
 *
 *     <top>
 *     <num> Number: 301
 *     <title> International Organized Crime
 *     <desc> Description:
 *     Identify organizations that ...
 *     <narr> Narrative:
 *     ...
 *     </top>
 *
 * It is no XML: end tags are optional, a field lasts until the next tag.  A label that
 * repeats the field's name is not part of it, and white space is one blank.
 */
#include <string.h>
#include <strings.h>

#include "common/base/error.h"
#include "common/cli/queries.h"

typedef struct topic {
    pm_text num, fields[3]; /* title, desc, narr                                          */
} topic;

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static pm_text trim(pm_text t)
{
    while (t.len && is_space(t.data[0])) {
        t.data++;
        t.len--;
    }
    while (t.len && is_space(t.data[t.len - 1])) t.len--;
    return t;
}

static pm_text without_label(pm_text t, const char *label)
{
    size_t n = strlen(label);
    t = trim(t);
    if (t.len >= n && strncasecmp(t.data, label, n) == 0) {
        t.data += n;
        t.len -= n;
    }
    return trim(t);
}

static bool tag_is(pm_text tag, const char *name)
{
    return tag.len == strlen(name) && strncasecmp(tag.data, name, tag.len) == 0;
}

/* The next <tag> at or after p, and the text up to the tag that follows it. */
static const char *next_tag(const char *p, const char *end, pm_text *tag, pm_text *text)
{
    const char *open = memchr(p, '<', (size_t)(end - p));
    const char *close = open ? memchr(open, '>', (size_t)(end - open)) : NULL;
    if (!close) return NULL;
    *tag = (pm_text){open + 1, (size_t)(close - open - 1)};
    const char *after = close + 1;
    const char *next = memchr(after, '<', (size_t)(end - after));
    if (!next) next = end;
    *text = (pm_text){after, (size_t)(next - after)};
    return next;
}

static pm_status add_topic(query_list *list, const char *path, const topic *t, unsigned wanted,
                           pm_error *err)
{
    size_t cap = 1, len = 0;
    if (!t->num.len)
        return error_set(err, PM_USAGE, "%s: topic %zu has no <num>", path, list->n + 1);
    for (unsigned i = 0; i < 3; i++) cap += t->fields[i].len + 1;
    char *query = arena_alloc(&list->arena, cap);
    if (!query) return error_nomem(err);
    for (unsigned i = 0; i < 3; i++) {
        if (!(wanted & 1u << i)) continue;
        bool blank = len > 0;
        for (size_t j = 0; j < t->fields[i].len; j++) {
            char c = t->fields[i].data[j];
            if (is_space(c)) {
                blank = len > 0;
                continue;
            }
            if (blank) query[len++] = ' ';
            blank = false;
            query[len++] = c;
        }
    }
    return queries_add(list, t->num, (pm_text){query, len}, err);
}

pm_status topics_parse(query_list *list, const char *path, unsigned topic_fields, pm_error *err)
{
    pm_status st = PM_OK;
    const char *p = (const char *)list->text.data, *end = p + list->text.len;
    topic current = {0};
    bool inside = false;
    pm_text tag, text;
    while ((p = next_tag(p, end, &tag, &text))) {
        bool begins = tag_is(tag, "top"), ends = tag_is(tag, "/top");
        if ((begins || ends) && inside) PM_TRY(add_topic(list, path, &current, topic_fields, err));
        if (begins || ends) {
            current = (topic){0};
            inside = begins;
        } else if (tag_is(tag, "num"))
            current.num = without_label(text, "Number:");
        else if (tag_is(tag, "title"))
            current.fields[0] = without_label(text, "Topic:");
        else if (tag_is(tag, "desc"))
            current.fields[1] = without_label(text, "Description:");
        else if (tag_is(tag, "narr"))
            current.fields[2] = without_label(text, "Narrative:");
    }
    if (inside) PM_TRY(add_topic(list, path, &current, topic_fields, err));
out:
    return st;
}
