/* SPDX-License-Identifier: MIT
 *
 * snippet.c - find the query's words in an article's body.  Linear in the body: one pass of
 * the analyzer, one table look-up for each distinct form; and one pass over the matches for each
 * NEAR, up to a bound.
 */
#include "searcher/snippet.h"

#include "common/base/hash.h"

enum {
    AIM_MIN = 20,
    AIM_MAX = 1 << 20,
    NEAR_LOOKS = 1 << 24, /* matches looked at for all NEARs of a query, in one article         */
    NEARS_ALWAYS = 4,     /* which may take more                                             */
};

static bool add_unit(snippeter *s, const uint32_t *keys, uint32_t n, bool wants_mark)
{
    if (!mem_grow(&s->units, &s->units_cap, s->n_units + 1, sizeof *s->units)) return false;
    s->units[s->n_units] = (snippet_unit){keys, n, s->first_unit[keys[0]], wants_mark};
    s->first_unit[keys[0]] = (uint32_t)s->n_units++;
    return true;
}

static bool add_matcher_units(snippeter *s, const plan_matcher *m, bool wants_mark)
{
    for (uint32_t i = 0; m->kind == MATCH_DOCS && i < m->n_words; i += 2)
        if (!add_unit(s, &m->words[i], 2, false)) return false;
    if (m->kind == MATCH_DOCS) return true;
    if (m->kind != MATCH_NEAR) return add_unit(s, m->words, m->n_words, wants_mark);
    if (!mem_grow(&s->nears, &s->nears_cap, s->n_nears + 1, sizeof *s->nears)) return false;
    s->nears[s->n_nears++] = m;
    return true;
}

static bool add_leaf_units(snippeter *s, const plan_leaf *leaf)
{
    if (leaf->negated || leaf->node->title || leaf->node->kind == QUERY_FILTER) return true;
    for (uint32_t i = 0; i < leaf->n_alts; i++) {
        bool wants_mark =
            i == 0 && leaf->node->kind == QUERY_WORD && leaf->node->words[0].marker.len;
        if (!add_matcher_units(s, &s->p->matchers[leaf->alts[i]], wants_mark)) return false;
    }
    return true;
}

static void table_insert(snippeter *s, uint32_t key)
{
    size_t at = s->p->keys[key].hash & (s->table_size - 1);
    while (s->table[at]) at = (at + 1) & (s->table_size - 1);
    s->table[at] = key + 1;
}

static bool reserve(snippeter *s, size_t n_keys)
{
    s->table_size = 16;
    while (s->table_size < 2 * n_keys) s->table_size *= 2;
    return mem_grow(&s->first_unit, &s->first_cap, n_keys, sizeof *s->first_unit) &&
           mem_grow(&s->counts, &s->counts_cap, n_keys, sizeof *s->counts) &&
           mem_grow(&s->mark_seen, &s->seen_cap, n_keys, sizeof *s->mark_seen) &&
           mem_grow(&s->needs, &s->needs_cap, n_keys, sizeof *s->needs) &&
           mem_grow(&s->table, &s->table_cap, s->table_size, sizeof *s->table);
}

pm_status snippet_begin(snippeter *s, const plan *p, unsigned aim_bytes, pm_error *err)
{
    s->p = p;
    s->aim = aim_bytes < AIM_MIN ? AIM_MIN : aim_bytes > AIM_MAX ? AIM_MAX : aim_bytes;
    s->n_units = s->n_nears = 0;
    if (!reserve(s, p->n_keys)) return error_nomem(err);
    memset(s->table, 0, s->table_size * sizeof *s->table);
    for (size_t i = 0; i < p->n_keys; i++) {
        s->first_unit[i] = UINT32_MAX;
        s->counts[i] = s->needs[i] = 0;
        table_insert(s, (uint32_t)i);
    }
    for (uint32_t i = 0; p->n_terms && i < p->q->n_leaves; i++)
        if (!add_leaf_units(s, &p->leaves[i])) return error_nomem(err);
    snippet_forget_forms(s);
    return PM_OK;
}

void snippet_forget_forms(snippeter *s)
{
    s->serial++;
}

void snippet_free(snippeter *s)
{
    mem_free(s->units);
    mem_free(s->first_unit);
    mem_free(s->counts);
    mem_free(s->mark_seen);
    mem_free(s->needs);
    mem_free(s->nears);
    mem_free(s->form_keys);
    mem_free(s->table);
    mem_free(s->matches);
    mem_free(s->highlights);
    buf_free(&s->body);
    buf_free(&s->out);
    memset(s, 0, sizeof *s);
}

/* ---- matching tokens -------------------------------------------------------------------- */

/* Key of a term among those of the query, UINT32_MAX when it is none. */
static uint32_t find_key(const snippeter *s, const char *term, size_t len)
{
    uint64_t hash = hash_bytes(term, len);
    for (size_t at = hash & (s->table_size - 1); s->table[at];
         at = (at + 1) & (s->table_size - 1)) {
        const plan_key *k = &s->p->keys[s->table[at] - 1];
        if (k->hash == hash && k->len == len && !memcmp(k->key, term, len)) return s->table[at] - 1;
    }
    return UINT32_MAX;
}

static bool form_key_of(snippeter *s, const form *f, uint32_t *key)
{
    size_t had = s->forms_cap;
    if (!mem_grow(&s->form_keys, &s->forms_cap, (size_t)f->id + 1, sizeof *s->form_keys))
        return false;
    if (s->forms_cap > had)
        memset(s->form_keys + had, 0, (s->forms_cap - had) * sizeof *s->form_keys);
    struct form_key *slot = &s->form_keys[f->id];
    if (slot->serial != s->serial) {
        slot->serial = s->serial;
        slot->key = find_key(s, f->stem, f->stem_len);
    }
    *key = slot->key;
    return true;
}

static pm_status collect(snippeter *s, analyzer *words, const char *body, size_t len, pm_error *err)
{
    token t;
    uint32_t key;
    s->n_matches = 0;
    analyzer_begin(words, body, len, false);
    while (analyzer_next(words, &t)) {
        if (!form_key_of(s, t.form, &key)) return error_nomem(err);
        if (key == UINT32_MAX) continue;
        if (!mem_grow(&s->matches, &s->matches_cap, s->n_matches + 1, sizeof *s->matches))
            return error_nomem(err);
        s->matches[s->n_matches++] =
            (snippet_match){t.start, t.end, t.position, key, t.marked, false};
    }
    return analyzer_failed(words) ? error_nomem(err) : PM_OK;
}

/* Does the unit stand at match i? */
static bool unit_stands(const snippeter *s, const snippet_unit *unit, size_t i)
{
    const snippet_match *m = &s->matches[i];
    if (unit->n > s->n_matches - i) return false;
    if (unit->wants_mark && !m->marked && s->mark_seen[m->key]) return false;
    for (uint32_t k = 1; k < unit->n; k++)
        if (m[k].key != unit->keys[k] || m[k].position != m->position + k) return false;
    return true;
}

/* Show the NEAR's words in each minimal window, as phrase.c counts them: it is complete the moment
 * its last word arrives, so only its start has to be drawn in then. */
static void show_windows(snippeter *s, uint32_t n_words, uint64_t window)
{
    snippet_match *m = s->matches;
    uint32_t missing = n_words;
    size_t from = 0, shown = 0;
    for (size_t i = 0; i < s->n_matches; i++) {
        if (!s->needs[m[i].key] || ++s->counts[m[i].key] != s->needs[m[i].key] || --missing)
            continue;
        for (; s->counts[m[from].key] > s->needs[m[from].key] || !s->needs[m[from].key]; from++)
            if (s->needs[m[from].key]) s->counts[m[from].key]--;
        bool close = (uint64_t)m[i].position - m[from].position < window;
        for (size_t k = from > shown ? from : shown; close && k <= i; shown = ++k)
            m[k].shown |= s->needs[m[k].key] != 0;
        s->counts[m[from++].key]--;
        missing++;
    }
    for (; from < s->n_matches; from++)
        if (s->needs[m[from].key]) s->counts[m[from].key]--;
}

static void show_near(snippeter *s, const plan_matcher *near)
{
    for (uint32_t i = 0; i < near->n_words; i++) s->needs[near->words[i]] = near->needs[i];
    show_windows(s, near->n_words, near->window);
    for (uint32_t i = 0; i < near->n_words; i++) s->needs[near->words[i]] = 0;
}

/* Where a query's NEARs times an article's matches are more than is worth a snippet, the last ones
 * show their words wherever they stand. */
static void show_nears(snippeter *s)
{
    size_t n = s->n_nears, most = s->n_matches ? NEAR_LOOKS / s->n_matches : n;
    if (most < NEARS_ALWAYS) most = NEARS_ALWAYS;
    if (n > most) n = most;
    for (size_t i = 0; i < n; i++) show_near(s, s->nears[i]);
    if (n == s->n_nears) return;
    for (size_t i = n; i < s->n_nears; i++)
        for (uint32_t k = 0; k < s->nears[i]->n_words; k++) s->needs[s->nears[i]->words[k]] = 1;
    for (size_t i = 0; i < s->n_matches; i++)
        s->matches[i].shown |= s->needs[s->matches[i].key] != 0;
    for (size_t i = n; i < s->n_nears; i++)
        for (uint32_t k = 0; k < s->nears[i]->n_words; k++) s->needs[s->nears[i]->words[k]] = 0;
}

static void show_units(snippeter *s)
{
    if (s->p->n_keys) memset(s->mark_seen, 0, s->p->n_keys * sizeof *s->mark_seen);
    for (size_t i = 0; i < s->n_matches; i++)
        s->mark_seen[s->matches[i].key] |= s->matches[i].marked;
    for (size_t i = 0; i < s->n_matches; i++)
        for (uint32_t u = s->first_unit[s->matches[i].key]; u != UINT32_MAX; u = s->units[u].next)
            for (uint32_t k = 0; unit_stands(s, &s->units[u], i) && k < s->units[u].n; k++)
                s->matches[i + k].shown = true;
    show_nears(s);
    size_t kept = 0;
    for (size_t i = 0; i < s->n_matches; i++)
        if (s->matches[i].shown) s->matches[kept++] = s->matches[i];
    s->n_matches = kept;
}

/* ---- the whole -------------------------------------------------------------------------- */

/* The text without the title's span, which a hit shows apart. */
static bool body_of(snippeter *s, const pm_article *article, const char **body, size_t *len)
{
    const pm_text text = article->text;
    size_t from = article->title_start, to = article->title_end;
    *body = text.data;
    *len = text.len;
    if (article->title_in_body && from <= to && to <= text.len) {
        buf_reset(&s->body);
        buf_append(&s->body, text.data, from);
        buf_u8(&s->body, '\n');
        buf_append(&s->body, text.data + to, text.len - to);
        if (s->body.failed) return false;
        *body = (const char *)s->body.data;
        *len = s->body.len;
    }
    if (*len > UINT32_MAX - 1) *len = UINT32_MAX - 1;
    return true;
}

pm_status snippet_make(snippeter *s, analyzer *words, arena *a, const pm_article *article,
                       pm_hit *out, pm_error *err)
{
    pm_status st = PM_OK;
    const char *body;
    size_t len;
    if (!body_of(s, article, &body, &len)) {
        buf_free(&s->body);
        return error_nomem(err);
    }
    PM_TRY(collect(s, words, body, len, err));
    show_units(s);
    PM_TRY(snippet_cut(s, a, body, len, out, err));
out:
    return st;
}
