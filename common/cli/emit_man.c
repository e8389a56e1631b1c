/* SPDX-License-Identifier: MIT
 *
 * emit_man.c - the man page pressmark(1) from the option tables, in the man(7) macros.
 */
#include <string.h>

#include "common/cli/emit.h"
#include "common/cli/help.h"

/* Text with roff's special characters made plain; `bold` is for what is typed as it is. */
static void roff_part(const char *text, size_t len)
{
    bool line_start = true;
    for (const char *end = text + len; text < end; text++) {
        if (line_start && (*text == '.' || *text == '\'')) emit_str("\\&");
        if (*text == '\\')
            emit_str("\\e");
        else if (*text == '-')
            emit_str("\\-");
        else if (*text == '\'')
            emit_str("\\(aq");
        else if (*text == '"')
            emit_str("\\(dq");
        else if (*text == '^')
            emit_str("\\(ha");
        else if (*text == '~')
            emit_str("\\(ti");
        else
            emit_data(text, 1);
        line_start = *text == '\n';
    }
}

static void roff(const char *text)
{
    roff_part(text, strlen(text));
}

static void man_details(const char *text)
{
    for (; *text; text++) {
        size_t len = strcspn(text, "\n");
        if (len)
            roff_part(text, len);
        else
            emit_str(".PP");
        emit_str("\n");
        text += len;
        if (!*text) break;
    }
}

static void man_option(const cli_option *o)
{
    char name[80];
    help_option_name(o, name);
    emit_str(".TP\n.B ");
    roff(name + strspn(name, " "));
    emit_str("\n");
    roff(o->help);
    emit_str("\n");
}

static void man_command(const cli_command *c)
{
    emit_str(".SS pressmark ");
    roff(c->name);
    emit_str(" [OPTIONS] ");
    roff(c->args);
    emit_str("\n");
    roff(c->summary);
    emit_str(".\n");
    if (c->details) {
        emit_str(".PP\n");
        man_details(c->details);
    }
    for (size_t i = 0; i < c->n_options; i++) {
        if (cli_option_is_listed(&c->options[i])) man_option(&c->options[i]);
    }
}

static const char head[] =
    ".SH NAME\npressmark \\- full\\-text search over press articles\n"
    ".SH SYNOPSIS\n.B pressmark\n.I COMMAND\n[OPTIONS] [ARGS]\n"
    ".SH DESCRIPTION\n"
    "pressmark makes an index of articles (text, Markdown, JSON Lines, each also gzipped) and\n"
    "answers queries from it, best article first (BM25).\n"
    ".PP\n"
    "Standard output carries data only; progress, warnings and summaries go to standard error.\n"
    "Control and bidirectional characters of article text are made visible, so that they cannot\n"
    "act on a terminal.\n"
    ".PP\nOptions follow the command: \\-\\-name value, \\-\\-name=value, \\-x value; \\-\\- ends "
    "them.\n"
    "Sizes are bytes, or have a suffix: 512k, 64M, 1G.\n"
    "Every command takes \\-\\-color=auto|always|never (only search has colours) and \\-\\-quiet\n"
    "(no progress and no summary; warnings and errors are still said).\n"
    ".SH COMMANDS\n";

static const char tail[] =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\nsuccess; for search: at least one hit. A closed pipe counts as success.\n"
    ".TP\n.B 1\nno hit, or an unknown id\n"
    ".TP\n.B 2\nusage error, or no such index\n"
    ".TP\n.B 3\nresults are given but incomplete: an input was skipped, a server did not "
    "answer\n"
    ".TP\n.B 4\nthe index is damaged\n"
    ".TP\n.B 5\nreading or writing failed, or out of memory\n"
    ".TP\n.B 6\nthe commit is visible but not known to survive a power cut\n"
    ".TP\n.B 7\nanother writer holds the index\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B PRESSMARK_INDEX\nthe index when \\-i is not given\n"
    ".TP\n.B PRESSMARK_PLUGINS\nthe folder of pressmark\\-xapian.so; when set, no other is "
    "looked into for it\n"
    ".TP\n.B TMPDIR\nwhere bench index makes its indexes, which it removes (else /var/tmp, or "
    "/tmp)\n"
    ".TP\n.B XAPIAN_FLUSH_THRESHOLD\nfor an index of the engine xapian: Xapian writes what is "
    "pending after so many articles (10000), sooner where \\-\\-memory asks for it\n"
    ".TP\n.B NO_COLOR\nwhen set and not empty, no colour unless \\-\\-color=always\n"
    ".SH EXAMPLES\n.nf\n"
    "pressmark index corpus/articles\n"
    "pressmark search rare earth export controls\n"
    "pressmark search \\(aq\\(dqstate visit\\(dq \\-tiktok\\(aq \\-\\-json\n"
    "pressmark batch queries.tsv > run.trec\n"
    ".fi\n";

void help_man(const cli_program *program)
{
    emit_printf(".TH PRESSMARK 1 \"\" \"pressmark %s\" \"User Commands\"\n", pm_version());
    emit_str(head);
    for (size_t i = 0; i < program->n; i++) {
        if (cli_is_listed(program->commands[i])) man_command(program->commands[i]);
    }
    emit_str(tail);
}
