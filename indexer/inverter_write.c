/* SPDX-License-Identifier: MIT
 * inverter_write.c - a stream of tokens to posting lists in order of their keys.
 *
 * 1. plan     The forms that occur are sorted by (stem, folded, exact).  Equal ones (two
 *             spellings of the same form) become one *variant*, equal stems one *term*.
 *             Within a term, variants are ranked by falling frequency, then by key: that
 *             rank is the form index of the index.
 * 2. invert   For each class of keys (markers, titles, plain: the order of their first
 *             bytes) a counting sort of the stream: count, prefix sums, scatter.  Tokens
 *             come in order of documents and positions, so each list comes out sorted.
 *             Bigrams (bigrams.h) are a class of their own: a key for each pair of numbers.
 * 3. forms    The variants once more, by (folded, exact), with the ordinals of their terms.
 */
#include "indexer/inverter_internal.h"

#include "common/base/mem.h"
#include "common/segment/bigrams.h"
#include "indexer/keysort.h"

#define NO_ID UINT32_MAX

typedef struct variant {
    const form *f;
    uint32_t term; /* in terms                                                         */
    uint32_t cf, df;
    uint32_t last_doc; /* document counted last, plus one                                  */
} variant;

typedef struct term_plan {
    const form *f;          /* any form with this stem                                     */
    uint32_t first_variant; /* variants first_variant + index, by index                    */
    uint32_t n_variants;
    uint32_t ordinal;
} term_plan;

/* One class of keys: which key each form's occurrences belong to. */
typedef struct key_class {
    uint8_t byte; /* in front of the key; 0: none                              */
    uint32_t n_keys;
    const uint32_t *key_of; /* by form id; NO_ID: none                                   */
} key_class;

typedef struct inversion {
    inverter *iv;
    segment_writer *w;
    uint32_t n_forms;
    uint32_t *form_cf;     /* by form id                                                */
    uint32_t *form_index;  /* by form id: of its variant; until ranked, in variants     */
    uint32_t *form_term;   /* by form id                                                */
    uint32_t *form_marker; /* by form id: in markers                                    */
    variant *variants;
    uint32_t n_variants;
    term_plan *terms;
    uint32_t n_terms;
    const form **markers; /* one form for each distinct marker, sorted                 */
    uint32_t n_markers;
    keysort_item *items, *scratch;
    uint32_t *ends; /* by key: where its occurrences end                         */
    uint32_t *docs, *positions, *forms; /* occurrences, by key                             */
    uint32_t *tfs;
    buf key;
} inversion;

static void inversion_free(inversion *inv)
{
    mem_free(inv->form_cf);
    mem_free(inv->form_index);
    mem_free(inv->form_term);
    mem_free(inv->form_marker);
    mem_free(inv->variants);
    mem_free(inv->terms);
    mem_free(inv->markers);
    mem_free(inv->items);
    mem_free(inv->scratch);
    mem_free(inv->ends);
    mem_free(inv->docs);
    mem_free(inv->positions);
    mem_free(inv->forms);
    mem_free(inv->tfs);
    buf_free(&inv->key);
}

static const form *form_at(const inversion *inv, uint32_t id)
{
    return analyzer_form_at(inv->iv->a, id);
}

/* ---- 1. plan ------------------------------------------------------------------------- */

/* The second part of a form's key: empty when the form is its own folding. */
static slice form_exact(const form *f)
{
    if (f->exact_len == f->folded_len && memcmp(f->exact, f->folded, f->exact_len) == 0)
        return (slice){NULL, 0};
    return (slice){(const uint8_t *)f->exact, f->exact_len};
}

static int compare_form_keys(const form *a, const form *b)
{
    int order = keysort_compare(a->folded, a->folded_len, b->folded, b->folded_len);
    if (order) return order;
    slice x = form_exact(a), y = form_exact(b);
    return keysort_compare(x.data, x.len, y.data, y.len);
}

static int compare_stems(const form *a, const form *b)
{
    return keysort_compare(a->stem, a->stem_len, b->stem, b->stem_len);
}

static int order_by_stem(const void *ctx, uint32_t a, uint32_t b)
{
    const form *x = form_at(ctx, a), *y = form_at(ctx, b);
    int order = compare_stems(x, y);
    return order ? order : compare_form_keys(x, y);
}

static int order_by_marker(const void *ctx, uint32_t a, uint32_t b)
{
    const form *x = form_at(ctx, a), *y = form_at(ctx, b);
    return keysort_compare(x->marker, x->marker_len, y->marker, y->marker_len);
}

static int order_by_form(const void *ctx, uint32_t a, uint32_t b)
{
    const inversion *inv = ctx;
    return compare_form_keys(inv->variants[a].f, inv->variants[b].f);
}

static bool plan_allocate(inversion *inv)
{
    size_t n = inv->n_forms;
    inv->form_cf = mem_array(n, sizeof *inv->form_cf);
    inv->form_index = mem_array(n, sizeof *inv->form_index);
    inv->form_term = mem_array(n, sizeof *inv->form_term);
    inv->form_marker = mem_array(n, sizeof *inv->form_marker);
    inv->items = mem_array(n, sizeof *inv->items);
    inv->scratch = mem_array(n, sizeof *inv->scratch);
    inv->variants = mem_array(n, sizeof *inv->variants);
    inv->terms = mem_array(n, sizeof *inv->terms);
    inv->markers = mem_array(n, sizeof *inv->markers);
    return inv->form_cf && inv->form_index && inv->form_term && inv->form_marker && inv->items &&
           inv->scratch && inv->variants && inv->terms && inv->markers;
}

/* The forms that occur, sorted by stem, as variants and terms. */
static void plan_terms(inversion *inv)
{
    uint32_t n = 0;
    for (uint32_t id = 0; id < inv->n_forms; id++) {
        const form *f = form_at(inv, id);
        inv->form_index[id] = inv->form_term[id] = inv->form_marker[id] = NO_ID;
        if (inv->form_cf[id])
            inv->items[n++] = (keysort_item){keysort_prefix(f->stem, f->stem_len), id};
    }
    keysort(inv->items, inv->scratch, n, order_by_stem, inv);
    const form *last = NULL;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = inv->items[i].id;
        const form *f = form_at(inv, id);
        bool same_stem = last && compare_stems(last, f) == 0;
        if (!same_stem)
            inv->terms[inv->n_terms++] = (term_plan){.f = f, .first_variant = inv->n_variants};
        uint32_t term = inv->n_terms - 1;
        if (!same_stem || compare_form_keys(last, f) != 0) {
            inv->variants[inv->n_variants++] = (variant){.f = f, .term = term};
            inv->terms[term].n_variants++;
        }
        inv->variants[inv->n_variants - 1].cf += inv->form_cf[id];
        inv->form_index[id] = inv->n_variants - 1;
        inv->form_term[id] = term;
        last = f;
    }
}

static int order_by_frequency(const void *ctx, uint32_t a, uint32_t b)
{
    (void)ctx;
    return (a > b) - (a < b); /* variants stand in order of their keys                       */
}

/* Put each term's variants in order of their index, and let the forms follow. */
static pm_status plan_indexes(inversion *inv, pm_error *err)
{
    variant *ranked = mem_array(inv->n_variants, sizeof *ranked);
    uint32_t *moved = mem_array(inv->n_variants, sizeof *moved);
    pm_status st = ranked && moved ? PM_OK : error_nomem(err);
    for (uint32_t t = 0; t < inv->n_terms && st == PM_OK; t++) {
        uint32_t first = inv->terms[t].first_variant, n = inv->terms[t].n_variants;
        for (uint32_t i = 0; i < n; i++)
            inv->items[i] = (keysort_item){UINT32_MAX - inv->variants[first + i].cf, first + i};
        keysort(inv->items, inv->scratch, n, order_by_frequency, NULL);
        for (uint32_t i = 0; i < n; i++) {
            ranked[first + i] = inv->variants[inv->items[i].id];
            moved[inv->items[i].id] = first + i;
        }
    }
    for (uint32_t id = 0; id < inv->n_forms && st == PM_OK; id++)
        if (inv->form_index[id] != NO_ID)
            inv->form_index[id] =
                moved[inv->form_index[id]] - inv->terms[inv->form_term[id]].first_variant;
    mem_free(moved);
    if (st != PM_OK) {
        mem_free(ranked);
        return st;
    }
    mem_free(inv->variants);
    inv->variants = ranked;
    return PM_OK;
}

static void plan_markers(inversion *inv)
{
    uint32_t n = 0;
    for (uint32_t id = 0; id < inv->n_forms; id++) {
        const form *f = form_at(inv, id);
        if (inv->form_cf[id] && f->marker_len)
            inv->items[n++] = (keysort_item){keysort_prefix(f->marker, f->marker_len), id};
    }
    keysort(inv->items, inv->scratch, n, order_by_marker, inv);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = inv->items[i].id;
        if (i == 0 || order_by_marker(inv, inv->items[i - 1].id, id) != 0)
            inv->markers[inv->n_markers++] = form_at(inv, id);
        inv->form_marker[id] = inv->n_markers - 1;
    }
}

static pm_status inversion_plan(inversion *inv, pm_error *err)
{
    inv->n_forms = analyzer_form_count(inv->iv->a);
    if (!plan_allocate(inv)) return error_nomem(err);
    for (size_t i = 0; i < inv->iv->n_tokens; i++) inv->form_cf[TOKEN_FORM(inv->iv->tokens[i])]++;
    plan_terms(inv);
    plan_markers(inv);
    return plan_indexes(inv, err);
}

/* ---- 2. invert ----------------------------------------------------------------------- */

static bool invert_allocate(inversion *inv)
{
    size_t n = inv->iv->n_tokens;
    uint32_t keys = inv->n_terms > inv->n_markers ? inv->n_terms : inv->n_markers;
    inv->ends = mem_array(keys, sizeof *inv->ends);
    inv->docs = mem_alloc(n * sizeof *inv->docs);
    inv->positions = mem_alloc(n * sizeof *inv->positions);
    inv->forms = mem_alloc(n * sizeof *inv->forms);
    inv->tfs = mem_alloc((n < inv->iv->n_docs ? n : inv->iv->n_docs) * sizeof *inv->tfs);
    return inv->ends && inv->docs && inv->positions && inv->forms && inv->tfs;
}

/* The tokens of a document that a class takes are the first this many, those with a key and,
 * for markers, marked. */
static uint32_t class_tokens(const inversion *inv, const key_class *class, size_t doc,
                             uint32_t doc_end)
{
    const inverter_doc *d = &inv->iv->docs[doc];
    return class->byte == KEY_TITLE ? d->n_title : doc_end - d->first;
}

static uint32_t doc_end(const inverter *iv, size_t doc)
{
    return doc + 1 < iv->n_docs ? iv->docs[doc + 1].first : (uint32_t)iv->n_tokens;
}

static uint32_t class_key(const key_class *class, uint32_t occurrence)
{
    if (class->byte == KEY_MARKER && !(occurrence & TOKEN_MARKED)) return NO_ID;
    return class->key_of[TOKEN_FORM(occurrence)];
}

static void count_keys(inversion *inv, const key_class *class)
{
    memset(inv->ends, 0, class->n_keys * sizeof *inv->ends);
    for (size_t doc = 0; doc < inv->iv->n_docs; doc++) {
        const uint32_t *tokens = inv->iv->tokens + inv->iv->docs[doc].first;
        uint32_t n = class_tokens(inv, class, doc, doc_end(inv->iv, doc));
        for (uint32_t i = 0; i < n; i++) {
            uint32_t key = class_key(class, tokens[i]);
            if (key != NO_ID) inv->ends[key]++;
        }
    }
    uint32_t sum = 0;
    for (uint32_t key = 0; key < class->n_keys; key++) {
        uint32_t n = inv->ends[key];
        inv->ends[key] = sum; /* its begin, until scatter has moved it to its end            */
        sum += n;
    }
}

static uint32_t token_position(const inverter_doc *d, uint32_t i)
{
    if (i < d->n_title) return i;
    uint32_t body = i - d->n_title;
    uint32_t hole = d->hole_at && body >= d->hole_at ? d->hole_len : 0;
    return body + hole + (d->n_title ? d->n_title + FIELD_GAP : 0);
}

static void scatter(inversion *inv, const key_class *class)
{
    for (size_t doc = 0; doc < inv->iv->n_docs; doc++) {
        const inverter_doc *d = &inv->iv->docs[doc];
        const uint32_t *tokens = inv->iv->tokens + d->first;
        uint32_t n = class_tokens(inv, class, doc, doc_end(inv->iv, doc));
        for (uint32_t i = 0; i < n; i++) {
            uint32_t key = class_key(class, tokens[i]);
            if (key == NO_ID) continue;
            uint32_t at = inv->ends[key]++;
            uint32_t id = TOKEN_FORM(tokens[i]);
            inv->docs[at] = (uint32_t)doc;
            inv->positions[at] = token_position(d, i);
            inv->forms[at] = inv->form_index[id];
        }
    }
}

/* Occurrences to postings, in place; returns df. */
static uint32_t gather_postings(uint32_t *docs, uint32_t *tfs, uint32_t n)
{
    uint32_t df = 0;
    for (uint32_t i = 0; i < n; df++) {
        uint32_t doc = docs[i], tf = 0;
        for (; i < n && docs[i] == doc; i++) tf++;
        docs[df] = doc;
        tfs[df] = tf;
    }
    return df;
}

/* How many documents have each variant of a term. */
static void count_variants(inversion *inv, const term_plan *term, uint32_t begin, uint32_t n)
{
    for (uint32_t i = begin; i < begin + n; i++) {
        variant *v = &inv->variants[term->first_variant + inv->forms[i]];
        if (v->last_doc == inv->docs[i] + 1) continue;
        v->last_doc = inv->docs[i] + 1;
        v->df++;
    }
}

static void make_key(inversion *inv, const key_class *class, uint32_t key)
{
    buf_reset(&inv->key);
    if (class->byte) buf_u8(&inv->key, class->byte);
    if (class->byte == KEY_MARKER)
        buf_append(&inv->key, inv->markers[key]->marker, inv->markers[key]->marker_len);
    else
        buf_append(&inv->key, inv->terms[key].f->stem, inv->terms[key].f->stem_len);
}

static void write_key(inversion *inv, const key_class *class, uint32_t key, uint32_t begin,
                      uint32_t n)
{
    segment_term out = {0};
    if (!class->byte) {
        term_plan *term = &inv->terms[key];
        count_variants(inv, term, begin, n);
        out.n_forms = term->n_variants;
        out.forms = out.n_forms > 1 ? inv->forms + begin : NULL;
    }
    make_key(inv, class, key);
    out.key = inv->key.data;
    out.key_len = inv->key.len;
    out.docs = inv->docs + begin;
    out.tfs = inv->tfs;
    out.positions =
        inv->iv->has_positions && class->byte != KEY_MARKER ? inv->positions + begin : NULL;
    out.df = gather_postings(inv->docs + begin, inv->tfs, n);
    uint32_t ordinal = segment_writer_term(inv->w, &out);
    if (!class->byte) inv->terms[key].ordinal = ordinal;
}

static pm_status invert_class(inversion *inv, const key_class *class, pm_error *err)
{
    count_keys(inv, class);
    scatter(inv, class);
    uint32_t begin = 0;
    for (uint32_t key = 0; key < class->n_keys; key++) {
        uint32_t end = inv->ends[key];
        if (end > begin) write_key(inv, class, key, begin, end - begin);
        begin = end;
    }
    return inv->key.failed ? error_nomem(err) : PM_OK;
}

/* ---- bigrams ------------------------------------------------------------------------- */

/* The frequent words of the segment, in order of their keys. */
typedef struct bigram_set {
    uint32_t n, n_keys;
    uint32_t terms[BIGRAM_WORDS_MAX];
    uint32_t *number; /* by term: in terms, NO_ID                                         */
} bigram_set;

static uint64_t term_cf(const inversion *inv, const term_plan *term)
{
    uint64_t cf = 0;
    for (uint32_t v = 0; v < term->n_variants; v++) cf += inv->variants[term->first_variant + v].cf;
    return cf;
}

static pm_status bigrams_choose(inversion *inv, bigram_set *set, pm_error *err)
{
    const segment_writer_config *config = segment_writer_settings(inv->w);
    bigram_choice choice = {.want = config->bigram_words};
    *set = (bigram_set){.n = 0};
    if (!inv->iv->has_positions || choice.want > BIGRAM_WORDS_MAX) return PM_OK;
    for (uint32_t t = 0; t < inv->n_terms; t++)
        bigram_consider(&choice, term_cf(inv, &inv->terms[t]));
    uint32_t min = bigram_min(&choice, config->block_size, 0);
    if (!min) return PM_OK;
    set->number = mem_alloc(inv->n_terms * sizeof *set->number);
    if (!set->number) return error_nomem(err);
    for (uint32_t t = 0; t < inv->n_terms; t++) {
        bool frequent = term_cf(inv, &inv->terms[t]) >= min;
        set->number[t] = frequent ? set->n : NO_ID;
        if (frequent) set->terms[set->n++] = t;
    }
    set->n_keys = set->n * set->n;
    segment_writer_bigrams(inv->w, min);
    return PM_OK;
}

/* The pair of tokens i and i + 1 of a document, when frequent words stand side by side. */
static uint32_t bigram_at(const inversion *inv, const bigram_set *set, const inverter_doc *d,
                          uint32_t i)
{
    const uint32_t *tokens = inv->iv->tokens + d->first;
    uint32_t a = set->number[inv->form_term[TOKEN_FORM(tokens[i])]];
    if (a == NO_ID) return NO_ID;
    uint32_t b = set->number[inv->form_term[TOKEN_FORM(tokens[i + 1])]];
    if (b == NO_ID || token_position(d, i + 1) != token_position(d, i) + 1) return NO_ID;
    return a * set->n + b;
}

/* Count the pairs to ends (scatter false), or put their occurrences where ends says. */
static void bigrams_pass(inversion *inv, const bigram_set *set, uint32_t *ends, bool scatter_now)
{
    for (size_t doc = 0; doc < inv->iv->n_docs; doc++) {
        const inverter_doc *d = &inv->iv->docs[doc];
        uint32_t n = doc_end(inv->iv, doc) - d->first;
        for (uint32_t i = 0; i + 1 < n; i++) {
            uint32_t key = bigram_at(inv, set, d, i);
            if (key == NO_ID) continue;
            uint32_t at = ends[key]++;
            if (!scatter_now) continue;
            inv->docs[at] = (uint32_t)doc;
            inv->positions[at] = token_position(d, i);
        }
    }
}

static void bigram_write(inversion *inv, const bigram_set *set, uint32_t key, uint32_t begin,
                         uint32_t n)
{
    const form *a = inv->terms[set->terms[key / set->n]].f,
               *b = inv->terms[set->terms[key % set->n]].f;
    segment_term out = {
        .docs = inv->docs + begin, .tfs = inv->tfs, .positions = inv->positions + begin};
    buf_reset(&inv->key);
    bigram_key(&inv->key, a->stem, a->stem_len, b->stem, b->stem_len);
    out.key = inv->key.data;
    out.key_len = inv->key.len;
    out.df = gather_postings(inv->docs + begin, inv->tfs, n);
    segment_writer_term(inv->w, &out);
}

static pm_status bigrams_write(inversion *inv, pm_error *err)
{
    pm_status st;
    bigram_set set;
    uint32_t *ends = NULL, begin = 0;
    PM_TRY(bigrams_choose(inv, &set, err));
    if (!set.n) goto out;
    ends = mem_array(set.n_keys, sizeof *ends);
    if (!ends) PM_TRY(error_nomem(err));
    bigrams_pass(inv, &set, ends, false);
    for (uint32_t key = 0, sum = 0, n; key < set.n_keys; key++, sum += n) {
        n = ends[key];
        ends[key] = sum;
    }
    bigrams_pass(inv, &set, ends, true);
    for (uint32_t key = 0; key < set.n_keys; begin = ends[key++])
        if (ends[key] > begin) bigram_write(inv, &set, key, begin, ends[key] - begin);
    if (inv->key.failed) st = error_nomem(err);
out:
    mem_free(ends);
    mem_free(set.number);
    return st;
}

/* ---- 3. forms ------------------------------------------------------------------------ */

static pm_status write_forms(inversion *inv, pm_error *err)
{
    for (uint32_t i = 0; i < inv->n_variants; i++) {
        const form *f = inv->variants[i].f;
        inv->items[i] = (keysort_item){keysort_prefix(f->folded, f->folded_len), i};
    }
    keysort(inv->items, inv->scratch, inv->n_variants, order_by_form, inv);
    for (uint32_t i = 0; i < inv->n_variants; i++) {
        uint32_t at = inv->items[i].id;
        const variant *v = &inv->variants[at];
        const term_plan *term = &inv->terms[v->term];
        slice exact = form_exact(v->f);
        buf_reset(&inv->key);
        buf_append(&inv->key, v->f->folded, v->f->folded_len);
        buf_u8(&inv->key, 0);
        buf_append(&inv->key, exact.data, exact.len);
        if (inv->key.failed) return error_nomem(err);
        segment_writer_form(inv->w, inv->key.data, inv->key.len, term->ordinal,
                            at - term->first_variant, v->df, v->cf);
    }
    return PM_OK;
}

pm_status inverter_write(inverter *iv, segment_writer *w, pm_error *err)
{
    pm_status st;
    inversion inv = {.iv = iv, .w = w};
    PM_TRY(inversion_plan(&inv, err));
    if (!invert_allocate(&inv)) PM_TRY(error_nomem(err));
    const key_class classes[] = {
        {KEY_MARKER, inv.n_markers, inv.form_marker},
        {KEY_TITLE, inv.n_terms, inv.form_term},
        {0, inv.n_terms, inv.form_term},
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (!classes[i].byte) PM_TRY(bigrams_write(&inv, err));
        PM_TRY(invert_class(&inv, &classes[i], err));
    }
    PM_TRY(write_forms(&inv, err));
out:
    inversion_free(&inv);
    return st;
}
