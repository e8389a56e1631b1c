/* SPDX-License-Identifier: MIT
 *
 * forms.h - the table from words, byte for byte as they stand in a text, to their forms.
 *
 *   raw bytes --hash--> slot --> entry --> form(s)
 *
 *   "China"    -> entry --> form #0 {exact China, folded china, stem china}
 *   "China’s"  -> entry --> form #0
 *   "U.S.’s"   -> entry --> form #1 {exact US, ..., marker US}, dotted
 *   "½"        -> entry --> form #2 {1}, form #3 {2}
 *
 * So a word seen before costs one hash and one comparison.  Forms are unique by (exact,
 * marker): `eg` and `e.g.` have the same exact spelling and are two forms, because only the
 * second can carry a marker.  The hash is keyed with a random seed, so that no text can be
 * made to collide; ids follow first appearance and do not depend on it.
 */
#ifndef PM_TEXT_FORMS_H
#define PM_TEXT_FORMS_H

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/text/fold.h"
#include "common/text/language.h"

enum { FORM_KEY_MAX = 1024 }; /* longer words are analysed each time anew                  */

/* What is known of one raw word.  Lives until forms_reset. */
typedef struct form_entry {
    const form *const *forms; /* n of them; `first` when n is 1                          */
    const form *first;
    uint32_t n;               /* 0: the word has no term                                 */
    uint32_t key_len;
    bool cut;                 /* something of it was cut off                             */
    bool dotted;              /* carries its marker in any line                          */
    char key[];               /* zeros up to a multiple of 8, at least 16                */
} form_entry;

typedef struct form_slot {
    uint64_t hash;
    form_entry *entry; /* NULL: free                                                     */
} form_slot;

typedef struct forms {
    form_slot *slots;
    size_t mask;       /* slots - 1; 0: no table yet                                     */
    size_t used;
    uint64_t seed;
    form **by_id;
    size_t by_id_cap;
    uint32_t count;
    arena memory;
    form_entry *loose; /* for the last word over FORM_KEY_MAX                            */
    struct form_work *work;
} forms;

pm_status forms_init(forms *f, pm_error *err);
void forms_free(forms *f);
void forms_reset(forms *f);
size_t forms_memory(const forms *f);

/* Analyse a word that forms_find does not know and remember it; NULL when memory was
 * refused (then nothing changed but perhaps forms without a word). */
const form_entry *forms_add(forms *f, language *l, const char *word, size_t len, bool dotted);

/* The eight bytes at p, as many as belong to the word, the others zero.  `tail` bytes of
 * the text may be read from p on. */
static inline uint64_t form_load(const char *p, size_t len, size_t tail)
{
    uint64_t v = 0;
    if (tail >= 8) {
        v = load_u64(p);
        return len >= 8 ? v : v & ((UINT64_C(1) << (8 * len)) - 1);
    }
    for (size_t i = 0; i < len && i < 8; i++) v |= (uint64_t)(uint8_t)p[i] << (8 * i);
    return v;
}

/* Keyed: the seed goes in before the first byte, so collisions cannot be computed. */
static inline uint64_t form_hash(uint64_t seed, const char *p, size_t len, uint64_t first,
                                 size_t tail)
{
    uint64_t h = hash_mix(seed ^ first ^ (uint64_t)len << 56);
    for (size_t at = 8; at < len; at += 8)
        h = hash_mix(h + form_load(p + at, len - at, tail - at));
    return h;
}

static inline bool form_key_equal(const form_entry *e, const char *p, size_t len, uint64_t first,
                                  size_t tail)
{
    if (e->key_len != len || load_u64(e->key) != first) return false;
    if (len <= 8) return true;
    if (len <= 16) return load_u64(e->key + 8) == form_load(p + 8, len - 8, tail - 8);
    return !memcmp(e->key + 8, p + 8, len - 8);
}

/* The entry of the word p[0, len), len > 0, or NULL.  `tail` >= len is what may be read. */
static inline form_entry *forms_find(const forms *f, const char *p, size_t len, size_t tail)
{
    if (len > FORM_KEY_MAX) return NULL;
    uint64_t first = form_load(p, len, tail);
    uint64_t hash = form_hash(f->seed, p, len, first, tail);
    for (size_t i = hash & f->mask; f->slots[i].entry; i = (i + 1) & f->mask)
        if (f->slots[i].hash == hash && form_key_equal(f->slots[i].entry, p, len, first, tail))
            return f->slots[i].entry;
    return NULL;
}

#endif
