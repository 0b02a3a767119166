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
};

#endif
