/* test_build.c: every shape becomes a tree that keeps the invariants, whatever
 * the leaf size, from the same points, in the same bits for any number of
 * threads; and where space is narrow enough to be cut, no leaf is too large. */
#include "check.h"
#include "core/tree/validate.h"
#include "grow.h"
#include "host.h"

#include <string.h>

static int holds_points(const struct grown *grown, const struct cloud *cloud)
{
    for (int pos = 0; pos < cloud->n; pos++)
        for (int j = 0; j < cloud->d; j++) {
            size_t column = (size_t)j * cloud->n;
            if (memcmp(&grown->arrays.points[pos + column],
                       &cloud->x[grown->arrays.row[pos] - 1 + column], sizeof(double)) != 0)
                return 0;
        }
    return 1;
}

static int largest_leaf(const struct ct_tree *t)
{
    int largest = 0;
    for (int node = 0; node < t->nodes; node++) {
        int size = t->subtree_end[node] - t->subtree_begin[node] + 1;
        if (t->first_child[node] == 0 && size > largest)
            largest = size;
    }
    return largest;
}

/* A ball of radius r holds at most (1 + 2 * 2^(1/4))^d points farther than
 * r / 2^(1/4) from each other: 38 in three dimensions, fewer than a split may
 * have centers, so that every split succeeds. Not so where squared distances are
 * rounded to a few numbers next to zero: there, points need not be told apart. */
static int is_narrow(const struct cloud *cloud)
{
    static const char *const blurred[] = {"faint", "fading", "speck", "vanishing", "subnormal"};
    for (size_t i = 0; i < sizeof blurred / sizeof *blurred; i++)
        if (strcmp(cloud->name, blurred[i]) == 0)
            return 0;
    return cloud->d <= 3;
}

static void check_invariants(const struct grown *grown, const struct cloud *cloud, int leaf_size)
{
    struct ct_validation report;
    unsigned char *seen = keep((size_t)cloud->n, 1);
    CHECK(ct_validate_arrays(&grown->tree, seen).array == CT_NO_ARRAY);
    CHECK(holds_points(grown, cloud));
    ct_validate_tree(&host, &grown->tree, 2, &report);
    host_end_call();
    for (int i = 0; i < CT_INVARIANTS; i++) {
        check_about("%s, leaf size %d: invariant %d, first node %d", cloud->name, leaf_size, i,
                    report.first[i]);
        CHECK(report.violations[i] == 0 && report.first[i] == 0);
    }
    CHECK(report.covering_slack >= 0 && report.separation_slack > 0);
    if (is_narrow(cloud))
        CHECK(largest_leaf(&grown->tree) <= leaf_size);
}

static void check_cloud(int which, int leaf_size)
{
    struct cloud cloud = cloud_number(which);
    struct grown one = grow(&cloud, leaf_size, 1);
    check_about("%s, leaf size %d", cloud.name, leaf_size);
    check_invariants(&one, &cloud, leaf_size);
    for (int threads = 2; threads <= 3; threads++) {
        struct grown more = grow(&cloud, leaf_size, threads);
        check_about("%s, leaf size %d, %d threads", cloud.name, leaf_size, threads);
        CHECK(grown_alike(&one, &more));
    }
    struct grown unordered = grow_unordered(&cloud, leaf_size, 2);
    check_about("%s, leaf size %d, not along the curve", cloud.name, leaf_size);
    check_invariants(&unordered, &cloud, leaf_size);
    keep_end();
}

/* Beyond the size from which all threads work on one cell. */
static void check_large(const char *name, int d, int leaf_size)
{
    struct cloud cloud = cloud_of(name, 70000, d);
    struct grown one = grow(&cloud, leaf_size, 1);
    check_about("70000 of %s", name);
    check_invariants(&one, &cloud, leaf_size);
    for (int threads = 2; threads <= 3; threads++) {
        struct grown more = grow(&cloud, leaf_size, threads);
        check_about("70000 of %s, %d threads", name, threads);
        CHECK(grown_alike(&one, &more));
    }
    keep_end();
}

/* More children than are measured in one go, so that they come in pieces. */
static void check_wide_family(void)
{
    struct cloud cloud = cloud_of("corners", 8200, 150);
    struct grown grown = grow(&cloud, 4, 2);
    int most = 0;
    for (int node = 0; node < grown.tree.nodes; node++)
        if (grown.tree.first_child[node] > 0) {
            int children = ct_count_children(&grown.tree, node);
            most = children > most ? children : most;
        }
    check_about("corners of a simplex");
    CHECK(most >= 150);
    check_invariants(&grown, &cloud, 4);
    keep_end();
}

/* More corners than a split may have centers, each as far from all the others:
 * nothing is gained by a split, so there is none. */
static void check_unsplittable(void)
{
    struct cloud cloud = cloud_of("corners", 150, 150);
    struct grown grown = grow(&cloud, 4, 2);
    check_about("more corners of a simplex than centers");
    CHECK(grown.tree.nodes == 1);
    check_invariants(&grown, &cloud, 4);
    keep_end();
}

int main(void)
{
    static const int leaf_sizes[] = {1, 4, 32};
    for (int which = 0; which < clouds_count(); which++)
        for (int l = 0; l < 3; l++)
            check_cloud(which, leaf_sizes[l]);
    check_wide_family();
    check_unsplittable();
    check_large("uniform", 2, 32);
    check_large("same", 3, 8);
    return check_done("build");
}
