/* SPDX-License-Identifier: MIT
 * number.c - see number.h.
 */
#include "common/base/number.h"

#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* Made once and kept; (locale_t)0: no memory, then that of the thread stays. */
static locale_t plain;

static void make_plain(void)
{
    plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
}

/* The thread's own locale, to which it is to go back. */
static locale_t begin(void)
{
    pthread_once(&once, make_plain);
    return plain ? uselocale(plain) : (locale_t)0;
}

static void end_with(locale_t before)
{
    if (before) uselocale(before);
}

int number_print(char *out, size_t room, const char *format, ...)
{
    va_list args;
    locale_t before = begin();
    va_start(args, format);
    int n = vsnprintf(out, room, format, args);
    va_end(args);
    end_with(before);
    return n;
}

double number_read(const char *text, char **end)
{
    locale_t before = begin();
    double value = strtod(text, end);
    end_with(before);
    return value;
}

int number_shortest(char out[NUMBER_SHORTEST_MAX], double value)
{
    int digits = 15;
    for (;; digits++) {
        number_print(out, NUMBER_SHORTEST_MAX, "%.*g", digits, value);
        if (digits == 17 || number_read(out, NULL) == value) return digits;
    }
}
