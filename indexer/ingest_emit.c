/* SPDX-License-Identifier: MIT
 * ingest_emit.c - documents to the sink, events to the caller, and the counts of both.
 */
#include "indexer/ingest.h"

enum { HELD_EVERY = 4096 };

static void send(ingest *run, const pm_ingest_event *event)
{
    if (!run->options.event || run->stopped) return;
    run->stopped = !run->options.event(run->options.ctx, event);
}

void ingest_skip(ingest *run, const char *path, uint64_t line, pm_text id, const char *reason)
{
    run->summary.skipped++;
    send(run, &(pm_ingest_event){.kind = PM_INGEST_SKIPPED,
                                 .path = text_of(path),
                                 .line = line,
                                 .id = id,
                                 .title_rule = "none",
                                 .date_rule = "none",
                                 .reason = reason});
}

void ingest_warn(ingest *run, const char *path, const char *reason)
{
    send(run, &(pm_ingest_event){.kind = PM_INGEST_WARNING,
                                 .path = text_of(path),
                                 .title_rule = "none",
                                 .date_rule = "none",
                                 .reason = reason});
}

/* Now and then the sink is told what the sets take. */
static void tell_held(ingest *run)
{
    if (++run->noted % HELD_EVERY || !run->sink->held) return;
    run->sink->held(run->sink->ctx, seq_set_memory(&run->left) + seq_set_memory(&run->present) +
                                        run->files.count * HASH_SET_BYTES + run->folders.names.len +
                                        run->folders.hashes.count * HASH_SET_BYTES);
}

bool ingest_met(const ingest *run, uint64_t seq)
{
    return seq != SEQ_NONE && (seq >= run->sink->first_seq || seq_set_has(&run->left, seq));
}

pm_status ingest_find(ingest *run, pm_text id, uint64_t hash, ingest_known *out, pm_error *err)
{
    *out = (ingest_known){.seq = SEQ_NONE};
    if (!id.len || id.len > DOCUMENT_ID_MAX) return PM_OK;
    pm_status st = run->sink->known(run->sink->ctx, id.data, id.len, hash, out, err);
    out->found = out->found && !ingest_met(run, out->seq);
    return st;
}

pm_status ingest_present(ingest *run, uint64_t seq, uint64_t path_hash, pm_error *err)
{
    if ((seq != SEQ_NONE && !seq_set_add(&run->present, seq)) ||
        (path_hash && !hash_set_add(&run->files, path_hash)))
        return error_nomem(err);
    tell_held(run);
    return PM_OK;
}

pm_status ingest_leave(ingest *run, const char *path, uint64_t line, pm_text id, uint64_t seq,
                       pm_error *err)
{
    if (!seq_set_add(&run->left, seq)) return error_nomem(err);
    tell_held(run);
    run->summary.unchanged++;
    send(run, &(pm_ingest_event){.kind = PM_INGEST_UNCHANGED,
                                 .path = text_of(path),
                                 .line = line,
                                 .id = id,
                                 .title_rule = "none",
                                 .date_rule = "none"});
    return PM_OK;
}

void ingest_pruned(ingest *run, pm_text id)
{
    run->summary.pruned++;
    send(run, &(pm_ingest_event){
                  .kind = PM_INGEST_PRUNED, .id = id, .title_rule = "none", .date_rule = "none"});
}

static const char *id_problem(pm_text id)
{
    if (!id.len) return "the id is empty";
    if (id.len > DOCUMENT_ID_MAX) return "the id is longer than 1024 bytes";
    return memchr(id.data, 0, id.len) ? "the id holds a NUL byte" : NULL;
}

/* What was left as it was and is replaced after all was counted as unchanged. */
static void count_duplicate(ingest *run, uint64_t replaced)
{
    run->summary.duplicates++;
    if (!seq_set_has(&run->left, replaced)) return;
    run->summary.unchanged--;
    run->summary.updated++;
}

/* Count what became of the document, and name it.  `replaced`: an ingest number, or SEQ_NONE. */
static void count_added(ingest *run, const document *d, uint64_t replaced, pm_ingest_event *event)
{
    const pm_article *a = &d->article;
    if (ingest_met(run, replaced)) {
        count_duplicate(run, replaced);
        event->kind = PM_INGEST_DUPLICATE;
        event->reason = "this id was met before in this run; the later article won";
    } else if (replaced != SEQ_NONE) {
        run->summary.updated++;
        event->kind = PM_INGEST_UPDATED;
    } else {
        run->summary.added++;
        event->kind = PM_INGEST_ADDED;
    }
    run->summary.text_bytes += a->text.len + (a->title_in_body ? 0 : a->title.len);
    run->summary.repaired += d->repaired;
    run->summary.converted += d->converted;
}

static pm_status commit_when_due(ingest *run, pm_error *err)
{
    run->since_commit++;
    if (!run->options.commit_every || run->since_commit < run->options.commit_every) return PM_OK;
    run->since_commit = 0;
    return run->sink->commit(run->sink->ctx, err);
}

static pm_status sink_add(const ingest_sink *sink, const pm_article *a, const side_stream *stream,
                          uint64_t *replaced, pm_error *err)
{
    return stream ? sink->add_stream(sink->ctx, a, stream, replaced, err)
                  : sink->add(sink->ctx, a, replaced, err);
}

/* What is told of a document, but for what becomes of it; `date` holds its canonical date. */
static pm_ingest_event event_of(const document *d, const char *path, uint64_t line, char date[32])
{
    const pm_article *a = &d->article;
    bool dated = a->date.len && pm_date_parse(a->date.data, a->date.len, date);
    return (pm_ingest_event){.path = text_of(path),
                             .line = line,
                             .id = a->id,
                             .title = a->title,
                             .date = text_of(dated ? date : ""),
                             .title_rule = d->title_rule,
                             .date_rule = dated ? d->date_rule : "none",
                             .spans = d->spans,
                             .n_spans = d->n_spans};
}

pm_status ingest_add(ingest *run, document *d, const side_stream *stream, const char *path,
                     uint64_t line, pm_error *err)
{
    pm_status st = PM_OK;
    const pm_article *a = &d->article;
    char date[32];
    uint64_t replaced = SEQ_NONE;
    const char *problem = id_problem(a->id);
    if (problem) {
        ingest_skip(run, path, line, (pm_text){a->id.data, a->id.len < 64 ? a->id.len : 64},
                    problem);
        return PM_OK;
    }
    pm_ingest_event event = event_of(d, path, line, date);
    run->summary.bad_dates += a->date.len && !event.date.len;
    pm_error why;
    st = sink_add(run->sink, a, stream, &replaced, &why);
    if (st == PM_USAGE && run->sink->usable && run->sink->usable(run->sink->ctx)) {
        /* Not this one, but others: once repaired, say, it is larger than can be stored. */
        ingest_skip(run, path, line, a->id, why.message);
        return PM_OK;
    }
    if (st != PM_OK && err) *err = why;
    if (st != PM_OK) return st;
    count_added(run, d, replaced, &event);
    send(run, &event);
    if (!run->stopped) PM_TRY(commit_when_due(run, err));
out:
    return st;
}
