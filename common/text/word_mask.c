/* SPDX-License-Identifier: MIT
 *
 * word_mask.c - see word_mask.h: choosing the row, and the portable one.
 *
 * The portable row takes eight bytes at a time in a plain 64-bit word (L. Lamport, "Multiple byte
 * processing with full-word instructions", 1975).
 */
#include "common/text/word_mask.h"

#include "common/base/cpu.h"

#define EACH UINT64_C(0x0101010101010101)

/* The highest bits of eight bytes, side by side. */
static uint64_t gather(uint64_t bytes)
{
    return ((bytes & EACH * 0x80) >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* Of bytes below 0x80: the highest bit of each that is in [first, last].  Adding 0x80 - c to such a
 * byte carries into its highest bit when it is c or more, and never beyond. */
static uint64_t between(uint64_t low, uint8_t first, uint8_t last)
{
    return (low + EACH * (uint8_t)(0x80 - first)) & ~(low + EACH * (uint8_t)(0x7f - last));
}

word_masks word_mask_portable(const char *p)
{
    word_masks m = {0};
    for (unsigned i = 0; i < WORD_MASK_BYTES; i += 8) {
        uint64_t bytes = load_u64(p + i), low = bytes & EACH * 0x7f;
        uint64_t letters = between(low | EACH * 0x20, 'a', 'z'), digits = between(low, '0', '9');
        uint64_t points = between(low, '.', '.') | between(low, ',', ',');
        m.words |= gather((letters | digits) & ~bytes) << i;
        m.digits |= gather(digits & ~bytes) << i;
        m.points |= gather(points & ~bytes) << i;
        m.apostrophes |= gather(between(low, '\'', '\'') & ~bytes) << i;
        m.high |= gather(bytes) << i;
    }
    return m;
}

#ifdef __aarch64__
word_mask_fn *word_mask_get(void)
{
    return word_mask_portable;
}
#else
word_mask_fn *word_mask_get(void)
{
    static word_mask_fn *const rows[] = {
        [CPU_PORTABLE] = word_mask_portable,
        [CPU_AVX2] = word_mask_avx2,
        [CPU_AVX512] = word_mask_avx512,
    };
    return rows[cpu_get_level()];
}
#endif
