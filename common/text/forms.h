/* SPDX-License-Identifier: MIT
 *
 * forms.h - the table from words, byte for byte as they stand in a text, to their forms.
 *
 *   "China"   -> slot -> form #0 {exact China, folded china, stem china}
 *   "China’s" -> slot -> form #0
 *   "U.S.’s"  -> slot -> form #1 {exact US, ..., marker US}, dotted
 *   "½"       -> slot -> list -> form #2 {1}, form #3 {2}
 *
 * A slot holds words of up to 16 bytes whole, two slots to a cache line, so that a word
 * seen before costs one hash and mostly one cache line; its form is not touched.  Among
 * 86,000 forms that takes 34 ns a word with finding it; a chain of slot, entry and form
 * took 48.
 *
 *   bytes   0             8             16              24       28   30
 *           first 8       next 8        form or list    id or n  len  flags      len <= 16
 *           hash          -> all bytes  form or list    id or n  len  flags      len > 16
 *
 * A text is looked up some words behind where it is read: forms_key and forms_prefetch first,
 * forms_find_key when the slot has had time to arrive.
 *
 * One other thread may look words up meanwhile (forms_shared.h): a slot is complete when its length
 * is there, and is never changed after that.
 *
 * Forms are unique by (exact, marker): `eg` and `e.g.` have the same exact spelling and are
 * two forms, because only the second can carry a marker.  The hash is keyed with a random
 * seed, so that no text can be made to collide; ids follow first appearance and do not
 * depend on it.
 */
#ifndef PM_TEXT_FORMS_H
#define PM_TEXT_FORMS_H

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/text/fold.h"
#include "common/text/language.h"

enum { FORM_KEY_MAX = 1024 }; /* longer words are analysed each time anew                  */

enum {
    FORM_CUT = 1,    /* something of the word was cut off                                */
    FORM_DOTTED = 2, /* carries its marker in any line                                   */
    FORM_MARKER = 4, /* its only form has a marker                                       */
    FORM_ONE = 8     /* it has one form, whose id is in the slot                         */
};

/* What is known of one raw word.  Free when len is 0.  Moves when a word is added. */
typedef struct form_slot {
    uint64_t k0;
    union {
        uint64_t k1;
        const char *key;
    } u;
    union {
        const form *one;         /* FORM_ONE                                            */
        const form *const *list; /* else; lives until forms_reset                       */
    } is;
    union {
        uint32_t id; /* FORM_ONE: of the form, which need not be touched                */
        uint32_t n;  /* else: forms of the word; 0: it has no term                      */
    } has;
    uint16_t len;
    uint16_t flags;
} form_slot;

/* A table as another thread sees it; stays until that looks at none or a newer one. */
typedef struct form_view {
    form_slot *slots;
    size_t mask;
    uint32_t epoch;         /* how often forms were forgotten before, plus one                */
    struct form_view *next; /* retired before                                                */
} form_view;

typedef struct forms {
    form_slot *slots;
    size_t mask; /* slots - 1                                                            */
    size_t used;
    uint64_t seed;
    form **by_id;
    size_t by_id_cap;
    uint32_t count;
    arena memory;
    form_slot loose; /* the last word over FORM_KEY_MAX; its list until the next such    */
    struct form_work *work;
    uint32_t epoch;
    bool shared;
    _Atomic(form_view *) view, read; /* while shared: the newest; the one that is looked at  */
    form_view *retired;
    struct thread *maker; /* of `next`; NULL: none has been begun                             */
    form_slot *next;      /* the maker's until it has been joined: room for n_next slots      */
    size_t n_next;
} forms;

pm_status forms_init(forms *f, pm_error *err);
void forms_free(forms *f);
void forms_reset(forms *f);
size_t forms_memory(const forms *f);

/* Analyse a word that forms_find does not know and remember it; NULL when memory was
 * refused (then nothing changed but perhaps forms without a word). */
const form_slot *forms_add(forms *f, language *l, const char *word, size_t len, bool dotted);

/* The eight bytes at p, as many as belong to the word, the others zero.  `tail` bytes of
 * the text may be read from p on. */
static inline uint64_t form_load(const char *p, size_t len, size_t tail)
{
    uint64_t v = 0;
    if (tail >= 8) {
        v = load_u64(p);
        return len >= 8 ? v : v & ((UINT64_C(1) << (8 * len)) - 1);
    }
    for (size_t i = 0; i < len; i++) v |= (uint64_t)(uint8_t)p[i] << (8 * i);
    return v;
}

/* Keyed: both halves are mixed with secrets before they meet, so collisions cannot be computed (a
 * folded multiplication, as in Wang Yi's wyhash, 2019).  The length is left out: words of one key
 * and two lengths differ in zeros at their ends alone, and are told apart by the slot. */
static inline uint64_t form_hash_short(uint64_t seed, uint64_t k0, uint64_t k1)
{
    return hash_fold(k0 ^ seed, k1 ^ seed * UINT64_C(0xbf58476d1ce4e5b9));
}

static inline uint64_t form_hash_long(uint64_t seed, const char *p, size_t len)
{
    uint64_t h = seed ^ len;
    for (size_t at = 0; at < len; at += 8) h = hash_mix(h + form_load(p + at, len - at, len - at));
    return h;
}

/* Behind it the rest of the slot is there, whoever filled it. */
static inline uint16_t form_slot_len(const form_slot *s)
{
    return __atomic_load_n(&s->len, __ATOMIC_ACQUIRE);
}

/* The word p[0, len) of more than 16 bytes, or NULL. */
const form_slot *forms_find_long(const forms *f, const char *p, size_t len);

/* What a word of up to 16 bytes is looked up by. */
typedef struct form_key {
    uint64_t k0, k1, hash;
} form_key;

/* The low n bytes of a number. */
static inline uint64_t form_low(uint64_t v, size_t n)
{
    return n ? v & UINT64_MAX >> (64 - 8 * n) : 0;
}

/* Of the word p[0, len), 0 < len <= 16.  `tail` >= len is what may be read. */
static inline form_key forms_key(const forms *f, const char *p, size_t len, size_t tail)
{
    form_key key = {0};
    if (tail >= 16) {
        key.k0 = form_low(load_u64(p), len < 8 ? len : 8);
        key.k1 = form_low(load_u64(p + 8), len < 8 ? 0 : len - 8);
    } else {
        key.k0 = form_load(p, len, tail);
        if (len > 8) key.k1 = form_load(p + 8, len - 8, tail - 8);
    }
    key.hash = form_hash_short(f->seed, key.k0, key.k1);
    return key;
}

static inline void forms_prefetch(const forms *f, const form_key *key)
{
    __builtin_prefetch(&f->slots[key->hash & f->mask]);
}

static inline const form_slot *forms_find_key(const forms *f, const form_key *key, size_t len)
{
    size_t i = key->hash & f->mask, its_len;
    for (const form_slot *s = &f->slots[i]; (its_len = form_slot_len(s)) != 0; s = &f->slots[i]) {
        if (s->k0 == key->k0 && s->u.k1 == key->k1 && its_len == len) return s;
        i = (i + 1) & f->mask;
    }
    return NULL;
}

/* The slot of the word p[0, len), len > 0, or NULL. */
static inline const form_slot *forms_find(const forms *f, const char *p, size_t len, size_t tail)
{
    if (len > 16) return forms_find_long(f, p, len);
    form_key key = forms_key(f, p, len, tail);
    return forms_find_key(f, &key, len);
}

#endif
