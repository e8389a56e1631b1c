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

static bool takes_value(const cli_option *o)
{
    return o->kind != CLI_FLAG && o->kind != CLI_SET;
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

/* The bytes of a command's first word. */
static size_t first_len(const cli_command *c)
{
    return strcspn(c->name, " ");
}

/* Is the i-th command listed, and the first one with its first word? */
static bool is_first(const cli_program *program, size_t i)
{
    const cli_command *c = program->commands[i];
    size_t n = first_len(c);
    if (!cli_is_listed(c)) return false;
    for (size_t k = 0; k < i; k++) {
        const cli_command *other = program->commands[k];
        if (cli_is_listed(other) && first_len(other) == n && !memcmp(other->name, c->name, n))
            return false;
    }
    return true;
}

/* Listed commands by first words, each once. */
static void emit_commands(const cli_program *program)
{
    for (size_t i = 0; i < program->n; i++) {
        if (!is_first(program, i)) continue;
        emit_data(program->commands[i]->name, first_len(program->commands[i]));
        emit_str(" ");
    }
    emit_str("help");
}

/* For each family a case of the shell's, which sets `seconds` to its second words. */
static void emit_families(const cli_program *program)
{
    for (size_t i = 0; i < program->n; i++) {
        const char *name = program->commands[i]->name;
        size_t n = first_len(program->commands[i]);
        if (!name[n] || !is_first(program, i)) continue;
        emit_printf("    %.*s) seconds='", (int)n, name);
        for (size_t k = i; k < program->n; k++) {
            const cli_command *c = program->commands[k];
            if (!cli_is_listed(c) || first_len(c) != n || memcmp(c->name, name, n) != 0) continue;
            emit_str(c->name + n + (k == i));
        }
        emit_str("' ;;\n");
    }
}

/* Are the words of the command folders, or files or something else; are there any? */
typedef enum word_kind { WORDS_NONE, WORDS_FOLDERS, WORDS_FILES } word_kind;

static word_kind words_of(const cli_command *c)
{
    if (!c->max_words) return WORDS_NONE;
    return strcmp(c->args, "DIR") == 0 ? WORDS_FOLDERS : WORDS_FILES;
}

/* What follows an option that takes a value: names, files, or nothing that is known. */
static void bash_value(const cli_option *o)
{
    emit_printf("        --%s", o->name);
    if (o->letter) emit_printf("|-%c", o->letter);
    if (is_path(o)) {
        emit_printf(") _pressmark_files %s ;;\n", strcmp(o->arg, "DIR") == 0 ? "-d" : "-f");
    } else if (values_of(o)) {
        emit_str(") _pressmark_words '");
        emit_names(values_of(o));
        emit_str("' ;;\n");
    } else {
        emit_str(") ;;\n");
    }
}

static void bash_command(const cli_command *c)
{
    static const char *const files[] = {":", "_pressmark_files -d", "_pressmark_files -f"};
    const cli_option *o;
    emit_printf("    '%s')\n        case $prev in\n", c->name);
    for (size_t i = 0; (o = cli_option_listed(c, i)); i++)
        if (takes_value(o)) bash_value(o);
    emit_str("        *)\n            if [[ $cur == -* ]]; then _pressmark_words '--help");
    for (size_t i = 0; (o = cli_option_listed(c, i)); i++) emit_printf(" --%s", o->name);
    emit_printf("'\n            else %s; fi ;;\n        esac ;;\n", files[words_of(c)]);
}

void help_bash(const cli_program *program)
{
    emit_str(
        "# bash completion of pressmark, made by `pressmark help --completions bash`\n"
        "_pressmark_words() { COMPREPLY=($(compgen -W \"$1\" -- \"$cur\")); }\n"
        "_pressmark_files() { # -f or -d\n"
        "    case $cur in\n"
        "    [\\\"\\']*) cur=${cur:1} ;;\n"
        "    *) cur=${cur//\\\\/} ;;\n"
        "    esac\n"
        "    compopt -o filenames 2>/dev/null\n"
        "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
        "}\n"
        "_pressmark() {\n"
        "    local IFS=$' \\t\\n' cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
        "    local command=${COMP_WORDS[1]} first=1 seconds= commands='");
    emit_commands(program);
    emit_str(
        "'\n"
        "    COMPREPLY=()\n"
        "    if [[ $cur == = ]]; then cur=\n"
        "    elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
        "    if ((COMP_CWORD == 1)); then\n"
        "        _pressmark_words \"$commands --help --version\"\n"
        "        return\n"
        "    fi\n"
        "    if [[ $command == help ]]; then\n"
        "        command=${COMP_WORDS[2]} first=2\n"
        "        if ((COMP_CWORD == 2)); then _pressmark_words \"$commands --man --completions\"\n"
        "        elif [[ $command == --completions ]]; then seconds='bash zsh'; fi\n"
        "    fi\n"
        "    case $command in\n");
    emit_families(program);
    emit_str("    esac\n"
             "    if [[ $seconds ]] && ((COMP_CWORD == first + 1)); then _pressmark_words "
             "\"$seconds\"; fi\n"
             "    if ((first == 2)) || [[ $seconds && $COMP_CWORD == 2 ]]; then return; fi\n"
             "    if [[ $seconds ]]; then command+=\" ${COMP_WORDS[2]}\"; fi\n"
             "    case $command in\n");
    for (size_t i = 0; i < program->n; i++) {
        if (cli_is_listed(program->commands[i])) bash_command(program->commands[i]);
    }
    emit_str("    esac\n"
             "}\n"
             "complete -F _pressmark pressmark\n");
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
    bool takes = takes_value(o);
    if (o->letter)
        emit_printf("            '(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter,
                    takes ? "+" : "", o->name, takes ? "=" : "");
    else
        emit_printf("            '%s--%s%s[", o->kind == CLI_LIST ? "*" : "", o->name,
                    takes ? "=" : "");
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
    static const char *const words[] = {"", " '*:folder:_files -/'", " '*:argument:_files'"};
    const cli_option *o;
    emit_printf("    '%s')\n        _arguments -s \\\n", c->name);
    for (size_t i = 0; (o = cli_option_listed(c, i)); i++) zsh_option(o);
    emit_printf("            '(- *)'{-h,--help}'[help]'%s ;;\n", words[words_of(c)]);
}

void help_zsh(const cli_program *program)
{
    emit_str("#compdef pressmark\n"
             "# zsh completion of pressmark, made by `pressmark help --completions zsh`\n"
             "_pressmark() {\n"
             "    local seconds= commands='");
    emit_commands(program);
    emit_str(
        "'\n"
        "    if ((CURRENT == 2)); then\n"
        "        compadd -- ${=commands} --help --version\n        return\n    fi\n"
        "    shift words\n    ((CURRENT--))\n"
        "    local command=$words[1] is_help=\n"
        "    if [[ $command == help ]]; then\n"
        "        if ((CURRENT == 2)); then\n"
        "            compadd -- ${=commands} --man --completions\n            return\n        fi\n"
        "        shift words\n        ((CURRENT--))\n"
        "        command=$words[1] is_help=1\n"
        "        if [[ $command == --completions ]]; then seconds='bash zsh'; fi\n"
        "    fi\n"
        "    case $command in\n");
    emit_families(program);
    emit_str("    esac\n"
             "    if [[ -n $seconds ]]; then\n"
             "        if ((CURRENT == 2)); then\n            compadd -- ${=seconds}\n"
             "            return\n        fi\n"
             "        shift words\n        ((CURRENT--))\n"
             "        command+=\" $words[1]\"\n"
             "    fi\n"
             "    if [[ -n $is_help ]]; then return; fi\n"
             "    case $command in\n");
    for (size_t i = 0; i < program->n; i++) {
        if (cli_is_listed(program->commands[i])) zsh_command(program->commands[i]);
    }
    emit_str("    esac\n}\n_pressmark \"$@\"\n");
}
