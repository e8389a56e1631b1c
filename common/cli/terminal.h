/* SPDX-License-Identifier: MIT
 *
 * terminal.h - what stands at the other end of standard output and standard error.
 */
#ifndef PM_CLI_TERMINAL_H
#define PM_CLI_TERMINAL_H

#include <stdbool.h>

enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
#define CLI_COLORS "auto|always|never"

bool terminal_is_stdout(void);
bool terminal_is_stderr(void);
/* Columns of the terminal at standard output; 0 when it is none. */
unsigned terminal_width(void);
/* --color, then NO_COLOR (no-color.org), then TERM=dumb, then whether it is a terminal. */
bool terminal_wants_color(unsigned color);

/* SIGINT, SIGTERM and, unless it is ignored, SIGHUP: the first one is noted, so that work can stop
 * between two articles, and ends standard input (infile_stop_fd) for who reads it; a second one
 * ends the program at once. */
void interrupt_catch(void);
bool interrupt_seen(void);
/* Ends the program by the signal that was noted, as the shell expects it. */
void interrupt_raise(void);

#endif
