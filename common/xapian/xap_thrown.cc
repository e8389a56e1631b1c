/* SPDX-License-Identifier: MIT
 *
 * xap_thrown.cc - what was thrown, told: the one place that knows Xapian's classes of errors.
 */
#include "common/xapian/xap_shim.hpp"

#include <cerrno>
#include <cstdio>
#include <new>
#include <stdexcept>

#ifdef XAP_TEST
#include "tests/support/xap_throw.h"
#endif

namespace
{

void say(char *to, size_t room, const char *text)
{
    snprintf(to, room, "%s", text ? text : "");
}

pm_status tell(xap_error *e, pm_status status, const char *type, const char *message,
               const char *context = "")
{
    e->status = status;
    say(e->type, sizeof e->type, type);
    say(e->message, sizeof e->message, message);
    say(e->context, sizeof e->context, context);
    return status;
}

/* Xapian keeps the number to itself, and gives its words. */
int number_of(const char *cause)
{
    const int most = 133; /* EHWPOISON, the last of Linux                                      */
    for (int i = 1; i <= most; i++)
        if (!strcmp(cause, strerror(i))) return i;
    return 0;
}

/* The system's words for what went wrong, where there are any. */
void add_cause(xap_error *e, const Xapian::Error &x)
{
    const char *cause = x.get_error_string();
    size_t used = strlen(e->message);
    if (!cause || !*cause) return;
    snprintf(e->message + used, sizeof e->message - used, ": %s", cause);
    e->os_errno = number_of(cause);
}

/* Whatever kept it from locking is an error of locking; its words tell another writer from that. */
void tell_lock(xap_error *e, const Xapian::Error &x)
{
    if (strcmp(x.get_type(), "DatabaseLockError") != 0) return;
    if (x.get_msg().find("already locked") != std::string::npos) return;
    e->status = PM_IO;
    if (x.get_msg().find("too many open files") != std::string::npos) e->os_errno = EMFILE;
}

struct class_status {
    const char *type;
    pm_status status;
};

/* By name, as Xapian's classes have no other number; classes that are not here are PM_IO.  Of
 * errors of locking tell_lock knows more. */
const class_status statuses[] = {
    {"DatabaseLockError", PM_BUSY},
    {"DatabaseCorruptError", PM_CORRUPT},
    {"DocNotFoundError", PM_CORRUPT},
    {"SerialisationError", PM_CORRUPT},
    {"DatabaseVersionError", PM_USAGE},
    {"DatabaseClosedError", PM_USAGE},
    {"FeatureUnavailableError", PM_USAGE},
    {"InvalidArgumentError", PM_USAGE},
    {"InvalidOperationError", PM_USAGE},
    {"UnimplementedError", PM_USAGE},
    {"QueryParserError", PM_USAGE},
    {"WildcardError", PM_USAGE},
    {"RangeError", PM_USAGE},
};

pm_status status_of(const char *type)
{
    for (const class_status &c : statuses)
        if (!strcmp(c.type, type)) return c.status;
    return PM_IO;
}

/* Of a folder without a root file Xapian knows no cause. */
bool is_absent(const Xapian::Error &x)
{
    const char *type = x.get_type(), *cause = x.get_error_string();
    return !strcmp(type, "DatabaseNotFoundError") ||
           (!strcmp(type, "DatabaseOpeningError") && (!cause || !strcmp(cause, strerror(ENOENT))));
}

/* A file that ends before a block of it is damaged; Xapian has no class for that. */
bool is_cut(const Xapian::Error &x)
{
    return !strcmp(x.get_type(), "DatabaseError") && !x.get_msg().compare(0, 11, "EOF reading");
}

pm_status tell_xapian(xap_error *e, const Xapian::Error &x)
{
    const char *type = x.get_type();
    pm_status status = is_cut(x) ? PM_CORRUPT : status_of(type);
    tell(e, status, type, x.get_msg().c_str(), x.get_context().c_str());
    e->modified = !strcmp(type, "DatabaseModifiedError");
    e->network = !strncmp(type, "Network", 7);
    e->absent = is_absent(x);
    add_cause(e, x);
    tell_lock(e, x);
    return e->status;
}

} /* namespace */

pm_status shim::translate(xap_error *e) noexcept
{
    try {
        throw;
    } catch (const Xapian::Error &x) {
        try {
            return tell_xapian(e, x);
        } catch (...) {
            return tell(e, PM_NOMEM, "std::bad_alloc", "memory was refused");
        }
    } catch (const std::bad_alloc &) {
        return tell(e, PM_NOMEM, "std::bad_alloc", "memory was refused");
    } catch (const std::length_error &x) {
        return tell(e, PM_NOMEM, "std::length_error", x.what());
    } catch (const std::exception &x) {
        return tell(e, PM_IO, "std::exception", x.what());
    } catch (...) {
        return tell(e, PM_IO, "unknown", "something that is no exception was thrown");
    }
}
