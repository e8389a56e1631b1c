/* SPDX-License-Identifier: MIT
 *
 * forms_shared.c - see forms_shared.h.  A view has its slots for itself unless they are the
 * owner's.
 */
#include "common/text/forms_shared.h"

#include <sched.h>
#include <stdatomic.h>

#include "common/base/thread.h"

/* Views that nobody looks at any more go. */
static void sweep(forms *f)
{
    form_view *kept = NULL, *next;
    for (form_view *v = f->retired; v; v = next) {
        next = v->next;
        if (v == atomic_load(&f->read)) {
            v->next = kept;
            kept = v;
            continue;
        }
        if (v->slots != f->slots) mem_free(v->slots);
        mem_free(v);
    }
    f->retired = kept;
}

/* The view that readers are given from now on. */
static void replace_view(forms *f, form_view *v)
{
    form_view *old = atomic_exchange(&f->view, v);
    if (!old) return;
    old->next = f->retired;
    f->retired = old;
}

/* Without memory readers are given the view that there was. */
void forms_show(forms *f)
{
    if (!f->shared) return;
    form_view *v = mem_alloc(sizeof *v);
    if (!v) return;
    *v = (form_view){.slots = f->slots, .mask = f->mask, .epoch = f->epoch};
    replace_view(f, v);
    sweep(f);
}

void forms_hide(forms *f)
{
    if (!f->shared) return;
    replace_view(f, NULL);
    while (atomic_load(&f->read)) sched_yield();
    sweep(f);
}

void forms_moved(forms *f, form_slot *old)
{
    const form_view *v = f->shared ? atomic_load(&f->view) : NULL;
    if (!v || v->slots != old) mem_free(old);
    forms_show(f);
}

static void make_next(void *ctx)
{
    forms *f = ctx;
    f->next = mem_table(f->n_next, sizeof *f->next);
}

void forms_prepare(forms *f, size_t n)
{
    if (f->maker) return;
    f->n_next = n;
    (void)thread_start(&f->maker, make_next, f, NULL);
}

form_slot *forms_prepared(forms *f, size_t n)
{
    thread_join(f->maker);
    f->maker = NULL;
    form_slot *made = f->next;
    f->next = NULL;
    if (f->n_next == n) return made;
    mem_free(made);
    return NULL;
}

void forms_unprepare(forms *f)
{
    mem_free(forms_prepared(f, f->n_next));
}

bool forms_share(forms *f)
{
    f->shared = true;
    forms_show(f);
    if (atomic_load(&f->view)) return true;
    f->shared = false;
    return false;
}

void forms_unshare(forms *f)
{
    forms_hide(f);
    forms_unprepare(f);
    f->shared = false;
}

const form_view *forms_enter(forms *f)
{
    for (form_view *v; (v = atomic_load(&f->view)) != NULL;) {
        atomic_store(&f->read, v);
        if (atomic_load(&f->view) == v) return v;
    }
    atomic_store(&f->read, NULL);
    return NULL;
}

void forms_leave(forms *f)
{
    atomic_store(&f->read, NULL);
}
