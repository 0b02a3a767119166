/* parallel_for.h: run blocks of work on all threads, and listen for interrupts. */
#ifndef COVERTREE_UTIL_PARALLEL_FOR_H
#define COVERTREE_UTIL_PARALLEL_FOR_H

#include "core/host.h"
#include "core/util/float.h"

/* The time of day in seconds, to take differences of. */
double ct_seconds(void);

/* Calls run(task, block, thread) for every block from 0 up to blocks, each once, in any
 * order, and host->poll() a few times a second in between. A thread that has no
 * block left to claim leaves. A call of a few milliseconds stays on one thread; so do
 * fewer than three blocks. No block should take longer than 0.2 seconds. */
void ct_parallel_for(const struct ct_host *host, int blocks, int threads,
                     void (*run)(void *task, int block, int thread), void *task);

#endif
