/* SPDX-License-Identifier: MIT
 *
 * xap.cc - the shim: Xapian behind the functions of xap.h, built as pressmark-xapian.so.
 *
 * The source is MIT; the shared object links libxapian, which is GPL-2+, so the object, as it is
 * given away, is under the GPL.  Nothing of the core links it: it is opened when an index asks for
 * it.  Here is its table; the functions are in xap_read.cc, xap_search.cc and xap_write.cc.
 */
#include "common/xapian/xap_shim.hpp"

static xap_api made()
{
    xap_api api{};
    api.version = XAP_VERSION;
    api.engine = XAPIAN_VERSION;
    shim::fill_reading(&api);
    shim::fill_searching(&api);
    shim::fill_writing(&api);
    return api;
}

static const xap_api api = made();

extern "C" const xap_api *pressmark_xapian(uint32_t version)
{
    return version == XAP_VERSION ? &api : nullptr;
}
