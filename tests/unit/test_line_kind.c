/* SPDX-License-Identifier: MIT
 * test_line_kind.c - white space, words, sentences, and what a line is; of copies whose ends
 * sanitizers see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "indexer/line_kind.h"

#define NBSP          "\xc2\xa0"
#define OPEN          "\xe2\x80\x9c"
#define CLOSE         "\xe2\x80\x9d"
#define CURLY         "\xe2\x80\x99"
#define WIDE_STOP     "\xe3\x80\x82"
#define WIDE_CRY      "\xef\xbc\x81"
#define WIDE_ASK      "\xef\xbc\x9f"
#define EACH(i, rows) (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++)

static char *copy_of(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

static void spaces(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        assert_int_equal(line_space_at(&byte, 1, 0), c == ' ' || (c >= '\t' && c <= '\r'));
    }
    char *copy = copy_of("\xc2\xa0\xc2");
    assert_int_equal(line_space_at(copy, 3, 0), 2);
    assert_int_equal(line_space_at(copy, 3, 1), 0);
    assert_int_equal(line_space_at(copy, 3, 2), 0);
    assert_int_equal(line_space_at(copy, 3, 3), 0);
    assert_int_equal(line_space_at(copy, 3, 4), 0);
    free(copy);
}

static void trimming(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t start, end;
    } rows[] = {
        {"", 0, 0},
        {" ", 1, 1},
        {NBSP, 2, 2},
        {" a ", 1, 2},
        {"a", 0, 1},
        {"a b", 0, 3},
        {"\t\r\na\v\f", 3, 4},
        {NBSP "a" NBSP, 2, 3},
        {NBSP " " NBSP, 5, 5},
        {"a " NBSP " ", 0, 1},
        {"\xa0", 0, 1},
        {"\xa0\xc2", 0, 2},
        {"a\xa0", 0, 2},
        {"a\xc2", 0, 2},
    };
    for
        EACH(i, rows)
        {
            char *copy = copy_of(rows[i].text);
            size_t start = 0, end = strlen(rows[i].text);
            line_trim(copy, &start, &end);
            assert_int_equal(start, rows[i].start);
            assert_int_equal(end, rows[i].end);
            free(copy);
        }
}

static void words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
    } rows[] = {{"", 0},           {" ", 0},  {"a", 1},           {"ab c", 2},      {" ab  c ", 2},
                {"a" NBSP "b", 2}, {NBSP, 0}, {"a\xa0\xc2 b", 2}, {"a\n\tb\rc", 3}, {"- .", 2}};
    for
        EACH(i, rows)
        {
            char *copy = copy_of(rows[i].text);
            assert_int_equal(line_count_words(copy, strlen(rows[i].text)), rows[i].n);
            free(copy);
        }
}

/* Every byte as the only one of a word before a point, and in it. */
static void word_bytes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool word = letter || (c >= '0' && c <= '9') || c >= 0x80;
        assert_int_equal(line_is_word((char)c), word);
        char alone[] = {' ', (char)c, '.'}, before[] = {(char)c, 'd', 'r', '.'};
        assert_int_equal(line_is_abbreviation(alone, 2), letter);
        assert_int_equal(line_is_abbreviation(before, 3), !word);
    }
}

static void abbreviations(void **state)
{
    (void)state;
    static const struct {
        const char *text; /* before a point */
        bool is;
    } rows[] = {
        {"", false},          {"A", true},     {"z", true},           {"1", false},
        {"Mr", true},         {"MRS", true},   {"x mr", true},        {"xmr", false},
        {"-dec", true},       {"capt", true},  {"captn", false},      {"cap", false},
        {"U.S", true},        {"word", false}, {"department", false}, {"reallylongdr", false},
        {"12345678v", false}, {"it's", false}, {"he'd", false},       {"'s", true},
        {" 's", true},        {"x 'Mr", true}, {"rock'n'r", false},   {"can't", false},
        {"x'", false},        {"'", false},
    };
    for
        EACH(i, rows)
        {
            char *copy = copy_of(rows[i].text);
            if (line_is_abbreviation(copy, strlen(rows[i].text)) != rows[i].is)
                fail_msg("%s", rows[i].text);
            free(copy);
        }
}

static void sentences(void **state)
{
    (void)state;
    static const struct {
        const char *first, *rest;
    } rows[] = {
        {"", ""},
        {"No end", ""},
        {"One.", ""},
        {"One.", " Two."},
        {"One!", " Two."},
        {"One?", " Two."},
        {"One.", "\nTwo"},
        {"One.", " "},
        {"One.", NBSP},
        {"One.", NBSP "Two"},
        {"One.", " 2"},
        {"One.", " " OPEN "Two"},
        {"One. two.", " Three"},
        {"One.two.", " Three"},
        {"One.t!", " Three"},
        {"1.5 is one.", " Two"},
        {"One...", " Two"},
        {"One?!", " Two"},
        {"One.)", " Two"},
        {"One.\"", " Two"},
        {"One.'", " Two"},
        {"One.]", " Two"},
        {"One.**", " Two"},
        {"One._", " Two"},
        {"(One.\"'" CLOSE CURLY ")", " Two"},
        {"One.(Two.", " Three"},
        {"One." OPEN "Two.", " Three"},
        {"Mr. Roe met J. Doe.", " Two"},
        {"It was Mr."
         "",
         ""},
        {"It is hers. it.", " Two"},
        {"One" WIDE_STOP, "Two"},
        {"One" WIDE_CRY, "Two"},
        {"One" WIDE_ASK, "Two"},
        {"One" WIDE_STOP CLOSE, "two"},
        {"One" WIDE_CRY WIDE_ASK "!", "two"},
        {"One\xe3\x80\x81two.", " Three"},
        {"One\xe3\x80", ""},
        {"One\xef\xbc", ""},
        {"One.\xe2\x80", ""},
        {".", ""},
        {".", " A"},
        {"!ab.", " A"},
    };
    for
        EACH(i, rows)
        {
            char text[80];
            strcpy(text, rows[i].first);
            strcat(text, rows[i].rest);
            char *copy = copy_of(text);
            size_t end = line_sentence_end(copy, strlen(text));
            if (end != strlen(rows[i].first)) fail_msg("%s: %zu", text, end);
            free(copy);
        }
}

static void inline_markup(void **state)
{
    (void)state;
    static const struct {
        const char *markup, *rest;
    } rows[] = {
        {"", ""},
        {"", "a"},
        {"", "{"},
        {"", "{{"},
        {"", "{{}"},
        {"", "{ }}"},
        {"{{}}", ""},
        {"{{}}", "}}"},
        {"{{ a }}", " b"},
        {"", "<"},
        {"", "<a"},
        {"<>", ">"},
        {"<a>", "b"},
        {"", "["},
        {"", "!"},
        {"", "!["},
        {"", "![a"},
        {"", "![a]("},
        {"", "![a](b"},
        {"", "![a] (b)"},
        {"![](b)", ")"},
        {"![a](b)", " c)"},
        {"", "!a](b)"},
        {"", "[![a](b)"},
        {"", "[![a](b)](c"},
        {"[![a](b)](c)", " d)"},
        {"", "[a](b)"},
        {"", "[{{a}}"},
        {"[{{a}}](b)", " c)"},
        {"", "a<b>"},
    };
    for
        EACH(i, rows)
        {
            char text[80];
            strcpy(text, rows[i].markup);
            strcat(text, rows[i].rest);
            char *copy = copy_of(text);
            size_t used = line_inline_markup(copy, strlen(text));
            if (used != strlen(rows[i].markup)) fail_msg("%s: %zu", text, used);
            free(copy);
        }
}

typedef struct kind_row {
    const char *line;
    line_kind kind;
} kind_row;

static void check_kinds(const kind_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *copy = copy_of(rows[i].line);
        line_kind got = line_find_kind(copy, strlen(rows[i].line));
        if (got != rows[i].kind)
            fail_msg("%s: got %d, want %d", rows[i].line, (int)got, (int)rows[i].kind);
        free(copy);
    }
}
#define CHECK_KINDS(rows) check_kinds(rows, sizeof(rows) / sizeof *(rows))

static void text_and_headlines(void **state)
{
    (void)state;
    static const kind_row rows[] = {
        {"a", LINE_HEADLINE},
        {"Word", LINE_HEADLINE},
        {"Word.", LINE_PARAGRAPH},
        {"Word,", LINE_PARAGRAPH},
        {"Word;", LINE_PARAGRAPH},
        {"Word:", LINE_PARAGRAPH},
        {"Word!", LINE_HEADLINE},
        {"Word?", LINE_HEADLINE},
        {"Word..", LINE_HEADLINE},
        {"Word...", LINE_HEADLINE},
        {"..\"", LINE_HEADLINE},
        {".\"", LINE_PARAGRAPH},
        {"Word.\"')]", LINE_PARAGRAPH},
        {"Word." CLOSE CURLY, LINE_PARAGRAPH},
        {"Word." CLOSE "\"", LINE_PARAGRAPH},
        {"Word" CLOSE, LINE_HEADLINE},
        {CLOSE, LINE_HEADLINE},
        {"\"", LINE_HEADLINE},
        {"'\"", LINE_HEADLINE},
        {"Word" WIDE_STOP, LINE_PARAGRAPH},
        {WIDE_STOP, LINE_PARAGRAPH},
        {"Word\xe3\x80\x81", LINE_HEADLINE},
        {"\x80\x82", LINE_HEADLINE},
        {"\x80\x9d", LINE_HEADLINE},
        {"Mr.", LINE_HEADLINE},
        {"They can't.", LINE_PARAGRAPH},
        {"A", LINE_HEADLINE},
        {",", LINE_PARAGRAPH},
    };
    CHECK_KINDS(rows);
    char line[300];
    for (size_t n = 1; n < sizeof line; n++) {
        memset(line, 'a', n);
        assert_int_equal(line_find_kind(line, n), n > 200 ? LINE_PARAGRAPH : LINE_HEADLINE);
        if (n < 8) continue;
        memcpy(line, "Oh! Yes", 7);
        assert_int_equal(line_find_kind(line, n), n > 100 ? LINE_PARAGRAPH : LINE_HEADLINE);
        memset(line, 'a', n);
        line[n - 1] = '!';
        assert_int_equal(line_find_kind(line, n), n > 200 ? LINE_PARAGRAPH : LINE_HEADLINE);
    }
}

static void captions(void **state)
{
    (void)state;
    static const kind_row rows[] = {
        {"A port (photo)", LINE_CAPTION},
        {"(PHOTO) a port", LINE_CAPTION},
        {"A port [Image: x]", LINE_CAPTION},
        {"A port (x) [Credit: y] z", LINE_CAPTION},
        {"A port (courtesy of", LINE_CAPTION},
        {"A port photo) (x)", LINE_HEADLINE},
        {"A port (phot) o", LINE_HEADLINE},
        {"A port (x] photo [y)", LINE_HEADLINE},
        {"A port (", LINE_HEADLINE},
        {"Photo:", LINE_CAPTION},
        {"Photo by x", LINE_CAPTION},
        {"photo", LINE_HEADLINE},
        {"A photo: x", LINE_HEADLINE},
        {"Picture: x", LINE_CAPTION},
        {"x/AP", LINE_CAPTION},
        {"/ap", LINE_CAPTION},
        {"x via Reuters", LINE_CAPTION},
        {"x/AP y", LINE_HEADLINE},
        {"x/Getty Images", LINE_CAPTION},
        {"/a", LINE_HEADLINE},
        {"One two three four five. Jane Roe", LINE_CAPTION},
        {"One two three four five. Jane van Roe", LINE_HEADLINE},
        {"One two three four five. Jane Van Roe", LINE_CAPTION},
        {"One two three four five. Jane Van Der Roe", LINE_HEADLINE},
        {"One two three four five. Jane", LINE_HEADLINE},
        {"One two three four. Jane Roe", LINE_HEADLINE},
        {"One two three four five.Jane Roe", LINE_HEADLINE},
        {"One two three four five." NBSP "Jane Roe", LINE_CAPTION},
        {"One two three four five." NBSP "jane Roe", LINE_HEADLINE},
        {"One two three four five.  Jane  Roe", LINE_CAPTION},
        {"One two three four five. Jane J. Roe", LINE_CAPTION},
        {"One two three four five. Jane-Ann O'Roe", LINE_CAPTION},
        {"One two three four five. \xc3\x89lan Roe", LINE_CAPTION},
        {"One two three four five. Jane 3rd", LINE_HEADLINE},
        {"One two three four five. Jane Roe3", LINE_CAPTION},
        {"One two three four five. Jane Roe!", LINE_HEADLINE},
        {"One two three four five. Jane Roe-", LINE_HEADLINE},
        {"One two three four five. Jane Roe'", LINE_HEADLINE},
        {"One two three four five. Jane/Ann Roe", LINE_HEADLINE},
        {"One two three four five. 'Jane Roe", LINE_HEADLINE},
        {"One two three four Mr. Jane Roe", LINE_HEADLINE},
        {"One two three four five. Six. Jane Roe", LINE_CAPTION},
        {"One two three four five. Jane Roe. Six", LINE_HEADLINE},
        {"One two three four five.", LINE_PARAGRAPH},
    };
    CHECK_KINDS(rows);
    char line[1100];
    memset(line, 'a', sizeof line);
    memcpy(line, "Photo: ", 7);
    assert_int_equal(line_find_kind(line, 1000), LINE_CAPTION);
    assert_int_equal(line_find_kind(line, 1001), LINE_PARAGRAPH);
}

static void bylines(void **state)
{
    (void)state;
    static const kind_row rows[] = {
        {"By Jane", LINE_BYLINE},
        {"BY JANE ROE", LINE_BYLINE},
        {"By: Jane", LINE_BYLINE},
        {"By: jane", LINE_HEADLINE},
        {"Written by Jane", LINE_BYLINE},
        {"Posted by Jane", LINE_BYLINE},
        {"Author: Jane", LINE_BYLINE},
        {"By jane", LINE_HEADLINE},
        {"By 2025", LINE_BYLINE},
        {"By ", LINE_HEADLINE},
        {"Bye Jane", LINE_HEADLINE},
        {"By A B C D E F G", LINE_BYLINE},
        {"By A B C D E F G H", LINE_HEADLINE},
        {"By Jane:", LINE_PARAGRAPH},
    };
    CHECK_KINDS(rows);
}

static void markup(void **state)
{
    (void)state;
    static const kind_row rows[] = {
        {"", LINE_MARKUP},
        {"-", LINE_MARKUP},
        {"* * *", LINE_MARKUP},
        {"=~+#|.:\t_-", LINE_MARKUP},
        {"--- a", LINE_HEADLINE},
        {"a ---", LINE_HEADLINE},
        {"<", LINE_HEADLINE},
        {">", LINE_HEADLINE},
        {"<>", LINE_MARKUP},
        {"<a", LINE_HEADLINE},
        {"a>", LINE_HEADLINE},
        {"![", LINE_MARKUP},
        {"[![a", LINE_MARKUP},
        {"[a](b)", LINE_HEADLINE},
        {"```c", LINE_MARKUP},
        {"``c", LINE_HEADLINE},
        {"{{a}}", LINE_MARKUP},
        {"{{a}} b", LINE_HEADLINE},
        {"a {{b}}", LINE_HEADLINE},
        {"{%a%}", LINE_MARKUP},
        {"{%a%} b", LINE_HEADLINE},
        {"a %}", LINE_HEADLINE},
        {"http://a.example", LINE_MARKUP},
        {"HTTPS://a.example", LINE_MARKUP},
        {"http://a.example b", LINE_HEADLINE},
        {"a http://a.example", LINE_HEADLINE},
        {"http:/", LINE_HEADLINE},
        {"Advertisement", LINE_NOTICE},
        {"Advertisements", LINE_HEADLINE},
        {"advertisemen", LINE_HEADLINE},
        {"STORY CONTINUES BELOW", LINE_NOTICE},
        {"Read More", LINE_NOTICE},
    };
    CHECK_KINDS(rows);
    assert_int_equal(line_find_kind("--\0--", 5), LINE_HEADLINE);
}

static void reasons(void **state)
{
    (void)state;
    assert_null(line_kind_why(LINE_HEADLINE));
    assert_null(line_kind_why(LINE_PARAGRAPH));
    assert_string_equal(line_kind_why(LINE_CAPTION), "photo caption");
    assert_string_equal(line_kind_why(LINE_BYLINE), "byline");
    assert_string_equal(line_kind_why(LINE_MARKUP), "markup");
    assert_string_equal(line_kind_why(LINE_NOTICE), "notice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spaces),        cmocka_unit_test(trimming),
        cmocka_unit_test(words),         cmocka_unit_test(word_bytes),
        cmocka_unit_test(abbreviations), cmocka_unit_test(sentences),
        cmocka_unit_test(inline_markup), cmocka_unit_test(text_and_headlines),
        cmocka_unit_test(captions),      cmocka_unit_test(bylines),
        cmocka_unit_test(markup),        cmocka_unit_test(reasons),
    };
    return cmocka_run_group_tests_name("line_kind", tests, NULL, NULL);
}
