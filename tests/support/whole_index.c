/* SPDX-License-Identifier: MIT
 * whole_index.c - see whole_index.h.
 */
#include "tests/support/whole_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void must(pm_status st, const pm_error *err)
{
    if (st != PM_OK) fail_msg("%s: %s", pm_status_name(st), err->message);
}

static bool keep_bytes(void *ctx, const char *data, size_t len)
{
    buf_append(ctx, data, len);
    return true;
}

buf dump(const char *path)
{
    buf text = {0};
    pm_index *index;
    pm_error err;
    must(pm_index_open(path, &index, &err), &err);
    must(pm_index_dump(index, keep_bytes, &text, &err), &err);
    pm_index_close(index);
    assert_false(text.failed);
    return text;
}

void assert_same_text(const buf *a, const buf *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, a->len);
}

void assert_same_dump(const char *a, const char *b)
{
    buf x = dump(a), y = dump(b);
    assert_true(x.len > 100);
    assert_same_text(&x, &y);
    buf_free(&x);
    buf_free(&y);
}

void assert_same_image(const folder_image *a, const folder_image *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_string_equal(a->files[i].name, b->files[i].name);
        assert_int_equal(a->files[i].len, b->files[i].len);
        assert_memory_equal(a->files[i].data, b->files[i].data, a->files[i].len);
    }
}

static void print_finding(void *ctx, const char *file, const char *part, uint64_t offset,
                          const char *what)
{
    (void)ctx;
    print_error("%s, %s, %llu: %s\n", file, part, (unsigned long long)offset, what);
}

void assert_sound(const char *path)
{
    pm_error err;
    pm_check_summary summary;
    must(pm_check(path, true, print_finding, NULL, &summary, &err), &err);
}

unsigned count_files(const char *path, const char *suffix)
{
    folder_image image = {0};
    unsigned n = 0;
    folder_load(path, &image);
    for (size_t i = 0; i < image.n; i++) {
        const char *dot = strrchr(image.files[i].name, '.');
        n += dot && strcmp(dot, suffix) == 0;
    }
    folder_image_free(&image);
    return n;
}
