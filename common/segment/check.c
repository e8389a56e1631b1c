/* SPDX-License-Identifier: MIT
 * check.c - verify one segment: every page's checksum, and if deep every rule of FORMAT.md.
 * Takes a segment, gives findings.  Memory of a deep check: 16 bytes a document, 8 a term, 24 a
 * surface form, a bit a token.
 */
#include "common/base/mem.h"
#include "common/segment/check_parts.h"

void check_finding(check *c, const char *where, uint64_t off, const char *what)
{
    c->findings++;
    if (c->sink->finding) c->sink->finding(c->sink->ctx, where, off, what);
}

void check_section(check *c, section_id id, uint64_t off, const char *what)
{
    check_finding(c, section_name(id), c->s->info.sections[id].off + off, what);
}

bool check_reader_damage(check *c)
{
    if (segment_status(c->s, NULL) == PM_OK) return false;
    check_finding(c, c->s->damage_where, c->s->damage.offset, c->s->damage_what);
    atomic_store(&c->s->damaged, 0);
    return true;
}

void check_zeros(check *c, const char *where, uint64_t off, uint64_t len)
{
    for (uint64_t i = off; i < off + len; i++)
        if (c->s->file.data[i]) {
            check_finding(c, where, i, "padding is not zero");
            return;
        }
}

/* Name of the section that holds a byte of the file. */
static const char *check_where(const segment *s, uint64_t off)
{
    for (unsigned i = SECTION_COUNT; i-- > 0;)
        if (off >= s->info.sections[layout_order[i]].off) return section_name(layout_order[i]);
    return "header";
}

static void check_pages(check *c)
{
    segment *s = c->s;
    uint64_t last = UINT64_MAX;
    for (size_t page = 0; page < s->n_pages; page++) {
        const char *where;
        uint64_t off;
        if (!segment_page_sound(s, page, &where, &off) && off != last) {
            if (off < s->page_table_off) where = check_where(s, off);
            check_finding(c, where, off, "checksum of the page that starts here differs");
            last = off;
        }
        c->sink->pages++;
        segment_pass(s, &c->passed, segment_page_bytes(&s->info));
    }
}

static void check_slack(check *c)
{
    const segment_info *info = &c->s->info;
    for (unsigned i = 0; i < SECTION_COUNT; i++) {
        const section *at = &info->sections[layout_order[i]];
        uint64_t end = at->off + at->len;
        check_zeros(c, section_name(layout_order[i]), end, layout_next(end) - end);
    }
}

/* Behind the page table, and behind its own sums, zeros to a multiple of 8. */
static void check_table_padding(check *c)
{
    const segment *s = c->s;
    uint64_t end = s->page_table_off + 4 * (uint64_t)s->n_pages, aligned = layout_align(end, 8);
    uint64_t pieces = layout_groups(aligned - s->page_table_off, segment_page_bytes(&s->info));
    check_zeros(c, "page table", end, aligned - end);
    end = s->roots_off + 4 * pieces;
    check_zeros(c, "page table", end, layout_align(end, 8) - end);
}

/* What the footer counts. */
static void check_totals(check *c)
{
    const segment_info *info = &c->s->info;
    uint64_t off = c->s->file.len - LAYOUT_FOOTER_BYTES;
    if (c->plain_terms != info->n_plain_terms || c->plain_postings != info->n_plain_postings ||
        c->plain_positions != info->n_plain_positions)
        check_finding(c, "footer", off, "counts of plain terms differ from the dictionary's");
    if (memcmp(c->parts, info->parts, sizeof c->parts) != 0)
        check_finding(c, "footer", off, "parts of the postings have other sizes");
    for (uint32_t doc = 0; doc < info->n_docs; doc++)
        if (c->tokens[doc] != segment_dl(c->s, doc)) {
            check_section(c, SECTION_DL, (uint64_t)doc * info->dl_width,
                          "a document's length is not its number of occurrences");
            return;
        }
}

static pm_status check_deep(check *c, pm_error *err)
{
    pm_status st = PM_OK;
    check_slack(c);
    check_table_padding(c);
    PM_TRY(check_columns(c, err));
    PM_TRY(check_store(c, err));
    uint64_t before = c->findings;
    PM_TRY(check_terms(c, err));
    /* Forms and totals are counted from the lists: with a bad one they would only echo it. */
    if (c->findings == before) {
        check_forms(c);
        check_totals(c);
    }
    if (c->findings == before) PM_TRY(check_places(c, err));
    if (c->findings == before) PM_TRY(check_bigrams(c, err));
    check_reader_damage(c);
out:
    mem_free(c->tokens);
    mem_free(c->form_base);
    mem_free(c->forms);
    mem_free(c->filter);
    return st;
}

pm_status segment_check(segment *s, bool deep, struct check_sink *sink, pm_error *err)
{
    check c = {.s = s, .sink = sink};
    check_pages(&c);
    /* With a bad page every further finding would only be its consequence. */
    pm_status st = deep && !c.findings ? check_deep(&c, err) : PM_OK;
    if (st != PM_OK || !c.findings) return st;
    return error_set(
        err, PM_CORRUPT,
        "%s: damaged: %llu findings; restore a copy, or delete the folder and index again", s->path,
        (unsigned long long)c.findings);
}
