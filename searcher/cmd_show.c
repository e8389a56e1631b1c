/* SPDX-License-Identifier: MIT
 *
 * cmd_show.c - pressmark show: stored articles, for reading or as JSON.
 */
#include <string.h>

#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/emit_article.h"

typedef struct show_options {
    const char *index;
    bool json;
} show_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(show_options),
    {.name = "json",
     .kind = CLI_FLAG,
     .offset = offsetof(show_options, json),
     .help = "one JSON object a line, with every stored field"},
};

/* Exit code of one id. */
static int show(pm_index *index, const char *id, bool json, bool first)
{
    pm_error err = {0};
    pm_article *article = NULL;
    if (pm_index_article(index, id, strlen(id), &article, &err) != PM_OK) return emit_error(&err);
    if (!article) {
        emit_note("pressmark: show: no article '%.300s' in the index", id);
        return EXIT_NONE;
    }
    if (json) {
        emit_json(emit_article_json(article));
    } else {
        if (!first) emit_str("\n");
        emit_article_text(article);
    }
    if (article->text_missing) {
        emit_flush();
        emit_warning(
            "the text of '%.300s' is not shown: the index keeps none, and its source is gone, "
            "has changed, or cannot be read back (JSON Lines, .gz, another encoding)",
            id);
    }
    pm_article_free(article);
    return EXIT_OK;
}

static int run(const void *given, const cli_args *args)
{
    const show_options *o = given;
    pm_error err = {0};
    pm_index *index = NULL;
    if (pm_index_open(cli_index_path(o->index), &index, &err) != PM_OK) return emit_error(&err);
    int code = EXIT_OK;
    for (size_t i = 0; i < args->n && code <= EXIT_NONE && !emit_broken(); i++) {
        int one = show(index, args->words[i], o->json, i == 0);
        if (one != EXIT_OK) code = one;
    }
    pm_index_close(index);
    return code;
}

const cli_command cmd_show = {
    "show",
    "ID...",
    "print stored articles",
    "An unknown id gives exit code 1; the other articles are still printed. Ids made for lines of "
    "standard input begin with '-': write '--' before them ('show -- -#3').",
    CLI_TABLE(table),
    NULL,
    sizeof(show_options),
    1,
    SIZE_MAX,
    0,
    run,
};
