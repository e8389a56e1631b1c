/* SPDX-License-Identifier: MIT
 * test_inverter_memory.c - what an inverter counts of its memory: the longest list and a second one
 * beside it, the rooms where lists are made, and an article at its limit, memory refused or not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "indexer/inversion.h"
#include "tests/support/open_folder.h"

static analyzer *words;

static int set_up(void **state)
{
    return analyzer_open(&words, "en", NULL) == PM_OK ? open_folder(state) : -1;
}

static int tear_down(void **state)
{
    analyzer_close(words);
    return close_folder(state);
}

/* What the room for a second list is reckoned from. */
static void expect_longest(inverter *iv, uint64_t longest)
{
    inversion inv = {.iv = iv,
                     .threads = 1,
                     .bucket_tokens = BUCKET_TOKENS,
                     .forms = analyzer_forms(words),
                     .n_forms = analyzer_form_count(words)};
    assert_int_equal(inversion_plan(&inv, NULL), PM_OK);
    assert_int_equal(inv.longest, longest);
    mem_free(inv.variants);
    mem_free(inv.terms);
    mem_free(inv.markers);
    mem_free(inv.items);
    mem_free(inv.scratch);
    mem_free(inv.buckets);
}

/* One word in a thousand spellings: the longest list is the stem's, not a spelling's.  Before it is
 * measured, memory is never too little; then it is what the list takes. */
static void test_longest_list(void **state)
{
    (void)state;
    enum { ARTICLES = 200, WORDS = 60, LETTERS = 10 };
    inverter *iv;
    uint64_t seed = 9, tokens = 0, longest = 0;
    unsigned needed = 0;
    assert_int_equal(inverter_open(&iv, words, true, NULL), PM_OK);
    for (unsigned n = 0; n < ARTICLES; n++) {
        char text[WORDS * (LETTERS + 1)], *p = text;
        uint32_t dl;
        for (unsigned i = 0; i < WORDS; i++) {
            uint64_t r = random_next(&seed);
            bool other = n < ARTICLES / 2 ? i % 2 : i % 16 == 0; /* than the word of all          */
            for (unsigned k = 0; k < LETTERS; k++) *p++ = (char)((r >> k & 1 ? 'a' : 'A') + (int)k);
            if (other) p[-3] = (char)('n' + r % 12);
            *p++ = ' ';
            longest += !other;
        }
        tokens += WORDS;
        const pm_article a = {.text = {text, (size_t)(p - text)}};
        assert_int_equal(inverter_add(iv, &a, UINT64_MAX, &dl, NULL), PM_OK);
        assert_int_equal(dl, WORDS);
        uint64_t own =
                     inverter_forms_memory(iv) + inverter_fields_memory(&iv->fields) + (n + 1) * 24,
                 lists = 4 * tokens + 12 * longest, pairs = 10 * tokens,
                 exact = own + (lists > pairs ? lists : pairs);
        assert_true(inverter_memory(iv) >= exact);
        if (n % 16 != 15) continue;
        needed += inverter_memory(iv) > exact;
        assert_true(inverter_exceeds(iv, exact - 1));
        assert_int_equal(inverter_memory(iv), exact);
        assert_false(inverter_exceeds(iv, exact));
    }
    assert_true(needed > 5);
    for (uint64_t list = 0; list <= tokens; list += tokens / 20) { /* another one beside it */
        uint64_t room = inverter_second_room(iv, list), stream = 4 * tokens, pairs = 10 * tokens;
        assert_true(!room || stream + 12 * (list + room) + 8 * ARTICLES <= pairs);
        assert_true(stream + 12 * (list + room + 1) + 8 * ARTICLES > pairs);
    }
    expect_longest(iv, longest);
    inverter_reset(iv, false); /* what was known of the list goes with it                      */
    assert_int_equal(inverter_memory(iv), inverter_forms_memory(iv));
    inverter_close(iv);
}

/* Rooms for lists: a worker's own for short ones, one large one for any list, and a second for what
 * may stand beside that within the memory that is counted. */
enum { SHORT = 100, SECOND = 300, ROOM_DOCS = 40, ROOM_TASKS = 400 };

typedef struct room_test {
    inversion inv;
    unsigned wrong;
    atomic_uint held[LARGE_ROOMS];
} room_test;

static void expect_room(room_test *t, const list_room *is, const list_room *wanted, size_t n)
{
    if (is != wanted || is->occurrences_cap < n ||
        is->postings_cap < (n < ROOM_DOCS ? n : ROOM_DOCS))
        t->wrong++;
}

static void take_rooms(void *ctx, unsigned worker, uint32_t task, list_task *out)
{
    room_test *t = ctx;
    inversion *inv = &t->inv;
    (void)task;
    list_room *one = inversion_begin(inv, worker, SHORT, out), *two;
    expect_room(t, one, &inv->rooms[worker], SHORT);
    inversion_end(inv, one);
    one = inversion_begin(inv, worker, SECOND, out); /* a list for either, first              */
    two = inversion_begin(inv, worker, SECOND, out);
    expect_room(t, one, &inv->large[1], SECOND);
    expect_room(t, two, &inv->large[0], SECOND);
    inversion_end(inv, one);
    one = inversion_begin(inv, worker, SHORT + 1, out); /* the one that was given back           */
    expect_room(t, one, &inv->large[1], SHORT + 1);
    inversion_end(inv, one);
    inversion_end(inv, two);
    one = inversion_begin(inv, worker, SECOND + 1, out); /* too long for the second             */
    two = inversion_begin(inv, worker, SECOND, out);
    expect_room(t, one, &inv->large[0], SECOND + 1);
    expect_room(t, two, &inv->large[1], SECOND);
    inversion_end(inv, two);
    inversion_end(inv, one);
}

/* Of two threads one waits for the other's room, unless it may take the second. */
static void share_rooms(void *ctx, unsigned worker, uint32_t task, list_task *out)
{
    room_test *t = ctx;
    list_room *room = inversion_begin(&t->inv, worker, task % 3 ? SECOND + 1 : SECOND, out);
    unsigned i = room == &t->inv.large[1];
    if (atomic_fetch_add(&t->held[i], 1) || (i && task % 3)) t->wrong++;
    for (size_t k = 0; k < SECOND; k++) room->docs[k % ROOM_DOCS] = room->positions[k] = task;
    for (size_t k = 0; k < SECOND; k++)
        if (room->positions[k] != task) t->wrong++;
    atomic_fetch_sub(&t->held[i], 1);
    inversion_end(&t->inv, room);
}

static void forget_room(list_room *room)
{
    mem_free(room->docs);
    mem_free(room->tfs);
    mem_free(room->positions);
    mem_free(room->forms);
}

static void test_rooms(void **state)
{
    (void)state;
    pm_error err;
    inverter iv = {.n_docs = ROOM_DOCS};
    room_test t = {.inv = {.iv = &iv, .bucket_tokens = SHORT, .second_room = SECOND}};
    segment_writer *w;
    const segment_writer_config config = {.k1 = 1.2, .b = 0.75, .block_size = 8};
    const segment_doc doc = {"d",
                             1,
                             0,
                             0,
                             INT64_MIN,
                             {(const uint8_t *)"\x01\x01"
                                               "d",
                              3},
                             0};
    assert_int_equal(segment_writer_begin(&w, &where, "1-00000000.seg", &config, &err), PM_OK);
    segment_writer_doc(w, &doc);
    segment_writer_docs_done(w);
    pthread_mutex_init(&t.inv.large_lock, NULL);
    pthread_cond_init(&t.inv.large_given, NULL);
    list_job job = {.w = w, .n_tasks = 1, .ctx = &t, .make = take_rooms};
    assert_int_equal(list_tasks_run(&job, 1, &err), PM_OK);
    job.n_tasks = ROOM_TASKS;
    job.make = share_rooms;
    assert_int_equal(list_tasks_run(&job, 2, &err), PM_OK);
    assert_int_equal(t.wrong, 0);
    for (unsigned i = 0; i < LARGE_ROOMS; i++) {
        assert_false(t.inv.large_taken[i]);
        forget_room(&t.inv.large[i]);
    }
    for (unsigned i = 0; i < LIST_WORKERS_MAX; i++) forget_room(&t.inv.rooms[i]);
    pthread_cond_destroy(&t.inv.large_given);
    pthread_mutex_destroy(&t.inv.large_lock);
    segment_writer_abandon(w);
}

/* The limit is the memory that is counted: at it an article is taken, below it is not. */
static void test_exact_limit(void **state)
{
    (void)state;
    static char text[60000];
    uint32_t dl;
    pm_error err;
    inverter *iv;
    for (size_t i = 0; i < sizeof text; i++) text[i] = i % 2 ? ' ' : 'a'; /* one long list        */
    const pm_article a = {.text = {text, sizeof text},
                          .title = {"Title", 5},
                          .author = {"Ann and Bob", 11},
                          .tags = {"one\x1ftwo", 7}};
    assert_int_equal(inverter_open(&iv, words, true, NULL), PM_OK);
    assert_int_equal(inverter_add(iv, &a, 240000, &dl, &err), PM_USAGE); /* of 480,000          */
    assert_true(iv->tokens_cap <= 16384 + TOKENS_AT_ONCE); /* no more was read than may be       */
    assert_int_equal(inverter_add(iv, &a, UINT64_MAX, &dl, &err), PM_OK);
    assert_true(inverter_exceeds(iv, 0)); /* measured: "titl" is not in the list                  */
    uint64_t most = inverter_memory(iv);
    inverter_reset(iv, true);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(inverter_add(iv, &a, most - 1, &dl, &err), PM_USAGE);
        assert_int_equal(inverter_n_docs(iv), 0);
    }
    assert_int_equal(inverter_add(iv, &a, most, &dl, &err), PM_OK);
    assert_int_equal(inverter_memory(iv), most);
    assert_int_equal(dl, sizeof text / 2 + 1);
    inverter_close(iv);
}

/* An article that has a limit, memory refused at one allocation after the other: it is there whole,
 * or not at all and that is said. */
static void test_refused_limit(void **state)
{
    (void)state;
    static char text[120000]; /* two lists                                                  */
    for (size_t i = 0; i < sizeof text; i++) text[i] = i % 2 ? ' ' : i % 4 ? 'x' : 'y';
    pm_article a = {.text = {text, sizeof text}, .title = {"Title", 5}};
    for (unsigned round = 0; round < 2; round++) {
        pm_status st = PM_NOMEM;
        a.title_in_body = round;
        for (unsigned n = 1; st != PM_OK; n++) {
            inverter *iv;
            uint32_t dl = 0;
            pm_error err;
            assert_int_equal(inverter_open(&iv, words, true, NULL), PM_OK);
            mem_fail_at(n, false);
            st = inverter_add(iv, &a, 620000, &dl, &err); /* 960,000 before measured */
            mem_fail_at(0, false);
            if (st == PM_OK) assert_int_equal(dl, sizeof text / 2 + 1);
            if (st != PM_OK) assert_int_equal(st, PM_NOMEM);
            assert_int_equal(inverter_n_docs(iv), st == PM_OK);
            inverter_close(iv);
            if (n == 1) assert_int_equal(st, PM_NOMEM);
        }
    }
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_longest_list),
        IN_FOLDER(test_rooms),
        IN_FOLDER(test_exact_limit),
        IN_FOLDER(test_refused_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
