/* SPDX-License-Identifier: MIT
 *
 * xapian_places.c - what a path stands for: see xapian.h.
 *
 * A stub file is Xapian's own: a database a line, "remote HOST:PORT" or "auto PATH" ("glass PATH"),
 * relative to the file, empty lines and "# comments" left out.
 */
#include <stdio.h>

#include "common/base/mem.h"
#include "searcher/xapian.h"

enum { PLACES_MAX = 4096, STUB_BYTES_MAX = 1 << 20, PORT_MAX = 65535 };

bool xapian_named(const char *path)
{
    file_info info;
    if (!strncmp(path, "tcp:", 4) || xap_marker_there(path)) return true;
    return file_stat(path, &info, NULL) == PM_OK && info.is_regular;
}

void xapian_places_free(xapian_index *x)
{
    for (size_t i = 0; i < x->n_places; i++) {
        mem_free(x->places[i].name);
        mem_free(x->places[i].host);
    }
    mem_free(x->places);
}

/* Takes over the two texts, also when it fails. */
static pm_status add_place(xapian_index *x, char *name, char *host, uint32_t port, pm_error *err)
{
    pm_status st = PM_OK;
    if (x->n_places >= PLACES_MAX)
        st = error_set(err, PM_USAGE, "more than %d databases", PLACES_MAX);
    else if (!name || !mem_grow(&x->places, &x->places_cap, x->n_places + 1, sizeof *x->places))
        st = error_nomem(err);
    if (st != PM_OK) {
        mem_free(name);
        mem_free(host);
        return st;
    }
    x->places[x->n_places++] = (xapian_place){name, host, port, 0};
    x->remote |= host != NULL;
    return PM_OK;
}

/* ---- servers ----------------------------------------------------------------------------- */

/* HOST:PORT; the host of an IPv6 address may stand in brackets. */
static bool split_address(const char *text, size_t len, size_t *host_len, uint32_t *port)
{
    size_t at = len;
    while (at && text[at - 1] != ':') at--;
    if (at < 2 || at == len) return false;
    uint32_t number = 0;
    for (size_t i = at; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || number > PORT_MAX) return false;
        number = number * 10 + (uint32_t)(text[i] - '0');
    }
    *host_len = at - 1;
    *port = number;
    return number && number <= PORT_MAX;
}

static pm_status add_server(xapian_index *x, const char *text, size_t len, pm_error *err)
{
    size_t host_len;
    uint32_t port;
    char name[300];
    if (len > 250 || !split_address(text, len, &host_len, &port))
        return error_set(err, PM_USAGE, "tcp:%.*s: write tcp:HOST:PORT",
                         (int)(len < 200 ? len : 200), text);
    snprintf(name, sizeof name, "tcp:%.*s", (int)len, text);
    bool brackets = host_len > 2 && text[0] == '[' && text[host_len - 1] == ']';
    char *host = mem_strndup(text + brackets, host_len - 2 * (size_t)brackets);
    if (!host) return error_nomem(err);
    return add_place(x, mem_strndup(name, strlen(name)), host, port, err);
}

static pm_status read_servers(xapian_index *x, const char *list, pm_error *err)
{
    pm_status st = PM_OK;
    while (*list && st == PM_OK) {
        size_t len = strcspn(list, ",");
        if (strncmp(list, "tcp:", 4) != 0 || len < 5)
            return error_set(err, PM_USAGE,
                             "%.200s: write servers as tcp:HOST:PORT, separated by commas", list);
        st = add_server(x, list + 4, len - 4, err);
        list += len + (list[len] == ',');
    }
    return st;
}

/* ---- files ------------------------------------------------------------------------------- */

static pm_status read_file(const char *path, buf *out, pm_error *err)
{
    infile f = INFILE_INIT;
    char piece[4096];
    size_t got = 1;
    pm_status st = infile_open(&f, path, err);
    while (st == PM_OK && got) {
        st = infile_read(&f, piece, sizeof piece, &got, err);
        buf_append(out, piece, got);
        if (out->len > STUB_BYTES_MAX)
            st = error_set(err, PM_USAGE, "%s: too large for a stub file; is it an index?", path);
    }
    buf_u8(out, 0);
    infile_close(&f);
    return st == PM_OK && out->failed ? error_nomem(err) : st;
}

static char *join_path(const char *folder, size_t folder_len, const char *name, size_t len)
{
    bool absolute = len && name[0] == '/';
    size_t kept = absolute ? 0 : folder_len;
    char *path = mem_alloc(kept + len + 1);
    if (!path) return NULL;
    if (kept) memcpy(path, folder, kept);
    if (len) memcpy(path + kept, name, len);
    path[kept + len] = 0;
    return path;
}

static pm_status read_stub_line(xapian_index *x, const char *stub, unsigned number,
                                const char *line, size_t len, pm_error *err)
{
    const char *slash = strrchr(stub, '/');
    size_t folder = slash ? (size_t)(slash - stub) + 1 : 0;
    size_t word = 0, at;
    while (word < len && line[word] != ' ') word++;
    for (at = word; at < len && line[at] == ' ';) at++;
    if (!len || *line == '#') return PM_OK;
    if (at < len && word == 6 && !memcmp(line, "remote", 6))
        return add_server(x, line + at, len - at, err);
    if (at < len &&
        ((word == 4 && !memcmp(line, "auto", 4)) || (word == 5 && !memcmp(line, "glass", 5))))
        return add_place(x, join_path(stub, folder, line + at, len - at), NULL, 0, err);
    return error_set(err, PM_USAGE,
                     "%s, line %u: no database; write 'remote HOST:PORT' or 'auto PATH'", stub,
                     number);
}

static pm_status read_stub(xapian_index *x, const char *path, pm_error *err)
{
    buf text = {0};
    unsigned number = 0;
    pm_status st = read_file(path, &text, err);
    const char *line = (const char *)text.data;
    while (st == PM_OK && line && *line) {
        size_t len = strcspn(line, "\n");
        size_t shown = len && line[len - 1] == '\r' ? len - 1 : len;
        st = read_stub_line(x, path, ++number, line, shown, err);
        line += len + (line[len] == '\n');
    }
    buf_free(&text);
    return st;
}

static pm_status read_folder(xapian_index *x, const char *path, pm_error *err)
{
    dir d;
    bool absent;
    uint32_t shards = 0;
    char name[XAP_SHARD_NAME], full[4096];
    x->is_folder = true;
    pm_status st = dir_open(&d, path, NULL, err);
    if (st == PM_OK) st = xap_marker_read(&d, &shards, &absent, err);
    for (uint32_t i = 0; i < shards && st == PM_OK; i++) {
        xap_shard_name(name, i);
        int n = snprintf(full, sizeof full, "%s/%s", path, name);
        if (n < 0 || (size_t)n >= sizeof full)
            st = error_set(err, PM_USAGE, "%.200s...: the path is too long", path);
        else
            st = add_place(x, mem_strndup(full, (size_t)n), NULL, 0, err);
    }
    dir_close(&d);
    return st;
}

pm_status xapian_places_read(xapian_index *x, const char *path, pm_error *err)
{
    pm_status st;
    if (!strncmp(path, "tcp:", 4))
        st = read_servers(x, path, err);
    else if (xap_marker_there(path))
        st = read_folder(x, path, err);
    else
        st = read_stub(x, path, err);
    if (st == PM_OK && !x->n_places) st = error_set(err, PM_USAGE, "%s: names no database", path);
    return st;
}
