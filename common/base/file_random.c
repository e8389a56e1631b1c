/* SPDX-License-Identifier: MIT
 * file_random.c - random bytes for names and seeds, which a test can fix; see file.h.
 */
#include "common/base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/hash.h"

void file_random(uint8_t out[16])
{
    const char *seed = getenv("PRESSMARK_SEED");
    uint64_t state;
    if (seed) {
        state = strtoull(seed, NULL, 10);
    } else {
        ssize_t got;
        do got = getrandom(out, 16, 0);
        while (got < 0 && errno == EINTR);
        if (got == 16) return;
        state = hash_mix(clock_ns()) ^ (uint64_t)getpid(); /* distinct is all that is asked */
    }
    store_u64(out, random_next(&state));
    store_u64(out + 8, random_next(&state));
}
