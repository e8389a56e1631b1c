/* SPDX-License-Identifier: MIT
 * sample_manifest.c - see sample_manifest.h.
 */
#include "tests/support/sample_manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

manifest_segment sample_segment(unsigned i)
{
    manifest_segment s = {.size = 1000 + i, .footer_crc = 7 * i, .n_docs = 10, .live_tokens = 99};
    snprintf(s.name, sizeof s.name, "%u-%08x.seg", i + 1, 0xabcu + i);
    if (i % 2) {
        snprintf(s.del_name, sizeof s.del_name, "%u-%08x.del", i + 100, 5u);
        s.del_size = 200;
        s.del_crc = 13;
        s.n_deleted = 3;
    }
    return s;
}

manifest sample_manifest(unsigned n_segments, uint64_t generation)
{
    manifest m = {.generation = generation,
                  .next_file = 1000,
                  .next_seq = 77,
                  .k1 = 1.2,
                  .b = 0.75,
                  .avgdl_ref = 123.5,
                  .block_size = 256,
                  .dense_shift = 5,
                  .has_positions = true,
                  .engine = "native",
                  .lang = "english",
                  .profile = "pressmark-1 for tests"};
    memset(m.uuid, 0x5a, sizeof m.uuid);
    for (unsigned i = 0; i < n_segments; i++) {
        manifest_segment s = sample_segment(i);
        assert_int_equal(manifest_add_segment(&m, &s, NULL), PM_OK);
    }
    return m;
}
