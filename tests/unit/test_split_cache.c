/* SPDX-License-Identifier: MIT
 * test_split_cache.c - what is kept is found again while the table grows, also where memory is
 * refused to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "searcher/split_cache.h"

enum { WORDS = 5000 };

static bool add_word(split_cache *c, uint32_t i)
{
    char word[16];
    uint32_t doc = i;
    split_list list = {&doc, 1};
    split_entry entry = {.word = word, .n_docs = 1, .lists = &list};
    entry.word_len = (size_t)snprintf(word, sizeof word, "word%u", i);
    return split_cache_add(c, &entry, 1);
}

static const split_entry *find_word(split_cache *c, uint32_t i)
{
    char word[16];
    return split_cache_find(c, word, (size_t)snprintf(word, sizeof word, "word%u", i));
}

static void test_growing(void **state)
{
    (void)state;
    static split_cache c;
    split_cache_init(&c);
    assert_null(find_word(&c, 0));
    for (uint32_t i = 0; i < WORDS; i++) assert_true(add_word(&c, i));
    assert_true(c.n_slots >= WORDS);
    for (uint32_t i = 0; i < WORDS; i++) {
        const split_entry *e = find_word(&c, i);
        assert_non_null(e);
        assert_int_equal(e->lists[0].docs[0], i);
    }
    assert_null(find_word(&c, WORDS));
    split_cache_free(&c);
}

/* Each allocation refused: a word is kept, or the caller hears that it is not. */
static void test_refused(void **state)
{
    (void)state;
    unsigned refused = 0;
    for (uint64_t n = 1;; n++) {
        split_cache c = {0};
        bool kept[130], all = true;
        split_cache_init(&c);
        mem_fail_at(n, false);
        for (uint32_t i = 0; i < 130; i++) {
            kept[i] = add_word(&c, i);
            all = all && kept[i];
        }
        mem_fail_at(0, false);
        for (uint32_t i = 0; i < 130; i++) assert_int_equal(find_word(&c, i) != NULL, kept[i]);
        split_cache_free(&c);
        if (n > 140) break;
        refused += !all;
    }
    /* The table's first memory, and an entry's; without more slots chains grow. */
    assert_int_equal(refused, 131);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growing),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
