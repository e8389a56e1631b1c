/* SPDX-License-Identifier: MIT
 * made_articles.c - see made_articles.h.
 */
#include "tests/support/made_articles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "tests/support/folder.h"

static const char *const vocabulary[] = {
    "trade",  "Trade",   "trades",
    "US",     "us",      "U.S.",
    "talks",  "talk",    "China\xe2\x80\x99s",
    "China",  "rare",    "earth",
    "export", "exports", "controls",
    "the",    "the",     "The",
    "of",     "to",
};

static size_t put_words(char *out, size_t cap, unsigned n, uint64_t *seed)
{
    size_t len = 0;
    for (unsigned i = 0; i < n; i++)
        len += (size_t)snprintf(out + len, cap - len, "%s%s", i ? " " : "",
                                vocabulary[random_next(seed) % 20]);
    return len;
}

void make_article(made_article *m, unsigned number, unsigned version)
{
    uint64_t seed = number * 1000003u + version;
    memset(m, 0, sizeof *m);
    m->a.id = (pm_text){m->id, (size_t)snprintf(m->id, sizeof m->id, "a%u", number)};
    m->a.title = (pm_text){
        m->title, put_words(m->title, sizeof m->title, (unsigned)(random_next(&seed) % 5), &seed)};
    size_t len = put_words(m->text, MADE_TEXT, (unsigned)(random_next(&seed) % 60), &seed);
    len += (size_t)snprintf(m->text + len, MADE_TEXT - len, " unique%uv%u", number, version);
    m->a.text = (pm_text){m->text, len};
    if (number % 3) {
        snprintf(m->date, sizeof m->date, "2025-%02u-%02u", number % 12 + 1, version % 28 + 1);
        m->a.date = (pm_text){m->date, 10};
    }
    if (len > 20 && number % 5 == 0) {
        m->a.title_in_body = true;
        m->a.title_start = 3;
        m->a.title_end = 17;
    }
    m->a.file_size = number + 1;
    m->a.file_mtime_ns = version;
    m->a.file_hash = 7 * number;
}

pm_writer_options made_options(void)
{
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    o.block_size = 8;
    o.dense_shift = 2;
    o.store_block_bytes = 200;
    return o;
}

pm_writer *open_writer(const char *path, uint64_t memory)
{
    pm_writer *w = NULL;
    pm_error err = {0};
    pm_writer_options o = made_options();
    o.memory_bytes = memory;
    if (pm_writer_open(path, &o, &w, &err) != PM_OK) fail_msg("%s", err.message);
    return w;
}

bool add(pm_writer *w, unsigned number, unsigned version)
{
    made_article m;
    bool replaced;
    pm_error err;
    make_article(&m, number, version);
    must(pm_writer_add(w, &m.a, &replaced, &err), &err);
    return replaced;
}

bool remove_article(pm_writer *w, unsigned number)
{
    char id[24];
    bool found;
    pm_error err;
    size_t len = (size_t)snprintf(id, sizeof id, "a%u", number);
    must(pm_writer_delete(w, id, len, &found, &err), &err);
    return found;
}

pm_commit_info commit(pm_writer *w)
{
    pm_commit_info info;
    pm_error err;
    must(pm_writer_commit(w, &info, &err), &err);
    return info;
}
