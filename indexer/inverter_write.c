/* SPDX-License-Identifier: MIT
 * inverter_write.c - a stream of tokens to posting lists in order of their keys.
 *
 * 1. plan     The forms that occur are sorted by (stem, folded, exact).  Equal ones (two
 *             spellings of the same form) become one *variant*, equal stems one *term*.
 *             Within a term, variants are ranked by falling frequency, then by key: that
 *             rank is the form index of the index.
 * 2. invert   For each class of keys (markers, titles, plain: the order of their first
 *             bytes) a counting sort of the stream: count, prefix sums, and the numbers of
 *             the tokens, scattered by key.  They come in order of documents and positions,
 *             so each list comes out sorted; documents and positions follow from the
 *             number when the list is written.  Bigrams (bigrams.h) are frequent words'
 *             lists divided by the word behind.
 * 3. forms    The variants once more, by (folded, exact), with the ordinals of their terms.
 */
#include "common/base/mem.h"
#include "common/segment/form_spelling.h"
#include "indexer/inversion.h"

/* One class of keys: which key each form's occurrences belong to. */
typedef struct key_class {
    uint8_t byte; /* in front of the key; 0: none                              */
    uint32_t n_keys;
    const uint32_t *key_of; /* by form id; NO_ID: none                                   */
} key_class;

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
    mem_free(inv->places);
    mem_free(inv->indexes);
    mem_free(inv->block_docs);
    mem_free(inv->docs);
    mem_free(inv->positions);
    mem_free(inv->forms);
    mem_free(inv->tfs);
    buf_free(&inv->key);
}

/* ---- 2. invert ----------------------------------------------------------------------- */

/* Which document has token 0, PLACE_BLOCK, 2 * PLACE_BLOCK, ... */
static void locate_blocks(inversion *inv)
{
    size_t block = 0;
    for (size_t doc = 0; doc < inv->iv->n_docs; doc++)
        for (uint32_t end = inverter_doc_end(inv->iv, doc); block * PLACE_BLOCK < end; block++)
            inv->block_docs[block] = (uint32_t)doc;
}

/* Occurrences at most of the key that has most, of any class; uses ends. */
static size_t longest_list(const inversion *inv)
{
    uint64_t longest = 0;
    for (uint32_t t = 0; t < inv->n_terms; t++) {
        uint64_t cf = inversion_term_cf(inv, &inv->terms[t]);
        if (cf > longest) longest = cf;
    }
    memset(inv->ends, 0, inv->n_markers * sizeof *inv->ends);
    for (uint32_t id = 0; id < inv->n_forms; id++) {
        if (inv->form_marker[id] == NO_ID) continue;
        uint32_t *cf = &inv->ends[inv->form_marker[id]];
        *cf += inv->form_cf[id];
        if (*cf > longest) longest = *cf;
    }
    return (size_t)longest;
}

static bool invert_allocate(inversion *inv)
{
    size_t n = inv->iv->n_tokens;
    uint32_t keys = inv->n_terms > inv->n_markers ? inv->n_terms : inv->n_markers;
    inv->ends = mem_array(keys, sizeof *inv->ends);
    if (!inv->ends) return false;
    inv->longest = longest_list(inv);
    size_t list = inv->longest;
    inv->places = mem_large(n * sizeof *inv->places);
    inv->indexes = mem_large(n);
    inv->block_docs = mem_alloc((n / PLACE_BLOCK + 1) * sizeof *inv->block_docs);
    size_t postings = list < inv->iv->n_docs ? list : inv->iv->n_docs;
    inv->docs = mem_alloc(postings * sizeof *inv->docs);
    inv->positions = mem_alloc(list * sizeof *inv->positions);
    inv->forms = mem_alloc(list * sizeof *inv->forms);
    inv->tfs = mem_alloc(postings * sizeof *inv->tfs);
    return inv->places && inv->indexes && inv->block_docs && inv->docs && inv->positions &&
           inv->forms && inv->tfs;
}

/* Tokens [from, to) that may belong to a class, document by document: all, or the titles'. */
static uint32_t class_end(const inversion *inv, const key_class *class, size_t doc)
{
    const inverter_doc *d = &inv->iv->docs[doc];
    return class->byte == KEY_TITLE ? d->first + d->n_title : inverter_doc_end(inv->iv, doc);
}

static uint32_t class_key(const key_class *class, uint32_t occurrence)
{
    if (class->byte == KEY_MARKER && !(occurrence & TOKEN_MARKED)) return NO_ID;
    return class->key_of[TOKEN_FORM(occurrence)];
}

/* Count each key's occurrences to ends.  Plain terms have theirs from the plan. */
static void count_keys(inversion *inv, const key_class *class)
{
    const uint32_t *tokens = inv->iv->tokens;
    memset(inv->ends, 0, class->n_keys * sizeof *inv->ends);
    if (!class->byte) {
        for (uint32_t id = 0; id < inv->n_forms; id++)
            if (inv->form_cf[id]) inv->ends[inv->form_term[id]] += inv->form_cf[id];
        return;
    }
    for (size_t doc = 0; doc < inv->iv->n_docs; doc++) {
        uint32_t end = class_end(inv, class, doc);
        for (uint32_t at = inv->iv->docs[doc].first; at < end; at++) {
            uint32_t key = class_key(class, tokens[at]);
            if (key != NO_ID) inv->ends[key]++;
        }
    }
}

/* Put the tokens' numbers in order of their keys: ends[key] is where a key's end. */
static void scatter(inversion *inv, const key_class *class)
{
    const uint32_t *tokens = inv->iv->tokens;
    uint32_t sum = 0;
    count_keys(inv, class);
    for (uint32_t key = 0; key < class->n_keys; key++) {
        uint32_t n = inv->ends[key];
        inv->ends[key] = sum; /* its begin, until it has moved to its end                    */
        sum += n;
    }
    for (size_t doc = 0; doc < inv->iv->n_docs; doc++) {
        uint32_t end = class_end(inv, class, doc);
        for (uint32_t at = inv->iv->docs[doc].first; at < end; at++) {
            uint32_t key = class_key(class, tokens[at]);
            if (key == NO_ID) continue;
            uint32_t to = inv->ends[key]++;
            inv->places[to] = at;
            if (class->byte) continue;
            uint32_t index = inv->form_index[TOKEN_FORM(tokens[at])];
            inv->indexes[to] = (uint8_t)(index < LATE_INDEX ? index : LATE_INDEX);
        }
    }
}

uint32_t inversion_gather(inversion *inv, const uint32_t *places, uint32_t n)
{
    const inverter *iv = inv->iv;
    uint32_t doc = 0, end = 0, df = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t place = places[i];
        if (place >= end) {
            doc = inversion_doc_of(inv, doc, place);
            end = inverter_doc_end(iv, doc);
            inv->docs[df] = doc;
            inv->tfs[df++] = 0;
        }
        inv->tfs[df - 1]++;
        inv->positions[i] = token_position(&iv->docs[doc], place - iv->docs[doc].first);
    }
    return df;
}

/* The form of each occurrence, and how many documents have each variant of a term. */
static void gather_forms(inversion *inv, const term_plan *term, const uint32_t *places, uint32_t n,
                         uint32_t df)
{
    const uint32_t *tokens = inv->iv->tokens;
    variant *variants = inv->variants + term->first_variant;
    const uint8_t *indexes = inv->indexes + (places - inv->places);
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++)
        inv->forms[i] =
            indexes[i] < LATE_INDEX ? indexes[i] : inv->form_index[TOKEN_FORM(tokens[places[i]])];
    for (uint32_t i = 0; i < df; i++) {
        for (uint32_t stop = at + inv->tfs[i]; at < stop; at++) {
            uint32_t index = inv->forms[at];
            if (variants[index].last_doc == inv->docs[i] + 1) continue;
            variants[index].last_doc = inv->docs[i] + 1;
            variants[index].df++;
        }
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

uint32_t inversion_list(inversion *inv, segment_term *out, bool positions)
{
    out->key = inv->key.data;
    out->key_len = inv->key.len;
    out->docs = inv->docs;
    out->tfs = inv->tfs;
    out->positions = positions ? inv->positions : NULL;
    return segment_writer_term(inv->w, out);
}

static form_style only_style(const inversion *inv, const term_plan *term)
{
    const form *f = inv->variants[term->first_variant].f;
    return form_style_only((slice){(const uint8_t *)term->f->stem, term->f->stem_len},
                           (slice){(const uint8_t *)f->folded, f->folded_len}, form_exact(f));
}

static void write_key(inversion *inv, const key_class *class, uint32_t key, const uint32_t *places,
                      uint32_t n)
{
    segment_term out = {.df = inversion_gather(inv, places, n)};
    make_key(inv, class, key);
    if (class->byte) {
        inversion_list(inv, &out, inv->iv->has_positions && class->byte != KEY_MARKER);
        return;
    }
    term_plan *term = &inv->terms[key];
    out.n_forms = term->n_variants;
    if (out.n_forms > 1) {
        gather_forms(inv, term, places, n, out.df);
        out.forms = inv->forms;
    } else {
        inv->variants[term->first_variant].df = out.df;
        out.style = only_style(inv, term);
    }
    term->ordinal = inversion_list(inv, &out, inv->iv->has_positions);
}

/* Write the lists of a class whose tokens are scattered. */
static pm_status write_class(inversion *inv, const key_class *class, pm_error *err)
{
    uint32_t begin = 0;
    for (uint32_t key = 0; key < class->n_keys; key++) {
        uint32_t end = inv->ends[key];
        if (end > begin) write_key(inv, class, key, inv->places + begin, end - begin);
        begin = end;
    }
    return inv->key.failed ? error_nomem(err) : PM_OK;
}

/* ---- 3. forms ------------------------------------------------------------------------ */

static int order_by_form(const void *ctx, uint32_t a, uint32_t b)
{
    const inversion *inv = ctx;
    return form_key_compare(inv->variants[a].f, inv->variants[b].f);
}

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
    locate_blocks(&inv);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        scatter(&inv, &classes[i]);
        if (!classes[i].byte) {
            PM_TRY(inversion_bigrams(&inv, err));
            PM_TRY(inverter_fields_write(&iv->fields, w, err));
        }
        PM_TRY(write_class(&inv, &classes[i], err));
    }
    PM_TRY(write_forms(&inv, err));
out:
    inversion_free(&inv);
    return st;
}
