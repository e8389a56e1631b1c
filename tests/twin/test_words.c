/* SPDX-License-Identifier: MIT
 *
 * test_words.c - words and tokens many at a time against one at a time: texts of pieces that the
 * fast path knows and of all that it must leave to the rules, which end at a guard page.  And words
 * of ASCII against themselves taken apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/text/analyzer.h"
#include "common/text/tokenizer.h"
#include "tests/support/guard.h"
#include "tests/support/twin.h"

enum { TEXT_MAX = 400, WORDS_MAX = TEXT_MAX, ROUNDS = 20000 };

/* Letters, digits and separators first: the further on, the rarer. */
static const char *const pieces[] = {
    "a",
    "t",
    "Z",
    " ",
    "e",
    "s",
    "7",
    "of ",
    "the ",
    "word",
    "\n",
    ". ",
    ", ",
    "-",
    "_",
    "0",
    ".",
    ",",
    "'",
    "\xe2\x80\x99",
    "US",
    "U.S.",
    "e.g. ",
    "3.14",
    "1,000",
    "don't",
    "China's ",
    "\xc3\xa9",
    "\xc3\xa9t\xc3\xa9",
    "\xcc\x81",
    "\xe4\xb8\xad\xe5\x9b\xbd",
    "\xc2\xbd",
    "\xc2\xad",
    "\xff",
    "\xe2\x80",
    "\x01",
    "\xf0\x9f\x98\x80",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "                                                                   ",
};
enum { PIECES = sizeof pieces / sizeof *pieces };

static size_t make_text(uint64_t *seed, char *out)
{
    size_t n = 0, most = pick(seed, TEXT_MAX - 80);
    unsigned kinds = 1 + pick(seed, PIECES);
    while (n < most) {
        const char *piece = pieces[pick_below(seed, kinds, 6)];
        size_t len = strlen(piece);
        memcpy(out + n, piece, len);
        n += len;
    }
    return n;
}

static void assert_words(const word_span *want, size_t n, tokenizer *t, uint64_t *seed)
{
    word_span got[WORDS_MAX];
    size_t found = 0;
    while (found < n) {
        size_t most = 1 + pick(seed, 20), made = tokenizer_fill(t, got, most);
        size_t left = n - found;
        assert_int_equal(made, left < most ? left : most);
        for (size_t i = 0; i < made; i++, found++) {
            assert_int_equal(got[i].start, want[found].start);
            assert_int_equal(got[i].end, want[found].end);
            assert_int_equal(got[i].dotted, want[found].dotted);
        }
        if (found < n && !pick(seed, 4)) {
            assert_true(tokenizer_next(t, &got[0]));
            assert_int_equal(got[0].start, want[found].start);
            assert_int_equal(got[0].end, want[found++].end);
        }
    }
    assert_int_equal(tokenizer_fill(t, got, 3), 0);
}

static void words_are_the_same(void **state)
{
    guard g = guard_open(TEXT_MAX);
    uint64_t seed = 11;
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        char text[TEXT_MAX];
        word_span words[WORDS_MAX];
        size_t len = make_text(&seed, text), n = 0;
        char *end = guard_last(&g, len);
        memcpy(end, text, len);
        tokenizer one = {0}, many = {0};
        tokenizer_begin(&one, end, len);
        while (tokenizer_next(&one, &words[n])) n++;
        tokenizer_begin(&many, end, len);
        assert_words(words, n, &many, &seed);
        assert_int_equal(one.repaired, many.repaired);
    }
    guard_close(&g);
}

static void assert_same_token(const token *a, const token *b)
{
    assert_int_equal(a->form_id, b->form_id);
    assert_int_equal(a->form_id, a->form->id);
    assert_int_equal(b->form_id, b->form->id);
    assert_int_equal(a->marked, b->marked);
    assert_int_equal(a->position, b->position);
    assert_int_equal(a->start, b->start);
    assert_int_equal(a->end, b->end);
}

static void assert_tokens(analyzer *one, analyzer *many, uint64_t *seed)
{
    token t, got[40];
    size_t at = 0, made = 0;
    while (analyzer_next(one, &t)) {
        if (at == made) {
            made = analyzer_fill(many, got, 1 + pick(seed, 40));
            at = 0;
            assert_true(made > 0);
        }
        assert_same_token(&t, &got[at++]);
    }
    assert_int_equal(at, made);
    assert_int_equal(analyzer_fill(many, got, 1), 0);
}

/* Ids alone, with a token with its span now and then in between. */
static void assert_ids(analyzer *one, analyzer *many, uint64_t *seed)
{
    token t, other;
    uint32_t got[40];
    size_t at = 0, made = 0;
    while (analyzer_next(one, &t)) {
        if (at == made && !pick(seed, 5)) {
            assert_true(analyzer_next(many, &other));
            assert_same_token(&t, &other);
            continue;
        }
        if (at == made) {
            made = analyzer_fill_ids(many, got, 1 + pick(seed, 40));
            at = 0;
            assert_true(made > 0);
        }
        assert_int_equal(got[at++], t.form_id | (t.marked ? ANALYZER_MARKED : 0));
    }
    assert_int_equal(at, made);
    assert_int_equal(analyzer_fill_ids(many, got, 1), 0);
}

static void tokens_are_the_same(void **state)
{
    analyzer *one = NULL, *many = NULL;
    pm_error err = {.status = PM_OK};
    uint64_t seed = 12;
    (void)state;
    assert_int_equal(analyzer_open(&one, "english", &err), PM_OK);
    assert_int_equal(analyzer_open(&many, "english", &err), PM_OK);
    for (unsigned round = 0; round < ROUNDS; round++) {
        char text[TEXT_MAX];
        size_t len = make_text(&seed, text);
        bool query = !pick(&seed, 8);
        analyzer_begin(one, text, len, query);
        analyzer_begin(many, text, len, query);
        if (round % 2)
            assert_tokens(one, many, &seed);
        else
            assert_ids(one, many, &seed);
    }
    assert_int_equal(analyzer_form_count(one), analyzer_form_count(many));
    assert_int_equal(analyzer_cut_words(one), analyzer_cut_words(many));
    assert_int_equal(analyzer_repaired(one), analyzer_repaired(many));
    analyzer_close(one);
    analyzer_close(many);
}

/* A word of ASCII, and the same with a soft hyphen inside, which is not seen but sends the word
 * through all rules: one form. */
static void plain_forms_are_the_same(void **state)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    analyzer *one = NULL, *other = NULL;
    pm_error err = {.status = PM_OK};
    uint64_t seed = 13;
    (void)state;
    assert_int_equal(analyzer_open(&one, "english", &err), PM_OK);
    assert_int_equal(analyzer_open(&other, "english", &err), PM_OK);
    for (unsigned round = 0; round < ROUNDS; round++) {
        char word[TEXT_MAX], spread[TEXT_MAX + 2];
        size_t len = 2 + pick_below(&seed, 320, 4);
        unsigned first = pick(&seed, 3) * 26, kinds = 1 + pick(&seed, 36 - (first ? 10 : 0));
        for (size_t i = 0; i < len; i++) word[i] = letters[(first + pick(&seed, kinds)) % 62];
        size_t at = 1 + pick(&seed, (unsigned)len - 1);
        memcpy(spread, word, at);
        memcpy(spread + at, "\xc2\xad", 2);
        memcpy(spread + at + 2, word + at, len - at);
        token a, b;
        analyzer_begin(one, word, len, true);
        analyzer_begin(other, spread, len + 2, true);
        assert_true(analyzer_next(one, &a) && analyzer_next(other, &b));
        assert_false(analyzer_next(one, &a) || analyzer_next(other, &b));
        assert_int_equal(a.marked, b.marked);
        assert_int_equal(a.form->exact_len, b.form->exact_len);
        assert_string_equal(a.form->exact, b.form->exact);
        assert_string_equal(a.form->folded, b.form->folded);
        assert_string_equal(a.form->stem, b.form->stem);
        assert_int_equal(a.form->marker_len, b.form->marker_len);
        assert_string_equal(a.form->marker, b.form->marker);
    }
    assert_int_equal(analyzer_cut_words(one), analyzer_cut_words(other));
    analyzer_close(one);
    analyzer_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_the_same),
        cmocka_unit_test(tokens_are_the_same),
        cmocka_unit_test(plain_forms_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
