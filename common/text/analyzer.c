/* SPDX-License-Identifier: MIT
 *
 * analyzer.c - see analyzer.h.  Takes text, gives tokens: the tokenizer finds a word, the
 * form table knows its forms, the line it stands in decides about its marker.
 */
#include "common/text/analyzer.h"

#include "common/text/capitals.h"
#include "common/text/forms.h"

struct analyzer {
    language lang;
    forms table;
    tokenizer words;
    capitals capitals;
    /* Forms of the last word that are still to be given, and its token. */
    const form_entry *pending;
    uint32_t pending_at;
    token last;
    bool failed;
    uint64_t cut_words;
    char profile[LANGUAGE_PROFILE_MAX];
};

pm_status analyzer_open(analyzer **out, const char *lang, pm_error *err)
{
    pm_status st;
    *out = NULL;
    analyzer *a = mem_zalloc(sizeof *a);
    if (!a) return error_nomem(err);
    PM_TRY(language_open(&a->lang, lang, err));
    PM_TRY(language_profile(&a->lang, a->profile, err));
    PM_TRY(forms_init(&a->table, err));
    *out = a;
out:
    if (st != PM_OK) analyzer_close(a);
    return st;
}

void analyzer_close(analyzer *a)
{
    if (!a) return;
    language_close(&a->lang);
    forms_free(&a->table);
    mem_free(a);
}

const char *analyzer_profile(const analyzer *a) { return a->profile; }
const char *analyzer_lang(const analyzer *a) { return a->lang.name; }
bool analyzer_failed(const analyzer *a) { return a->failed; }
uint64_t analyzer_cut_words(const analyzer *a) { return a->cut_words; }
uint64_t analyzer_repaired(const analyzer *a) { return a->words.repaired; }
uint32_t analyzer_form_count(const analyzer *a) { return a->table.count; }

const form *analyzer_form_at(const analyzer *a, uint32_t id)
{
    return a->table.by_id[id];
}

size_t analyzer_memory(const analyzer *a)
{
    return sizeof *a + forms_memory(&a->table);
}

void analyzer_reset_forms(analyzer *a)
{
    a->pending = NULL;
    forms_reset(&a->table);
}

void analyzer_begin(analyzer *a, const char *text, size_t len, bool query)
{
    tokenizer_begin(&a->words, text, len < UINT32_MAX ? len : UINT32_MAX);
    a->capitals = (capitals){.query = query};
    a->pending = NULL;
    a->last = (token){.position = UINT32_MAX};
    a->failed = false;
}

/* The k-th form of the word that was found, as the next token. */
static void emit(analyzer *a, const form_entry *e, uint32_t k, const word_span *w)
{
    token *t = &a->last;
    t->form = e->forms[k];
    t->marked = false;
    if (t->form->marker_len)
        t->marked = e->dotted || capitals_carry(&a->capitals, a->words.text, a->words.len, w);
    t->position++;
    t->start = (uint32_t)w->start;
    t->end = (uint32_t)w->end;
    a->pending = k + 1 < e->n ? e : NULL;
    a->pending_at = k + 1;
}

bool analyzer_next(analyzer *a, token *out)
{
    word_span w;
    if (a->pending) {
        w = (word_span){a->last.start, a->last.end, false};
        emit(a, a->pending, a->pending_at, &w);
        *out = a->last;
        return true;
    }
    while (!a->failed && tokenizer_next(&a->words, &w)) {
        const char *at = a->words.text + w.start;
        size_t len = w.end - w.start;
        const form_entry *e = forms_find(&a->table, at, len, a->words.len - w.start);
        if (!e) e = forms_add(&a->table, &a->lang, at, len, w.dotted);
        a->failed = !e;
        if (a->failed) break;
        a->cut_words += e->cut;
        if (!e->n) continue;
        emit(a, e, 0, &w);
        *out = a->last;
        return true;
    }
    return false;
}

const form *analyzer_form(analyzer *a, const char *text, size_t len)
{
    if (len > FORM_KEY_MAX) return NULL;
    analyzer saved = *a;
    token t, other;
    analyzer_begin(a, text, len, true);
    const form *found = analyzer_next(a, &t) && !analyzer_next(a, &other) ? t.form : NULL;
    if (a->failed) found = NULL;
    /* The text under way goes on where it was; only what was learnt of words stays. */
    a->words = saved.words;
    a->capitals = saved.capitals;
    a->pending = saved.pending;
    a->pending_at = saved.pending_at;
    a->last = saved.last;
    a->failed = saved.failed;
    a->cut_words = saved.cut_words;
    return found;
}
