/* SPDX-License-Identifier: MIT
 * writer_article.c - an article as a caller gives it to one fit to keep; see writer.h.
 *
 * Every text becomes valid UTF-8 without NUL (invalid sequences are replaced and counted),
 * the date canonical or absent.  The id stays bytes: it is a name, and must come back as it
 * was given.  A text that needs nothing is borrowed, not copied.
 */
#include <string.h>

#include "common/segment/layout.h"
#include "common/text/date.h"
#include "indexer/writer.h"

enum { ID_MAX_BYTES = 1024 };

static bool text_is_clean(pm_text t)
{
    return !t.len || (utf8_valid_prefix(t.data, t.len) == t.len && !memchr(t.data, 0, t.len));
}

static pm_text repair_text(article_repair *r, buf *room, pm_text in)
{
    if (text_is_clean(in)) return in.len ? in : (pm_text){"", 0};
    buf_reset(room);
    r->repaired += utf8_repair(room, in.data, in.len);
    return (pm_text){(const char *)room->data, room->len};
}

/* The body, with the title's span moved along.  Its three parts are repaired each for
 * itself; a span that cuts a character then costs one repair more. */
static void repair_body(article_repair *r, buf *room, const pm_article *in, pm_article *out)
{
    if (!in->title_in_body || text_is_clean(in->text)) {
        out->text = repair_text(r, room, in->text);
        return;
    }
    const char *text = in->text.data;
    buf_reset(room);
    r->repaired += utf8_repair(room, text, in->title_start);
    out->title_start = room->len;
    r->repaired += utf8_repair(room, text + in->title_start, in->title_end - in->title_start);
    out->title_end = room->len;
    r->repaired += utf8_repair(room, text + in->title_end, in->text.len - in->title_end);
    out->text = (pm_text){(const char *)room->data, room->len};
}

/* ---- dates --------------------------------------------------------------------------- */

static void repair_date(article_repair *r, const pm_article *in, pm_article *out)
{
    out->date = (pm_text){"", 0};
    r->seconds = INT64_MIN;
    if (!in->date.len) return;
    memset(r->date, 0, sizeof r->date);
    if (pm_date_parse(in->date.data, in->date.len, r->date)) {
        out->date = (pm_text){r->date, strnlen(r->date, sizeof r->date)};
        r->seconds = date_seconds(out->date);
    } else {
        r->bad_dates++;
    }
}

/* ---- all ----------------------------------------------------------------------------- */

static pm_status check_article(const pm_article *in, pm_error *err)
{
    if (!in->id.len || in->id.len > ID_MAX_BYTES || memchr(in->id.data, 0, in->id.len))
        return error_set(err, PM_USAGE,
                         "an article's id must be 1 to %d bytes without NUL; this has %zu",
                         ID_MAX_BYTES, in->id.len);
    if (in->title.len > STORE_RECORD_MAX || in->text.len > STORE_RECORD_MAX - in->title.len)
        return error_set(err, PM_USAGE, "article %.*s is larger than %u MiB",
                         writer_said_len(in->id.len), in->id.data,
                         (unsigned)(STORE_RECORD_MAX >> 20));
    if (in->title_in_body && (in->title_start > in->title_end || in->title_end > in->text.len))
        return error_set(err, PM_USAGE, "article %.*s: the title's span is not inside its text",
                         writer_said_len(in->id.len), in->id.data);
    return PM_OK;
}

pm_status article_repair_all(article_repair *r, const pm_article *in, pm_article *out,
                             pm_error *err)
{
    pm_status st = check_article(in, err);
    if (st != PM_OK) return st;
    r->repaired = r->bad_dates = 0;
    *out = *in;
    out->title = repair_text(r, &r->texts[0], in->title);
    repair_body(r, &r->texts[1], in, out);
    out->url = repair_text(r, &r->texts[2], in->url);
    out->source = repair_text(r, &r->texts[3], in->source);
    out->author = repair_text(r, &r->texts[4], in->author);
    out->tags = repair_text(r, &r->texts[5], in->tags);
    out->lang = repair_text(r, &r->texts[6], in->lang);
    out->extra = repair_text(r, &r->texts[7], in->extra);
    repair_date(r, in, out);
    for (size_t i = 0; i < sizeof r->texts / sizeof *r->texts; i++)
        if (r->texts[i].failed) return error_nomem(err);
    return PM_OK;
}

void article_repair_shrink(article_repair *r, size_t keep)
{
    for (size_t i = 0; i < sizeof r->texts / sizeof *r->texts; i++)
        if (r->texts[i].cap > keep) buf_free(&r->texts[i]);
}

void article_repair_free(article_repair *r)
{
    for (size_t i = 0; i < sizeof r->texts / sizeof *r->texts; i++) buf_free(&r->texts[i]);
}
