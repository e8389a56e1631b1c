/* SPDX-License-Identifier: MIT
 * inverter_scatter.c - the plain terms' counting sort, first half: every token's number, and the
 * variant that it is of, to the bucket of its term, in order of the tokens; see inverter_write.c.
 *
 * There are as many buckets as a core's cache has room for lines that are being filled, so
 * this half writes in sequence; whoever makes a bucket's lists then sorts it by term inside
 * its cache (make_bucket).  One counting sort over all terms took 25 to 50 ns a token, most of
 * it waiting for lines of rare words.  (Radix partitioning: S. Manegold, P. Boncz, M. Kersten,
 * "Optimizing main-memory join on modern hardware", 2002.)
 *
 * A bucket is a chain of pieces for each part of the stream, of words of 32 bits:
 *
 *   gap << 16 | local    a token: how far behind the token before it (in the first: behind the
 *                        part's begin), and its variant's place in the bucket
 *   index                behind each token of a bucket whose places 16 bits do not hold
 *   FAR << 16 | k        no token: k * FAR more in the gap that follows
 *
 * A word takes what its token took in the stream, so that pieces go where the stream has been read:
 * 4 bytes a token are enough for both.  The first piece of each bucket is memory of its own, and as
 * many as words of the second and third kind fill, links between pieces and the ends of parts.
 */
#include "common/base/mem.h"
#include "common/base/thread.h"
#include "indexer/inversion.h"

enum {
    FAR = UINT16_MAX,
    ROW_AHEAD = 24,     /* a rare word's row is asked for so many tokens before its turn     */
    PART_MIN = 1 << 17, /* tokens that are worth a thread                                    */
    SLAB_PIECES = 64,
};

/* Pieces that are not the stream's. */
typedef struct slab {
    struct slab *next;
    size_t left;
    piece *free; /* the next of them, aligned                                              */
} slab;

static slab *slab_new(size_t n, slab *next)
{
    slab *s = mem_alloc(sizeof *s + (n + 1) * sizeof(piece));
    if (!s) return NULL;
    uintptr_t behind = (uintptr_t)(s + 1);
    uint8_t *at = (uint8_t *)(s + 1) + (PIECE_BYTES - behind % PIECE_BYTES) % PIECE_BYTES;
    *s = (slab){.next = next, .left = n, .free = (piece *)(void *)at};
    return s;
}

/* A piece from what has been read before token `at`, or of memory; NULL when that is refused. */
static piece *piece_new(const inversion *inv, scatter_part *part, uint32_t at)
{
    if (part->pool && (uint8_t *)&inv->iv->tokens[at] - part->pool >= PIECE_BYTES) {
        piece *p = (piece *)(void *)part->pool;
        part->pool += PIECE_BYTES;
        return p;
    }
    if (!part->slabs || !part->slabs->left) {
        slab *more = slab_new(SLAB_PIECES, part->slabs);
        if (!more) return NULL;
        part->slabs = more;
    }
    part->slabs->left--;
    return part->slabs->free++;
}

static inline bool piece_full(const piece_chain *c)
{
    return (uintptr_t)c->end % PIECE_BYTES == 0; /* also before the first                     */
}

static bool put_word(const inversion *inv, scatter_part *part, piece_chain *c, uint32_t at,
                     uint32_t word)
{
    if (piece_full(c)) {
        piece *p = piece_new(inv, part, at);
        if (!p) return false;
        p->next = NULL;
        *(c->first ? &c->last->next : &c->first) = p;
        c->last = p;
        c->end = p->words;
    }
    *c->end++ = word;
    return true;
}

/* A token of any kind; `form_id` is its form. */
static bool put_token(const inversion *inv, scatter_part *part, uint32_t at, uint32_t row,
                      uint32_t form_id)
{
    piece_chain *c = &part->chains[row >> 16];
    uint32_t gap = at - c->at, local = (uint16_t)row;
    c->at = at;
    if (gap >= FAR && !put_word(inv, part, c, at, (uint32_t)FAR << 16 | gap / FAR)) return false;
    if (!put_word(inv, part, c, at, gap % FAR << 16 | local)) return false;
    return local != BUCKET_LATE || put_word(inv, part, c, at, inv->form_rows[form_id].index);
}

static void scatter(void *ctx, unsigned index)
{
    const inversion *inv = ctx;
    scatter_part *part = &((inversion *)ctx)->parts[index];
    const uint32_t *tokens = inv->iv->tokens, *rows = inv->form_buckets;
    const uint32_t end = part->end;
    piece_chain *chains = part->chains;
    for (uint32_t at = part->begin; at < end; at++) {
        if (end - at > ROW_AHEAD) __builtin_prefetch(&rows[TOKEN_FORM(tokens[at + ROW_AHEAD])]);
        uint32_t form_id = TOKEN_FORM(tokens[at]), row = rows[form_id];
        piece_chain *c = &chains[row >> 16];
        uint32_t gap = at - c->at;
        if (gap >= FAR || (uint16_t)row == BUCKET_LATE || piece_full(c)) {
            part->refused = !put_token(inv, part, at, row, form_id);
            if (part->refused) return;
            continue;
        }
        *c->end++ = gap << 16 | (uint16_t)row;
        c->at = at;
    }
}

/* The part [begin, end) of the stream, and memory for the first pieces, or for all of them. */
static bool part_open(const inversion *inv, scatter_part *part, uint32_t begin, uint32_t end)
{
    size_t pieces = inv->n_buckets;
    *part = (scatter_part){.begin = begin, .end = end};
    if (inv->iv->keep) {
        pieces += (end - begin) / PIECE_WORDS;
    } else if (end > begin) {
        uint8_t *first = (uint8_t *)&inv->iv->tokens[begin];
        part->pool = first + (PIECE_BYTES - (uintptr_t)first % PIECE_BYTES) % PIECE_BYTES;
    }
    part->chains = mem_array(inv->n_buckets, sizeof *part->chains);
    part->slabs = slab_new(pieces, NULL);
    if (!part->chains || !part->slabs) return false;
    for (uint32_t b = 0; b < inv->n_buckets; b++) part->chains[b].at = begin;
    return true;
}

pm_status inversion_scatter(inversion *inv, pm_error *err)
{
    uint32_t n = (uint32_t)inv->iv->n_tokens, begin = 0;
    unsigned parts = inv->threads < LIST_WORKERS_MAX ? inv->threads : LIST_WORKERS_MAX;
    if (parts > n / PART_MIN) parts = n / PART_MIN;
    if (parts == 0) parts = 1;
    inv->n_parts = parts;
    for (unsigned i = 0; i < parts; i++) {
        uint32_t end = (uint32_t)((uint64_t)n * (i + 1) / parts);
        if (!part_open(inv, &inv->parts[i], begin, end)) return error_nomem(err);
        begin = end;
    }
    thread_run_all(parts, scatter, inv);
    for (unsigned i = 0; i < parts; i++)
        if (inv->parts[i].refused) return error_nomem(err);
    return PM_OK;
}

void inversion_unscatter(inversion *inv)
{
    for (unsigned i = 0; i < inv->n_parts; i++) {
        scatter_part *part = &inv->parts[i];
        for (slab *s = part->slabs, *next; s; s = next) {
            next = s->next;
            mem_free(s);
        }
        mem_free(part->chains);
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

bucket_reader bucket_read(const inversion *inv, uint32_t number)
{
    uint32_t variants = inv->buckets[number + 1].first_variant - inv->buckets[number].first_variant;
    return (bucket_reader){.inv = inv, .bucket = number, .late = variants > BUCKET_LATE};
}

static uint32_t read_words(bucket_reader *r, const uint32_t *word, const uint32_t *end,
                           uint32_t *places, uint32_t *locals)
{
    uint32_t n = 0, at = r->at;
    for (; word < end; word++) {
        uint32_t gap = *word >> 16;
        if (gap == FAR) {
            at += (*word & UINT16_MAX) * FAR;
            continue;
        }
        places[n] = at += gap;
        locals[n++] = *word & UINT16_MAX;
    }
    r->at = at;
    return n;
}

/* The same where each token has two words, which may be in two pieces. */
static uint32_t read_late(bucket_reader *r, const uint32_t *word, const uint32_t *end,
                          uint32_t *places, uint32_t *locals)
{
    uint32_t n = 0;
    for (; word < end; word++) {
        uint32_t gap = *word >> 16;
        if (r->open) {
            places[n] = r->at;
            locals[n++] = *word;
            r->open = false;
        } else if (gap == FAR) {
            r->at += (*word & UINT16_MAX) * FAR;
        } else {
            r->at += gap;
            r->open = true;
        }
    }
    return n;
}

uint32_t bucket_next(bucket_reader *r, uint32_t *places, uint32_t *locals)
{
    for (uint32_t n = 0;; r->next = r->next->next) {
        while (!r->next) {
            if (n || r->part == r->inv->n_parts) return n;
            const scatter_part *part = &r->inv->parts[r->part++];
            r->next = part->chains[r->bucket].first;
            r->end = part->chains[r->bucket].end;
            r->at = part->begin;
        }
        if (n) return n;
        const uint32_t *words = r->next->words;
        const uint32_t *end = r->next->next ? words + PIECE_WORDS : r->end;
        n = (r->late ? read_late : read_words)(r, words, end, places, locals);
    }
}
