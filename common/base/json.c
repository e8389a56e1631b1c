/* SPDX-License-Identifier: MIT
 * json.c - see json.h.
 *
 * jansson 2.14 says only now and then that memory was refused: else it finds the syntax at fault,
 * or leaves out a byte of a string and goes on, but ENOMEM is left behind, unless a number follows.
 * An allocation that was made at the second try leaves it, too: what did is read once more.  And
 * jansson does not look whether the buffer of a string could grow, and runs over its end: so that
 * much is asked for before, and given back to be had.
 */
#include "common/base/json.h"

#include <errno.h>

#include "common/base/mem.h"

static json_t *read_once(const char *text, size_t len, json_error_t *why, bool *refused)
{
    errno = 0;
    json_t *out = json_loadb(text, len, JSON_ALLOW_NUL, why);
    *refused = errno == ENOMEM || (!out && json_error_code(why) == json_error_out_of_memory);
    if (!*refused) return out;
    json_decref(out);
    return NULL;
}

json_t *json_read(const char *text, size_t len, json_error_t *why, bool *refused)
{
    json_error_t own;
    if (!why) why = &own;
    void *reserve = mem_alloc(4 * len + 4096);
    *refused = !reserve;
    mem_free(reserve);
    if (*refused) return NULL;
    json_t *out = read_once(text, len, why, refused);
    return *refused ? read_once(text, len, why, refused) : out;
}
