/* SPDX-License-Identifier: MIT
 * generate.c - synthetic collections of news-like articles as JSON Lines, and queries on them.
 *
 *   generate --docs N [--seed S] [--mean-tokens M] [--vocab V] [--start-date YYYY-MM-DD]
 *   generate --queries N [--docs N] ...   queries on the collection of the same options
 *
 * What makes posting lists look like those of real text:
 *   words      Zipf-Mandelbrot ranks, inflected, capitalised, quoted, hyphenated; numbers
 *   burst      a word of an article is likely to come again in it
 *   topics     each article has a section (words of their own) and follows a story; stories
 *              begin as the collection goes on and fade, so document order drifts
 *   lengths    log-normal; dates rise by about a minute an article
 *
 * Article i depends on (seed, vocabulary, mean, i) alone: a shorter collection is the beginning
 * of a longer one, and a query's words are taken from an article that is really there.
 */
#include <errno.h>
#include <stdio.h>

#include "benchmarks/vocabulary.h"

enum {
    TOKENS_MAX = 16384, /* of one article                                           */
    TOKEN_BYTES = 48,   /* at most, printed with everything around it               */
    ARTICLE_BYTES = TOKENS_MAX * TOKEN_BYTES + 4096,
    OUTPUT_BYTES = 1 << 20,
    SECTIONS = 48,
    SECTION_WORDS = 512,
    STORY_EVERY = 40, /* articles between the beginnings of two stories           */
    STORY_WORDS = 24,
    SECTION_MAGNITUDES = 7, /* of ranks: words of sections are ranked below 19,200      */
    STORY_MAGNITUDES = 10,  /* names in the news are rarer: below 153,600               */
    RECENT_WORDS = 32,
    SOURCES = 40,
    AUTHORS = 600,
    TITLE_MAX = 9,
};

typedef struct options {
    uint64_t docs, queries, seed, mean_tokens, vocab;
    int64_t start_day; /* of the first article, since 1970-01-01 */
} options;

typedef struct generator {
    options opt;
    vocabulary words;
    uint32_t sections[SECTIONS][SECTION_WORDS]; /* ranks                                  */
} generator;

/* What stands after a token. */
typedef enum follow {
    FOLLOW_SPACE,
    FOLLOW_COMMA,
    FOLLOW_HYPHEN,
    FOLLOW_DASH,
    FOLLOW_PERCENT,
    FOLLOW_STOP,
    FOLLOW_QUESTION,
    FOLLOW_PARAGRAPH,
    FOLLOW_LAST,
    FOLLOW_END
} follow;

enum {
    TOKEN_NUMBER = 1,
    TOKEN_CAPITAL = 2,
    TOKEN_OPEN = 4,
    TOKEN_CLOSE = 8,
    TOKEN_OWNER = 16,
    TOKEN_UPPER = 32
};

typedef struct token {
    uint32_t value; /* rank, or the number itself                                         */
    uint8_t ending, flags, after;
} token;

typedef struct article {
    uint64_t id;
    uint32_t section;
    bool curly; /* typographic quotes and dashes                                      */
    uint32_t n_title, n;
    token title[TITLE_MAX], tokens[TOKENS_MAX];
} article;

/* ---- choosing words ------------------------------------------------------------------- */

/* The state of one article while it is written. */
typedef struct pen {
    const generator *g;
    const article *a;
    uint64_t rng, story;
    uint32_t recent[RECENT_WORDS], n_recent, last;
} pen;

/* A rank that is no function word: any order of magnitude (powers of two) is as likely. */
static uint32_t topical_rank(const vocabulary *v, unsigned magnitudes, uint64_t bits)
{
    uint32_t low = (uint32_t)FUNCTION_WORDS << random_below((uint32_t)bits, magnitudes);
    uint32_t rank = low + random_below((uint32_t)(bits >> 32), low);
    return rank < v->n ? rank : rank % (v->n - FUNCTION_WORDS) + FUNCTION_WORDS;
}

static uint32_t section_rank(const pen *p, uint64_t bits)
{
    /* the product of two uniform numbers: the first words of a section are its usual ones */
    uint32_t product = (uint32_t)(bits & 65535) * (uint32_t)(bits >> 16 & 65535);
    return p->g->sections[p->a->section][random_below(product, SECTION_WORDS)];
}

/* The next word's rank; `bits` are fresh. */
static uint32_t pen_rank(pen *p, uint64_t bits)
{
    unsigned choice = bits & 1023;
    uint32_t more = (uint32_t)(bits >> 10);
    if (choice < 140 && p->n_recent) {
        uint32_t n = p->n_recent < RECENT_WORDS ? p->n_recent : RECENT_WORDS;
        return p->recent[random_below(more, n)];
    }
    if (choice < 270) return section_rank(p, more);
    if (choice < 370)
        return topical_rank(&p->g->words, STORY_MAGNITUDES,
                            random_hash(p->story, random_below(more, STORY_WORDS)));
    return vocabulary_draw(&p->g->words, &p->rng);
}

static uint8_t choose_ending(unsigned kind, unsigned bits)
{
    static const uint8_t verb[8] = {END_NONE, END_NONE, END_NONE, END_S,
                                    END_S,    END_ED,   END_ED,   END_ING};
    if (kind == WORD_NOUN) return (bits & 3) == 0 ? END_S : END_NONE;
    if (kind == WORD_VERB) return verb[bits & 7];
    if (kind == WORD_ADJECTIVE) return (bits & 7) == 0 ? END_LY : END_NONE;
    return END_NONE;
}

/* Years and small numbers are usual, large ones rare. */
static uint32_t choose_number(uint64_t bits)
{
    static const uint32_t below[8] = {100, 100, 100, 1000, 1000, 10000, 1000000, 40};
    unsigned which = bits & 7;
    return random_below((uint32_t)(bits >> 8), below[which]) + (which == 7 ? 1990 : 0);
}

static token pen_token(pen *p)
{
    uint64_t bits = random_next(&p->rng);
    unsigned rare = (unsigned)(bits >> 52);
    if (rare < 80) return (token){choose_number(bits), END_NONE, TOKEN_NUMBER, FOLLOW_SPACE};
    uint32_t rank = pen_rank(p, bits);
    if (rank == p->last && rank < FUNCTION_WORDS) rank = pen_rank(p, bits | 1023);
    p->last = rank;
    if (rank >= FUNCTION_WORDS) p->recent[p->n_recent++ % RECENT_WORDS] = rank;
    unsigned kind = p->g->words.kinds[rank];
    __builtin_prefetch(p->g->words.words + rank);
    token t = {rank, choose_ending(kind, (unsigned)(bits >> 44)), 0, FOLLOW_SPACE};
    if (kind == WORD_NAME) {
        t.flags |= TOKEN_CAPITAL;
        if ((rare & 15) == 0) t.flags |= TOKEN_OWNER;
    } else if (kind == WORD_ACRONYM) {
        t.flags |= TOKEN_UPPER;
    }
    return t;
}

/* ---- articles ------------------------------------------------------------------------- */

/* What follows a token inside a sentence. */
static uint8_t choose_follow(const token *t, unsigned bits)
{
    if (t->flags & TOKEN_NUMBER) return bits % 5 == 0 ? FOLLOW_PERCENT : FOLLOW_SPACE;
    if (bits < 55) return FOLLOW_COMMA;
    if (bits < 65) return FOLLOW_HYPHEN;
    if (bits < 69) return FOLLOW_DASH;
    return FOLLOW_SPACE;
}

/* One sentence of at most `room` tokens; now and then a part of it is quoted. */
static uint32_t pen_sentence(pen *p, token *out, uint32_t room)
{
    uint64_t bits = random_next(&p->rng);
    uint32_t n = 5 + (uint32_t)(bits & 15) + (uint32_t)(bits >> 4 & 15);
    if (n > room) n = room;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = pen_token(p);
        out[i].after = choose_follow(&out[i], (unsigned)(random_mix(bits + i) & 1023));
    }
    out[0].flags |= TOKEN_CAPITAL;
    if ((bits >> 8 & 7) == 0 && n > 6) {
        uint32_t from = (uint32_t)(bits >> 11 & 255) % (n - 4);
        out[from].flags |= TOKEN_OPEN;
        out[from + 2 + (bits >> 19 & 1)].flags |= TOKEN_CLOSE;
    }
    out[n - 1].after = (bits >> 20 & 31) == 0 ? FOLLOW_QUESTION : FOLLOW_STOP;
    if ((bits >> 25 & 3) == 0) out[n - 1].after = FOLLOW_PARAGRAPH;
    return n;
}

static void pen_title(pen *p, article *a)
{
    a->n_title = 4 + (uint32_t)(random_next(&p->rng) % (TITLE_MAX - 3));
    for (uint32_t i = 0; i < a->n_title; i++) {
        a->title[i] = pen_token(p);
        a->title[i].flags |= TOKEN_CAPITAL;
    }
    a->title[a->n_title - 1].after = FOLLOW_END;
}

static void article_compose(article *a, const generator *g, uint64_t id)
{
    pen p = {.g = g, .a = a, .rng = random_hash(g->opt.seed, id), .last = UINT32_MAX};
    uint64_t bits = random_next(&p.rng);
    a->id = id;
    a->curly = bits & 1;
    a->section = (uint32_t)(bits >> 1) % SECTIONS;
    /* The trailing zeros of random bits: half of the articles follow one of the newest 8
     * stories, a quarter one of the 8 before, ... */
    uint64_t age = (uint64_t)__builtin_ctzll(bits >> 32 | 1u << 20) * 8 + (bits >> 60 & 7);
    uint64_t newest = id / STORY_EVERY;
    p.story = random_hash(g->opt.seed ^ 0x73746f7279u, newest > age ? newest - age : 0);
    uint32_t want = (uint32_t)random_lognormal(&p.rng, (double)g->opt.mean_tokens);
    if (want < 1) want = 1;
    if (want > TOKENS_MAX) want = TOKENS_MAX;
    pen_title(&p, a);
    for (a->n = 0; a->n < want;) a->n += pen_sentence(&p, a->tokens + a->n, want - a->n);
    a->tokens[a->n - 1].after = FOLLOW_LAST;
}

/* ---- printing ------------------------------------------------------------------------- */

/* A literal of known length. */
#define PUT(out, text) (memcpy((out), (text), sizeof(text) - 1), (out) + sizeof(text) - 1)

static char *put_number(char *out, uint64_t value, unsigned width)
{
    char digits[24];
    unsigned n = 0;
    do digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n < width) digits[n++] = '0';
    while (n) *out++ = digits[--n];
    return out;
}

static char *put_grouped(char *out, uint32_t value)
{
    if (value < 2100) return put_number(out, value, 1);
    out = put_number(out, value / 1000, 1);
    *out++ = ',';
    return put_number(out, value % 1000, 3);
}

static char *put_word(char *out, const word *w, const token *t)
{
    memcpy(out, w->text, WORD_BYTES);
    if (t->flags & TOKEN_UPPER)
        for (unsigned i = 0; i < w->len; i++) out[i] = (char)(out[i] - 'a' + 'A');
    else if (t->flags & TOKEN_CAPITAL)
        out[0] = (char)(out[0] - 'a' + 'A');
    out += w->len;
    memcpy(out, vocabulary_endings[t->ending], 4);
    return out + vocabulary_ending_len[t->ending];
}

static char *put_follow(char *out, follow after, bool curly)
{
    switch (after) {
    case FOLLOW_SPACE:
        *out++ = ' ';
        return out;
    case FOLLOW_COMMA:
        return PUT(out, ", ");
    case FOLLOW_HYPHEN:
        *out++ = '-';
        return out;
    case FOLLOW_DASH:
        return curly ? PUT(out, "\xe2\x80\x94") : PUT(out, " - ");
    case FOLLOW_PERCENT:
        return PUT(out, "% ");
    case FOLLOW_STOP:
        return PUT(out, ". ");
    case FOLLOW_QUESTION:
        return PUT(out, "? ");
    case FOLLOW_PARAGRAPH:
        return PUT(out, ".\\n\\n");
    case FOLLOW_LAST:
        return PUT(out, ".");
    case FOLLOW_END:
        break;
    }
    return out;
}

static char *put_token(char *out, const generator *g, const token *t, bool curly)
{
    if (t->flags & TOKEN_OPEN) out = curly ? PUT(out, "\xe2\x80\x9c") : PUT(out, "\\\"");
    if (t->flags & TOKEN_NUMBER)
        out = put_grouped(out, t->value);
    else
        out = put_word(out, &g->words.words[t->value], t);
    if (t->flags & TOKEN_OWNER) out = curly ? PUT(out, "\xe2\x80\x99s") : PUT(out, "'s");
    if (t->flags & TOKEN_CLOSE) out = curly ? PUT(out, "\xe2\x80\x9d") : PUT(out, "\\\"");
    return put_follow(out, t->after, curly);
}

/* Civil date of a day number from 1970-01-01, by eras of 400 years that begin in March. */
static char *put_date(char *out, int64_t day)
{
    int64_t shifted = day + 719468, era = shifted / 146097, of_era = shifted % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100),
            month = (5 * of_year + 2) / 153;
    int64_t day_of_month = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    year += era * 400 + (month <= 2);
    out = put_number(out, (uint64_t)year, 4);
    *out++ = '-';
    out = put_number(out, (uint64_t)month, 2);
    *out++ = '-';
    return put_number(out, (uint64_t)day_of_month, 2);
}

static char *put_time(char *out, const options *opt, uint64_t id)
{
    uint64_t second = id * 60 + random_hash(opt->seed, id) % 60;
    out = put_date(out, opt->start_day + (int64_t)(second / 86400));
    *out++ = 'T';
    out = put_number(out, second / 3600 % 24, 2);
    *out++ = ':';
    out = put_number(out, second / 60 % 60, 2);
    *out++ = ':';
    return put_number(out, second % 60, 2);
}

/* A word of the vocabulary's middle by number, for names of sources, sections and authors. */
static char *put_name(char *out, const generator *g, uint64_t n, uint8_t flags)
{
    uint32_t rank = FUNCTION_WORDS + (uint32_t)(n % (g->words.n - FUNCTION_WORDS));
    token t = {rank, END_NONE, flags, FOLLOW_END};
    return put_word(out, &g->words.words[rank], &t);
}

static char *put_article(char *out, const generator *g, const article *a)
{
    uint64_t bits = random_hash(g->opt.seed ^ 0x6279u, a->id);
    out = PUT(out, "{\"id\":\"doc-");
    out = put_number(out, a->id, 8);
    out = PUT(out, "\",\"title\":\"");
    for (uint32_t i = 0; i < a->n_title; i++) out = put_token(out, g, &a->title[i], a->curly);
    out = PUT(out, "\",\"date\":\"");
    out = put_time(out, &g->opt, a->id);
    out = PUT(out, "\",\"source\":\"");
    out = put_name(out, g, bits % SOURCES, TOKEN_CAPITAL);
    out = PUT(out, " News\",\"author\":\"");
    out = put_name(out, g, 100 + (bits >> 8) % AUTHORS, TOKEN_CAPITAL);
    *out++ = ' ';
    out = put_name(out, g, 700 + (bits >> 24) % AUTHORS, TOKEN_CAPITAL);
    out = PUT(out, "\",\"tags\":[\"");
    out = put_name(out, g, 50 + a->section, 0);
    out = PUT(out, "\"],\"text\":\"");
    for (uint32_t i = 0; i < a->n; i++) out = put_token(out, g, &a->tokens[i], a->curly);
    return PUT(out, "\"}\n");
}

static bool write_all(const char *data, size_t len)
{
    if (fwrite(data, 1, len, stdout) == len) return true;
    if (errno != EPIPE) fprintf(stderr, "generate: standard output: %s\n", strerror(errno));
    return false;
}

static bool print_articles(const generator *g, article *a, char *buffer)
{
    char *out = buffer;
    for (uint64_t id = 0; id < g->opt.docs; id++) {
        article_compose(a, g, id);
        out = put_article(out, g, a);
        if (out - buffer < OUTPUT_BYTES) continue;
        if (!write_all(buffer, (size_t)(out - buffer))) return false;
        out = buffer;
    }
    return write_all(buffer, (size_t)(out - buffer));
}

/* ---- queries -------------------------------------------------------------------------- */

/* The beginning of n words that stand side by side in the article, from `start` on; n when there is
 * none.  All-function-word spans are passed over. */
static uint32_t find_span(const article *a, uint32_t start, uint32_t len)
{
    for (uint32_t i = start; i + len <= a->n; i++) {
        uint32_t ok = 0, content = 0;
        for (; ok < len; ok++) {
            const token *t = &a->tokens[i + ok];
            if (t->flags & (TOKEN_NUMBER | TOKEN_OWNER | TOKEN_UPPER)) break;
            if (ok + 1 < len && t->after != FOLLOW_SPACE) break;
            content += t->value >= FUNCTION_WORDS;
        }
        if (ok == len && content > len / 2) return i;
    }
    return a->n;
}

static char *put_query_words(char *out, const generator *g, const article *a, uint32_t at,
                             uint32_t n, const char *before)
{
    for (uint32_t i = 0; i < n; i++) {
        token t = a->tokens[at + i];
        t.flags = 0;
        if (i) *out++ = ' ';
        if (*before) *out++ = *before;
        out = put_word(out, &g->words.words[t.value], &t);
    }
    return out;
}

/* Line `turn` (0 .. 3) of the four made from one span: a term, and its words in three ways. */
static char *put_query(char *out, const generator *g, const article *a, uint32_t at, uint32_t n,
                       unsigned turn)
{
    static const char *const class[4] = {"term", "intersection", "union", "phrase"};
    while (turn == 0 && n > 1 && a->tokens[at].value < FUNCTION_WORDS) {
        at++;
        n--;
    }
    if (turn == 0) n = 1;
    out = PUT(out, "{\"query\":\"");
    if (turn == 3) out = PUT(out, "\\\"");
    out = put_query_words(out, g, a, at, n, turn == 1 ? "+" : "");
    if (turn == 3) out = PUT(out, "\\\"");
    return out + sprintf(out, "\",\"tags\":[\"%s\",\"%s:num_tokens_%u\"]}\n", class[turn],
                         class[turn], n);
}

static bool print_queries(const generator *g, article *a, char *buffer)
{
    static const uint8_t lengths[8] = {2, 2, 2, 2, 3, 3, 4, 5};
    uint64_t rng = random_hash(g->opt.seed, UINT64_MAX), misses = 0;
    for (uint64_t done = 0; done < g->opt.queries && misses < 100000;) {
        uint64_t bits = random_next(&rng);
        article_compose(a, g, random_next(&rng) % g->opt.docs);
        uint32_t len = lengths[bits & 7];
        uint32_t at = find_span(a, (uint32_t)(bits >> 32) % a->n, len);
        if (at == a->n) {
            misses++;
            continue;
        }
        misses = 0;
        for (unsigned turn = 0; turn < 4 && done < g->opt.queries; turn++, done++) {
            char *end = put_query(buffer, g, a, at, len, turn);
            if (!write_all(buffer, (size_t)(end - buffer))) return false;
        }
    }
    if (misses) fprintf(stderr, "generate: the articles are too short for queries\n");
    return misses == 0;
}

/* ---- command line --------------------------------------------------------------------- */

static int usage(const char *what)
{
    fprintf(stderr,
            "generate: %s\n"
            "usage: generate --docs N | --queries N [--docs N]\n"
            "       [--seed S] [--mean-tokens 1..4096] [--vocab 2000..10000000]\n"
            "       [--start-date YYYY-MM-DD]\n",
            what);
    return 2;
}

static bool parse_number(const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || *end || end == text || *text == '-' || value < low || value > high) return false;
    *out = value;
    return true;
}

/* Day number of YYYY-MM-DD. */
static bool parse_day(const char *text, int64_t *out)
{
    unsigned y, m, d;
    char rest;
    if (sscanf(text, "%4u-%2u-%2u%c", &y, &m, &d, &rest) != 3) return false;
    if (y < 1600 || y > 9000 || m < 1 || m > 12 || d < 1 || d > 31) return false;
    int64_t year = (int64_t)y - (m <= 2), month = (int64_t)(m + 9) % 12;
    *out = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + d - 1 - 719468;
    return true;
}

static bool parse_option(options *opt, const char *name, const char *value)
{
    if (!strcmp(name, "--docs")) return parse_number(value, 0, 1u << 31, &opt->docs);
    if (!strcmp(name, "--queries")) return parse_number(value, 0, 1u << 31, &opt->queries);
    if (!strcmp(name, "--seed")) return parse_number(value, 0, UINT64_MAX, &opt->seed);
    if (!strcmp(name, "--mean-tokens")) return parse_number(value, 1, 4096, &opt->mean_tokens);
    if (!strcmp(name, "--vocab")) return parse_number(value, 2000, 10000000, &opt->vocab);
    return !strcmp(name, "--start-date") && parse_day(value, &opt->start_day);
}

static bool generator_init(generator *g)
{
    if (!vocabulary_init(&g->words, (uint32_t)g->opt.vocab, g->opt.seed)) return false;
    for (uint32_t s = 0; s < SECTIONS; s++)
        for (uint32_t i = 0; i < SECTION_WORDS; i++) {
            uint64_t bits = random_hash(g->opt.seed ^ 0x73656374u, s * SECTION_WORDS + i);
            g->sections[s][i] = topical_rank(&g->words, SECTION_MAGNITUDES, bits);
        }
    return true;
}

int main(int argc, char **argv)
{
    static generator g = {.opt = {UINT64_MAX, 0, 1, 60, 1000000, 14610}}; /* 2010-01-01 */
    static article a;
    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || !parse_option(&g.opt, argv[i], argv[i + 1])) return usage(argv[i]);
    bool queries = g.opt.queries > 0;
    if (g.opt.docs == UINT64_MAX && !queries) return usage("how many documents?");
    if (g.opt.docs == UINT64_MAX || (queries && !g.opt.docs)) g.opt.docs = 100000;
    char *buffer = malloc(OUTPUT_BYTES + ARTICLE_BYTES);
    if (!buffer || !generator_init(&g)) {
        fprintf(stderr, "generate: out of memory\n");
        free(buffer);
        return 5;
    }
    bool ok = queries ? print_queries(&g, &a, buffer) : print_articles(&g, &a, buffer);
    ok = fflush(stdout) == 0 && ok;
    vocabulary_free(&g.words);
    free(buffer);
    return ok ? 0 : 5;
}
