/* SPDX-License-Identifier: MIT
 * ingest_fixture.c - see ingest_fixture.h.
 */
#include "tests/support/ingest_fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "ingest_fixture: %s failed\n", what);
    abort();
}

static bool on_event(void *ctx, const pm_ingest_event *event)
{
    static const char *const kinds[] = {"ADDED",   "UPDATED",   "UNCHANGED", "PRUNED",
                                        "SKIPPED", "DUPLICATE", "WARNING"};
    ingest_fixture *f = ctx;
    size_t room = sizeof f->log - f->log_len;
    int n = snprintf(f->log + f->log_len, room, "%s %.*s :%llu (%s)\n", kinds[event->kind],
                     (int)event->id.len, event->id.data ? event->id.data : "",
                     (unsigned long long)event->line, event->reason ? event->reason : "");
    must(n >= 0 && (size_t)n < room, "the event log");
    f->log_len += (size_t)n;
    f->events++;
    return !f->stop_after || f->events < f->stop_after;
}

void fixture_open(ingest_fixture *f)
{
    memset(f, 0, sizeof *f);
    folder_make(f->folder);
    f->options = (pm_ingest_options)PM_INGEST_OPTIONS_INIT;
    f->options.event = on_event;
    f->options.ctx = f;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

void fixture_close(ingest_fixture *f)
{
    nftw(f->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    memory_sink_free(&f->sink);
}

const char *fixture_path(const ingest_fixture *f, const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", f->folder, name);
    return path;
}

void fixture_write(const ingest_fixture *f, const char *name, const void *data, size_t len)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    for (char *slash = strchr(path + strlen(f->folder) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0755);
        *slash = '/';
    }
    FILE *file = fopen(path, "wb");
    must(file != NULL, "fopen");
    must(fwrite(data, 1, len, file) == len, "fwrite");
    must(fclose(file) == 0, "fclose");
}

void fixture_text(const ingest_fixture *f, const char *name, const char *text)
{
    fixture_write(f, name, text, strlen(text));
}

void fixture_gzip(const ingest_fixture *f, const char *name, const void *data, size_t len)
{
    gzFile file = gzopen(fixture_path(f, name), "wb9");
    must(file != NULL, "gzopen");
    must(gzwrite(file, data, (unsigned)len) == (int)len, "gzwrite");
    must(gzclose(file) == Z_OK, "gzclose");
}

pm_status fixture_run_paths(ingest_fixture *f, const char *const *paths, size_t n)
{
    ingest_sink sink = memory_sink_of(&f->sink);
    f->log_len = 0;
    f->log[0] = 0;
    f->events = 0;
    return ingest_run(&sink, paths, n, &f->options, &f->summary, &f->err);
}

pm_status fixture_run(ingest_fixture *f, const char *path)
{
    const char *paths[1] = {path ? path : f->folder};
    return fixture_run_paths(f, paths, 1);
}

const char *fixture_body(const ingest_fixture *f, const char *id)
{
    const pm_article *a = memory_sink_get(&f->sink, id);
    if (!a) fprintf(stderr, "no article %s; events:\n%s", id, f->log);
    must(a != NULL, "fixture_body");
    return a->text.data;
}
