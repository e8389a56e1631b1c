/* SPDX-License-Identifier: MIT
 *
 * terminal.c - see terminal.h.
 */
#include "common/cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/file.h"

bool terminal_is_stdout(void)
{
    static int answer = -1; /* asked for every id; it does not change */
    if (answer < 0) answer = isatty(STDOUT_FILENO) == 1;
    return answer == 1;
}
bool terminal_is_stderr(void)
{
    return isatty(STDERR_FILENO) == 1;
}

unsigned terminal_width(void)
{
    struct winsize size;
    if (!terminal_is_stdout()) return 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
    return size.ws_col;
}

bool terminal_wants_color(unsigned color)
{
    if (color != COLOR_AUTO) return color == COLOR_ALWAYS;
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no_color && *no_color) return false;
    if (term && strcmp(term, "dumb") == 0) return false;
    return terminal_is_stdout();
}

static volatile sig_atomic_t interrupted;
static int wake_fd = -1; /* ends a wait for standard input                                  */

static void note_signal(int number)
{
    int kept = errno;
    interrupted = number;
    if (wake_fd >= 0) (void)!write(wake_fd, "", 1);
    errno = kept;
}

void interrupt_catch(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == 0) {
        infile_stop_fd = ends[0];
        wake_fd = ends[1];
    }
    struct sigaction action = {.sa_handler = note_signal,
                               .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction hangup;
    bool ignored =
        sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN; /* nohup */
    if (!ignored) sigaction(SIGHUP, &action, NULL);
}

bool interrupt_seen(void)
{
    return interrupted != 0;
}

void interrupt_raise(void)
{
    int number = interrupted;
    signal(number, SIG_DFL);
    raise(number);
}
