/* SPDX-License-Identifier: MIT
 *
 * xap_index.c - terms, values, the marker and the settings of a Xapian index; see xap_index.h.
 */
#include "common/xapian/xap_index.h"

#include <stdio.h>

#include "common/base/hash.h"
#include "common/base/number.h"

enum { MARKER_BYTES_MAX = 256, PATH_ROOM = 4096 };

/* ---- terms ------------------------------------------------------------------------------- */

pm_text xap_term_make(xap_term *t, uint8_t class, const void *key, size_t len)
{
    size_t at = 0, room = XAP_TERM_BYTES - 1;
    if (class) t->bytes[at++] = (char)class;
    size_t kept = len <= room ? len : room - 16;
    if (kept) memcpy(t->bytes + at, key, kept);
    at += kept;
    if (kept < len) {
        snprintf(t->bytes + at, 17, "%016llx", (unsigned long long)hash_bytes(key, len));
        at += 16;
    }
    t->len = at;
    return (pm_text){t->bytes, at};
}

/* The hash behind a long key is of what follows its class, but for fields, which are keys whole. */
pm_text xap_term_of_key(xap_term *t, const void *key, size_t len)
{
    const uint8_t *bytes = key;
    bool apart = len && (*bytes == KEY_TITLE || *bytes == KEY_MARKER);
    return apart ? xap_term_make(t, *bytes, bytes + 1, len - 1) : xap_term_make(t, 0, key, len);
}

/* ---- values ------------------------------------------------------------------------------ */

static void put_number(char *out, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) out[i] = (char)(number >> 8 * (bytes - 1 - i));
}

static uint64_t get_number(const char *in, unsigned bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++) number = number << 8 | (uint8_t)in[i];
    return number;
}

size_t xap_put_head(char out[XAP_HEAD_BYTES + SEGMENT_ID_MAX], const xap_head *head)
{
    size_t len = head->id.len < SEGMENT_ID_MAX ? head->id.len : SEGMENT_ID_MAX;
    put_number(out, head->seq, 8);
    put_number(out + 8, head->dl, 4);
    if (len) memcpy(out + XAP_HEAD_BYTES, head->id.data, len);
    return XAP_HEAD_BYTES + len;
}

bool xap_get_head(pm_text value, xap_head *out)
{
    *out = (xap_head){0, 0, {"", 0}};
    if (value.len <= XAP_HEAD_BYTES) return false;
    out->seq = get_number(value.data, 8);
    out->dl = (uint32_t)get_number(value.data + 8, 4);
    out->id = (pm_text){value.data + XAP_HEAD_BYTES, value.len - XAP_HEAD_BYTES};
    return true;
}

/* The sign bit turned, so that dates before 1970 sort first. */
void xap_put_date(char out[8], int64_t seconds)
{
    put_number(out, (uint64_t)seconds ^ UINT64_C(1) << 63, 8);
}

int64_t xap_get_date(pm_text value)
{
    return value.len == 8 ? (int64_t)(get_number(value.data, 8) ^ UINT64_C(1) << 63) : INT64_MIN;
}

/* ---- the marker -------------------------------------------------------------------------- */

static const char marker_begin[] = "pressmark xapian ";

/* Is there anything at folder/name?  Its path and what it is, too. */
static bool anything_there(char path[PATH_ROOM], const char *folder, const char *name,
                           file_info *info)
{
    int n = snprintf(path, PATH_ROOM, "%s/%s", folder, name);
    return n > 0 && n < PATH_ROOM && file_stat(path, info, NULL) == PM_OK;
}

static bool file_there(char path[PATH_ROOM], const char *folder, const char *name)
{
    file_info info;
    return anything_there(path, folder, name, &info) && info.is_regular;
}

static bool begins_as_marker(const char *path)
{
    char begin[sizeof marker_begin - 1];
    size_t got = 0;
    infile f = INFILE_INIT;
    bool read = infile_open(&f, path, NULL) == PM_OK &&
                infile_read(&f, begin, sizeof begin, &got, NULL) == PM_OK;
    infile_close(&f);
    return read && got == sizeof begin && !memcmp(begin, marker_begin, got);
}

static bool first_shard_there(const char *folder)
{
    char path[PATH_ROOM];
    return file_there(path, folder, "shard-0/iamglass") ||
           file_there(path, folder, "shard-0/postlist.glass");
}

bool xap_marker_there(const char *folder)
{
    char path[PATH_ROOM];
    bool native = false;
    if (!file_there(path, folder, XAP_MARKER)) return false;
    if (begins_as_marker(path)) return true;
    return first_shard_there(folder) && (manifest_is_in(folder, &native, NULL) != PM_OK || !native);
}

bool xap_is_begun(const char *folder)
{
    char path[PATH_ROOM];
    return file_there(path, folder, "LOCK") &&
           (file_there(path, folder, XAP_BEGUN) || first_shard_there(folder));
}

/* In this order, since a first run may end meanwhile: its marker is there before its sign goes, or
 * its databases go before. */
bool xap_marker_lost(const char *folder)
{
    char path[PATH_ROOM];
    file_info info;
    return first_shard_there(folder) && anything_there(path, folder, "LOCK", &info) &&
           !anything_there(path, folder, XAP_BEGUN, &info) &&
           !anything_there(path, folder, XAP_MARKER, &info) && first_shard_there(folder);
}

pm_status xap_marker_missing(const char *folder, pm_error *err)
{
    return error_corrupt(err, folder, 0, XAP_MARKER,
                         "this file, the marker, is missing, but databases of the index are there: "
                         "put it back, with the lines 'pressmark xapian 1' and 'shards N'");
}

pm_status xap_marker_overlooked(const dir *d, pm_error *err)
{
    buf text = {0};
    bool absent;
    const size_t len = sizeof marker_begin - 1;
    pm_status st = dir_read(d, XAP_MARKER, MARKER_BYTES_MAX, &text, &absent, err);
    if (st == PM_CORRUPT)
        st = PM_OK; /* a link, a folder, a long text: somebody else's        */
    else if (st == PM_OK && text.len >= len && !memcmp(text.data, marker_begin, len))
        st = error_set(err, PM_IO,
                       "%s: an index of the engine xapian, which was not seen a moment ago; try "
                       "again",
                       d->path);
    buf_free(&text);
    return st;
}

static pm_status marker_decode(const char *text, const dir *d, uint32_t *shards, pm_error *err)
{
    unsigned version = 0, n = 0;
    int end = -1;
    sscanf(text, "pressmark xapian %u\nshards %u\n%n", &version, &n, &end);
    if (version > XAP_MARKER_VERSION)
        return error_set(err, PM_USAGE,
                         "%s: made by a later version of pressmark (marker %u); use that one",
                         d->path, version);
    if (end < 0 || text[end] || !n || n > XAP_SHARDS_MAX)
        return error_corrupt(err, d->path, 0, XAP_MARKER, "not the marker of an index");
    *shards = n;
    return PM_OK;
}

pm_status xap_marker_read(const dir *d, uint32_t *shards, bool *absent, pm_error *err)
{
    buf text = {0};
    *shards = 0;
    pm_status st = dir_read(d, XAP_MARKER, MARKER_BYTES_MAX, &text, absent, err);
    if (st == PM_OK && *absent) st = error_set(err, PM_USAGE, "%s: no index here", d->path);
    if (st == PM_OK) buf_u8(&text, 0);
    if (st == PM_OK && text.failed) st = error_nomem(err);
    if (st == PM_OK) st = marker_decode((const char *)text.data, d, shards, err);
    buf_free(&text);
    return st;
}

pm_status xap_marker_write(const dir *d, uint32_t shards, pm_error *err)
{
    char text[64];
    outfile f = OUTFILE_INIT;
    int len =
        snprintf(text, sizeof text, "pressmark xapian %d\nshards %u\n", XAP_MARKER_VERSION, shards);
    pm_status st = outfile_create(&f, d, XAP_BEGUN, false, err);
    if (st != PM_OK) return st;
    outfile_write(&f, text, (size_t)len);
    st = outfile_finish(&f, true, err);
    if (st == PM_OK) st = dir_rename(d, XAP_BEGUN, XAP_MARKER, err);
    if (st != PM_OK) return st;
    return dir_sync(d, err) == PM_OK ? PM_OK : manifest_not_durable(d, err);
}

pm_status xap_marker_begun(const dir *d, bool *begun, pm_error *err)
{
    buf text = {0};
    bool absent = false;
    pm_status st = dir_read(d, XAP_BEGUN, MARKER_BYTES_MAX, &text, &absent, err);
    buf_free(&text);
    *begun = st == PM_OK && !absent;
    return st;
}

pm_status xap_marker_begin(const dir *d, pm_error *err)
{
    outfile f = OUTFILE_INIT;
    pm_status st = outfile_create(&f, d, XAP_BEGUN, true, err);
    return st == PM_OK ? outfile_finish(&f, true, err) : st;
}

void xap_shard_name(char out[XAP_SHARD_NAME], uint32_t shard)
{
    snprintf(out, XAP_SHARD_NAME, "shard-%u", shard);
}

void xap_shard_new_name(char out[XAP_SHARD_NAME], uint32_t shard)
{
    snprintf(out, XAP_SHARD_NAME, "shard-%u.new", shard);
}

bool xap_is_new_name(const char *name)
{
    unsigned shard = 0;
    char again[XAP_SHARD_NAME];
    if (sscanf(name, "shard-%u.new", &shard) != 1) return false;
    xap_shard_new_name(again, shard);
    return !strcmp(name, again);
}

typedef struct byte_count {
    const char *folder;
    uint64_t bytes;
} byte_count;

static pm_status count_file(void *ctx, const char *name, pm_error *err)
{
    byte_count *c = ctx;
    char path[PATH_ROOM];
    file_info info;
    int n = snprintf(path, sizeof path, "%s/%s", c->folder, name);
    if (n < 0 || (size_t)n >= sizeof path) return PM_OK;
    if (file_stat(path, &info, err) == PM_OK && info.is_regular) c->bytes += info.size;
    return PM_OK; /* one that a writer has just deleted has no bytes                         */
}

pm_status xap_bytes(const char *folder, uint32_t shards, uint64_t *out, pm_error *err)
{
    char path[PATH_ROOM], name[XAP_SHARD_NAME];
    byte_count c = {path, 0};
    pm_status st = PM_OK;
    for (uint32_t i = 0; i < shards && st == PM_OK; i++) {
        xap_shard_name(name, i);
        int n = snprintf(path, sizeof path, "%s/%s", folder, name);
        if (n < 0 || (size_t)n >= sizeof path) continue;
        st = file_each(path, count_file, &c, err);
    }
    c.folder = folder;
    if (st == PM_OK) st = count_file(&c, XAP_MARKER, err);
    *out = c.bytes;
    return st;
}

uint32_t xap_shard_of(const char *id, size_t len, uint32_t shards)
{
    return (uint32_t)(hash_bytes(id, len) % shards);
}

/* ---- settings ---------------------------------------------------------------------------- */

static void put_line(buf *out, const char *name, const char *value)
{
    buf_append_str(out, name);
    buf_u8(out, '=');
    buf_append_str(out, value);
    buf_u8(out, '\n');
}

static void put_real(buf *out, const char *name, double value)
{
    char text[40];
    number_print(text, sizeof text, "%.17g", value);
    put_line(out, name, text);
}

void xap_settings_encode(const manifest *m, buf *out)
{
    char uuid[2 * sizeof m->uuid + 1];
    for (size_t i = 0; i < sizeof m->uuid; i++) snprintf(uuid + 2 * i, 3, "%02x", m->uuid[i]);
    put_line(out, "pressmark", "1");
    put_line(out, "index", uuid);
    put_line(out, "lang", m->lang);
    put_line(out, "profile", m->profile);
    put_line(out, "positions", m->has_positions ? "yes" : "no");
    put_line(out, "store", m->has_text ? "yes" : "no");
    put_real(out, "k1", m->k1);
    put_real(out, "b", m->b);
}

/* The value of a name into out; false when it is not there or too long. */
static bool get_line(pm_text text, const char *name, char *out, size_t room)
{
    size_t name_len = strlen(name);
    const char *at = text.data, *end = text.data + text.len;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        if (len > name_len && !memcmp(at, name, name_len) && at[name_len] == '=') {
            size_t n = len - name_len - 1;
            if (n >= room) return false;
            memcpy(out, at + name_len + 1, n);
            out[n] = 0;
            return true;
        }
        at += len + 1;
    }
    return false;
}

static bool get_flag(pm_text text, const char *name, bool *out)
{
    char value[8];
    bool there = get_line(text, name, value, sizeof value);
    *out = there && !strcmp(value, "yes");
    return there && (*out || !strcmp(value, "no"));
}

static bool get_real(pm_text text, const char *name, double *out)
{
    char value[40], *end = value;
    if (!get_line(text, name, value, sizeof value)) return false;
    *out = number_read(value, &end);
    return end != value && !*end && *out >= 0 && *out <= 1e6;
}

static bool get_uuid(pm_text text, uint8_t out[16])
{
    char value[40];
    if (!get_line(text, "index", value, sizeof value) || strlen(value) != 32) return false;
    for (size_t i = 0; i < 16; i++) {
        unsigned byte;
        if (sscanf(value + 2 * i, "%2x", &byte) != 1) return false;
        out[i] = (uint8_t)byte;
    }
    return true;
}

pm_status xap_settings_decode(pm_text text, manifest *out, const char *where, pm_error *err)
{
    char version[8];
    *out = (manifest){0};
    snprintf(out->engine, sizeof out->engine, XAP_ENGINE);
    if (!get_line(text, "pressmark", version, sizeof version))
        return error_set(err, PM_USAGE, "%s: a Xapian database, but not of pressmark's making",
                         where);
    if (strcmp(version, "1") != 0)
        return error_set(err, PM_USAGE, "%s: made by another version of pressmark (settings %s)",
                         where, version);
    if (get_uuid(text, out->uuid) && get_line(text, "lang", out->lang, sizeof out->lang) &&
        get_line(text, "profile", out->profile, sizeof out->profile) &&
        get_flag(text, "positions", &out->has_positions) &&
        get_flag(text, "store", &out->has_text) && get_real(text, "k1", &out->k1) &&
        get_real(text, "b", &out->b))
        return PM_OK;
    return error_corrupt(err, where, 0, "metadata", "the settings of the index are not whole");
}
