/* host.h: what the core needs of its host: memory, interrupts, progress. */
#ifndef COVERTREE_HOST_H
#define COVERTREE_HOST_H

#include <stddef.h>

/* What the core needs from its host. All are called from the main thread,
 * outside parallel regions, and may leave by a long jump: the core owns
 * nothing that would leak. */
struct ct_host {
    void *(*alloc)(size_t count, size_t size); /* lives as long as the host's call */
    void (*poll)(void);                        /* does not return on an interrupt */
    void (*progress)(double share);            /* of a batch that is done; or NULL */
    void *(*mark)(void);         /* release() frees what was allocated after mark(); */
    void (*release)(void *mark); /* both may be NULL */
    double region_seconds;       /* remaining work that is worth a parallel region; 0: any */
    double poll_seconds;         /* work between two polls; 0: one block */
};

#endif
