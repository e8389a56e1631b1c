/* SPDX-License-Identifier: MIT
 *
 * test_analyzer.c - the analyzer's interface: forms, spans, limits, refused memory.  What
 * words become is tests/tables/analyzer.txt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/text/fold.h"

#include <stdio.h>
#include <stdlib.h>

static analyzer *open_lang(const char *lang)
{
    analyzer *a;
    assert_int_equal(analyzer_open(&a, lang, NULL), PM_OK);
    return a;
}

/* All tokens of a text, spans and all, one after the other. */
static char *describe(analyzer *a, const char *text, size_t len, bool query)
{
    buf out = {0};
    token t;
    uint32_t n = 0;
    analyzer_begin(a, text, len, query);
    while (analyzer_next(a, &t)) {
        char line[1200];
        assert_int_equal(t.position, n++);
        assert_true(t.start < t.end && t.end <= len);
        snprintf(line, sizeof line, "%.*s/%.*s/%.*s%s%.*s[%u,%u) ", t.form->exact_len,
                 t.form->exact, t.form->folded_len, t.form->folded, t.form->stem_len, t.form->stem,
                 t.marked ? "|" : "", t.marked ? t.form->marker_len : 0, t.form->marker, t.start,
                 t.end);
        buf_append_str(&out, line);
    }
    buf_u8(&out, 0);
    assert_false(out.failed);
    return (char *)out.data;
}

static void expect(analyzer *a, const char *text, const char *want)
{
    char *got = describe(a, text, strlen(text), false);
    assert_string_equal(got, want);
    mem_free(got);
}

static void test_spans_and_forms(void **state)
{
    (void)state;
    analyzer *a = open_lang("en");
    expect(a, "China’s  leaders’ talks",
           "China/china/china[0,9) leaders/leaders/leader[11,18) "
           "talks/talks/talk[22,27) ");
    expect(a, "(U.S.)-US's us", "US/us/us|US[1,5) US/us/us|US[7,11) us/us/us[12,14) ");
    expect(a, "e.g. eg", "eg/eg/eg|EG[0,4) eg/eg/eg[5,7) ");
    expect(a, "日本語 中", "日本/日本/日本[0,6) 本語/本語/本語[3,9) 中/中/中[10,13) ");
    expect(a, "re\xcc\x81sume\xcc\x81!", "résumé/resume/resum[0,10) ");
    expect(a, "co\xc2\xadop\xc2\xad x", "coop/coop/coop[0,6) x/x/x[9,10) ");
    expect(a, "2½ 1,000.5", "21/21/21[0,3) 2/2/2[0,3) 1,000.5/1,000.5/1,000.5[4,11) ");
    expect(a, "Ørsted ﬁn", "Ørsted/orsted/orst[0,7) ﬁn/fin/fin[8,12) ");
    analyzer_close(a);
}

static void test_form_table(void **state)
{
    (void)state;
    analyzer *a = open_lang("english");
    expect(a, "China China’s China\xc2\xad eg e.g. US U.S. china",
           "China/china/china[0,5) China/china/china[6,15) China/china/china[16,21) "
           "eg/eg/eg[24,26) eg/eg/eg|EG[27,31) US/us/us|US[32,34) US/us/us|US[35,39) "
           "china/china/china[40,45) ");
    /* China, eg, e.g., US, china: spellings of one form share it. */
    assert_int_equal(analyzer_form_count(a), 5);
    for (uint32_t i = 0; i < 5; i++) assert_int_equal(analyzer_form_at(a, i)->id, i);
    const form *us = analyzer_form(a, "U.S.", 4);
    assert_ptr_equal(us, analyzer_form(a, "US", 2));
    assert_int_equal(us->id, 3);
    assert_int_equal(us->marker_len, 2);
    assert_int_equal(analyzer_form_at(a, 1)->marker_len, 0);
    assert_null(analyzer_form(a, "two words", 9));
    assert_null(analyzer_form(a, "...", 3));
    assert_null(analyzer_form(a, "", 0));
    assert_string_equal(analyzer_form(a, "tiktok", 6)->stem, "tiktok");
    assert_int_equal(analyzer_form_count(a), 8); /* and tiktok, two, words */
    analyzer_close(a);
}

static void test_form_leaves_text_alone(void **state)
{
    (void)state;
    analyzer *a = open_lang("en");
    token t;
    char large[2000];
    memset(large, 'x', sizeof large);
    analyzer_begin(a, "½ US\xff said", 12, false);
    assert_true(analyzer_next(a, &t)); /* the second part of the fraction is pending */
    assert_non_null(analyzer_form(a, "other", 5));
    assert_null(analyzer_form(a, large, sizeof large));
    assert_null(analyzer_form(a, "\xff ¾", 4));
    assert_true(analyzer_next(a, &t));
    assert_int_equal(t.form->exact[0], '2');
    assert_true(analyzer_next(a, &t));
    assert_true(t.marked);
    assert_true(analyzer_next(a, &t));
    assert_int_equal(t.position, 3);
    assert_false(analyzer_next(a, &t));
    assert_int_equal(analyzer_repaired(a), 1);
    analyzer_close(a);
}

static void test_reset(void **state)
{
    (void)state;
    analyzer *a = open_lang("en");
    expect(a, "one two", "one/one/one[0,3) two/two/two[4,7) ");
    analyzer_reset_forms(a);
    assert_int_equal(analyzer_form_count(a), 0);
    expect(a, "two three", "two/two/two[0,3) three/three/three[4,9) ");
    assert_int_equal(analyzer_form_count(a), 2);
    assert_string_equal(analyzer_form_at(a, 0)->stem, "two");
    analyzer_close(a);
}

/* Many words: growth keeps every form, ids stay dense, memory is counted. */
static void test_growth(void **state)
{
    (void)state;
    enum { N = 20000 };
    analyzer *a = open_lang("none");
    size_t before = analyzer_memory(a);
    const form **forms = calloc(N, sizeof *forms);
    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < N; i++) {
            char word[64];
            int n = snprintf(word, sizeof word, i % 3 ? "w%u" : "averyverylongwordnumber%u", i);
            const form *f = analyzer_form(a, word, (size_t)n);
            assert_non_null(f);
            if (!round) forms[i] = f;
            assert_ptr_equal(f, forms[i]);
            assert_int_equal(f->id, i);
            assert_string_equal(f->exact, word);
        }
    assert_true(analyzer_memory(a) > before + N * sizeof(form));
    free(forms);
    analyzer_close(a);
}

static void check_bounds(const form *f)
{
    assert_in_range(f->exact_len, 1, TERM_MAX_BYTES);
    assert_in_range(f->folded_len, 1, TERM_MAX_BYTES);
    assert_in_range(f->stem_len, 1, TERM_MAX_BYTES);
    assert_true(f->marker_len <= TERM_MAX_BYTES);
    assert_int_equal(utf8_valid_prefix(f->exact, f->exact_len), f->exact_len);
    assert_int_equal(utf8_valid_prefix(f->folded, f->folded_len), f->folded_len);
    assert_int_equal(utf8_valid_prefix(f->stem, f->stem_len), f->stem_len);
    assert_int_equal(utf8_valid_prefix(f->marker, f->marker_len), f->marker_len);
}

/* `unit` times n, but for the last `tail` bytes, is one token, cut to `want` bytes of folded
 * text. */
static void check_long_but(const char *unit, size_t n, size_t want, bool cut, size_t tail)
{
    analyzer *a = open_lang("none");
    token t;
    buf text = {0};
    buf_append_str(&text, "x ");
    for (size_t i = 0; i < n; i++) buf_append_str(&text, unit);
    size_t end = text.len - tail;
    buf_append_str(&text, " y");
    for (int round = 1; round <= 2; round++) {
        analyzer_begin(a, (char *)text.data, text.len, false);
        assert_true(analyzer_next(a, &t));
        assert_true(analyzer_next(a, &t));
        check_bounds(t.form);
        assert_int_equal(t.form->folded_len, want);
        assert_int_equal(t.start, 2);
        assert_int_equal(t.end, end);
        assert_true(analyzer_next(a, &t));
        assert_string_equal(t.form->exact, "y");
        assert_false(analyzer_next(a, &t));
        assert_int_equal(analyzer_cut_words(a), cut ? round : 0);
    }
    assert_int_equal(analyzer_form_count(a), 3);
    buf_free(&text);
    analyzer_close(a);
}

static void check_long(const char *unit, size_t n, size_t want, bool cut)
{
    check_long_but(unit, n, want, cut, 0);
}

static void test_long_words(void **state)
{
    (void)state;
    check_long("a", 255, 255, false);
    check_long("a", 256, 255, true);
    check_long("a", 300, 255, true);
    check_long("a", 5000, 255, true);
    check_long("ж", 127, 254, false);
    check_long("ж", 128, 254, true);
    check_long("한", 86, 255, true);
    check_long("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 85, 255, false); /* as jamo          */
    check_long("e\xcc\x81", 127, 127, false);
    check_long("e\xcc\x81", 400, 127, true);
    check_long("Ⱥ", 100, 255, true); /* folds to three bytes */
    check_long_but("a\xc2\xad", 255, 255, false, 2);
    check_long_but("a\xe2\x80\x8d", 600, 255, true, 3);
    check_long_but("a'", 255, 255, false, 1);
    check_long("A.", 255, 255, false);
    check_long("A.", 700, 255, true);
}

static void test_long_marks(void **state)
{
    (void)state;
    analyzer *a = open_lang("en");
    token t;
    buf text = {0};
    buf_append_str(&text, "a");
    for (int i = 0; i < 3000; i++) buf_append_str(&text, "\xcc\x81");
    analyzer_begin(a, (char *)text.data, text.len, false);
    assert_true(analyzer_next(a, &t));
    check_bounds(t.form);
    assert_string_equal(t.form->folded, "a");
    assert_false(analyzer_next(a, &t));
    assert_int_equal(analyzer_cut_words(a), 1);
    buf_free(&text);
    analyzer_close(a);
}

/* Work is linear: these would take minutes if any look-ahead were repeated. */
static void test_hostile_lengths(void **state)
{
    (void)state;
    static const char *const units[] = {"a\xe2\x80\x8d",
                                        "\xe2\x80\x8d",
                                        "'",
                                        "a'",
                                        "a.",
                                        "1.",
                                        "US ",
                                        "½",
                                        "中\xcc\x81",
                                        "\xcc\x81",
                                        "A.\xe2\x80\x8d'",
                                        "\xf0\x9f",
                                        "a\xe2\x80\x99"};
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        analyzer *a = open_lang("en");
        token t;
        buf text = {0};
        while (text.len < 2000000) buf_append_str(&text, units[u]);
        analyzer_begin(a, (char *)text.data, text.len, false);
        while (analyzer_next(a, &t)) {
        }
        assert_false(analyzer_failed(a));
        assert_true(analyzer_memory(a) < 1000000);
        buf_free(&text);
        analyzer_close(a);
    }
}

static void test_counters(void **state)
{
    (void)state;
    analyzer *a = open_lang("en");
    expect(a, "caf\xe9 \xf0\x9f\x98 x\xff\xff", "caf/caf/caf[0,3) x/x/x[9,10) ");
    assert_int_equal(analyzer_repaired(a), 4);
    expect(a, "real \xef\xbf\xbd is none",
           "real/real/real[0,4) is/is/is[9,11) none/none/none[12,16) ");
    expect(a, "US\xff said", "US/us/us|US[0,2) said/said/said[4,8) "); /* the line is read twice */
    assert_int_equal(analyzer_repaired(a), 5);
    analyzer_close(a);
}

static void test_profile(void **state)
{
    (void)state;
    pm_error err;
    analyzer *a;
    assert_int_equal(analyzer_open(&a, "klingon", &err), PM_USAGE);
    assert_null(a);
    assert_non_null(strstr(err.message, "turkish"));
    assert_int_equal(analyzer_open(&a, "", &err), PM_USAGE);
    assert_int_equal(analyzer_open(&a, "EN", &err), PM_USAGE);
    static const char *const pairs[][2] = {{"en", "english"},    {"deu", "german"},
                                           {"nb", "norwegian"},  {"none", "none"},
                                           {"porter", "porter"}, {"tr", "turkish"}};
    char last[96] = "";
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        a = open_lang(pairs[i][0]);
        analyzer *b = open_lang(pairs[i][1]);
        assert_string_equal(analyzer_lang(a), pairs[i][1]);
        assert_string_equal(analyzer_profile(a), analyzer_profile(b));
        assert_string_not_equal(analyzer_profile(a), last);
        assert_int_equal(strncmp(analyzer_profile(a), "pressmark-1 nfkc-cf unicode-", 28), 0);
        assert_non_null(strstr(analyzer_profile(a), pairs[i][1]));
        snprintf(last, sizeof last, "%s", analyzer_profile(a));
        analyzer_close(a);
        analyzer_close(b);
    }
}

/* Folding what is folded changes nothing, for every character; nor does it depend on how
 * the character is composed. */
static void test_fold_idempotent(void **state)
{
    (void)state;
    for (uint32_t cp = 0x21; cp < 0x110000; cp++) {
        if (cp >= 0xd800 && cp < 0xe000) continue;
        char text[4], exact[TERM_MAX_BYTES], once[TERM_MAX_BYTES], twice[TERM_MAX_BYTES];
        bool cut = false;
        static fold_word word;
        word.cp[0] = cp;
        word.n = 1;
        size_t n = utf8_put(text, cp), e = fold_exact(&word, exact, &cut);
        size_t m = fold_text(text, n, once, &cut), again = fold_text(once, m, twice, &cut);
        assert_int_equal(m, again);
        assert_memory_equal(once, twice, m);
        again = fold_text(exact, e, twice, &cut);
        if (m != again || memcmp(once, twice, m) != 0) fail_msg("U+%04X folds two ways", cp);
        assert_false(cut);
    }
}

/* Any bytes: bounds hold, positions count up, forms of the same text are the same. */
static void test_random_texts(void **state)
{
    (void)state;
    static const char *const bits[] = {
        "a",  "B",  "'", "’",    ".",        ",", "1", "½", "\n", " ",  "\xe2\x80\x8d",
        "日", "ท",  "ี่",  "\xff", "\xe2\x80", "ﷺ", "é", "s", "S",  "한", "e\xcc\x81",
        "-",  "US", "Ω", "ß",    "\xc2\xad"};
    uint64_t seed = 31337;
    print_message("seed %llu\n", (unsigned long long)seed);
    analyzer *kept = open_lang("en");
    for (int round = 0; round < 20000; round++) {
        buf text = {0};
        for (uint64_t n = random_next(&seed) % 30; n > 0; n--)
            buf_append_str(&text, bits[random_next(&seed) % (sizeof bits / sizeof *bits)]);
        const char *data = text.data ? (const char *)text.data : "";
        char *exact_copy = malloc(text.len + !text.len); /* so that overruns are seen */
        memcpy(exact_copy, data, text.len);
        analyzer *fresh = round % 50 ? NULL : open_lang("en");
        bool query = round & 1;
        char *one = describe(kept, exact_copy, text.len, query);
        char *two = describe(fresh ? fresh : kept, exact_copy, text.len, query);
        assert_string_equal(one, two);
        mem_free(one);
        mem_free(two);
        free(exact_copy);
        analyzer_close(fresh);
        buf_free(&text);
    }
    for (uint32_t i = 0; i < analyzer_form_count(kept); i++)
        check_bounds(analyzer_form_at(kept, i));
    analyzer_close(kept);
}

/* Every spelling of a form analyses to that very form again (as a plain word). */
static void test_exact_is_stable(void **state)
{
    (void)state;
    analyzer *a = open_lang("en");
    const char *text = "China’s U.S. Ångström l'homme 1,000.5 ﬁnance ŉ İX ẞ ½ Ἀθῆναι ᾳ ﷺ e\xcc\x81";
    mem_free(describe(a, text, strlen(text), false));
    uint32_t n = analyzer_form_count(a);
    for (uint32_t i = 0; i < n; i++) {
        const form *f = analyzer_form_at(a, i);
        assert_ptr_equal(analyzer_form(a, f->exact, f->exact_len), f);
    }
    assert_int_equal(analyzer_form_count(a), n);
    analyzer_close(a);
}

static const char *const refusal_text =
    "China’s U.S. ½ 日本語 averyverylongwordindeed’s résumé US e.g.";

/* Open, analyse and close, with the n-th allocation refused; false once none was. */
static bool run_refused(uint64_t n, bool sticky)
{
    pm_analyzer *a = NULL;
    pm_text terms;
    char text[4096];
    size_t len = (size_t)snprintf(text, sizeof text, "%s", refusal_text);
    for (int i = 0; i < 700 && len < sizeof text - 8; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, " w%d", i);
    mem_fail_at(n, sticky);
    pm_status opened = pm_analyzer_open("en", &a, NULL), st = opened;
    if (!opened) st = pm_analyzer_terms(a, text, len, &terms, NULL);
    bool reached = mem_count() >= n;
    mem_fail_at(0, false);
    assert_int_equal(st, reached ? PM_NOMEM : PM_OK);
    if (opened) {
        assert_null(a);
    } else {
        assert_int_equal(pm_analyzer_terms(a, text, len, &terms, NULL), PM_OK); /* recovers */
        assert_int_equal(
            strncmp(terms.data,
                    "china us|US 1 2 日本 本語 averyverylongwordinde resum us|US eg|EG w0", 60),
            0);
    }
    pm_analyzer_close(a);
    return reached;
}

static void test_refused_memory(void **state)
{
    (void)state;
    for (int sticky = 0; sticky < 2; sticky++) {
        uint64_t n = 1;
        while (run_refused(n, sticky)) n++;
        assert_true(n > 8); /* both objects, table, work, ids, arena, growth, line */
    }
}

static void test_api(void **state)
{
    (void)state;
    pm_analyzer *a;
    pm_text out;
    assert_int_equal(pm_analyzer_open(NULL, &a, NULL), PM_OK);
    assert_int_equal(pm_analyzer_terms(a, "", 0, &out, NULL), PM_OK);
    assert_int_equal(out.len, 0);
    assert_string_equal(out.data, "");
    assert_int_equal(pm_analyzer_terms(a, NULL, 0, &out, NULL), PM_OK);
    assert_int_equal(out.len, 0);
    assert_int_equal(pm_analyzer_terms(a, "the U.S. said", 13, &out, NULL), PM_OK);
    assert_string_equal(out.data, "the us|US said");
    assert_int_equal(out.len, 14);
    pm_analyzer_close(a);
    pm_analyzer_close(NULL);
    assert_int_equal(pm_analyzer_open("xx", &a, NULL), PM_USAGE);
    assert_null(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_and_forms),
        cmocka_unit_test(test_form_table),
        cmocka_unit_test(test_form_leaves_text_alone),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_long_marks),
        cmocka_unit_test(test_hostile_lengths),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_profile),
        cmocka_unit_test(test_fold_idempotent),
        cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_exact_is_stable),
        cmocka_unit_test(test_refused_memory),
        cmocka_unit_test(test_api),
    };
    return cmocka_run_group_tests_name("unit/analyzer", tests, NULL, NULL);
}
