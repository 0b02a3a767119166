/* parallel_for.c: parallel regions that are long enough to be cheap and short
 * enough to be interrupted.
 *
 * The end of a region waits for every thread. On a busy machine a thread may wait
 * milliseconds for a processor, so a region must be long beside that. The calling
 * thread begins alone. It opens a region when the rest of the work is worth one,
 * by the time that the first blocks took. In a region threads claim blocks from a
 * counter, and leave when there are none or when it is time to poll the host: R
 * may only be asked about interrupts outside a region.
 */
#include "core/util/parallel_for.h"
#include "core/util/parallel.h"

#include <time.h>

static const double SAMPLE = 0.0004; /* seconds of blocks by which the rest is estimated */

double ct_seconds(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

struct blocks {
    int count, next; /* next: the first block that no thread has claimed */
    void (*run)(void *task, int block, int thread);
    void *task;
};

/* Whether the time for a poll has come; also if the clock was set back. */
static int is_due(const struct ct_host *host, double start, double now)
{
    return now - start >= host->poll_seconds || now < start;
}

/* Runs blocks on the calling thread until it is time to poll or, with more threads at
 * hand, until a region is worth it. Returns whether it is. The longest block does not
 * count in the estimate: the thread may have lost its processor meanwhile. */
static int run_alone(const struct ct_host *host, struct blocks *blocks, int threads)
{
    double start = ct_seconds(), before = start, longest = 0;
    for (int done = 0; blocks->next < blocks->count;) {
        blocks->run(blocks->task, blocks->next++, 0);
        double now = ct_seconds(), sampled;
        longest = now - before > longest ? now - before : longest;
        before = now;
        sampled = now - start - longest;
        if (threads > 1 && ++done > 1 && sampled > SAMPLE &&
            sampled / (done - 1) * (blocks->count - blocks->next) > host->region_seconds)
            return 1;
        if (is_due(host, start, now))
            break;
    }
    return 0;
}

static void run_together(const struct ct_host *host, struct blocks *blocks, int threads)
{
    double start = ct_seconds();
    CT_PRAGMA(omp parallel num_threads(threads))
    {
        int block;
        do {
            CT_PRAGMA(omp atomic capture)
            block = blocks->next++;
            if (block < blocks->count)
                blocks->run(blocks->task, block, ct_thread_id());
        } while (block < blocks->count && !is_due(host, start, ct_seconds()));
    }
    blocks->next = blocks->next < blocks->count ? blocks->next : blocks->count;
}

void ct_parallel_for(const struct ct_host *host, int count, int threads,
                     void (*run)(void *task, int block, int thread), void *task)
{
    struct blocks blocks = {count, 0, run, task};
    threads = threads < count ? threads : count;
    int together = threads > 1 && host->region_seconds <= 0;
    while (blocks.next < count) {
        if (together)
            run_together(host, &blocks, threads);
        else
            together = run_alone(host, &blocks, threads);
        host->poll();
        if (host->progress)
            host->progress((double)blocks.next / count);
    }
}
