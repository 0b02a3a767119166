/* parallel_for.h: an interruptible parallel loop over blocks of work.
 *
 * Used by everything in the core with a run time beyond a few milliseconds. All threads share
 * the blocks dynamically; between blocks the host is asked for interrupts and told the
 * progress, on the main thread and outside parallel regions only.
 */
#ifndef COVERTREE_UTIL_PARALLEL_FOR_H
#define COVERTREE_UTIL_PARALLEL_FOR_H

#include "core/host.h"
#include "core/util/float.h"

/* Returns the time of day [seconds]. Only differences have a meaning; they may be negative if
 * the clock was set back. */
double ct_seconds(void);

/* Calls run(task, block, thread) once for every block from 0 up to `blocks`, in any order and
 * on up to `threads` threads; `thread` is below `threads`. Calls host->poll() a few times a
 * second, from where the host may leave by a long jump. A thread without a block to claim leaves
 * the region. Work of a few milliseconds stays on the calling thread, as do
 * fewer than three blocks. Needs blocks of at most about 0.2 seconds each. */
void ct_parallel_for(const struct ct_host *host, int blocks, int threads,
                     void (*run)(void *task, int block, int thread), void *task);

#endif
