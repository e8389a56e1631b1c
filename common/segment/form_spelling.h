/* SPDX-License-Identifier: MIT
 * form_spelling.h - spelling a surface form from its folded form (FORMAT.md, "entry of a form"):
 * what the writer of dictionaries and their readers share.
 */
#ifndef PM_SEGMENT_FORM_SPELLING_H
#define PM_SEGMENT_FORM_SPELLING_H

#include "common/segment/dict.h"

/* Letters that are capitals, by their place; FORM_MASK_ALL: all of a to z. */
#define FORM_MASK_ALL UINT32_MAX

static inline bool form_small_letter(uint8_t byte)
{
    return byte >= 'a' && byte <= 'z';
}

/* Puts the folded form with these letters as capitals at out; false when one of them is no
 * letter of a to z.  Nothing is put for mask 0. */
bool form_put_exact(uint8_t *out, slice folded, uint32_t mask);
/* The mask that makes `exact` of `folded`; false when none does. */
bool form_mask_of(slice folded, slice exact, uint32_t *mask);
/* How `exact` is written, or FORM_LISTED. */
form_style form_style_of(slice folded, slice exact);
/* The mask of a style that is not FORM_LISTED. */
uint32_t form_style_mask(form_style style);
/* A form's key to its two parts; false when there is no zero byte. */
bool form_key_parts(slice key, slice *folded, slice *exact);
/* The style of a term's only form: FORM_LISTED where it cannot be made of the term's key. */
form_style form_style_only(slice term_key, slice folded, slice exact);

#endif
