/* SPDX-License-Identifier: MIT
 * number.h - real numbers as text and back with a point, whatever the locale of the process says:
 * what is printed here is kept in files and read by others.
 */
#ifndef PM_BASE_NUMBER_H
#define PM_BASE_NUMBER_H

#include <stddef.h>

#include "pressmark.h"

/* As snprintf. */
int number_print(char *out, size_t room, const char *format, ...) PM_PRINTF(3, 4);
/* As strtod. */
double number_read(const char *text, char **end);

#endif
