/* SPDX-License-Identifier: MIT
 *
 * meter.c - see meter.h.
 */
#include "common/cli/meter.h"

#include <stdio.h>
#include <unistd.h>

const char *meter_bytes(uint64_t bytes, char out[24])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    unsigned unit = 0;
    while (value >= 999.5 && unit < 4) {
        value /= 1000;
        unit++;
    }
    snprintf(out, 24, unit && value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

uint64_t meter_rss(void)
{
    unsigned long long size, resident = 0;
    FILE *pages = fopen("/proc/self/statm", "r");
    if (!pages) return 0;
    if (fscanf(pages, "%llu %llu", &size, &resident) != 2) resident = 0;
    fclose(pages);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t meter_read_bytes(void)
{
    unsigned long long bytes = 0;
    FILE *io = fopen("/proc/self/io", "r");
    if (!io) return 0;
    if (fscanf(io, "rchar: %llu", &bytes) != 1) bytes = 0;
    fclose(io);
    return bytes;
}
