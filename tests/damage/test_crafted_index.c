/* SPDX-License-Identifier: MIT
 *
 * test_crafted_index.c - every byte of a small index changed, and all checksums made right again,
 * those of manifest and tombstones too; then the whole library is asked (test_crafted.c asks
 * the readers of one segment).
 *
 * What someone does who wants to deceive, or a writer with a bug: the sums say that all is
 * well.  Answers may then be wrong, but every status is PM_OK or PM_CORRUPT (PM_USAGE
 * where the manifest names another engine or analyzer), every search ends, memory stays bounded
 * and (under sanitizers) no byte beyond the file is touched (INV-6).  How many
 * of these pm_check finds by its deep rules is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "common/base/crc32c.h"
#include "common/segment/manifest.h"
#include "tests/support/campaign.h"
#include "tests/support/folder.h"
#include "tests/support/probe.h"
#include "tests/support/reseal.h"

enum {
    MEMORY_MAX = 512 << 20, /* of the whole child, where there is no sanitizer             */
    SAMPLE = 31,            /* a case takes 6 ms: every so-manieth of the campaign's places */
};

static folder_image sound;
static transcript sound_answers;

/* ---- making the sums right ------------------------------------------------------------ */

/* Manifest and tombstones end in the sum of all that is before. */
static uint32_t seal_tail(uint8_t *data, size_t len)
{
    uint32_t crc = crc32c(0, data, len - 4);
    store_u32(data + len - 4, crc);
    return crc;
}

/* The manifest with another sum for one of its files. */
static void write_manifest(const char *path, const char *name, uint32_t crc)
{
    manifest m;
    buf bytes = {0};
    for (size_t i = 0; i < sound.n; i++) {
        const folder_file *f = &sound.files[i];
        if (strcmp(f->name, "manifest") != 0) continue;
        pm_status st = manifest_decode(&m, (slice){f->data, f->len}, f->name, NULL);
        folder_must(st == PM_OK, "decode", f->name);
    }
    for (uint32_t i = 0; i < m.n_segments; i++) {
        if (strcmp(m.segments[i].name, name) == 0) m.segments[i].footer_crc = crc;
        if (strcmp(m.segments[i].del_name, name) == 0) m.segments[i].del_crc = crc;
    }
    manifest_encode(&m, &bytes);
    folder_must(!bytes.failed, "encode", name);
    folder_write(path, "manifest", bytes.data, bytes.len);
    buf_free(&bytes);
    manifest_free(&m);
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

/* Change one byte of a file and write it with right sums, here and in the manifest. */
static void craft(const char *path, const folder_file *f, uint8_t *scratch, uint64_t at,
                  unsigned change)
{
    memcpy(scratch, f->data, f->len);
    scratch[at] = (uint8_t)(scratch[at] ^ change);
    bool is_segment = ends_with(f->name, ".seg");
    uint32_t crc = is_segment ? reseal_segment(scratch, f->len) : seal_tail(scratch, f->len);
    folder_write(path, f->name, scratch, f->len);
    if (strcmp(f->name, "manifest") != 0) write_manifest(path, f->name, crc);
}

/* ---- one case ------------------------------------------------------------------------- */

/* A manifest that names another engine, language or analyzer is not damage but PM_USAGE. */
static bool is_foreign(pm_status st, const campaign_tally *tally)
{
    return st == PM_USAGE && strcmp(tally->file, "manifest") == 0;
}

/* Ask everything, whatever the answers before were; PM_CORRUPT when one was. */
static pm_status ask(const char *path, campaign_tally *tally, transcript *answers)
{
    pm_error err = {.status = PM_OK};
    pm_index *index = NULL;
    pm_searcher *searcher = NULL;
    pm_status st = pm_index_open(path, &index, &err), worst = st;
    answers->len = 0;
    if (st == PM_OK) worst = st = pm_searcher_open(index, &searcher, &err);
    if (st != PM_OK && st != PM_CORRUPT && !is_foreign(st, tally))
        campaign_finding(tally, pm_status_name(st), err.message);
    for (unsigned which = 0; st == PM_OK && which < PROBE_COUNT; which++) {
        pm_status answer = probe_ask(which, index, searcher, answers, &err);
        if (answer == PM_OK) continue;
        worst = PM_CORRUPT;
        if (answer != PM_CORRUPT) campaign_finding(tally, probe_name(which), err.message);
    }
    pm_searcher_close(searcher);
    pm_index_close(index);
    return worst;
}

static void examine(const char *path, campaign_tally *tally, transcript *answers)
{
    pm_error err = {.status = PM_OK};
    pm_status st = ask(path, tally, answers);
    if (st == PM_CORRUPT)
        tally->corrupt++;
    else if (transcript_equal(answers, &sound_answers))
        tally->same++;
    else
        tally->other++;
    pm_status checked = pm_check(path, true, NULL, NULL, NULL, &err);
    if (checked != PM_OK && checked != PM_CORRUPT && !is_foreign(checked, tally))
        campaign_finding(tally, "pm_check", err.message);
    tally->checked += checked == PM_CORRUPT;
}

static void craft_each(void *ctx, campaign_tally *tally, unsigned long first, unsigned long step)
{
    const unsigned *change = ctx;
    char path[FOLDER_PATH];
    transcript *answers = malloc(sizeof *answers);
    uint8_t *scratch = malloc(1 << 20);
    unsigned long at = first;
    struct rlimit limit = {MEMORY_MAX, MEMORY_MAX};
    folder_must(answers && scratch, "memory", "");
    folder_make(path);
    folder_restore(path, &sound);
    if (!getenv("PM_TEST_VARIANT") || !strcmp(getenv("PM_TEST_VARIANT"), "release"))
        setrlimit(RLIMIT_AS, &limit);
    for (size_t i = 0; i < sound.n; i++) {
        const folder_file *f = &sound.files[i];
        if (strcmp(f->name, "manifest.prev") == 0) continue;
        for (; at < f->len; at += step) {
            craft(path, f, scratch, at, *change);
            campaign_begin(tally, f->name, at, *change);
            examine(path, tally, answers);
            campaign_end(tally);
        }
        at -= f->len;
        folder_restore(path, &sound);
    }
    folder_remove(path);
    free(answers);
    free(scratch);
}

/* ---- tests ---------------------------------------------------------------------------- */

static int begin(void **state)
{
    char path[FOLDER_PATH];
    pm_error err = {.status = PM_OK};
    (void)state;
    folder_make(path);
    probe_build(path);
    probe_change(path);
    folder_load(path, &sound);
    pm_status st = probe_all(path, &sound_answers, &err);
    folder_remove(path);
    return st == PM_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    folder_image_free(&sound);
    return 0;
}

static void run(unsigned change)
{
    char title[64];
    snprintf(title, sizeof title, "every byte xor %02x, sums made right", change);
    campaign_run(title, SAMPLE * campaign_stride(), craft_each, &change);
}

static void test_inverted(void **state)
{
    (void)state;
    run(0xff);
}

static void test_lowest_bit(void **state)
{
    (void)state;
    run(0x01);
}

static void test_highest_bit(void **state)
{
    (void)state;
    run(0x80);
}

/* Nothing changed: the sums are those of the writer, and all is sound. */
static void test_unchanged(void **state)
{
    static transcript answers;
    char path[FOLDER_PATH];
    pm_error err = {.status = PM_OK};
    uint8_t *scratch = malloc(1 << 20);
    (void)state;
    folder_must(scratch != NULL, "memory", "");
    folder_make(path);
    folder_restore(path, &sound);
    for (size_t i = 0; i < sound.n; i++) {
        const folder_file *f = &sound.files[i];
        craft(path, f, scratch, f->len / 2, 0);
        assert_memory_equal(scratch, f->data, f->len);
    }
    assert_int_equal(probe_all(path, &answers, &err), PM_OK);
    assert_true(transcript_equal(&answers, &sound_answers));
    folder_remove(path);
    free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unchanged),
        cmocka_unit_test(test_inverted),
        cmocka_unit_test(test_lowest_bit),
        cmocka_unit_test(test_highest_bit),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
