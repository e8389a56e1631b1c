/* SPDX-License-Identifier: MIT
 * bytes.c - growable byte buffers; see bytes.h.
 */
#include "common/base/bytes.h"

#include "common/base/mem.h"
#include "common/base/scratch.h"

bool buf_grow(buf *b, size_t more)
{
    if (b->failed) return false;
    if (more > SIZE_MAX - b->len)
        b->failed = true;
    else if (b->arena)
        b->failed = !arena_grow(b->arena, &b->data, &b->cap, b->len + more, 1);
    else
        b->failed = !scratch_grow(b->scratch, &b->data, &b->cap, b->len + more, 1);
    return !b->failed;
}

void buf_append_str(buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
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
    if (!b->arena) scratch_free(b->scratch, b->data);
    memset(b, 0, sizeof *b);
}
