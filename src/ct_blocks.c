/* ct_blocks.c: parallel regions that are long enough to be cheap and short
 * enough to be interrupted.
 *
 * R may only be asked about interrupts outside a parallel region, so the work
 * is done as a series of regions. Each takes as many blocks as the last one,
 * or twice as many while a region takes less than SHORT seconds.
 */
#include "ct_blocks.h"
#include "ct_parallel.h"

#include <time.h>

static const double SHORT = 0.05, LONG = 0.2;

double ct_seconds(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void ct_for_blocks(const struct ct_host *host, int blocks, int threads,
                   void (*run)(void *task, int block, int thread), void *task)
{
    int stride = threads = ct_team(threads, blocks, 1);
    for (int from = 0; from < blocks;) {
        int to = blocks - from > stride ? from + stride : blocks;
        double start = ct_seconds();
        CT_PRAGMA(omp parallel for if (threads > 1) num_threads(threads) schedule(dynamic, 1))
        for (int block = from; block < to; block++)
            run(task, block, ct_thread_id());
        double took = ct_seconds() - start;
        host->poll();
        from = to;
        if (host->progress)
            host->progress((double)from / blocks);
        if (took < SHORT && stride < INT_MAX / 2)
            stride *= 2;
        else if (took > LONG && stride > threads)
            stride /= 2;
    }
}
