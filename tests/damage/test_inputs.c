/* SPDX-License-Identifier: MIT
 * test_inputs.c - inputs of every format, damaged at random; PM_TEST_SEED=N repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/text/analyzer.h"
#include "tests/support/ingest_fixture.h"

static ingest_fixture f;

/* Damaged inputs of every format: an article or a skip, valid UTF-8, a title span inside the
 * text, never more. */
static void damaged_inputs_are_defined(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        "---\ntitle: 'T'\ntags: [a, b]\n---\n# Head\n\n![x](y) Text of it. More\xe2\x80\x99s.\n",
        "date 2025-09-19 (Photo by A B/C)\n\nPolitics\nThe Storm Closes All Ports\n\nText "
        "caf\xe9.\n",
        "{\"id\":\"x\",\"tags\":[\"a\",{\"name\":1.5}],\"k\":{\"d\":[1]},\"text\":\"\\ud83d\\ude00 "
        "b\"}\n{\"a\":1}\n",
        "\xff\xfe{\0\"\0\x3d\xd8\x00\xde"};
    static const char *const names[] = {"a.md", "a.txt", "a.jsonl", "a.bin"};
    const char *given = getenv("PM_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 99, random = seed;
    print_message("PM_TEST_SEED=%llu\n", (unsigned long long)seed);
    fixture_open(&f);
    f.options.event = NULL;
    for (unsigned round = 0; round < 2000; round++) {
        char text[256];
        size_t which = round % 4, len = which == 3 ? 10 : strlen(seeds[which]);
        memcpy(text, seeds[which], len);
        for (uint64_t n = random_next(&random) % 4; n > 0; n--)
            text[random_next(&random) % len] = (char)random_next(&random);
        len -= random_next(&random) % 8 ? 0 : random_next(&random) % len;
        fixture_write(&f, names[which], text, len);
        pm_status st = fixture_run(&f, fixture_path(&f, names[which]));
        assert_true(st == PM_OK || st == PM_PARTIAL);
        for (size_t i = 0; i < f.sink.n; i++) {
            const pm_article *a = &f.sink.items[i].article;
            assert_int_equal(utf8_valid_prefix(a->text.data, a->text.len), a->text.len);
            assert_int_equal(utf8_valid_prefix(a->title.data, a->title.len), a->title.len);
            assert_true(!a->title_in_body ||
                        (a->title_start < a->title_end && a->title_end <= a->text.len));
            assert_true(a->id.len >= 1 && a->id.len <= DOCUMENT_ID_MAX);
        }
        memory_sink_free(&f.sink);
    }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_inputs_are_defined)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
