/* SPDX-License-Identifier: MIT
 *
 * crash_script.c - see crash_script.h.
 */
#include "tests/support/crash_script.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "common/segment/manifest.h"

/* ---- transactions --------------------------------------------------------------------- */

static const char *const vocabulary[] = {
    "rare",  "earth",  "export",  "controls", "Xi",    "Jinping", "trade",   "talks",     "Trump",
    "China", "TikTok", "tariffs", "minerals", "APEC",  "the",     "of",      "to",        "and",
    "in",    "a",      "deal",    "U.S.",     "Korea", "tik tok", "magnets", "rare-earth"};

static pm_status add(pm_writer *writer, uint64_t *random, unsigned number, pm_error *err)
{
    enum { WORDS = sizeof vocabulary / sizeof *vocabulary };
    char id[40], text[1200];
    size_t len = 0;
    snprintf(id, sizeof id, "%s", probe_article_id);
    if (number) snprintf(id, sizeof id, "article-%u", number);
    for (unsigned n = 10 + (unsigned)(random_next(random) % 60); n; n--)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s",
                                vocabulary[random_next(random) % WORDS], n % 9 ? " " : ". ");
    pm_article article = {
        .id = {id, strlen(id)}, .title = {"Trump and China", 15}, .text = {text, len}};
    return pm_writer_add(writer, &article, NULL, err);
}

/* Two new articles; one of three commits before goes. */
static pm_status steady_transaction(pm_writer *writer, uint64_t *random, unsigned k, pm_error *err)
{
    char id[40];
    pm_status st = k == 1 ? add(writer, random, 0, err) : PM_OK;
    for (unsigned i = 0; i < 2 && st == PM_OK; i++) st = add(writer, random, k * 10 + i, err);
    if (k > 3 && st == PM_OK) {
        snprintf(id, sizeof id, "article-%u", (k - 3) * 10);
        st = pm_writer_delete(writer, id, strlen(id), NULL, err);
    }
    return st == PM_OK ? pm_writer_commit(writer, NULL, err) : st;
}

/* What comes before commit k: ids k * 10 + i are new, those of earlier commits may change. */
static pm_status transaction(const crash_script *s, pm_writer *writer, unsigned k, pm_error *err)
{
    uint64_t random = hash_mix(s->seed) + k;
    if (s->steady) return steady_transaction(writer, &random, k, err);
    unsigned n_new = 1 + (unsigned)(random_next(&random) % (k == 1 ? 6 : 3));
    pm_status st = k == 1 ? add(writer, &random, 0, err) : PM_OK;
    for (unsigned i = 0; i < n_new && st == PM_OK; i++) st = add(writer, &random, k * 10 + i, err);
    if (k > 1 && st == PM_OK) /* perhaps there, perhaps deleted */
        st = add(writer, &random, (1 + (unsigned)random_next(&random) % (k - 1)) * 10, err);
    for (unsigned i = 0; i < 2 && k > 1 && st == PM_OK; i++) {
        char id[40];
        unsigned of = 1 + (unsigned)(random_next(&random) % k);
        snprintf(id, sizeof id, "article-%u", of * 10 + (unsigned)(random_next(&random) % 3));
        st = pm_writer_delete(writer, id, strlen(id), NULL, err);
    }
    if (st != PM_OK) return st;
    bool optimize = k > 1 && random_next(&random) % 3 == 0;
    return optimize ? pm_writer_optimize(writer, NULL, err) : pm_writer_commit(writer, NULL, err);
}

static pm_status open_writer(const crash_script *s, const char *path, pm_writer **out,
                             pm_error *err)
{
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.threads = 1;
    options.memory_bytes = 16u << 20;
    options.commit_level = s->level;
    return pm_writer_open(path, &options, out, err);
}

pm_status script_run(const crash_script *s, const char *path, unsigned from, unsigned to,
                     void (*acknowledged)(void *ctx, unsigned k), void *ctx, pm_error *err)
{
    pm_writer *writer = NULL;
    pm_status st = PM_OK;
    for (unsigned k = from + 1; k <= to && st == PM_OK; k++) {
        if (writer && !s->steady && hash_mix(s->seed ^ k) % 2) {
            pm_writer_close(writer);
            writer = NULL;
        }
        if (!writer) st = open_writer(s, path, &writer, err);
        if (st == PM_OK) st = transaction(s, writer, k, err);
        if (st == PM_OK && acknowledged) acknowledged(ctx, k);
    }
    pm_writer_close(writer);
    return st;
}

/* ---- answers -------------------------------------------------------------------------- */

static transcript answers;

/* Where a line that begins so does, from `from` on. */
static size_t find_line(const char *begin, size_t from)
{
    const char *at = memmem(answers.data + from, answers.len - from, begin, strlen(begin));
    folder_must(at != NULL, "find the line of", begin);
    return (size_t)(at - answers.data);
}

/* All answers; of a steady script without the lines of statistics, which count segments: those
 * depend on whether the writer goes on. */
static pm_status ask(const crash_script *s, const char *path, pm_error *err)
{
    pm_status st = probe_all(path, &answers, err);
    if (st != PM_OK || !s->steady) return st;
    size_t from = find_line("\ndocuments ", 0), to = find_line("\n", find_line("\nsegments ", from) + 1);
    memmove(answers.data + from, answers.data + to, answers.len - to);
    answers.len -= to - from;
    return PM_OK;
}

static bool is_expected(const struct script_answers *a)
{
    return a->text && a->len == answers.len && memcmp(a->text, answers.data, a->len) == 0;
}

int script_seen(const crash_script *s, const char *path, pm_error *err)
{
    pm_error own = {.status = PM_OK};
    if (!err) err = &own;
    pm_status st = ask(s, path, err);
    if (st == PM_USAGE) return 0;
    if (st != PM_OK) return -1;
    for (unsigned k = 1; k <= s->n_commits + 1; k++)
        if (is_expected(&s->expected[k])) return (int)k;
    snprintf(err->message, sizeof err->message, "other answers than after any commit");
    return -1;
}

static void remember(crash_script *s, const char *path, unsigned k)
{
    pm_error err = {.status = PM_OK};
    pm_status st = script_run(s, path, k - 1, k, NULL, NULL, &err);
    if (st == PM_OK) st = ask(s, path, &err);
    folder_must(st == PM_OK, err.message, path);
    folder_must(!is_expected(&s->expected[k - 1]), "tell commits apart at", path);
    s->expected[k].text = malloc(answers.len);
    folder_must(s->expected[k].text != NULL, "remember", path);
    memcpy(s->expected[k].text, answers.data, answers.len);
    s->expected[k].len = answers.len;
}

static void make(crash_script *s, const crash_script *how)
{
    char path[FOLDER_PATH];
    folder_must(how->n_commits <= SCRIPT_COMMITS_MAX, "so many commits", "");
    *s = *how;
    script_folder(path);
    for (unsigned k = 1; k <= s->n_commits + 1; k++) remember(s, path, k);
    folder_remove(path);
}

void script_make(crash_script *s, uint64_t seed, unsigned n_commits, unsigned level)
{
    make(s, &(crash_script){.seed = seed, .n_commits = n_commits, .level = level});
}

void script_make_steady(crash_script *s, uint64_t seed, unsigned n_commits, unsigned level)
{
    make(s, &(crash_script){.seed = seed, .n_commits = n_commits, .level = level, .steady = true});
}

void script_free(crash_script *s)
{
    for (unsigned k = 0; k < SCRIPT_COMMITS_MAX + 2; k++) free(s->expected[k].text);
    memset(s, 0, sizeof *s);
}

/* ---- folders -------------------------------------------------------------------------- */

static bool names(const manifest *m, const char *name)
{
    for (uint32_t i = 0; i < m->n_segments; i++)
        if (!strcmp(m->segments[i].name, name) || !strcmp(m->segments[i].del_name, name))
            return true;
    return false;
}

bool script_orphan(const char *path, char orphan[SCRIPT_NAME])
{
    dir d = DIR_INIT;
    bool absent = false, found = false;
    manifest now = {0}, prev = {0};
    folder_must(dir_open(&d, path, NULL, NULL) == PM_OK, "open", path);
    folder_must(manifest_read(&now, &d, NULL, NULL) == PM_OK, "read the manifest of", path);
    folder_must(manifest_read_named(&prev, &d, "manifest.prev", &absent, NULL) == PM_OK,
                "read manifest.prev of", path);
    DIR *stream = opendir(path);
    folder_must(stream != NULL, "open", path);
    for (struct dirent *entry; !found && (entry = readdir(stream));) {
        const char *name = entry->d_name;
        found = strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, "LOCK") != 0 &&
                strcmp(name, "manifest") != 0 && strcmp(name, "manifest.prev") != 0 &&
                !names(&now, name) && !names(&prev, name);
        if (found) snprintf(orphan, SCRIPT_NAME, "%.63s", name);
    }
    closedir(stream);
    manifest_free(&now);
    manifest_free(&prev);
    dir_close(&d);
    return found;
}

void script_folder(char path[FOLDER_PATH])
{
    snprintf(path, FOLDER_PATH, "/dev/shm/pressmark-test-XXXXXX");
    if (!mkdtemp(path)) folder_make(path);
}

void script_clear(const char *path)
{
    if (access(path, F_OK) == 0) folder_remove(path);
}

/* ---- settings ------------------------------------------------------------------------- */

unsigned long script_setting(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

bool script_slow(void)
{
    const char *variant = getenv("PM_TEST_VARIANT");
    return variant && strcmp(variant, "release") != 0 && strcmp(variant, "debug") != 0;
}

double script_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
