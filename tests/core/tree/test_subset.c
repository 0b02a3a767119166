/* test_subset.c: prefix trees are trees of the first rows, in memory of their own; searches for
 * predecessors use those that a tree keeps, and find the same. */
#include "check.h"
#include "core/search/query.h"
#include "core/simd/euclid.h"
#include "core/tree/subset.h"
#include "core/tree/validate.h"
#include "grow.h"
#include "host.h"

#include <math.h>
#include <string.h>

static void check_counts(void)
{
    check_about("number of prefix trees");
    CHECK(ct_count_prefix_trees(1, 0) == 0);
    CHECK(ct_count_prefix_trees(1024, 0) == 0);
    CHECK(ct_count_prefix_trees(1025, 0) == 1);
    CHECK(ct_count_prefix_trees(2050, 0) == 2);
    CHECK(ct_count_prefix_trees(5000, 0) == 3);
    CHECK(ct_count_prefix_trees(5000, 624) == 1);
    CHECK(ct_count_prefix_trees(5000, 625) == 0);
    CHECK(ct_count_prefix_trees(INT_MAX, 0) == 21);
}

/* Whether a prefix tree is a sound tree of the first rows of the cloud. */
static int is_sound(const struct ct_tree *t, const struct cloud *cloud)
{
    unsigned char *seen = host.alloc((size_t)t->n, 1);
    struct ct_validation found;
    int sound = ct_validate_arrays(t, seen).array == CT_NO_ARRAY && t->tiles != NULL;
    ct_validate_tree(&host, t, 1, &found);
    for (int i = 0; i < CT_INVARIANTS; i++)
        sound = sound && found.violations[i] == 0;
    for (int pos = 0; sound && pos < t->n; pos++)
        for (int j = 0; j < t->d; j++)
            sound = sound && t->points[pos + (size_t)j * t->n] ==
                                 cloud->x[t->row[pos] - 1 + (size_t)j * cloud->n];
    return sound;
}

struct allocations {
    size_t bytes;
    int arrays;
};

static void *count_alloc(void *context, enum ct_array array, size_t count, size_t size)
{
    struct allocations *seen = context;
    seen->bytes += count * size;
    seen->arrays += array != CT_NO_ARRAY;
    return keep(count, size);
}

static void check_trees(const char *name, int n, int d)
{
    struct cloud cloud = cloud_of(name, n, d);
    struct grown grown = grow(&cloud, 32, 1);
    int count = ct_count_prefix_trees(n, 0);
    struct allocations seen = {0, 0};
    struct ct_memory memory = {count_alloc, &seen};
    const struct ct_tree *one =
        ct_build_prefix_trees(&host, &grown.tree, count, ct_kernels(CT_SIMD_BASE), 1, &memory);
    const struct ct_tree *two = ct_build_prefix_trees(&host, &grown.tree, count,
                                                      ct_kernels(ct_simd_best()), 3, &kept_memory);
    host_end_call();
    check_about("prefix trees of %d of %s", n, name);
    for (int i = 0, rows = n / 2; i < count; i++, rows /= 2) {
        CHECK(one[i].n == rows);
        CHECK(is_sound(&one[i], &cloud));
        CHECK(trees_alike(&one[i], &two[i]));
    }
    CHECK(seen.arrays == count * CT_ARRAYS);
    CHECK(seen.bytes >= (size_t)(n / 2) * d * sizeof(double));
    keep_end();
}

static size_t host_bytes;

static void *measure_alloc(size_t count, size_t size)
{
    host_bytes += count * size;
    return host.alloc(count, size);
}

/* Searches with and without prefix trees that are kept; with them, nothing of the size of a
 * build is allocated. */
static void check_search(int n, int d, int k)
{
    struct cloud cloud = cloud_of("uniform", n, d);
    struct grown grown = grow(&cloud, 32, 1);
    struct ct_tree kept = grown.tree;
    struct ct_host measured = host;
    measured.alloc = measure_alloc;
    kept.prefix = ct_build_prefix_trees(&host, &grown.tree, ct_count_prefix_trees(n, 0),
                                        ct_kernels(ct_simd_best()), 1, &kept_memory);
    host_end_call();
    size_t size = (size_t)n * k, bytes[2];
    int *index[2];
    double *distance[2];
    for (int i = 0; i < 2; i++) {
        struct ct_batch batch = {.tree = i ? &kept : &grown.tree,
                                 .predecessors = 1,
                                 .count = n,
                                 .threads = 1,
                                 .kernels = ct_kernels(ct_simd_best())};
        index[i] = keep(size, sizeof **index);
        distance[i] = keep(size, sizeof **distance);
        host_bytes = 0;
        ct_knn_predecessors(&measured, &batch, k, -1, index[i], distance[i]);
        bytes[i] = host_bytes;
        host_end_call();
    }
    check_about("predecessors of %d points in %d dimensions, k %d", n, d, k);
    CHECK(memcmp(index[0], index[1], size * sizeof **index) == 0);
    CHECK(memcmp(distance[0], distance[1], size * sizeof **distance) == 0);
    if (ct_count_prefix_trees(n, k) > 0)
        CHECK(bytes[1] + (size_t)(n / 2) * d * sizeof(double) < bytes[0]);
    else
        CHECK(bytes[1] == bytes[0]);
    keep_end();
}

/* Builds that the host leaves; what they took is freed, and the tree is untouched. */
struct broken_build {
    const struct grown *grown;
    const struct ct_tree *prefix;
};

static void build_prefix(void *data)
{
    struct broken_build *build = data;
    build->prefix = ct_build_prefix_trees(&host, &build->grown->tree, 2, ct_kernels(ct_simd_best()),
                                          2, &kept_memory);
}

static void check_broken_builds(void)
{
    struct cloud cloud = cloud_of("normal", 2100, 2);
    struct grown grown = grow(&cloud, 32, 1), before = grow(&cloud, 32, 1);
    struct broken_build build = {&grown, NULL};
    check_about("prefix trees, left at each poll and allocation");
    for (int by_poll = 0; by_poll < 2; by_poll++) {
        int times = 0;
        while (!host_run(build_prefix, &build, by_poll ? times + 1 : 0, by_poll ? 0 : times + 1))
            times++;
        CHECK(times >= 6);
        CHECK(grown_alike(&grown, &before));
        CHECK(build.prefix[0].n == 1050 && build.prefix[1].n == 525);
    }
    keep_end();
}

int main(void)
{
    check_counts();
    check_trees("uniform", 5000, 2);
    check_trees("same", 2060, 3);
    check_trees("grid", 1200, 2);
    check_search(5000, 3, 4);
    check_search(2300, 2, 150);
    check_search(1100, 2, 140);
    check_broken_builds();
    return check_done("subset");
}
