/* SPDX-License-Identifier: MIT
 *
 * analyzer.c - see analyzer.h.  Takes text, gives tokens: the tokenizer finds a word, the
 * form table knows its forms, the line it stands in decides about its marker.
 */
#include "common/text/analyzer.h"

#include "common/text/capitals.h"
#include "common/text/forms_shared.h"

/* Words are found this far ahead of where they are looked up, so that their slots are in the
 * cache by then: among 200,000 forms a miss costs more than all else about a word. */
enum { WORDS_AHEAD = 32 };

struct analyzer {
    language lang;
    forms table;
    tokenizer words;
    word_span ahead[WORDS_AHEAD];
    form_key ahead_keys[WORDS_AHEAD]; /* of words up to 16 bytes                             */
    uint32_t ahead_at, ahead_n;
    capitals capitals;
    uint32_t position; /* of the next token                                              */
    /* Forms of the last word that are still to be given: pending_n from pending on. */
    const form *const *pending;
    uint32_t pending_n;
    word_span pending_word;
    bool failed;
    uint64_t cut_words;
    analyzer *leader; /* of a follower, whose table has the leader's slots while it is within */
    char profile[LANGUAGE_PROFILE_MAX];
};

pm_status analyzer_open(analyzer **out, const char *lang, pm_error *err)
{
    pm_status st;
    *out = NULL;
    analyzer *a = mem_zalloc(sizeof *a);
    if (!a) return error_nomem(err);
    PM_TRY(language_open(&a->lang, lang, err));
    PM_TRY(language_profile(&a->lang, a->profile, err));
    PM_TRY(forms_init(&a->table, err));
    *out = a;
out:
    if (st != PM_OK) analyzer_close(a);
    return st;
}

void analyzer_close(analyzer *a)
{
    if (!a) return;
    if (a->leader) {
        forms_unshare(&a->leader->table);
        mem_free(a);
        return;
    }
    language_close(&a->lang);
    forms_free(&a->table);
    mem_free(a);
}

const char *analyzer_profile(const analyzer *a)
{
    return a->profile;
}
const char *analyzer_lang(const analyzer *a)
{
    return a->lang.name;
}
bool analyzer_failed(const analyzer *a)
{
    return a->failed;
}
uint64_t analyzer_cut_words(const analyzer *a)
{
    return a->cut_words;
}
uint64_t analyzer_repaired(const analyzer *a)
{
    return a->words.repaired;
}
uint32_t analyzer_form_count(const analyzer *a)
{
    return a->table.count;
}

const form *analyzer_form_at(const analyzer *a, uint32_t id)
{
    return a->table.by_id[id];
}

const form *const *analyzer_forms(const analyzer *a)
{
    return (const form *const *)a->table.by_id;
}

size_t analyzer_memory(const analyzer *a)
{
    return sizeof *a + forms_memory(&a->table);
}

void analyzer_reset_forms(analyzer *a)
{
    a->pending_n = 0;
    forms_reset(&a->table);
}

void analyzer_trim(analyzer *a)
{
    forms_unprepare(&a->table);
}

void analyzer_begin(analyzer *a, const char *text, size_t len, bool query)
{
    tokenizer_begin(&a->words, text, len < UINT32_MAX ? len : UINT32_MAX);
    a->capitals = (capitals){.query = query};
    a->pending_n = 0;
    a->ahead_at = a->ahead_n = 0;
    a->position = 0;
    a->failed = false;
}

static bool capitals_here(analyzer *a, const word_span *w)
{
    return capitals_carry(&a->capitals, a->words.text, a->words.len, w);
}

static inline void emit(analyzer *a, token *out, const form *it, uint32_t id, bool marked,
                        const word_span *w)
{
    *out = (token){it, id, marked, a->position++, (uint32_t)w->start, (uint32_t)w->end};
}

/* The next form of a word that has several. */
static void emit_pending(analyzer *a, token *out)
{
    const form *it = *a->pending++;
    a->pending_n--;
    bool marked = it->marker_len && capitals_here(a, &a->pending_word);
    emit(a, out, it, it->id, marked, &a->pending_word);
}

/* Find the next words and ask for their slots. */
static bool look_ahead(analyzer *a)
{
    size_t n = tokenizer_fill(&a->words, a->ahead, WORDS_AHEAD);
    for (size_t i = 0; i < n; i++) {
        size_t start = a->ahead[i].start, len = a->ahead[i].end - start;
        if (len > 16) continue;
        a->ahead_keys[i] = forms_key(&a->table, a->words.text + start, len, a->words.len - start);
        forms_prefetch(&a->table, &a->ahead_keys[i]);
    }
    a->ahead_at = 0;
    a->ahead_n = (uint32_t)n;
    return n != 0;
}

/* What is known of the i-th word ahead, or NULL. */
static inline const form_slot *known_word(const analyzer *a, uint32_t i)
{
    const word_span *w = &a->ahead[i];
    size_t len = w->end - w->start;
    return len > 16 ? forms_find_long(&a->table, a->words.text + w->start, len)
                    : forms_find_key(&a->table, &a->ahead_keys[i], len);
}

/* What is known of the i-th word ahead, which is learnt if need be; NULL when memory was refused.
 */
static inline const form_slot *find_word(analyzer *a, uint32_t i)
{
    const word_span *w = &a->ahead[i];
    const form_slot *s = known_word(a, i);
    return s ? s
             : forms_add(&a->table, &a->lang, a->words.text + w->start, w->end - w->start,
                         w->dotted);
}

/* Whether an occurrence of a word of one form carries its marker. */
static inline bool is_marked(analyzer *a, const form_slot *s, const word_span *w)
{
    return (s->flags & FORM_MARKER) && ((s->flags & FORM_DOTTED) || capitals_here(a, w));
}

bool analyzer_next(analyzer *a, token *out)
{
    if (a->pending_n) {
        emit_pending(a, out);
        return true;
    }
    while (!a->failed && (a->ahead_at < a->ahead_n || look_ahead(a))) {
        const word_span *w = &a->ahead[a->ahead_at];
        const form_slot *s = find_word(a, a->ahead_at++);
        a->failed = !s;
        if (a->failed) break;
        a->cut_words += s->flags & FORM_CUT;
        if (s->flags & FORM_ONE) {
            emit(a, out, s->is.one, s->has.id, is_marked(a, s, w), w);
            return true;
        }
        if (!s->has.n) continue;
        a->pending = s->is.list;
        a->pending_n = s->has.n;
        a->pending_word = *w;
        emit_pending(a, out);
        return true;
    }
    return false;
}

/* The slot of the word ahead at `at`, when it is known and has one form and no marker; else NULL.
 */
static inline const form_slot *plain_word(const analyzer *a, uint32_t at)
{
    size_t len = a->ahead[at].end - a->ahead[at].start;
    if (len > 16) return NULL;
    const form_slot *s = forms_find_key(&a->table, &a->ahead_keys[at], len);
    return s && (s->flags & (FORM_ONE | FORM_MARKER | FORM_CUT)) == FORM_ONE ? s : NULL;
}

/* How far words ahead are wanted. */
static uint32_t ahead_end(const analyzer *a, size_t n)
{
    return n < a->ahead_n - a->ahead_at ? a->ahead_at + (uint32_t)n : a->ahead_n;
}

/* Words ahead up to `at` were taken; returns how many. */
static size_t take_ahead(analyzer *a, uint32_t at)
{
    uint32_t n = at - a->ahead_at;
    a->ahead_at = at;
    a->position += n;
    return n;
}

/* The plain words ahead, up to the first that is none; n at most. */
static size_t plain_tokens(analyzer *a, token *out, size_t n)
{
    uint32_t at = a->ahead_at, position = a->position;
    for (const uint32_t end = ahead_end(a, n); at < end; at++) {
        const word_span *w = &a->ahead[at];
        const form_slot *s = plain_word(a, at);
        if (!s) break;
        *out++ =
            (token){s->is.one, s->has.id, false, position++, (uint32_t)w->start, (uint32_t)w->end};
    }
    return take_ahead(a, at);
}

static size_t plain_ids(analyzer *a, uint32_t *out, size_t n)
{
    uint32_t at = a->ahead_at;
    for (const uint32_t end = ahead_end(a, n); at < end; at++) {
        const form_slot *s = plain_word(a, at);
        if (!s) break;
        *out++ = s->has.id;
    }
    return take_ahead(a, at);
}

size_t analyzer_fill(analyzer *a, token *out, size_t n)
{
    size_t made = 0;
    while (made < n) {
        if (!a->pending_n && !a->failed) made += plain_tokens(a, out + made, n - made);
        if (made == n || !analyzer_next(a, &out[made])) break;
        made++;
    }
    return made;
}

size_t analyzer_fill_ids(analyzer *a, uint32_t *out, size_t n)
{
    size_t made = 0;
    token t;
    while (made < n) {
        if (!a->pending_n && !a->failed) made += plain_ids(a, out + made, n - made);
        if (made == n || !analyzer_next(a, &t)) break;
        out[made++] = t.form_id | (t.marked ? ANALYZER_MARKED : 0);
    }
    return made;
}

/* ---- two threads ------------------------------------------------------------------------- */

pm_status analyzer_follow(analyzer **out, analyzer *leader, pm_error *err)
{
    analyzer *a = *out = mem_zalloc(sizeof *a);
    if (!a) return error_nomem(err);
    a->leader = leader;
    a->table.seed = leader->table.seed;
    if (forms_share(&leader->table)) return PM_OK;
    mem_free(a);
    *out = NULL;
    return error_nomem(err);
}

uint32_t analyzer_follow_enter(analyzer *a)
{
    const form_view *v = forms_enter(&a->leader->table);
    if (!v) return 0;
    a->table.slots = v->slots;
    a->table.mask = v->mask;
    return v->epoch;
}

void analyzer_follow_leave(analyzer *a)
{
    a->table.slots = NULL;
    forms_leave(&a->leader->table);
}

uint32_t analyzer_epoch(const analyzer *a)
{
    return a->table.epoch;
}

size_t analyzer_fill_known(analyzer *a, uint32_t *out, size_t n, uint32_t done,
                           analyzer_word *words, size_t *n_words)
{
    size_t made = 0;
    *n_words = 0;
    while (made + *n_words < n) {
        made += plain_ids(a, out + made, n - made - *n_words);
        if (made + *n_words == n) break;
        if (a->ahead_at == a->ahead_n) {
            if (look_ahead(a)) continue;
            break;
        }
        const word_span *w = &a->ahead[a->ahead_at];
        const form_slot *s = known_word(a, a->ahead_at++);
        if (!s || (!(s->flags & FORM_ONE) && s->has.n))
            words[(*n_words)++] = (analyzer_word){done + (uint32_t)made, (uint32_t)w->start,
                                                  (uint32_t)w->end, w->dotted};
        else if (s->flags & FORM_ONE)
            out[made++] = s->has.id | (is_marked(a, s, w) ? ANALYZER_MARKED : 0);
    }
    return made;
}

size_t analyzer_word_ids(analyzer *a, const analyzer_word *word, uint32_t *out)
{
    const word_span w = {word->start, word->end, word->dotted};
    const char *at = a->words.text + w.start;
    size_t len = w.end - w.start;
    const form_slot *s = forms_find(&a->table, at, len, a->words.len - w.start);
    if (!s) s = forms_add(&a->table, &a->lang, at, len, w.dotted);
    if (!s) a->failed = true;
    if (!s) return 0;
    a->cut_words += s->flags & FORM_CUT;
    if (s->flags & FORM_ONE) {
        out[0] = s->has.id | (is_marked(a, s, &w) ? ANALYZER_MARKED : 0);
        return 1;
    }
    for (uint32_t i = 0; i < s->has.n; i++) {
        const form *it = s->is.list[i];
        out[i] = it->id | (it->marker_len && capitals_here(a, &w) ? ANALYZER_MARKED : 0);
    }
    return s->has.n;
}

void analyzer_word_soon(const analyzer *a, const analyzer_word *word)
{
    size_t len = word->end - word->start;
    if (len > 16) return;
    form_key key =
        forms_key(&a->table, a->words.text + word->start, len, a->words.len - word->start);
    forms_prefetch(&a->table, &key);
}

const form *analyzer_form(analyzer *a, const char *text, size_t len)
{
    if (len > FORM_KEY_MAX) return NULL;
    analyzer saved = *a;
    token t, other;
    analyzer_begin(a, text, len, true);
    const form *found = analyzer_next(a, &t) && !analyzer_next(a, &other) ? t.form : NULL;
    if (a->failed) found = NULL;
    /* The text under way goes on where it was; only what was learnt of words stays. */
    a->words = saved.words;
    memcpy(a->ahead, saved.ahead, sizeof a->ahead);
    memcpy(a->ahead_keys, saved.ahead_keys, sizeof a->ahead_keys);
    a->ahead_at = saved.ahead_at;
    a->ahead_n = saved.ahead_n;
    a->capitals = saved.capitals;
    a->pending = saved.pending;
    a->pending_n = saved.pending_n;
    a->pending_word = saved.pending_word;
    a->position = saved.position;
    a->failed = a->failed || saved.failed;
    a->cut_words = saved.cut_words;
    return found;
}
