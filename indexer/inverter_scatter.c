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
 * Two threads begin at both ends.  One goes forward over the first half of the tokens and
 * fills each bucket from its start, the other backward over the second half from its end; they
 * meet wherever the tokens say, without counting halves, and the result is that of one.
 */
#include "common/base/mem.h"
#include "common/base/thread.h"
#include "indexer/inversion.h"

enum {
    ROW_AHEAD = 24,       /* a rare word's row is asked for so many tokens before its turn   */
    HALVES_MIN = 1 << 18, /* tokens that are worth a thread                                  */
};

typedef struct scatter_job {
    inversion *inv;
    uint32_t *starts, *ends; /* by bucket: where the next token goes                          */
} scatter_job;

static inline void put(inversion *inv, uint32_t at, uint32_t row, uint32_t to)
{
    inv->places[to] = at;
    inv->locals[to] = (uint16_t)row;
    if ((uint16_t)row != BUCKET_LATE) return;
    const bucket *b = &inv->buckets[row >> 16];
    uint32_t begin = row >> 16 ? b[-1].end : 0;
    inv->late[b->late + to - begin] = inv->form_rows[TOKEN_FORM(inv->iv->tokens[at])].index;
}

static void forward(const scatter_job *job, uint32_t end)
{
    inversion *inv = job->inv;
    const uint32_t *tokens = inv->iv->tokens, *rows = inv->form_buckets;
    for (uint32_t at = 0; at < end; at++) {
        if (end - at > ROW_AHEAD) __builtin_prefetch(&rows[TOKEN_FORM(tokens[at + ROW_AHEAD])]);
        uint32_t row = rows[TOKEN_FORM(tokens[at])], to = job->starts[row >> 16]++;
        put(inv, at, row, to);
    }
}

static void backward(const scatter_job *job, uint32_t begin)
{
    inversion *inv = job->inv;
    const uint32_t *tokens = inv->iv->tokens, *rows = inv->form_buckets;
    for (uint32_t at = (uint32_t)inv->iv->n_tokens; at-- > begin;) {
        if (at - begin > ROW_AHEAD) __builtin_prefetch(&rows[TOKEN_FORM(tokens[at - ROW_AHEAD])]);
        uint32_t row = rows[TOKEN_FORM(tokens[at])], to = --job->ends[row >> 16];
        put(inv, at, row, to);
    }
}

static void scatter_half(void *ctx, unsigned half)
{
    const scatter_job *job = ctx;
    uint32_t middle = (uint32_t)(job->inv->iv->n_tokens / 2);
    if (half)
        backward(job, middle);
    else
        forward(job, middle);
}

static void begin(const scatter_job *job)
{
    for (uint32_t b = 0; b < job->inv->n_buckets; b++) {
        job->starts[b] = b ? job->inv->buckets[b - 1].end : 0;
        job->ends[b] = job->inv->buckets[b].end;
    }
}

pm_status inversion_scatter(inversion *inv, pm_error *err)
{
    scatter_job job = {.inv = inv};
    job.starts = mem_array(inv->n_buckets, sizeof *job.starts);
    job.ends = mem_array(inv->n_buckets, sizeof *job.ends);
    inv->late = mem_array(inv->n_late, sizeof *inv->late);
    pm_status st = job.starts && job.ends && inv->late ? PM_OK : error_nomem(err);
    if (st == PM_OK) {
        begin(&job);
        bool halves = inv->threads > 1 && inv->iv->n_tokens >= HALVES_MIN &&
                      thread_run(2, scatter_half, &job, NULL) == PM_OK;
        if (!halves) {
            begin(&job); /* the system may have refused one thread of two                    */
            forward(&job, (uint32_t)inv->iv->n_tokens);
        }
    }
    inverter_drop_tokens(inv->iv);
    mem_free(job.starts);
    mem_free(job.ends);
    return st;
}
