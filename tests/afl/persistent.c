/* SPDX-License-Identifier: MIT
 * persistent.c - the program that AFL++ runs: FUZZ_TARGET, which is one of targets.h, for many
 * inputs in one process.  With files named as arguments it runs those, one after the other, which
 * a build by any compiler does, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fuzz/targets.h"
#include "tests/support/folder.h"

enum { INPUT_BYTES_MAX = 1 << 20 };

static void run_file(const char *path)
{
    uint8_t *data = malloc(INPUT_BYTES_MAX);
    FILE *f = fopen(path, "rb");
    folder_must(data != NULL && f != NULL, "open", path);
    size_t len = fread(data, 1, INPUT_BYTES_MAX, f);
    fclose(f);
    FUZZ_TARGET(data, len);
    free(data);
}

#ifdef __AFL_FUZZ_INIT
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wextra-semi"
#pragma clang diagnostic ignored "-Wpedantic"
#pragma clang diagnostic ignored "-Wsign-conversion"
#pragma clang diagnostic ignored "-Wshorten-64-to-32"
__AFL_FUZZ_INIT();

/* The bytes are in memory shared with the fuzzer.  What a target does once, it does before. */
static void run_inputs(void)
{
    const uint8_t *shared = __AFL_FUZZ_TESTCASE_BUF;
    FUZZ_TARGET((const uint8_t *)"", 0);
    while (__AFL_LOOP(100000)) FUZZ_TARGET(shared, (size_t)__AFL_FUZZ_TESTCASE_LEN);
}
#pragma clang diagnostic pop
#else
static void run_inputs(void)
{
    folder_must(false, "run without AFL++ and without a file", "stdin");
}
#endif

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) run_file(argv[i]);
    if (argc == 1) run_inputs();
    return 0;
}
