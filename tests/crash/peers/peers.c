/* SPDX-License-Identifier: MIT
 *
 * peers.c - power cuts and changed bytes for pressmark, Xapian and SQLite's FTS5, one harness.
 *
 *   peers [STATES [SEED [FILE-SYSTEM]]]   default: 300 states each, seed 1, ext4 xfs btrfs
 *   peers --flips [MASK...]               default: ff 01
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "peer.h"
#include "tests/support/folder.h"

static const peer *const engines[] = {&peer_pressmark, &peer_xapian, &peer_fts5, &peer_fts5_extra,
                                      &peer_fts5_wal};
enum { ENGINES = sizeof engines / sizeof *engines, FLIPPED = 3 };

uint64_t peer_sum(const void *data, size_t len)
{
    return hash_bytes(data, len);
}

void peer_explain(char why[PEER_WHY], const char *text)
{
    snprintf(why, PEER_WHY, "%s", text);
}

/* Mounts are a process's own, so each has one of its own. */
static int powercut_apart(const peer *engine, const char *fs_type, unsigned long n, uint64_t seed)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", "");
    if (pid == 0) {
        int code = peer_powercut(engine, fs_type, n, seed);
        fflush(stdout);
        _exit(code);
    }
    folder_must(waitpid(pid, &status, 0) == pid, "wait for", engine->name);
    return status != 0;
}

static int powercut_all(int argc, char **argv)
{
    static const char *const types[] = {"ext4", "xfs", "btrfs"};
    unsigned long states = argc > 1 ? strtoul(argv[1], NULL, 10) : 300;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    int code = 0;
    for (unsigned t = 0; t < 3; t++) {
        if (argc > 3 && strcmp(argv[3], types[t]) != 0) continue;
        for (unsigned i = 0; i < ENGINES; i++)
            code |= powercut_apart(engines[i], types[t], states, seed);
    }
    return code;
}

static int flips_all(int argc, char **argv)
{
    static char *masks[] = {"ff", "01"};
    int code = 0, n = argc > 2 ? argc - 2 : 2;
    for (unsigned i = 0; i < FLIPPED; i++)
        for (int m = 0; m < n; m++) {
            const char *mask = argc > 2 ? argv[2 + m] : masks[m];
            code |= peer_flips(engines[i], (unsigned)strtoul(mask, NULL, 16) & 0xff);
        }
    return code;
}

int main(int argc, char **argv)
{
    bool flips = argc > 1 && strcmp(argv[1], "--flips") == 0;
    return flips ? flips_all(argc, argv) : powercut_all(argc, argv);
}
