/* SPDX-License-Identifier: MIT
 * form_spelling.c - see form_spelling.h.
 */
#include "common/segment/form_spelling.h"

bool form_put_exact(uint8_t *out, slice folded, uint32_t mask)
{
    bool all = mask == FORM_MASK_ALL;
    if (!mask) return true;
    if (!all && (folded.len < 32 && mask >> folded.len)) return false;
    for (size_t i = 0; i < folded.len; i++) {
        bool letter = form_small_letter(folded.data[i]), wanted = all || (i < 32 && mask >> i & 1);
        if (wanted && !letter && !all) return false;
        out[i] = (uint8_t)(folded.data[i] - (wanted && letter ? 'a' - 'A' : 0));
    }
    return true;
}

bool form_mask_of(slice folded, slice exact, uint32_t *mask)
{
    bool all = true, far = false; /* far: a capital that a mask cannot name                 */
    *mask = 0;
    if (!exact.len) return true;
    if (exact.len != folded.len) return false;
    for (size_t i = 0; i < folded.len; i++) {
        bool letter = form_small_letter(folded.data[i]);
        if (exact.data[i] == folded.data[i]) {
            all &= !letter;
            continue;
        }
        if (!letter || exact.data[i] + ('a' - 'A') != folded.data[i]) return false;
        if (i < 31)
            *mask |= UINT32_C(1) << i;
        else
            far = true;
    }
    if (all && (*mask > 1 || far)) *mask = FORM_MASK_ALL;
    return *mask && (all || !far);
}

form_style form_style_of(slice folded, slice exact)
{
    uint32_t mask;
    if (!form_mask_of(folded, exact, &mask)) return FORM_LISTED;
    if (!mask) return FORM_SAME;
    if (mask == FORM_MASK_ALL) return FORM_CAPITALS;
    return mask == 1 ? FORM_CAPITALISED : FORM_LISTED;
}

uint32_t form_style_mask(form_style style)
{
    if (style == FORM_CAPITALS) return FORM_MASK_ALL;
    return style == FORM_CAPITALISED ? 1 : 0;
}

bool form_key_parts(slice key, slice *folded, slice *exact)
{
    const uint8_t *zero = key.len ? memchr(key.data, 0, key.len) : NULL;
    if (!zero) return false;
    *folded = (slice){key.data, (size_t)(zero - key.data)};
    *exact = (slice){zero + 1, key.len - folded->len - 1};
    return true;
}

form_style form_style_only(slice term_key, slice folded, slice exact)
{
    if (folded.len != term_key.len || !folded.len || 2 * folded.len + 1 > DICT_KEY_MAX ||
        memcmp(folded.data, term_key.data, folded.len) != 0)
        return FORM_LISTED;
    return form_style_of(folded, exact);
}
