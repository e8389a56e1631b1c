/* SPDX-License-Identifier: MIT
 *
 * powercut_peers.c - the power cuts of tests/crash/powercut.c, under any engine.
 *
 * A writer makes COMMITS commits on a logged disk.  Commit k adds three texts with words of
 * their own and replaces text 1, which then holds the word stateK.  What a state shows is commit
 * k when stateK is the only such word found, all texts up to it are there, whole, and none
 * of a later one.  Acknowledged is what the engine's commit call has returned from.
 *
 * Before the first acknowledged commit an index that cannot be opened counts as none, for all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "peer.h"
#include "tests/support/crash_script.h"
#include "tests/support/logged_disk.h"

enum { COMMITS = 8, TEXTS = 3, TEXT_BYTES = 1200, PATIENCE_SECONDS = 30 };

typedef enum verdict {
    SHOWS_LAST,
    SHOWS_NEXT,
    LOST,       /* an earlier commit than the last acknowledged one                        */
    UNREADABLE, /* it cannot be opened or asked                                            */
    MIXED,      /* it shows no commit: parts are missing, or of several                    */
    NO_WRITER,  /* it shows the right commit, but the next writer fails or loses it        */
    DIED,       /* the engine crashed or hung                                              */
    UNMOUNTED,  /* the file system cannot be mounted: no fault of the engine               */
    VERDICTS
} verdict;

static const char *const verdict_names[VERDICTS] = {"the last commit",
                                                    "the next commit",
                                                    "the last commit is lost",
                                                    "unreadable",
                                                    "mixed",
                                                    "no next writer",
                                                    "died",
                                                    "not mountable"};

static const peer *engine;
static char folder[FOLDER_PATH + 16];

/* ---- commits --------------------------------------------------------------------------- */

/* Text i of commit k; i = 0 is the one that every commit replaces. */
static unsigned number_of(unsigned k, unsigned i)
{
    return i ? 1 + (k - 1) * TEXTS + i : 1;
}

static void make_text(unsigned k, unsigned i, char text[TEXT_BYTES])
{
    static const char *const words[] = {"rare", "earth", "trade", "talks", "tariffs", "export"};
    uint64_t random = k * 16 + i;
    int len = i ? snprintf(text, TEXT_BYTES, "text%u", number_of(k, i))
                : snprintf(text, TEXT_BYTES, "state%u", k);
    for (unsigned n = 100; n; n--)
        len += snprintf(text + len, (size_t)(TEXT_BYTES - len), " %s",
                        words[random_next(&random) % 6]);
}

static bool make_commit(void *writer, unsigned k, char why[PEER_WHY])
{
    char text[TEXT_BYTES];
    for (unsigned i = 0; i <= TEXTS; i++) {
        make_text(k, i, text);
        if (!engine->put(writer, number_of(k, i), text, why)) return false;
    }
    return engine->commit(writer, why);
}

/* The work on the logged disk. */
static void run_commits(void *ctx)
{
    char why[PEER_WHY] = "";
    (void)ctx;
    folder_must(mkdir(folder, 0700) == 0, "make", folder);
    void *writer = engine->writer_open(folder, why);
    folder_must(writer != NULL, why, folder);
    for (unsigned k = 1; k <= COMMITS; k++) {
        folder_must(make_commit(writer, k, why), why, folder);
        disk_acknowledge(k);
    }
    engine->writer_close(writer);
}

/* ---- judging --------------------------------------------------------------------------- */

enum { SEEN_UNREADABLE = -1, SEEN_MIXED = -2 };

/* Whether the word finds the text, whole: 1, 0, or one of SEEN_. */
static int finds(void *reader, const char *word, unsigned k, unsigned i, char why[PEER_WHY])
{
    char text[TEXT_BYTES];
    peer_hits hits;
    if (!engine->search(reader, word, &hits, why)) return SEEN_UNREADABLE;
    if (hits.n == 0) return 0;
    make_text(k, i, text);
    bool right = hits.n == 1 && hits.hits[0].number == number_of(k, i) &&
                 hits.hits[0].text == peer_sum(text, strlen(text));
    return right ? 1 : SEEN_MIXED;
}

static int commit_of_state(void *reader, char why[PEER_WHY])
{
    int seen = 0;
    for (unsigned k = 1; k <= COMMITS + 1; k++) {
        char word[16];
        snprintf(word, sizeof word, "state%u", k);
        int found = finds(reader, word, k, 0, why);
        if (found < 0) return found;
        if (found && seen) return SEEN_MIXED;
        if (found) seen = (int)k;
    }
    return seen;
}

static int commit_seen(void *reader, char why[PEER_WHY])
{
    int seen = commit_of_state(reader, why);
    for (unsigned k = 1; seen >= 0 && k <= COMMITS + 1; k++)
        for (unsigned i = 1; i <= TEXTS; i++) {
            char word[16];
            snprintf(word, sizeof word, "text%u", number_of(k, i));
            int found = finds(reader, word, k, i, why);
            if (found < 0) return found;
            if (found != ((int)k <= seen)) return SEEN_MIXED;
        }
    return seen;
}

static int look(char why[PEER_WHY])
{
    void *reader = engine->reader_open(folder, why);
    if (!reader) return SEEN_UNREADABLE;
    int seen = commit_seen(reader, why);
    engine->reader_close(reader);
    return seen;
}

static bool go_on(unsigned next, char why[PEER_WHY])
{
    void *writer = engine->writer_open(folder, why);
    if (!writer) return false;
    bool well = make_commit(writer, next, why);
    engine->writer_close(writer);
    return well && look(why) == (int)next;
}

static verdict judge(int low, char why[PEER_WHY])
{
    int seen = look(why);
    if (low == 0 && seen == SEEN_UNREADABLE) return SHOWS_LAST;
    if (seen == SEEN_UNREADABLE) return UNREADABLE;
    if (seen == SEEN_MIXED || seen > low + 1) return MIXED;
    if (seen < low) return LOST;
    if (seen <= COMMITS && !go_on((unsigned)seen + 1, why)) return NO_WRITER;
    return seen == low ? SHOWS_LAST : SHOWS_NEXT;
}

/* In a child: an engine may crash or hang on what it finds. */
static verdict judge_apart(int low, bool aloud)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", "");
    if (pid == 0) {
        char why[PEER_WHY] = "";
        alarm(PATIENCE_SECONDS);
        verdict v = judge(low, why);
        if (aloud && v > SHOWS_NEXT)
            printf("    after commit %d: %s: %s\n", low, verdict_names[v], why);
        fflush(stdout);
        _exit((int)v);
    }
    folder_must(waitpid(pid, &status, 0) == pid, "wait for", engine->name);
    return WIFEXITED(status) && WEXITSTATUS(status) < VERDICTS ? (verdict)WEXITSTATUS(status)
                                                               : DIED;
}

/* ---- the campaign ---------------------------------------------------------------------- */

static void report(const char *fs_type, unsigned long states, const unsigned long n[VERDICTS],
                   uint64_t seed)
{
    disk_counts log = disk_count();
    printf(
        "%s%s%s on %s: %lu states (seed %lu; %zu writes and %zu flushes of %u commits): %lu show "
        "the last commit, %lu the next; %lu lost the last one, %lu unreadable, %lu mixed, %lu "
        "without a next writer, %lu crashed or hung, %lu not mountable\n",
        engine->name, *engine->settings ? " " : "", engine->settings, fs_type, states,
        (unsigned long)seed, log.writes, log.flushes, COMMITS, n[SHOWS_LAST], n[SHOWS_NEXT],
        n[LOST], n[UNREADABLE], n[MIXED], n[NO_WRITER], n[DIED], n[UNMOUNTED]);
}

static unsigned long try_states(unsigned long states, uint64_t seed, unsigned long n[VERDICTS])
{
    uint64_t random = seed;
    for (unsigned long i = 0; i < states; i++) {
        disk_cut c = disk_cut_random(&random);
        if (!disk_mount(&c)) {
            n[UNMOUNTED]++;
            continue;
        }
        bool aloud = n[LOST] + n[UNREADABLE] + n[MIXED] + n[NO_WRITER] < 3;
        n[judge_apart((int)disk_cut_acknowledged(&c), aloud)]++;
        disk_unmount();
    }
    return states - n[SHOWS_LAST] - n[SHOWS_NEXT];
}

int peer_powercut(const peer *the_engine, const char *fs_type, unsigned long states, uint64_t seed)
{
    unsigned long n[VERDICTS] = {0}, bad = 0;
    disk_kind kind = {fs_type, ""};
    engine = the_engine;
    const char *why = disk_open(&kind);
    if (!why) {
        snprintf(folder, sizeof folder, "%s/idx", disk_folder());
        why = disk_record(run_commits, NULL);
        if (!why) {
            bad = try_states(states, seed, n);
            report(fs_type, states, n, seed);
        }
        disk_close();
    }
    if (why) printf("%s on %s: skipped: %s\n", engine->name, fs_type, why);
    return engine == &peer_pressmark && bad;
}
