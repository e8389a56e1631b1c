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
 *             number when the list is written.  Plain terms are sorted in two steps
 *             (inverter_scatter.c, inverter_buckets.c).  Lists are made and encoded by several
 *             threads, some neighbouring keys at a time (list_tasks.h).
 * 3. forms    The variants once more, by (folded, exact), with the ordinals of their terms.
 */
#include "common/base/mem.h"
#include "common/base/thread.h"
#include "indexer/inversion.h"

enum {
    FORMS_AHEAD = 8,       /* variants that are asked for before their turn                      */
    THREADS_MIN = 1 << 15, /* tokens that are worth a second thread                             */
    FORMS_HALVES_MIN = 1 << 13, /* variants that are worth one                                   */
};

/* A class of keys that are few in a text: markers or titles' words. */
typedef struct key_class {
    uint8_t byte; /* in front of the key                                       */
    uint32_t n_keys;
} key_class;

static void room_free(list_room *room)
{
    mem_free(room->docs);
    mem_free(room->tfs);
    mem_free(room->positions);
    mem_free(room->forms);
    mem_free(room->sorted_docs);
    mem_free(room->sorted_positions);
    mem_free(room->sorted_forms);
    mem_free(room->rows);
    mem_free(room->ends);
    buf_free(&room->key);
}

static void inversion_free(inversion *inv)
{
    mem_free(inv->variants);
    mem_free(inv->terms);
    mem_free(inv->markers);
    mem_free(inv->items);
    mem_free(inv->scratch);
    mem_free(inv->buckets);
    mem_free(inv->ends);
    mem_free(inv->places);
    inversion_unscatter(inv);
    mem_free(inv->block_docs);
    mem_free(inv->doc_ends);
    for (unsigned i = 0; i < LIST_WORKERS_MAX; i++) room_free(&inv->rooms[i]);
    for (unsigned i = 0; i < LARGE_ROOMS; i++) room_free(&inv->large[i]);
}

/* ---- 2. invert ----------------------------------------------------------------------- */

/* Which document has token 0, 2^shift, 2 * 2^shift, ..., and where each ends. */
static void locate_blocks(inversion *inv)
{
    size_t block = 0;
    for (size_t doc = 0; doc < inv->iv->n_docs; doc++) {
        uint32_t end = inverter_doc_end(inv->iv, doc);
        for (; block << inv->place_shift < end; block++) inv->block_docs[block] = (uint32_t)doc;
        inv->doc_ends[doc] = end;
    }
}

static unsigned choose_shift(const inverter *iv)
{
    unsigned shift = PLACE_SHIFT_LEAST;
    while (shift < PLACE_SHIFT_MOST && (iv->n_docs << (shift + 2)) <= iv->n_tokens) shift++;
    return shift;
}

static bool invert_allocate(inversion *inv)
{
    size_t n = inv->iv->n_tokens;
    uint32_t keys = inv->n_terms > inv->n_markers ? inv->n_terms : inv->n_markers;
    inv->ends = mem_array(keys, sizeof *inv->ends);
    inv->place_shift = choose_shift(inv->iv);
    inv->block_docs = mem_alloc(((n >> inv->place_shift) + 1) * sizeof *inv->block_docs);
    inv->doc_ends = mem_array(inv->iv->n_docs, sizeof *inv->doc_ends);
    return inv->ends && inv->block_docs && inv->doc_ends;
}

void inversion_drop_places(inversion *inv)
{
    mem_free(inv->places);
    inv->places = NULL;
}

bool inversion_places(inversion *inv, uint32_t n)
{
    inversion_drop_places(inv);
    inv->places = mem_large(n * sizeof *inv->places);
    return inv->places != NULL;
}

/* ---- lists ----------------------------------------------------------------------------- */

bool inversion_array(uint32_t **array, size_t *cap, size_t n)
{
    if (n <= *cap) return true;
    mem_free(*array);
    *array = mem_alloc(n * sizeof **array);
    *cap = *array ? n : 0;
    return *array != NULL;
}

/* Room for a list of so many occurrences; false when memory is refused. */
static bool grow_room(const inversion *inv, list_room *room, size_t occurrences)
{
    size_t postings = occurrences < inv->iv->n_docs ? occurrences : inv->iv->n_docs;
    size_t docs_cap = room->postings_cap, positions_cap = room->occurrences_cap;
    room->postings_cap = room->occurrences_cap = 0;
    size_t tfs_cap = docs_cap, forms_cap = positions_cap;
    if (!inversion_array(&room->docs, &docs_cap, postings) ||
        !inversion_array(&room->tfs, &tfs_cap, postings) ||
        !inversion_array(&room->positions, &positions_cap, occurrences) ||
        !inversion_array(&room->forms, &forms_cap, occurrences))
        return false;
    room->postings_cap = docs_cap;
    room->occurrences_cap = positions_cap;
    return true;
}

/* A room for a long list, when there is one. */
static list_room *take_large(inversion *inv, size_t occurrences)
{
    pthread_mutex_lock(&inv->large_lock);
    for (;;) {
        unsigned i = occurrences <= inv->second_room && !inv->large_taken[1];
        if (!inv->large_taken[i]) {
            inv->large_taken[i] = true;
            pthread_mutex_unlock(&inv->large_lock);
            return &inv->large[i];
        }
        pthread_cond_wait(&inv->large_given, &inv->large_lock);
    }
}

list_room *inversion_begin(inversion *inv, unsigned worker, size_t occurrences, list_task *out)
{
    pm_error err;
    if (list_task_failed(out)) return NULL;
    bool large = occurrences > inv->bucket_tokens;
    list_room *room = large ? take_large(inv, occurrences) : &inv->rooms[worker];
    if (grow_room(inv, room, occurrences)) return room;
    inversion_end(inv, room);
    list_task_fail(out, error_nomem(&err), &err);
    return NULL;
}

void inversion_end(inversion *inv, list_room *room)
{
    unsigned i = room == &inv->large[1];
    if (room != &inv->large[i]) return;
    pthread_mutex_lock(&inv->large_lock);
    inv->large_taken[i] = false;
    pthread_cond_broadcast(&inv->large_given);
    pthread_mutex_unlock(&inv->large_lock);
}

static inline bool any_marked(const uint32_t tokens[8])
{
    uint32_t any = 0;
    for (unsigned i = 0; i < 8; i++) any |= tokens[i];
    return any & TOKEN_MARKED;
}

/* The tokens of a class by key: neighbouring documents each, with counters of its own. */
typedef struct class_part {
    size_t begin, end; /* documents                                                        */
    uint32_t *ends; /* by key: tokens; then where they begin in places, and in the end their end  */
} class_part;

typedef struct class_scatter {
    const inversion *inv;
    const key_class *class;
    class_part parts[LIST_WORKERS_MAX];
    bool placing; /* else they are counted                                               */
} class_scatter;

/* Tokens [from, to): those of the class to ends or, where places are given, their numbers there by
 * key. */
static void class_run(const inversion *inv, const key_class *class, uint32_t from, uint32_t to,
                      uint32_t *ends, uint32_t *places)
{
    const uint32_t *tokens = inv->iv->tokens;
    bool title = class->byte == KEY_TITLE;
    for (uint32_t at = from; at < to; at++) {
        if (!title && to - at > 8 && !any_marked(tokens + at)) {
            at += 7;
            continue;
        }
        if (!title && !(tokens[at] & TOKEN_MARKED)) continue;
        uint32_t form_id = TOKEN_FORM(tokens[at]);
        uint32_t key = title ? inv->form_rows[form_id].term : inv->form_marker[form_id];
        uint32_t to_place = ends[key]++;
        if (places) places[to_place] = at;
    }
}

/* Titles' tokens, or all: a marker may stand anywhere. */
static void class_pass(void *ctx, unsigned index)
{
    class_scatter *all = ctx;
    class_part *part = &all->parts[index];
    const inversion *inv = all->inv;
    uint32_t *places = all->placing ? inv->places : NULL;
    const inverter_doc *docs = inv->iv->docs;
    if (part->begin == part->end) return;
    if (all->class->byte != KEY_TITLE) {
        class_run(inv, all->class, docs[part->begin].first,
                  inverter_doc_end(inv->iv, part->end - 1), part->ends, places);
        return;
    }
    for (size_t doc = part->begin; doc < part->end; doc++)
        class_run(inv, all->class, docs[doc].first, docs[doc].first + docs[doc].n_title, part->ends,
                  places);
}

/* Put the tokens' numbers in order of their keys: ends[key] is where a key's end.  False when
 * memory is refused. */
static bool scatter(inversion *inv, const key_class *class)
{
    class_scatter all = {.inv = inv, .class = class};
    unsigned parts = inv->threads > 1 ? LIST_WORKERS_MAX : 1;
    uint32_t *own[LIST_WORKERS_MAX] = {0}, sum = 0;
    bool ok = true;
    for (unsigned i = 0; i < parts && ok; i++) {
        uint32_t *ends = i ? own[i] = mem_alloc(class->n_keys * sizeof *ends) : inv->ends;
        ok = ends != NULL;
        all.parts[i] = (class_part){.begin = inv->iv->n_docs * i / parts,
                                    .end = inv->iv->n_docs * (i + 1) / parts,
                                    .ends = ends};
        if (ok) memset(ends, 0, class->n_keys * sizeof *ends);
    }
    if (ok) thread_run_all(parts, class_pass, &all);
    for (uint32_t key = 0; key < class->n_keys && ok; key++) {
        for (unsigned i = 0; i < parts; i++) {
            uint32_t n = all.parts[i].ends[key];
            all.parts[i].ends[key] = sum;
            sum += n;
        }
    }
    ok = ok && inversion_places(inv, sum);
    all.placing = true;
    if (ok) thread_run_all(parts, class_pass, &all);
    if (ok && parts > 1) memcpy(inv->ends, own[parts - 1], class->n_keys * sizeof *inv->ends);
    for (unsigned i = 1; i < parts; i++) mem_free(own[i]);
    return ok;
}

uint32_t inversion_gather(const inversion *inv, list_room *room, const uint32_t *places, uint32_t n)
{
    const inverter *iv = inv->iv;
    uint32_t df = 0;
    for (uint32_t i = 0; i < n; df++) {
        uint32_t doc = inversion_doc_of(inv, places[i]), end = inv->doc_ends[doc], first = i;
        const inverter_doc *d = &iv->docs[doc];
        if (i + PLACE_AHEAD < n) {
            uint32_t ahead = inv->block_docs[places[i + PLACE_AHEAD] >> inv->place_shift];
            __builtin_prefetch(&iv->docs[ahead]);
        }
        do room->positions[i] = token_position(d, places[i] - d->first);
        while (++i < n && places[i] < end);
        room->docs[df] = doc;
        room->tfs[df] = i - first;
    }
    return df;
}

void inversion_key(const inversion *inv, list_room *room, uint8_t class, uint32_t key)
{
    buf_reset(&room->key);
    if (class) buf_u8(&room->key, class);
    if (class == KEY_MARKER)
        buf_append(&room->key, inv->markers[key]->marker, inv->markers[key]->marker_len);
    else
        buf_append(&room->key, inv->terms[key].f->stem, inv->terms[key].f->stem_len);
}

void inversion_put(const list_room *room, segment_term *term, const uint32_t *positions,
                   uint32_t tag, list_task *out)
{
    pm_error err;
    term->key = room->key.data;
    term->key_len = room->key.len;
    term->docs = room->docs;
    term->tfs = room->tfs;
    term->positions = positions;
    if (room->key.failed) list_task_fail(out, error_nomem(&err), &err);
    list_task_put(out, term, NULL, tag);
}

/* ---- markers and titles ------------------------------------------------------------------- */

typedef struct class_job {
    inversion *inv;
    const key_class *class;
    uint32_t *first; /* by task: its first key; and behind the last one                       */
    uint32_t n_tasks;
} class_job;

static void make_class(void *ctx, unsigned worker, uint32_t task, list_task *out)
{
    const class_job *job = ctx;
    inversion *inv = job->inv;
    uint8_t byte = job->class->byte;
    for (uint32_t key = job->first[task]; key < job->first[task + 1]; key++) {
        uint32_t begin = key ? inv->ends[key - 1] : 0, n = inv->ends[key] - begin;
        if (!n) continue;
        list_room *room = inversion_begin(inv, worker, n, out);
        if (!room) return;
        segment_term list = {.df = inversion_gather(inv, room, inv->places + begin, n)};
        inversion_key(inv, room, byte, key);
        bool positions = inv->iv->has_positions && byte != KEY_MARKER;
        inversion_put(room, &list, positions ? room->positions : NULL, key, out);
        inversion_end(inv, room);
    }
}

/* Cut the class into tasks of neighbouring keys. */
static bool cut_tasks(class_job *job)
{
    const inversion *inv = job->inv;
    const uint32_t *ends = inv->ends;
    uint32_t n_keys = job->class->n_keys, from = 0;
    size_t most =
        (size_t)(n_keys ? ends[n_keys - 1] : 0) / inv->bucket_tokens + n_keys / BUCKET_TERMS + 1;
    job->first = mem_array(most + 1, sizeof *job->first);
    if (!job->first) return false;
    for (uint32_t key = 0; key < n_keys; key++) {
        if (ends[key] - from < inv->bucket_tokens &&
            key + 1 - job->first[job->n_tasks] < BUCKET_TERMS && key + 1 < n_keys)
            continue;
        job->first[++job->n_tasks] = key + 1;
        from = ends[key];
    }
    return true;
}

static pm_status write_class(inversion *inv, const key_class *class, pm_error *err)
{
    class_job job = {.inv = inv, .class = class};
    if (!scatter(inv, class) || !cut_tasks(&job)) return error_nomem(err);
    const list_job lists = {.w = inv->w, .n_tasks = job.n_tasks, .ctx = &job, .make = make_class};
    pm_status st = list_tasks_run(&lists, inv->threads, err);
    mem_free(job.first);
    return st;
}

/* ---- 3. forms ------------------------------------------------------------------------ */

static int order_by_form(const void *ctx, uint32_t a, uint32_t b)
{
    const inversion *inv = ctx;
    return form_key_compare(inv->variants[a].f, inv->variants[b].f);
}

static void ask_variant(const void *ctx, uint32_t i)
{
    const inversion *inv = ctx;
    inverter_ask(inv->variants[i].f);
}

/* The variants some places on in the order of their keys, and their forms. */
static inline void ask_variants(const inversion *inv, uint32_t i, uint32_t n)
{
    if (i + 2 * FORMS_AHEAD >= n) return;
    __builtin_prefetch(&inv->variants[inv->items[i + 2 * FORMS_AHEAD].id]);
    inverter_ask(inv->variants[inv->items[i + FORMS_AHEAD].id].f);
}

/* The first `middle` of the variants, sorted or not, and the others. */
typedef struct forms_job {
    inversion *inv;
    uint32_t middle, n;
    uint32_t listed[2];
    bool refused[2];
} forms_job;

static void put_half(void *ctx, unsigned half)
{
    forms_job *job = ctx;
    inversion *inv = job->inv;
    buf *key = &inv->rooms[half].key;
    uint32_t end = half ? job->n : job->middle;
    for (uint32_t i = half ? job->middle : 0; i < end && !key->failed; i++) {
        uint32_t at = inv->items[i].id;
        ask_variants(inv, i, job->n);
        const variant *v = &inv->variants[at];
        const term_plan *term = &inv->terms[v->term];
        slice exact = form_exact(v->f);
        buf_reset(key);
        buf_append(key, v->f->folded, v->f->folded_len);
        buf_u8(key, 0);
        buf_append(key, exact.data, exact.len);
        if (key->failed) break;
        (half ? segment_writer_form_behind : segment_writer_form)(
            inv->w, key->data, key->len, term->ordinal, at - term->first_variant, v->df, v->cf);
    }
    job->refused[half] = key->failed;
}

/* Both halves, at the same time where there are two. */
static void do_halves(forms_job *job, void (*fn)(void *ctx, unsigned half))
{
    thread_run_all(job->middle < job->n ? 2 : 1, fn, job);
}

static pm_status put_variants(inversion *inv, uint32_t n, pm_error *err)
{
    forms_job job = {.inv = inv, .middle = n, .n = n};
    if (inv->threads > 1 && n >= FORMS_HALVES_MIN && !segment_writer_settings(inv->w)->scratch)
        job.middle = n / 2 / DICT_BLOCK_KEYS * DICT_BLOCK_KEYS;
    do_halves(&job, put_half);
    return job.refused[0] || job.refused[1] ? error_nomem(err) : PM_OK;
}

/* Variants [begin, end) that are listed, to items from `begin` on; job->listed of them. */
static void list_variants(void *ctx, unsigned half)
{
    forms_job *job = ctx;
    inversion *inv = job->inv;
    uint32_t begin = half ? job->middle : 0, end = half ? job->n : job->middle, n = begin;
    for (uint32_t i = begin; i < end; i++) {
        if (i + FORMS_AHEAD < end) inverter_ask(inv->variants[i + FORMS_AHEAD].f);
        if (inv->terms[inv->variants[i].term].implies) continue;
        const form *f = inv->variants[i].f;
        inv->items[n++] = keysort_string(f->folded, f->folded_len, i);
    }
    job->listed[half] = n - begin;
}

static pm_status write_forms(inversion *inv, pm_error *err)
{
    uint32_t n = inv->n_variants;
    /* A list that was refused has left its term without a number; the writer says so in the end. */
    if (segment_writer_settings(inv->w)->no_forms || segment_writer_failed(inv->w)) return PM_OK;
    forms_job job = {.inv = inv, .middle = n, .n = n};
    if (inv->threads > 1 && n >= FORMS_HALVES_MIN) job.middle = n / 2;
    do_halves(&job, list_variants);
    n = job.listed[0] + job.listed[1];
    memmove(inv->items + job.listed[0], inv->items + job.middle,
            job.listed[1] * sizeof *inv->items);
    segment_writer_implied_forms(inv->w, inv->n_variants - n);
    const keysort_order order = {.compare = order_by_form, .ask = ask_variant, .ctx = inv};
    keysort_threads(inv->threads, inv->items, inv->scratch, n, &order);
    return put_variants(inv, n, err);
}

static uint32_t bucket_size(const inverter *iv)
{
    size_t tokens = iv->n_docs / DOCS_A_TOKEN;
    if (tokens > iv->n_tokens / BUCKETS_LEAST) tokens = iv->n_tokens / BUCKETS_LEAST;
    if (tokens > BUCKET_TOKENS_MOST) tokens = BUCKET_TOKENS_MOST;
    return tokens > BUCKET_TOKENS ? (uint32_t)tokens : BUCKET_TOKENS;
}

pm_status inverter_write(inverter *iv, unsigned threads, segment_writer *w, pm_error *err)
{
    pm_status st;
    inversion inv = {.iv = iv, .w = w, .threads = iv->n_tokens < THREADS_MIN ? 1 : threads};
    inv.bucket_tokens = bucket_size(iv);
    inv.forms = iv->frozen ? iv->frozen : analyzer_forms(iv->a);
    inv.n_forms = iv->frozen ? iv->n_frozen : analyzer_form_count(iv->a);
    pthread_mutex_init(&inv.large_lock, NULL);
    pthread_cond_init(&inv.large_given, NULL);
    PM_TRY(inversion_plan(&inv, err));
    if (!invert_allocate(&inv)) PM_TRY(error_nomem(err));
    const key_class markers = {KEY_MARKER, inv.n_markers}, titles = {KEY_TITLE, inv.n_terms};
    locate_blocks(&inv);
    PM_TRY(write_class(&inv, &markers, err));
    PM_TRY(write_class(&inv, &titles, err));
    PM_TRY(inversion_bigrams(&inv, err));
    PM_TRY(inverter_fields_write(&iv->fields, w, err));
    PM_TRY(inversion_plain(&inv, err));
    PM_TRY(write_forms(&inv, err));
out:
    pthread_cond_destroy(&inv.large_given);
    pthread_mutex_destroy(&inv.large_lock);
    inversion_free(&inv);
    return st;
}
