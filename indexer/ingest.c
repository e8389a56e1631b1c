/* SPDX-License-Identifier: MIT
 * ingest.c - the run: paths in, summary out.
 *
 * All paths are looked at before the first article is given to the sink, so that a mistyped
 * one costs nothing.
 */
#include "indexer/ingest.h"

#include <errno.h>

/* Raise when titles, dates or cleaning change, so that unchanged files are read again. */
enum { INGEST_RULES = 3 };

/* Eight bits of how a file is read; never 0. */
static uint32_t how_of(const ingest *run)
{
    uint32_t how[3] = {INGEST_RULES, (uint32_t)run->options.format,
                       run->has_encoding ? (uint32_t)run->encoding + 1 : 0};
    uint32_t bits = (uint32_t)hash_bytes(how, sizeof how) & 0xff;
    return bits ? bits : 1;
}

uint32_t ingest_stamp(const ingest *run)
{
    return how_of(run) << 24 | (uint32_t)(run->root & 0xffffff);
}

uint64_t ingest_line_hash(const ingest *run, uint64_t file_hash, uint64_t line_hash)
{
    uint64_t parts[4] = {how_of(run), run->root, file_hash, line_hash};
    return ingest_mark(parts, sizeof parts);
}

/* The folder PATH at hand, by its absolute path, so that another spelling is the same. */
static pm_status set_root(ingest *run, const char *path, pm_error *err)
{
    buf_reset(&run->root_path);
    pm_status st = file_real_path(path, &run->root_path, err);
    run->root = ingest_mark(run->root_path.data, run->root_path.len);
    run->root_incomplete = false;
    return st;
}

/* Below a folder no link is followed, so that its path and the name make the absolute path. */
bool ingest_real_path(const ingest *run, pm_text below, buf *out)
{
    buf_append(out, run->root_path.data, run->root_path.len);
    if (below.len && (!out->len || out->data[out->len - 1] != '/')) buf_u8(out, '/');
    buf_append(out, below.data, below.len);
    return !out->failed;
}

pm_status ingest_file_hash(ingest *run, const ingest_input *file, uint64_t *out, pm_error *err)
{
    pm_status st = PM_OK;
    buf real = {0};
    *out = 0;
    if (strcmp(file->path, "-") == 0 && !file->walked) goto out;
    if (file->walked) {
        if (!ingest_real_path(run, file->id, &real)) PM_TRY(error_nomem(err));
    } else {
        PM_TRY(file_real_path(file->path, &real, err));
    }
    *out = ingest_mark(real.data, real.len);
out:
    buf_free(&real);
    return st;
}

static pm_status take_folder(ingest *run, const char *path, pm_error *err)
{
    pm_status st = PM_OK;
    pm_error problem = {0};
    size_t before = run->folders.names.len;
    if (set_root(run, path, &problem) != PM_OK) {
        if (problem.status != PM_IO) PM_TRY(error_nomem(err));
        ingest_skip(run, path, 0, (pm_text){NULL, 0}, problem.message);
        goto out;
    }
    PM_TRY(ingest_walk(run, path, err));
    if (run->options.prune && !run->stopped) PM_TRY(ingest_prune_root(run, path, before, err));
out:
    return st;
}

/* A file given as PATH has the id that it would have by its folder, and is as if found under that;
 * but for one that a walk of the folder leaves out or does not follow, so that it cannot be missed
 * there. */
static pm_status set_parent_root(ingest *run, const ingest_input *file, pm_error *err)
{
    pm_status st = PM_OK;
    pm_error problem = {0};
    buf folder = {0};
    if (file->info.is_link || file->id.data[0] == '.') goto out;
    buf_append(&folder, file->path, (size_t)(file->id.data - file->path));
    buf_append_str(&folder, ".");
    buf_u8(&folder, 0);
    if (folder.failed) PM_TRY(error_nomem(err));
    st = set_root(run, (const char *)folder.data, &problem);
    if (st == PM_NOMEM) PM_TRY(error_nomem(err));
    if (st != PM_OK) run->root = 0;
    st = PM_OK;
out:
    buf_free(&folder);
    return st;
}

static pm_status take_path(ingest *run, const char *path, pm_error *err)
{
    const char *base = strrchr(path, '/');
    ingest_input file = {.path = path, .id = text_of(base ? base + 1 : path)};
    pm_error problem = {0};
    bool is_stdin = strcmp(path, "-") == 0;
    run->root = 0;
    if (is_stdin)
        file.info.is_regular = true;
    else if (file_stat(path, &file.info, &problem) != PM_OK) {
        ingest_skip(run, path, 0, file.id, problem.message);
        return PM_OK;
    }
    if (file.info.is_dir) return take_folder(run, path, err);
    if (!is_stdin && set_parent_root(run, &file, err) != PM_OK) return PM_NOMEM;
    return is_stdin ? ingest_stdin(run, &file, err) : ingest_file(run, &file, err);
}

static pm_status check_paths(const char *const *paths, size_t n_paths, pm_input_format format,
                             pm_error *err)
{
    bool lines = format == PM_INPUT_AUTO || format == PM_INPUT_JSONL;
    for (size_t i = 0; i < n_paths; i++) {
        file_info info;
        pm_error problem = {0};
        if (strcmp(paths[i], "-") == 0 && !lines)
            return error_set(err, PM_USAGE,
                             "standard input is read as JSON Lines, which say an article's id; "
                             "name a file, or leave the format out");
        if (strcmp(paths[i], "-") == 0 || file_stat(paths[i], &info, &problem) == PM_OK) continue;
        if (problem.os_errno == ENOENT || problem.os_errno == ENOTDIR)
            return error_set(err, PM_USAGE,
                             "%s: no such file or folder; name one, or - for standard input",
                             paths[i]);
        if (err) *err = problem;
        return PM_IO;
    }
    return PM_OK;
}

static pm_status set_options(ingest *run, const pm_ingest_options *options, pm_error *err)
{
    run->options = (pm_ingest_options)PM_INGEST_OPTIONS_INIT;
    if (options && options->size < sizeof options->size)
        return error_set(err, PM_USAGE, "ingest options are not initialised");
    if (options) {
        size_t size = options->size < sizeof run->options ? options->size : sizeof run->options;
        memcpy(&run->options, options, size);
    }
    if ((unsigned)run->options.format > PM_INPUT_JSONL)
        return error_set(err, PM_USAGE, "unknown input format %u", (unsigned)run->options.format);
    const char *name = run->options.encoding;
    run->has_encoding = name && encoding_find(name, &run->encoding);
    if (!name || run->has_encoding) return PM_OK;
    return error_set(err, PM_USAGE,
                     "unknown encoding %.40s; known are utf-8, utf-16le, utf-16be and windows-1252",
                     name);
}

static void ingest_free(ingest *run)
{
    document_free(&run->doc);
    seq_set_free(&run->left);
    seq_set_free(&run->present);
    hash_set_free(&run->files);
    ingest_prune_free(run);
    buf_free(&run->root_path);
}

static bool is_partial(const ingest *run)
{
    return run->summary.skipped || run->summary.duplicates;
}

pm_status ingest_run(const ingest_sink *sink, const char *const *paths, size_t n_paths,
                     const pm_ingest_options *options, pm_ingest_summary *summary, pm_error *err)
{
    pm_status st = PM_OK;
    ingest run = {.sink = sink};
    PM_TRY(set_options(&run, options, err));
    PM_TRY(check_paths(paths, n_paths, run.options.format, err));
    for (size_t i = 0; i < n_paths && !run.stopped; i++) PM_TRY(take_path(&run, paths[i], err));
    if (!run.stopped) PM_TRY(ingest_prune(&run, err));
    if (run.stopped)
        st = error_set(err, PM_PARTIAL, "stopped by the caller; later input was not read");
    else if (is_partial(&run))
        st = error_set(err, PM_PARTIAL, "%llu inputs skipped, %llu ids met twice",
                       (unsigned long long)run.summary.skipped,
                       (unsigned long long)run.summary.duplicates);
out:
    if (summary) *summary = run.summary;
    ingest_free(&run);
    if (sink->held) sink->held(sink->ctx, 0);
    return st;
}
