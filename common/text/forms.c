/* SPDX-License-Identifier: MIT
 *
 * forms.c - see forms.h.  Takes raw words, gives forms.
 *
 * A form is found under its exact spelling as if that were a raw word (it is one, or could
 * be), with a byte 01, which no word begins with, before it when the marker does not follow
 * from the spelling.  One table serves both, and most words need one entry.
 */
#include "common/text/forms.h"

#include <sys/random.h>
#include <time.h>

enum { FIRST_SLOTS = 1024, PIECES_MAX = 256 };

/* Room to take one word apart; kept because it is too large for a stack frame. */
typedef struct form_work {
    fold_word whole, piece;
    const form *found[PIECES_MAX], *loose[PIECES_MAX];
    size_t n;
    bool cut;
} form_work;

typedef struct spelling {
    char text[TERM_MAX_BYTES];
    size_t len;
} spelling;

/* ---- the table ---------------------------------------------------------------------------- */

static size_t entry_bytes(size_t key_len)
{
    size_t padded = key_len < 16 ? 16 : (key_len + 7) & ~(size_t)7;
    return sizeof(form_entry) + padded;
}

static uint64_t random_seed(const void *where)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed) return seed;
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return hash_mix((uint64_t)(uintptr_t)where ^ hash_mix((uint64_t)now.tv_nsec));
}

pm_status forms_init(forms *f, pm_error *err)
{
    *f = (forms){.mask = FIRST_SLOTS - 1};
    f->seed = random_seed(f);
    f->slots = mem_array(FIRST_SLOTS, sizeof *f->slots);
    f->work = mem_alloc(sizeof *f->work);
    f->loose = mem_zalloc(entry_bytes(0));
    if (f->slots && f->work && f->loose) return PM_OK;
    forms_free(f);
    return error_nomem(err);
}

void forms_free(forms *f)
{
    mem_free(f->slots);
    mem_free(f->by_id);
    mem_free(f->loose);
    mem_free(f->work);
    arena_free(&f->memory);
    *f = (forms){0};
}

void forms_reset(forms *f)
{
    memset(f->slots, 0, (f->mask + 1) * sizeof *f->slots);
    f->used = 0;
    f->count = 0;
    arena_reset(&f->memory);
}

size_t forms_memory(const forms *f)
{
    return (f->mask + 1) * sizeof *f->slots + f->by_id_cap * sizeof *f->by_id + f->memory.total +
           sizeof *f->work;
}

static form_slot *free_slot(form_slot *slots, size_t mask, uint64_t hash)
{
    size_t i = hash & mask;
    while (slots[i].entry) i = (i + 1) & mask;
    return &slots[i];
}

/* Make room for one more entry: at most half of the slots are ever used. */
static bool reserve_slot(forms *f)
{
    if (f->used < (f->mask + 1) / 2) return true;
    size_t n = (f->mask + 1) * 2;
    form_slot *slots = mem_array(n, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i <= f->mask; i++)
        if (f->slots[i].entry) *free_slot(slots, n - 1, f->slots[i].hash) = f->slots[i];
    mem_free(f->slots);
    f->slots = slots;
    f->mask = n - 1;
    return true;
}

static void fill_entry(form_entry *e, const form *const *found, size_t n)
{
    e->n = (uint32_t)n;
    e->first = n ? found[0] : NULL;
    e->forms = n == 1 ? &e->first : found;
}

/* Remember a word; `found` must live as long as the table if n > 1. */
static form_entry *insert(forms *f, const char *key, size_t len, const form *const *found, size_t n)
{
    if (!reserve_slot(f)) return NULL;
    form_entry *e = arena_zalloc(&f->memory, entry_bytes(len));
    if (!e) return NULL;
    e->key_len = (uint32_t)len;
    memcpy(e->key, key, len);
    fill_entry(e, found, n);
    uint64_t hash = form_hash(f->seed, key, len, form_load(key, len, len), len);
    *free_slot(f->slots, f->mask, hash) = (form_slot){hash, e};
    f->used++;
    return e;
}

/* ---- making a form ------------------------------------------------------------------------ */

/* Whether a word spelled like this is an acronym by its looks: two to four capitals. */
static bool is_capitals(const char *exact, size_t len)
{
    size_t n = 0;
    for (size_t at = 0; at < len; n++)
        if (!char_is_upper(utf8_next(exact, len, &at))) return false;
    return n >= 2 && n <= 4;
}

/* A copy in the arena, or `like` itself when that has the same bytes. */
static const char *keep(forms *f, const char *text, size_t len, const char *like, size_t like_len)
{
    if (like && like_len == len && !memcmp(text, like, len)) return like;
    return arena_strndup(&f->memory, text, len);
}

static bool fill_form(forms *f, form *made, language *l, const spelling *exact, bool marked)
{
    bool *cut = &f->work->cut;
    spelling folded, marker = {.len = 0};
    folded.len = fold_text(exact->text, exact->len, folded.text, cut);
    size_t stem_len = folded.len;
    const char *stem = language_stem(l, folded.text, &stem_len);
    if (!stem) return false;
    if (marked) marker.len = fold_capitals(folded.text, folded.len, marker.text, cut);
    made->exact_len = (uint16_t)exact->len;
    made->folded_len = (uint16_t)folded.len;
    made->stem_len = (uint16_t)stem_len;
    made->marker_len = (uint16_t)marker.len;
    made->exact = keep(f, exact->text, exact->len, NULL, 0);
    if (!made->exact) return false;
    made->folded = keep(f, folded.text, folded.len, made->exact, exact->len);
    if (!made->folded) return false;
    made->stem = keep(f, stem, stem_len, made->folded, folded.len);
    made->marker = keep(f, marker.text, marker.len, made->exact, exact->len);
    return made->stem && made->marker;
}

/* A new form and its entry under `key`; the entry, or NULL when memory was refused. */
static form_entry *make_form(forms *f, language *l, const spelling *exact, bool marked,
                             const char *key, size_t key_len)
{
    f->work->cut = false;
    if (!mem_grow(&f->by_id, &f->by_id_cap, (size_t)f->count + 1, sizeof *f->by_id)) return NULL;
    form *made = arena_zalloc(&f->memory, sizeof *made);
    if (!made || !fill_form(f, made, l, exact, marked)) return NULL;
    const form *const found[1] = {made};
    form_entry *e = insert(f, key, key_len, found, 1);
    if (!e) return NULL;
    e->cut = f->work->cut;
    made->id = f->count;
    f->by_id[f->count++] = made;
    return e;
}

/* Whether a spelling has a term: one that folds to nothing has not. */
static bool has_term(const spelling *exact)
{
    char folded[TERM_MAX_BYTES];
    bool cut = false;
    return fold_text(exact->text, exact->len, folded, &cut) > 0;
}

/* The form of one piece of a word, added to work->found.  False when memory was refused. */
static bool add_piece(forms *f, language *l, const fold_word *piece, bool dotted)
{
    form_work *work = f->work;
    spelling exact;
    exact.len = fold_exact(piece, exact.text, &work->cut);
    if (!exact.len) return true;
    bool looks = is_capitals(exact.text, exact.len);
    char key[1 + TERM_MAX_BYTES] = {1};
    size_t prefix = dotted && !looks;
    memcpy(key + prefix, exact.text, exact.len);
    const form_entry *e = forms_find(f, key, exact.len + prefix, exact.len + prefix);
    if (e ? !e->n : !has_term(&exact)) return true;
    if (work->n == PIECES_MAX) {
        work->cut = true;
        return true;
    }
    bool cut = work->cut;
    if (!e) e = make_form(f, l, &exact, dotted || looks, key, exact.len + prefix);
    if (!e) return false;
    work->cut = cut || e->cut;
    work->found[work->n++] = e->first;
    return true;
}

/* ---- taking a word apart ------------------------------------------------------------------ */

static bool is_s(uint32_t cp) { return cp == 's' || cp == 'S'; }

/* The word's characters without ignorables, apostrophes, a final 's and an acronym's points. */
static void read_word(form_work *work, const char *word, size_t len, bool dotted)
{
    fold_word *w = &work->whole;
    bool after_apostrophe = false, possessive = false;
    w->n = 0;
    for (size_t at = 0; at < len;) {
        uint32_t cp = utf8_next(word, len, &at);
        char_class c = char_classify(cp);
        if (c == CHAR_IGNORABLE || (dotted && cp == '.')) continue;
        if (c == CHAR_APOSTROPHE) {
            after_apostrophe = true;
            possessive = false;
            continue;
        }
        if (w->n == WORD_CHARS) {
            work->cut = true;
            return;
        }
        possessive = after_apostrophe && is_s(cp);
        after_apostrophe = false;
        w->cp[w->n++] = cp;
    }
    if (possessive) w->n--;
}

/* End the piece being gathered, if there is any. */
static bool end_piece(forms *f, language *l, bool dotted)
{
    fold_word *piece = &f->work->piece;
    bool ok = !piece->n || add_piece(f, l, piece, dotted);
    piece->n = 0;
    return ok;
}

/* Add a character to the piece; a mark cannot begin one. */
static void push(form_work *work, uint32_t cp)
{
    fold_word *piece = &work->piece;
    if (!piece->n && cp >= 0x80 && char_classify(cp) == CHAR_MARK) return;
    if (piece->n < WORD_CHARS) piece->cp[piece->n++] = cp;
    else work->cut = true;
}

/* Split the word where the compatibility form of a character has a separator. */
static bool add_pieces(forms *f, language *l, bool dotted)
{
    form_work *work = f->work;
    work->piece.n = 0;
    for (size_t i = 0; i < work->whole.n; i++) {
        uint32_t parts[SPLIT_MAX], cp = work->whole.cp[i];
        size_t n = fold_split(cp, parts);
        if (!n) push(work, cp);
        for (size_t k = 0; k < n; k++) {
            if (parts[k]) push(work, parts[k]);
            else if (!end_piece(f, l, false)) return false;
        }
    }
    return end_piece(f, l, dotted && !work->n);
}

/* An entry outside the table, for a word too long to be kept: good until the next such. */
static form_entry *fill_loose(forms *f)
{
    form_work *work = f->work;
    memcpy(work->loose, work->found, work->n * sizeof *work->found);
    fill_entry(f->loose, work->loose, work->n);
    return f->loose;
}

static form_entry *make_entry(forms *f, const char *word, size_t len)
{
    form_work *work = f->work;
    const form *const *found = work->found;
    if (work->n > 1) {
        const form **copy = arena_alloc(&f->memory, work->n * sizeof *copy);
        if (!copy) return NULL;
        memcpy(copy, work->found, work->n * sizeof *copy);
        found = copy;
    }
    return insert(f, word, len, found, work->n);
}

const form_entry *forms_add(forms *f, language *l, const char *word, size_t len, bool dotted)
{
    form_work *work = f->work;
    work->n = 0;
    work->cut = false;
    read_word(work, word, len, dotted);
    if (!add_pieces(f, l, dotted)) return NULL;
    form_entry *e = forms_find(f, word, len, len); /* its own form may have made it */
    if (!e) e = len > FORM_KEY_MAX ? fill_loose(f) : make_entry(f, word, len);
    if (!e) return NULL;
    e->cut = work->cut;
    e->dotted = dotted && work->n == 1;
    return e;
}
