/* SPDX-License-Identifier: MIT
 * inverter_fields.c - fields to posting lists; see inverter_fields.h.
 *
 * Values are few beside documents, so each is kept once, in a hash table, and a posting is two
 * numbers.  Written, values are sorted by key and postings put in their order by counting.
 */
#include "indexer/inverter_fields.h"

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/text/value.h"
#include "indexer/keysort.h"

#define NO_VALUE UINT32_MAX

enum {
    FIELD_POSTING_BYTES = 16, /* here 8, and when written 4 in order of values and 4 of a list  */
    FIELD_VALUE_BYTES = 96,   /* here 24, 8 in slots twice over, 32 to sort, and spare          */
    FIELD_MAX = 1 << 30,
    SLOTS_KEEP = 64 << 10, /* of more values nothing is kept for the next segment             */
    TAG_SEPARATOR = 0x1f,
};

void inverter_fields_free(inverter_fields *f)
{
    buf_free(&f->bytes);
    mem_free(f->values);
    mem_free(f->slots);
    mem_free(f->postings);
    memset(f, 0, sizeof *f);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Values come from whoever wrote the articles: see hash.h.  Only places in the table depend on it.
 */
static void make_key(inverter_fields *f)
{
    uint8_t random[16];
    file_random(random);
    f->hash_key = load_u64(random);
}

static bool grow_slots(inverter_fields *f)
{
    size_t n = f->n_slots ? 2 * f->n_slots : 256;
    uint32_t *slots = mem_table(n, sizeof *slots);
    if (!slots) return false;
    if (!f->n_slots) make_key(f);
    for (size_t v = 0; v < f->n_values; v++) {
        size_t at = f->values[v].hash & (n - 1);
        while (slots[at]) at = (at + 1) & (n - 1);
        slots[at] = (uint32_t)v + 1;
    }
    mem_free(f->slots);
    f->slots = slots;
    f->n_slots = n;
    return true;
}

/* The number of a key, which is new or not; false when memory is refused. */
static bool find_value(inverter_fields *f, const uint8_t *key, uint32_t len, uint32_t *out)
{
    if (2 * (f->n_values + 1) > f->n_slots && !grow_slots(f)) return false;
    uint64_t hash = hash_keyed(f->hash_key, key, len);
    size_t at = hash & (f->n_slots - 1);
    for (; f->slots[at]; at = (at + 1) & (f->n_slots - 1)) {
        const field_value *v = &f->values[f->slots[at] - 1];
        if (v->hash != hash || v->len != len || memcmp(f->bytes.data + v->off, key, len)) continue;
        *out = f->slots[at] - 1;
        return true;
    }
    if (!buf_reserve(&f->bytes, len) ||
        !mem_grow(&f->values, &f->values_cap, f->n_values + 1, sizeof *f->values)) {
        f->bytes.failed = false;
        return false;
    }
    f->values[f->n_values] = (field_value){.hash = hash, .off = (uint32_t)f->bytes.len, .len = len};
    buf_append(&f->bytes, key, len);
    f->slots[at] = (uint32_t)++f->n_values;
    *out = (uint32_t)f->n_values - 1;
    return true;
}

/* ---- one article ----------------------------------------------------------------------------- */

static bool add_value(inverter_fields *f, uint8_t field, const char *text, size_t len, uint32_t doc)
{
    char key[2 + TERM_MAX_BYTES];
    uint32_t value;
    size_t n = value_fold(text, len, key + 2);
    if (!n) return true;
    f->over = inverter_fields_memory(f) > f->most;
    if (f->over) return false;
    key[0] = KEY_FIELD;
    key[1] = (char)field;
    if (!find_value(f, (const uint8_t *)key, (uint32_t)n + 2, &value)) return false;
    if (f->values[value].last == doc + 1) return true;
    if (!mem_grow(&f->postings, &f->postings_cap, f->n_postings + 1, sizeof *f->postings))
        return false;
    f->postings[f->n_postings++] = (field_posting){value, doc};
    f->values[value].last = doc + 1;
    f->values[value].df++;
    return true;
}

/* Length of what separates two names at the start of text, 0 when nothing does. */
static size_t between_names(const char *text, size_t len)
{
    static const char *const words[] = {" and ", " & "};
    if (*text == ',') return 1;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if (len >= n && !memcmp(text, words[i], n)) return n;
    }
    return 0;
}

/* "Doe, Jane" by herself, and what stands between commas and the like: "Jane Doe, Rob Roe". */
static bool add_names(inverter_fields *f, const char *text, size_t len, uint32_t doc)
{
    size_t from = 0, step;
    if (!add_value(f, FIELD_AUTHOR, text, len, doc)) return false;
    for (size_t at = 0; at < len; at += step ? step : 1) {
        step = between_names(text + at, len - at);
        if (!step) continue;
        if (!add_value(f, FIELD_AUTHOR, text + from, at - from, doc)) return false;
        from = at + step;
    }
    return !from || add_value(f, FIELD_AUTHOR, text + from, len - from, doc);
}

static bool add_authors(inverter_fields *f, pm_text author, uint32_t doc)
{
    size_t from = 0;
    if (!add_value(f, FIELD_AUTHOR, author.data, author.len, doc)) return false;
    for (size_t at = 0; at <= author.len; at++) {
        char c = at < author.len ? author.data[at] : ';';
        if (c != ';' && c != '\n' && c != TAG_SEPARATOR) continue;
        if (!add_names(f, author.data + from, at - from, doc)) return false;
        from = at + 1;
    }
    return true;
}

static bool add_tags(inverter_fields *f, pm_text tags, uint32_t doc)
{
    size_t from = 0;
    for (size_t at = 0; at <= tags.len; at++) {
        if (at < tags.len && tags.data[at] != TAG_SEPARATOR) continue;
        if (!add_value(f, FIELD_TAG, tags.data + from, at - from, doc)) return false;
        from = at + 1;
    }
    return true;
}

static bool add_lang(inverter_fields *f, pm_text lang, uint32_t doc)
{
    size_t n = 0;
    while (n < lang.len && lang.data[n] != '-' && lang.data[n] != '_') n++;
    if (!add_value(f, FIELD_LANG, lang.data, lang.len, doc)) return false;
    return n == lang.len || add_value(f, FIELD_LANG, lang.data, n, doc);
}

void inverter_fields_take_back(inverter_fields *f, size_t n_postings)
{
    while (f->n_postings > n_postings) {
        field_value *v = &f->values[f->postings[--f->n_postings].value];
        v->df--;
        v->last = 0;
    }
}

bool inverter_fields_add(inverter_fields *f, const pm_article *article, uint32_t doc, uint64_t most)
{
    size_t before = f->n_postings;
    f->most = most;
    f->over = false;
    pm_text source = article->source, author = article->author, tags = article->tags;
    if ((!source.len || add_value(f, FIELD_SOURCE, source.data, source.len, doc)) &&
        (!author.len || add_authors(f, author, doc)) && (!tags.len || add_tags(f, tags, doc)) &&
        (!article->lang.len || add_lang(f, article->lang, doc))) {
        f->over = inverter_fields_memory(f) > most;
        if (!f->over) return true;
    }
    inverter_fields_take_back(f, before);
    return false;
}

/* ---- copies ---------------------------------------------------------------------------------- */

bool inverter_fields_copy(inverter_fields *to, const inverter_fields *from)
{
    *to = (inverter_fields){.n_values = from->n_values, .n_postings = from->n_postings};
    to->values = mem_array(from->n_values, sizeof *to->values);
    to->postings = mem_array(from->n_postings, sizeof *to->postings);
    if (from->bytes.len) buf_append(&to->bytes, from->bytes.data, from->bytes.len);
    if (!to->values || !to->postings || to->bytes.failed) {
        inverter_fields_free(to);
        return false;
    }
    if (from->n_values) memcpy(to->values, from->values, from->n_values * sizeof *to->values);
    if (from->n_postings)
        memcpy(to->postings, from->postings, from->n_postings * sizeof *to->postings);
    to->values_cap = from->n_values;
    to->postings_cap = from->n_postings;
    return true;
}

/* One posting of a value whose number here is `known`, or is found and kept there. */
static bool append_posting(inverter_fields *f, const inverter_fields *from, uint32_t *known,
                           uint32_t value, uint32_t doc)
{
    const field_value *v = &from->values[value];
    if (*known == NO_VALUE && !find_value(f, from->bytes.data + v->off, v->len, known))
        return false;
    if (!mem_grow(&f->postings, &f->postings_cap, f->n_postings + 1, sizeof *f->postings))
        return false;
    f->postings[f->n_postings++] = (field_posting){*known, doc};
    f->values[*known].last = doc + 1;
    f->values[*known].df++;
    return true;
}

bool inverter_fields_append(inverter_fields *f, const inverter_fields *from,
                            const uint32_t *numbers)
{
    uint32_t *known = mem_alloc(from->n_values * sizeof *known);
    bool ok = known != NULL;
    for (size_t v = 0; ok && v < from->n_values; v++) known[v] = NO_VALUE;
    for (size_t i = 0; ok && i < from->n_postings; i++) {
        field_posting p = from->postings[i];
        if (numbers[p.doc] != FIELDS_NO_DOC)
            ok = append_posting(f, from, &known[p.value], p.value, numbers[p.doc]);
    }
    mem_free(known);
    return ok;
}

/* ---- memory ---------------------------------------------------------------------------------- */

uint64_t inverter_fields_memory(const inverter_fields *f)
{
    return f->bytes.len + (uint64_t)f->n_values * FIELD_VALUE_BYTES +
           (uint64_t)f->n_postings * FIELD_POSTING_BYTES;
}

bool inverter_fields_full(const inverter_fields *f)
{
    return f->n_postings >= FIELD_MAX || f->bytes.len >= FIELD_MAX;
}

void inverter_fields_reset(inverter_fields *f)
{
    buf_reset(&f->bytes);
    f->n_values = f->n_postings = 0;
    if (f->n_slots > SLOTS_KEEP) inverter_fields_free(f);
    if (f->n_slots) memset(f->slots, 0, f->n_slots * sizeof *f->slots);
}

/* ---- lists ----------------------------------------------------------------------------------- */

typedef struct field_lists {
    const inverter_fields *f;
    keysort_item *items, *scratch; /* values, by key                                       */
    uint32_t *ends;                /* by value: where its documents end in docs             */
    uint32_t *docs;
    uint32_t *tfs; /* ones                                                                 */
} field_lists;

static int order_by_key(const void *ctx, uint32_t a, uint32_t b)
{
    const inverter_fields *f = ctx;
    const field_value *x = &f->values[a], *y = &f->values[b];
    return keysort_compare(f->bytes.data + x->off, x->len, f->bytes.data + y->off, y->len);
}

static bool lists_allocate(field_lists *l)
{
    uint32_t longest = 0;
    for (size_t v = 0; v < l->f->n_values; v++)
        if (l->f->values[v].df > longest) longest = l->f->values[v].df;
    l->items = mem_array(l->f->n_values, sizeof *l->items);
    l->scratch = mem_array(l->f->n_values, sizeof *l->scratch);
    l->ends = mem_array(l->f->n_values, sizeof *l->ends);
    l->docs = mem_alloc(l->f->n_postings * sizeof *l->docs);
    l->tfs = mem_alloc(longest * sizeof *l->tfs);
    if (!l->items || !l->scratch || !l->ends || !l->docs || !l->tfs) return false;
    for (uint32_t i = 0; i < longest; i++) l->tfs[i] = 1;
    return true;
}

static void lists_sort(field_lists *l)
{
    const inverter_fields *f = l->f;
    uint32_t sum = 0;
    for (uint32_t v = 0; v < f->n_values; v++) {
        const field_value *value = &f->values[v];
        l->items[v] = keysort_string(f->bytes.data + value->off, value->len, v);
        l->ends[v] = sum; /* its begin, until its documents have moved it to its end        */
        sum += value->df;
    }
    const keysort_order order = {.compare = order_by_key, .ctx = f};
    keysort(l->items, l->scratch, f->n_values, &order);
    for (size_t i = 0; i < f->n_postings; i++)
        l->docs[l->ends[f->postings[i].value]++] = f->postings[i].doc;
}

pm_status inverter_fields_write(const inverter_fields *f, segment_writer *w, pm_error *err)
{
    field_lists l = {.f = f};
    pm_status st = PM_OK;
    if (!f->n_postings) return PM_OK;
    if (!lists_allocate(&l)) PM_TRY(error_nomem(err));
    lists_sort(&l);
    for (size_t i = 0; i < f->n_values; i++) {
        const field_value *v = &f->values[l.items[i].id];
        segment_term out = {.key = f->bytes.data + v->off, .key_len = v->len, .df = v->df};
        out.docs = l.docs + l.ends[l.items[i].id] - v->df;
        out.tfs = l.tfs;
        if (v->df) segment_writer_term(w, &out);
    }
out:
    mem_free(l.items);
    mem_free(l.scratch);
    mem_free(l.ends);
    mem_free(l.docs);
    mem_free(l.tfs);
    return st;
}
