/* test_own_points.c: own points cell by cell = oracle, bit for bit, in every instruction set, for
 * every norm; points that remain are listed; the statistics count the work. */
#include "check.h"
#include "core/search/own_points.h"
#include "core/search/stats.h"
#include "core/simd/euclid.h"
#include "demands.h"
#include "grow.h"
#include "host.h"

#include <math.h>
#include <string.h>

static const struct ct_kernels *kernels_below(int below)
{
    int levels = (int)ct_simd_best() + 1;
    return ct_kernels((enum ct_simd_level)(levels - 1 - below % levels));
}

/* The answer of the general search: blocks of 7 queries. */
static void general_search(const struct ct_batch *batch, int k, int *index, double *distance)
{
    struct ct_batch general = *batch;
    general.block = 7;
    general.mode = CT_SEARCH_TREE;
    ct_knn(&host, &general, k, NAN, index, distance);
}

/* Compares every line that is not left; lines that are left must not be written. Returns the
 * number of points left. */
static int check_answers(const struct ct_batch *batch, int k)
{
    int n = batch->count;
    size_t size = (size_t)n * k;
    int *index = keep(size, sizeof *index), *expected = keep(size, sizeof *expected);
    int *rest = keep((size_t)n, sizeof *rest), wrong = 0;
    double *distance = keep(size, sizeof *distance), *exact = keep(size, sizeof *exact);
    unsigned char *left = keep((size_t)n, 1);
    for (size_t i = 0; i < size; i++)
        index[i] = -1;
    struct ct_result_lines lines = {index, distance, n, k, NAN, 0};
    int remain = ct_own_points_knn(&host, batch, &lines, rest);
    host_end_call();
    general_search(batch, k, expected, exact);
    host_end_call();
    memset(left, 0, (size_t)n);
    for (int i = 0; i < remain; i++) {
        wrong += i > 0 && rest[i] <= rest[i - 1];
        left[batch->tree->row[rest[i]] - 1] = 1;
    }
    for (int line = 0; line < n; line++)
        for (int j = 0; j < k; j++) {
            size_t at = line + (size_t)j * n;
            wrong += left[line] ? index[at] != -1
                                : index[at] != expected[at] ||
                                      memcmp(&distance[at], &exact[at], sizeof *exact) != 0;
        }
    CHECK(wrong == 0);
    return remain;
}

/* Every shape. */
static void check_shapes(void)
{
    static const int k[] = {1, 2, 5, 10, 16};
    for (int which = 0; which < clouds_count(); which++) {
        struct cloud cloud = cloud_number(which);
        for (int i = which % 2; i < 5 && k[i] < cloud.n; i += 2) {
            struct grown grown = grow(&cloud, i % 2 ? 32 : 4, 1);
            struct ct_batch batch = {.tree = &grown.tree,
                                     .metric = {.norm = (enum ct_norm)(i % CT_NORMS)},
                                     .count = cloud.n,
                                     .threads = 1 + i % 3,
                                     .kernels = kernels_below(i + which)};
            check_about("%s, k %d, %s", cloud.name, k[i], batch.kernels->name);
            check_answers(&batch, k[i]);
        }
        keep_end();
    }
}

/* Larger sets of points, of which nearly all, or none, are answered. */
static void check_share(const char *name, int n, int d, int k, double least, double most)
{
    struct cloud cloud = cloud_of(name, n, d);
    struct grown grown = grow(&cloud, 128, 2);
    for (int below = 0; below < 3; below++) {
        struct ct_search_stats stats = {0};
        struct ct_batch batch = {.tree = &grown.tree,
                                 .count = n,
                                 .threads = 2,
                                 .kernels = kernels_below(below),
                                 .stats = &stats};
        check_about("%d of %s, d %d, k %d, %s", n, name, d, k, batch.kernels->name);
        CHECK(ct_suits_own_points(&batch, k));
        int left = check_answers(&batch, k);
        CHECK(left >= least * n && left <= most * n);
        CHECK(stats.distances >= (long long)(n - left) * k);
        CHECK(left == n || (stats.boxes > 0 && stats.tiles > n - left && stats.candidates > 0));
    }
    keep_end();
}

/* What the search of cells does not know. */
static void check_unsuited(void)
{
    struct cloud cloud = cloud_of("uniform", 2048, 2);
    struct grown grown = grow(&cloud, 128, 1);
    struct ct_batch plain = {
        .tree = &grown.tree, .count = 2048, .threads = 1, .kernels = kernels_below(0)};
    struct ct_batch scan = plain;
    scan.mode = CT_SEARCH_SCAN;
    check_about("demands that exclude a search by cells");
    CHECK(ct_suits_own_points(&plain, 1));
    CHECK(!ct_suits_own_points(&plain, 1000));
    CHECK(!ct_suits_own_points(&scan, 1));
    CHECK(overlooked_demands(&plain, ct_suits_own_points) == 0);
    keep_end();
}

int main(void)
{
    check_shapes();
    check_share("uniform", 3000, 3, 1, 0, 0.01);
    check_share("normal", 3000, 2, 5, 0, 0.1);
    check_share("normal", 3000, 3, 10, 0, 0.2);
    check_share("uniform", 3000, 12, 3, 0.5, 1);
    check_unsuited();
    return check_done("own_points");
}
