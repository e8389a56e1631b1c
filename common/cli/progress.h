/* SPDX-License-Identifier: MIT
 *
 * progress.h - one line on standard error that is written again and again, on a terminal only.
 */
#ifndef PM_CLI_PROGRESS_H
#define PM_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "pressmark.h"

typedef struct progress {
    bool on; /* standard error is a terminal and nobody asked for quiet                  */
    uint64_t start_ns, shown_ns;
} progress; /* valid when zeroed: off                                                    */

void progress_begin(progress *p);
/* True ten times a second at most: the line is cleared, and is to be written now. */
bool progress_due(progress *p, double *seconds);
/* Removes the line, so that something else can be written. */
void progress_clear(progress *p);
/* ", 45 %, 12 s left" of a part in 0 .. 1; nothing while it would be a guess. */
void progress_put_left(double part, double seconds);
/* ", 312 MB, merging": memory now, and what is done. */
void progress_put_phase(pm_phase phase);

#endif
