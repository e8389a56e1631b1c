/* SPDX-License-Identifier: MIT
 * inverter_buckets.c - the plain terms' counting sort, second half: the tokens of a bucket, which
 * come in order of documents and positions (inverter_scatter.c), by term, and the term's lists.
 *
 *   places  3 4 9 11 12     document and position of each follow from its number
 *   locals  0 2 0  1  0
 *            |
 *            v  rows: of each local number, the term in the bucket and the form's index
 *   documents  0 0 1 | 1 | 0          a term's occurrences, next to each other; its postings
 *   positions  3 1 4 | 3 | 4          are the runs of equal documents
 */
#include "common/segment/form_spelling.h"
#include "indexer/inversion.h"

enum { FORMS_AHEAD = 8 }; /* terms whose forms are asked for before their turn               */

/* A term's occurrences, in order; forms are of terms that have several. */
typedef struct occurrences {
    const uint32_t *forms, *positions;
    const uint32_t *docs; /* cf of them; NULL: as the room's postings say                   */
    uint32_t cf, df;      /* df postings, which are in the room                            */
} occurrences;

static inline void count_variant(variant *v, uint32_t doc)
{
    v->df += v->last_doc != doc + 1;
    v->last_doc = doc + 1;
}

/* How many documents have each variant of a term, from the forms of its occurrences. */
static void count_variants(const inversion *inv, const list_room *room, const term_plan *term,
                           const occurrences *o)
{
    variant *variants = inv->variants + term->first_variant;
    if (o->docs) {
        for (uint32_t i = 0; i < o->cf; i++) count_variant(&variants[o->forms[i]], o->docs[i]);
        return;
    }
    for (uint32_t i = 0, at = 0; i < o->df; i++)
        for (uint32_t stop = at + room->tfs[i]; at < stop; at++)
            count_variant(&variants[o->forms[at]], room->docs[i]);
}

static form_style only_style(const inversion *inv, const term_plan *term)
{
    const form *f = inv->variants[term->first_variant].f;
    return form_style_only((slice){(const uint8_t *)term->f->stem, term->f->stem_len},
                           (slice){(const uint8_t *)f->folded, f->folded_len}, form_exact(f));
}

static void put_term(inversion *inv, list_room *room, uint32_t t, const occurrences *o,
                     list_task *task)
{
    term_plan *term = &inv->terms[t];
    segment_term out = {.df = o->df, .n_forms = term->n_variants};
    if (out.n_forms > 1) {
        count_variants(inv, room, term, o);
        out.forms = o->forms;
    } else {
        inv->variants[term->first_variant].df = o->df;
        out.style = only_style(inv, term);
        term->implies = out.style != FORM_LISTED;
    }
    inversion_key(inv, room, 0, t);
    inversion_put(room, &out, inv->iv->has_positions ? o->positions : NULL, t, task);
}

/* A term that has a bucket of its own: its tokens are in order. */
static void make_term(inversion *inv, uint32_t number, unsigned worker, uint32_t n, list_task *out)
{
    list_room *room = inversion_begin(inv, worker, n, out);
    if (!room) return;
    bucket_reader r = bucket_read(inv, number);
    uint32_t *places = room->positions; /* which they become                                  */
    for (uint32_t at = 0; at < n;) at += bucket_next(&r, places + at, room->forms + at);
    const occurrences o = {.forms = room->forms,
                           .positions = room->positions,
                           .df = inversion_gather(inv, room, places, n)};
    put_term(inv, room, inv->buckets[number].first_term, &o, out);
    inversion_end(inv, room);
}

/* ---- several terms -------------------------------------------------------------------------- */

/* Arrays of one capacity grow together: after a refusal none is taken to have any. */
static bool sort_room(const inversion *inv, list_room *room, uint32_t n, uint32_t n_terms,
                      uint32_t n_variants)
{
    size_t sorted_cap = room->sorted_cap, positions_cap = sorted_cap, forms_cap = sorted_cap;
    size_t postings_cap = room->postings_cap, tfs_cap = postings_cap;
    uint32_t postings = n < inv->iv->n_docs ? n : (uint32_t)inv->iv->n_docs;
    room->sorted_cap = room->postings_cap = 0;
    if (!inversion_array(&room->sorted_docs, &sorted_cap, n) ||
        !inversion_array(&room->sorted_positions, &positions_cap, n) ||
        !inversion_array(&room->sorted_forms, &forms_cap, n) ||
        !inversion_array(&room->rows, &room->rows_cap, 2 * (size_t)n_variants) ||
        !inversion_array(&room->ends, &room->ends_cap, n_terms) ||
        !inversion_array(&room->docs, &postings_cap, postings) ||
        !inversion_array(&room->tfs, &tfs_cap, postings))
        return false;
    room->sorted_cap = sorted_cap;
    room->postings_cap = postings_cap;
    return true;
}

/* What each variant of the bucket leads to, and where each term's tokens will begin. */
static void plan_rows(const inversion *inv, const bucket *b, list_room *room)
{
    uint32_t n_terms = b[1].first_term - b->first_term, sum = 0, *row = room->rows;
    const term_plan *terms = inv->terms + b->first_term;
    for (uint32_t t = 0; t < n_terms; t++) {
        room->ends[t] = sum; /* its begin, until its tokens have moved it to its end         */
        sum += terms[t].cf;
        for (uint32_t index = 0; index < terms[t].n_variants; index++) {
            *row++ = t;
            *row++ = index;
        }
    }
}

/* All tokens of a bucket to their terms.  No token waits for the one before it, and no branch
 * depends on where a document ends. */
static void sort_bucket(const inversion *inv, list_room *room, uint32_t number)
{
    uint32_t places[PIECE_WORDS], locals[PIECE_WORDS];
    bucket_reader r = bucket_read(inv, number);
    for (uint32_t n; (n = bucket_next(&r, places, locals)) != 0;) {
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t *row = room->rows + 2 * locals[i];
            uint32_t to = room->ends[row[0]]++, doc = inversion_doc_of(inv, places[i]);
            const inverter_doc *d = &inv->iv->docs[doc];
            room->sorted_docs[to] = doc;
            room->sorted_positions[to] = token_position(d, places[i] - d->first);
            room->sorted_forms[to] = row[1];
        }
    }
}

/* Runs of equal documents to postings; returns how many there are.  No branch depends on where a
 * run ends. */
static uint32_t group(const uint32_t *of, uint32_t n, list_room *room)
{
    uint32_t df = 0, last = of[0];
    room->docs[0] = last;
    for (uint32_t i = 1; i < n; i++) {
        bool other = of[i] != last;
        room->tfs[df] = i; /* where it ends, for now                                        */
        df += other;
        room->docs[df] = last = of[i];
    }
    room->tfs[df++] = n;
    for (uint32_t i = df - 1; i > 0; i--) room->tfs[i] -= room->tfs[i - 1];
    return df;
}

static void make_terms(inversion *inv, uint32_t number, list_room *room, uint32_t n, list_task *out)
{
    pm_error err;
    const bucket *b = &inv->buckets[number];
    uint32_t n_terms = b[1].first_term - b->first_term, at = 0;
    if (!sort_room(inv, room, n, n_terms, b[1].first_variant - b->first_variant)) {
        list_task_fail(out, error_nomem(&err), &err);
        return;
    }
    plan_rows(inv, b, room);
    sort_bucket(inv, room, number);
    for (uint32_t t = 0; t < n_terms && !list_task_failed(out); t++) {
        if (t + FORMS_AHEAD < n_terms) inverter_ask(inv->terms[b->first_term + t + FORMS_AHEAD].f);
        uint32_t cf = room->ends[t] - at;
        const occurrences o = {.docs = room->sorted_docs + at,
                               .forms = room->sorted_forms + at,
                               .positions = room->sorted_positions + at,
                               .cf = cf,
                               .df = group(room->sorted_docs + at, cf, room)};
        put_term(inv, room, b->first_term + t, &o, out);
        at = room->ends[t];
    }
}

static void make_bucket(void *ctx, unsigned worker, uint32_t task, list_task *out)
{
    inversion *inv = ctx;
    const bucket *b = &inv->buckets[task];
    uint32_t n = b->end - (task ? inv->buckets[task - 1].end : 0);
    if (b[1].first_term - b->first_term == 1)
        make_term(inv, task, worker, n, out);
    else
        make_terms(inv, task, &inv->rooms[worker], n, out);
}

static void keep_ordinal(void *ctx, uint32_t term, uint32_t ordinal)
{
    inversion *inv = ctx;
    inv->terms[term].ordinal = ordinal;
}

pm_status inversion_plain(inversion *inv, pm_error *err)
{
    inversion_drop_places(inv); /* of pairs, beside which the longest list is not counted    */
    inv->second_room = inverter_second_room(inv->iv, inv->longest);
    pm_status st = inversion_scatter(inv, err);
    const list_job lists = {.w = inv->w,
                            .n_tasks = inv->n_buckets,
                            .ctx = inv,
                            .make = make_bucket,
                            .written = keep_ordinal};
    if (st == PM_OK) st = list_tasks_run(&lists, inv->threads, err);
    inverter_drop_tokens(inv->iv);
    return st;
}
