/* SPDX-License-Identifier: MIT
 * bytes.c - growable byte buffers; see bytes.h.
 */
#include "common/base/bytes.h"

#include "common/base/mem.h"

bool buf_reserve(buf *b, size_t more)
{
    if (b->failed) return false;
    if (more > SIZE_MAX - b->len)
        b->failed = true;
    else if (b->arena)
        b->failed = !arena_grow(b->arena, &b->data, &b->cap, b->len + more, 1);
    else
        b->failed = !mem_grow(&b->data, &b->cap, b->len + more, 1);
    return !b->failed;
}

void buf_append(buf *b, const void *data, size_t len)
{
    if (!len || !buf_reserve(b, len)) return;
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

void buf_append_str(buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}
void buf_u8(buf *b, uint8_t v)
{
    buf_append(b, &v, 1);
}
void buf_u16(buf *b, uint16_t v)
{
    buf_append(b, &v, 2);
}
void buf_u32(buf *b, uint32_t v)
{
    buf_append(b, &v, 4);
}
void buf_u64(buf *b, uint64_t v)
{
    buf_append(b, &v, 8);
}
void buf_f64(buf *b, double v)
{
    buf_append(b, &v, 8);
}

void buf_varint(buf *b, uint64_t v)
{
    uint8_t bytes[10];
    buf_append(b, bytes, varint_encode(bytes, v));
}

void buf_zero(buf *b, size_t len)
{
    if (!len || !buf_reserve(b, len)) return;
    memset(b->data + b->len, 0, len);
    b->len += len;
}

void buf_pad(buf *b, size_t align)
{
    buf_zero(b, (align - b->len % align) % align);
}

void buf_free(buf *b)
{
    if (!b->arena) mem_free(b->data);
    memset(b, 0, sizeof *b);
}
