/* SPDX-License-Identifier: MIT
 * check_index.c - verify a whole index folder (pm_check): the manifest, each segment, each
 * tombstone file, and that they agree.  Takes a path, gives findings with the file's name.
 *
 * One file that cannot be opened does not end the check; the next one is looked at.  All are
 * opened before the first is looked at, and when one does not open the manifest is read again, as
 * every reader does (snapshot.h): a commit beside is no damage.
 */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/segment/layout.h"
#include "common/segment/snapshot.h"

/* A segment and its tombstones, or why they did not open. */
typedef struct checked_file {
    segment *seg; /* NULL: it did not open                                         */
    tombstones dead;
    pm_status status, dead_status;
    pm_error why, dead_why;
} checked_file;

typedef struct index_check {
    dir folder;
    manifest meta;
    checked_file *files; /* of the manifest's segments                           */
    uint32_t n_files;
    const char *file; /* that is being looked at                               */
    void (*finding)(void *ctx, const char *file, const char *section, uint64_t offset,
                    const char *what);
    void *ctx;
    pm_check_summary *sum;
    bool deep;
} index_check;

static void index_finding(index_check *c, const char *where, uint64_t off, const char *what)
{
    c->sum->findings++;
    if (c->finding) c->finding(c->ctx, c->file, where, off, what);
}

static void forward_finding(void *ctx, const char *where, uint64_t off, const char *what)
{
    index_finding(ctx, where, off, what);
}

/* A file that did not open: damage is a finding, anything else ends the check. */
static pm_status refused(index_check *c, pm_status st, const pm_error *why, pm_error *err)
{
    if (st == PM_CORRUPT) {
        error_parts parts;
        error_corrupt_parts(why, &parts);
        index_finding(c, parts.section, why->offset, parts.what);
        return PM_OK;
    }
    if (err) *err = *why;
    return st;
}

/* ---- tombstones -------------------------------------------------------------------------- */

/* The corrections are what the posting lists give: made again, compared byte for byte. */
static pm_status check_corrections(index_check *c, segment *s, const tombstones *dead,
                                   pm_error *err)
{
    buf made = {0};
    uint32_t crc, n_deleted;
    uint64_t tokens;
    size_t words = (size_t)s->info.n_docs / 64 + 1;
    uint64_t *bits = mem_array(words, sizeof *bits);
    if (!bits) return error_nomem(err);
    for (uint32_t doc = 0; doc < dead->n_docs; doc++)
        if (tombstones_has(dead, doc)) bits[doc / 64] |= UINT64_C(1) << doc % 64;
    pm_error why;
    pm_status st = tombstones_encode(s, bits, &made, &crc, &n_deleted, &tokens, &why);
    if (st != PM_OK)
        st = refused(c, st, &why, err);
    else if (made.len != dead->file.len || memcmp(made.data, dead->file.data, made.len))
        index_finding(c, "corrections", 0, "not what the deleted documents take away");
    buf_free(&made);
    mem_free(bits);
    return st;
}

static pm_status check_tombstones(index_check *c, const manifest_segment *named,
                                  const checked_file *of, pm_error *err)
{
    const tombstones *dead = &of->dead;
    c->file = named->del_name;
    c->sum->files++;
    c->sum->bytes += named->del_size;
    if (of->dead_status != PM_OK) return refused(c, of->dead_status, &of->dead_why, err);
    if (dead->n_deleted != named->n_deleted ||
        of->seg->info.sum_dl - dead->deleted_tokens != named->live_tokens)
        index_finding(c, "counts", 0, "the manifest has other counts");
    return c->deep ? check_corrections(c, of->seg, dead, err) : PM_OK;
}

/* ---- segments ---------------------------------------------------------------------------- */

static void check_agreement(index_check *c, const manifest_segment *named, const segment_info *info)
{
    if (strtoull(named->name, NULL, 10) != info->segment_id)
        index_finding(c, "header", 32, "the file's name has another number");
    const manifest *m = &c->meta;
    if (info->n_docs != named->n_docs || (!named->n_deleted && info->sum_dl != named->live_tokens))
        index_finding(c, "footer", 0, "the manifest has other counts");
    if (info->k1 != m->k1 || info->b != m->b || info->avgdl_ref != m->avgdl_ref ||
        info->has_positions != m->has_positions || info->has_text != m->has_text)
        index_finding(c, "footer", 0, "the manifest has other settings");
}

static pm_status check_segment(index_check *c, const manifest_segment *named,
                               const checked_file *of, pm_error *err)
{
    segment *s = of->seg;
    struct check_sink sink = {.finding = forward_finding, .ctx = c};
    c->file = named->name;
    c->sum->files++;
    c->sum->bytes += named->size;
    if (of->status != PM_OK) return refused(c, of->status, &of->why, err);
    uint64_t before = c->sum->findings, live = s->info.n_docs;
    live -= live < named->n_deleted ? live : named->n_deleted;
    pm_status st = segment_check(s, c->deep, &sink, err);
    if (st == PM_CORRUPT) st = PM_OK; /* counted                                          */
    c->sum->pages += sink.pages;
    c->sum->terms += sink.terms;
    c->sum->postings += sink.postings;
    c->sum->documents += live;
    c->sum->deleted += s->info.n_docs - live;
    check_agreement(c, named, &s->info);
    if (st == PM_OK && named->n_deleted && c->sum->findings == before)
        st = check_tombstones(c, named, of, err);
    return st;
}

/* ---- all files, opened ------------------------------------------------------------------- */

static void close_files(index_check *c)
{
    for (uint32_t i = 0; i < c->n_files; i++) {
        tombstones_close(&c->files[i].dead);
        if (c->files[i].seg) segment_close(c->files[i].seg);
    }
    mem_free(c->files);
    c->files = NULL;
    c->n_files = 0;
}

/* True when all are there. */
static bool open_file(const index_check *c, const manifest_segment *named, checked_file *out)
{
    out->status = segment_open(&out->seg, &c->folder, named->name, c->meta.uuid, named->size,
                               named->footer_crc, &out->why);
    if (out->status == PM_OK && named->n_deleted)
        out->dead_status = tombstones_open(&out->dead, &c->folder, named->del_name, out->seg,
                                           named->del_size, named->del_crc, &out->dead_why);
    return out->status == PM_OK && out->dead_status == PM_OK;
}

static pm_status open_files(index_check *c, pm_error *err)
{
    bool all;
    do {
        all = true;
        close_files(c);
        c->files = mem_array(c->meta.n_segments, sizeof *c->files);
        if (!c->files) return error_nomem(err);
        c->n_files = c->meta.n_segments;
        for (uint32_t i = 0; i < c->n_files; i++)
            all &= open_file(c, &c->meta.segments[i], &c->files[i]);
    } while (!all && manifest_advance(&c->meta, &c->folder));
    return PM_OK;
}

/* ---- ids --------------------------------------------------------------------------------- */

/* A live document is the one that its id leads to. */
static bool id_leads_back(snapshot *snap, uint32_t segment_index, uint32_t doc)
{
    uint8_t room[SEGMENT_ID_ROOM];
    uint32_t where, found;
    slice id = segment_id(snap->segments[segment_index].seg, doc, room);
    return snapshot_find_id(snap, (const char *)id.data, id.len, &where, &found) &&
           where == segment_index && found == doc;
}

static void check_live_ids(index_check *c, snapshot *snap)
{
    for (uint32_t i = 0; i < snap->meta.n_segments; i++) {
        snapshot_segment *at = &snap->segments[i];
        c->file = snap->meta.segments[i].name;
        for (uint32_t doc = 0; doc < at->seg->info.n_docs; doc++) {
            if (!snapshot_live(at, doc) || id_leads_back(snap, i, doc)) continue;
            index_finding(c, "ids", at->seg->info.sections[SECTION_IDS].off,
                          "an id has two live documents");
            return;
        }
    }
}

/* Segments stand in order of ingest, and the next article's number is above all of theirs. */
static void check_ingest_order(index_check *c, const snapshot *snap)
{
    uint64_t next = 0;
    for (uint32_t i = 0; i < snap->meta.n_segments; i++) {
        segment *s = snap->segments[i].seg;
        uint64_t low = UINT64_MAX, high = 0;
        for (uint32_t doc = 0; doc < s->info.n_docs; doc++) {
            uint64_t seq = segment_seq(s, doc);
            if (seq < low) low = seq;
            if (seq > high) high = seq;
        }
        c->file = snap->meta.segments[i].name;
        if (low < next || high >= snap->meta.next_seq) {
            index_finding(c, "sequence", s->info.sections[SECTION_SEQ].off,
                          "ingest numbers of other segments, or of articles to come");
            return;
        }
        next = high + 1;
    }
}

/* A small index has neither surface forms nor bigrams. */
static void check_small(index_check *c, const snapshot *snap)
{
    for (uint32_t i = 0; i < snap->meta.n_segments && snap->meta.small; i++) {
        const segment_info *info = &snap->segments[i].seg->info;
        c->file = snap->meta.segments[i].name;
        if (info->n_forms || info->bigram_min)
            index_finding(c, "footer", snap->segments[i].seg->file.len - LAYOUT_FOOTER_BYTES,
                          "forms or bigrams in a small index");
    }
}

static pm_status check_snapshot(index_check *c, const char *path, pm_error *err)
{
    snapshot *snap;
    pm_error why;
    pm_status st = snapshot_open(&snap, path, &why);
    c->file = "manifest";
    if (st != PM_OK) return refused(c, st, &why, err);
    check_ingest_order(c, snap);
    check_live_ids(c, snap);
    check_small(c, snap);
    snapshot_close(snap);
    return PM_OK;
}

/* ---- the folder --------------------------------------------------------------------------- */

/* Size and content of the manifest; false when it is damaged (a finding). */
static pm_status check_manifest(index_check *c, bool *usable, pm_error *err)
{
    pm_error why;
    bool absent = false;
    c->file = "manifest";
    pm_status st = manifest_read(&c->meta, &c->folder, &absent, &why);
    if (st == PM_OK) {
        buf bytes = {0};
        *usable = true;
        manifest_encode(&c->meta, &bytes);
        c->sum->files++;
        c->sum->bytes += bytes.len;
        st = bytes.failed ? error_nomem(err) : PM_OK;
        buf_free(&bytes);
        return st;
    }
    if (!absent) return refused(c, st, &why, err);
    if (err) *err = why;
    return st;
}

pm_status snapshot_damaged(const char *path, uint64_t findings, pm_error *err)
{
    return error_set(
        err, PM_CORRUPT,
        "%s: damaged, %llu findings: restore a copy, or delete the folder and index again", path,
        (unsigned long long)findings);
}

pm_status snapshot_check(const char *path, bool deep,
                         void (*finding)(void *ctx, const char *file, const char *section,
                                         uint64_t offset, const char *what),
                         void *ctx, pm_check_summary *summary, pm_error *err)
{
    pm_status st = PM_OK;
    pm_check_summary sum = {0};
    index_check c = {.folder = DIR_INIT, .finding = finding, .ctx = ctx, .sum = &sum, .deep = deep};
    bool usable = false;
    PM_TRY(dir_open(&c.folder, path, NULL, err));
    PM_TRY(check_manifest(&c, &usable, err));
    if (usable) PM_TRY(open_files(&c, err));
    for (uint32_t i = 0; usable && i < c.meta.n_segments; i++)
        PM_TRY(check_segment(&c, &c.meta.segments[i], &c.files[i], err));
    if (usable && deep && !sum.findings) PM_TRY(check_snapshot(&c, path, err));
    if (sum.findings) st = snapshot_damaged(path, sum.findings, err);
out:
    close_files(&c);
    if (usable) manifest_free(&c.meta);
    dir_close(&c.folder);
    if (summary) *summary = sum;
    return st;
}
