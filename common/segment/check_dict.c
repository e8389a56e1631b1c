/* SPDX-License-Identifier: MIT
 * check_dict.c - the dictionaries: keys rise and are found, blocks and index agree, regions
 * lie side by side, and forms and terms name each other.
 */
#include "common/base/mem.h"
#include "common/segment/check_parts.h"
#include "common/segment/dict_index.h"

/* The key before. */
typedef struct dict_last {
    uint64_t n; /* keys seen                                             */
    size_t len;
    uint8_t key[DICT_KEY_MAX];
} dict_last;

static section_id blocks_of(bool forms)
{
    return forms ? SECTION_FORMS : SECTION_TERMS;
}
static section_id index_of(bool forms)
{
    return forms ? SECTION_FORMS_INDEX : SECTION_TERMS_INDEX;
}

/* Report at the byte behind the key's entry. */
static void check_key_finding(check *c, const dict_walk *w, const char *what)
{
    check_finding(c, section_name(blocks_of(w->forms)), (uint64_t)(w->at.p - c->s->file.data),
                  what);
}

static bool keys_rise(const dict_last *last, const uint8_t *key, size_t len)
{
    return last->n == 0 || dict_compare(last->key, last->len, key, len) < 0;
}

static void key_passed(dict_last *last, const uint8_t *key, size_t len)
{
    last->n++;
    last->len = len;
    memcpy(last->key, key, len);
}

static dict_index index_layout(const check *c, bool forms)
{
    const segment_info *info = &c->s->info;
    return dict_index_of(forms ? info->n_listed_forms : info->n_terms,
                         info->sections[blocks_of(forms)].len, forms ? 0 : info->n_plain_terms);
}

static bool prefix_at(check *c, bool forms, uint64_t off, uint64_t prefix)
{
    slice entry;
    return segment_slice(c->s, index_of(forms), off, 8, &entry) && load_u64(entry.data) == prefix;
}

/* A block's prefix in the index, and its group's; every key of the last block is behind us. */
static bool prefix_right(check *c, uint64_t n, const dict_walk *w)
{
    dict_index d = index_layout(c, w->forms);
    uint64_t block = n / DICT_BLOCK_KEYS, group = block / DICT_GROUP, prefix;
    uint8_t bytes[8] = {0};
    memcpy(bytes, w->key, w->key_len < 8 ? w->key_len : 8);
    prefix = __builtin_bswap64(load_u64(bytes));
    return prefix_at(c, w->forms, dict_index_prefix(&d, block), prefix) &&
           (block % DICT_GROUP || prefix_at(c, w->forms, d.tops + 8 * group, prefix));
}

/* The rules of any key; false ends the walk. */
static bool check_key(check *c, dict_last *last, const dict_walk *w)
{
    const char *wrong = NULL;
    if (!keys_rise(last, w->key, w->key_len))
        wrong = "keys are out of order";
    else if (last->n % DICT_BLOCK_KEYS == 0 && !prefix_right(c, last->n, w))
        wrong = "the index names another first key";
    else if (w->left == 0 && reader_left(&w->at))
        wrong = "bytes behind the last key of a block";
    if (wrong) {
        check_key_finding(c, w, wrong);
        return false;
    }
    key_passed(last, w->key, w->key_len);
    return true;
}

/* First block at 0: the others follow because each block is consumed to its end. */
static void check_first_block(check *c, bool forms, uint64_t n_keys)
{
    slice entry;
    if (n_keys == 0) {
        if (c->s->info.sections[blocks_of(forms)].len)
            check_section(c, blocks_of(forms), 0, "bytes but no keys");
        return;
    }
    dict_index d = index_layout(c, forms);
    uint64_t off = dict_index_offset(&d, 0);
    if (segment_slice(c->s, index_of(forms), off, d.width, &entry) &&
        layout_offset(entry.data, d.width))
        check_section(c, index_of(forms), off, "the first block does not start its section");
}

/* ---- terms ---------------------------------------------------------------------------------- */

/* Where the region must start, and the padding before it. */
static bool check_region(check *c, const dict_walk *it, uint64_t *end)
{
    const term_entry *entry = &it->term;
    uint64_t want = entry->df > c->s->info.block_size ? layout_align(*end, 8) : *end;
    if (entry->off != want) {
        check_key_finding(c, it, "posting lists do not lie side by side");
        return false;
    }
    check_zeros(c, section_name(SECTION_POSTINGS), c->s->info.sections[SECTION_POSTINGS].off + *end,
                want - *end);
    *end = entry->off + entry->len;
    return true;
}

static void filter_key(check *c, slice key)
{
    uint64_t hash = hash_bytes(key.data, key.len),
             blocks = term_filter_blocks(c->s->info.n_plain_terms);
    if (blocks)
        term_filter_set(c->filter + TERM_FILTER_BLOCK * term_filter_block(hash, blocks), hash);
}

/* The letter of a field, then a value of 1 .. 255 bytes. */
static void check_field(check *c, const dict_walk *it)
{
    enum { VALUE_MAX = 255 };
    if (it->key_len < 3 || it->key_len > 2 + VALUE_MAX || !strchr("satl", it->key[1]) ||
        !it->key[1])
        check_key_finding(c, it, "no field, or no value of one");
    if (it->term.cf != it->term.df)
        check_key_finding(c, it, "a document has a value of a field more than once");
}

static void check_class(check *c, const dict_walk *it, bool plain)
{
    const segment_info *info = &c->s->info;
    uint8_t first = it->key[0];
    bool positions = info->has_positions && !key_is_flat(first);
    if ((plain || first <= KEY_FIELD) && it->term.has_positions != positions)
        check_key_finding(c, it, "a term is wrong about having positions");
    if (first == KEY_FIELD) check_field(c, it);
    if (!plain && it->term.n_forms) check_key_finding(c, it, "forms of a term that has none");
    if (!plain) return;
    filter_key(c, (slice){it->key, it->key_len});
    c->plain_terms++;
    c->plain_postings += it->term.df;
    if (it->term.has_positions) c->plain_positions += it->term.cf;
}

static void check_found(check *c, const dict_walk *it)
{
    term_entry found;
    bool same = dict_find(c->s, it->key, it->key_len, &found) &&
                found.ordinal == it->term.ordinal && found.off == it->term.off &&
                found.len == it->term.len && found.df == it->term.df;
    if (!check_reader_damage(c) && !same) check_key_finding(c, it, "a key is not found by look-up");
}

/* len: of the list, with the padding before it. */
static void count_parts(check *c, const dict_walk *it, uint64_t len)
{
    if (it->key[0] == KEY_BIGRAM) {
        c->parts[PART_BIGRAMS] += len;
        return;
    }
    c->parts[PART_IMPACTS] += it->term.df;
    c->parts[PART_POSITIONS] += c->list_positions;
    c->parts[PART_FORMS] += c->list_forms;
    c->parts[PART_DOCUMENTS] += len - it->term.df - c->list_positions - c->list_forms;
}

static bool check_term(check *c, const dict_walk *it, uint64_t *end)
{
    const term_entry *entry = &it->term;
    bool plain = it->key[0] >= 0x20;
    uint64_t before = *end;
    if (!check_region(c, it, end)) return false;
    check_class(c, it, plain);
    check_found(c, it);
    if (c->form_base[entry->ordinal] + entry->n_forms > c->s->info.n_forms) {
        check_key_finding(c, it, "terms have more forms than there are");
        return false;
    }
    c->form_base[entry->ordinal + 1] = c->form_base[entry->ordinal] + entry->n_forms;
    if (entry->style != FORM_LISTED) c->forms[c->form_base[entry->ordinal]].named = true;
    check_list(c, entry, plain, c->forms + c->form_base[entry->ordinal]);
    count_parts(c, it, entry->off + entry->len - before);
    c->sink->terms++;
    c->sink->postings += entry->df;
    return true;
}

/* The filter has its keys' bits and no others. */
static void check_filter(check *c)
{
    uint64_t len = TERM_FILTER_BLOCK * term_filter_blocks(c->s->info.n_plain_terms);
    const uint8_t *at = c->s->file.data + c->s->info.sections[SECTION_TERMS_INDEX].off;
    if (len && memcmp(at, c->filter, (size_t)len))
        check_section(c, SECTION_TERMS_INDEX, 0, "the filter is not that of the terms");
}

pm_status check_terms(check *c, pm_error *err)
{
    const segment_info *info = &c->s->info;
    dict_last last = {0};
    dict_walk it;
    uint64_t end = 0;
    /* The counts are bounded by the file: a block of 16 keys takes index bytes of its own. */
    c->tokens = mem_array(info->n_docs, sizeof *c->tokens);
    c->form_base = mem_array(info->n_terms + 1, sizeof *c->form_base);
    c->forms = mem_array(info->n_forms + 1, sizeof *c->forms);
    c->filter = mem_array(term_filter_blocks(info->n_plain_terms) + 1, TERM_FILTER_BLOCK);
    if (!c->tokens || !c->form_base || !c->forms || !c->filter) return error_nomem(err);
    check_first_block(c, false, info->n_terms);
    dict_walk_begin(&it, c->s, false);
    bool go_on = true;
    while (go_on && dict_walk_next(&it))
        go_on = check_key(c, &last, &it) && check_term(c, &it, &end);
    if (check_reader_damage(c) || !go_on) return PM_OK;
    if (last.n != info->n_terms)
        check_section(c, SECTION_TERMS, 0, "fewer keys than the footer says");
    else if (end != info->sections[SECTION_POSTINGS].len)
        check_section(c, SECTION_POSTINGS, end, "bytes that belong to no list");
    else if (c->form_base[info->n_terms] != info->n_forms)
        check_section(c, SECTION_FORMS, 0, "terms have fewer forms than there are");
    check_filter(c);
    return PM_OK;
}

/* ---- forms ---------------------------------------------------------------------------------- */

/* NULL, or what is wrong with a form, seen from its term. */
static const char *form_wrong(check *c, const dict_walk *it)
{
    const form_entry *form = &it->form;
    uint64_t base = c->form_base[form->term], n = c->form_base[form->term + 1] - base;
    if (!memchr(it->key, 0, it->key_len)) return "a form's key has no separator";
    if (c->form_base[form->term + 1] < base || form->index >= n)
        return "a form is not one of its term's";
    check_form *counted = &c->forms[base + form->index];
    if (counted->named) return "two forms have one index";
    counted->named = true;
    if (counted->df != form->df || counted->cf != form->cf)
        return "counts of a form differ from its term's list";
    return NULL;
}

/* Forms of one term are numbered from the most frequent on. */
static void check_form_order(check *c)
{
    for (uint64_t t = 0; t < c->s->info.n_terms; t++)
        for (uint64_t i = c->form_base[t] + 1; i < c->form_base[t + 1]; i++)
            if (c->forms[i].cf > c->forms[i - 1].cf) {
                check_section(c, SECTION_FORMS, 0, "forms are not numbered by falling frequency");
                return;
            }
}

/* The form dictionary as it stands; false: something is wrong. */
static bool check_listed_forms(check *c)
{
    dict_last last = {0};
    dict_walk it;
    bool go_on = true;
    check_first_block(c, true, c->s->info.n_listed_forms);
    dict_walk_begin(&it, c->s, true);
    while (go_on && dict_walk_next(&it)) {
        go_on = check_key(c, &last, &it);
        const char *wrong = go_on ? form_wrong(c, &it) : NULL;
        if (wrong) {
            check_key_finding(c, &it, wrong);
            go_on = false;
        }
    }
    if (check_reader_damage(c) || !go_on) return false;
    if (last.n == c->s->info.n_listed_forms) return true;
    check_section(c, SECTION_FORMS, 0, "fewer keys than the footer says");
    return false;
}

void check_forms(check *c)
{
    dict_last last = {0};
    dict_iter it;
    if (!check_listed_forms(c)) return;
    dict_iter_begin(&it, c->s, true, NULL, 0);
    while (dict_iter_next(&it)) {
        if (!keys_rise(&last, it.key, it.key_len)) {
            check_section(c, SECTION_FORMS, 0, "a listed form follows from its term, too");
            return;
        }
        key_passed(&last, it.key, it.key_len);
    }
    if (check_reader_damage(c)) return;
    if (last.n != c->s->info.n_forms)
        check_section(c, SECTION_FORMS, 0, "fewer forms than the footer says");
    check_form_order(c);
}
