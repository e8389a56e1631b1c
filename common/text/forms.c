/* SPDX-License-Identifier: MIT
 *
 * forms.c - see forms.h.  Takes raw words, gives forms.
 *
 * A form is found under its exact spelling as if that were a raw word (it is one, or could
 * be), with a byte 01, which no word begins with, before it when the marker does not follow
 * from the spelling.  One table serves both, and most words need one entry.
 */
#include "common/text/forms_shared.h"

#include "common/base/clock.h"

#include <sys/random.h>

enum {
    FIRST_SLOTS = 256,
    KEEP_SLOTS = 16 << 10,
    PREPARED_SLOTS = 256 << 10, /* of 8 MB: some ms                                         */
    PIECES_MAX = ANALYZER_WORD_FORMS,
};

/* Room to take one word apart; kept because it is too large for a stack frame. */
typedef struct form_work {
    fold_word whole, piece;
    const form *found[PIECES_MAX], *loose[PIECES_MAX];
    size_t n;
    bool cut;
} form_work;

typedef struct spelling {
    char text[1 + TERM_MAX_BYTES]; /* a key may have a byte in front (form_name)               */
    size_t len;
} spelling;

/* ---- the table ---------------------------------------------------------------------------- */

static uint64_t random_seed(const void *where)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed) return seed;
    return hash_mix((uint64_t)(uintptr_t)where ^ hash_mix(clock_ns()));
}

pm_status forms_init(forms *f, pm_error *err)
{
    *f = (forms){.mask = FIRST_SLOTS - 1, .epoch = 1};
    f->seed = random_seed(f);
    f->slots = mem_array(FIRST_SLOTS, sizeof *f->slots);
    f->work = mem_alloc(sizeof *f->work);
    if (f->slots && f->work) return PM_OK;
    forms_free(f);
    return error_nomem(err);
}

void forms_free(forms *f)
{
    forms_unprepare(f);
    mem_free(f->slots);
    mem_free(f->by_id);
    mem_free(f->work);
    arena_free(&f->memory);
    *f = (forms){0};
}

/* A large table goes; a small one, which is made anew in vain where memory is refused, stays. */
static void reset_slots(forms *f)
{
    form_slot *slots = NULL;
    if (f->mask + 1 > KEEP_SLOTS) slots = mem_array(FIRST_SLOTS, sizeof *slots);
    if (slots) {
        mem_free(f->slots);
        f->slots = slots;
        f->mask = FIRST_SLOTS - 1;
    } else {
        memset(f->slots, 0, (f->mask + 1) * sizeof *f->slots);
    }
    f->used = 0;
}

void forms_reset(forms *f)
{
    forms_hide(f);
    forms_unprepare(f);
    f->epoch++;
    reset_slots(f);
    arena_free(&f->memory);
    mem_free(f->by_id);
    f->by_id = NULL;
    f->by_id_cap = 0;
    f->count = 0;
    forms_show(f);
}

size_t forms_memory(const forms *f)
{
    return (f->mask + 1) * sizeof *f->slots + f->by_id_cap * sizeof *f->by_id + f->memory.total +
           sizeof *f->work;
}

const form_slot *forms_find_long(const forms *f, const char *p, size_t len)
{
    if (len > FORM_KEY_MAX) return NULL;
    uint64_t hash = form_hash_long(f->seed, p, len);
    size_t i = hash & f->mask, its_len;
    for (const form_slot *s = &f->slots[i]; (its_len = form_slot_len(s)) != 0; s = &f->slots[i]) {
        if (s->k0 == hash && its_len == len && !memcmp(s->u.key, p, len)) return s;
        i = (i + 1) & f->mask;
    }
    return NULL;
}

/* A free slot for what `s` holds. */
static form_slot *free_slot(form_slot *slots, size_t mask, uint64_t seed, const form_slot *s)
{
    size_t i = s->len > 16 ? s->k0 : form_hash_short(seed, s->k0, s->u.k1);
    i &= mask;
    while (slots[i].len) i = (i + 1) & mask;
    return &slots[i];
}

/* Make room for one more: at most five slots in eight are ever used.  A large table that comes near
 * that has the next one made beside, where there are two threads anyway. */
static bool reserve_slot(forms *f)
{
    size_t n = (f->mask + 1) * 2;
    if (f->used < n / 16 * 5) {
        if (f->shared && n >= PREPARED_SLOTS && f->used == n / 32 * 9) forms_prepare(f, n);
        return true;
    }
    form_slot *slots = forms_prepared(f, n);
    if (!slots) slots = mem_table(n, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i <= f->mask; i++)
        if (f->slots[i].len) *free_slot(slots, n - 1, f->seed, &f->slots[i]) = f->slots[i];
    form_slot *old = f->slots;
    f->slots = slots;
    f->mask = n - 1;
    forms_moved(f, old);
    return true;
}

/* Remember a word of which `s` has the forms and flags. */
static form_slot *insert(forms *f, const char *key, size_t len, form_slot s)
{
    if (!reserve_slot(f)) return NULL;
    s.len = (uint16_t)len;
    if (len > 16) {
        s.k0 = form_hash_long(f->seed, key, len);
        s.u.key = arena_strndup(&f->memory, key, len);
        if (!s.u.key) return NULL;
    } else {
        s.k0 = form_load(key, len, len);
        s.u.k1 = len > 8 ? form_load(key + 8, len - 8, len - 8) : 0;
    }
    form_slot *place = free_slot(f->slots, f->mask, f->seed, &s);
    place->k0 = s.k0;
    place->u = s.u;
    place->is = s.is;
    place->has = s.has;
    place->flags = s.flags;
    __atomic_store_n(&place->len, s.len, __ATOMIC_RELEASE);
    f->used++;
    return place;
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

/* Copy a spelling to *at, unless `like` has the same bytes. */
static const char *keep(char **at, const char *text, size_t len, const char *like, size_t like_len)
{
    if (like_len == len && !memcmp(text, like, len)) return like;
    char *copy = *at;
    memcpy(copy, text, len);
    copy[len] = 0;
    *at += len + 1;
    return copy;
}

/* A copy of a form, its spellings behind it in one piece of memory, not yet known to the table. */
static form *place_form(forms *f, const form *like)
{
    char room[4 * (TERM_MAX_BYTES + 1)], *at = room;
    const char *e = keep(&at, like->exact, like->exact_len, "", 0);
    const char *d = keep(&at, like->folded, like->folded_len, e, like->exact_len);
    const char *s = keep(&at, like->stem, like->stem_len, d, like->folded_len);
    const char *m = keep(&at, like->marker, like->marker_len, e, like->exact_len);
    size_t bytes = (size_t)(at - room);
    char *block = arena_alloc(&f->memory, sizeof(form) + bytes);
    if (!block) return NULL;
    char *text = block + sizeof(form);
    memcpy(text, room, bytes);
    form made = *like;
    made.exact = text + (e - room);
    made.folded = text + (d - room);
    made.stem = text + (s - room);
    made.marker = text + (m - room);
    return memcpy(block, &made, sizeof made);
}

/* A new form, like this one, and its slot under `key`; the slot, or NULL when memory was
 * refused. */
static form_slot *add_form(forms *f, const form *like, const char *key, size_t key_len, bool cut)
{
    if (!mem_grow(&f->by_id, &f->by_id_cap, (size_t)f->count + 1, sizeof *f->by_id)) return NULL;
    form *made = place_form(f, like);
    if (!made) return NULL;
    form_slot s = {.is.one = made, .has.id = f->count};
    s.flags = (uint16_t)(FORM_ONE | (cut ? FORM_CUT : 0) | (made->marker_len ? FORM_MARKER : 0));
    form_slot *place = insert(f, key, key_len, s);
    if (!place) return NULL;
    made->id = f->count;
    f->by_id[f->count++] = made;
    return place;
}

/* The form of an exact spelling that folds to `folded`, worked out and added under `key`; NULL when
 * memory was refused. */
static form_slot *make_form(forms *f, language *l, const spelling *exact, const spelling *folded,
                            bool marked, const spelling *key, bool cut)
{
    spelling marker = {.len = 0};
    size_t stem_len = folded->len;
    const char *stem = language_stem(l, folded->text, &stem_len);
    if (!stem) return NULL;
    if (marked) marker.len = fold_capitals(folded->text, folded->len, marker.text, &cut);
    const form like = {
        .exact = exact->text,
        .exact_len = (uint16_t)exact->len,
        .folded = folded->text,
        .folded_len = (uint16_t)folded->len,
        .stem = stem,
        .stem_len = (uint16_t)stem_len,
        .marker = marker.text,
        .marker_len = (uint16_t)marker.len,
    };
    return add_form(f, &like, key->text, key->len, cut);
}

/* What a form is found under: its exact spelling, behind 01 when its marker does not follow
 * from that.  Returns the key's length. */
static size_t form_name(char key[1 + TERM_MAX_BYTES], const char *exact, size_t len, bool marked)
{
    size_t prefix = marked && !is_capitals(exact, len);
    key[0] = 1;
    memcpy(key + prefix, exact, len);
    return len + prefix;
}

/* The form of one piece of a word, added to work->found; one that folds to nothing has none.  False
 * when memory was refused. */
static bool add_piece(forms *f, language *l, const fold_word *piece, bool dotted)
{
    form_work *work = f->work;
    spelling exact, folded, key;
    bool fold_cut = false;
    exact.len = fold_exact(piece, exact.text, &work->cut);
    if (!exact.len) return true;
    key.len = form_name(key.text, exact.text, exact.len, dotted);
    const form_slot *s = forms_find(f, key.text, key.len, key.len);
    if (s && !(s->flags & FORM_ONE)) return true;
    if (!s) folded.len = fold_text(exact.text, exact.len, folded.text, &fold_cut);
    if (!s && !folded.len) return true;
    if (work->n == PIECES_MAX) {
        work->cut = true;
        return true;
    }
    bool cut = work->cut, marked = dotted || is_capitals(exact.text, exact.len);
    if (!s) s = make_form(f, l, &exact, &folded, marked, &key, fold_cut);
    if (!s) return false;
    work->cut = cut || (s->flags & FORM_CUT);
    work->found[work->n++] = s->is.one;
    return true;
}

/* ---- taking a word apart ------------------------------------------------------------------ */

static bool is_s(uint32_t cp)
{
    return cp == 's' || cp == 'S';
}

/* A letter or digit of ASCII, of which no table need be asked. */
static bool is_plain(uint32_t cp)
{
    return (cp >= '0' && cp <= '9') || ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z');
}

/* The word's characters without ignorables, apostrophes, a final 's and an acronym's points. */
static void read_word(form_work *work, const char *word, size_t len, bool dotted)
{
    fold_word *w = &work->whole;
    bool after_apostrophe = false, possessive = false;
    w->n = 0;
    for (size_t at = 0; at < len;) {
        uint32_t cp = utf8_next(word, len, &at);
        char_class c = is_plain(cp) ? CHAR_LETTER : char_classify(cp);
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
    if (piece->n < WORD_CHARS)
        piece->cp[piece->n++] = cp;
    else
        work->cut = true;
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
            if (parts[k])
                push(work, parts[k]);
            else if (!end_piece(f, l, false))
                return false;
        }
    }
    return end_piece(f, l, dotted && !work->n);
}

/* What was found of a word, its list of forms in `list`. */
static form_slot summary(const form_work *work, const form *const *list, bool dotted)
{
    form_slot s = {.is.list = list, .has.n = (uint32_t)work->n};
    if (work->cut) s.flags |= FORM_CUT;
    if (work->n != 1) return s;
    s.is.one = work->found[0];
    s.has.id = s.is.one->id;
    s.flags |= FORM_ONE;
    if (s.is.one->marker_len) s.flags |= FORM_MARKER;
    if (dotted) s.flags |= FORM_DOTTED;
    return s;
}

/* A word too long to be kept. */
static const form_slot *fill_loose(forms *f, bool dotted)
{
    form_work *work = f->work;
    memcpy(work->loose, work->found, work->n * sizeof *work->found);
    f->loose = summary(work, work->loose, dotted);
    return &f->loose;
}

/* A word that is not itself the key of a form. */
static const form_slot *add_slot(forms *f, const char *word, size_t len, bool dotted)
{
    form_work *work = f->work;
    const form **list = NULL;
    if (work->n > 1) {
        list = arena_alloc(&f->memory, work->n * sizeof *list);
        if (!list) return NULL;
        memcpy(list, work->found, work->n * sizeof *list);
    }
    return insert(f, word, len, summary(work, list, dotted));
}

/* Whether a word is letters and digits of ASCII alone: its own exact spelling, in one piece. */
static bool is_plain_word(const char *word, size_t len)
{
    if (len > TERM_MAX_BYTES) return false;
    for (size_t i = 0; i < len; i++)
        if (!is_plain((uint8_t)word[i])) return false;
    return true;
}

static const form_slot *add_plain(forms *f, language *l, const char *word, size_t len)
{
    spelling exact = {.len = len}, folded;
    bool cut = false;
    memcpy(exact.text, word, len);
    folded.len = fold_text(exact.text, len, folded.text, &cut);
    return make_form(f, l, &exact, &folded, is_capitals(exact.text, len), &exact, cut);
}

const form_slot *forms_add(forms *f, language *l, const char *word, size_t len, bool dotted)
{
    form_work *work = f->work;
    if (!dotted && is_plain_word(word, len)) return add_plain(f, l, word, len);
    work->n = 0;
    work->cut = false;
    read_word(work, word, len, dotted);
    if (!add_pieces(f, l, dotted)) return NULL;
    if (len > FORM_KEY_MAX) return fill_loose(f, dotted);
    const form_slot *own = forms_find(f, word, len, len); /* its form may have made it */
    return own ? own : add_slot(f, word, len, dotted);
}
