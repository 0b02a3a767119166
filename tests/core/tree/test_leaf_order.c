/* test_leaf_order.c: a leaf's points are packed in a permutation, and wherever its tiles
 * are halved, the points before the cut come before those behind it along the
 * coordinate in which they all extend farthest, and by place where that is equal.
 * Cuts are where the tiles begin. The leaves of trees are packed so. */
#include "check.h"
#include "core/simd/euclid.h"
#include "core/tree/leaf_order.h"
#include "core/tree/tiles.h"
#include "grow.h"
#include "host.h"

#include <math.h>
#include <time.h>

/* Points of a leaf in the order in question: the i-th is at place[i]. */
struct leaf {
    const double *x;
    const int *place;
    int n, d, size, tiles;
};

static double at(const struct leaf *leaf, int i, int j)
{
    return leaf->x[leaf->place[i] + (size_t)j * leaf->n];
}

static int widest(const struct leaf *leaf, int from, int to)
{
    double most = -1;
    int column = 0;
    for (int j = 0; j < leaf->d; j++) {
        double lower = INFINITY, upper = -INFINITY;
        for (int i = from; i < to; i++) {
            lower = fmin(lower, at(leaf, i, j));
            upper = fmax(upper, at(leaf, i, j));
        }
        if (upper - lower > most) {
            most = upper - lower;
            column = j;
        }
    }
    return column;
}

/* Whether all before the cut come before the point at `behind`. */
static int all_before(const struct leaf *leaf, int from, int cut, int behind, int column,
                      int strictly)
{
    for (int i = from; i < cut; i++) {
        double a = at(leaf, i, column), b = at(leaf, behind, column);
        if (a > b || (strictly && a == b && leaf->place[i] > leaf->place[behind]))
            return 0;
    }
    return 1;
}

/* Halvings of tiles from first up to last that do not separate. strictly: places
 * are those before packing, and decide where coordinates are equal. */
static int unseparated(const struct leaf *leaf, int first, int last, int strictly)
{
    int middle = (first + last) / 2, wrong = 0;
    int from = (int)((long long)leaf->size * first / leaf->tiles);
    int cut = (int)((long long)leaf->size * middle / leaf->tiles);
    int to = (int)((long long)leaf->size * last / leaf->tiles);
    if (last - first < 2)
        return 0;
    int column = widest(leaf, from, to);
    for (int behind = cut; behind < to; behind++)
        wrong += !all_before(leaf, from, cut, behind, column, strictly);
    return wrong + unseparated(leaf, first, middle, strictly) +
           unseparated(leaf, middle, last, strictly);
}

static int is_permutation(const int *list, int begin, int size)
{
    char *seen = keep((size_t)size, 1);
    for (int i = 0; i < size; i++)
        seen[i] = 0;
    for (int i = 0; i < size; i++) {
        if (list[i] < begin || list[i] >= begin + size || seen[list[i] - begin])
            return 0;
        seen[list[i] - begin] = 1;
    }
    return 1;
}

static int *packed(const struct cloud *cloud, int begin, int size)
{
    int *list = keep((size_t)size, sizeof *list);
    double *key = keep((size_t)size, sizeof *key);
    ct_leaf_order(ct_kernels(ct_simd_best()), cloud->x, cloud->n, cloud->d, begin, size, key, list);
    return list;
}

static void check_sizes(const char *name, int d)
{
    int no_permutation = 0, wrong = 0;
    for (int size = 1; size <= 200; size++) {
        int begin = random_below(20);
        struct cloud cloud = cloud_of(name, begin + size + random_below(20), d);
        const int *list = packed(&cloud, begin, size);
        struct leaf leaf = {cloud.x, list, cloud.n, d, size, ct_count_leaf_tiles(size)};
        no_permutation += !is_permutation(list, begin, size);
        wrong += unseparated(&leaf, 0, leaf.tiles, 1);
        keep_end();
    }
    check_about("1 to 200 of %s, d %d", name, d);
    CHECK(no_permutation == 0);
    CHECK(wrong == 0);
}

static void check_leaves(struct cloud cloud, int leaf_size)
{
    struct grown grown = grow(&cloud, leaf_size, 2);
    const struct ct_tree *t = &grown.tree;
    int *place = keep((size_t)t->n, sizeof *place), wrong = 0, wrong_begin = 0, wrong_rows = 0;
    for (int pos = 0; pos < t->n; pos++)
        place[pos] = pos;
    for (int node = 0; node < t->nodes; node++) {
        int begin = ct_node_begin(t, node), size = ct_node_end(t, node) - begin;
        struct leaf leaf = {t->points, place + begin, t->n, t->d, size, ct_count_leaf_tiles(size)};
        if (t->first_child[node] > 0 || size > leaf_size)
            continue;
        wrong += unseparated(&leaf, 0, leaf.tiles, 0);
        for (int part = 0; part < leaf.tiles; part++)
            wrong_begin += t->tiles->begin[t->tiles->first_tile[node] + part] !=
                           begin + (int)((long long)size * part / leaf.tiles);
        /* Where all points coincide they stay as they were: by row, given in that order. */
        for (int pos = begin + 1; t->level[node] == CT_NO_LEVEL && pos < begin + size; pos++)
            wrong_rows += t->row[pos] < t->row[pos - 1];
    }
    check_about("leaves of at most %d of %s", leaf_size, cloud.name);
    CHECK(wrong == 0);
    CHECK(wrong_begin == 0);
    CHECK(wrong_rows == 0);
    keep_end();
}

/* However points come, time does not grow with the square of their number. */
static void check_quick(const char *name, int d)
{
    struct cloud cloud = cloud_of(name, 60000, d);
    clock_t start = clock();
    packed(&cloud, 0, cloud.n);
    check_about("60000 of %s, d %d", name, d);
    CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 2);
    keep_end();
}

int main(void)
{
    static const char *const names[] = {"uniform", "grid",      "line",     "same",
                                        "few",     "clusters",  "huge",     "faint",
                                        "zeros",   "one apart", "integers", "circle"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (int d = 1; d <= 10; d += 1 + d / 4)
            check_sizes(names[i], d);
        check_quick(names[i], 2);
    }
    for (int leaf_size = 16; leaf_size <= 128; leaf_size *= 2) {
        check_leaves(cloud_of("uniform", 2000, 2), leaf_size);
        check_leaves(cloud_of("clusters", 2000, 4), leaf_size);
        check_leaves(cloud_of("few", 1000, 2), leaf_size);
        check_leaves(cloud_of("same", 1000, 2), leaf_size);
        check_leaves(cloud_of("grid", 1000, 3), leaf_size);
    }
    return check_done("leaf_order");
}
