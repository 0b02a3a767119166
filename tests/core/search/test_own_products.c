/* test_own_products.c: own points by products for both points of a pair = oracle, bit for bit.
 *
 * Squares by products are within the error bound of exact squares, at every instruction set; the
 * lanes that pass are those within one of two thresholds. Points with ties or with distances as
 * small as the error are left, and listed. */
#include "check.h"
#include "core/search/own_products.h"
#include "core/search/stats.h"
#include "core/simd/euclid.h"
#include "demands.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static struct cloud moved_cloud(const char *name, int n, int d, double scale, double place)
{
    struct cloud cloud = cloud_of(name, n, d);
    for (size_t i = 0; i < (size_t)n * d; i++)
        cloud.x[i] = cloud.x[i] * scale + place;
    return cloud;
}

/* ---- the kernel ------------------------------------------------------------- */

/* Compares the products of a half of the first tile that has points in both halves, and of this
 * tile and the next one, at one instruction set. */
static void check_products(const struct ct_tree *t, const struct ct_kernels *kernels, int offset)
{
    int tile = 0;
    while (t->tiles->begin[tile + 1] - t->tiles->begin[tile] <= CT_GROUP)
        tile++;
    const float *x = t->tiles->x + (size_t)tile * t->d * CT_LANES, *q = x + offset;
    float half[CT_PAIR], half_threshold[CT_PAIR], q_half_threshold[CT_GROUP], q_half[CT_GROUP];
    float value[CT_GROUP * CT_PAIR] = {0};
    unsigned within[CT_GROUP], any;
    double most = 0, error = 0;
    int wrong = 0, passed = 0;
    kernels->half_squares(x, t->d, 2, half);
    for (int i = 0; i < CT_PAIR; i++) {
        half_threshold[i] = i % 5 ? (float)random_below(100) / 100 * t->d : -INFINITY;
        most = half[i] < -most ? -half[i] : most;
    }
    for (int i = 0; i < CT_GROUP; i++) {
        q_half_threshold[i] = i % 3 ? (float)random_below(100) / 400 * t->d : -INFINITY;
        q_half[i] = -half[offset + i];
    }
    any = kernels->mutual_products(x, t->d, half, half_threshold, q, q_half, q_half_threshold,
                                   value, within);
    for (int i = 0; i < CT_GROUP; i++)
        for (int lane = 0; any >> i & 1 && lane < CT_PAIR; lane++) {
            float v = value[i * CT_PAIR + lane];
            float larger = half_threshold[lane] > q_half_threshold[i] ? half_threshold[lane]
                                                                      : q_half_threshold[i];
            int absent = isnan(half[lane]) || isnan(q_half[i]), bit = within[i] >> lane & 1;
            const float *p = x + lane / CT_LANES * (size_t)t->d * CT_LANES + lane % CT_LANES;
            long double sq = 0;
            wrong += bit != (!absent && v + larger >= q_half[i]);
            passed += bit;
            for (int j = 0; j < t->d; j++) {
                long double gap = (long double)p[j * CT_LANES] - q[j * CT_LANES + i];
                sq += gap * gap;
            }
            if (!absent)
                error = fmax(error, (double)fabsl(2 * (q_half[i] - v) - sq));
        }
    check_about("d %d, %s: error %g, largest half square %g", t->d, kernels->name, error, most);
    CHECK(wrong == 0 && passed > 0);
    CHECK(error > 0 && error < .9 * 1.5 * (t->d + 8) * FLT_EPSILON * 8 * most);
}

static void check_kernel(int d)
{
    struct cloud cloud = moved_cloud("normal", 150, d, 3, 1e3);
    struct grown grown = grow(&cloud, 28, 1);
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        check_products(&grown.tree, ct_kernels((enum ct_simd_level)level), 0);
        check_products(&grown.tree, ct_kernels((enum ct_simd_level)level), CT_GROUP);
    }
    keep_end();
}

/* ---- searches --------------------------------------------------------------- */

/* Returns the number of wrong entries in every 53rd line, except lines left. */
static int wrong_entries(const struct cloud *cloud, const struct ct_result_lines *lines,
                         const unsigned char *left)
{
    int wrong = 0;
    struct neighbor *all = keep((size_t)cloud->n, sizeof *all);
    for (int line = 0; line < cloud->n; line += 53) {
        oracle_rows(cloud, cloud, line, line + 1, all);
        for (int j = 0; !left[line] && j < lines->k; j++) {
            size_t at = line + (size_t)j * cloud->n;
            wrong += lines->index[at] != all[j].row || lines->distance[at] != all[j].distance;
        }
    }
    return wrong;
}

/* Checks the answers of the search by products, and of ct_knn(), which also answers the points
 * left. Returns the number of points left. */
static int check_search(const struct cloud *cloud, int leaf_size, int k, int threads)
{
    struct grown grown = grow(cloud, leaf_size, 1);
    size_t size = (size_t)cloud->n * k;
    int *index = keep(size, sizeof *index), *rest = keep((size_t)cloud->n, sizeof *rest);
    unsigned char *left = keep((size_t)cloud->n, 1);
    struct ct_result_lines lines = {index, keep(size, sizeof(double)), cloud->n, k, -1, 0};
    struct ct_search_stats stats = {0};
    struct ct_batch batch = {
        .tree = &grown.tree,
        .count = cloud->n,
        .threads = threads,
        .kernels = ct_kernels((enum ct_simd_level)random_below((int)ct_simd_best() + 1)),
        .mode = CT_SEARCH_SCAN,
        .stats = &stats};
    int wrong = 0;
    for (size_t i = 0; i < size; i++)
        index[i] = -1;
    memset(left, 0, (size_t)cloud->n);
    check_about("%s, n %d, d %d, k %d, %s", cloud->name, cloud->n, cloud->d, k,
                batch.kernels->name);
    CHECK(ct_suits_own_products(&batch, k));
    int remain = ct_own_products_knn(&host, &batch, &lines, rest);
    host_end_call();
    for (int i = 0; i < remain; i++) {
        int line = grown.tree.row[rest[i]] - 1;
        wrong += (i > 0 && rest[i] <= rest[i - 1]) || index[line] != -1;
        left[line] = 1;
    }
    CHECK(wrong == 0 && wrong_entries(cloud, &lines, left) == 0);
    CHECK(remain == cloud->n || stats.distances >= (long long)(cloud->n - remain) * k);
    memset(left, 0, (size_t)cloud->n);
    ct_knn(&host, &batch, k, -1, index, lines.distance);
    host_end_call();
    CHECK(wrong_entries(cloud, &lines, left) == 0);
    keep_end();
    return remain;
}

/* Coordinates 0 to 2, of which many pairs have the same distance. */
static struct cloud few_values(int n, int d)
{
    struct cloud cloud = cloud_of("uniform", n, d);
    for (size_t i = 0; i < (size_t)n * d; i++)
        cloud.x[i] = random_below(3);
    return cloud;
}

static void check_searches(void)
{
    struct cloud cloud = cloud_of("normal", 2100, 16);
    CHECK(check_search(&cloud, 28, 10, 3) == 0);
    cloud = moved_cloud("normal", 2100, 16, 1e-200, 1e-198);
    check_search(&cloud, 28, 1, 2);
    cloud = moved_cloud("uniform", 2048, 40, 1e150, 0);
    CHECK(check_search(&cloud, 100, 32, 1) == 0);
    cloud = moved_cloud("normal", 2049, 300, 1, 1e6);
    CHECK(check_search(&cloud, 28, 5, 2) == 0);
    cloud = few_values(2311, 17);
    check_search(&cloud, 28, 10, 2);
}

/* Points left: a dense cluster of a wide cloud; copies, at distance 0, of some points or of all. */
static void check_left(void)
{
    enum { n = 2400, d = 20, COPIES = 60 };
    for (int way = 0; way < 3; way++) {
        struct cloud cloud = moved_cloud("normal", n, d, way == 0 ? 1e-4 : 1, 0);
        for (int j = 0; j < d; j++) {
            double *x = cloud.x + (size_t)j * n;
            for (int i = 0; way == 1 && i < COPIES; i++)
                x[i * (n / COPIES)] = x[0];
            for (int i = 0; way == 2 && i < n; i++)
                x[i] = x[i / COPIES * COPIES];
            x[n - 1] = way == 0 ? 1 : x[n - 1];
        }
        int left = check_search(&cloud, 28, 4, 2);
        CHECK(way == 1 ? left >= COPIES && left < 2 * COPIES : left == n);
    }
}

/* What the search by products does not know. */
static void check_unsuited(void)
{
    struct cloud cloud = cloud_of("normal", 2048, 16), few = cloud_of("normal", 2048, 15),
                 huge = moved_cloud("normal", 2048, 16, 1e200, 0);
    struct grown grown = grow(&cloud, 128, 1), other_tree = grow(&few, 128, 1),
                 huge_tree = grow(&huge, 128, 1);
    struct ct_batch plain = {
        .tree = &grown.tree, .count = 2048, .threads = 1, .kernels = ct_kernels(ct_simd_best())};
    struct ct_batch other[] = {plain, plain, plain, plain};
    other[0].mode = CT_SEARCH_TREE;
    other[1].metric.norm = CT_MANHATTAN;
    other[2].tree = &other_tree.tree;
    other[3].tree = &huge_tree.tree;
    check_about("demands that exclude a search by products");
    CHECK(ct_suits_own_products(&plain, 1));
    CHECK(!ct_suits_own_products(&plain, 1000));
    for (int i = 0; i < 4; i++)
        CHECK(!ct_suits_own_products(&other[i], 1));
    CHECK(overlooked_demands(&plain, ct_suits_own_products) == 0);
    keep_end();
}

int main(void)
{
    check_kernel(16);
    check_kernel(70);
    check_searches();
    check_left();
    check_unsuited();
    return check_done("own_products");
}
