/* SPDX-License-Identifier: MIT
 * clock.h - monotonic time, processor time and peak memory of this process.
 */
#ifndef PM_BASE_CLOCK_H
#define PM_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_ns(void);       /* monotonic                                              */
uint64_t clock_cpu_ns(void);   /* processor time of the process, all threads             */
uint64_t clock_peak_rss(void); /* bytes                                                  */

#endif
