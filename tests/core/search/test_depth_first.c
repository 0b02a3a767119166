/* test_depth_first.c: a few queries depth first = the general search, bit for bit. */
#include "check.h"
#include "core/search/depth_first.h"
#include "core/search/stats.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"

#include <math.h>
#include <string.h>

static const struct ct_kernels *kernels_below(int below)
{
    int levels = (int)ct_simd_best() + 1;
    return ct_kernels((enum ct_simd_level)(levels - 1 - below % levels));
}

/* Compares up to 4 queries at a time with the search of blocks. */
static void check_queries(const struct ct_batch *all, int k)
{
    enum { MOST = 4 };
    size_t size = (size_t)all->count * k;
    int *index = keep(size, sizeof *index), *expected = keep(size, sizeof *expected);
    double *distance = keep(size, sizeof *distance), *exact = keep(size, sizeof *exact);
    int *order = keep((size_t)all->count, sizeof *order);
    for (int i = 0; i < all->count; i++)
        order[i] = i;
    struct ct_batch general = *all;
    general.block = 5;
    general.order = order;
    ct_knn(&host, &general, k, NAN, expected, exact);
    host_end_call();
    for (int from = 0; from < all->count; from += MOST) {
        struct ct_batch few = *all;
        few.order = order + from;
        few.ld_query = few.ld = all->count;
        few.count = all->count - from < MOST ? all->count - from : MOST;
        CHECK(ct_suits_depth_first(&few));
        ct_knn(&host, &few, k, NAN, index, distance);
        host_end_call();
    }
    CHECK(memcmp(index, expected, size * sizeof *index) == 0);
    CHECK(memcmp(distance, exact, size * sizeof *distance) == 0);
}

/* Every shape, with limits and removed rows by turns. */
static void check_shape(int which)
{
    struct cloud cloud = cloud_number(which), queries = queries_near(&cloud, 30);
    double *limit = keep(30, sizeof *limit);
    unsigned char *removed = keep((size_t)cloud.n, 1);
    for (int i = 0; i < 30; i++)
        limit[i] = i % 3 ? INFINITY : i / 10.0;
    for (int i = 0; i < cloud.n; i++)
        removed[i] = i % 4 == 1;
    int k[] = {1, 5, 12, cloud.n + 2};
    for (int i = 0; i < 4; i++) {
        struct grown grown = grow(&cloud, i % 2 ? 32 : 3, 1);
        struct ct_search_stats stats = {0};
        struct ct_batch batch = {.tree = &grown.tree,
                                 .metric = {.norm = (enum ct_norm)((i + which) % CT_NORMS)},
                                 .query = queries.x,
                                 .count = 30,
                                 .threads = 2,
                                 .max_distance = i % 2 ? limit : NULL,
                                 .removed = i > 1 ? removed : NULL,
                                 .kernels = kernels_below(i + which)};
        check_about("%s, k %d, %s", cloud.name, k[i], batch.kernels->name);
        check_queries(&batch, k[i]);
        batch.count = 2;
        batch.stats = &stats;
        ct_knn(&host, &batch, k[i], NAN, keep((size_t)2 * k[i], sizeof(int)),
               keep((size_t)2 * k[i], sizeof(double)));
        host_end_call();
        CHECK(stats.blocks[0] == 2 && stats.nodes + stats.boxes >= 2);
    }
    keep_end();
}

/* Many duplicates: rows exclude all but the first. */
static void check_duplicates(void)
{
    enum { N = 20000 };
    struct cloud cloud = cloud_of("uniform", N, 2);
    for (int i = 0; i < 2 * N; i++)
        cloud.x[i] = 0.5;
    struct grown grown = grow(&cloud, 16, 1);
    struct ct_search_stats stats = {0};
    double query[] = {0.5, 0.25, 0.5, 0.5}, distance[6];
    int index[6];
    struct ct_batch batch = {.tree = &grown.tree,
                             .query = query,
                             .count = 2,
                             .threads = 1,
                             .kernels = kernels_below(0),
                             .stats = &stats};
    ct_knn(&host, &batch, 3, NAN, index, distance);
    host_end_call();
    check_about("duplicates");
    for (int j = 0; j < 3; j++)
        CHECK(index[2 * j] == j + 1 && index[2 * j + 1] == j + 1 && distance[2 * j] == 0 &&
              distance[2 * j + 1] == 0.25);
    CHECK(stats.tiles < 500);
    keep_end();
}

int main(void)
{
    for (int which = 0; which < clouds_count(); which++)
        check_shape(which);
    check_duplicates();
    return check_done("depth_first");
}
