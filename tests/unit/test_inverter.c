/* SPDX-License-Identifier: MIT
 * test_inverter.c - the counting sort against a list of all occurrences, sorted naively.
 *
 * The model analyses each article by itself, writes down (key, document, position, form) for
 * every token and sorts that.  The segment must hold the same, list by list, and its forms
 * must be ranked as FORMAT.md says.  Geometry is small, so that lists of every shape occur.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/cursor.h"
#include "common/segment/store.h"
#include "indexer/inverter_internal.h"
#include "tests/support/open_folder.h"

enum { DOCS = 120, OCCURRENCES = 60000, KEY = 64 };

typedef struct occurrence {
    char key[KEY], form[KEY]; /* form: folded, 0x01 instead of 0x00, exact; empty: none    */
    uint32_t doc, position;
} occurrence;

static occurrence model[OCCURRENCES];
static size_t n_model;

static analyzer *words;

static int set_up(void **state)
{
    n_model = 0;
    return analyzer_open(&words, "en", NULL) == PM_OK ? open_folder(state) : -1;
}

static int tear_down(void **state)
{
    analyzer_close(words);
    return close_folder(state);
}

/* ---- the model ----------------------------------------------------------------------- */

static void note(const char *prefix, const char *key, size_t key_len, const form *f, uint32_t doc,
                 uint32_t position)
{
    assert_true(n_model < OCCURRENCES);
    occurrence *o = &model[n_model++];
    memset(o, 0, sizeof *o);
    snprintf(o->key, KEY, "%s%.*s", prefix, (int)key_len, key);
    if (f) {
        bool same = f->exact_len == f->folded_len && !memcmp(f->exact, f->folded, f->exact_len);
        snprintf(o->form, KEY, "%.*s\x01%.*s", (int)f->folded_len, f->folded,
                 same ? 0 : (int)f->exact_len, f->exact);
    }
    o->doc = doc;
    o->position = position;
}

static void note_token(const token *t, uint32_t doc, uint32_t position, bool title)
{
    note("", t->form->stem, t->form->stem_len, t->form, doc, position);
    if (title) note("\x02", t->form->stem, t->form->stem_len, NULL, doc, position);
    if (t->marked) note("\x01", t->form->marker, t->form->marker_len, NULL, doc, 0);
}

static uint32_t note_article(analyzer *a, const pm_article *article, uint32_t doc)
{
    token t;
    uint32_t n_title = 0, n_body = 0, skipped = 0;
    analyzer_begin(a, article->title.data, article->title.len, false);
    while (analyzer_next(a, &t)) note_token(&t, doc, n_title++, true);
    uint32_t base = n_title ? n_title + 1 : 0;
    analyzer_begin(a, article->text.data, article->text.len, false);
    while (analyzer_next(a, &t)) {
        if (article->title_in_body && t.start >= article->title_start &&
            t.end <= article->title_end) {
            skipped = n_body != 0; /* at the very start nothing is left to keep apart         */
            continue;
        }
        note_token(&t, doc, base + n_body++ + skipped, false);
    }
    return n_title + n_body;
}

static int order_occurrences(const void *a, const void *b)
{
    const occurrence *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    if (order) return order;
    if (x->doc != y->doc) return x->doc < y->doc ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

/* ---- random articles ----------------------------------------------------------------- */

static const char *const vocabulary[] = {
    "the",
    "The",
    "US",
    "U.S.",
    "us",
    "run",
    "running",
    "runs",
    "Running",
    "ran",
    "China",
    "China's",
    "china",
    "CHINA",
    "tariff",
    "tariffs",
    "r\xc3\xa9sum\xc3\xa9",
    "resume",
    "NATO",
    "nato",
    "1,000",
    "e-mail",
    "don't",
    "dont",
    "Don\xe2\x80\x99t",
};

static size_t random_words(char *out, size_t cap, unsigned n, uint64_t *seed)
{
    size_t len = 0;
    for (unsigned i = 0; i < n; i++) {
        uint64_t r = random_next(seed);
        uint64_t pick = r % 3 ? r / 3 % 6 : r / 3 % (sizeof vocabulary / sizeof *vocabulary);
        len += (size_t)snprintf(out + len, cap - len, "%s%s", i ? " " : "", vocabulary[pick]);
        assert_true(len < cap);
    }
    return len;
}

static char title[4096], body[65536];

static pm_article random_article(uint64_t *seed)
{
    pm_article a = {.id = {"x", 1}};
    uint64_t kind = random_next(seed) % 4;
    a.title = (pm_text){title,
                        random_words(title, sizeof title, (unsigned)(random_next(seed) % 6), seed)};
    if (kind == 0) a.title.len = 0;
    size_t before = random_words(body, sizeof body, (unsigned)(random_next(seed) % 5), seed);
    size_t len = before;
    if (kind == 1 && a.title.len) {
        len += (size_t)snprintf(body + len, sizeof body - len, "\n%s\n", title);
        a.title_in_body = true;
        a.title_start = before + 1;
        a.title_end = before + 1 + a.title.len;
    } else {
        body[len++] = ' ';
    }
    len += random_words(body + len, sizeof body - len, (unsigned)(random_next(seed) % 40), seed);
    a.text = (pm_text){body, len};
    return a;
}

/* ---- writing and comparing ----------------------------------------------------------- */

static unsigned threads = 1;

static segment *write_segment(inverter *iv, const uint32_t *lengths, uint32_t n, pm_status *status,
                              pm_error *err)
{
    segment_writer_config config = {.segment_id = 1,
                                    .k1 = 1.2,
                                    .b = 0.75,
                                    .block_size = 8,
                                    .dense_shift = 1,
                                    .store_block_bytes = 256,
                                    .deflate_level = 1,
                                    .has_positions = true,
                                    .has_text = true};
    segment_writer *w;
    segment *s = NULL;
    manifest_segment named;
    *status = segment_writer_begin(&w, &where, "1-00000000.seg", &config, err);
    if (*status != PM_OK) return NULL;
    for (uint32_t doc = 0; doc < n; doc++) {
        char id[16];
        pm_article a = {.id = {id, (size_t)snprintf(id, sizeof id, "d%u", doc)}};
        buf record = {0};
        store_encode(&record, &a, true);
        segment_doc out = {id, a.id.len, lengths[doc], doc, INT64_MIN, buf_slice(&record), 0};
        bool refused = record.failed;
        segment_writer_doc(w, &out);
        buf_free(&record);
        if (!refused) continue;
        segment_writer_abandon(w);
        *status = PM_NOMEM;
        return NULL;
    }
    segment_writer_docs_done(w);
    *status = inverter_write(iv, threads, w, err);
    if (*status != PM_OK) {
        segment_writer_abandon(w);
        return NULL;
    }
    *status = segment_writer_finish(w, false, &named, err);
    if (*status == PM_OK)
        *status =
            segment_open(&s, &where, named.name, config.uuid, named.size, named.footer_crc, err);
    return s;
}

typedef struct form_count {
    char form[KEY];
    uint32_t df, last;
    uint64_t cf;
} form_count;

static int order_counts(const void *a, const void *b)
{
    const form_count *x = a, *y = b;
    if (x->cf != y->cf) return x->cf < y->cf ? 1 : -1;
    return strcmp(x->form, y->form);
}

/* The forms of model[from, to), in order of their index. */
static unsigned count_forms(size_t from, size_t to, form_count counts[32])
{
    unsigned n = 0;
    for (size_t i = from; i < to; i++) {
        unsigned f = 0;
        while (f < n && strcmp(counts[f].form, model[i].form) != 0) f++;
        if (f == n) {
            assert_true(n < 32);
            counts[n++] = (form_count){.last = UINT32_MAX};
            snprintf(counts[f].form, KEY, "%s", model[i].form);
        }
        counts[f].cf++;
        counts[f].df += counts[f].last != model[i].doc;
        counts[f].last = model[i].doc;
    }
    qsort(counts, n, sizeof *counts, order_counts);
    return n;
}

static void compare_forms(segment *s, const term_entry *entry, const form_count *counts, unsigned n)
{
    dict_iter it;
    unsigned met = 0;
    dict_iter_begin(&it, s, true, "", 0);
    while (dict_iter_next(&it)) {
        if (it.form.term != entry->ordinal) continue;
        assert_true(it.form.index < n);
        const form_count *want = &counts[it.form.index];
        assert_int_equal(it.key_len, strlen(want->form));
        for (size_t i = 0; i < it.key_len; i++)
            assert_int_equal(it.key[i] ? it.key[i] : 1, (uint8_t)want->form[i]);
        assert_int_equal(it.form.df, want->df);
        assert_int_equal(it.form.cf, want->cf);
        met++;
    }
    assert_int_equal(met, n);
}

/* model[from, to) is one key. */
static void compare_list(segment *s, const term_entry *entry, size_t from, size_t to)
{
    static uint32_t positions[OCCURRENCES];
    static cursor c;
    form_count counts[32];
    form_stream stream;
    bool plain = (uint8_t)model[from].key[0] >= 0x20, marker = model[from].key[0] == 1;
    unsigned n_forms = plain ? count_forms(from, to, counts) : 0;
    assert_int_equal(entry->cf, to - from);
    if (plain) assert_int_equal(entry->n_forms, n_forms);
    cursor_open(&c, s, entry);
    if (plain) form_stream_open(&stream, &c.list);
    size_t at = from;
    for (uint32_t i = 0; i < entry->df; i++) {
        assert_int_equal(cursor_next(&c), model[at].doc);
        uint32_t tf = cursor_tf(&c);
        uint32_t n = cursor_positions(&c, positions, OCCURRENCES);
        assert_int_equal(n, marker ? 0 : tf);
        for (uint32_t k = 0; k < tf; k++, at++) {
            assert_true(at < to);
            assert_int_equal(model[at].doc, c.doc);
            if (!marker) assert_int_equal(positions[k], model[at].position);
            if (plain) assert_string_equal(counts[form_stream_next(&stream)].form, model[at].form);
        }
    }
    assert_int_equal(cursor_next(&c), CURSOR_END);
    assert_int_equal(at, to);
    if (plain) compare_forms(s, entry, counts, n_forms);
}

static void compare_all(segment *s)
{
    dict_iter it;
    size_t from = 0;
    qsort(model, n_model, sizeof *model, order_occurrences);
    dict_iter_begin(&it, s, false, "", 0);
    while (dict_iter_next(&it)) {
        size_t to = from;
        assert_true(from < n_model);
        while (to < n_model && strcmp(model[to].key, model[from].key) == 0) to++;
        assert_int_equal(it.key_len, strlen(model[from].key));
        assert_memory_equal(it.key, model[from].key, it.key_len);
        compare_list(s, &it.term, from, to);
        from = to;
    }
    assert_int_equal(from, n_model);
    assert_int_equal(segment_status(s, NULL), PM_OK);
}

static void round_of(inverter *iv, analyzer *own, uint64_t seed, uint32_t n_docs)
{
    uint32_t lengths[DOCS];
    pm_status st;
    pm_error err;
    n_model = 0;
    printf("seed %llu, %u documents\n", (unsigned long long)seed, n_docs);
    for (uint32_t doc = 0; doc < n_docs; doc++) {
        pm_article a = random_article(&seed);
        assert_int_equal(inverter_add(iv, &a, UINT64_MAX, &lengths[doc], &err), PM_OK);
        assert_int_equal(lengths[doc], note_article(own, &a, doc));
    }
    assert_int_equal(inverter_n_docs(iv), n_docs);
    segment *s = write_segment(iv, lengths, n_docs, &st, &err);
    assert_int_equal(st, PM_OK);
    compare_all(s);
    segment_close(s);
    folder_empty(folder);
}

/* Several segments from one inverter, its forms kept or forgotten in between. */
static void test_against_model(void **state)
{
    (void)state;
    inverter *iv;
    analyzer *own;
    assert_int_equal(inverter_open(&iv, words, true, NULL), PM_OK);
    assert_int_equal(analyzer_open(&own, "en", NULL), PM_OK);
    for (uint64_t round = 0; round < 24; round++) {
        round_of(iv, own, 1000 + round, round < 6 ? (uint32_t)round + 1 : DOCS);
        inverter_reset(iv, round % 3 == 0);
    }
    inverter_close(iv);
    analyzer_close(own);
}

/* The count grows with every article and falls back with reset. */
static void test_memory(void **state)
{
    (void)state;
    inverter *iv;
    uint64_t seed = 5, last = 0;
    uint32_t dl;
    assert_int_equal(inverter_open(&iv, words, true, NULL), PM_OK);
    assert_int_equal(inverter_memory(iv), 0);
    for (int i = 0; i < 50; i++) {
        pm_article a = random_article(&seed);
        assert_int_equal(inverter_add(iv, &a, UINT64_MAX, &dl, NULL), PM_OK);
        assert_true(inverter_memory(iv) > last);
        last = inverter_memory(iv);
    }
    inverter_reset(iv, false);
    assert_int_equal(inverter_memory(iv), inverter_forms_memory(iv));
    assert_true(inverter_forms_memory(iv) > 0);
    inverter_reset(iv, true);
    assert_int_equal(inverter_memory(iv), 0);
    inverter_close(iv);
}

/* Articles that do not fit are as if they had never come: at the first token too much, or when all
 * are counted. */
static void test_refused_articles(void **state)
{
    (void)state;
    uint32_t lengths[DOCS], dl;
    uint64_t seed = 77;
    inverter *iv;
    analyzer *own;
    pm_status st;
    pm_error err;
    uint32_t n = 0, refused = 0;
    assert_int_equal(inverter_open(&iv, words, true, NULL), PM_OK);
    assert_int_equal(analyzer_open(&own, "en", NULL), PM_OK);
    for (unsigned i = 0; n < DOCS; i++) {
        pm_article a = random_article(&seed);
        inverter_exceeds(iv, 0); /* measured                                                  */
        uint64_t before = inverter_memory(iv), forms = inverter_forms_memory(iv), most = UINT64_MAX;
        if (i % 3 == 0) most = before ? before - 1 : 0;
        if (i % 3 == 1) most = before + random_next(&seed) % 2000;
        st = inverter_add(iv, &a, most, &dl, &err);
        assert_true(st == PM_OK || (st == PM_USAGE && most != UINT64_MAX));
        assert_true(st == PM_USAGE || inverter_memory(iv) <= most);
        if (st == PM_USAGE) {
            forms = inverter_forms_memory(iv) - forms;
            assert_int_equal(inverter_memory(iv), before + forms);
            refused++;
            continue;
        }
        lengths[n] = dl;
        assert_int_equal(dl, note_article(own, &a, n));
        n++;
    }
    assert_true(refused > DOCS / 2);
    assert_int_equal(inverter_n_docs(iv), n);
    segment *s = write_segment(iv, lengths, n, &st, &err);
    assert_int_equal(st, PM_OK);
    compare_all(s);
    segment_close(s);
    inverter_close(iv);
    analyzer_close(own);
}

static pm_status invert_twenty(pm_error *err)
{
    uint64_t seed = 99;
    uint32_t lengths[20];
    inverter *iv;
    analyzer *a;
    pm_status st = analyzer_open(&a, "en", err);
    if (st != PM_OK) return st;
    st = inverter_open(&iv, a, true, err);
    for (int i = 0; i < 20 && st == PM_OK; i++) {
        pm_article article = random_article(&seed);
        st = inverter_add(iv, &article, UINT64_MAX, &lengths[i], err);
    }
    if (st == PM_OK) {
        segment *s = write_segment(iv, lengths, 20, &st, err);
        if (s) segment_close(s);
    }
    inverter_close(iv);
    analyzer_close(a);
    return st;
}

static void test_refused_memory(void **state)
{
    (void)state;
    pm_error err;
    uint64_t n = 0;
    pm_status st;
    do {
        mem_fail_at(++n, false);
        st = invert_twenty(&err);
        mem_fail_at(0, false);
        if (st != PM_OK && st != PM_NOMEM)
            fail_msg("allocation %llu: %s", (unsigned long long)n, err.message);
        folder_empty(folder);
    } while (st != PM_OK);
    printf("%llu allocations refused\n", (unsigned long long)n - 1);
    assert_true(n > 30);
}

/* So many tokens that two threads write them; each allocation of that refused, once and from then
 * on. */
static void test_refused_to_threads(void **state)
{
    (void)state;
    enum { ARTICLES = 40, WORDS = 1000, WORD = 5 };
    static char text[WORDS * WORD];
    uint32_t lengths[ARTICLES];
    uint64_t seed = 17, tried = 0;
    inverter *iv;
    pm_error err;
    assert_int_equal(inverter_open(&iv, words, true, NULL), PM_OK);
    for (unsigned n = 0; n < ARTICLES; n++) {
        for (size_t i = 0; i < WORDS; i++) {
            uint64_t r = random_next(&seed);
            char word[WORD + 1];
            snprintf(word, sizeof word, r % 50 ? "w%03u " : "E.%c. ",
                     r % 50 ? (unsigned)(r >> 8) % 300 : 'G');
            memcpy(text + i * WORD, word, WORD);
        }
        const pm_article a = {.text = {text, sizeof text}, .title = {"w001 w002 E.G.", 14}};
        assert_int_equal(inverter_add(iv, &a, UINT64_MAX, &lengths[n], NULL), PM_OK);
    }
    iv->keep = true; /* the stream stays, to be written again                                 */
    threads = 2;
    for (unsigned sticky = 0; sticky < 2; sticky++) {
        bool refused = true;
        for (uint64_t at = 1; refused; at++, tried++) {
            pm_status st;
            folder_empty(folder);
            mem_fail_at(at, sticky);
            segment *s = write_segment(iv, lengths, ARTICLES, &st, &err);
            refused = mem_count() >= at;
            mem_fail_at(0, false);
            if (st != PM_OK) assert_int_equal(st, PM_NOMEM);
            if (!refused) assert_int_equal(st, PM_OK);
            if (s) segment_close(s);
        }
    }
    threads = 1;
    inverter_close(iv);
    printf("%llu commits, memory refused\n", (unsigned long long)tried);
    assert_true(tried > 100);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_against_model),      IN_FOLDER(test_memory),
        IN_FOLDER(test_refused_articles),   IN_FOLDER(test_refused_memory),
        IN_FOLDER(test_refused_to_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
