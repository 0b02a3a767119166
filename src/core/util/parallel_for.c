/* parallel_for.c: parallel regions that are long enough to be cheap and short enough to be
 * interrupted.
 *
 * The end of a region waits for every thread. On a busy machine a thread may wait milliseconds
 * for a processor, so a region must last much longer than that. The calling thread begins
 * alone. When the time of the first blocks predicts enough remaining work, a region is opened.
 * In a region, threads claim blocks from a counter. Threads leave when no block is left, or
 * when the next poll of the host is due: polls are allowed outside regions only.
 */
#include "core/util/parallel_for.h"
#include "core/util/parallel.h"

#include <time.h>

static const double SAMPLE_SECONDS = 0.0004; /* of blocks, before the rest is estimated */

/* C11 has no monotonic clock. */
double ct_seconds(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The blocks of a call of ct_parallel_for(). */
struct block_queue {
    int count;
    int next; /* first unclaimed block */
    void (*run)(void *task, int block, int thread);
    void *task;
};

/* Whether a poll of the host is due. Also if the clock was set back: otherwise the user could not
 * interrupt for as long as the clock differs. */
static int is_due(const struct ct_host *host, double start, double now)
{
    return now - start >= host->poll_seconds || now < start;
}

/* Runs blocks on the calling thread until a poll is due, or until the estimate of the remaining
 * work justifies a region. Returns 1 in the second case. The longest block is left out of the
 * estimate, because the thread may have lost the processor meanwhile. */
static int run_alone(const struct ct_host *host, struct block_queue *blocks, int threads)
{
    double start = ct_seconds(), before = start, longest = 0;
    for (int done = 0; blocks->next < blocks->count;) {
        blocks->run(blocks->task, blocks->next++, 0);
        double now = ct_seconds(), sampled;
        longest = now - before > longest ? now - before : longest;
        before = now;
        sampled = now - start - longest;
        if (threads > 1 && ++done > 1 && sampled > SAMPLE_SECONDS &&
            sampled / (done - 1) * (blocks->count - blocks->next) > host->region_seconds)
            return 1;
        if (is_due(host, start, now))
            break;
    }
    return 0;
}

/* Runs blocks on all threads until a poll is due or no block is left. The counter of claimed
 * blocks may pass the number of blocks, once for each thread. */
static void run_in_region(const struct ct_host *host, struct block_queue *blocks, int threads)
{
    double start = ct_seconds();
    (void)threads; /* not used without OpenMP */
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

/* Once a region was worth opening, the remaining blocks run in regions as well. */
void ct_parallel_for(const struct ct_host *host, int count, int threads,
                     void (*run)(void *task, int block, int thread), void *task)
{
    struct block_queue blocks = {count, 0, run, task};
    threads = threads < count ? threads : count;
    int parallel = threads > 1 && host->region_seconds <= 0;
    while (blocks.next < count) {
        if (parallel)
            run_in_region(host, &blocks, threads);
        else
            parallel = run_alone(host, &blocks, threads);
        host->poll();
        ct_report(host, (double)blocks.next / count);
    }
}
