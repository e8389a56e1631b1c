/* SPDX-License-Identifier: MIT
 * test_beside.c - threads beside the one that indexes: the ring between them, and that the
 * bytes of an index are the same whatever they do (INV-5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/base/ring.h"
#include "common/base/thread.h"
#include "tests/support/crash_script.h"
#include "tests/support/folder.h"

/* ---- the ring ------------------------------------------------------------------------- */

enum { RING_ITEMS = 20000, RING_SLOTS = 7 };

typedef struct relay {
    ring *ring;
    unsigned values[RING_SLOTS], given;
} relay;

static void give_all(void *ctx)
{
    relay *r = ctx;
    unsigned slot;
    uint64_t random = 7;
    for (unsigned i = 0; i < RING_ITEMS && ring_room(r->ring, &slot); i++) {
        r->values[slot] = i;
        ring_give(r->ring, random_next(&random) % 50);
        r->given = i + 1;
    }
    ring_end(r->ring);
}

static void ring_keeps_order(void **state)
{
    (void)state;
    for (unsigned wake = 1; wake <= RING_SLOTS; wake += 3) {
        relay r = {.given = 0};
        thread *giver;
        unsigned slot, taken = 0;
        assert_int_equal(ring_open(&r.ring, RING_SLOTS, wake, 100, NULL), PM_OK);
        assert_int_equal(thread_start(&giver, give_all, &r, NULL), PM_OK);
        for (; ring_take(r.ring, &slot); taken++) {
            assert_int_equal(r.values[slot], taken);
            assert_true(ring_weight(r.ring) <= 100);
            ring_free(r.ring);
        }
        thread_join(giver);
        assert_int_equal(taken, RING_ITEMS);
        assert_int_equal(ring_weight(r.ring), 0);
        ring_close(r.ring);
    }
}

static void ring_stops(void **state)
{
    (void)state;
    relay r = {.given = 0};
    thread *giver;
    unsigned slot;
    assert_int_equal(ring_open(&r.ring, RING_SLOTS, 1, 100, NULL), PM_OK);
    assert_int_equal(thread_start(&giver, give_all, &r, NULL), PM_OK);
    assert_true(ring_take(r.ring, &slot));
    ring_stop(r.ring);
    thread_join(giver);
    assert_true(r.given < RING_ITEMS);
    ring_close(r.ring);
}

/* ---- the same bytes ------------------------------------------------------------------- */

enum { ARTICLES = 4000 };

static void put_word(buf *out, uint64_t *random)
{
    static const char *const odd[] = {"U.S.",
                                      "e.g.",
                                      "don\xe2\x80\x99t",
                                      "NATO",
                                      "r\xc3\xa9sum\xc3\xa9",
                                      "\xe4\xb8\xad\xe5\x9b\xbd",
                                      "x\\u0000y",
                                      "1,000.5",
                                      "\\u00bd",
                                      "TikTok\xe2\x80\x99s",
                                      "\\n",
                                      "\\\"so-called\\\""};
    char word[40];
    uint64_t n = random_next(random);
    if (n % 16 == 0) {
        buf_append_str(out, odd[n / 16 % (sizeof odd / sizeof *odd)]);
    } else {
        unsigned rare = n % 3 ? 300 : 60000;
        snprintf(word, sizeof word, "%cord%llx%s", n % 5 ? 'w' : 'W',
                 (unsigned long long)(n / 64 % rare), n % 7 ? "" : "ings");
        buf_append_str(out, word);
    }
    buf_u8(out, ' ');
}

/* JSON Lines of a few MiB: words rare and odd, ids met again, lines that are none. */
static void make_lines(buf *out)
{
    uint64_t random = 11;
    char text[64];
    for (unsigned i = 0; i < ARTICLES; i++) {
        snprintf(text, sizeof text, "{\"id\":\"%u\",\"title\":\"", i % 50 ? i : i / 2);
        buf_append_str(out, text);
        for (uint64_t n = random_next(&random) % 8; n; n--) put_word(out, &random);
        buf_append_str(out, "\",\"text\":\"");
        for (uint64_t n = random_next(&random) % 300; n; n--) put_word(out, &random);
        buf_append_str(out, "\"}\n");
        if (i % 500 == 3) buf_append_str(out, "{\"id\":\"no line\n\n");
    }
}

static void build(const char *folder, const char *lines, unsigned threads, folder_image *image)
{
    pm_error err = {.status = PM_OK};
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    pm_ingest_options ingest = PM_INGEST_OPTIONS_INIT;
    pm_ingest_summary sum;
    pm_writer *writer;
    options.threads = threads;
    options.memory_bytes = 16u << 20;
    options.commit_level = 2;
    options.store_block_bytes = 4096;
    ingest.commit_every = 1500;
    folder_empty(folder);
    assert_int_equal(pm_writer_open(folder, &options, &writer, &err), PM_OK);
    pm_status st = pm_ingest(writer, &lines, 1, &ingest, &sum, &err);
    if (st != PM_PARTIAL) fail_msg("%s", err.message);
    assert_int_equal(sum.added + sum.updated + sum.duplicates, ARTICLES);
    assert_int_equal(sum.skipped, ARTICLES / 500);
    assert_int_equal(pm_writer_commit(writer, NULL, &err), PM_OK);
    pm_writer_close(writer);
    folder_load(folder, image);
}

static void same_bytes(void **state)
{
    char input[FOLDER_PATH], folder[FOLDER_PATH], lines[FOLDER_PATH + 16];
    folder_image one = {.n = 0};
    buf text = {0};
    (void)state;
    setenv("PRESSMARK_SEED", "3", 1);
    make_lines(&text);
    assert_true(!text.failed && text.len > (1u << 20) + 4096);
    folder_make(input);
    folder_make(folder);
    folder_write(input, "a.jsonl", text.data, text.len);
    snprintf(lines, sizeof lines, "%s/a.jsonl", input);
    build(folder, lines, 1, &one);
    assert_true(one.n > 4);
    for (unsigned round = 0; round < (script_slow() ? 1 : 4); round++) {
        folder_image other = {.n = 0};
        build(folder, lines, 3 - round % 2, &other);
        assert_int_equal(other.n, one.n);
        for (size_t i = 0; i < one.n; i++) {
            assert_string_equal(other.files[i].name, one.files[i].name);
            assert_int_equal(other.files[i].len, one.files[i].len);
            if (memcmp(other.files[i].data, one.files[i].data, one.files[i].len) != 0)
                fail_msg("%s differs", one.files[i].name);
        }
        folder_image_free(&other);
    }
    folder_image_free(&one);
    folder_remove(folder);
    folder_remove(input);
    buf_free(&text);
    unsetenv("PRESSMARK_SEED");
}

static bool stop_soon(void *ctx, const pm_ingest_event *event)
{
    unsigned *left = ctx;
    (void)event;
    return --*left > 0;
}

/* A caller who says stop, at several places; then the writer is still good. */
static void stopping(void **state)
{
    char input[FOLDER_PATH], folder[FOLDER_PATH], lines[FOLDER_PATH + 16];
    const char *path = lines;
    buf text = {0};
    (void)state;
    make_lines(&text);
    folder_make(input);
    folder_make(folder);
    folder_write(input, "a.jsonl", text.data, text.len);
    snprintf(lines, sizeof lines, "%s/a.jsonl", input);
    for (unsigned at = 1; at < 2000; at = at * 5 + 1) {
        pm_writer *writer;
        unsigned left = at;
        pm_writer_options options = PM_WRITER_OPTIONS_INIT;
        pm_ingest_options ingest = PM_INGEST_OPTIONS_INIT;
        pm_ingest_summary sum;
        pm_commit_info info;
        options.threads = 2;
        options.commit_level = 2;
        ingest.event = stop_soon;
        ingest.ctx = &left;
        folder_empty(folder);
        assert_int_equal(pm_writer_open(folder, &options, &writer, NULL), PM_OK);
        assert_int_equal(pm_ingest(writer, &path, 1, &ingest, &sum, NULL), PM_PARTIAL);
        assert_int_equal(sum.added + sum.skipped + sum.duplicates, at);
        assert_int_equal(pm_writer_commit(writer, &info, NULL), PM_OK);
        assert_int_equal(info.added, sum.added);
        pm_writer_close(writer);
    }
    folder_remove(folder);
    folder_remove(input);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_keeps_order),
        cmocka_unit_test(ring_stops),
        cmocka_unit_test(same_bytes),
        cmocka_unit_test(stopping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
