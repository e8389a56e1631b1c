/* SPDX-License-Identifier: MIT
 *
 * campaign.h - thousands of cases of one kind, by forked children, counted.
 *
 * One child for each processor does every n-th case.  A crash or a hang ends the child; the
 * parent says in which case.  The counts and the case in hand lie in shared memory.
 *
 *   PM_DAMAGE_STRIDE=N   every N-th case (default 1; 5 under sanitizers), from
 *   PM_DAMAGE_FIRST=I    the I-th on (default 0)
 */
#ifndef PM_TESTS_CAMPAIGN_H
#define PM_TESTS_CAMPAIGN_H

#include "pressmark.h"

enum { CAMPAIGN_HANG_SECONDS = 20 }; /* of one case, of the processor; a usual one takes 1 ms   */

typedef struct campaign_tally {
    unsigned long cases, same, corrupt, other, findings;
    unsigned long checked; /* pm_check found something                                     */
    const char *file;      /* the case in hand                                                  */
    unsigned long place;
    unsigned change;
    unsigned long begun_us, slowest_us, slowest_place;
} campaign_tally;

/* Does cases first, first + step, ... of ctx; in a child. */
typedef void campaign_work(void *ctx, campaign_tally *tally, unsigned long first,
                           unsigned long step);

/* Run them all and fail the test on findings, crashes, hangs, or no case at all.  every: 1,
 * or campaign_stride(). */
void campaign_run(const char *title, unsigned long every, campaign_work *work, void *ctx);
unsigned long campaign_stride(void);

/* A case begins (the clock starts), something about it is wrong, it ends. */
void campaign_begin(campaign_tally *tally, const char *file, unsigned long place, unsigned change);
void campaign_finding(campaign_tally *tally, const char *what, const char *detail);
void campaign_end(campaign_tally *tally);

#endif
