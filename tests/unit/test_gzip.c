/* SPDX-License-Identifier: MIT
 * test_gzip.c - members, cuts, damage and bombs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "common/base/bytes.h"
#include "common/base/gzip.h"
#include "common/base/mem.h"

/* Compressed bytes, handed out `step` at a time. */
typedef struct feed {
    buf data;
    size_t at, step;
} feed;

static pm_status read_feed(void *ctx, void *data, size_t cap, size_t *got, pm_error *err)
{
    (void)err;
    feed *f = ctx;
    size_t n = f->data.len - f->at;
    if (n > cap) n = cap;
    if (f->step && n > f->step) n = f->step;
    if (n) memcpy(data, f->data.data + f->at, n);
    f->at += n;
    *got = n;
    return PM_OK;
}

static void add_member(feed *f, const void *text, size_t len)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    uLong bound = deflateBound(&z, (uLong)len) + 64;
    assert_true(buf_reserve(&f->data, bound));
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)len;
    z.next_out = f->data.data + f->data.len;
    z.avail_out = (uInt)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    f->data.len += z.total_out;
    deflateEnd(&z);
}

/* Inflate all of the feed into out, `cap` bytes a read. */
static pm_status inflate_all(feed *f, size_t cap, buf *out, pm_error *err)
{
    gzip *g = (gzip *)(uintptr_t)f;
    size_t got = 1;
    f->at = 0;
    out->len = 0;
    pm_status st = gzip_open(&g, read_feed, f, err);
    assert_int_equal(st == PM_OK, g != NULL);
    while (st == PM_OK && got) {
        char *chunk = malloc(cap);
        assert_non_null(chunk);
        st = gzip_read(g, chunk, cap, &got, err);
        if (st == PM_OK) buf_append(out, chunk, got);
        free(chunk);
    }
    gzip_close(g);
    return st;
}

static void members_are_joined(void **state)
{
    (void)state;
    feed f = {0};
    buf out = {0};
    pm_error err;
    add_member(&f, "one, ", 5);
    add_member(&f, "", 0);
    add_member(&f, "two", 3);
    buf_zero(&f.data, 512); /* padding, as tapes have it */
    for (f.step = 0; f.step < 4; f.step++)
        for (size_t cap = 1; cap < 10; cap += 4) {
            assert_int_equal(inflate_all(&f, cap, &out, &err), PM_OK);
            assert_int_equal(out.len, 8);
            assert_memory_equal(out.data, "one, two", 8);
        }
    buf_free(&f.data);
    buf_free(&out);
}

/* Zeros between members are padding, too. */
static void padding_between_members(void **state)
{
    (void)state;
    feed f = {0};
    buf out = {0};
    pm_error err;
    add_member(&f, "one, ", 5);
    buf_zero(&f.data, 70000);
    add_member(&f, "two", 3);
    for (f.step = 0; f.step < 3; f.step++) {
        assert_int_equal(inflate_all(&f, 4, &out, &err), PM_OK);
        assert_int_equal(out.len, 8);
        assert_memory_equal(out.data, "one, two", 8);
    }
    buf_free(&f.data);
    buf_free(&out);
}

static void every_cut_is_an_error(void **state)
{
    (void)state;
    feed f = {0};
    buf out = {0};
    pm_error err;
    add_member(&f, "a text of some length, a text", 29);
    size_t whole = f.data.len;
    for (f.data.len = 0; f.data.len < whole; f.data.len++) {
        assert_int_equal(inflate_all(&f, 64, &out, &err), PM_IO);
        assert_non_null(strstr(err.message, "gzip data ends too early, near byte"));
    }
    assert_int_equal(inflate_all(&f, 64, &out, &err), PM_OK);
    buf_free(&f.data);
    buf_free(&out);
}

/* A damaged byte is an error, or gives the same text (a header byte without meaning). */
static void every_damaged_byte(void **state)
{
    (void)state;
    feed f = {0};
    buf out = {0};
    pm_error err;
    unsigned refused = 0;
    add_member(&f, "a text of some length, a text", 29);
    for (size_t i = 0; i < f.data.len; i++) {
        f.data.data[i] ^= 0xff;
        if (inflate_all(&f, 64, &out, &err) != PM_OK)
            refused++;
        else
            assert_true(out.len == 29 &&
                        memcmp(out.data, "a text of some length, a text", 29) == 0);
        f.data.data[i] ^= 0xff;
    }
    assert_true(refused + 10 >= f.data.len);
    buf_free(&f.data);
    buf_free(&out);
}

static void rubbish_behind_is_an_error(void **state)
{
    (void)state;
    feed f = {0};
    buf out = {0};
    pm_error err;
    char where[48];
    add_member(&f, "text", 4);
    snprintf(where, sizeof where, "near byte %zu of the file", f.data.len + 2);
    buf_append_str(&f.data, "rubbish");
    for (f.step = 0; f.step < 3; f.step++) {
        assert_int_equal(inflate_all(&f, 64, &out, &err), PM_IO);
        assert_non_null(strstr(err.message, where)); /* the magic is two bytes               */
    }
    f.step = 0;
    f.data.len = 0;
    buf_append_str(&f.data, "not gzip at all");
    assert_int_equal(inflate_all(&f, 64, &out, &err), PM_IO);
    buf_free(&f.data);
    buf_free(&out);
}

static void bombs_are_refused(void **state)
{
    (void)state;
    feed f = {0};
    buf out = {0}, zeros = {0};
    pm_error err;
    buf_zero(&zeros, 32 << 20);
    add_member(&f, zeros.data, zeros.len);
    assert_true(f.data.len * 500 < zeros.len);
    assert_int_equal(inflate_all(&f, 65536, &out, &err), PM_IO);
    assert_non_null(strstr(err.message, "bomb"));
    assert_true(out.len <= GZIP_FREE_OUTPUT + 65536); /* by what it was made of, not what is read */
    /* the first MiB is free: small files may shrink as they like */
    f.data.len = 0;
    add_member(&f, zeros.data, GZIP_FREE_OUTPUT);
    assert_int_equal(inflate_all(&f, 65536, &out, &err), PM_OK);
    assert_int_equal(out.len, GZIP_FREE_OUTPUT);
    buf_free(&f.data);
    buf_free(&out);
    buf_free(&zeros);
}

static void refused_memory(void **state)
{
    (void)state;
    feed f = {0};
    buf out = {0};
    pm_error err;
    add_member(&f, "text", 4);
    assert_true(buf_reserve(&out, 64));
    unsigned refusals = 0;
    pm_status st = PM_NOMEM;
    for (uint64_t n = 1; st != PM_OK; n++) {
        mem_fail_at(n, false);
        st = inflate_all(&f, 2, &out, &err); /* in several steps zlib takes a window, too */
        mem_fail_at(0, false);
        assert_true(st == PM_OK || st == PM_NOMEM);
        refusals += st == PM_NOMEM;
    }
    assert_true(refusals >= 3);
    buf_free(&f.data);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_joined),
        cmocka_unit_test(padding_between_members),
        cmocka_unit_test(every_cut_is_an_error),
        cmocka_unit_test(every_damaged_byte),
        cmocka_unit_test(rubbish_behind_is_an_error),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
