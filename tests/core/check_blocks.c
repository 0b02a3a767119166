/* check_blocks.c: every block is run once, by a thread there is, whatever the
 * number of blocks and threads; and the host is asked about interrupts often
 * enough while blocks are slow. */
#include "check.h"
#include "core/util/parallel_for.h"
#include "host.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { MOST = 5000 };

struct tally {
    atomic_int runs[MOST + 1], strange;
    int blocks, threads;
};

static void count(void *task, int block, int thread)
{
    struct tally *tally = task;
    int known = block >= 0 && block < tally->blocks;
    tally->runs[known ? block : MOST]++;
    tally->strange += thread < 0 || thread >= tally->threads;
}

static void check_once(int blocks, int threads)
{
    static struct tally tally;
    int once = 1;
    memset(&tally, 0, sizeof tally);
    tally.blocks = blocks, tally.threads = threads;
    int polls = host_polls();
    ct_for_blocks(&host, blocks, threads, count, &tally);
    for (int block = 0; block < blocks; block++)
        once &= tally.runs[block] == 1;
    check_about("%d blocks, %d threads", blocks, threads);
    CHECK(once);
    CHECK(tally.runs[MOST] == 0);
    CHECK(tally.strange == 0);
    CHECK(blocks == 0 || host_polls() > polls);
}

static void take_time(void *task, int block, int thread)
{
    (void)task, (void)block, (void)thread;
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* 80 blocks of 5 ms: 0.4 s for one thread, at least four polls. */
static void check_polls(void)
{
    int polls = host_polls();
    ct_for_blocks(&host, 80, 1, take_time, NULL);
    check_about("80 slow blocks");
    CHECK(host_polls() - polls >= 4);
    CHECK(host_polls() - polls <= 40);
}

int main(void)
{
    static const int sizes[] = {0, 1, 2, 3, 7, 100, MOST};
    for (int threads = 1; threads <= 3; threads++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            check_once(sizes[s], threads);
    check_polls();
    return check_done("blocks");
}
