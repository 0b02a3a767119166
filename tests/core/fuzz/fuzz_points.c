/* fuzz_points.c: any points: the tree keeps its invariants, as measured here once
 * more, and finds what the oracle finds; see fuzz.h. */
#include "core/simd/euclid.h"
#include "core/tree/validate.h"
#include "fuzz.h"
#include "host.h"
#include "oracle.h"

#include <math.h>

static double center_distance(const struct ct_tree *t, int node, int pos)
{
    return oracle_distance(t->points + t->center[node] - 1, (size_t)t->n, t->points + pos - 1,
                           (size_t)t->n, t->d);
}

/* The radius of a level, but for rounding: 2^(level / 4). */
static double cover(int level)
{
    return exp2(level / 4.0);
}

static void expect_measures(const struct ct_tree *t, int node)
{
    int min_row = t->n;
    double radius = 0;
    for (int pos = t->subtree_begin[node]; pos <= t->subtree_end[node]; pos++) {
        double distance = center_distance(t, node, pos);
        radius = distance > radius ? distance : radius;
        min_row = t->row[pos - 1] < min_row ? t->row[pos - 1] : min_row;
    }
    FUZZ_CHECK(t->radius[node] == radius);
    FUZZ_CHECK(t->min_row[node] == min_row);
    FUZZ_CHECK((t->level[node] == CT_NO_LEVEL) == (radius == 0));
    if (radius > 0 && radius > 1e-300) {
        FUZZ_CHECK(radius <= cover(t->level[node]) * (1 + 1e-12));
        FUZZ_CHECK(radius > cover(t->level[node] - 1) * (1 - 1e-12));
    }
}

static void expect_box(const struct ct_tree *t, int node)
{
    for (int j = 0; j < t->d; j++) {
        const double *x = t->points + (size_t)j * t->n;
        double lower = x[t->center[node] - 1], upper = lower;
        for (int pos = t->subtree_begin[node]; pos <= t->subtree_end[node]; pos++) {
            lower = x[pos - 1] < lower ? x[pos - 1] : lower;
            upper = x[pos - 1] > upper ? x[pos - 1] : upper;
        }
        FUZZ_CHECK(t->lower[node + (size_t)j * t->nodes] == lower);
        FUZZ_CHECK(t->upper[node + (size_t)j * t->nodes] == upper);
    }
}

/* Children split the node's points, lie below it, keep its center once, and keep apart. */
static void expect_children(const struct ct_tree *t, int node)
{
    int first = t->first_child[node], next = t->subtree_begin[node], centers = 0;
    int highest = CT_NO_LEVEL;
    if (first == 0)
        return;
    for (int c = first; c > 0; c = t->next_sibling[c - 1]) {
        FUZZ_CHECK(t->parent[c - 1] == node + 1);
        FUZZ_CHECK(t->subtree_begin[c - 1] == next && t->subtree_end[c - 1] >= next);
        FUZZ_CHECK(t->level[node] == CT_NO_LEVEL || t->level[c - 1] < t->level[node]);
        next = t->subtree_end[c - 1] + 1;
        centers += t->center[c - 1] == t->center[node];
        highest = t->level[c - 1] > highest ? t->level[c - 1] : highest;
    }
    FUZZ_CHECK(next == t->subtree_end[node] + 1);
    FUZZ_CHECK(centers == 1);
    if (t->level[node] == CT_NO_LEVEL)
        return;
    double apart = highest == CT_NO_LEVEL ? 0 : cover(highest - 1) * (1 - 1e-12);
    for (int a = first; a > 0; a = t->next_sibling[a - 1])
        for (int b = first; b < a; b++)
            FUZZ_CHECK(center_distance(t, a - 1, t->center[b - 1]) > apart);
}

static void expect_tree(const struct ct_tree *t, const struct cloud *cloud)
{
    unsigned char *seen = keep((size_t)t->n, 1);
    for (int pos = 0; pos < t->n; pos++)
        for (int j = 0; j < t->d; j++)
            FUZZ_CHECK(t->points[pos + (size_t)j * t->n] ==
                       cloud->x[t->row[pos] - 1 + (size_t)j * t->n]);
    FUZZ_CHECK(ct_validate_arrays(t, seen).array == CT_NO_ARRAY);
    for (int node = 0; node < t->nodes; node++) {
        expect_measures(t, node);
        expect_box(t, node);
        expect_children(t, node);
    }
}

/* Rows from `first` on of a cloud. */
static struct cloud rows_of(const struct cloud *all, int first, int n)
{
    struct cloud some = {"fuzzed", n, all->d, keep((size_t)n * all->d, sizeof(double))};
    for (int j = 0; j < all->d; j++)
        for (int i = 0; i < n; i++)
            some.x[i + (size_t)j * n] = all->x[first + i + (size_t)j * all->n];
    return some;
}

void fuzz_points(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    int n = fuzz_int(&input, 1, 64), d = fuzz_int(&input, 1, 6), m = fuzz_int(&input, 0, 6);
    int leaf_size = fuzz_int(&input, 1, 24), kind = fuzz_int(&input, 0, 3);
    int rank = fuzz_int(&input, 0, 65535);
    struct fuzz_search search = {
        .k = fuzz_int(&input, 1, n + 2),
        .batch = {.threads = fuzz_int(&input, 1, 3),
                  .kernels =
                      ct_kernels((enum ct_simd_level)fuzz_int(&input, 0, (int)ct_simd_best())),
                  .mode = (enum ct_search_mode)fuzz_int(&input, CT_SEARCH_AUTO, CT_SEARCH_SCAN)}};
    struct cloud all = fuzz_cloud(&input, n + m, d), cloud = rows_of(&all, 0, n);
    struct cloud others = rows_of(&all, n, m); /* queries; none: the tree's own points */
    struct grown grown = grow(&cloud, leaf_size, search.batch.threads);
    expect_tree(&grown.tree, &cloud);
    search.cloud = &cloud;
    search.queries = m > 0 ? &others : &cloud;
    search.batch.tree = &grown.tree;
    search.batch.query = m > 0 ? others.x : NULL;
    search.batch.count = search.queries->n;
    fuzz_search_run(&search);
    fuzz_expect_exact(&search);
    double kth = search.distance[rank % (search.batch.count * search.k)];
    double radius[] = {kth, nextafter(kth, 0), nextafter(kth, INFINITY), 0};
    fuzz_expect_radius(&search, isnan(radius[kind]) ? INFINITY : radius[kind]);
    fuzz_end();
}
