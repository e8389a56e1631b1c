/* SPDX-License-Identifier: MIT
 *
 * forms_shared.h - a table of forms in which one other thread looks words up while its owner adds
 * some.
 *
 *   owner                                   reader
 *   forms_share                             forms_enter   the table as it is, or NULL
 *     forms_add ...                           find ...    with copies of its slots and mask
 *     forms_reset: nobody is within           forms_leave
 *   forms_unshare
 *
 * Slots are filled once, their length last, so a look-up finds a word or does not yet.  A table
 * that grows is another one; the old one goes when the reader looks at none or a newer one.  The
 * reader says which it looks at, and looks again whether that is still the newest (hazard pointers:
 * M. Michael, "Hazard pointers: safe memory reclamation for lock-free objects", 2004).
 */
#ifndef PM_TEXT_FORMS_SHARED_H
#define PM_TEXT_FORMS_SHARED_H

#include "common/text/forms.h"

/* Owner: from now on, until forms_unshare, another thread may enter.  False when memory is
 * refused. */
bool forms_share(forms *f);
/* Owner: wait until nobody is within, and let nobody in. */
void forms_unshare(forms *f);

/* Reader: the newest table, which stays until forms_leave; NULL: there is none now. */
const form_view *forms_enter(forms *f);
void forms_leave(forms *f);

/* forms.c, of a table that may be shared: `old` has been replaced by f->slots; and wait until
 * nobody is within, let nobody in before forms_show. */
void forms_moved(forms *f, form_slot *old);
void forms_hide(forms *f);
void forms_show(forms *f);

/* A table of n slots, all free, is made on a thread of its own, because touching that much memory
 * for the first time takes long; and taken when it is needed, NULL when there is none. */
void forms_prepare(forms *f, size_t n);
form_slot *forms_prepared(forms *f, size_t n);
void forms_unprepare(forms *f); /* and given back when it is not                              */

#endif
