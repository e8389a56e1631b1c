/* SPDX-License-Identifier: MIT
 * check_bigrams.c - bigrams are what the frequent words' positions say (bigrams.h): all
 * occurrences are counted from those, and every one that a bigram's list names is looked up.
 * The same number, and each of them real, is the same occurrences.
 */
#include "common/base/mem.h"
#include "common/segment/bigrams.h"
#include "common/segment/check_parts.h"

#define POSITION_LIMIT (UINT32_C(1) << 27) /* no text that can be stored reaches it         */

typedef struct frequent_word {
    term_entry entry;
    uint8_t *key;
    size_t len;
} frequent_word;

/* Occurrences of one pair. */
typedef struct pair_count {
    uint64_t cf;
    uint32_t df, last_doc_1;
    bool listed;
} pair_count;

typedef struct bigram_check {
    check *c;
    uint32_t n;
    frequent_word words[BIGRAM_WORDS_MAX];
    cursor cursors[BIGRAM_WORDS_MAX], list;
    uint32_t *positions, *behind; /* of one word in one document; of the word after it      */
    size_t positions_cap, behind_cap;
    uint8_t *marks;        /* by position: word + 1; zero between documents          */
    size_t marks_cap, end; /* end: behind the document's last mark, and one more     */
    pair_count *pairs;     /* first * n + second                                     */
    bool broken;
} bigram_check;

static void wrong(bigram_check *b, uint64_t off, const char *what)
{
    if (!b->broken) check_section(b->c, SECTION_POSTINGS, off, what);
    b->broken = true;
}

static pm_status gather_words(bigram_check *b, dict_iter *it, pm_error *err)
{
    static const uint8_t plain[] = {0x20};
    dict_iter_begin(it, b->c->s, false, plain, sizeof plain);
    while (dict_iter_next(it)) {
        if (!bigram_word(&b->c->s->info, &it->term)) continue;
        if (b->n == BIGRAM_WORDS_MAX) {
            wrong(b, it->term.off, "too many frequent words");
            return PM_OK;
        }
        frequent_word *w = &b->words[b->n++];
        w->entry = it->term;
        w->len = it->key_len;
        w->key = mem_alloc(it->key_len);
        if (!w->key) return error_nomem(err);
        memcpy(w->key, it->key, it->key_len);
    }
    return PM_OK;
}

/* ---- counting ---------------------------------------------------------------------------- */

/* Positions at a cursor into *out; their number. */
static uint32_t read_row(bigram_check *b, cursor *at, uint32_t **out, size_t *cap, pm_error *err)
{
    uint32_t tf = check_row(b->c, at, out, cap, err);
    return tf && (*out)[tf - 1] < POSITION_LIMIT ? tf : 0;
}

static pm_status mark_word(bigram_check *b, uint32_t w, pm_error *err)
{
    uint32_t n = read_row(b, &b->cursors[w], &b->positions, &b->positions_cap, err);
    size_t need = n ? (size_t)b->positions[n - 1] + 2 : 0, had = b->marks_cap;
    if (err->status != PM_OK) return err->status;
    if (!mem_grow(&b->marks, &b->marks_cap, need, 1)) return error_nomem(err);
    if (b->marks_cap > had) memset(b->marks + had, 0, b->marks_cap - had);
    if (need > b->end) b->end = need;
    for (uint32_t i = 0; i < n; i++) b->marks[b->positions[i]] = (uint8_t)(w + 1);
    return PM_OK;
}

static void count_marks(bigram_check *b, uint32_t doc)
{
    for (size_t i = 0; i + 1 < b->end; i++) {
        if (!b->marks[i] || !b->marks[i + 1]) continue;
        pair_count *p = &b->pairs[(b->marks[i] - 1u) * b->n + b->marks[i + 1] - 1u];
        p->cf++;
        p->df += p->last_doc_1 != doc + 1;
        p->last_doc_1 = doc + 1;
    }
    if (b->end) memset(b->marks, 0, b->end);
    b->end = 0;
}

/* The words of a document are marked; *next: the next one that has any. */
static pm_status mark_doc(bigram_check *b, uint32_t doc, uint32_t *next, pm_error *err)
{
    pm_status st = PM_OK;
    *next = CURSOR_END;
    for (uint32_t w = 0; w < b->n; w++) {
        cursor *at = &b->cursors[w];
        if (at->doc == doc) {
            PM_TRY(mark_word(b, w, err));
            cursor_next(at);
        }
        if (at->doc < *next) *next = at->doc;
    }
out:
    return st;
}

static pm_status count_pairs(bigram_check *b, pm_error *err)
{
    pm_status st = PM_OK;
    uint32_t doc = CURSOR_END;
    for (uint32_t w = 0; w < b->n; w++) {
        cursor_open(&b->cursors[w], b->c->s, &b->words[w].entry);
        if (cursor_next(&b->cursors[w]) < doc) doc = b->cursors[w].doc;
    }
    for (uint32_t next; doc != CURSOR_END; doc = next) {
        PM_TRY(mark_doc(b, doc, &next, err));
        count_marks(b, doc);
    }
out:
    return st;
}

/* ---- comparing --------------------------------------------------------------------------- */

static uint32_t find_word(const bigram_check *b, const uint8_t *key, size_t len)
{
    uint32_t w = 0;
    while (w < b->n && (b->words[w].len != len || memcmp(b->words[w].key, key, len))) w++;
    return w;
}

static bool has(const uint32_t *row, uint32_t n, uint64_t position)
{
    uint32_t low = 0;
    for (uint32_t high = n; low < high;) {
        uint32_t mid = low + (high - low) / 2;
        if (row[mid] < position)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && row[low] == position;
}

/* Does the word stand at every position of the list, moved by `by`? */
static pm_status compare_word(bigram_check *b, const dict_iter *it, uint32_t w, uint32_t by,
                              pm_error *err)
{
    cursor *word = &b->cursors[w];
    cursor_open(word, b->c->s, &b->words[w].entry);
    cursor_open(&b->list, b->c->s, &it->term);
    while (!b->broken && cursor_next(&b->list) != CURSOR_END) {
        uint32_t n = read_row(b, &b->list, &b->positions, &b->positions_cap, err), m = 0;
        if (cursor_seek(word, b->list.doc) == b->list.doc)
            m = read_row(b, word, &b->behind, &b->behind_cap, err);
        if (err->status != PM_OK) return err->status;
        for (uint32_t i = 0; i < n; i++)
            if (!has(b->behind, m, (uint64_t)b->positions[i] + by)) {
                wrong(b, it->term.off, "a bigram where its words do not stand");
                break;
            }
    }
    return PM_OK;
}

static pm_status compare_list(bigram_check *b, const dict_iter *it, pm_error *err)
{
    const uint8_t *gap =
        it->key_len > 1 ? memchr(it->key + 1, BIGRAM_SEPARATOR, it->key_len - 1) : NULL;
    uint32_t first = b->n, second = b->n;
    if (gap) {
        first = find_word(b, it->key + 1, (size_t)(gap - it->key) - 1);
        second = find_word(b, gap + 1, (size_t)(it->key + it->key_len - gap) - 1);
    }
    if (first == b->n || second == b->n) {
        wrong(b, it->term.off, "a bigram of words that are not frequent");
        return PM_OK;
    }
    pair_count *p = &b->pairs[first * b->n + second];
    p->listed = true;
    if (p->cf != it->term.cf || p->df != it->term.df)
        wrong(b, it->term.off, "a bigram's counts differ from its words' positions");
    pm_status st = compare_word(b, it, first, 0, err);
    return st == PM_OK ? compare_word(b, it, second, 1, err) : st;
}

static pm_status compare(bigram_check *b, dict_iter *it, pm_error *err)
{
    static const uint8_t from[] = {KEY_BIGRAM};
    pm_status st = PM_OK;
    dict_iter_begin(it, b->c->s, false, from, sizeof from);
    while (st == PM_OK && !b->broken && dict_iter_next(it) && it->key[0] == KEY_BIGRAM)
        st = compare_list(b, it, err);
    for (uint32_t i = 0; i < b->n * b->n; i++)
        if (b->pairs[i].cf && !b->pairs[i].listed) wrong(b, 0, "a bigram is missing");
    return st;
}

pm_status check_bigrams(check *c, pm_error *err)
{
    pm_status st = PM_OK;
    pm_error own = {.status = PM_OK};
    dict_iter *it = mem_zalloc(sizeof *it);
    bigram_check *b = mem_zalloc(sizeof *b);
    if (!it || !b) PM_TRY(error_nomem(&own));
    b->c = c;
    PM_TRY(gather_words(b, it, &own));
    if (c->s->info.bigram_min && !b->n)
        check_finding(c, "footer", c->s->file.len - LAYOUT_FOOTER_BYTES, "no word is frequent");
    b->pairs = mem_array((size_t)b->n * b->n, sizeof *b->pairs);
    if (!b->pairs) PM_TRY(error_nomem(&own));
    if (!b->broken) PM_TRY(count_pairs(b, &own));
    if (!check_reader_damage(c) && !b->broken) PM_TRY(compare(b, it, &own));
    check_reader_damage(c);
out:
    if (st != PM_OK && err) *err = own;
    for (uint32_t w = 0; b && w < b->n; w++) mem_free(b->words[w].key);
    if (b) {
        mem_free(b->positions);
        mem_free(b->behind);
        mem_free(b->marks);
        mem_free(b->pairs);
    }
    mem_free(b);
    mem_free(it);
    return st;
}
