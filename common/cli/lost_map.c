/* SPDX-License-Identifier: MIT
 *
 * lost_map.c - see lost_map.h.
 *
 * The kernel knows what is mapped where (/proc/self/maps), so nobody need keep a list of it that a
 * signal handler could read.  Only open, read and close are called.  A line of it:
 *
 *   7f2c5a000000-7f2c5a007000 r--s 00000000 fe:00 1234567      /path/of/the/file
 */
#include "common/cli/lost_map.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/cli/sanitize.h"

enum { LINE_MAX_BYTES = 4096 + 128, FIELDS = 4 /* perms, offset, device, inode */ };

static const char before[] = "pressmark: ",
                  after[] = ": cannot be read any more: it was cut short or its disk fails; "
                            "run 'pressmark check', restore a copy, or delete the folder and "
                            "index again\n";

typedef struct map_list {
    int fd;
    size_t at, len;
    unsigned char bytes[1024];
} map_list;

static int next_byte(map_list *r)
{
    if (r->at == r->len) {
        ssize_t got = read(r->fd, r->bytes, sizeof r->bytes);
        if (got <= 0) return -1;
        r->len = (size_t)got;
        r->at = 0;
    }
    return r->bytes[r->at++];
}

/* One line without its newline, cut where it is too long; false at the end. */
static bool next_line(map_list *r, char line[LINE_MAX_BYTES])
{
    size_t len = 0;
    int c;
    while ((c = next_byte(r)) >= 0 && c != '\n')
        if (len < LINE_MAX_BYTES - 1) line[len++] = (char)c;
    line[len] = 0;
    return c == '\n';
}

static uintptr_t hex(const char **p)
{
    static const char digits[] = "0123456789abcdef";
    uintptr_t value = 0;
    for (const char *d; **p && (d = strchr(digits, **p)) != NULL; ++*p)
        value = value << 4 | (uintptr_t)(d - digits);
    return value;
}

/* The path of a shared map that holds the address, else NULL. */
static const char *path_of(const char *line, uintptr_t address)
{
    uintptr_t from = hex(&line);
    if (*line++ != '-' || address < from || address >= hex(&line)) return NULL;
    if (strlen(line) < 5 || line[4] != 's') return NULL;
    for (unsigned i = 0; i < FIELDS; i++) {
        while (*line == ' ') line++;
        while (*line && *line != ' ') line++;
    }
    while (*line == ' ') line++;
    return *line == '/' ? line : NULL;
}

/* Control and bidirectional characters, and what is no UTF-8, become '?'. */
static size_t put_safe(char *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    size_t len = 0, n;
    for (uint32_t code = 0; p < end; p += n ? n : 1) {
        n = sanitize_decode(p, end, &code);
        bool hidden = !n || code < 0x20 || code == 0x7f || sanitize_is_hidden(code);
        if (hidden) out[len++] = '?';
        if (hidden) continue;
        memcpy(out + len, p, n);
        len += n;
    }
    return len;
}

static const char *compose(const char *path, size_t *len)
{
    static char message[LINE_MAX_BYTES + sizeof before + sizeof after];
    memcpy(message, before, sizeof before - 1);
    *len = sizeof before - 1;
    *len += put_safe(message + *len, path);
    memcpy(message + *len, after, sizeof after - 1);
    *len += sizeof after - 1;
    return message;
}

const char *lost_map_line(const void *address, size_t *len)
{
    static char line[LINE_MAX_BYTES];
    static map_list r;
    const char *path = NULL;
    r.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (r.fd < 0) return compose("a file of the index", len);
    while (!path && next_line(&r, line)) path = path_of(line, (uintptr_t)address);
    close(r.fd);
    return path ? compose(path, len) : NULL;
}
