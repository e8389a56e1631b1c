/* SPDX-License-Identifier: MIT
 * small_commits.c - see small_commits.h.
 */
#include "tests/support/small_commits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/crash_script.h"
#include "tests/support/whole_index.h"

enum { SEGMENTS_MOST = 12, UNTIL_MOST = 20 };

pm_writer *small_open(const char *path, unsigned threads, uint64_t memory, small_progress *progress)
{
    pm_error err;
    pm_writer *w;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = true;
    options.commit_level = 2;
    options.threads = threads;
    options.memory_bytes = memory;
    options.progress = progress;
    must(pm_writer_open(path, &options, &w, &err), &err);
    return w;
}

pm_status small_add(pm_writer *w, uint32_t id_number, uint32_t seed, pm_error *err)
{
    char id[16], text[400];
    size_t len = 0;
    for (uint32_t i = 0; i < 20; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "w%u ",
                                (unsigned)((seed + i * i * 7919) % 997));
    pm_article a = {.text = {text, len}};
    a.id = (pm_text){id, (size_t)snprintf(id, sizeof id, "%u", (unsigned)id_number)};
    return pm_writer_add(w, &a, NULL, err);
}

pm_status small_change(pm_writer *w, uint32_t commit, unsigned *under, pm_error *err)
{
    pm_status st = PM_OK;
    uint32_t all = (commit + 1) * SMALL_NEW;
    for (uint32_t i = 0; i < SMALL_NEW && st == PM_OK; i++)
        st = small_add(w, commit * SMALL_NEW + i, commit * 31 + i, err);
    for (uint32_t i = 0; i < 5 && st == PM_OK; i++)
        st = small_add(w, (commit * 7919 + i * 104729) % all, commit + i, err);
    char id[16];
    int len = snprintf(id, sizeof id, "%u", (unsigned)((commit * 5381) % all));
    if (st == PM_OK) st = pm_writer_delete(w, id, (size_t)len, NULL, err);
    for (size_t i = 0; i < w->n_segments; i++)
        *under += w->segments[i].dirty && writer_beside_holds(w, i);
    return st;
}

void small_commit(pm_writer *w, uint32_t commit)
{
    pm_error err;
    unsigned under = 0;
    must(small_change(w, commit, &under, &err), &err);
    must(pm_writer_commit(w, NULL, &err), &err);
}

uint32_t small_until_beside(pm_writer *w)
{
    uint32_t commit = 0;
    for (; !w->beside; commit++) {
        assert_true(commit < UNTIL_MOST);
        small_commit(w, commit);
    }
    return commit;
}

pm_status small_build(pm_writer *w, unsigned *under, unsigned *merges, pm_error *err)
{
    pm_status st = PM_OK;
    char last[SEGMENT_NAME_MAX] = "";
    for (uint32_t commit = 0; commit < SMALL_COMMITS && st == PM_OK; commit++) {
        st = small_change(w, commit, under, err);
        if (st == PM_OK) st = pm_writer_commit(w, NULL, err);
        const char *name = writer_beside_name(w);
        *merges += name && strcmp(name, last) != 0;
        snprintf(last, sizeof last, "%s", name ? name : "");
        if (!w->options.memory_bytes || w->options.memory_bytes > 1 << 20)
            assert_true(w->n_segments <= SEGMENTS_MOST);
    }
    return st;
}

void small_no_orphan(const char *path)
{
    char orphan[SCRIPT_NAME];
    if (script_orphan(path, orphan)) fail_msg("%s is left over", orphan);
}
