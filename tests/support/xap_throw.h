/* SPDX-License-Identifier: MIT
 *
 * xap_throw.h - a part of the shim as tests build it (XAP_TEST): each function of its table first
 * asks whether it is to throw, and what.
 *
 * Read by xap_thrown.cc, which has included what this needs.
 */
#ifndef PM_TESTS_XAP_THROW_H
#define PM_TESTS_XAP_THROW_H

static char thrown[64];      /* the class, by name                                            */
static unsigned calls_until; /* calls before it is thrown; 0: never                          */

/* Throw `name` at the n-th call of the table from now; 0: never again.  How many calls were left
 * before; 0: it was thrown. */
extern "C" PM_API unsigned xap_test_throw(const char *name, unsigned n)
{
    unsigned before = calls_until;
    snprintf(thrown, sizeof thrown, "%s", name);
    calls_until = n;
    return before;
}

#define THROW_IF(Class)                                                                            \
    if (!strcmp(thrown, #Class)) throw Xapian::Class("asked for by a test", "in a test", "cause")

static void throw_database()
{
    THROW_IF(DatabaseClosedError);
    THROW_IF(DatabaseCorruptError);
    THROW_IF(DatabaseCreateError);
    THROW_IF(DatabaseError);
    THROW_IF(DatabaseLockError);
    THROW_IF(DatabaseModifiedError);
    THROW_IF(DatabaseNotFoundError);
    THROW_IF(DatabaseOpeningError);
    THROW_IF(DatabaseVersionError);
    THROW_IF(DocNotFoundError);
}

static void throw_other()
{
    THROW_IF(AssertionError);
    THROW_IF(FeatureUnavailableError);
    THROW_IF(InternalError);
    THROW_IF(InvalidArgumentError);
    THROW_IF(InvalidOperationError);
    THROW_IF(NetworkError);
    THROW_IF(NetworkTimeoutError);
    THROW_IF(QueryParserError);
    THROW_IF(RangeError);
    THROW_IF(SerialisationError);
    THROW_IF(UnimplementedError);
    THROW_IF(WildcardError);
}

void shim::test_point()
{
    if (!calls_until || --calls_until) return;
    throw_database();
    throw_other();
    if (!strcmp(thrown, "std::bad_alloc")) throw std::bad_alloc();
    if (!strcmp(thrown, "std::length_error")) throw std::length_error("too long");
    if (!strcmp(thrown, "std::exception")) throw std::runtime_error("of the library");
    throw 42;
}

#endif
