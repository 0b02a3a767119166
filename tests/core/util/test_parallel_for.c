/* test_parallel_for.c: every block runs once, on an existing thread, for any number of blocks and
 * threads; the host is polled often enough while blocks are slow. */
#include "check.h"
#include "core/util/parallel_for.h"
#include "host.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { MOST = 5000 };

struct counts {
    atomic_int runs[MOST + 1], strange;
    int blocks, threads;
};

static void count(void *task, int block, int thread)
{
    struct counts *counts = task;
    int known = block >= 0 && block < counts->blocks;
    counts->runs[known ? block : MOST]++;
    counts->strange += thread < 0 || thread >= counts->threads;
}

static void check_once(int blocks, int threads)
{
    static struct counts counts;
    int once = 1;
    memset(&counts, 0, sizeof counts);
    counts.blocks = blocks, counts.threads = threads;
    int polls = host_polls();
    ct_parallel_for(&host, blocks, threads, count, &counts);
    for (int block = 0; block < blocks; block++)
        once &= counts.runs[block] == 1;
    check_about("%d blocks, %d threads", blocks, threads);
    CHECK(once);
    CHECK(counts.runs[MOST] == 0);
    CHECK(counts.strange == 0);
    CHECK(blocks == 0 || host_polls() > polls);
}

static void take_time(void *task, int block, int thread)
{
    (void)task, (void)block, (void)thread;
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

struct threads {
    atomic_int first, others; /* blocks that the calling thread ran, and that others did */
    long wait;                /* nanoseconds */
};

static void note_thread(void *task, int block, int thread)
{
    struct threads *used = task;
    (void)block;
    if (thread == 0)
        used->first++;
    else
        used->others++;
    if (used->wait > 0)
        nanosleep(&(struct timespec){.tv_nsec = used->wait}, NULL);
}

/* 80 blocks of 5 ms: 0.4 s for one thread, at least four polls. */
static void check_polls(void)
{
    struct ct_host seldom = host;
    int polls = host_polls();
    seldom.poll_seconds = 0.08;
    ct_parallel_for(&seldom, 80, 1, take_time, NULL);
    check_about("80 slow blocks");
    CHECK(host_polls() - polls >= 4);
    CHECK(host_polls() - polls <= 40);
}

/* Little work stays on the calling thread; much work does not. */
static void check_regions(void)
{
    struct ct_host thrifty = host;
    struct threads used = {0};
    thrifty.region_seconds = 0.02;
    thrifty.poll_seconds = 0.1;
    ct_parallel_for(&thrifty, 10, 2, note_thread, &used);
    check_about("10 quick blocks");
    CHECK(used.first == 10 && used.others == 0);
    used.first = used.others = 0;
    used.wait = 5000000;
    ct_parallel_for(&thrifty, 40, 2, note_thread, &used);
    check_about("40 slow blocks: %d and %d", used.first, used.others);
    CHECK(used.first + used.others == 40);
#ifdef _OPENMP
    CHECK(used.others > 0);
#else
    CHECK(used.others == 0);
#endif
}

static double shares[64];
static int reports;

static void note_share(double share)
{
    shares[reports++] = share;
}

static void do_nothing(void *data, int block, int thread)
{
    (void)data, (void)block, (void)thread;
}

/* A host for a part of the work reports shares of the whole, also for a part of a part. */
static void check_shares(void)
{
    struct ct_host noting = host, half, eighth;
    noting.progress = note_share;
    ct_parallel_for(&noting, 4, 1, do_nothing, NULL);
    check_about("a whole host");
    CHECK(reports > 0 && shares[reports - 1] == 1);
    half = ct_host_part(&noting, 0.5, 1);
    eighth = ct_host_part(&half, 0.25, 0.5);
    reports = 0;
    ct_parallel_for(&eighth, 4, 1, do_nothing, NULL);
    check_about("a part of a part");
    CHECK(reports == 4 && shares[0] == 0.65625 && shares[3] == 0.75);
    noting.progress = NULL;
    ct_report(&noting, 1);
    CHECK(reports == 4);
}

int main(void)
{
    static const int sizes[] = {0, 1, 2, 3, 7, 100, MOST};
    for (int threads = 1; threads <= 3; threads++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            check_once(sizes[s], threads);
    check_polls();
    check_regions();
    check_shares();
    return check_done("parallel_for");
}
