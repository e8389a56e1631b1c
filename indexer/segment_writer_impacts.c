/* SPDX-License-Identifier: MIT
 * segment_writer_impacts.c - the impact bytes of postings, remembered: they depend on tf and dl
 * alone, and few pairs of them are common, while each byte takes three divisions to work out
 * and to see whether it gives tf back.
 *
 * Takes tf and dl, gives the byte that impact_encode gives.
 */
#include "common/base/mem.h"
#include "indexer/segment_writer_parts.h"

/* A row for each dl that there is below MEMO_LENGTHS, a place for each tf below MEMO_TFS. */
enum { MEMO_LENGTHS = 8192, MEMO_TFS = 8, MEMO_KNOWN = 0x200, MEMO_EXACT = 0x100 };

bool impact_memo_open(segment_encoder *e, uint32_t max_dl)
{
    e->impact_rows = max_dl < MEMO_LENGTHS ? max_dl + 1 : MEMO_LENGTHS;
    e->impacts = mem_array((size_t)e->impact_rows * MEMO_TFS, sizeof *e->impacts);
    return e->impacts != NULL;
}

static uint16_t work_out(const segment_info *info, uint32_t tf, uint32_t dl)
{
    double norm = segment_norm(info, dl);
    uint8_t impact = impact_encode(tf, norm);
    bool exact = impact < 255 && impact_decode(impact, norm) == tf;
    return (uint16_t)(MEMO_KNOWN | (exact ? MEMO_EXACT : 0) | impact);
}

uint8_t impact_memo_get(const segment_encoder *e, uint32_t tf, uint32_t dl, bool *exact)
{
    uint16_t known;
    if (dl < e->impact_rows && tf < MEMO_TFS) {
        uint16_t *place = &e->impacts[dl * MEMO_TFS + tf];
        if (!*place) *place = work_out(e->info, tf, dl);
        known = *place;
    } else {
        known = work_out(e->info, tf, dl);
    }
    *exact = known & MEMO_EXACT;
    return (uint8_t)known;
}
