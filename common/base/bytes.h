/* SPDX-License-Identifier: MIT
 * bytes.h - little-endian loads and stores, LEB128 integers, checked slices, byte buffers.
 *
 * A `slice` is a borrowed range of bytes.  Every size that comes from a file passes through
 * slice_sub (or a reader) before a pointer exists; a reader that runs past its end turns
 * `bad` and yields zeros from then on, so a decoder asks once, at its end.
 *
 * ascii_same compares letters as strncasecmp does in the locale C: that of the process may have
 * letters of its own, in Turkish I and i are two.
 */
#ifndef PM_BASE_BYTES_H
#define PM_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t load_u16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}
static inline uint32_t load_u32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}
static inline uint64_t load_u64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}
static inline double load_f64(const void *p)
{
    double v;
    memcpy(&v, p, 8);
    return v;
}
static inline void store_u16(void *p, uint16_t v)
{
    memcpy(p, &v, 2);
}
static inline void store_u32(void *p, uint32_t v)
{
    memcpy(p, &v, 4);
}
static inline void store_u64(void *p, uint64_t v)
{
    memcpy(p, &v, 8);
}
static inline void store_f64(void *p, double v)
{
    memcpy(p, &v, 8);
}
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "pressmark's files are little-endian and are mapped as they are"
#endif

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}
/* The same n bytes, but for the case of A to Z. */
static inline bool ascii_same(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    return true;
}

typedef struct slice {
    const uint8_t *data;
    size_t len;
} slice;

/* The part [off, off + len) of s; false (and *out empty) when it does not fit. */
static inline bool slice_sub(slice s, uint64_t off, uint64_t len, slice *out)
{
    if (off > s.len || len > s.len - off) {
        *out = (slice){NULL, 0};
        return false;
    }
    *out = (slice){s.data + off, (size_t)len};
    return true;
}

/* Sequential reader over a slice. */
typedef struct reader {
    const uint8_t *p, *end;
    bool bad;
} reader;

static inline reader reader_of(slice s)
{
    return (reader){s.data, s.data + s.len, false};
}
static inline size_t reader_left(const reader *r)
{
    return (size_t)(r->end - r->p);
}

static inline const uint8_t *read_bytes(reader *r, uint64_t len)
{
    if (len > (uint64_t)(r->end - r->p)) {
        r->bad = true;
        r->p = r->end;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += len;
    return p;
}
static inline uint8_t read_u8(reader *r)
{
    const uint8_t *p = read_bytes(r, 1);
    return p ? *p : 0;
}
static inline uint16_t read_u16(reader *r)
{
    const uint8_t *p = read_bytes(r, 2);
    return p ? load_u16(p) : 0;
}
static inline uint32_t read_u32(reader *r)
{
    const uint8_t *p = read_bytes(r, 4);
    return p ? load_u32(p) : 0;
}
static inline uint64_t read_u64(reader *r)
{
    const uint8_t *p = read_bytes(r, 8);
    return p ? load_u64(p) : 0;
}
static inline double read_f64(reader *r)
{
    const uint8_t *p = read_bytes(r, 8);
    return p ? load_f64(p) : 0;
}

/* LEB128, at most 10 bytes, canonical length not required; overlong is bad. */
static inline uint64_t read_varint(reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (r->p == r->end) break;
        uint8_t byte = *r->p++;
        if (shift == 63 && byte > 1) break;
        v |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return v;
    }
    r->bad = true;
    r->p = r->end;
    return 0;
}
/* A varint that must be <= max. */
static inline uint64_t read_varint_max(reader *r, uint64_t max)
{
    uint64_t v = read_varint(r);
    if (v <= max) return v;
    r->bad = true;
    r->p = r->end;
    return 0;
}
static inline slice read_slice(reader *r, uint64_t len)
{
    const uint8_t *p = read_bytes(r, len);
    return p ? (slice){p, (size_t)len} : (slice){NULL, 0};
}

static inline unsigned varint_size(uint64_t v)
{
    unsigned n = 1;
    while (v >= 128) {
        v >>= 7;
        n++;
    }
    return n;
}
/* Writes at most 10 bytes; returns the number. */
static inline unsigned varint_encode(uint8_t *p, uint64_t v)
{
    unsigned n = 0;
    while (v >= 128) {
        p[n++] = (uint8_t)(v | 128);
        v >>= 7;
    }
    p[n++] = (uint8_t)v;
    return n;
}

/* Growable bytes, owned.  Sticky: after a refusal `failed` stays set, appends do nothing,
 * and the writer asks once at the end.  Valid when zeroed. */
typedef struct buf {
    uint8_t *data;
    size_t len, cap;
    bool failed;
    struct arena *arena;     /* of whose memory it is made; NULL: owned, buf_free         */
    struct scratch *scratch; /* the same, where it is large (scratch.h), but freed            */
} buf;

bool buf_grow(buf *b, size_t more); /* as buf_reserve, when there is not room enough  */
/* Room for `more` bytes after len. */
static inline bool buf_reserve(buf *b, size_t more)
{
    return (more <= b->cap - b->len && !b->failed) || buf_grow(b, more);
}
static inline void buf_append(buf *b, const void *data, size_t len)
{
    if (!len || !buf_reserve(b, len)) return;
    memcpy(b->data + b->len, data, len);
    b->len += len;
}
void buf_append_str(buf *b, const char *s); /* NUL-terminated, without the NUL           */
static inline void buf_u8(buf *b, uint8_t v)
{
    if (buf_reserve(b, 1)) b->data[b->len++] = v;
}
static inline void buf_u16(buf *b, uint16_t v)
{
    buf_append(b, &v, 2);
}
static inline void buf_u32(buf *b, uint32_t v)
{
    buf_append(b, &v, 4);
}
static inline void buf_u64(buf *b, uint64_t v)
{
    buf_append(b, &v, 8);
}
static inline void buf_f64(buf *b, double v)
{
    buf_append(b, &v, 8);
}
static inline void buf_varint(buf *b, uint64_t v)
{
    if (buf_reserve(b, 10)) b->len += varint_encode(b->data + b->len, v);
}
void buf_pad(buf *b, size_t align); /* zeros up to a multiple of align           */
void buf_zero(buf *b, size_t len);
static inline void buf_reset(buf *b)
{
    b->len = 0;
}
void buf_free(buf *b);
static inline slice buf_slice(const buf *b)
{
    return (slice){b->data, b->len};
}

#endif
