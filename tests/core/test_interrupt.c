/* test_interrupt.c: the host leaves by a long jump at each poll and at each allocation in turn,
 * during a build and during every search. No memory leaks (as the leak sanitizer checks), the
 * tree is unchanged, and the next call gives the same answer. */
#include "check.h"
#include "core/search/filtered_knn.h"
#include "core/simd/euclid.h"
#include "core/tree/validate.h"
#include "grow.h"
#include "host.h"

#include <string.h>

enum { K = 4 };

/* A call of the core that may be cut short, and what it gives if it is not. */
struct call {
    const struct cloud *cloud;
    struct ct_batch batch;
    double radius;
    int threads;
    struct grown grown;
    int *index, *count, **lists;
    double *distance, **distances;
};

static void build(void *data)
{
    struct call *call = data;
    call->grown = grow(call->cloud, 4, call->threads);
}

static void knn(void *data)
{
    struct call *call = data;
    ct_knn(&host, &call->batch, K, -1, call->index, call->distance);
}

/* With ranks, so that trees of small ranks are built. */
static void filtered(void *data)
{
    struct call *call = data;
    int n = call->batch.tree->n, *rank = host.alloc((size_t)n, sizeof *rank);
    int *max_rank = host.alloc((size_t)n, sizeof *max_rank);
    for (int i = 0; i < n; i++) {
        rank[i] = 1 + (i * 7 + 3) % n;
        max_rank[i] = rank[i] - 1;
    }
    struct ct_row_limits limits = {.ranks = n, .rank = rank, .max_rank = max_rank, .window = 3};
    ct_knn_filtered(&host, &call->batch, &limits, K, -1, call->index, call->distance);
}

static void count(void *data)
{
    struct call *call = data;
    for (int i = 0; i < call->batch.count; i++)
        call->count[i] = -1;
    ct_radius_count(&host, &call->batch, call->radius, LLONG_MAX, call->count);
}

static void fill(void *data)
{
    struct call *call = data;
    ct_radius_fill(&host, &call->batch, call->radius, 1, call->count, call->lists, call->distances);
}

static void validate(void *data)
{
    struct call *call = data;
    struct ct_validation report;
    ct_validate_tree(&host, call->batch.tree, call->threads, &report);
    call->count[0] = report.violations[CT_INVARIANT_NESTING];
}

/* Leaves at the 1st, 2nd, 3rd ... poll (or allocation) until the call comes to
 * its end. Returns how many times it was left. */
static int leave_everywhere(void (*work)(void *), struct call *call, int by_poll)
{
    int times = 0;
    while (!host_run(work, call, by_poll ? times + 1 : 0, by_poll ? 0 : times + 1))
        times++;
    return times;
}

static void check_build(const char *name, int n, int d, int most_leaves)
{
    struct cloud cloud = cloud_of(name, n, d);
    struct grown want = grow(&cloud, 4, 1);
    for (int threads = 1; threads <= 3; threads += 2) {
        struct call call = {.cloud = &cloud, .threads = threads};
        check_about("building %d of %s, %d threads", n, name, threads);
        if (n < 10000) {
            CHECK(leave_everywhere(build, &call, 1) >= 3);
            CHECK(grown_alike(&call.grown, &want));
            CHECK(leave_everywhere(build, &call, 0) >= 5);
            CHECK(grown_alike(&call.grown, &want));
        }
        for (int poll = 1; poll <= most_leaves; poll += 1 + poll)
            CHECK(!host_run(build, &call, poll, 0));
        CHECK(host_run(build, &call, 0, 0));
        CHECK(grown_alike(&call.grown, &want));
    }
    keep_end();
}

static struct call make_call(const struct cloud *cloud, const struct grown *grown, int threads)
{
    size_t n = (size_t)cloud->n;
    struct call call = {.batch = {.tree = &grown->tree,
                                  .count = cloud->n,
                                  .kernels = ct_kernels(ct_simd_best()),
                                  .block = 2},
                        .radius = 0.03,
                        .threads = threads,
                        .index = keep(n * K, sizeof(int)),
                        .count = keep(n, sizeof(int)),
                        .lists = keep(n, sizeof(int *)),
                        .distance = keep(n * K, sizeof(double)),
                        .distances = keep(n, sizeof(double *))};
    call.batch.threads = threads;
    return call;
}

/* Room for what fill finds, after count. */
static void make_room(struct call *call)
{
    for (int i = 0; i < call->batch.count; i++) {
        call->lists[i] = keep((size_t)call->count[i], sizeof(int));
        call->distances[i] = keep((size_t)call->count[i], sizeof(double));
    }
}

static int same_lists(const struct call *a, const struct call *b)
{
    int same = 1;
    for (int i = 0; i < a->batch.count; i++) {
        size_t found = (size_t)a->count[i];
        same &= a->count[i] == b->count[i] &&
                memcmp(a->lists[i], b->lists[i], found * sizeof(int)) == 0 &&
                memcmp(a->distances[i], b->distances[i], found * sizeof(double)) == 0;
    }
    return same;
}

static void check_searches(int threads)
{
    struct cloud cloud = cloud_of("uniform", 3000, 2);
    struct grown grown = grow(&cloud, 4, 1), before = grow(&cloud, 4, 1);
    struct call want = make_call(&cloud, &grown, 1), call = make_call(&cloud, &grown, threads);
    size_t found = (size_t)cloud.n * K;
    CHECK(host_run(knn, &want, 0, 0));
    CHECK(host_run(count, &want, 0, 0));
    make_room(&want);
    CHECK(host_run(fill, &want, 0, 0));
    for (int by_poll = 0; by_poll <= 1; by_poll++) {
        check_about("searching with %d threads, left at each %s", threads,
                    by_poll ? "poll" : "allocation");
        CHECK(leave_everywhere(knn, &call, by_poll) >= 3);
        CHECK(memcmp(call.index, want.index, found * sizeof(int)) == 0);
        CHECK(memcmp(call.distance, want.distance, found * sizeof(double)) == 0);
        CHECK(leave_everywhere(count, &call, by_poll) >= 3);
        make_room(&call);
        CHECK(leave_everywhere(fill, &call, by_poll) >= 3);
        CHECK(same_lists(&call, &want));
        CHECK(leave_everywhere(validate, &call, by_poll) >= 1);
        CHECK(grown_alike(&grown, &before));
    }
    keep_end();
}

/* The host leaves at some of the many polls and allocations. */
static void check_filtered(int threads)
{
    struct cloud cloud = cloud_of("uniform", 3000, 2);
    struct grown grown = grow(&cloud, 4, 1), before = grow(&cloud, 4, 1);
    struct call want = make_call(&cloud, &grown, 1), call = make_call(&cloud, &grown, threads);
    size_t found = (size_t)cloud.n * K;
    int times = 0;
    CHECK(host_run(filtered, &want, 0, 0));
    for (int at = 1; !host_run(filtered, &call, 0, at); at += 1 + at / 3)
        times++;
    check_about("excluding points with %d threads", threads);
    CHECK(times > 10);
    CHECK(memcmp(call.index, want.index, found * sizeof(int)) == 0);
    CHECK(memcmp(call.distance, want.distance, found * sizeof(double)) == 0);
    for (times = 0; !host_run(filtered, &call, 1 + 2 * times, 0);)
        times++;
    CHECK(times > 3);
    CHECK(memcmp(call.index, want.index, found * sizeof(int)) == 0);
    CHECK(grown_alike(&grown, &before));
    keep_end();
}

int main(void)
{
    check_build("uniform", 500, 2, 5);
    check_build("normal", 300, 40, 5);
    check_build("same", 300, 3, 3);
    check_build("uniform", 70000, 1, 14);
    for (int threads = 1; threads <= 3; threads++)
        check_searches(threads);
    check_filtered(2);
    return check_done("interrupt");
}
