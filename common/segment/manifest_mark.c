/* SPDX-License-Identifier: MIT
 * manifest_mark.c - telling an index that has lost its manifests from one that has no commit yet.
 *
 * Both are a folder of segments without a manifest.  Of the second kind the next writer deletes
 * them, for whoever made them was killed before its first commit; those of the first are all that
 * is left of an index.  So the first commit that is durable leaves a line in LOCK, which is never
 * deleted: the UUID of the index.  Where there is no manifest, segments of that UUID were
 * committed, or came later.
 *
 *   - The line is written after the sync that makes the commit durable, never before: a power cut
 *     cannot leave it without the commit.  It is not synced itself.  Lost, cut short or refused it
 *     protects nothing, and the next commit writes it again.
 *   - A new index in the same folder has another UUID, so that what its first run leaves behind
 *     when it is killed is not taken for the old one's.
 *   - A LOCK in which somebody else has written stays as it is.
 */
#include "common/base/mem.h"
#include "common/segment/layout.h"
#include "common/segment/manifest.h"

enum { MARK_UUID_AT = 6 }; /* in the line */

static const char mark_line[] = "index 00000000000000000000000000000000 has commits\n";

enum { MARK_BYTES = sizeof mark_line - 1 };

static void mark_print(char out[MARK_BYTES], const uint8_t uuid[16])
{
    static const char digits[] = "0123456789abcdef";
    memcpy(out, mark_line, MARK_BYTES);
    for (size_t i = 0; i < 16; i++) {
        out[MARK_UUID_AT + 2 * i] = digits[uuid[i] >> 4];
        out[MARK_UUID_AT + 2 * i + 1] = digits[uuid[i] & 15];
    }
}

/* The value of a digit of the UUID; 16: it is none. */
static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9') return (unsigned)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* Nothing, or a line as it is or as a power cut may leave it: short, with zeros. */
static bool is_mark(const char *text, size_t len)
{
    bool is = len <= MARK_BYTES;
    for (size_t i = 0; is && i < len; i++) {
        bool in_uuid = i >= MARK_UUID_AT && i < MARK_UUID_AT + 32;
        is = !text[i] || text[i] == mark_line[i] || (in_uuid && digit_of(text[i]) < 16);
    }
    return is;
}

static bool mark_parse(const char *text, size_t len, uint8_t uuid[16])
{
    if (len != MARK_BYTES || !is_mark(text, len) || memchr(text, 0, len)) return false;
    for (size_t i = 0; i < 16; i++)
        uuid[i] = (uint8_t)(digit_of(text[MARK_UUID_AT + 2 * i]) << 4 |
                            digit_of(text[MARK_UUID_AT + 2 * i + 1]));
    return true;
}

void manifest_mark(const dir *d, const uint8_t uuid[16])
{
    char had[MARK_BYTES + 1], line[MARK_BYTES];
    size_t len;
    mark_print(line, uuid);
    if (!dir_lock_read(d, had, sizeof had, &len) || !is_mark(had, len)) return;
    if (len != MARK_BYTES || memcmp(had, line, MARK_BYTES) != 0)
        dir_lock_write(d, line, MARK_BYTES);
}

/* ---- a folder without a manifest ------------------------------------------------------- */

/* What LOCK says, when that is nothing or a mark. */
static pm_status read_lock(const dir *d, buf *text, bool *is, pm_error *err)
{
    bool absent;
    pm_status st = dir_read(d, "LOCK", MARK_BYTES, text, &absent, err);
    *is = st == PM_OK && !absent && is_mark((const char *)text->data, text->len);
    return st == PM_CORRUPT ? PM_OK : st; /* a link, a folder, a long text: somebody else's      */
}

pm_status manifest_lock_is_ours(const dir *d, bool *is, pm_error *err)
{
    buf text = {0};
    pm_status st = read_lock(d, &text, is, err);
    buf_free(&text);
    return st;
}

typedef struct search {
    const dir *d;
    uint8_t uuid[16];
    bool found;
} search;

static pm_status look_at(void *ctx, const char *name, pm_error *err)
{
    search *s = ctx;
    map m;
    bool absent;
    size_t len = strlen(name), end = sizeof ".seg" - 1;
    if (s->found || !manifest_own_name(name) || strcmp(name + len - end, ".seg") != 0) return PM_OK;
    pm_status st = map_open(&m, s->d, name, &absent, err);
    if (st != PM_OK) return st == PM_CORRUPT ? PM_OK : st;
    s->found = m.len >= LAYOUT_HEADER_BYTES &&
               !memcmp(m.data, layout_header_magic, sizeof layout_header_magic) &&
               !memcmp(m.data + 16, s->uuid, sizeof s->uuid);
    map_close(&m);
    return PM_OK;
}

pm_status manifest_is_lost(const dir *d, bool *lost, pm_error *err)
{
    buf text = {0};
    search s = {.d = d};
    bool is;
    pm_status st = read_lock(d, &text, &is, err);
    if (st == PM_OK && is && mark_parse((const char *)text.data, text.len, s.uuid))
        st = dir_each(d, look_at, &s, err);
    buf_free(&text);
    *lost = st == PM_OK && s.found;
    return st;
}
