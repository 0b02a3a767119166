/* host.h: what the core needs of its host: memory, interrupts, progress.
 *
 * The host (R, or another program) fills one struct and hands it to every call that allocates
 * or takes long. The core has no memory of its own and prints nothing.
 */
#ifndef COVERTREE_HOST_H
#define COVERTREE_HOST_H

#include <stddef.h>

/* All callbacks are called from the main thread, outside parallel regions, and may leave by a
 * long jump: the core owns nothing that would leak. */
struct ct_host {
    /* Returns uninitialized memory, aligned for doubles, that lives as long as the host's call
     * into the core. Does not return NULL. */
    void *(*alloc)(size_t count, size_t size);
    void (*poll)(void);             /* asks for an interrupt, and then does not return */
    void (*progress)(double share); /* told the share of a batch that is done; or NULL */
    void *(*mark)(void);            /* release(mark()) frees what was allocated between; both */
    void (*release)(void *mark);    /* may be NULL */
    double region_seconds; /* remaining work that justifies a parallel region; 0: any work */
    double poll_seconds;   /* work between two polls; 0: one block */
};

#endif
