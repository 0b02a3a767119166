/* host.h: services of the host: memory, interrupts, progress.
 *
 * The host (R, or another program) fills a struct and hands the struct to every call that
 * allocates or takes long. The core owns no memory and prints nothing.
 */
#ifndef COVERTREE_HOST_H
#define COVERTREE_HOST_H

#include <stddef.h>

/* The core calls all callbacks from the main thread, outside parallel regions. Any callback may
 * leave by a long jump: the core holds nothing that could leak. */
struct ct_host {
    /* Returns uninitialized memory for `count` values of `size` bytes, aligned for doubles. The
     * memory lives as long as the host's call into the core. Never NULL. */
    void *(*alloc)(size_t count, size_t size);

    /* Checks for an interrupt by the user; does not return if there is one. */
    void (*poll)(void);

    /* Receives the finished share of a batch, 0 to 1. May be NULL. */
    void (*progress)(double share);

    /* release(m) frees all memory allocated since m = mark(). Both may be NULL. */
    void *(*mark)(void);
    void (*release)(void *mark);

    double region_seconds; /* least remaining work that justifies a parallel region; 0: any */
    double poll_seconds;   /* work between two polls; 0: a single block */

    double begin, end; /* shares of the batch between which this host reports; 0, 0: all of it */
};

/* Reports that this share of the host's part of the batch is finished. */
static inline void ct_report(const struct ct_host *host, double share)
{
    if (host->progress)
        host->progress(host->end > 0 ? host->begin + share * (host->end - host->begin) : share);
}

/* Returns a host for the work between two shares of the batch of `host`. */
static inline struct ct_host ct_host_part(const struct ct_host *host, double begin, double end)
{
    struct ct_host part = *host;
    double first = host->begin, span = host->end > 0 ? host->end - first : 1;
    part.begin = first + begin * span;
    part.end = first + end * span;
    return part;
}

#endif
