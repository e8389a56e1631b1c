/* SPDX-License-Identifier: MIT
 *
 * emit_help.c - help of the program and of one command, from the option tables.
 */
#include "common/cli/help.h"

#include <string.h>

#include "common/cli/emit.h"

enum { NAME_COLUMN = 26, LINE_END = 79 };

void help_option_name(const cli_option *o, char out[80])
{
    const char *value = o->kind == CLI_YESNO ? "yes|no" : o->arg;
    bool takes = o->kind != CLI_FLAG && o->kind != CLI_SET;
    char letter[8] = "    ";
    if (o->letter) snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    snprintf(out, 80, "%s--%s%s%s", letter, o->name, takes ? "=" : "", takes && value ? value : "");
}

/* The blanks and newlines at *text; true when they end a paragraph. */
static bool skip_space(const char **text)
{
    unsigned newlines = 0;
    for (; **text == ' ' || **text == '\n'; (*text)++) newlines += **text == '\n';
    return newlines > 1;
}

/* Words of text, wrapped between `column` and LINE_END; the cursor stands at `column`. */
static void print_wrapped(const char *text, size_t column)
{
    size_t at = column;
    while (*text) {
        size_t n = strcspn(text, " \n");
        if (at > column && at + 1 + n > LINE_END) {
            emit_printf("\n%*s", (int)column, "");
            at = column;
        } else if (at > column) {
            emit_str(" ");
            at++;
        }
        emit_data(text, n);
        at += n;
        text += n;
        if (skip_space(&text) && *text) {
            emit_printf("\n\n%*s", (int)column, "");
            at = column;
        }
    }
    emit_str("\n");
}

static void print_option(const cli_option *o)
{
    char name[80];
    help_option_name(o, name);
    emit_printf("  %-*s", NAME_COLUMN, name);
    if (strlen(name) >= NAME_COLUMN) emit_printf("\n%*s", NAME_COLUMN + 2, "");
    print_wrapped(o->help, NAME_COLUMN + 2);
}

void help_command(const cli_command *c)
{
    emit_printf("pressmark %s - %s\n\nusage: pressmark %s [OPTIONS]%s%s\n", c->name, c->summary,
                c->name, *c->args ? " " : "", c->args);
    if (c->details) {
        emit_str("\n");
        print_wrapped(c->details, 0);
    }
    emit_str("\noptions:\n");
    for (size_t i = 0; i < c->n_options; i++) {
        if (cli_option_is_listed(&c->options[i])) print_option(&c->options[i]);
    }
    emit_printf("  %-*sthis help\n", NAME_COLUMN, "-h, --help");
}

void help_short(FILE *to)
{
    fputs("usage: pressmark COMMAND [OPTIONS] ARGS\n"
          "  pressmark index FOLDER      make or update the index of a folder of articles\n"
          "  pressmark search WORDS      find articles, best first\n"
          "'pressmark help' lists all commands; 'pressmark help COMMAND' explains one.\n",
          to);
}

void help_program(const cli_program *program)
{
    emit_str("pressmark - full-text search over press articles\n\n"
             "usage: pressmark COMMAND [OPTIONS] ARGS\n\ncommands:\n");
    for (size_t i = 0; i < program->n; i++) {
        const cli_command *c = program->commands[i];
        if (cli_is_listed(c)) emit_printf("  %-16s%s\n", c->name, c->summary);
    }
    emit_str(
        "\n  help COMMAND    explain one command (also: pressmark COMMAND --help)\n"
        "  --version       print the version\n\n"
        "The index is the folder given by -i DIR, else $PRESSMARK_INDEX, else ./pressmark.idx.\n"
        "Every command takes --color=auto|always|never (only search has colours) and --quiet\n"
        "(no progress and no summary; warnings and errors are still said).\n\n"
        "examples:\n"
        "  pressmark index corpus/articles\n"
        "  pressmark search rare earth export controls\n"
        "  pressmark search '\"state visit\" -tiktok' --json\n"
        "  pressmark show 003_49c9dfdcf3ca4ea9.txt\n");
}
