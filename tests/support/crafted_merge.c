/* SPDX-License-Identifier: MIT
 * crafted_merge.c - see crafted_merge.h.
 */
#include "tests/support/crafted_merge.h"

#include <string.h>

#include "common/base/hash.h"
#include "indexer/merge.h"

enum { DEAD_WORDS = 16 };

bool crafted_merge(segment *s, const dir *where, uint64_t *random, pm_error *err)
{
    static const pm_reorder orders[] = {PM_REORDER_KEEP, PM_REORDER_NONE};
    static const char result[] = "2-00000002.seg";
    segment *merged;
    manifest_segment made;
    merge_input inputs[2] = {{s, NULL}, {s, NULL}};
    uint64_t dead[DEAD_WORDS], choice = random_next(random);
    for (size_t i = 0; i < DEAD_WORDS; i++) dead[i] = random_next(random) & random_next(random);
    dead[0] &= ~UINT64_C(1);
    if (choice & 1 && s->info.n_docs <= 64 * DEAD_WORDS) inputs[0].dead = dead;
    segment_writer_config config = {.segment_id = 2,
                                    .k1 = s->info.k1,
                                    .b = s->info.b,
                                    .avgdl_ref = s->info.avgdl_ref,
                                    .block_size = s->info.block_size,
                                    .dense_shift = s->info.dense_shift,
                                    .bigram_words = 8,
                                    .has_positions = s->info.has_positions,
                                    .has_text = s->info.has_text,
                                    .deflate_level = 1};
    memcpy(config.uuid, s->info.uuid, sizeof config.uuid);
    const merge_order order = {
        .by = orders[choice >> 1 & 1], .threads = 1, .memory_bytes = choice >> 2 & 1};
    if (merge_segments(where, inputs, 1 + (choice >> 3 & 1), result, &config, &order, false, &made,
                       err) != PM_OK)
        return true;
    if (segment_open(&merged, where, result, config.uuid, made.size, made.footer_crc, err) != PM_OK)
        return false;
    segment_close(merged);
    return true;
}
