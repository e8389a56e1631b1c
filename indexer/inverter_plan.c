/* SPDX-License-Identifier: MIT
 * inverter_plan.c - the keys of a segment, from the forms that occur in it; see
 * inverter_write.c.
 */
#include "common/base/mem.h"
#include "common/base/thread.h"
#include "indexer/inversion.h"

/* Forms that are asked for before their turn; where they are, twice as many. */
enum {
    FORMS_AHEAD = 8,
    TABLES_MORE = 8, /* a part of the tables by form that is room for forms to come               */
    HALVES_MIN = 1 << 14, /* forms or terms that are worth a second thread                      */
};

static const form *form_at(const inversion *inv, uint32_t id)
{
    return inv->forms[id];
}

/* A form keeps equal spellings once (analyzer.h). */
slice form_exact(const form *f)
{
    if (f->exact == f->folded) return (slice){NULL, 0};
    return (slice){(const uint8_t *)f->exact, f->exact_len};
}

int form_key_compare(const form *a, const form *b)
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
    return order ? order : form_key_compare(x, y);
}

static int order_by_marker(const void *ctx, uint32_t a, uint32_t b)
{
    const form *x = form_at(ctx, a), *y = form_at(ctx, b);
    return keysort_compare(x->marker, x->marker_len, y->marker, y->marker_len);
}

/* Tables by form id hold something only for the forms that occur, so that a small batch does not
 * pay for all forms that were ever met. */
static bool reserve_tables(inverter *iv, uint32_t n_forms)
{
    if (n_forms <= iv->n_tables) return true;
    inverter_free_tables(iv);
    size_t room = n_forms + (size_t)n_forms / TABLES_MORE;
    iv->form_rows = mem_alloc(room * sizeof *iv->form_rows);
    iv->form_buckets = mem_alloc(room * sizeof *iv->form_buckets);
    iv->form_marker = mem_alloc(room * sizeof *iv->form_marker);
    if (!iv->form_rows || !iv->form_buckets || !iv->form_marker) {
        inverter_free_tables(iv);
        return false;
    }
    iv->n_tables = (uint32_t)(room < UINT32_MAX ? room : UINT32_MAX);
    return true;
}

static bool plan_allocate(inversion *inv)
{
    size_t n = inv->iv->n_used;
    if (!reserve_tables(inv->iv, inv->n_forms)) return false;
    inv->form_rows = inv->iv->form_rows;
    inv->form_buckets = inv->iv->form_buckets;
    inv->form_marker = inv->iv->form_marker;
    inv->items = mem_alloc(n * sizeof *inv->items);
    inv->scratch = mem_alloc(n * sizeof *inv->scratch);
    inv->variants = mem_alloc(n * sizeof *inv->variants);
    inv->terms = mem_alloc(n * sizeof *inv->terms);
    inv->markers = mem_alloc(n * sizeof *inv->markers);
    return inv->items && inv->scratch && inv->variants && inv->terms && inv->markers;
}

static void ask_form(const void *ctx, uint32_t id)
{
    inverter_ask(form_at(ctx, id));
}

/* Whether the stem of an item may be that of the one before it; else neither need be touched. */
static bool is_tied(const inversion *inv, uint32_t i)
{
    return i && keysort_tied(&inv->items[i - 1], &inv->items[i]);
}

/* ---- two threads ------------------------------------------------------------------------ */

typedef void (*plan_fn)(inversion *inv, uint32_t begin, uint32_t end);

/* [0, n), cut at `middle`. */
typedef struct halves_job {
    inversion *inv;
    plan_fn fn;
    uint32_t middle, n;
} halves_job;

static void do_half(void *ctx, unsigned half)
{
    halves_job *job = ctx;
    job->fn(job->inv, half ? job->middle : 0, half ? job->n : job->middle);
}

/* fn(0, middle) and fn(middle, n), at the same time where that is worth it. */
static void in_parts(inversion *inv, uint32_t middle, uint32_t n, plan_fn fn)
{
    halves_job job = {.inv = inv, .fn = fn, .middle = middle, .n = n};
    thread_run_all(2, do_half, &job);
}

static bool is_worth_two(const inversion *inv, uint32_t n)
{
    return inv->threads > 1 && n >= HALVES_MIN;
}

static void in_halves(inversion *inv, uint32_t n, plan_fn fn)
{
    if (is_worth_two(inv, n))
        in_parts(inv, n / 2, n, fn);
    else
        fn(inv, 0, n);
}

/* ---- terms and variants ----------------------------------------------------------------- */

/* What the used forms are sorted by. */
static void take_stems(inversion *inv, uint32_t begin, uint32_t end)
{
    const uint32_t *used = inv->iv->used;
    for (uint32_t i = begin; i < end; i++) {
        if (i + 2 * FORMS_AHEAD < end) __builtin_prefetch(&inv->forms[used[i + 2 * FORMS_AHEAD]]);
        if (i + FORMS_AHEAD < end) inverter_ask(form_at(inv, used[i + FORMS_AHEAD]));
        const form *f = form_at(inv, used[i]);
        inv->items[i] = keysort_string(f->stem, f->stem_len, used[i]);
        inv->markers[i] = f->marker_len ? f : NULL;
    }
}

static void gather_markers(inversion *inv)
{
    for (uint32_t i = 0; i < inv->iv->n_used; i++)
        if (inv->markers[i]) inv->markers[inv->n_markers++] = inv->markers[i];
}

/* Sorted forms [begin, end) as terms and variants from number `begin` on, for there are no more of
 * them than forms.  What is behind the last one of each says how many there are. */
static void make_terms(inversion *inv, uint32_t begin, uint32_t end)
{
    const uint32_t *cf = inv->iv->form_cf;
    const form *last = NULL;
    uint32_t n_terms = begin, n_variants = begin;
    for (uint32_t i = begin; i < end; i++) {
        uint32_t id = inv->items[i].id;
        if (i + 2 * FORMS_AHEAD < end) {
            uint32_t ahead = inv->items[i + 2 * FORMS_AHEAD].id;
            __builtin_prefetch(&inv->forms[ahead]);
            __builtin_prefetch(&inv->form_rows[ahead], 1);
            __builtin_prefetch(&cf[ahead]);
        }
        if (i + FORMS_AHEAD < end && is_tied(inv, i + FORMS_AHEAD))
            inverter_ask(form_at(inv, inv->items[i + FORMS_AHEAD].id));
        const form *f = form_at(inv, id);
        bool same_stem = last && is_tied(inv, i) && compare_stems(last, f) == 0;
        if (!same_stem) inv->terms[n_terms++] = (term_plan){.f = f, .first_variant = n_variants};
        uint32_t term = n_terms - 1;
        if (!same_stem || form_key_compare(last, f) != 0) {
            inv->variants[n_variants++] = (variant){.f = f, .term = term};
            inv->terms[term].n_variants++;
        }
        inv->variants[n_variants - 1].cf += cf[id];
        inv->terms[term].cf += cf[id];
        inv->form_rows[id] = (form_row){term, n_variants - 1};
        last = f;
    }
    plan_part *part = &inv->plan[begin != 0];
    *part =
        (plan_part){.begin = begin, .n_terms = n_terms - begin, .n_variants = n_variants - begin};
}

/* Behind the terms and variants of the first part come those of the second. */
static void join_parts(inversion *inv)
{
    const plan_part *first = &inv->plan[0], *second = &inv->plan[1];
    uint32_t terms = second->begin - first->n_terms, variants = second->begin - first->n_variants;
    for (uint32_t t = first->n_terms; t < first->n_terms + second->n_terms; t++) {
        inv->terms[t] = inv->terms[t + terms];
        inv->terms[t].first_variant -= variants;
    }
    for (uint32_t v = first->n_variants; v < first->n_variants + second->n_variants; v++) {
        inv->variants[v] = inv->variants[v + variants];
        inv->variants[v].term -= terms;
    }
    inv->n_terms = first->n_terms + second->n_terms;
    inv->n_variants = first->n_variants + second->n_variants;
}

/* Where the sorted forms are cut: before a stem. */
static uint32_t middle_stem(const inversion *inv, uint32_t n)
{
    uint32_t i = n / 2;
    while (i < n && is_tied(inv, i) &&
           compare_stems(form_at(inv, inv->items[i - 1].id), form_at(inv, inv->items[i].id)) == 0)
        i++;
    return i;
}

/* The forms that occur, sorted by stem, as variants and terms. */
static void plan_terms(inversion *inv)
{
    uint32_t n = inv->iv->n_used;
    in_halves(inv, n, take_stems);
    gather_markers(inv);
    const keysort_order order = {.compare = order_by_stem, .ask = ask_form, .ctx = inv};
    keysort_threads(inv->threads, inv->items, inv->scratch, n, &order);
    inv->plan[1] = (plan_part){.begin = n};
    if (is_worth_two(inv, n))
        in_parts(inv, middle_stem(inv, n), n, make_terms);
    else
        make_terms(inv, 0, n);
    join_parts(inv);
}

/* Put the variants of terms [begin, end) in order of their index. */
static void rank_variants(inversion *inv, uint32_t begin, uint32_t end)
{
    for (uint32_t t = begin; t < end; t++) {
        uint32_t first = inv->terms[t].first_variant, n = inv->terms[t].n_variants;
        if (n == 1) {
            inv->ranked[first] = inv->variants[first];
            inv->moved[first] = first;
            continue;
        }
        keysort_item *items = inv->items + first;
        for (uint32_t i = 0; i < n; i++)
            items[i] =
                (keysort_item){.prefix = UINT32_MAX - inv->variants[first + i].cf, .id = first + i};
        keysort(items, inv->scratch + first, n, NULL);
        for (uint32_t i = 0; i < n; i++) {
            inv->ranked[first + i] = inv->variants[items[i].id];
            inv->moved[items[i].id] = first + i;
        }
    }
}

/* And let the forms follow, with numbers as they are since the parts were joined. */
static void follow_variants(inversion *inv, uint32_t begin, uint32_t end)
{
    const plan_part *first = &inv->plan[0], *second = &inv->plan[1];
    for (uint32_t i = begin; i < end; i++) {
        form_row *row = &inv->form_rows[inv->iv->used[i]];
        if (row->term >= second->begin) {
            row->term -= second->begin - first->n_terms;
            row->index -= second->begin - first->n_variants;
        }
        row->index = inv->moved[row->index] - inv->terms[row->term].first_variant;
    }
}

static pm_status plan_indexes(inversion *inv, pm_error *err)
{
    inv->ranked = mem_alloc(inv->n_variants * sizeof *inv->ranked);
    inv->moved = mem_alloc(inv->n_variants * sizeof *inv->moved);
    bool ok = inv->ranked && inv->moved;
    if (ok) {
        in_halves(inv, inv->n_terms, rank_variants);
        in_halves(inv, inv->iv->n_used, follow_variants);
        mem_free(inv->variants);
        inv->variants = inv->ranked;
        inv->ranked = NULL;
    }
    mem_free(inv->ranked);
    mem_free(inv->moved);
    inv->ranked = NULL;
    inv->moved = NULL;
    return ok ? PM_OK : error_nomem(err);
}

/* The forms that have markers, to markers: each once, sorted. */
static void plan_markers(inversion *inv)
{
    uint32_t n = inv->n_markers;
    for (uint32_t i = 0; i < n; i++) {
        const form *f = inv->markers[i];
        inv->items[i] = keysort_string(f->marker, f->marker_len, f->id);
    }
    inv->n_markers = 0;
    const keysort_order order = {.compare = order_by_marker, .ctx = inv};
    keysort(inv->items, inv->scratch, n, &order);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = inv->items[i].id;
        if (i == 0 || order_by_marker(inv, inv->items[i - 1].id, id) != 0)
            inv->markers[inv->n_markers++] = form_at(inv, id);
        inv->form_marker[id] = inv->n_markers - 1;
    }
}

/* ---- buckets ------------------------------------------------------------------------- */

/* Whether a term begins a bucket, `held` tokens being in the one at hand. */
static bool begins_bucket(const inversion *inv, uint32_t t, uint64_t held)
{
    const term_plan *term = &inv->terms[t];
    if (!inv->n_buckets || held >= inv->bucket_tokens || (held && term->cf >= inv->bucket_tokens))
        return true;
    const bucket *last = &inv->buckets[inv->n_buckets - 1];
    uint32_t end = term->first_variant + term->n_variants;
    return end - last->first_variant > BUCKET_LATE ||
           (t - last->first_term >= BUCKET_TERMS && inv->n_buckets < BUCKETS_MANY);
}

/* Cut the terms into buckets.  Of those that are not cut for their terms' number, two neighbouring
 * ones hold more than BUCKET_LATE tokens, so that all have numbers of 16 bits. */
static pm_status plan_buckets(inversion *inv, pm_error *err)
{
    size_t by_terms = inv->n_terms / BUCKET_TERMS;
    if (by_terms > BUCKETS_MANY) by_terms = BUCKETS_MANY;
    size_t most = 2 * (inv->iv->n_tokens / BUCKET_LATE + by_terms) + 4;
    uint64_t held = 0, sum = 0;
    inv->buckets = mem_array(most, sizeof *inv->buckets);
    if (!inv->buckets) return error_nomem(err);
    for (uint32_t t = 0; t < inv->n_terms; t++) {
        const term_plan *term = &inv->terms[t];
        if (begins_bucket(inv, t, held)) {
            inv->buckets[inv->n_buckets++] =
                (bucket){.first_term = t, .first_variant = term->first_variant};
            held = 0;
        }
        if (term->cf > inv->longest) inv->longest = term->cf;
        held += term->cf;
        sum += term->cf;
        inv->buckets[inv->n_buckets - 1].end = (uint32_t)sum;
    }
    inv->buckets[inv->n_buckets] = (bucket){
        .first_term = inv->n_terms, .first_variant = inv->n_variants, .end = (uint32_t)sum};
    return PM_OK;
}

static void plan_form_buckets(inversion *inv, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        uint32_t id = inv->iv->used[i];
        const form_row *row = &inv->form_rows[id];
        const term_plan *term = &inv->terms[row->term];
        inv->form_buckets[id] =
            term->bucket << 16 | inv->variants[term->first_variant + row->index].local;
    }
}

static void plan_locals(inversion *inv)
{
    for (uint32_t b = 0; b < inv->n_buckets; b++) {
        bucket *from = &inv->buckets[b];
        for (uint32_t t = from->first_term; t < from[1].first_term; t++) inv->terms[t].bucket = b;
        bool late = from[1].first_variant - from->first_variant > BUCKET_LATE;
        for (uint32_t v = from->first_variant; v < from[1].first_variant; v++) {
            uint32_t local = v - from->first_variant;
            inv->variants[v].local = (uint16_t)(late ? BUCKET_LATE : local);
        }
    }
    in_halves(inv, inv->iv->n_used, plan_form_buckets);
}

pm_status inversion_plan(inversion *inv, pm_error *err)
{
    pm_status st;
    if (!plan_allocate(inv)) return error_nomem(err);
    plan_terms(inv);
    plan_markers(inv);
    PM_TRY(plan_indexes(inv, err));
    PM_TRY(plan_buckets(inv, err));
    plan_locals(inv);
out:
    return st;
}
