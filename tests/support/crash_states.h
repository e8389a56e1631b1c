/* SPDX-License-Identifier: MIT
 *
 * crash_states.h - every state that a power cut may leave of a traced run, as POSIX has it.
 *
 * After each operation of the trace:
 *   - what was synced (a file's bytes by an fsync of the file, names by an fsync of the folder)
 *     is there;
 *   - of the names' changes since the last fsync of the folder, any subset took place, each of
 *     them as a whole;
 *   - of a file's unsynced bytes there are none, half, all, or as many zeros.
 * (T. S. Pillai and others, "All File Systems Are Not Created Equal", OSDI 2014, derive the same
 * from traces.)  Where the product is larger than a bound it is sampled, by a seed: the extremes
 * always, the rest by chance.
 */
#ifndef PM_TESTS_CRASH_STATES_H
#define PM_TESTS_CRASH_STATES_H

#include "tests/support/io_trace.h"

/* A file's bytes in a state: prefix bytes of what was written, then zeros up to len. */
typedef struct state_bytes {
    unsigned content;
    size_t prefix, len;
} state_bytes;

typedef struct state_name {
    char name[TRACE_NAME];
    unsigned file;
    state_bytes bytes;
} state_name;

typedef struct crash_state {
    state_name names[TRACE_NAMES];
    unsigned n;
    unsigned low, high; /* the commits that may be seen                                    */
    size_t after;       /* operations done before the cut                                  */
    uint64_t key;       /* equal for equal folders                                         */
} crash_state;

typedef struct states_options {
    uint64_t seed;
    unsigned at_each; /* states at one place at most                                       */
} states_options;

typedef struct states_run states_run;

/* Calls fn for each state until it returns false.  Returns the number of states. */
unsigned long states_explore(const io_trace *t, const states_options *options,
                             bool (*fn)(void *ctx, const states_run *run, const crash_state *s),
                             void *ctx);
/* Make the folder at path (which must not exist) what the state says. */
void states_materialise(const states_run *run, const crash_state *s, const char *path);

#endif
