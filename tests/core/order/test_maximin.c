/* test_maximin.c: the maximin order against its definition, step by step, for
 * every shape, number of threads and instruction set; and the host leaving by a
 * long jump at each allocation and at many polls. Numbers of points on either
 * side of whole blocks; few dimensions, where boxes exclude, and many, where
 * points wait for each other. */
#include "check.h"
#include "clouds.h"
#include "core/order/maximin.h"
#include "core/simd/euclid.h"
#include "host.h"
#include "oracle.h"

#include <string.h>

struct call {
    const struct cloud *cloud;
    const struct ct_kernels *kernels;
    const double *q;
    int count, threads, *order;
};

static void run(void *data)
{
    const struct call *call = data;
    ct_maximin_order(&host, call->kernels, call->cloud->x, call->cloud->n, call->cloud->d, call->q,
                     call->count, call->threads, call->order);
}

static struct call make_call(const struct cloud *cloud)
{
    double *q = keep((size_t)cloud->d, sizeof *q);
    ct_centroid(cloud->x, cloud->n, cloud->d, q);
    return (struct call){.cloud = cloud,
                         .kernels = ct_kernels(ct_simd_best()),
                         .q = q,
                         .count = cloud->n,
                         .threads = 1,
                         .order = keep((size_t)cloud->n, sizeof(int))};
}

/* Each instruction set, on 1, 2 or 3 threads: another number for each cloud. */
static void check_cloud(struct cloud cloud)
{
    static int clouds;
    struct call call = make_call(&cloud);
    const int *want = oracle_maximin(&cloud, call.q);
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        call.threads = 1 + (clouds + level) % 3;
        call.kernels = ct_kernels((enum ct_simd_level)level);
        check_about("%d of %s, d = %d, %s, %d threads", cloud.n, cloud.name, cloud.d,
                    call.kernels->name, call.threads);
        CHECK(host_run(run, &call, 0, 0));
        CHECK(memcmp(call.order, want, (size_t)cloud.n * sizeof *want) == 0);
    }
    clouds++;
    keep_end();
}

/* The first points of the order, and nothing beyond them: order has room for `count`. */
static void check_first(const char *name, int n, int d, int threads)
{
    struct cloud cloud = cloud_of(name, n, d);
    struct call whole = make_call(&cloud), call = make_call(&cloud);
    CHECK(host_run(run, &whole, 0, 0));
    static const int counts[] = {0, 1, 2, 63, 64, 65, 500};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        call.count = counts[i];
        call.threads = threads;
        call.order = keep((size_t)call.count, sizeof *call.order);
        check_about("first %d of %d of %s, d = %d", call.count, n, name, d);
        CHECK(host_run(run, &call, 0, 0));
        CHECK(memcmp(call.order, whole.order, (size_t)call.count * sizeof *call.order) == 0);
    }
    keep_end();
}

/* So many that threads share the work, too many for the definition. */
static void check_threads(const char *name, int n, int d)
{
    struct cloud cloud = cloud_of(name, n, d);
    struct call one = make_call(&cloud), call = make_call(&cloud);
    CHECK(host_run(run, &one, 0, 0));
    for (call.threads = 2; call.threads <= 3; call.threads++) {
        check_about("%d of %s, d = %d, %d threads", n, name, d, call.threads);
        CHECK(host_run(run, &call, 0, 0));
        CHECK(memcmp(call.order, one.order, (size_t)n * sizeof *call.order) == 0);
    }
    keep_end();
}

/* At each allocation; at the first 8 polls, then at polls in steps that grow by a quarter. */
static void check_interrupt(int n, int d, int threads)
{
    struct cloud cloud = cloud_of("normal", n, d);
    struct call want = make_call(&cloud), call = make_call(&cloud);
    CHECK(host_run(run, &want, 0, 0));
    call.threads = threads;
    for (int by_poll = 0; by_poll <= 1; by_poll++) {
        int times = 0;
        for (int at = 1; !host_run(run, &call, by_poll ? at : 0, by_poll ? 0 : at); times++)
            at += by_poll ? 1 + at / 8 : 1;
        check_about("%d points, d = %d, left at %s", n, d,
                    by_poll ? "many polls" : "each allocation");
        CHECK(times >= 8);
        CHECK(memcmp(call.order, want.order, (size_t)n * sizeof *call.order) == 0);
    }
    keep_end();
}

static void check_centroid(void)
{
    static const double x[] = {1, 2, 6, -1e308, -1e308, -1e308, 1e-320, 1e-320, 1e-320};
    double centroid[3];
    check_about("centroid");
    ct_centroid(x, 3, 3, centroid);
    CHECK(centroid[0] == 3);
    CHECK(centroid[1] == -1e308);
    CHECK(centroid[2] == 1e-320);
}

int main(void)
{
    static const int sizes[] = {15, 16, 17, 32, 255, 256, 257, 600};
    for (int which = 0; which < clouds_count(); which++)
        check_cloud(cloud_number(which));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_cloud(cloud_of("uniform", sizes[i], 1));
        check_cloud(cloud_of("grid", sizes[i], 3));
        check_cloud(cloud_of("normal", sizes[i], 17));
    }
    check_cloud(cloud_of("same", 600, 2));
    check_cloud(cloud_of("grid of 3", 600, 9));
    check_threads("uniform", 9000, 2);
    check_threads("normal", 1100, 160);
    check_first("uniform", 600, 2, 1);
    check_first("normal", 1100, 160, 3);
    check_first("same", 600, 2, 2);
    check_interrupt(1500, 30, 1);
    check_interrupt(1100, 160, 3);
    check_centroid();
    return check_done("maximin");
}
