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
 *
 * Later tracks (Web 2009 to 2014, TREC-COVID, Clinical Trials) distribute XML:
 *
 *     <topic number="1">
 *       <query>coronavirus origin</query>
 *       <question>what is the origin of COVID-19</question>
 *       <narrative>...</narrative>
 *     </topic>
 *
 * It is read by the same rules.  <query> is the title, <description> or <question> the description,
 * <narrative> the narrative; where there is neither <query> nor <title>, the text right behind
 * <topic> is the title.  The five entities of XML are what they stand for, here alone.
 */
#include <string.h>

#include "common/base/error.h"
#include "common/cli/queries.h"

typedef struct topic {
    pm_text num, fields[3]; /* title, desc, narr                                          */
    bool xml;               /* begun by <topic>                                           */
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
    if (t.len >= n && ascii_same(t.data, label, n)) {
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
    return t->name.len == strlen(name) && ascii_same(t->name.data, name, t->name.len);
}

/* Which tags are looked for. */
typedef enum tag_set { TAGS_ALL, TAGS_TREC, TAGS_XML } tag_set;

static bool is_in(const tag *t, tag_set set)
{
    static const char *const names[][12] = {
        [TAGS_TREC] = {"top", "num", "title", "desc", "narr", "dom", "smry", "con", "fac", "def",
                       "head"},
        [TAGS_XML] = {"topic", "title", "desc", "narr", "query", "description", "question",
                      "narrative", "subtopic"},
    };
    for (const char *const *name = names[set]; *name; name++)
        if (tag_is(t, *name)) return true;
    return set == TAGS_ALL;
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

/* The next tag of the set at or after p. */
static bool next_tag(const char *p, const char *end, tag_set set, tag *out)
{
    while ((p = memchr(p, '<', (size_t)(end - p)))) {
        bool is = tag_at(p, end, out);
        if (is && is_in(out, set)) return true;
        p = is ? out->end : p + 1;
    }
    return false;
}

/* The value of an attribute of the tag, without its quotes; empty when there is none. */
static pm_text attribute_of(const tag *t, const char *name)
{
    const char *p = t->name.data + t->name.len, *end = t->end - 1;
    while (p < end) {
        while (p < end && is_space(*p)) p++;
        const char *key = p;
        while (p < end && *p != '=' && !is_space(*p)) p++;
        bool found = (size_t)(p - key) == strlen(name) && ascii_same(key, name, strlen(name));
        while (p < end && is_space(*p)) p++;
        if (p == end || *p != '=') continue;
        p++;
        while (p < end && is_space(*p)) p++;
        char quote = p < end && (*p == '"' || *p == '\'') ? *p++ : '\0';
        const char *value = p;
        while (p < end && (quote ? *p != quote : !is_space(*p))) p++;
        if (found) return trim((pm_text){value, (size_t)(p - value)});
        if (p < end) p++;
    }
    return (pm_text){end, 0};
}

/* By the first <top> or <topic number="...">; TAGS_ALL when there is neither. */
static tag_set style_of(pm_text text)
{
    tag t;
    const char *p = text.data, *end = p + text.len;
    for (; next_tag(p, end, TAGS_ALL, &t); p = t.end) {
        if (t.closes) continue;
        if (tag_is(&t, "top")) return TAGS_TREC;
        if (tag_is(&t, "topic") && attribute_of(&t, "number").len) return TAGS_XML;
    }
    return TAGS_ALL;
}

bool topics_begin(pm_text *text)
{
    const char *p = text->data, *end = p + text->len;
    for (const char *stop; p < end; p = stop) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        stop = newline ? newline + 1 : end;
        while (p < stop && is_space(*p)) p++;
        if (p < stop && *p != '#') break;
    }
    if (p == end || *p != '<') return false;
    *text = (pm_text){p, (size_t)(end - p)};
    return style_of(*text) != TAGS_ALL;
}

/* The length of the entity of XML at p, 0 for none, and what it stands for. */
static size_t entity_at(const char *p, const char *end, char *out)
{
    static const struct {
        const char *name;
        char stands_for;
    } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        size_t len = strlen(entities[i].name);
        if ((size_t)(end - p) < len || memcmp(p, entities[i].name, len) != 0) continue;
        *out = entities[i].stands_for;
        return len;
    }
    return 0;
}

/* Appends words of `from` to query[len..], each white space and each tag as one blank. */
static size_t append_words(char *query, size_t len, pm_text from, bool xml)
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
        size_t entity = xml && *p == '&' ? entity_at(p, end, &query[len]) : 0;
        if (!entity) query[len] = *p;
        p += entity ? entity : 1;
        len++;
    }
    return len;
}

static pm_status add_topic(query_list *list, const char *path, const topic *t, unsigned wanted,
                           pm_error *err)
{
    size_t cap = 1, len = 0;
    if (!t->num.len)
        return error_set(err, PM_USAGE, "%s: topic %zu has no %s", path, list->n + 1,
                         t->xml ? "number=\"...\"" : "<num>");
    for (unsigned i = 0; i < 3; i++) cap += t->fields[i].len + 1;
    char *query = arena_alloc(&list->arena, cap);
    if (!query) return error_nomem(err);
    for (unsigned i = 0; i < 3; i++)
        if (wanted & 1u << i) len = append_words(query, len, t->fields[i], t->xml);
    return queries_add(list, t->num, (pm_text){query, len}, err);
}

/* A number ends with its line, or at any tag. */
static pm_text number_of(pm_text text)
{
    tag after;
    pm_text num = without_label(text, "Number:");
    if (next_tag(num.data, num.data + num.len, TAGS_ALL, &after))
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
    else if (tag_is(begin, "title") || tag_is(begin, "query"))
        t->fields[0] = without_label(text, "Topic:");
    else if (tag_is(begin, "desc") || tag_is(begin, "description") || tag_is(begin, "question"))
        t->fields[1] = without_label(text, "Description:");
    else if (tag_is(begin, "narr") || tag_is(begin, "narrative"))
        t->fields[2] = without_label(text, "Narrative:");
}

/* A topic, begun by its tag. */
static topic begin_topic(const tag *begin, tag_set style, pm_text text)
{
    if (style == TAGS_TREC) return (topic){0};
    return (topic){.xml = true, .num = attribute_of(begin, "number"), .fields = {trim(text)}};
}

pm_status topics_parse(query_list *list, const char *path, pm_text text, unsigned topic_fields,
                       pm_error *err)
{
    pm_status st = PM_OK;
    const char *end = text.data + text.len;
    topic current = {0};
    bool inside = false;
    tag t = {.name = {NULL, 0}}, next = t;
    tag_set style = style_of(text);
    bool more = next_tag(text.data, end, style, &t);
    for (; more; t = next) {
        more = next_tag(t.end, end, style, &next);
        const char *stop = more ? next.start : end;
        pm_text behind = {t.end, (size_t)(stop - t.end)};
        if (tag_is(&t, style == TAGS_XML ? "topic" : "top")) {
            if (inside) PM_TRY(add_topic(list, path, &current, topic_fields, err));
            current = begin_topic(&t, style, behind);
            inside = !t.closes;
        } else if (!t.closes) {
            take_field(&current, &t, behind);
        }
    }
    if (inside) PM_TRY(add_topic(list, path, &current, topic_fields, err));
out:
    return st;
}
