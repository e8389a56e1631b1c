/* SPDX-License-Identifier: MIT
 *
 * xap_load.c - open the plugin once, where this code can: in a program that is linked dynamically
 * and in libpressmark.so.
 */
#include "common/xapian/xap_load.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN "pressmark-xapian.so"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const xap_api *loaded;

typedef struct plugin_search {
    char path[4096];
    char why[300]; /* of the last file that did not open, cut                              */
    const xap_api *found;
} plugin_search;

/* A symbol's address as a function: ISO C knows no cast for it. */
static xap_api_get *symbol(void *library, const char *name)
{
    xap_api_get *get = NULL;
    void *address = dlsym(library, name);
    memcpy(&get, &address, sizeof get);
    return get;
}

/* A plugin that is there and does not open is worth more words than places without one. */
static void keep_reason(plugin_search *s, const char *why)
{
    if (!why || access(s->path, F_OK) != 0) return;
    snprintf(s->why, sizeof s->why, "%s", why);
}

/* True when `folder`, of which len bytes count, has the plugin. */
static bool try_folder(plugin_search *s, const char *folder, size_t len, const char *below)
{
    int n = snprintf(s->path, sizeof s->path, "%.*s/%s" PLUGIN, (int)len, folder, below);
    if (n < 0 || (size_t)n >= sizeof s->path) return false;
    void *library = dlopen(s->path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        keep_reason(s, dlerror());
        return false;
    }
    xap_api_get *get = symbol(library, "pressmark_xapian");
    s->found = get ? get(XAP_VERSION) : NULL;
    if (s->found) return true;
    keep_reason(s, "it belongs to another version of pressmark");
    dlclose(library);
    return false;
}

/* The folder of the file that holds this code.  A program's file is known by the name that it was
 * called by, which is no path when it was found through PATH: the folder at hand is nobody's. */
static bool try_beside(plugin_search *s)
{
    Dl_info here;
    static const char mark;
    char program[PATH_MAX];
    if (!dladdr(&mark, &here) || !here.dli_fname) return false;
    const char *folder = here.dli_fname, *slash = strrchr(folder, '/');
    if (!slash) {
        ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
        if (n <= 0) return false;
        program[n] = 0;
        folder = program;
        slash = strrchr(folder, '/');
    }
    if (!slash) return false;
    size_t len = (size_t)(slash - folder);
    return try_folder(s, folder, len, "") || try_folder(s, folder, len, "pressmark/") ||
           try_folder(s, folder, len, "../lib/pressmark/");
}

static pm_status open_plugin(const xap_api **out, pm_error *err)
{
    plugin_search s = {.why = "it was not found"};
    const char *given = getenv("PRESSMARK_PLUGINS");
    bool there = given && *given ? try_folder(&s, given, strlen(given), "") : try_beside(&s);
    if (there) {
        *out = s.found;
        return PM_OK;
    }
    return error_set(err, PM_USAGE,
                     "the engine xapian is a plugin, " PLUGIN ": %s; install it beside pressmark, "
                     "or name its folder in $PRESSMARK_PLUGINS",
                     s.why);
}

bool xap_can_load(void)
{
    return true;
}

pm_status xap_load(const xap_api **out, pm_error *err)
{
    pm_status st = PM_OK;
    pthread_mutex_lock(&lock);
    if (!loaded) st = open_plugin(&loaded, err);
    *out = loaded;
    pthread_mutex_unlock(&lock);
    return st;
}
