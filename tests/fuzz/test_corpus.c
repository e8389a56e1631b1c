/* SPDX-License-Identifier: MIT
 * test_corpus.c - the fuzz targets without a fuzzer: every kept input, and changes of them made
 * by chance.
 *
 * tests/fuzz/corpus/TARGET/ holds inputs worth keeping: beginnings, and what once failed.
 * Segments and manifests are made here, so that they are always of today's format.
 * PM_TEST_SEED=n, PM_TEST_ROUNDS=n changes of each input.  --write DIR only writes the made
 * inputs, for a fuzzer to begin with.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "tests/fuzz/targets.h"
#include "tests/support/crash_script.h"
#include "tests/support/folder.h"

enum { INPUTS_MAX = 2000, ROUNDS = 150, ROUNDS_SLOW = 20, INPUT_BYTES_MAX = 1 << 20 };

typedef struct input {
    char *name;
    uint8_t *data;
    size_t len;
} input;

static input inputs[INPUTS_MAX];
static size_t n_inputs;

static void keep(const char *name, const void *data, size_t len)
{
    folder_must(n_inputs < INPUTS_MAX, "keep so many inputs as", name);
    input *in = &inputs[n_inputs++];
    in->name = strdup(name);
    in->data = malloc(len + 1);
    folder_must(in->name && in->data, "keep", name);
    memcpy(in->data, data, len);
    in->len = len;
}

static void forget_all(void)
{
    for (; n_inputs; n_inputs--) {
        free(inputs[n_inputs - 1].name);
        free(inputs[n_inputs - 1].data);
    }
}

static void load_file(const char *folder, const char *name)
{
    static uint8_t data[INPUT_BYTES_MAX];
    char path[FOLDER_PATH + 260];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    folder_must(f != NULL, "open", path);
    keep(name, data, fread(data, 1, sizeof data, f));
    fclose(f);
}

/* A target without a folder has no kept inputs yet. */
static void load_kept(const char *target)
{
    char folder[FOLDER_PATH];
    snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", target);
    DIR *stream = opendir(folder);
    for (struct dirent *entry; stream && (entry = readdir(stream));)
        if (entry->d_name[0] != '.') load_file(folder, entry->d_name);
    if (stream) closedir(stream);
}

/* ---- inputs of today's format --------------------------------------------------------- */

/* Articles of few words: of forty, dense and sparse lists occur; six are fuzzed faster. */
static void build_index(const char *path, bool positions, bool store, unsigned articles)
{
    pm_error err = {.status = PM_OK};
    pm_writer *writer = NULL;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.lang = "none";
    options.threads = 1;
    options.positions = positions;
    options.store = store;
    options.block_size = 8;
    options.store_block_bytes = 512;
    pm_status st = pm_writer_open(path, &options, &writer, &err);
    for (unsigned i = 0; i < articles && st == PM_OK; i++) {
        char id[16], text[200];
        size_t len = 0;
        for (unsigned k = 0; k <= 4 + i % 5; k++)
            len += (size_t)snprintf(text + len, sizeof text - len, "t%u T.%u. ", (i * k + k) % 9,
                                    k % 3);
        snprintf(id, sizeof id, "d%u", i);
        pm_article a = {.id = {id, strlen(id)}, .title = {"t1 t2", 5}, .text = {text, len}};
        if (i % 2) a.date = (pm_text){"2025-10-30", 10};
        st = pm_writer_add(writer, &a, NULL, &err);
    }
    if (st == PM_OK) st = pm_writer_commit(writer, NULL, &err);
    if (st == PM_OK) st = pm_writer_delete(writer, "d3", 2, NULL, &err);
    if (st == PM_OK) st = pm_writer_commit(writer, NULL, &err);
    folder_must(st == PM_OK, err.message, path);
    pm_writer_close(writer);
}

/* What the names of a target's files end with, or NULL. */
static const char *made_suffix(const char *target)
{
    static const char *const made[][2] = {
        {"segment", ".seg"}, {"manifest", "manifest"}, {"tombstones", ".del"}};
    for (unsigned i = 0; i < sizeof made / sizeof *made; i++)
        if (strcmp(target, made[i][0]) == 0) return made[i][1];
    return NULL;
}

static void make_inputs(const char *target)
{
    const char *suffix = made_suffix(target);
    if (!suffix) return;
    setenv("PRESSMARK_SEED", "7", 1);
    for (unsigned kind = 0; kind < 6; kind++) {
        char path[FOLDER_PATH];
        folder_image image;
        script_folder(path);
        build_index(path, kind % 3 != 1, kind % 3 != 2, kind < 3 ? 40 : 6);
        folder_load(path, &image);
        for (size_t i = 0; i < image.n; i++) {
            const folder_file *f = &image.files[i];
            char name[80];
            snprintf(name, sizeof name, "made-%u-%s", kind, f->name);
            if (strstr(f->name, suffix)) keep(name, f->data, f->len);
        }
        folder_image_free(&image);
        folder_remove(path);
    }
    unsetenv("PRESSMARK_SEED");
}

/* ---- changes by chance ---------------------------------------------------------------- */

static size_t change(uint8_t *data, size_t len, size_t cap, uint64_t *random)
{
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, '"', '(', '\\', '\n', 0xc3, 0xed, '-'};
    for (unsigned n = 1 + (unsigned)(random_next(random) % 4); n; n--) {
        size_t at = len ? (size_t)(random_next(random) % len) : 0;
        size_t part = len ? (size_t)(random_next(random) % (len - at < 40 ? len - at : 40)) : 0;
        uint64_t what = random_next(random) % 6;
        if (what == 0 && len) data[at] ^= (uint8_t)(1u << random_next(random) % 8);
        if (what == 1 && len) data[at] = odd[random_next(random) % sizeof odd];
        if (what == 2 && len) data[at] = (uint8_t)random_next(random);
        if (what == 3 && len && random_next(random) % 8 == 0) len = at;
        if (what == 4 && len + part <= cap) { /* a part twice                                  */
            memmove(data + at + part, data + at, len - at);
            len += part;
        }
        if (what == 5 && random_next(random) % 4 == 0) { /* a part gone                        */
            memmove(data + at, data + at + part, len - at - part);
            len -= part;
        }
    }
    return len;
}

static unsigned long change_all(const fuzz_target *target, uint64_t *random)
{
    unsigned long rounds = script_setting("PM_TEST_ROUNDS", script_slow() ? ROUNDS_SLOW : ROUNDS);
    unsigned long n = 0;
    for (size_t i = 0; i < n_inputs; i++) {
        size_t cap = 2 * inputs[i].len + 256;
        uint8_t *data = malloc(cap);
        folder_must(data != NULL, "change", inputs[i].name);
        for (unsigned long k = 0; k < rounds; k++, n++) {
            memcpy(data, inputs[i].data, inputs[i].len);
            target->run(data, change(data, inputs[i].len, cap, random));
        }
        free(data);
    }
    return n;
}

static void run_target(void **state)
{
    const fuzz_target *target = *state;
    uint64_t seed = script_setting("PM_TEST_SEED", 1), random = seed;
    load_kept(target->name);
    make_inputs(target->name);
    assert_true(n_inputs > 0);
    target->run((const uint8_t *)"", 0);
    for (size_t i = 0; i < n_inputs; i++) target->run(inputs[i].data, inputs[i].len);
    unsigned long changed = change_all(target, &random);
    printf("%s: %zu inputs, %lu changes of them, PM_TEST_SEED=%lu\n", target->name, n_inputs,
           changed, (unsigned long)seed);
    forget_all();
}

static int write_inputs(const char *to)
{
    for (unsigned i = 0; i < FUZZ_TARGETS; i++) {
        char folder[FOLDER_PATH];
        make_inputs(fuzz_targets[i].name);
        snprintf(folder, sizeof folder, "%s/%s", to, fuzz_targets[i].name);
        folder_must(mkdir(folder, 0777) == 0 || errno == EEXIST, "make", folder);
        for (size_t k = 0; k < n_inputs; k++)
            folder_write(folder, inputs[k].name, inputs[k].data, inputs[k].len);
        forget_all();
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[FUZZ_TARGETS];
    fuzz_target targets[FUZZ_TARGETS];
    if (argc == 3 && strcmp(argv[1], "--write") == 0) return write_inputs(argv[2]);
    memcpy(targets, fuzz_targets, sizeof targets);
    for (unsigned i = 0; i < FUZZ_TARGETS; i++)
        tests[i] = (struct CMUnitTest){targets[i].name, run_target, NULL, NULL, &targets[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
