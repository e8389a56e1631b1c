/* SPDX-License-Identifier: MIT
 * peer_protocol.h - the line protocol between the conductor and an engine's driver.
 *
 *     request   COMMAND TAB query LF      COMMAND = TOP_k | COUNT | TOP_k_COUNT
 *     answer    count TAB nanoseconds LF, or "-" LF for a query the engine cannot express
 *
 * count is the number of hits returned for TOP_k, of all matching documents for the others.
 * The nanoseconds are measured here, in the engine's process, round the search call alone:
 * neither pipes nor processes are in them.  Takes a function that answers one request.
 * Valid as C and as C++.
 */
#ifndef PM_PEERS_PROTOCOL_H
#define PM_PEERS_PROTOCOL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct peer_request {
    unsigned long k; /* hits wanted; 0 for COUNT */
    bool count;      /* the exact number of matching documents is wanted */
    char *query;     /* writable, NUL-terminated */
} peer_request;

typedef struct peer_answer {
    bool supported;
    uint64_t count;
    uint64_t took_ns;
} peer_answer;

/* False is fatal; the function has said why on standard error. */
typedef bool (*peer_answer_fn)(void *ctx, const peer_request *request, peer_answer *answer);

static inline uint64_t peer_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline bool peer_request_parse(peer_request *request, char *line)
{
    char *tab = strchr(line, '\t');
    if (tab == NULL) return false;
    *tab = '\0';
    request->query = tab + 1;
    request->query[strcspn(request->query, "\r\n")] = '\0';
    request->k = 0;
    request->count = true;
    if (strcmp(line, "COUNT") == 0) return true;
    if (strncmp(line, "TOP_", 4) != 0) return false;
    char *end;
    errno = 0;
    request->k = strtoul(line + 4, &end, 10);
    request->count = strcmp(end, "_COUNT") == 0;
    return errno == 0 && request->k > 0 && (*end == '\0' || request->count);
}

/* Answer until end of input; gives the exit status. */
static inline int peer_serve(peer_answer_fn answer_one, void *ctx)
{
    char *line = NULL;
    size_t capacity = 0;
    bool ok = true;
    while (ok && getline(&line, &capacity, stdin) > 0) {
        peer_request request;
        peer_answer answer = {true, 0, 0};
        ok = peer_request_parse(&request, line);
        if (!ok) fprintf(stderr, "driver: not a request: %s\n", line);
        ok = ok && answer_one(ctx, &request, &answer);
        if (ok && answer.supported)
            printf("%llu\t%llu\n", (unsigned long long)answer.count,
                   (unsigned long long)answer.took_ns);
        else if (ok)
            puts("-");
        ok = ok && fflush(stdout) == 0;
    }
    free(line);
    return ok ? 0 : 1;
}

#endif
