/* SPDX-License-Identifier: MIT
 *
 * cmd_check.c - pressmark check: is every byte of the index what was written?
 *
 * Findings go to standard error, one line each; the summary to standard output.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/meter.h"

typedef struct check_options {
    const char *index;
    bool deep, json, quiet;
} check_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(check_options),
    {.name = "deep",
     .kind = CLI_FLAG,
     .offset = offsetof(check_options, deep),
     .help = "besides the checksums, verify every rule of the format"},
    {.name = "json",
     .kind = CLI_FLAG,
     .offset = offsetof(check_options, json),
     .help = "one JSON object with the findings"},
    {.name = "quiet",
     .kind = CLI_FLAG,
     .offset = offsetof(check_options, quiet),
     .help = "findings and exit code alone, no summary"},
};

typedef struct report {
    bool json;
    uint64_t n; /* findings so far                                                         */
    json_t *findings;
} report;

/* Said once, with the first finding. */
static const char next_step[] = "; restore a copy, or delete the folder and index again";

static void on_finding(void *ctx, const char *file, const char *section, uint64_t offset,
                       const char *what)
{
    report *r = ctx;
    emit_note("pressmark: %s: damaged at offset %llu (%s): %s%s", file, (unsigned long long)offset,
              section, what, r->n++ ? "" : next_step);
    if (!r->json) return;
    json_t *o = json_object();
    emit_json_set(&o, "file", emit_json_text(file, strlen(file)));
    emit_json_set(&o, "section", emit_json_text(section, strlen(section)));
    emit_json_set(&o, "offset", json_integer((json_int_t)offset));
    emit_json_set(&o, "what", emit_json_text(what, strlen(what)));
    if (!o || !r->findings || json_array_append_new(r->findings, o) != 0) emit_refused();
}

static void print_json(const pm_check_summary *s, json_t *findings, bool deep, bool sound)
{
    json_t *o = json_object();
    emit_json_set(&o, "ok", json_boolean(sound));
    emit_json_set(&o, "files", json_integer((json_int_t)s->files));
    emit_json_set(&o, "bytes", json_integer((json_int_t)s->bytes));
    emit_json_set(&o, "pages", json_integer((json_int_t)s->pages));
    emit_json_set(&o, "documents", json_integer((json_int_t)s->documents));
    emit_json_set(&o, "deleted", json_integer((json_int_t)s->deleted));
    if (deep) {
        emit_json_set(&o, "terms", json_integer((json_int_t)s->terms));
        emit_json_set(&o, "postings", json_integer((json_int_t)s->postings));
    }
    emit_json_set(&o, "findings", findings);
    emit_json(o);
}

static void print_text(const pm_check_summary *s, bool deep, bool sound)
{
    char size[24];
    if (sound)
        emit_str("ok: ");
    else
        emit_printf("damaged: %llu findings; ", (unsigned long long)s->findings);
    emit_printf("%llu files, %s, %llu documents", (unsigned long long)s->files,
                meter_bytes(s->bytes, size), (unsigned long long)s->documents);
    if (s->deleted) emit_printf(", %llu deleted", (unsigned long long)s->deleted);
    if (deep) {
        emit_printf(", %llu terms, %llu postings", (unsigned long long)s->terms,
                    (unsigned long long)s->postings);
    }
    emit_str("\n");
}

static int run(const void *given, const cli_args *args)
{
    const check_options *o = given;
    pm_error err = {0};
    pm_check_summary summary = {0};
    report r = {.json = o->json, .findings = o->json ? json_array() : NULL};
    (void)args;
    pm_status st = pm_check(cli_index_path(o->index), o->deep, on_finding, &r, &summary, &err);
    if (st != PM_OK && summary.findings == 0) emit_error(&err);
    if (st == PM_OK || st == PM_CORRUPT) {
        if (o->json)
            print_json(&summary, json_incref(r.findings), o->deep, st == PM_OK);
        else if (!o->quiet)
            print_text(&summary, o->deep, st == PM_OK);
    }
    json_decref(r.findings);
    return emit_exit_code(st);
}

const cli_command cmd_check = {
    "check",
    "",
    "verify every byte of the index",
    "Exit code 0 when the index is sound, 4 when it is damaged. Nothing is "
    "repaired in place: delete the folder of a damaged index and make it again from its articles "
    "by 'pressmark index', or restore a copy.",
    CLI_TABLE(table),
    NULL,
    sizeof(check_options),
    0,
    0,
    0,
    run,
};
