/* SPDX-License-Identifier: MIT
 *
 * meter.h - time and memory of this process, for summaries of commands.
 */
#ifndef PM_CLI_METER_H
#define PM_CLI_METER_H

#include "common/base/clock.h"

static inline uint64_t meter_now_ns(void)
{
    return clock_ns();
}
static inline uint64_t meter_cpu_ns(void)
{
    return clock_cpu_ns();
}
static inline uint64_t meter_peak_rss(void)
{
    return clock_peak_rss();
}
static inline double meter_seconds(uint64_t since_ns)
{
    return (double)(clock_ns() - since_ns) / 1e9;
}

/* Memory of this process now; 0 when the system does not say. */
uint64_t meter_rss(void);
/* Bytes this process has read from files so far; 0 when the system does not say. */
uint64_t meter_read_bytes(void);
/* bytes as "12.3 MB"; out holds 24 bytes. */
const char *meter_bytes(uint64_t bytes, char out[24]);

#endif
