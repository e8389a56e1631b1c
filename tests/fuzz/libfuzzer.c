/* SPDX-License-Identifier: MIT
 * libfuzzer.c - the entry that libFuzzer (LLVM) calls; FUZZ_TARGET is one of targets.h.
 */
#include "tests/fuzz/targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    FUZZ_TARGET(data, len);
    return 0;
}
