/* SPDX-License-Identifier: MIT
 * merge_bigrams.c - bigrams of a merge (bigrams.h).
 *
 * 1. choose   The words with the largest cf over all inputs, as the dictionaries say; where
 *             documents are dead, their lists are walked for what is left.
 * 2. collect  An input has lists of the pairs of its own frequent words.  Pairs with a word that
 *             was not frequent there are made from positions: document by document of that word
 *             each frequent word's positions are marked, and a mark with another one behind it is
 *             an occurrence.  First words are taken in groups of about GROUP_OCCURRENCES at most,
 *             so that memory is bounded; mostly there is one group, and little in it.
 * 3. write    The lists, in order of their keys, as those of other keys (merge_terms.c), on
 *             several threads, one first word a task.
 */
#include "common/base/mem.h"
#include "common/base/sort.h"
#include "common/segment/bigrams.h"
#include "indexer/merge_internal.h"

enum {
    GROUP_OCCURRENCES = 16 << 20, /* at most; fewer when memory is bounded               */
    GROUP_OCCURRENCES_MIN = 1 << 18,
    GROUP_BYTES = 16,        /* of memory that an occurrence of a first word may claim            */
    POSITION_LIMIT = 1 << 27 /* no text that can be stored reaches it                      */
};

typedef struct frequent {
    uint64_t cf; /* of live documents, when chosen                                         */
    term_entry *entries; /* one an input; df 0: not there                                  */
    uint8_t *key;
    size_t key_len;
} frequent;

/* One posting of a pair; positions stand in the same order. */
typedef struct pair_posting {
    uint32_t doc, tf, input; /* doc: new number                                              */
} pair_posting;

typedef struct pair_list {
    pair_posting *postings;
    uint32_t *positions;
    size_t n, cap, n_positions, positions_cap;
} pair_list;

typedef struct bigrams {
    merger *m;
    frequent *words; /* of the choice; later the chosen ones, by key                  */
    uint32_t n, want;
    uint64_t others;      /* no word left out has more                                     */
    bool *missing;        /* by input, then word: it is there, and not frequent            */
    cursor *cursors;      /* one a word                                                    */
    uint32_t **positions; /* one row a word, of the document at hand                       */
    size_t *positions_cap;
    uint32_t *tfs;
    uint8_t *marks; /* by position: word + 1; zero between documents                 */
    size_t marks_cap;
    uint32_t from, to; /* first words of the group                                      */
    pair_list *pairs;  /* (a - from) * n + b                                            */
    list_merge *lists; /* one a worker                                                  */
    buf keys[LIST_WORKERS_MAX];
} bigrams;

static void frequent_free(frequent *f)
{
    mem_free(f->entries);
    mem_free(f->key);
    *f = (frequent){0};
}

static void bigrams_free(bigrams *g)
{
    for (uint32_t i = 0; g->words && i <= g->want; i++) frequent_free(&g->words[i]);
    for (uint32_t i = 0; g->positions && i < g->n; i++) mem_free(g->positions[i]);
    for (size_t i = 0; g->pairs && i < (size_t)g->n * g->n; i++) {
        mem_free(g->pairs[i].postings);
        mem_free(g->pairs[i].positions);
    }
    for (unsigned i = 0; i < LIST_WORKERS_MAX; i++) buf_free(&g->keys[i]);
    mem_free(g->words);
    mem_free(g->missing);
    mem_free(g->cursors);
    mem_free(g->positions);
    mem_free(g->positions_cap);
    mem_free(g->tfs);
    mem_free(g->marks);
    mem_free(g->pairs);
}

/* ---- choose ------------------------------------------------------------------------------ */

static pm_status remember(frequent *f, const key_merge *k, uint64_t cf, pm_error *err)
{
    const dict_iter *lead = &k->iters[k->lead];
    frequent_free(f);
    f->entries = mem_array(k->n, sizeof *f->entries);
    f->key = mem_alloc(lead->key_len);
    if (!f->entries || !f->key) return error_nomem(err);
    for (size_t i = 0; i < k->n; i++)
        if (k->here[i]) f->entries[i] = k->iters[i].term;
    memcpy(f->key, lead->key, lead->key_len);
    f->key_len = lead->key_len;
    f->cf = cf;
    return PM_OK;
}

/* Keep the word among words[0, want] when it is one of the largest. */
static pm_status consider(bigrams *g, const key_merge *k, pm_error *err)
{
    uint64_t cf = 0;
    uint32_t least = 0;
    for (size_t i = 0; i < k->n; i++)
        if (k->here[i]) cf += k->iters[i].term.cf;
    if (g->n < g->want) return remember(&g->words[g->n++], k, cf, err);
    if (cf <= g->others) return PM_OK;
    for (uint32_t i = 1; i < g->n; i++)
        if (g->words[i].cf < g->words[least].cf) least = i;
    if (cf <= g->words[least].cf) {
        g->others = cf;
        return PM_OK;
    }
    if (g->words[least].cf > g->others) g->others = g->words[least].cf;
    return remember(&g->words[least], k, cf, err);
}

static pm_status find_candidates(bigrams *g, pm_error *err)
{
    key_merge k = {0};
    pm_status st = key_merge_open(&k, g->m->inputs, g->m->n, false, err);
    while (st == PM_OK && key_merge_next(&k)) {
        const dict_iter *key = &k.iters[k.lead];
        if (key->key_len && key->key[0] >= 0x20) st = consider(g, &k, err);
    }
    key_merge_close(&k);
    return st == PM_OK ? merge_check(g->m, err) : st;
}

/* Occurrences in documents that are not dead. */
static void count_live(bigrams *g, frequent *f)
{
    cursor *c = &g->cursors[0];
    for (size_t i = 0; i < g->m->n; i++) {
        if (!g->m->inputs[i].dead || !f->entries[i].df) continue;
        cursor_open(c, g->m->inputs[i].seg, &f->entries[i]);
        while (cursor_next(c) != CURSOR_END) {
            merge_pass(g->m, 4);
            if (merge_doc(&g->m->maps[i], c->doc) == MERGE_DEAD) f->cf -= cursor_tf(c);
        }
    }
}

static int by_key(const void *a, const void *b)
{
    const frequent *x = a, *y = b;
    int order = memcmp(x->key, y->key, x->key_len < y->key_len ? x->key_len : y->key_len);
    return order ? order : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

/* The chosen words come to stand in words[0, n), by key. */
static pm_status choose(bigrams *g, pm_error *err)
{
    pm_status st;
    const segment_writer_config *config = segment_writer_settings(g->m->w);
    bigram_choice choice = {.want = config->bigram_words};
    PM_TRY(find_candidates(g, err));
    for (uint32_t i = 0; i < g->n; i++) {
        count_live(g, &g->words[i]);
        bigram_consider(&choice, g->words[i].cf);
    }
    PM_TRY(merge_check(g->m, err));
    uint32_t min = bigram_min(&choice, config->block_size, g->others), kept = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        frequent one = g->words[i];
        if (!min || one.cf < min) continue;
        g->words[i] = g->words[kept];
        g->words[kept++] = one;
    }
    g->n = kept;
    if (kept) sort_items(g->words, kept, sizeof *g->words, by_key);
    segment_writer_bigrams(g->m->w, min);
out:
    return st;
}

/* ---- collect ----------------------------------------------------------------------------- */

/* The positions of word w in the document where its cursor stands, into its row. */
static pm_status read_row(bigrams *g, uint32_t w, segment *s, pm_error *err)
{
    cursor *c = &g->cursors[w];
    uint32_t tf = cursor_tf(c);
    merge_pass(g->m, 2 * (uint64_t)tf + 2);
    if (!mem_grow(&g->positions[w], &g->positions_cap[w], tf, sizeof **g->positions))
        return error_nomem(err);
    tf = cursor_positions(c, g->positions[w], tf);
    if (tf && g->positions[w][tf - 1] >= POSITION_LIMIT) {
        segment_damaged(s, c->list.base, section_name(SECTION_POSTINGS),
                        "a position no text reaches");
        tf = 0;
    }
    g->tfs[w] = tf;
    size_t need = tf ? (size_t)g->positions[w][tf - 1] + 2 : 0, had = g->marks_cap;
    if (!mem_grow(&g->marks, &g->marks_cap, need, 1)) return error_nomem(err);
    if (g->marks_cap > had) memset(g->marks + had, 0, g->marks_cap - had);
    for (uint32_t i = 0; i < tf; i++) g->marks[g->positions[w][i]] = (uint8_t)(w + 1);
    return PM_OK;
}

static bool add_pair(bigrams *g, uint32_t a, uint32_t b, pair_posting in, uint32_t position)
{
    pair_list *l = &g->pairs[(size_t)(a - g->from) * g->n + b];
    if (!mem_grow(&l->positions, &l->positions_cap, l->n_positions + 1, sizeof *l->positions))
        return false;
    if (!l->n || l->postings[l->n - 1].doc != in.doc) {
        if (!mem_grow(&l->postings, &l->cap, l->n + 1, sizeof *l->postings)) return false;
        l->postings[l->n++] = in;
    }
    l->postings[l->n - 1].tf++;
    l->positions[l->n_positions++] = position;
    return true;
}

/* The pairs of one document, whose new number is `to`, of which a word is missing; its words'
 * rows are read. */
static pm_status take_pairs(bigrams *g, size_t input, uint32_t to, pm_error *err)
{
    pm_status st = PM_OK;
    const bool *missing = g->missing + input * g->n;
    for (uint32_t a = g->from; a < g->to && st == PM_OK; a++)
        for (uint32_t i = 0; i < g->tfs[a] && st == PM_OK; i++) {
            uint32_t at = g->positions[a][i];
            uint8_t next = at + 1 < g->marks_cap ? g->marks[at + 1] : 0;
            if (!next || !(missing[a] || missing[next - 1])) continue;
            if (!add_pair(g, a, next - 1u, (pair_posting){to, 0, (uint32_t)input}, at))
                st = error_nomem(err);
        }
    for (uint32_t w = 0; w < g->n; w++) {
        for (uint32_t i = 0; i < g->tfs[w]; i++) g->marks[g->positions[w][i]] = 0;
        g->tfs[w] = 0;
    }
    return st;
}

/* The next document at or after `from` that has a missing word. */
static uint32_t next_missing(bigrams *g, size_t input, uint32_t from)
{
    uint32_t doc = CURSOR_END;
    for (uint32_t w = 0; w < g->n; w++) {
        cursor *c = &g->cursors[w];
        if (!g->missing[input * g->n + w]) continue;
        if (c->doc < from) cursor_seek(c, from);
        if (c->doc < doc) doc = c->doc;
    }
    return doc;
}

static pm_status collect_document(bigrams *g, size_t input, uint32_t doc, pm_error *err)
{
    uint32_t to = merge_doc(&g->m->maps[input], doc);
    if (to == MERGE_DEAD) return PM_OK;
    for (uint32_t w = 0; w < g->n; w++) {
        cursor *c = &g->cursors[w];
        if (c->doc < doc) cursor_seek(c, doc);
        pm_status st = c->doc == doc ? read_row(g, w, g->m->inputs[input].seg, err) : PM_OK;
        if (st != PM_OK) return st;
    }
    return take_pairs(g, input, to, err);
}

static pm_status collect_input(bigrams *g, size_t input, pm_error *err)
{
    segment *s = g->m->inputs[input].seg;
    bool any = false;
    for (uint32_t w = 0; w < g->n; w++) any |= g->missing[input * g->n + w];
    if (!any) return PM_OK;
    for (uint32_t w = 0; w < g->n; w++) {
        g->cursors[w].doc = CURSOR_END;
        if (!g->words[w].entries[input].df) continue;
        cursor_open(&g->cursors[w], s, &g->words[w].entries[input]);
        cursor_next(&g->cursors[w]);
    }
    for (uint32_t doc = next_missing(g, input, 0); doc != CURSOR_END;
         doc = next_missing(g, input, doc + 1)) {
        pm_status st = collect_document(g, input, doc, err);
        if (st != PM_OK) return st;
    }
    map_release(&s->file); /* where many lists were read at once                              */
    return segment_status(s, err);
}

/* ---- write ------------------------------------------------------------------------------- */

/* What was collected of a pair in one input; *at, *position: how far the pair was read. */
static pm_status add_collected(list_merge *l, const pair_list *pair, size_t input, size_t *at,
                               size_t *position, pm_error *err)
{
    pm_status st = PM_OK;
    for (; *at < pair->n && pair->postings[*at].input == input && st == PM_OK; ++*at) {
        const pair_posting *p = &pair->postings[*at];
        st = merge_list_add(l, p->doc, p->tf, pair->positions + *position, err);
        *position += p->tf;
    }
    return st;
}

/* The list of a pair, whose key is `key`, from all inputs. */
static pm_status read_pair(const bigrams *g, list_merge *l, uint32_t a, uint32_t b, slice key,
                           pm_error *err)
{
    const pair_list *pair = &g->pairs[(size_t)(a - g->from) * g->n + b];
    pm_status st = PM_OK;
    size_t at = 0, position = 0;
    merge_list_begin(l);
    for (size_t i = 0; i < g->m->n && st == PM_OK; i++) {
        const bool *missing = g->missing + i * g->n;
        segment *s = g->m->inputs[i].seg;
        term_entry entry;
        if (!g->words[a].entries[i].df || !g->words[b].entries[i].df) continue;
        if (missing[a] || missing[b])
            st = add_collected(l, pair, i, &at, &position, err);
        else if (dict_find(s, key.data, key.len, &entry))
            st = merge_list_read(l, i, &entry, err);
        else
            st = segment_status(s, err);
    }
    return st;
}

/* All pairs of one first word. */
static void make_pairs(void *ctx, unsigned worker, uint32_t task, list_task *out)
{
    bigrams *g = ctx;
    list_merge *l = merge_list_of(g->lists, worker);
    buf *key = &g->keys[worker];
    pm_status st = PM_OK;
    pm_error err;
    for (uint32_t a = g->from + task, b = 0; b < g->n && st == PM_OK; b++) {
        buf_reset(key);
        bigram_key(key, g->words[a].key, g->words[a].key_len, g->words[b].key, g->words[b].key_len);
        st = key->failed ? error_nomem(&err) : read_pair(g, l, a, b, buf_slice(key), &err);
        if (st == PM_OK) st = merge_list_put(l, buf_slice(key), out, &err);
    }
    if (st != PM_OK) list_task_fail(out, st, &err);
}

static pm_status write_group(bigrams *g, pm_error *err)
{
    const list_job lists = {.w = g->m->w, .n_tasks = g->to - g->from, .ctx = g, .make = make_pairs};
    pm_status st = list_tasks_run(&lists, g->m->threads, err);
    for (size_t i = 0; i < (size_t)(g->to - g->from) * g->n; i++)
        g->pairs[i].n = g->pairs[i].n_positions = 0;
    return st == PM_OK ? merge_check(g->m, err) : st;
}

/* ---- all --------------------------------------------------------------------------------- */

static pm_status allocate(bigrams *g, pm_error *err)
{
    g->positions = mem_array(g->n, sizeof *g->positions);
    g->positions_cap = mem_array(g->n, sizeof *g->positions_cap);
    g->tfs = mem_array(g->n, sizeof *g->tfs);
    g->pairs = mem_array((size_t)g->n * g->n, sizeof *g->pairs);
    g->missing = mem_array(g->m->n * g->n, sizeof *g->missing);
    if (!g->positions || !g->positions_cap || !g->tfs || !g->pairs || !g->missing)
        return error_nomem(err);
    for (size_t i = 0; i < g->m->n; i++)
        for (uint32_t w = 0; w < g->n; w++) {
            const term_entry *entry = &g->words[w].entries[i];
            g->missing[i * g->n + w] = entry->df && !bigram_word(&g->m->inputs[i].seg->info, entry);
        }
    return PM_OK;
}

/* Occurrences of a first word that may be collected, at most. */
static uint64_t collectable(const bigrams *g, uint32_t a)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < g->m->n; i++) {
        const bool *missing = g->missing + i * g->n;
        uint64_t cf = g->words[a].entries[i].cf, others = 0;
        for (uint32_t w = 0; w < g->n; w++)
            if (missing[w]) others += g->words[w].entries[i].cf;
        sum += missing[a] || others > cf ? cf : others;
    }
    return sum;
}

/* How many first words a group has is a matter of memory and time alone, not of the result. */
static uint64_t group_occurrences(const merger *m)
{
    uint64_t n = m->memory_bytes / GROUP_BYTES;
    if (!m->memory_bytes || n > GROUP_OCCURRENCES) return GROUP_OCCURRENCES;
    return n < GROUP_OCCURRENCES_MIN ? GROUP_OCCURRENCES_MIN : n;
}

pm_status merge_bigrams(merger *m, list_merge *lists, pm_error *err)
{
    pm_status st = PM_OK;
    uint32_t want = segment_writer_settings(m->w)->bigram_words;
    uint64_t most = group_occurrences(m);
    bigrams g = {.m = m, .want = 2 * want, .lists = lists};
    if (!m->has_positions || !want || want > BIGRAM_WORDS_MAX) return PM_OK;
    g.words = mem_array((size_t)g.want + 1, sizeof *g.words);
    g.cursors = mem_array((size_t)g.want + 1, sizeof *g.cursors);
    if (!g.words || !g.cursors) PM_TRY(error_nomem(err));
    PM_TRY(choose(&g, err));
    if (!g.n) goto out;
    PM_TRY(allocate(&g, err));
    for (g.from = 0; g.from < g.n; g.from = g.to) {
        uint64_t sum = collectable(&g, g.from);
        for (g.to = g.from + 1; g.to < g.n && (sum += collectable(&g, g.to)) <= most;) g.to++;
        for (size_t i = 0; i < m->n; i++) PM_TRY(collect_input(&g, i, err));
        PM_TRY(write_group(&g, err));
    }
out:
    bigrams_free(&g);
    return st;
}
