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
 * It is no XML: end tags are optional, a field lasts until the next tag of a known name.  A tag is
 * '<' or '</' with a letter right behind it, closed by '>' in the same line, in either case and
 * with attributes; any other '<' is text.  Tags of other names are markup: a blank takes their
 * place, and a number ends there.  A label that repeats the field's name is not part of it, and
 * white space is one blank.
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

typedef struct tag {
    pm_text name;
    const char *start, *end; /* from its '<' to behind its '>'                             */
    bool closes;             /* </name>                                                    */
} tag;

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ':' || c == '.';
}

static bool tag_is(const tag *t, const char *name)
{
    return t->name.len == strlen(name) && strncasecmp(t->name.data, name, t->name.len) == 0;
}

static bool is_known(const tag *t)
{
    static const char *const names[] = {"top",  "num", "title", "desc", "narr", "dom",
                                        "smry", "con", "fac",   "def",  "head"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (tag_is(t, names[i])) return true;
    return false;
}

/* Is there a tag at p, which is a '<'? */
static bool tag_at(const char *p, const char *end, tag *out)
{
    const char *name = p + 1;
    if (name < end && *name == '/') name++;
    if (name == end || !is_letter(*name)) return false;
    size_t len = 0;
    while (name + len < end && is_name(name[len])) len++;
    const char *q = name + len;
    if (q < end && *q != '/' && *q != '>' && !is_space(*q)) return false;
    while (q < end && *q != '>' && *q != '<' && *q != '\n' && *q != '\r') q++;
    if (q == end || *q != '>') return false;
    *out = (tag){{name, len}, p, q + 1, name[-1] == '/'};
    return true;
}

/* The next tag at or after p, of a known name only if so wanted. */
static bool next_tag(const char *p, const char *end, bool known, tag *out)
{
    while ((p = memchr(p, '<', (size_t)(end - p)))) {
        bool is = tag_at(p, end, out);
        if (is && (!known || is_known(out))) return true;
        p = is ? out->end : p + 1;
    }
    return false;
}

bool topics_begin(pm_text *text)
{
    tag first;
    const char *p = text->data, *end = p + text->len;
    for (const char *stop; p < end; p = stop) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        stop = newline ? newline + 1 : end;
        while (p < stop && is_space(*p)) p++;
        if (p < stop && *p != '#') break;
    }
    if (p == end || *p != '<') return false;
    *text = (pm_text){p, (size_t)(end - p)};
    while (next_tag(p, end, true, &first)) {
        if (tag_is(&first, "top") && !first.closes) return true;
        p = first.end;
    }
    return false;
}

/* Appends words of `from` to query[len..], each white space and each tag as one blank. */
static size_t append_words(char *query, size_t len, pm_text from)
{
    tag markup;
    const char *p = from.data, *end = p + from.len;
    bool blank = len > 0;
    while (p < end) {
        bool is_tag = *p == '<' && tag_at(p, end, &markup);
        if (is_tag || is_space(*p)) {
            blank = len > 0;
            p = is_tag ? markup.end : p + 1;
            continue;
        }
        if (blank) query[len++] = ' ';
        blank = false;
        query[len++] = *p++;
    }
    return len;
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
    for (unsigned i = 0; i < 3; i++)
        if (wanted & 1u << i) len = append_words(query, len, t->fields[i]);
    return queries_add(list, t->num, (pm_text){query, len}, err);
}

/* A number ends with its line, or at any tag. */
static pm_text number_of(pm_text text)
{
    tag after;
    pm_text num = without_label(text, "Number:");
    if (next_tag(num.data, num.data + num.len, false, &after))
        num.len = (size_t)(after.start - num.data);
    const char *newline = memchr(num.data, '\n', num.len);
    if (newline) num.len = (size_t)(newline - num.data);
    return trim(num);
}

/* A field of the topic, begun by its tag. */
static void take_field(topic *t, const tag *begin, pm_text text)
{
    if (tag_is(begin, "num"))
        t->num = number_of(text);
    else if (tag_is(begin, "title"))
        t->fields[0] = without_label(text, "Topic:");
    else if (tag_is(begin, "desc"))
        t->fields[1] = without_label(text, "Description:");
    else if (tag_is(begin, "narr"))
        t->fields[2] = without_label(text, "Narrative:");
}

pm_status topics_parse(query_list *list, const char *path, pm_text text, unsigned topic_fields,
                       pm_error *err)
{
    pm_status st = PM_OK;
    const char *end = text.data + text.len;
    topic current = {0};
    bool inside = false;
    tag t = {.name = {NULL, 0}}, next = t;
    bool more = next_tag(text.data, end, true, &t);
    for (; more; t = next) {
        more = next_tag(t.end, end, true, &next);
        const char *stop = more ? next.start : end;
        if (tag_is(&t, "top")) {
            if (inside) PM_TRY(add_topic(list, path, &current, topic_fields, err));
            current = (topic){0};
            inside = !t.closes;
        } else if (!t.closes) {
            take_field(&current, &t, (pm_text){t.end, (size_t)(stop - t.end)});
        }
    }
    if (inside) PM_TRY(add_topic(list, path, &current, topic_fields, err));
out:
    return st;
}
