/* SPDX-License-Identifier: MIT
 * guard.h - memory that ends (or begins) at a page that may not be touched, for kernels that
 * must read exactly what their counts say.
 */
#ifndef PM_TESTS_GUARD_H
#define PM_TESTS_GUARD_H

#include <stddef.h>

typedef struct guard {
    unsigned char *start; /* usable bytes; a forbidden page before and behind          */
    size_t len;
} guard;

/* len at least; exits the test program when the system refuses. */
guard guard_open(size_t len);
void guard_close(guard *g);
/* The last len bytes of g: what lies behind them may not be touched. */
void *guard_last(const guard *g, size_t len);

#endif
