/* host.h: a host for the core, with memory that is freed all at once.
 *
 * Memory from host.alloc lives until host_end_call(), as with R; memory from keep() lives until
 * keep_end(). Every block is a malloc() of its exact size, so that the sanitizers detect each
 * access beyond it. */
#ifndef HOST_H
#define HOST_H

#include "core/tree/tree.h"

extern const struct ct_host host;

void host_end_call(void);

void *keep(size_t count, size_t size);
void keep_end(void);

/* Calls work(data) and ends the host's call. At the poll-th poll, or at the
 * alloc-th allocation, the host leaves by a long jump; 0: never. Returns
 * whether work came to its end. */
int host_run(void (*work)(void *data), void *data, int poll, int alloc);

int host_polls(void);   /* polls in all */
int host_misuses(void); /* calls from inside a parallel region or another thread, shares beyond 1 */

#endif
