/* SPDX-License-Identifier: MIT
 * check_streams.c - positions and forms of one list, walked in step with its postings: blocks
 * lie side by side, groups start where the header says, values rise, forms are in range,
 * and the bits behind the last one are zero.
 */
#include "common/codec/group.h"
#include "common/segment/check_parts.h"

static void streams_finding(check *c, check_streams *st, const postings *p, const char *what)
{
    if (!st->broken) check_finding(c, section_name(SECTION_POSTINGS), p->base, what);
    st->broken = true;
}

void check_streams_begin(check_streams *st, const postings *p)
{
    *st = (check_streams){0};
    form_stream_open(&st->forms, p);
}

static uint64_t header_len(uint32_t n, unsigned width)
{
    return n <= POSITION_GROUP ? 0 : 1 + width * (layout_groups(n, POSITION_GROUP) - 1);
}

void check_streams_block(check *c, check_streams *st, const postings *p, uint32_t b, uint32_t n)
{
    if (!p->has_positions || st->broken) return;
    st->block_n = n;
    st->at = 0;
    uint64_t start = 0;
    if (p->kind != POSTINGS_SMALL) {
        start = load_u32(p->position_dir.data + 4 * (size_t)b);
        if (start != st->bytes_at || start > p->position_bytes.len) {
            streams_finding(c, st, p, "position blocks do not lie side by side");
            return;
        }
    }
    st->block = (slice){p->position_bytes.data + start, p->position_bytes.len - (size_t)start};
    unsigned width = n > POSITION_GROUP && st->block.len ? st->block.data[0] : 0;
    uint64_t header = header_len(n, width);
    if ((n > POSITION_GROUP && width != 2 && width != 4) || header > st->block.len) {
        streams_finding(c, st, p, "a position block has no header");
        return;
    }
    st->strings = (slice){st->block.data + header, st->block.len - (size_t)header};
}

static void check_group(check *c, check_streams *st, const postings *p, uint32_t group)
{
    unsigned width = st->block.data[0];
    const uint8_t *entry = st->block.data + 1 + (size_t)width * (group - 1);
    uint32_t start = width == 2 ? load_u16(entry) : load_u32(entry);
    if (start != st->at) streams_finding(c, st, p, "a position group is out of place");
}

/* The high part has no bits but those of its n numbers. */
static bool only_ones(const uint8_t *bytes, uint64_t at, uint32_t n, uint32_t most)
{
    uint64_t end = at + ef_string_size(n, most), ones = 0;
    if (n == 1) return true;
    for (at += (uint64_t)n * ef_string_low(n, most); at < end; at++)
        ones += bytes[at / 8] >> at % 8 & 1;
    return ones == n;
}

static void check_positions(check *c, check_streams *st, const postings *p, uint32_t i,
                            uint32_t doc, uint32_t tf)
{
    uint32_t most = layout_position_most(segment_dl(c->s, doc));
    uint64_t end = st->at + ef_string_size(tf, most);
    if (i && i % POSITION_GROUP == 0) check_group(c, st, p, i / POSITION_GROUP);
    if (tf - 1 > most || end > 8 * (uint64_t)st->strings.len ||
        !group_get()->string_read(st->strings.data, st->at, tf, most, NULL, 0) ||
        !only_ones(st->strings.data, st->at, tf, most))
        streams_finding(c, st, p, "positions do not decode");
    st->at = end;
}

void check_streams_posting(check *c, check_streams *st, const postings *p, uint32_t i, uint32_t doc,
                           uint32_t tf, check_form *form_counts)
{
    if (p->has_positions && !st->broken) check_positions(c, st, p, i, doc, tf);
    if (p->n_forms == 0 || st->broken) return;
    if (p->n_forms == 1) {
        form_counts->cf += tf;
        form_counts->df++;
        return;
    }
    for (uint32_t k = 0; k < tf; k++) {
        check_form *form = &form_counts[form_stream_next(&st->forms)];
        if (st->forms.n_forms != p->n_forms) return; /* damaged: tf may be anything            */
        form->cf++;
        if (form->last_doc_1 != doc + 1) form->df++;
        form->last_doc_1 = doc + 1;
    }
}

void check_streams_block_end(check *c, check_streams *st, const postings *p)
{
    if (!p->has_positions || st->broken) return;
    uint64_t used = st->at / 8 + (st->at % 8 != 0);
    if (st->at % 8 && st->strings.data[used - 1] >> st->at % 8)
        streams_finding(c, st, p, "padding is not zero");
    if (st->block_n > POSITION_GROUP && st->block.data[0] == 4) {
        uint32_t groups = (uint32_t)layout_groups(st->block_n, POSITION_GROUP);
        if (load_u32(st->block.data + 1 + 4 * (size_t)(groups - 2)) <= UINT16_MAX)
            streams_finding(c, st, p, "group offsets are wider than needed");
    }
    st->bytes_at = (uint64_t)(st->strings.data - p->position_bytes.data) + used;
}

void check_streams_end(check *c, check_streams *st, const postings *p)
{
    if (st->broken) return;
    bool forms_behind = p->kind == POSTINGS_SMALL && p->n_forms > 1;
    if (p->has_positions && !forms_behind && st->bytes_at != p->position_bytes.len)
        streams_finding(c, st, p, "bytes behind the last position");
    if (p->n_forms <= 1) return;
    const runs_reader *r = &st->forms.codes;
    uint64_t left = (uint64_t)r->bits.len * 8 - r->at;
    bool exact = p->kind == POSTINGS_SMALL ? left < 8 : r->at == r->n_bits;
    if (!exact || !runs_done(r))
        streams_finding(c, st, p, "bits behind the last form");
    else if (left % 8 && r->bits.data[r->bits.len - 1] >> (8 - left % 8))
        streams_finding(c, st, p, "padding is not zero");
}

uint64_t check_streams_form_bytes(const check_streams *st, const postings *p)
{
    return st->forms.codes.bits.len + (p->kind == POSTINGS_SMALL ? 0 : 8);
}
