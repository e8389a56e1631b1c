/* SPDX-License-Identifier: MIT
 * second_bytes.c - numbers out of bytes, one at a time; see second_parts.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/second_parts.h"

const char *second_path;

void second_expect(bool ok, const char *what, const char *source, int line)
{
    if (ok) return;
    fprintf(stderr, "%s:%d: %s: expected %s\n", source, line, second_path, what);
    abort();
}

void *second_room(uint64_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    EXPECT(p != NULL);
    return p;
}

void second_free(const uint8_t *room)
{
    union {
        const uint8_t *read;
        uint8_t *write;
    } of = {room};
    free(of.write);
}

int second_order(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    size_t least = a_len < b_len ? a_len : b_len;
    int order = least ? memcmp(a, b, least) : 0;
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

uint64_t second_number(bytes *b, unsigned width)
{
    uint64_t v = 0;
    EXPECT(b->at + width <= b->len);
    for (unsigned i = 0; i < width; i++) v |= (uint64_t)b->p[b->at++] << 8 * i;
    return v;
}

uint64_t second_varint(bytes *b)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 10; i++) {
        uint64_t byte = second_number(b, 1);
        v |= (byte & 127) << 7 * i;
        if (byte < 128) return v;
    }
    EXPECT(!"a varint ends");
    return 0;
}

double second_real(bytes *b)
{
    uint64_t v = second_number(b, 8);
    double d;
    memcpy(&d, &v, 8);
    return d;
}

void second_zeros(bytes *b, uint64_t n)
{
    while (n--) EXPECT(second_number(b, 1) == 0);
}

void second_zeros_to(bytes *b, uint64_t start, uint64_t multiple)
{
    while ((b->at - start) % multiple) EXPECT(second_number(b, 1) == 0);
}

bytes second_part(const bytes *b, uint64_t off, uint64_t len)
{
    EXPECT(off <= b->len && len <= b->len - off);
    return (bytes){b->p + off, len, 0};
}

bool second_bit(const uint8_t *p, uint64_t at)
{
    return p[at / 8] >> at % 8 & 1;
}

uint64_t second_groups(uint64_t x, uint64_t n)
{
    return (x + n - 1) / n;
}
uint64_t second_align(uint64_t x, uint64_t n)
{
    return second_groups(x, n) * n;
}

uint32_t second_crc(const uint8_t *p, uint64_t n)
{
    uint32_t c = UINT32_MAX;
    for (; n--; p++) {
        c ^= *p;
        for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
    }
    return ~c;
}
