/* SPDX-License-Identifier: MIT
 * unlocked_split_cache.c - a mutant: the cache that searchers of one index share, without its
 * lock.  Linked in the place of the real one it must make the thread sanitizer speak; if it does
 * not, a silent run of the others shows nothing.
 */
#include <pthread.h>

static int without_lock(pthread_mutex_t *lock)
{
    (void)lock;
    return 0;
}

#define pthread_mutex_lock   without_lock
#define pthread_mutex_unlock without_lock
#include "searcher/split_cache.c"
