/* SPDX-License-Identifier: MIT
 *
 * xap_shim.hpp - what the parts of the shim (xap*.cc) share: how a function lets nothing out.
 *
 * One idea: each function is a body handed to `guarded`, which lets nothing out but a status.
 * Written for Xapian 1.4; what later series changed stands behind XAP_LATER (xap_weight.hpp).
 */
#ifndef PM_XAPIAN_XAP_SHIM_HPP
#define PM_XAPIAN_XAP_SHIM_HPP

#include "common/xapian/xap.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <xapian.h>

struct xap_db {
    Xapian::Database db;
    std::string text; /* what was given out last                                            */
};

namespace shim
{

/* Called where something was caught: its name, its words and a status to *e, and the status. Naming
 * may run out of memory itself. */
pm_status translate(xap_error *e) noexcept;

#ifdef XAP_TEST
void test_point(); /* throws what a test asks for                                              */
#else
inline void test_point() {}
#endif

template <typename Body> pm_status guarded(xap_error *e, Body &&body) noexcept
{
    memset(e, 0, sizeof *e);
    try {
        test_point();
        body();
        return PM_OK;
    } catch (...) {
        return translate(e);
    }
}

/* For what has nobody to tell: freeing. */
template <typename Body> void quietly(Body &&body) noexcept
{
    try {
        body();
    } catch (...) {
        return;
    }
}

inline std::string text_of(pm_text t)
{
    return t.len ? std::string(t.data, t.len) : std::string();
}

inline pm_text lend(std::string &keep, std::string &&text)
{
    keep = std::move(text);
    return pm_text{keep.data(), keep.size()};
}

/* Where memory ends Xapian 1.4 frees twice a part of a phrase that it makes ready, and lets an
 * exception out of the destructor that writes values after a deletion.  So memory that it might
 * want is asked for, and given back, before: where there is none, it ends here. */
inline void ask_for_reserve()
{
    std::vector<char> reserve(1 << 20);
    reserve.back() = 1;
}

/* Each part of the shim puts its functions into the table. */
void fill_reading(xap_api *api);
void fill_searching(xap_api *api);
void fill_writing(xap_api *api);

} /* namespace shim */

#endif
