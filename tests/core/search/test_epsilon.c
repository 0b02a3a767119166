/* test_epsilon.c: neighbors found with epsilon are at most (1 + epsilon) times as far as
 * the true ones, in order, none twice, each at its distance: every shape, own points and
 * others, predecessors. The answer depends neither on the block size, nor on the mode of
 * the search, the number of threads or the level. */
#include "check.h"
#include "core/order/hilbert.h"
#include "core/search/query.h"
#include "core/search/stats.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <math.h>
#include <string.h>

/* Distances are off by rounding: by some units in the last place, or, where squares leave
 * the normal range, by this. */
static const double TINY = 1e-150;

struct asked {
    const struct cloud *cloud, *queries; /* the same: own points */
    const struct ct_tree *tree;
    int *order; /* of foreign queries */
    int predecessor, k;
    double epsilon;
};

static int is_own(const struct asked *asked)
{
    return asked->cloud == asked->queries;
}

/* All rows that a query may find, in order; returns how many. */
static int list_true(const struct asked *asked, int query, struct neighbor *neighbors)
{
    int self = is_own(asked) ? query + 1 : 0, kept = 0;
    int count = oracle_rows(asked->cloud, asked->queries, query, self, neighbors);
    for (int i = 0; i < count; i++)
        if (!asked->predecessor || neighbors[i].row < self)
            neighbors[kept++] = neighbors[i];
    return kept;
}

/* How many places of the answers break the promise. */
static int count_wrong(const struct asked *asked, const int *index, const double *distance)
{
    struct neighbor *neighbors = host.alloc((size_t)asked->cloud->n, sizeof *neighbors);
    int m = asked->queries->n, wrong = 0;
    for (int i = 0; i < m; i++) {
        int count = list_true(asked, i, neighbors), place = -1;
        for (int j = 0; j < asked->k; j++) {
            size_t at = i + (size_t)j * m;
            if (j >= count) {
                wrong += index[at] != CT_NO_ROW || !isnan(distance[at]);
                continue;
            }
            /* The places of the rows found rise: they are in order, and none comes twice. */
            for (place++; place < count && neighbors[place].row != index[at];)
                place++;
            wrong +=
                place >= count || distance[at] != neighbors[place].distance ||
                distance[at] > neighbors[j].distance * (1 + asked->epsilon) * (1 + 1e-12) + TINY;
        }
    }
    return wrong;
}

/* Runs way number i; returns the tiles that it evaluated. */
static long long run_way(const struct asked *asked, double epsilon, int way, int *index,
                         double *distance)
{
    static const int blocks[] = {1, 0, 7, 64};
    struct ct_search_stats stats = {0};
    int level = way % ((int)ct_simd_best() + 1);
    struct ct_batch batch = {.tree = asked->tree,
                             .query = is_own(asked) ? NULL : asked->queries->x,
                             .order = is_own(asked) || way % 2 ? NULL : asked->order,
                             .predecessors = asked->predecessor,
                             .count = asked->queries->n,
                             .threads = 1 + way % 3,
                             .kernels = ct_kernels((enum ct_simd_level)level),
                             .epsilon = epsilon,
                             .block = blocks[way % 4],
                             .mode = way % 5 < 3 ? CT_SEARCH_AUTO : CT_SEARCH_TREE,
                             .stats = &stats};
    (asked->predecessor ? ct_knn_predecessors : ct_knn)(&host, &batch, asked->k, NAN, index,
                                                        distance);
    return stats.tiles;
}

/* Returns how many tiles fewer were evaluated than for the exact answer. */
static long long check_asked(const struct asked *asked)
{
    size_t size = (size_t)asked->queries->n * asked->k;
    int *first = keep(size, sizeof *first), *index = keep(size, sizeof *index);
    double *distance = keep(size, sizeof *distance), *first_distance = keep(size, sizeof *distance);
    long long tiles = run_way(asked, asked->epsilon, 0, first, first_distance);
    host_end_call();
    check_about("%s, n %d, d %d, %s%s, k %d, epsilon %g", asked->cloud->name, asked->cloud->n,
                asked->cloud->d, is_own(asked) ? "own" : "foreign",
                asked->predecessor ? ", predecessors" : "", asked->k, asked->epsilon);
    CHECK(count_wrong(asked, first, first_distance) == 0);
    for (int way = 1; way < 9; way++) {
        run_way(asked, asked->epsilon, way, index, distance);
        host_end_call();
        CHECK(memcmp(index, first, size * sizeof *index) == 0);
        CHECK(memcmp(distance, first_distance, size * sizeof *distance) == 0);
    }
    long long exact = run_way(asked, 0, 0, index, distance);
    host_end_call();
    return exact - tiles;
}

static void check_tree(const struct cloud *cloud, int leaf, const int *k, int predecessor,
                       long long *saved)
{
    static const double epsilon[] = {1e-9, 0.1, 1, 30, 1e9};
    struct cloud others = queries_near(cloud, 40);
    struct grown grown = grow(cloud, leaf, 1);
    int *order = keep((size_t)others.n, sizeof *order);
    ct_hilbert_order(&host, others.x, others.n, others.d, 1, order);
    host_end_call();
    for (int i = 0; i < 10; i++) {
        struct asked asked = {cloud,         i % 2 ? &others : cloud,   &grown.tree,
                              order,         predecessor && i % 2 == 0, k[i % 3],
                              epsilon[i % 5]};
        *saved += check_asked(&asked);
    }
}

int main(void)
{
    long long saved = 0;
    for (int which = 0; which < clouds_count(); which++) {
        struct cloud cloud = cloud_number(which);
        int k[] = {1, 5, cloud.n + 3};
        check_tree(&cloud, 1 + which % 20, k, which % 2, &saved);
        keep_end();
    }
    struct cloud cloud = cloud_of("uniform", 1500, 3);
    check_tree(&cloud, 16, (int[]){1, 10, 30}, 1, &saved);
    check_about("tiles saved: %lld", saved);
    CHECK(saved > 0);
    return check_done("epsilon");
}
