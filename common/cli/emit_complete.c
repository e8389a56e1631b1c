/* SPDX-License-Identifier: MIT
 *
 * emit_complete.c - completion scripts for bash and zsh, from the option tables.
 *
 * bash splits words at '=', so the script looks past it to find the option whose value is
 * being typed.
 */
#include <string.h>

#include "common/cli/emit.h"
#include "common/cli/help.h"

/* The values of an option: names separated by '|'; NULL when anything may follow. */
static const char *values_of(const cli_option *o)
{
    if (o->kind == CLI_YESNO) return "yes|no";
    return o->kind == CLI_CHOICE ? o->arg : NULL;
}

static bool is_path(const cli_option *o)
{
    return o->kind == CLI_TEXT && o->arg &&
           (strcmp(o->arg, "FILE") == 0 || strcmp(o->arg, "DIR") == 0);
}

/* `names` with blanks instead of '|'. */
static void emit_names(const char *names)
{
    for (; *names; names++) emit_data(*names == '|' ? " " : names, 1);
}

/* Listed commands by first words, each once. */
static void emit_commands(const cli_program *program)
{
    const char *last = "";
    for (size_t i = 0; i < program->n; i++) {
        const cli_command *c = program->commands[i];
        size_t n = strcspn(c->name, " ");
        if (!cli_is_listed(c) || (strncmp(c->name, last, n) == 0 && strcspn(last, " ") == n))
            continue;
        emit_data(c->name, n);
        emit_str(" ");
        last = c->name;
    }
    emit_str("help");
}

/* Second words of the commands that have two. */
static void emit_seconds(const cli_program *program)
{
    for (size_t i = 0; i < program->n; i++) {
        const char *second = strchr(program->commands[i]->name, ' ');
        if (second && cli_is_listed(program->commands[i])) emit_str(second);
    }
}

static void bash_command(const cli_command *c)
{
    emit_printf("    '%s')\n        options='--help", c->name);
    for (size_t i = 0; i < c->n_options; i++) {
        if (cli_option_is_listed(&c->options[i])) emit_printf(" --%s", c->options[i].name);
    }
    emit_str("'\n        case $prev in\n");
    for (size_t i = 0; i < c->n_options; i++) {
        const cli_option *o = &c->options[i];
        if (!cli_option_is_listed(o) || (!values_of(o) && !is_path(o))) continue;
        emit_printf("        --%s", o->name);
        if (o->letter) emit_printf("|-%c", o->letter);
        if (is_path(o)) {
            emit_printf(") COMPREPLY=($(compgen %s -- \"$cur\")); return ;;\n",
                        strcmp(o->arg, "DIR") == 0 ? "-d" : "-f");
        } else {
            emit_str(") COMPREPLY=($(compgen -W '");
            emit_names(values_of(o));
            emit_str("' -- \"$cur\")); return ;;\n");
        }
    }
    emit_str("        esac ;;\n");
}

void help_bash(const cli_program *program)
{
    emit_str("# bash completion of pressmark, made by `pressmark help --completions bash`\n"
             "_pressmark() {\n"
             "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
             "    local command=${COMP_WORDS[1]} options=\n"
             "    COMPREPLY=()\n"
             "    if [[ $cur == = ]]; then cur=\n"
             "    elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
             "    if ((COMP_CWORD == 1)) || [[ $command == help ]]; then\n"
             "        COMPREPLY=($(compgen -W '");
    emit_commands(program);
    emit_str(" --help --version' -- \"$cur\"))\n        return\n    fi\n"
             "    if [[ $command == bench ]]; then\n"
             "        if ((COMP_CWORD == 2)); then\n"
             "            COMPREPLY=($(compgen -W '");
    emit_seconds(program);
    emit_str("' -- \"$cur\"))\n            return\n        fi\n"
             "        command=\"bench ${COMP_WORDS[2]}\"\n    fi\n"
             "    case $command in\n");
    for (size_t i = 0; i < program->n; i++) {
        if (cli_is_listed(program->commands[i])) bash_command(program->commands[i]);
    }
    emit_str("    esac\n"
             "    if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
             "    else COMPREPLY=($(compgen -f -- \"$cur\")); fi\n"
             "}\n"
             "complete -o filenames -F _pressmark pressmark\n");
}

/* Text within a zsh option specification, which is quoted by '...' and split at ':', '['. */
static void zsh_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            emit_str("'\\''");
        else if (strchr(":[]\\", *text))
            emit_printf("\\%c", *text);
        else
            emit_data(text, 1);
    }
}

static void zsh_option(const cli_option *o)
{
    bool takes = o->kind != CLI_FLAG && o->kind != CLI_SET;
    if (o->letter)
        emit_printf("            '(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter,
                    takes ? "+" : "", o->name, takes ? "=" : "");
    else
        emit_printf("            '--%s%s[", o->name, takes ? "=" : "");
    zsh_text(o->help);
    emit_str("]");
    if (takes) {
        emit_str(":value:");
        if (is_path(o)) emit_str(strcmp(o->arg, "DIR") == 0 ? "_files -/" : "_files");
        if (values_of(o)) {
            emit_str("(");
            emit_names(values_of(o));
            emit_str(")");
        }
    }
    emit_str("' \\\n");
}

static void zsh_command(const cli_command *c)
{
    emit_printf("    '%s')\n        _arguments -s \\\n", c->name);
    for (size_t i = 0; i < c->n_options; i++) {
        if (cli_option_is_listed(&c->options[i])) zsh_option(&c->options[i]);
    }
    emit_str("            '(- *)'{-h,--help}'[help]' '*:argument:_files' ;;\n");
}

void help_zsh(const cli_program *program)
{
    emit_str("#compdef pressmark\n"
             "# zsh completion of pressmark, made by `pressmark help --completions zsh`\n"
             "_pressmark() {\n"
             "    if ((CURRENT == 2)); then\n        compadd -- ");
    emit_commands(program);
    emit_str("\n        return\n    fi\n"
             "    local command=$words[2]\n"
             "    if [[ $command == bench ]]; then\n"
             "        if ((CURRENT == 3)); then\n            compadd --");
    emit_seconds(program);
    emit_str("\n            return\n        fi\n"
             "        command=\"bench $words[3]\"\n"
             "        shift words\n        ((CURRENT--))\n    fi\n"
             "    shift words\n    ((CURRENT--))\n"
             "    case $command in\n    help)\n        compadd -- ");
    emit_commands(program);
    emit_str(" ;;\n");
    for (size_t i = 0; i < program->n; i++) {
        if (cli_is_listed(program->commands[i])) zsh_command(program->commands[i]);
    }
    emit_str("    esac\n}\n_pressmark \"$@\"\n");
}
