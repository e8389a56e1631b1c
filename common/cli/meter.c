/* SPDX-License-Identifier: MIT
 *
 * meter.c - see meter.h.
 */
#include "common/cli/meter.h"

#include <stdio.h>

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
