/* SPDX-License-Identifier: MIT
 *
 * test_damage.c - every byte of a small index changed, every length cut, files lost and
 * exchanged: the answer is the sound one, or PM_CORRUPT; nothing else, soon.
 *
 * Takes the five articles' index, by one commit and by two with a replaced and a deleted
 * article.  pm_check must find each damage of a file that the commit names.  How the cases
 * are run, and which of them, is said in campaign.h.
 *
 * PM_DAMAGE_MASKS=all changes every byte in all of its 255 ways, =bits inverts it and each of its
 * bits, and otherwise it and its lowest bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/segment/manifest.h"
#include "tests/support/campaign.h"
#include "tests/support/folder.h"
#include "tests/support/probe.h"

enum {
    SLOW_PROBES_EVERY = 7, /* statistics and dump are asked at every so-manieth place      */
    DEEP_EVERY = 29,
    MORE_ARTICLES = 200,
    MANY_SAMPLE = 199,
};

/* ---- one sound index ------------------------------------------------------------------ */

typedef struct sound {
    folder_image image;
    transcript answers[PROBE_COUNT];
    transcript old; /* of the commit before, all probes; empty when there is none          */
} sound;

static sound one, two, foreign, many;

/* Whether the newest commit names the file: the commit before is kept beside it. */
static bool is_named(const folder_image *image, const char *name)
{
    manifest m = {.n_segments = 0};
    bool found = strcmp(name, "manifest") == 0;
    for (size_t i = 0; i < image->n; i++) {
        const folder_file *f = &image->files[i];
        if (strcmp(f->name, "manifest") != 0) continue;
        pm_status st = manifest_decode(&m, (slice){f->data, f->len}, f->name, NULL);
        folder_must(st == PM_OK, "decode", f->name);
    }
    for (uint32_t i = 0; i < m.n_segments; i++)
        found |= !strcmp(m.segments[i].name, name) || !strcmp(m.segments[i].del_name, name);
    manifest_free(&m);
    return found;
}

static void sound_learn(sound *s, const char *path)
{
    pm_error err = {.status = PM_OK};
    pm_index *index = NULL;
    pm_searcher *searcher = NULL;
    folder_load(path, &s->image);
    assert_int_equal(pm_index_open(path, &index, &err), PM_OK);
    assert_int_equal(pm_searcher_open(index, &searcher, &err), PM_OK);
    for (unsigned which = 0; which < PROBE_COUNT; which++) {
        s->answers[which].len = 0;
        pm_status st = probe_ask(which, index, searcher, &s->answers[which], &err);
        if (st != PM_OK) fail_msg("sound index, %s: %s", probe_name(which), err.message);
    }
    pm_searcher_close(searcher);
    pm_index_close(index);
    assert_int_equal(pm_check(path, true, NULL, NULL, NULL, &err), PM_OK);
}

static int make_sound(void **state)
{
    char path[FOLDER_PATH];
    pm_error err;
    (void)state;
    folder_make(path);
    probe_build(path);
    sound_learn(&one, path);
    if (probe_all(path, &two.old, &err) != PM_OK) return -1;
    probe_change(path);
    sound_learn(&two, path);
    folder_empty(path);
    probe_build(path);
    sound_learn(&foreign, path);
    probe_build_more(path, MORE_ARTICLES);
    sound_learn(&many, path);
    folder_remove(path);
    return 0;
}

static int free_sound(void **state)
{
    (void)state;
    folder_image_free(&one.image);
    folder_image_free(&two.image);
    folder_image_free(&foreign.image);
    folder_image_free(&many.image);
    return 0;
}

/* ---- one case ------------------------------------------------------------------------- */

typedef struct examination {
    const sound *s;
    const char *path;
    campaign_tally *tally;
    bool slow_probes, deep, must_find;
    transcript *scratch;
} examination;

/* Counts whether any probe met the damage. */
static bool examine_probe(const examination *x, unsigned which, pm_index *index,
                          pm_searcher *searcher)
{
    pm_error err = {.status = PM_OK};
    x->scratch->len = 0;
    pm_status st = probe_ask(which, index, searcher, x->scratch, &err);
    if (st == PM_CORRUPT) return true;
    if (st != PM_OK)
        campaign_finding(x->tally, pm_status_name(st), err.message);
    else if (!transcript_equal(x->scratch, &x->s->answers[which]))
        campaign_finding(x->tally, "another answer", probe_name(which));
    return false;
}

static void examine_check(const examination *x)
{
    pm_error err = {.status = PM_OK};
    pm_status st = pm_check(x->path, x->deep, NULL, NULL, NULL, &err);
    if (st != PM_CORRUPT && (st != PM_OK || x->must_find))
        campaign_finding(x->tally, "pm_check", st == PM_OK ? "finds nothing" : err.message);
}

static void examine(const examination *x)
{
    pm_error err = {.status = PM_OK};
    pm_index *index = NULL;
    pm_searcher *searcher = NULL;
    bool corrupt = false;
    pm_status st = pm_index_open(x->path, &index, &err);
    if (st == PM_OK) st = pm_searcher_open(index, &searcher, &err);
    for (unsigned which = 0; st == PM_OK && which < PROBE_COUNT; which++)
        if (which < PROBE_STATS || x->slow_probes)
            corrupt |= examine_probe(x, which, index, searcher);
    if (st != PM_OK && st != PM_CORRUPT)
        campaign_finding(x->tally, pm_status_name(st), err.message);
    pm_searcher_close(searcher);
    pm_index_close(index);
    examine_check(x);
    if (st == PM_CORRUPT || corrupt)
        x->tally->corrupt++;
    else
        x->tally->same++;
    campaign_end(x->tally);
}

/* ---- many cases ----------------------------------------------------------------------- */

/* Does cases first, first + step, ... on the copy at x->path. */
typedef void damage_fn(examination *x, unsigned long first, unsigned long step, unsigned change);

typedef struct damage {
    const sound *s;
    damage_fn *fn;
    unsigned change;
} damage;

/* Whether the campaign of one commit changes bytes by this mask. */
static bool mask_is_tried(unsigned mask)
{
    const char *which = getenv("PM_DAMAGE_MASKS");
    bool all = which && strcmp(which, "all") == 0, bits = which && strcmp(which, "bits") == 0;
    bool is_bit = (mask & (mask - 1)) == 0;
    return all || mask == 0xff || mask == 0x01 || (bits && is_bit);
}

static void work(void *ctx, campaign_tally *tally, unsigned long first, unsigned long step)
{
    const damage *d = ctx;
    char path[FOLDER_PATH];
    examination x = {.s = d->s, .path = path, .tally = tally, .scratch = malloc(sizeof *x.scratch)};
    folder_must(x.scratch != NULL, "memory", "");
    folder_make(path);
    folder_restore(path, &d->s->image);
    d->fn(&x, first, step, d->change);
    folder_remove(path);
    free(x.scratch);
}

static void try_every(unsigned long every, const char *title, const sound *s, damage_fn *fn,
                      unsigned change)
{
    damage d = {s, fn, change};
    campaign_run(title, every, work, &d);
}

static void try_all(const char *title, const sound *s, damage_fn *fn)
{
    try_every(1, title, s, fn, 0);
}

/* ---- the campaigns ------------------------------------------------------------------------ */

static void begin_case(examination *x, const char *file, unsigned long place, unsigned change)
{
    campaign_begin(x->tally, file, place, change);
    x->slow_probes = place % SLOW_PROBES_EVERY == 0;
    x->deep = place % DEEP_EVERY == 0;
    x->must_find = is_named(&x->s->image, file);
}

static void flip_bytes(examination *x, unsigned long first, unsigned long step, unsigned change)
{
    unsigned long at = first;
    for (size_t i = 0; i < x->s->image.n; i++) {
        const folder_file *f = &x->s->image.files[i];
        int fd = folder_open(x->path, f->name);
        for (; at < f->len; at += step) {
            uint8_t byte = (uint8_t)(f->data[at] ^ change);
            folder_must(pwrite(fd, &byte, 1, (off_t)at) == 1, "write", f->name);
            begin_case(x, f->name, at, change);
            examine(x);
            folder_must(pwrite(fd, &f->data[at], 1, (off_t)at) == 1, "write", f->name);
        }
        at -= f->len;
        close(fd);
    }
}

static void cut_files(examination *x, unsigned long first, unsigned long step, unsigned change)
{
    unsigned long at = first;
    (void)change;
    for (size_t i = 0; i < x->s->image.n; i++) {
        const folder_file *f = &x->s->image.files[i];
        int fd = folder_open(x->path, f->name);
        for (; at < f->len; at += step) {
            unsigned long len = f->len - 1 - at;
            folder_must(ftruncate(fd, (off_t)len) == 0, "cut", f->name);
            begin_case(x, f->name, len, 0);
            examine(x);
        }
        at -= f->len;
        close(fd);
        folder_write(x->path, f->name, f->data, f->len);
    }
}

static void test_every_byte(void **state)
{
    char title[60];
    (void)state;
    for (unsigned mask = 0xff; mask > 0; mask--) {
        if (!mask_is_tried(mask)) continue;
        snprintf(title, sizeof title, "every byte xor %02x, one commit", mask);
        try_every(campaign_stride(), title, &one, flip_bytes, mask);
    }
}

static void test_every_byte_with_tombstones(void **state)
{
    (void)state;
    try_every(campaign_stride(), "every byte xor ff, two commits", &two, flip_bytes, 0xff);
}

/* Several pages, most of which no probe but the dump looks at. */
static void test_many_pages(void **state)
{
    (void)state;
    try_every(MANY_SAMPLE * campaign_stride(), "bytes xor ff, many pages", &many, flip_bytes, 0xff);
}

static void test_every_length(void **state)
{
    (void)state;
    try_every(campaign_stride(), "every shorter length, two commits", &two, cut_files, 0);
}

/* Bytes behind the end, and a file made of one byte repeated. */
static void grow_files(examination *x, unsigned long first, unsigned long step, unsigned change)
{
    static uint8_t more[1 << 17];
    (void)change;
    for (unsigned long i = first; i < 2 * x->s->image.n; i += step) {
        const folder_file *f = &x->s->image.files[i / 2];
        size_t extra = i % 2 ? 1 : 65536;
        if (f->len + extra > sizeof more) continue;
        memcpy(more, f->data, f->len);
        memset(more + f->len, 0, extra);
        folder_write(x->path, f->name, more, f->len + extra);
        begin_case(x, f->name, f->len + extra, 0);
        examine(x);
        folder_write(x->path, f->name, f->data, f->len);
    }
}

static void test_longer_files(void **state)
{
    (void)state;
    try_all("longer files, two commits", &two, grow_files);
}

static void lose_files(examination *x, unsigned long first, unsigned long step, unsigned change)
{
    (void)change;
    for (unsigned long i = first; i < x->s->image.n; i += step) {
        const folder_file *f = &x->s->image.files[i];
        if (strcmp(f->name, "manifest") == 0) continue; /* then there is no index          */
        folder_unlink(x->path, f->name);
        begin_case(x, f->name, 0, 0);
        examine(x);
        folder_write(x->path, f->name, f->data, f->len);
    }
}

static void test_missing_files(void **state)
{
    (void)state;
    try_all("missing files, two commits", &two, lose_files);
}

/* Give each file the bytes of each other file of the same index. */
static void exchange_files(examination *x, unsigned long first, unsigned long step, unsigned change)
{
    const folder_image *image = &x->s->image;
    (void)change;
    for (unsigned long i = first; i < image->n * image->n; i += step) {
        const folder_file *to = &image->files[i / image->n], *from = &image->files[i % image->n];
        if (to == from) continue;
        if (strcmp(to->name, "manifest") == 0 && strcmp(from->name, "manifest.prev") == 0) continue;
        folder_write(x->path, to->name, from->data, from->len);
        begin_case(x, to->name, i % image->n, 0);
        examine(x);
        folder_write(x->path, to->name, to->data, to->len);
    }
}

static void test_exchanged_files(void **state)
{
    (void)state;
    try_all("exchanged files, two commits", &two, exchange_files);
}

/* Files of another index of the same articles, which agree in everything but their identity. */
static void adopt_files(examination *x, unsigned long first, unsigned long step, unsigned change)
{
    (void)change;
    for (unsigned long i = first; i < x->s->image.n; i += step) {
        const folder_file *mine = &x->s->image.files[i], *theirs = &foreign.image.files[i];
        folder_write(x->path, mine->name, theirs->data, theirs->len);
        begin_case(x, mine->name, 0, 0);
        examine(x);
        folder_write(x->path, mine->name, mine->data, mine->len);
    }
}

/* Like adopt_files, but the segment lies under the name that the foreign manifest gives. */
static void adopt_manifest(examination *x, unsigned long first, unsigned long step, unsigned change)
{
    (void)change;
    (void)step;
    if (first != 0) return;
    for (size_t i = 0; i < foreign.image.n; i++) {
        const folder_file *theirs = &foreign.image.files[i], *mine = &x->s->image.files[i];
        bool is_manifest = strcmp(theirs->name, "manifest") == 0;
        const folder_file *bytes = is_manifest ? theirs : mine;
        folder_write(x->path, theirs->name, bytes->data, bytes->len);
    }
    begin_case(x, "manifest", 1, 0);
    examine(x);
}

static void test_foreign_files(void **state)
{
    (void)state;
    assert_int_equal(one.image.n, foreign.image.n);
    try_all("files of another index", &one, adopt_files);
}

static void test_foreign_manifest(void **state)
{
    (void)state;
    try_all("manifest of another index", &one, adopt_manifest);
}

/* ---- whole commits ------------------------------------------------------------------------ */

static void test_no_manifest_is_no_index(void **state)
{
    char path[FOLDER_PATH];
    pm_error err = {.status = PM_OK};
    pm_index *index = NULL;
    (void)state;
    folder_make(path);
    folder_restore(path, &one.image);
    folder_unlink(path, "manifest");
    assert_int_equal(pm_index_open(path, &index, &err), PM_USAGE);
    assert_null(index);
    folder_remove(path);
}

/* The kept manifest put in the place of the newest is the commit before, if its files are there. */
static void test_commit_before(void **state)
{
    static transcript answers;
    char path[FOLDER_PATH];
    pm_error err = {.status = PM_OK};
    const folder_file *prev = NULL;
    (void)state;
    for (size_t i = 0; i < two.image.n; i++)
        if (strcmp(two.image.files[i].name, "manifest.prev") == 0) prev = &two.image.files[i];
    assert_non_null(prev);
    folder_make(path);
    folder_restore(path, &two.image);
    folder_write(path, "manifest", prev->data, prev->len);
    assert_int_equal(probe_all(path, &answers, &err), PM_OK);
    assert_true(transcript_equal(&answers, &two.old));
    folder_remove(path);
}

int main(void)
{
    unsetenv("PRESSMARK_SEED"); /* the foreign index needs an identity of its own         */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte),       cmocka_unit_test(test_every_byte_with_tombstones),
        cmocka_unit_test(test_many_pages),       cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_longer_files),     cmocka_unit_test(test_missing_files),
        cmocka_unit_test(test_exchanged_files),  cmocka_unit_test(test_foreign_files),
        cmocka_unit_test(test_foreign_manifest), cmocka_unit_test(test_no_manifest_is_no_index),
        cmocka_unit_test(test_commit_before),
    };
    return cmocka_run_group_tests(tests, make_sound, free_sound);
}
