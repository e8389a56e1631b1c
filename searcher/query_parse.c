/* SPDX-License-Identifier: MIT
 *
 * query_parse.c - lexemes to a tree.
 *
 * A stack of open groups, at most QUERY_DEPTH_MAX + 1 of them; each holds the three levels of
 * the grammar that are being filled: the OR of ANDs of neighbour lists.
 *
 *     a b AND c OR d      or:   [ (AND (LIST a b) c) ]
 *                         and:  [ ]
 *                         list: [ d ]
 *
 * Groups of one dissolve when they are closed, so "a" is a word and not a list in an AND in
 * an OR.
 */

#include "searcher/query.h"

typedef struct group {
    query_node *any, *all, *list; /* NULL until needed                                    */
    query_sign sign;              /* of the parenthesis                                   */
    bool negate;                  /* an odd number of NOTs before the next item           */
    uint32_t at;
} group;

typedef struct parser {
    query *q;
    arena *a;
    const lexemes *in;
    group stack[QUERY_DEPTH_MAX + 1];
    unsigned depth;
    uint32_t ignored; /* parentheses opened beyond the depth                  */
    bool full, no_memory;
} parser;

static group *top(parser *p)
{
    return &p->stack[p->depth];
}

/* Append an item, or a finished level, to the level above; makes that on first use. */
static void level_add(parser *p, query_node **level, query_kind kind, query_node *item)
{
    if (!item) return;
    if (!*level) *level = query_node_make(p->a, kind);
    if (!*level) {
        p->no_memory = true;
        return;
    }
    if (item->kind == kind && kind != QUERY_LIST && item->sign == SIGN_PLAIN &&
        item->boost == 1.0) {
        for (query_node *child = item->first, *next; child; child = next) {
            next = child->next;
            query_node_append(*level, child);
        }
        return;
    }
    query_node_append(*level, item);
}

/* An operand of AND or OR keeps only its negation. */
static query_node *as_operand(query_node *node)
{
    if (node && node->sign == SIGN_MUST) node->sign = SIGN_PLAIN;
    return node;
}

static void close_list(parser *p)
{
    group *g = top(p);
    query_node *list = query_node_collapse(g->list);
    level_add(p, &g->all, QUERY_AND,
              g->list && g->list->first == g->list->last ? as_operand(list) : list);
    g->list = NULL;
}

static void close_and(parser *p)
{
    group *g = top(p);
    close_list(p);
    level_add(p, &g->any, QUERY_OR, query_node_collapse(g->all));
    g->all = NULL;
}

static void add_item(parser *p, query_node *node, query_sign sign)
{
    group *g = top(p);
    query_node_sign(node, sign);
    if (g->negate) query_node_sign(node, SIGN_NOT);
    g->negate = false;
    level_add(p, &g->list, QUERY_LIST, node);
}

/* ---- leaves ----------------------------------------------------------------------------- */

static bool copy_text(parser *p, const char *data, size_t len, pm_text *out)
{
    out->data = arena_strndup(p->a, data, len);
    out->len = out->data ? len : 0;
    if (!out->data) p->no_memory = true;
    return out->data != NULL;
}

/* AND, OR and NOT are no acronyms: shown in capitals they would read as operators. */
static size_t marker_length(const lex_token *t)
{
    static const char *const operators[] = {"AND", "OR", "NOT"};
    const form *f = t->form;
    if (!t->marked) return 0;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (f->marker_len == strlen(operators[i]) &&
            !memcmp(f->marker, operators[i], f->marker_len))
            return 0;
    return f->marker_len;
}

/* A leaf of n words from the token with index `first`; NULL when the query is full. */
static query_node *make_leaf(parser *p, query_kind kind, uint32_t first, uint32_t n, bool marks)
{
    if (n > QUERY_WORDS_MAX - p->q->n_words) {
        p->full = true;
        return NULL;
    }
    query_node *node = query_node_make(p->a, kind);
    query_word *words = arena_zalloc(p->a, n * sizeof *words);
    if (!node || !words) {
        p->no_memory = true;
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        const lex_token *t = &p->in->tokens[first + i];
        const form *f = t->form;
        if (!copy_text(p, f->stem, f->stem_len, &words[i].term)) return NULL;
        if (!copy_text(p, f->folded, f->folded_len, &words[i].folded)) return NULL;
        size_t marker_len = marks ? marker_length(t) : 0;
        if (!copy_text(p, marker_len ? f->marker : "", marker_len, &words[i].marker)) return NULL;
    }
    node->words = words;
    node->n_words = n;
    p->q->n_words += n;
    return node;
}

/* The words of one chunk: neighbours, or one required group when they are negated. */
static void add_words(parser *p, const lexeme *item, bool marks)
{
    bool negated = (item->sign == SIGN_NOT) != top(p)->negate;
    query_node *whole = NULL;
    if (item->n_tokens > 1 && negated) {
        whole = query_node_make(p->a, QUERY_LIST);
        if (!whole) {
            p->no_memory = true;
            return;
        }
        whole->fixed = true;
    }
    for (uint32_t i = 0; i < item->n_tokens; i++) {
        query_node *leaf = make_leaf(p, QUERY_WORD, item->first_token + i, 1, marks);
        if (!leaf) break;
        leaf->title = item->title;
        leaf->boost = item->boost;
        if (whole)
            query_node_append(whole, leaf);
        else
            add_item(p, leaf, item->sign);
    }
    if (whole && whole->first) add_item(p, query_node_collapse(whole), item->sign);
}

/* One that is cut is a shorter phrase, which is in every article that the whole one is in; so not
 * where that would exclude more of them, as it may in a group. */
static void add_phrase(parser *p, const lexeme *item)
{
    if (item->n_tokens < 2) {
        add_words(p, item, true);
        return;
    }
    bool negated = item->sign == SIGN_NOT || top(p)->negate || p->depth > 0;
    uint32_t room = QUERY_WORDS_MAX - p->q->n_words, n = item->n_tokens;
    if (n > room && room > 1 && !negated && !item->near) n = room;
    query_kind kind = item->near ? QUERY_NEAR : QUERY_PHRASE;
    query_node *leaf = make_leaf(p, kind, item->first_token, n, false);
    if (!leaf) return;
    p->full = n < item->n_tokens;
    leaf->title = item->title;
    leaf->boost = item->boost;
    leaf->slop = item->slop;
    add_item(p, leaf, item->sign);
}

static void add_filter(parser *p, const lexeme *item)
{
    if (p->q->n_words == QUERY_WORDS_MAX) {
        p->full = true;
        return;
    }
    query_node *leaf = query_node_make(p->a, QUERY_FILTER);
    if (!leaf) {
        p->no_memory = true;
        return;
    }
    p->q->n_words++;
    leaf->filter = item->filter;
    add_item(p, leaf, item->sign);
}

/* ---- groups and operators --------------------------------------------------------------- */

static void open_group(parser *p, const lexeme *item)
{
    if (p->depth == QUERY_DEPTH_MAX || p->ignored) {
        p->ignored++;
        query_add_note(p->q, item->at, true, "( ) nested deeper than %d ignored", QUERY_DEPTH_MAX);
        return;
    }
    p->depth++;
    *top(p) = (group){.sign = item->sign, .at = item->at};
}

static void close_group(parser *p, const lexeme *item)
{
    if (p->ignored) {
        p->ignored--;
        return;
    }
    if (p->depth == 0) {
        query_add_note(p->q, item->at, true, ") without ( ignored");
        return;
    }
    close_and(p);
    group *g = top(p);
    query_node *node = query_node_collapse(g->any);
    p->depth--;
    if (!node) {
        query_add_note(p->q, g->at, true, "empty ( ) ignored");
        return;
    }
    if (node->sign == SIGN_MUST) node->sign = SIGN_PLAIN;
    node->boost *= item->boost;
    add_item(p, node, g->sign);
}

static void stray_operator(parser *p, const lexeme *item)
{
    static const char *const names[] = {[LEX_AND] = "AND", [LEX_OR] = "OR", [LEX_NOT] = "NOT"};
    query_add_note(p->q, item->at, true, "%s taken as a word", names[item->kind]);
    add_words(p, item, false);
}

static void add_operator(parser *p, const lexeme *item, bool operand_follows)
{
    group *g = top(p);
    if (!operand_follows || (item->kind != LEX_NOT && (!g->list || g->negate))) {
        stray_operator(p, item);
        return;
    }
    if (item->kind == LEX_NOT)
        g->negate = !g->negate;
    else if (item->kind == LEX_AND)
        close_list(p);
    else
        close_and(p);
}

/* Can an operand start at this lexeme?  Filled from the back, once. */
static void mark_operands(const lexemes *in)
{
    bool next = false;
    for (uint32_t i = in->n; i-- > 0;) {
        lexeme *item = &in->items[i];
        bool word = item->kind == LEX_WORD || item->kind == LEX_PHRASE;
        if (item->kind == LEX_FILTER || (word && item->n_tokens))
            next = true;
        else if (item->kind == LEX_CLOSE || item->kind == LEX_AND || item->kind == LEX_OR)
            next = false;
        item->operand = next;
    }
}

static void parse_item(parser *p, const lexeme *item, bool operand_follows)
{
    switch (item->kind) {
    case LEX_WORD:
        add_words(p, item, true);
        break;
    case LEX_PHRASE:
        add_phrase(p, item);
        break;
    case LEX_FILTER:
        add_filter(p, item);
        break;
    case LEX_OPEN:
        open_group(p, item);
        break;
    case LEX_CLOSE:
        close_group(p, item);
        break;
    case LEX_AND:
    case LEX_OR:
    case LEX_NOT:
        add_operator(p, item, operand_follows);
        break;
    }
}

static void close_open_groups(parser *p)
{
    const lexeme end = {.kind = LEX_CLOSE, .boost = 1.0};
    p->ignored = 0;
    while (p->depth && !p->no_memory) {
        if (!p->full) query_add_note(p->q, top(p)->at, true, "( without ) closed at the end");
        close_group(p, &end);
    }
}

static void parse_all(parser *p)
{
    const lexemes *in = p->in;
    mark_operands(p->in);
    for (uint32_t i = 0; i < in->n && !p->full && !p->no_memory; i++)
        parse_item(p, &in->items[i], i + 1 < in->n && in->items[i + 1].operand);
    if (p->full) {
        p->q->truncated = true;
        query_add_note(p->q, 0, false, "cut after %d words", QUERY_WORDS_MAX);
    }
    close_open_groups(p);
    if (!p->no_memory) close_and(p);
}

/* ---- the whole -------------------------------------------------------------------------- */

/* Bytes of the text that are looked at: whole characters, and whole words where that costs
 * little. */
static uint32_t bounded_length(query *q)
{
    if (q->text.len <= QUERY_BYTES_MAX) return (uint32_t)q->text.len;
    uint32_t len = QUERY_BYTES_MAX;
    while (len && ((unsigned char)q->text.data[len] & 0xc0) == 0x80) len--;
    for (uint32_t p = len; p > len - 1024; p--)
        if (q->text.data[p - 1] == ' ') {
            len = p;
            break;
        }
    q->truncated = true;
    query_add_note(q, 0, false, "cut after 64 KiB");
    return len;
}

static pm_status repair_text(query *q, arena *a, const char *text, size_t len, pm_error *err)
{
    buf repaired = {.arena = a};
    buf_reserve(&repaired, len + 1);
    if (len) utf8_repair(&repaired, text, len);
    q->text.len = repaired.len;
    buf_u8(&repaired, 0);
    q->text.data = (const char *)repaired.data;
    return repaired.failed ? error_nomem(err) : PM_OK;
}

static pm_status refuse_lenient(const query *q, pm_error *err)
{
    const query_note *first = NULL;
    for (uint32_t i = 0; i < q->n_notes; i++)
        if (q->notes[i].lenient && (!first || q->notes[i].at < first->at)) first = &q->notes[i];
    if (!first) return PM_OK;
    unsigned column = 1;
    for (uint32_t i = 0; i < first->at; i++)
        column += ((unsigned char)q->text.data[i] & 0xc0) != 0x80;
    error_set(err, PM_USAGE, "query, column %u: %s", column, first->text);
    if (err) err->offset = first->at;
    return PM_USAGE;
}

pm_status query_parse(query *q, arena *a, analyzer *words, const char *text, size_t len,
                      bool strict, pm_error *err)
{
    pm_status st = PM_OK;
    lexemes in;
    memset(q, 0, sizeof *q);
    PM_TRY(repair_text(q, a, text, len, err));
    PM_TRY(query_lex(&in, q, a, words, q->text.data, bounded_length(q), err));
    parser p = {.q = q, .a = a, .in = &in};
    parse_all(&p);
    if (p.no_memory) {
        st = error_nomem(err);
        goto out;
    }
    q->root = query_node_collapse(p.stack[0].any);
    if (q->root) query_node_finish(q, q->root);
    if (strict) PM_TRY(refuse_lenient(q, err));
out:
    return st;
}

void query_note_nothing(query *q)
{
    if (!q->root)
        query_add_note(q, 0, false, "no words: matches nothing");
    else if (!q->root->positive)
        query_add_note(q, 0, false, "only negatives: matches nothing");
}
