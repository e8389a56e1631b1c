/* SPDX-License-Identifier: MIT
 * writer_fit.c - whether a merge fits into memory, and how; see writer.h and merge_size.h.
 *
 * Three estimates, each asked for when the one before does not fit: by the footers, by what is in
 * the dictionaries, and with what is large in files.
 */
#include "common/base/mem.h"
#include "indexer/writer.h"

static const merge_profile *profile_of(writer_segment *s)
{
    if (s->profile) return s->profile;
    s->profile = mem_alloc(sizeof *s->profile);
    if (s->profile && merge_profile_make(s->seg, s->profile)) return s->profile;
    mem_free(s->profile);
    return s->profile = NULL;
}

/* What is in the dictionaries of all; false when one of them is damaged. */
static bool join_profiles(pm_writer *w, size_t first, size_t n, merge_profile *all)
{
    *all = (merge_profile){.longest = 0};
    for (size_t i = first; i < first + n; i++) {
        const merge_profile *one = profile_of(&w->segments[i]);
        if (!one) return false;
        merge_profile_join(all, one);
    }
    return true;
}

static bool fits(const pm_writer *w, uint64_t memory)
{
    return memory + inverter_forms_memory(w->iv) + writer_kept_memory(w) <= writer_budget(w);
}

merge_fit writer_merge_fit(pm_writer *w, size_t first, size_t n, const merge_size *size)
{
    merge_profile all;
    merge_fit fit = {.memory = merge_size_most(size)};
    fit.fits = fits(w, fit.memory);
    if (fit.fits || !join_profiles(w, first, n, &all)) return fit;
    fit.memory = merge_size_likely(size, &all, w->options.memory_bytes);
    fit.fits = fits(w, fit.memory);
    uint64_t spilled = merge_size_spilled(size, &all, w->options.memory_bytes);
    if (fit.fits || spilled >= fit.memory) return fit;
    return (merge_fit){.memory = spilled, .spills = true, .fits = fits(w, spilled)};
}
