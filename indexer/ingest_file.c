/* SPDX-License-Identifier: MIT
 * ingest_file.c - one file: what it is, whether it is as it was, and who reads it.
 *
 * The format is said by the caller, else by the name, else by the first bytes.  A text whose
 * size and time are those of the stored article is not read at all; one whose time alone
 * differs is read and compared by hash.  The time is that of the last change of the inode, which
 * nobody can set back as that of its content.  Both only hold while the file was read in the same
 * way and under the same folder PATH (the stamp in the provenance hash).
 */
#include "indexer/ingest.h"
#include "indexer/json_line.h"

#include "common/base/hash.h"

enum { SNIFF_BYTES = 64 * 1024, BINARY_LOOK_BYTES = 8 * 1024 };

/* ---- formats --------------------------------------------------------------------------------- */

static bool name_ends(const char *name, size_t len, const char *suffix)
{
    size_t n = strlen(suffix);
    return len > n && ascii_same(name + len - n, suffix, n);
}

static pm_input_format format_of_name(const char *name, bool *compressed)
{
    static const struct {
        const char *suffix;
        pm_input_format format;
    } known[] = {{".txt", PM_INPUT_TEXT},    {".text", PM_INPUT_TEXT},
                 {".md", PM_INPUT_MARKDOWN}, {".markdown", PM_INPUT_MARKDOWN},
                 {".jsonl", PM_INPUT_JSONL}, {".ndjson", PM_INPUT_JSONL}};
    size_t len = strlen(name);
    *compressed = name_ends(name, len, ".gz");
    if (*compressed) len -= 3;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (name_ends(name, len, known[i].suffix)) return known[i].format;
    return PM_INPUT_AUTO;
}

/* Bytes that no text has: NUL, or more than one control character in sixteen. */
static bool is_binary(slice head)
{
    size_t n = head.len < BINARY_LOOK_BYTES ? head.len : BINARY_LOOK_BYTES, controls = 0;
    encoding marked;
    if (encoding_mark((const char *)head.data, head.len, &marked)) return false;
    if (n >= 5 && memcmp(head.data, "%PDF-", 5) == 0) return true;
    for (size_t i = 0; i < n; i++) {
        if (head.data[i] == 0) return true;
        controls += head.data[i] < 0x20 && (head.data[i] < '\t' || head.data[i] > '\r') &&
                    head.data[i] != 0x1b;
    }
    return controls * 16 > n;
}

/* What the first bytes are in UTF-8, in the encoding that is said or marked and without its mark;
 * they borrow from head or *decoded.  *binary: they are no text. */
static pm_text first_text(const ingest *run, slice head, buf *decoded, bool *binary)
{
    encoding marked;
    const char *text = (const char *)head.data;
    size_t mark = encoding_mark(text, head.len, &marked);
    decoder dec = {.from = run->has_encoding ? run->encoding : marked};
    if (marked != dec.from) mark = 0;
    *binary = is_binary(head);
    if (!mark && dec.from == ENCODING_UTF8) return (pm_text){text, head.len};
    decoder_feed(&dec, decoded, text + mark, head.len - mark, false);
    /* Every other byte of UTF-16 may be NUL; of what is none one unit in 32 is half a character. */
    if (!mark && dec.from != ENCODING_WINDOWS_1252) *binary = dec.repaired > head.len / 2 / 64;
    return text_of_buf(decoded);
}

/* What an input of no known name is; *reason when it is not to be read. */
static pm_status sniff(const ingest *run, input *in, pm_input_format *format, const char **reason,
                       pm_error *err)
{
    slice head;
    buf decoded = {0};
    bool binary;
    pm_status st = PM_OK;
    PM_TRY(input_peek(in, SNIFF_BYTES, &head, err));
    pm_text text = first_text(run, head, &decoded, &binary);
    if (decoded.failed) PM_TRY(error_nomem(err));
    if (binary) *reason = "not a text file";
    if (*format != PM_INPUT_AUTO) goto out;
    if (json_line_sniff(text.data, text.len, head.len < SNIFF_BYTES))
        *format = PM_INPUT_JSONL;
    else if (text.len >= 4 &&
             (memcmp(text.data, "---\n", 4) == 0 || memcmp(text.data, "---\r", 4) == 0))
        *format = PM_INPUT_MARKDOWN;
    else
        *format = PM_INPUT_TEXT;
out:
    buf_free(&decoded);
    return st;
}

static bool holds(slice line, const char *what)
{
    return memmem(line.data, line.len, what, strlen(what)) != NULL;
}

/* The first line of a report (index --report), by its keys: its lines carry the ids of articles,
 * but no texts.  One that lies in the folder must not take their place in the next run. */
static bool is_report_line(slice line)
{
    static const char *const keys[] = {",\"path\":\"",
                                       ",\"title_rule\":", ",\"date_rule\":", ",\"boilerplate\":[",
                                       ",\"reason\":"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!holds(line, keys[i])) return false;
    return true;
}

static pm_status is_report(input *in, bool *yes, pm_error *err)
{
    static const char begin[] = "{\"action\":\"";
    slice head;
    pm_status st = PM_OK;
    PM_TRY(input_peek(in, sizeof begin - 1, &head, err));
    if (head.len < sizeof begin - 1 || memcmp(head.data, begin, sizeof begin - 1) != 0) goto out;
    PM_TRY(input_peek(in, SNIFF_BYTES, &head, err));
    const uint8_t *end = memchr(head.data, '\n', head.len);
    *yes = is_report_line((slice){head.data, end ? (size_t)(end - head.data) : head.len});
out:
    return st;
}

/* ---- unchanged files --------------------------------------------------------------------- */

/* The stored article of a text file that was read the same way under the same folder. */
static pm_status find_known(ingest *run, const ingest_input *file, ingest_known *out, pm_error *err)
{
    pm_status st = ingest_find(run, file->id, 0, out, err);
    if (st != PM_OK || !out->found) return st;
    out->found =
        !out->lines && out->folder == run->root && (uint32_t)out->hash == ingest_stamp(run);
    return PM_OK;
}

/* ---- reading ------------------------------------------------------------------------------ */

static pm_status skip_unless_fatal(ingest *run, const ingest_input *file, pm_status st,
                                   const pm_error *problem, pm_error *err)
{
    if (st != PM_IO) {
        if (err) *err = *problem;
        return st;
    }
    ingest_skip(run, file->path, 0, file->id, problem->message);
    return PM_OK;
}

/* Where the text can be read again, for an index that does not keep it: the file's path, which
 * lives in *path; nothing when its bytes are not the text (source_text.c) or are compressed. */
static pm_status name_source(ingest *run, const ingest_input *file, const input *in, buf *path,
                             pm_error *err)
{
    pm_status st = PM_OK;
    pm_error problem = {0};
    pm_article *a = &run->doc.article;
    if (!run->sink->keeps_no_text || in->gz || run->doc.converted || !run->doc.verbatim) goto out;
    st = file_real_path(file->path, path, &problem);
    if (st == PM_NOMEM) PM_TRY(error_nomem(err));
    if (st == PM_OK) a->file_path = text_of_buf(path);
    st = PM_OK;
out:
    return st;
}

/* A text has no lines: articles of those it had go. */
static pm_status note_text(ingest *run, const ingest_input *file, pm_error *err)
{
    uint64_t hash = 0;
    pm_error problem = {0};
    if (!run->options.prune) return PM_OK;
    pm_status st = ingest_file_hash(run, file, &hash, &problem);
    bool ok = st != PM_NOMEM && (!hash || hash_set_add(&run->pruned_files, hash));
    return ok ? PM_OK : error_nomem(err);
}

static pm_status index_text(ingest *run, const ingest_input *file, const input *in, const buf *data,
                            bool markdown, const ingest_known *known, pm_error *err)
{
    pm_status st = PM_OK;
    buf source = {0};
    uint64_t hash = ingest_hash(hash_content(data->data, data->len), ingest_stamp(run));
    PM_TRY(note_text(run, file, err));
    if (known->found && known->size == file->info.size && known->hash == hash) {
        st = ingest_leave(run, file->path, 0, file->id, known->seq, err);
        goto out;
    }
    PM_TRY(source_text_read(run, data, markdown, err));
    run->doc.article.id = file->id;
    run->doc.article.file_size = file->info.size;
    run->doc.article.file_mtime_ns = file->info.changed_ns;
    run->doc.article.file_hash = hash;
    run->doc.article.file_folder = run->root;
    PM_TRY(name_source(run, file, in, &source, err));
    PM_TRY(ingest_add(run, &run->doc, NULL, file->path, 0, err));
out:
    buf_free(&source);
    return st;
}

static void skip_long(ingest *run, const ingest_input *file, const input *in)
{
    char reason[80];
    input_say_too_long(in, "", reason, sizeof reason);
    ingest_skip(run, file->path, 0, file->id, reason);
}

static pm_status read_text(ingest *run, const ingest_input *file, input *in, bool markdown,
                           const ingest_known *known, pm_error *err)
{
    pm_error problem = {0};
    buf data = {0};
    bool too_long = false;
    pm_status st = input_read_all(in, &data, &too_long, &problem);
    if (st != PM_OK)
        st = skip_unless_fatal(run, file, st, &problem, err);
    else if (too_long)
        skip_long(run, file, in);
    else
        st = index_text(run, file, in, &data, markdown, known, err);
    buf_free(&data);
    return st;
}

/* All lines of the file were read: those that are not met are gone, and so is the article that the
 * file was as a whole; unless a line was skipped, whose id nobody knows. */
static pm_status note_lines(ingest *run, const ingest_input *file, uint64_t hash, bool skipped,
                            bool *no_text, pm_error *err)
{
    if (!run->options.prune || !hash || run->stopped) return PM_OK;
    *no_text = !skipped;
    if (skipped)
        ingest_warn(run, file->path, "its lines are not pruned, because one of them was skipped");
    else if (!hash_set_add(&run->pruned_files, hash))
        return error_nomem(err);
    return PM_OK;
}

static pm_status read_jsonl(ingest *run, const ingest_input *file, input *in, bool *no_text,
                            pm_error *err)
{
    pm_error problem = {0};
    bool sink_failed = false;
    uint64_t hash = 0, skipped = run->summary.skipped;
    pm_status st = ingest_file_hash(run, file, &hash, &problem);
    if (st == PM_OK) st = source_jsonl_read(run, file, hash, in, &sink_failed, &problem);
    if (st == PM_OK)
        return note_lines(run, file, hash, run->summary.skipped > skipped, no_text, err);
    if (!sink_failed) return skip_unless_fatal(run, file, st, &problem, err);
    if (err) *err = problem;
    return st;
}

/* Open the file and decide its format. */
static pm_status open_input(ingest *run, const ingest_input *file, input *in,
                            pm_input_format *format, bool *report, const char **reason,
                            pm_error *err)
{
    bool compressed;
    pm_status st = PM_OK;
    pm_input_format named = format_of_name(file->path, &compressed);
    *format = run->options.format == PM_INPUT_AUTO ? named : run->options.format;
    PM_TRY(input_open(in, file->path, compressed, run->sink->article_max, err));
    if (named == PM_INPUT_AUTO && (*format == PM_INPUT_AUTO || file->walked))
        PM_TRY(sniff(run, in, format, reason, err));
    if (file->walked && !*reason) PM_TRY(is_report(in, report, err));
out:
    return st;
}

/* *no_text: it was read as lines, to its end. */
static pm_status read_file(ingest *run, const ingest_input *file, const ingest_known *known,
                           bool *no_text, pm_error *err)
{
    pm_error problem = {0};
    input in = {.file = INFILE_INIT};
    pm_input_format format = PM_INPUT_AUTO;
    const char *reason = NULL;
    bool report = false;
    pm_status st = open_input(run, file, &in, &format, &report, &reason, &problem);
    if (st != PM_OK)
        st = skip_unless_fatal(run, file, st, &problem, err);
    else if (reason)
        ingest_skip(run, file->path, 0, file->id, reason);
    else if (report)
        ingest_warn(run, file->path, "a report of an earlier run is no input");
    else if (format == PM_INPUT_JSONL)
        st = read_jsonl(run, file, &in, no_text, err);
    else
        st = read_text(run, file, &in, format == PM_INPUT_MARKDOWN, known, err);
    run->summary.input_bytes += in.bytes;
    input_close(&in);
    return st;
}

pm_status ingest_stdin(ingest *run, const ingest_input *file, pm_error *err)
{
    pm_error problem = {0};
    input in;
    bool no_text;
    pm_status st = input_open(&in, file->path, false, run->sink->article_max, &problem);
    if (st != PM_OK) return skip_unless_fatal(run, file, st, &problem, err);
    st = read_jsonl(run, file, &in, &no_text, err);
    run->summary.input_bytes += in.bytes;
    input_close(&in);
    return st;
}

/* The file exists, whatever comes of it. */
static pm_status note_present(ingest *run, const ingest_input *file, pm_error *err)
{
    uint64_t hash = 0;
    pm_error problem = {0};
    pm_status st = ingest_file_hash(run, file, &hash, &problem);
    return st == PM_NOMEM ? error_nomem(err) : ingest_present(run, SEQ_NONE, hash, err);
}

static pm_status take_file(ingest *run, const ingest_input *file, const ingest_known *known,
                           bool *no_text, pm_error *err)
{
    const char *reason = NULL;
    if (file->walked && file->info.is_link)
        reason = "a symbolic link inside a folder is not followed";
    else if (!file->info.is_regular)
        reason = "not a regular file";
    if (reason) {
        ingest_skip(run, file->path, 0, file->id, reason);
        return PM_OK;
    }
    if (known->found && known->size == file->info.size &&
        known->mtime_ns == file->info.changed_ns) {
        pm_status st = note_text(run, file, err);
        return st == PM_OK ? ingest_leave(run, file->path, 0, file->id, known->seq, err) : st;
    }
    return read_file(run, file, known, no_text, err);
}

pm_status ingest_file(ingest *run, const ingest_input *file, pm_error *err)
{
    pm_status st = PM_OK;
    ingest_known known;
    bool no_text = false;
    PM_TRY(find_known(run, file, &known, err));
    if (run->options.prune) PM_TRY(note_present(run, file, err));
    PM_TRY(take_file(run, file, &known, &no_text, err));
    if (run->options.prune && !no_text) PM_TRY(ingest_present(run, known.seq, 0, err));
out:
    return st;
}
