/* SPDX-License-Identifier: MIT
 * merge_read.c - the postings of a merge's inputs, block by block, into the arrays of the list that
 * is made of them (merge_list.h).
 *
 * Documents get their new numbers and dead ones are left out.  Positions are copied as the bits
 * that they are: those of a posting follow from its frequency and its document's length, which a
 * merge does not change.  Each occurrence carries the number of its form.
 *
 * Lengths of documents are looked up in the writer's column, and all of a block are asked for
 * before the first is waited for: where the lists of rare words lead, no line of it is near.
 */
#include "common/base/mem.h"
#include "common/codec/bits.h"
#include "common/segment/layout.h"
#include "common/segment/positions.h"
#include "indexer/merge_list.h"

bool u32_room(u32_list *l, size_t more)
{
    return mem_grow(&l->data, &l->cap, l->n + more, sizeof *l->data);
}

/* ---- strings --------------------------------------------------------------------------- */

void strings_reset(string_list *l)
{
    buf_reset(&l->bytes);
    l->n = 0;
}

bool strings_room(string_list *l, uint64_t n)
{
    size_t need = (size_t)((l->n + n) / 8) + 1 + EF_STRING_SLACK;
    if (need > l->bytes.len) buf_zero(&l->bytes, need - l->bytes.len);
    return !l->bytes.failed;
}

bool strings_add(string_list *l, const uint8_t *bytes, uint64_t at, uint64_t n)
{
    if (!strings_room(l, n)) return false;
    bits_copy(l->bytes.data, l->n, bytes, at, n);
    l->n += n;
    return true;
}

/* ---- reading --------------------------------------------------------------------------- */

/* A block of a list of one form. */
static bool count_block(list_merge *l, uint32_t number, const uint32_t *new_docs,
                        const uint32_t *tfs)
{
    merge_form *f = &l->m->forms[number];
    if (!l->present.n) {
        if (!u32_room(&l->present, 1)) return false;
        l->present.data[l->present.n++] = number;
    }
    for (uint32_t i = 0; i < l->c->block_n; i++) {
        if (new_docs[i] == MERGE_DEAD) continue;
        f->df++;
        f->cf += tfs[i];
    }
    return true;
}

/* A block of one input's list. */
typedef struct block_read {
    uint32_t new_docs[SEGMENT_BLOCK_MAX]; /* MERGE_DEAD: the document is dead                     */
    uint32_t lengths[SEGMENT_BLOCK_MAX];  /* of the documents                                */
    uint32_t tfs[SEGMENT_BLOCK_MAX];
    bool dead; /* one is                                                                    */
} block_read;

/* An occurrence of a form in new document `doc` is counted. */
static inline bool count_form(list_merge *l, uint32_t number, uint32_t doc)
{
    merge_form *f = &l->m->forms[number];
    if (!f->cf) {
        if (!u32_room(&l->present, 1)) return false;
        l->present.data[l->present.n++] = number;
    }
    f->df += f->last_doc != doc + 1;
    f->last_doc = doc + 1;
    f->cf++;
    return true;
}

/* The forms of the block's n occurrences, those of dead documents read past: their numbers are
 * kept, or their indexes when forms have been ranked and are read again. */
static bool read_forms(list_merge *l, const block_read *b, const uint32_t *numbers, uint64_t n)
{
    if (!u32_room(&l->forms, n)) return false;
    uint32_t *from = l->forms.data + l->forms.n, *to = from;
    if (!form_stream_read(&l->at.stream, from, n))
        return true; /* damage, which is found later    */
    for (uint32_t i = 0; i < l->c->block_n; i++) {
        const uint32_t *end = from + b->tfs[i];
        for (; from < end; from++) {
            uint32_t number = numbers[*from];
            if (b->new_docs[i] == MERGE_DEAD) continue;
            if (l->wants.counts && !count_form(l, number, b->new_docs[i])) return false;
            *to++ = l->wants.counts ? number : l->m->forms[number].index;
        }
    }
    if (l->wants.forms) l->forms.n = (size_t)(to - l->forms.data);
    return true;
}

/* No document of the block has more occurrences than tokens: who makes room for them relies on it.
 */
static bool are_possible(const list_merge *l, const block_read *b)
{
    bool good = true;
    for (uint32_t i = 0; i < l->c->block_n; i++)
        good &= b->tfs[i] - 1 <= layout_position_most(b->lengths[i]);
    if (!good)
        segment_damaged(l->c->list.s, l->c->list.base, section_name(SECTION_POSTINGS),
                        "more occurrences than the document has tokens");
    return good;
}

/* Posting i of the block: its string's bits. */
static uint64_t string_size(const block_read *b, uint32_t i)
{
    return ef_string_size(b->tfs[i], layout_position_most(b->lengths[i]));
}

/* The strings of the postings from i on that follow each other, up to one of a dead document or the
 * group's end; *at moves behind them. */
static bool read_run(list_merge *l, const block_read *b, uint32_t *i, uint32_t end, slice strings,
                     uint64_t *at)
{
    uint64_t from = *at;
    for (; *i < end && b->new_docs[*i] != MERGE_DEAD; ++*i) *at += string_size(b, *i);
    if (*at > 8 * (uint64_t)strings.len) return positions_damaged(&l->c->list, strings);
    if (!strings_add(&l->strings, strings.data, from, *at - from)) return false;
    for (; *i < end && b->new_docs[*i] == MERGE_DEAD; ++*i) *at += string_size(b, *i);
    return true;
}

/* The block's positions, those of dead documents left out.  *sound becomes false on damage, which
 * the segment knows, and then some are missing. */
static bool read_strings(list_merge *l, const block_read *b, bool *sound)
{
    for (uint32_t i = 0, n = l->c->block_n; i < n;) {
        uint32_t end = n - i < POSITION_GROUP ? n : i + POSITION_GROUP;
        slice strings;
        uint64_t at;
        *sound = cursor_block_strings(l->c, i, &strings, &at);
        while (*sound && i < end) *sound = read_run(l, b, &i, end, strings, &at);
        if (!*sound) return !l->strings.bytes.failed;
    }
    return true;
}

static void new_numbers(const list_merge *l, block_read *b)
{
    const merge_map *maps = &l->m->maps[l->at.input];
    b->dead = false;
    for (uint32_t i = 0; i < l->c->block_n; i++) {
        b->new_docs[i] = merge_doc(maps, l->c->docs[i]);
        b->dead |= b->new_docs[i] == MERGE_DEAD;
    }
}

/* One number of each posting whose document lives. */
static bool keep_live(u32_list *to, const block_read *b, const uint32_t *from, uint32_t n)
{
    if (!u32_room(to, n)) return false;
    if (!b->dead) {
        memcpy(to->data + to->n, from, n * sizeof *from);
        to->n += n;
        return true;
    }
    for (uint32_t i = 0; i < n; i++)
        if (b->new_docs[i] != MERGE_DEAD) to->data[to->n++] = from[i];
    return true;
}

/* Those of live documents are known to the writer, whose column is apart from the pages that a
 * merge gives back. */
static void read_lengths(list_merge *l, block_read *b)
{
    const uint8_t *known = segment_writer_lengths(l->m->w);
    uint32_t n = l->c->block_n;
    if (b->dead) {
        segment_lengths(l->c->list.s, l->c->docs, n, b->lengths);
        return;
    }
    for (uint32_t i = 0; n > 1 && i < n; i++)
        __builtin_prefetch(known + 4 * (size_t)b->new_docs[i]);
    for (uint32_t i = 0; i < n; i++) b->lengths[i] = load_u32(known + 4 * (size_t)b->new_docs[i]);
}

/* What is wanted of the block where the cursor stands. */
static bool read_block(list_merge *l)
{
    list_wants wants = l->wants;
    uint32_t n = l->c->block_n;
    const uint32_t *numbers = l->at.numbers;
    bool each = numbers && !l->one_form && (wants.forms || wants.counts), sound = true;
    block_read b;
    new_numbers(l, &b);
    read_lengths(l, &b);
    uint64_t sum = cursor_block_tfs(l->c, b.lengths, b.tfs);
    merge_pass(l->m, 2 * sum + 2 * n);
    if ((numbers || wants.positions) && !are_possible(l, &b)) return true;
    if ((wants.docs &&
         (!keep_live(&l->docs, &b, b.new_docs, n) || !keep_live(&l->tfs, &b, b.tfs, n))) ||
        (wants.lengths && !keep_live(&l->lengths, &b, b.lengths, n)) ||
        (wants.positions && !read_strings(l, &b, &sound)) ||
        (numbers && l->one_form && wants.counts && !count_block(l, numbers[0], b.new_docs, b.tfs)))
        return false;
    return !each || !sound || read_forms(l, &b, numbers, sum);
}

static void open_input(list_merge *l)
{
    list_reader *at = &l->at;
    const term_entry *entry = &at->entries[at->input];
    const merge_map *maps = &l->m->maps[at->input];
    cursor_open(l->c, l->m->inputs[at->input].seg, entry);
    at->numbers = NULL;
    if (!entry->n_forms) return;
    form_stream_open(&at->stream, &l->c->list);
    at->numbers = maps->form + maps->form_base[entry->ordinal];
}

void merge_read_begin(list_merge *l, const term_entry *entries, list_wants wants)
{
    l->at = (list_reader){.entries = entries};
    l->wants = wants;
}

bool merge_read_next(list_merge *l, bool *more)
{
    list_reader *at = &l->at;
    for (*more = true; at->input < l->m->n; at->input++) {
        if (!at->open && !at->entries[at->input].df) continue;
        if (!at->open) open_input(l);
        at->open = cursor_next_block(l->c);
        if (at->open) return read_block(l);
    }
    *more = false;
    return true;
}

pm_status merge_read_all(list_merge *l, const term_entry *entries, list_wants wants, pm_error *err)
{
    bool more = true;
    merge_read_begin(l, entries, wants);
    while (more)
        if (!merge_read_next(l, &more)) return error_nomem(err);
    return merge_check(l->m, err);
}

pm_status merge_list_read(list_merge *l, size_t input, const term_entry *entry, pm_error *err)
{
    merge_read_begin(l, NULL, (list_wants){.docs = true, .lengths = true, .positions = true});
    l->at.input = input;
    cursor_open(l->c, l->m->inputs[input].seg, entry);
    while (cursor_next_block(l->c))
        if (!read_block(l)) return error_nomem(err);
    return segment_status(l->m->inputs[input].seg, err);
}
