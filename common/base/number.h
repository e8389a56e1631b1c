/* SPDX-License-Identifier: MIT
 * number.h - real numbers as text and back with a point, whatever the locale of the process says:
 * what is printed here is kept in files and read by others.
 */
#ifndef PM_BASE_NUMBER_H
#define PM_BASE_NUMBER_H

#include <stddef.h>

#include "pressmark.h"

enum { NUMBER_SHORTEST_MAX = 40 };

/* As snprintf. */
int number_print(char *out, size_t room, const char *format, ...) PM_PRINTF(3, 4);
/* The decimal of fewest digits, of 15 to 17, that reads back as the same number; returns them. */
int number_shortest(char out[NUMBER_SHORTEST_MAX], double value);
/* As strtod. */
double number_read(const char *text, char **end);

#endif
