/* SPDX-License-Identifier: MIT
 * impact.c - the one byte that stands for a posting's score, and the way back to tf: the
 * definitions that writer and readers share (FORMAT.md, "impacts").  Doubles, evaluated in
 * the order written, without contraction; so both sides agree to the bit.
 */
#include "common/segment/segment.h"

double segment_norm(const segment_info *info, uint32_t dl)
{
    return info->k1 * (1 - info->b + info->b * dl / info->avgdl_ref);
}

uint8_t impact_encode(uint32_t tf, double norm)
{
    double w = 255.0 * tf / (tf + norm) + 0.5; /* rounded down by the conversion               */
    if (!(w >= 2)) return 1;
    return w < 255 ? (uint8_t)w : 255;
}

uint32_t impact_decode(uint8_t impact, double norm)
{
    if (impact == 255) return UINT32_MAX; /* always an exception                          */
    double tf = norm * impact / (255.0 - impact) + 0.5;
    if (!(tf >= 2)) return 1;
    return tf < UINT32_MAX ? (uint32_t)tf : UINT32_MAX;
}
