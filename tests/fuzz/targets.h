/* SPDX-License-Identifier: MIT
 * targets.h - what is fuzzed: functions that take any bytes and must come back.
 *
 * Each returns when all is well; what it finds wrong beyond what sanitizers see ends the
 * program by fuzz_must.  A target keeps no state that changes what the same bytes do later.
 * libFuzzer calls one of them (libfuzzer.c, FUZZ_TARGET); the kept inputs of all are run by
 * test_corpus.c without it.
 */
#ifndef PM_TESTS_FUZZ_TARGETS_H
#define PM_TESTS_FUZZ_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void fuzz_query(const uint8_t *data, size_t len);
void fuzz_analyzer(const uint8_t *data, size_t len);
void fuzz_front_matter(const uint8_t *data, size_t len);
void fuzz_json_line(const uint8_t *data, size_t len);
void fuzz_date(const uint8_t *data, size_t len);
void fuzz_manifest(const uint8_t *data, size_t len);
void fuzz_segment(const uint8_t *data, size_t len);
void fuzz_codec(const uint8_t *data, size_t len);
void fuzz_tombstones(const uint8_t *data, size_t len);
void fuzz_snippet(const uint8_t *data, size_t len);
void fuzz_gzip(const uint8_t *data, size_t len);
void fuzz_encoding(const uint8_t *data, size_t len);
void fuzz_article(const uint8_t *data, size_t len);
void fuzz_queries(const uint8_t *data, size_t len);

typedef struct fuzz_target {
    const char *name;
    void (*run)(const uint8_t *data, size_t len);
} fuzz_target;

enum { FUZZ_TARGETS = 14 };
extern const fuzz_target fuzz_targets[FUZZ_TARGETS];

/* Aborts with what and where unless ok. */
#define fuzz_must(ok) fuzz_check(ok, #ok, __FILE__, __LINE__)
void fuzz_check(bool ok, const char *what, const char *file, int line);

#endif
