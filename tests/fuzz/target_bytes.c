/* SPDX-License-Identifier: MIT
 * target_bytes.c - fuzz targets of bytes on disk: manifests, and segments that are opened,
 * searched, checked and merged, all with checksums made right, as one would who wants to deceive.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/crc32c.h"
#include "common/base/mem.h"
#include "common/segment/layout.h"
#include "common/segment/manifest.h"
#include "common/text/analyzer.h"
#include "tests/fuzz/targets.h"
#include "tests/support/crafted_merge.h"
#include "tests/support/folder.h"
#include "tests/support/reseal.h"

static uint8_t *copy_of(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    fuzz_must(copy != NULL);
    memcpy(copy, data, len);
    return copy;
}

/* ---- manifests ------------------------------------------------------------------------ */

/* What was decoded, encoded and decoded again, is the same. */
static void encode_again(const manifest *m)
{
    manifest back;
    buf first = {0}, second = {0};
    manifest_encode(m, &first);
    fuzz_must(!first.failed && first.len == manifest_size(m->n_segments));
    fuzz_must(manifest_decode(&back, buf_slice(&first), "again", NULL) == PM_OK);
    manifest_encode(&back, &second);
    fuzz_must(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    manifest_free(&back);
    buf_free(&first);
    buf_free(&second);
}

void fuzz_manifest(const uint8_t *data, size_t len)
{
    manifest m;
    uint8_t *copy = copy_of(data, len);
    if (len >= 16) { /* or hardly anything would come further */
        store_u32(copy + 12, (uint32_t)len);
        store_u32(copy + len - 4, crc32c(0, copy, len - 4));
    }
    pm_status st = manifest_decode(&m, (slice){copy, len}, "fuzz", NULL);
    fuzz_must(st == PM_OK || st == PM_CORRUPT);
    if (st == PM_OK) encode_again(&m);
    if (st == PM_OK) manifest_free(&m);
    free(copy);
}

/* ---- segments ------------------------------------------------------------------------- */

enum { UUID_AT = 16 }; /* in a segment's header                                             */

static char folder[FOLDER_PATH], profile[96];
static const char segment_name[] = "1-00000001.seg";

static void remove_folder(void)
{
    folder_remove(folder);
}

/* Once: the folder, and the profile that a searcher wants to see. */
static void make_folder(void)
{
    analyzer *a;
    if (*folder) return;
    fuzz_must(analyzer_open(&a, "none", NULL) == PM_OK);
    snprintf(profile, sizeof profile, "%s", analyzer_profile(a));
    analyzer_close(a);
    snprintf(folder, sizeof folder, "/dev/shm/pressmark-fuzz-XXXXXX");
    if (getenv("TMPDIR") || !mkdtemp(folder)) folder_make(folder);
    atexit(remove_folder);
}

static bool seal(uint8_t *data, size_t len, uint32_t *crc)
{
    if (len < LAYOUT_HEADER_BYTES + LAYOUT_FOOTER_BYTES) return false;
    *crc = reseal_segment(data, len);
    return true;
}

/* A manifest that agrees with whatever the segment says of itself. */
static bool write_manifest(const uint8_t *data, size_t len, uint32_t crc)
{
    layout_footer footer;
    buf bytes = {0};
    manifest m = {.generation = 1, .next_file = 2, .next_seq = 1u << 20};
    if (footer_decode(data + len - LAYOUT_FOOTER_BYTES, &footer)) return false;
    const segment_info *info = &footer.info;
    memcpy(m.uuid, info->uuid, sizeof m.uuid);
    snprintf(m.engine, sizeof m.engine, "native");
    snprintf(m.lang, sizeof m.lang, "none");
    snprintf(m.profile, sizeof m.profile, "%s", profile);
    m.has_positions = info->has_positions;
    m.has_text = info->has_text;
    m.k1 = info->k1;
    m.b = info->b;
    m.avgdl_ref = info->avgdl_ref;
    m.block_size = info->block_size;
    m.dense_shift = info->dense_shift;
    manifest_segment s = {
        .size = len, .footer_crc = crc, .n_docs = info->n_docs, .live_tokens = info->sum_dl};
    memcpy(s.name, segment_name, sizeof segment_name);
    fuzz_must(manifest_add_segment(&m, &s, NULL) == PM_OK);
    manifest_encode(&m, &bytes);
    folder_write(folder, "manifest", bytes.data, bytes.len);
    folder_write(folder, s.name, data, len);
    buf_free(&bytes);
    manifest_free(&m);
    return true;
}

static bool nothing(void *ctx, const char *data, size_t len)
{
    (void)data;
    size_t *total = ctx;
    *total += len;
    return *total < 1 << 20;
}

/* PM_USAGE: a phrase, and no positions. */
static void may(pm_status st, const pm_error *err)
{
    if (st == PM_OK || st == PM_CORRUPT || st == PM_USAGE) return;
    fuzz_check(false, err->message, pm_status_name(st), 0);
}

static void ask_all(pm_index *index)
{
    static const char *const queries[] = {"t1",       "+t1 +t2", "t1 t2 t3",    "\"t1 t2\"",
                                          "title:t1", "t1 -t2",  "\"t2 t3\"~3", "T.1. OR (t4 t5)"};
    pm_error err = {.status = PM_OK};
    pm_searcher *searcher = NULL;
    pm_article *article = NULL;
    pm_stats stats;
    size_t dumped = 0;
    if (pm_searcher_open(index, &searcher, NULL) == PM_OK) {
        for (unsigned i = 0; i < sizeof queries / sizeof *queries; i++) {
            const pm_result *result;
            pm_search_options options = PM_SEARCH_OPTIONS_INIT;
            options.exhaustive = i % 2;
            options.limit = 1 + i % 3 * 7;
            may(pm_searcher_search(searcher, queries[i], strlen(queries[i]), &options, &result,
                                   &err),
                &err);
        }
        pm_searcher_close(searcher);
    }
    may(pm_index_stats(index, &stats, &err), &err);
    may(pm_index_article(index, "d0", 2, &article, &err), &err);
    pm_article_free(article);
    pm_status st = pm_index_dump(index, nothing, &dumped, NULL);
    fuzz_must(st == PM_OK || st == PM_CORRUPT || (st == PM_IO && dumped >= 1 << 20));
}

/* By the choice that its own sum makes, so that a kept input says which. */
static void merge_one(size_t len, uint32_t crc, const uint8_t uuid[16])
{
    dir where = DIR_INIT;
    segment *s;
    pm_error err = {.status = PM_OK};
    uint64_t random = crc;
    fuzz_must(dir_open(&where, folder, NULL, NULL) == PM_OK);
    if (segment_open(&s, &where, segment_name, uuid, len, crc, &err) == PM_OK) {
        bool sound = crafted_merge(s, &where, &random, &err);
        fuzz_check(sound, "a merged segment opens", err.message, 0);
        segment_close(s);
    }
    dir_unlink(&where, "2-00000002.seg", NULL);
    dir_close(&where);
}

void fuzz_segment(const uint8_t *data, size_t len)
{
    uint32_t crc;
    pm_index *index = NULL;
    uint8_t *copy = copy_of(data, len);
    make_folder();
    if (seal(copy, len, &crc) && write_manifest(copy, len, crc)) {
        pm_status st = pm_index_open(folder, &index, NULL);
        fuzz_must(st == PM_OK || st == PM_CORRUPT || st == PM_USAGE);
        if (st == PM_OK) ask_all(index);
        pm_index_close(index);
        st = pm_check(folder, true, NULL, NULL, NULL, NULL);
        fuzz_must(st == PM_OK || st == PM_CORRUPT || st == PM_USAGE);
        merge_one(len, crc, copy + UUID_AT);
    }
    free(copy);
}
