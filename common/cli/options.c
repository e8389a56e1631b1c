/* SPDX-License-Identifier: MIT
 *
 * options.c - the parser behind every option table (options.h).
 *
 * One pass over argv, in place: words move to the front, values go into the struct.  A
 * message names the command and the option and ends with what to do next; an unknown name
 * is answered with the nearest known one.
 */
#include "common/cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

/* ---- values ---------------------------------------------------------------------------- */

bool cli_parse_number(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

/* The shift of a size's suffix; 99 when it is none. */
static unsigned size_shift(const char *suffix)
{
    static const char units[] = "kmgt";
    if (!*suffix) return 0;
    const char *unit = strchr(units, *suffix | 0x20);
    if (!unit || !*unit) return 99;
    suffix++;
    if (*suffix == 'i') suffix++;
    if (*suffix == 'B' || *suffix == 'b') suffix++;
    return *suffix ? 99 : 10 * (unsigned)(unit - units + 1);
}

static bool parse_size(const char *text, uint64_t *out)
{
    char digits[24];
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n >= sizeof(digits)) return false;
    memcpy(digits, text, n);
    digits[n] = '\0';
    unsigned shift = size_shift(text + n);
    uint64_t value;
    if (shift == 99 || !cli_parse_number(digits, &value)) return false;
    if (value > UINT64_MAX >> shift) return false;
    *out = value << shift;
    return true;
}

static bool parse_real(const char *text, double *out)
{
    char *end;
    if (!*text || strspn(text, "+-.0123456789eE") != strlen(text)) return false;
    errno = 0;
    double value = strtod(text, &end);
    if (*end || !isfinite(value) || (errno == ERANGE && value != 0)) return false;
    *out = value;
    return true;
}

/* Position of `text` in the '|'-separated `names`, or -1. */
static int choice_find(const char *names, const char *text)
{
    size_t len = strlen(text);
    for (int i = 0; names; i++) {
        size_t n = strcspn(names, "|");
        if (n == len && memcmp(names, text, len) == 0) return i;
        names = names[n] ? names + n + 1 : NULL;
    }
    return -1;
}

const char *cli_index_path(const char *given)
{
    if (given) return given;
    const char *path = getenv("PRESSMARK_INDEX");
    return path && *path ? path : "./pressmark.idx";
}

/* ---- names ------------------------------------------------------------------------------- */

enum { NAME_MAX_LEN = 31 };

unsigned cli_name_distance(const char *a, const char *b)
{
    size_t m = strlen(a), n = strlen(b);
    if (m > NAME_MAX_LEN || n > NAME_MAX_LEN) return 99;
    unsigned d[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];
    for (size_t i = 0; i <= m; i++) d[i][0] = (unsigned)i;
    for (size_t j = 0; j <= n; j++) d[0][j] = (unsigned)j;
    for (size_t i = 1; i <= m; i++) {
        for (size_t j = 1; j <= n; j++) {
            unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && d[i - 2][j - 2] + 1 < best) best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[m][n];
}

/* What every command takes, whether it has a use for it or not: scripts give it to all alike.  The
 * command's own option of the name goes first.  Offset SIZE_MAX: the value is kept nowhere. */
static const cli_option common[] = {
    {.name = "color",
     .kind = CLI_CHOICE,
     .arg = "auto|always|never",
     .offset = SIZE_MAX,
     .help = "colour in text output; only search has any"},
    {.name = "quiet", .kind = CLI_FLAG, .offset = SIZE_MAX, .help = "no progress and no summary"},
};
enum { N_COMMON = sizeof(common) / sizeof(common[0]) };

static const cli_option *find_in(const cli_option *options, size_t n, const char *name, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
            return &options[i];
    return NULL;
}

static const cli_option *find_long(const cli_command *command, const char *name, size_t len)
{
    const cli_option *own = find_in(command->options, command->n_options, name, len);
    return own ? own : find_in(common, N_COMMON, name, len);
}

const cli_option *cli_option_listed(const cli_command *command, size_t i)
{
    for (size_t at = 0; at < command->n_options + N_COMMON; at++) {
        bool is_own = at < command->n_options;
        const cli_option *o = is_own ? &command->options[at] : &common[at - command->n_options];
        bool is_taken = !is_own && find_long(command, o->name, strlen(o->name)) != o;
        if (o->kind != CLI_LATER && o->help && !is_taken && i-- == 0) return o;
    }
    return NULL;
}

/* The listed option nearest to `name`, or NULL when none is near. */
static const char *nearest_option(const cli_command *command, const char *name)
{
    const char *best = NULL;
    if (strlen(name) < 2) return NULL;
    unsigned best_distance = strlen(name) < 4 ? 2 : 3;
    const cli_option *option;
    for (size_t i = 0; (option = cli_option_listed(command, i)); i++) {
        unsigned distance = cli_name_distance(option->name, name);
        if (strlen(name) > 2 && strncmp(option->name, name, strlen(name)) == 0) distance = 1;
        if (distance < best_distance) {
            best = option->name;
            best_distance = distance;
        }
    }
    return best;
}

/* ---- one argument ---------------------------------------------------------------------------- */

typedef struct parse {
    const cli_command *command;
    int argc, next; /* next: argv not yet looked at                                      */
    char **argv;
    unsigned char *options;
    size_t n_words;
    pm_error *err;
} parse;

static pm_status unknown(const parse *p, const char *name)
{
    const char *shown = strncmp(name, "--", 2) == 0 ? name + 2 : name + 1;
    char alone[64]; /* without the value                                                  */
    snprintf(alone, sizeof alone, "%.*s", (int)strcspn(shown, "="), shown);
    const char *near = nearest_option(p->command, alone);
    if (near) {
        return error_set(p->err, PM_USAGE, "%s: unknown option '%.60s'; did you mean '--%s'?",
                         p->command->name, name, near);
    }
    return error_set(p->err, PM_USAGE, "%s: unknown option '%.60s'; see 'pressmark help %s'%s",
                     p->command->name, name, p->command->name,
                     p->command->max_words ? ", or put '--' before words that begin with '-'" : "");
}

static pm_status not_yet(const parse *p, const char *option, const char *value)
{
    return error_set(p->err, PM_USAGE,
                     "%s: --%s%s%.40s: not available yet; see 'pressmark help %s'",
                     p->command->name, option, *value ? "=" : "", value, p->command->name);
}

static pm_status bad_value(const parse *p, const cli_option *o, const char *value,
                           const char *wanted)
{
    return error_set(p->err, PM_USAGE, "%s: --%s: '%.60s' is not %s", p->command->name, o->name,
                     value, wanted);
}

static pm_status check_range(const parse *p, const cli_option *o, const char *value, double v)
{
    if ((o->low == 0 && o->high == 0) || (v >= (double)o->low && v <= (double)o->high))
        return PM_OK;
    return error_set(p->err, PM_USAGE, "%s: --%s: %.40s is out of range, which is %llu to %llu",
                     p->command->name, o->name, value, (unsigned long long)o->low,
                     (unsigned long long)o->high);
}

static pm_status store_choice(const parse *p, const cli_option *o, const char *value)
{
    int at = choice_find(o->arg, value);
    if (at >= 0) {
        unsigned choice = (unsigned)at;
        if (o->offset == SIZE_MAX) return PM_OK;
        memcpy(p->options + o->offset, &choice, sizeof(choice));
        return PM_OK;
    }
    if (o->later && choice_find(o->later, value) >= 0) return not_yet(p, o->name, value);
    return error_set(p->err, PM_USAGE, "%s: --%s: '%.60s' is none of %s", p->command->name, o->name,
                     value, o->arg);
}

static pm_status store_integer(const parse *p, const cli_option *o, const char *value)
{
    uint64_t number;
    bool is_size = o->kind == CLI_SIZE;
    bool is_digits = *value && strspn(value, "0123456789") == strlen(value);
    if (!(is_size ? parse_size(value, &number) : cli_parse_number(value, &number))) {
        if (is_digits && o->high) return check_range(p, o, value, HUGE_VAL);
        return bad_value(p, o, value,
                         is_size ? "a size; write 4096, 512k, 64M or 1G" : "a whole number");
    }
    pm_status st = check_range(p, o, value, (double)number);
    if (st == PM_OK) memcpy(p->options + o->offset, &number, sizeof(number));
    return st;
}

static pm_status store_real(const parse *p, const cli_option *o, const char *value)
{
    double real;
    if (!parse_real(value, &real)) return bad_value(p, o, value, "a number");
    pm_status st = check_range(p, o, value, real);
    if (st == PM_OK) memcpy(p->options + o->offset, &real, sizeof(real));
    return st;
}

static pm_status store_yesno(const parse *p, const cli_option *o, const char *value)
{
    int yes = strcmp(value, "yes") == 0;
    if (!yes && strcmp(value, "no") != 0) return bad_value(p, o, value, "yes or no");
    memcpy(p->options + o->offset, &yes, sizeof(yes));
    return PM_OK;
}

/* One date, not a range of two. */
static bool is_date(const char *value)
{
    int64_t from, to;
    return !strstr(value, "..") && pm_date_range(value, strlen(value), &from, &to);
}

static pm_status store_item(const parse *p, const cli_option *o, const char *value)
{
    cli_list *list = (cli_list *)(void *)(p->options + o->offset);
    if (!*value) return bad_value(p, o, value, "a value; it is empty");
    if (list->n == CLI_LIST_MAX)
        return error_set(p->err, PM_USAGE, "%s: --%s: given more than %d times", p->command->name,
                         o->name, CLI_LIST_MAX);
    list->items[list->n++] = value;
    return PM_OK;
}

static pm_status store_value(const parse *p, const cli_option *o, const char *value)
{
    switch (o->kind) {
    case CLI_YESNO:
        return store_yesno(p, o, value);
    case CLI_CHOICE:
        return store_choice(p, o, value);
    case CLI_REAL:
        return store_real(p, o, value);
    case CLI_NUMBER:
    case CLI_SIZE:
        return store_integer(p, o, value);
    case CLI_LIST:
        return store_item(p, o, value);
    case CLI_DATE:
        if (!is_date(value))
            return bad_value(p, o, value, "a date; write 2025-09-19, 2025-09 or 2025");
        memcpy(p->options + o->offset, &value, sizeof(value));
        return PM_OK;
    case CLI_TEXT:
        if (!*value) return bad_value(p, o, value, "a value; it is empty");
        memcpy(p->options + o->offset, &value, sizeof(value));
        return PM_OK;
    case CLI_FLAG:
    case CLI_SET:
    case CLI_LATER:
        break;
    }
    return PM_OK;
}

static bool takes_value(const cli_option *o)
{
    return o->kind != CLI_FLAG && o->kind != CLI_SET && o->kind != CLI_LATER;
}

/* An option was recognised; `value` is what was attached to it, or NULL. */
static pm_status apply(parse *p, const cli_option *o, const char *value)
{
    if (o->kind == CLI_LATER) return not_yet(p, o->name, "");
    if (!takes_value(o)) {
        if (value) {
            return error_set(p->err, PM_USAGE, "%s: --%s takes no value", p->command->name,
                             o->name);
        }
        unsigned set = (unsigned)o->low;
        bool yes = true;
        if (o->offset == SIZE_MAX) return PM_OK;
        if (o->kind == CLI_SET)
            memcpy(p->options + o->offset, &set, sizeof(set));
        else
            memcpy(p->options + o->offset, &yes, sizeof(yes));
        return PM_OK;
    }
    if (!value) {
        if (p->next == p->argc) {
            return error_set(p->err, PM_USAGE, "%s: --%s needs a value: --%s=%s", p->command->name,
                             o->name, o->name, o->arg ? o->arg : "yes|no");
        }
        value = p->argv[p->next++];
    }
    return store_value(p, o, value);
}

/* -x, -x5 and -xvalue.  Among the words of a query -x5 needs its digit and -xvalue is a
 * word, so that `-korea` never becomes `-k orea`. */
static const cli_option *find_short(const parse *p, const char *arg)
{
    for (size_t i = 0; i < p->command->n_options; i++) {
        const cli_option *o = &p->command->options[i];
        if (!o->letter || o->letter != arg[1]) continue;
        if (!arg[2] || arg[2] == '=') return o;
        bool in_query = (p->command->flags & CLI_QUERY) && p->n_words > 0;
        bool digits = arg[2] >= '0' && arg[2] <= '9';
        bool numeric = o->kind == CLI_NUMBER || o->kind == CLI_SIZE;
        if (takes_value(o) && (numeric ? digits : !in_query)) return o;
    }
    return NULL;
}

static void take_word(parse *p, char *word)
{
    p->argv[p->n_words++] = word;
}

static pm_status parse_one(parse *p, char *arg, bool *help)
{
    const cli_option *o;
    const char *value = NULL;
    if (arg[0] != '-' || !arg[1]) {
        take_word(p, arg);
        return PM_OK;
    }
    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
        *help = true;
        return PM_OK;
    }
    if (arg[1] == '-') {
        size_t len = strcspn(arg + 2, "=");
        o = find_long(p->command, arg + 2, len);
        if (arg[2 + len]) value = arg + 2 + len + 1;
    } else {
        o = find_short(p, arg);
        if (o && arg[2]) value = arg[2] == '=' ? arg + 3 : arg + 2;
    }
    if (o) return apply(p, o, value);
    if ((p->command->flags & CLI_QUERY) && p->n_words > 0) {
        take_word(p, arg);
        return PM_OK;
    }
    return unknown(p, arg);
}

static pm_status check_words(const parse *p)
{
    const cli_command *c = p->command;
    if (p->n_words < c->min_words) {
        return error_set(p->err, PM_USAGE, "%s: %s is missing; see 'pressmark help %s'", c->name,
                         c->args, c->name);
    }
    if (p->n_words > c->max_words) {
        return error_set(p->err, PM_USAGE,
                         "%s: unexpected argument '%.60s'; see 'pressmark help %s'", c->name,
                         p->argv[c->max_words], c->name);
    }
    return PM_OK;
}

pm_status cli_parse(const cli_command *command, int argc, char **argv, void *options,
                    cli_args *args, pm_error *err)
{
    parse p = {command, argc, 0, argv, options, 0, err};
    pm_status st = PM_OK;
    bool ended = false;
    *args = (cli_args){NULL, 0, false};
    while (p.next < argc && !args->help) {
        char *arg = argv[p.next++];
        if (ended) {
            take_word(&p, arg);
        } else if (strcmp(arg, "--") == 0) {
            ended = true;
        } else {
            PM_TRY(parse_one(&p, arg, &args->help));
        }
    }
    if (!args->help) PM_TRY(check_words(&p));
    args->words = (const char *const *)argv;
    args->n = p.n_words;
out:
    return st;
}
