/* test_budget.c: k nearest neighbors within a budget. The points evaluated are the seed's
 * and, with a plain schedule, those of the tiles beside the seed, in turn; with a diverse
 * one, those of the tiles nearest to the query. The answer is the k nearest of them. Every
 * limit is kept, up to a tile; a budget without an end gives the exact answer. Own points,
 * predecessors, foreign queries; every level, any block size, 1 to 3 threads. */
#include "check.h"
#include "core/order/hilbert.h"
#include "core/search/budget.h"
#include "core/search/query.h"
#include "core/search/stats.h"
#include "core/simd/euclid.h"
#include "core/tree/tiles.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IN_FULL_ORDER = 16 };

struct asked {
    const struct cloud *cloud, *queries; /* the same: own points */
    const struct ct_tree *tree;
    int *order; /* of foreign queries */
    int predecessor, k;
    const struct ct_budget *budget;
};

struct answer {
    int *index;
    double *distance;
    int *evaluated;
    struct ct_search_stats stats;
};

static int is_own(const struct asked *asked)
{
    return asked->cloud == asked->queries;
}

/* ---- the search ---- */

static struct answer run_way(const struct asked *asked, int way)
{
    static const int blocks[] = {0, 1, 7, 64};
    int m = asked->queries->n, level = way % ((int)ct_simd_best() + 1);
    size_t size = (size_t)m * asked->k;
    struct answer answer = {keep(size, sizeof(int)),
                            keep(size, sizeof(double)),
                            keep((size_t)m, sizeof(int)),
                            {.scans = 0}};
    struct ct_batch batch = {.tree = asked->tree,
                             .query = is_own(asked) ? NULL : asked->queries->x,
                             .order = is_own(asked) || way % 2 ? NULL : asked->order,
                             .predecessors = asked->predecessor,
                             .count = m,
                             .threads = 1 + way % 3,
                             .kernels = ct_kernels((enum ct_simd_level)level),
                             .budget = asked->budget,
                             .evaluated = answer.evaluated,
                             .block = blocks[way % 4],
                             .mode = (enum ct_search_mode)(way % 5 % 3),
                             .stats = &answer.stats};
    (asked->predecessor ? ct_knn_predecessors : ct_knn)(&host, &batch, asked->k, NAN, answer.index,
                                                        answer.distance);
    host_end_call();
    return answer;
}

static int same(const struct asked *asked, const struct answer *a, const struct answer *b)
{
    size_t size = (size_t)asked->queries->n * asked->k;
    return memcmp(a->index, b->index, size * sizeof *a->index) == 0 &&
           memcmp(a->distance, b->distance, size * sizeof *a->distance) == 0 &&
           memcmp(a->evaluated, b->evaluated, asked->queries->n * sizeof *a->evaluated) == 0;
}

/* ---- the oracle ---- */

/* Whether a query may find a row. */
static int eligible(const struct asked *asked, int query, int row)
{
    return !is_own(asked) || (asked->predecessor ? row <= query : row != query + 1);
}

static double distance_to(const struct asked *asked, int query, int pos)
{
    const struct ct_tree *t = asked->tree;
    return oracle_distance(asked->queries->x + query, (size_t)asked->queries->n, t->points + pos,
                           (size_t)t->n, t->d);
}

/* Points of the tiles from first up to last, of which the query may find `eligible`. */
struct span {
    int first, last;
};

static int count_points(const struct asked *asked, struct span span)
{
    return asked->tree->tiles->begin[span.last] - asked->tree->tiles->begin[span.first];
}

static int count_eligible(const struct asked *asked, int query, struct span span)
{
    const struct ct_tree *t = asked->tree;
    int count = 0;
    for (int pos = t->tiles->begin[span.first]; pos < t->tiles->begin[span.last]; pos++)
        count += eligible(asked, query, t->row[pos]);
    return count;
}

/* The leaf at the end of the way to the nearest center. */
static int leaf_of(const struct asked *asked, int query)
{
    const struct ct_tree *t = asked->tree;
    int node = 0;
    while (t->first_child[node] > 0) {
        int nearest = t->first_child[node] - 1;
        for (int c = t->next_sibling[nearest] - 1; c >= 0; c = t->next_sibling[c] - 1)
            if (distance_to(asked, query, t->center[c] - 1) <
                distance_to(asked, query, t->center[nearest] - 1))
                nearest = c;
        node = nearest;
    }
    return node;
}

static struct span seed_of(const struct asked *asked, int query)
{
    const struct ct_tiles *tiles = asked->tree->tiles;
    int node = leaf_of(asked, query), k = 0;
    for (int row = 1; row <= asked->tree->n; row++)
        k += eligible(asked, query, row);
    k = asked->k < k ? asked->k : k;
    struct span span = {tiles->first_tile[node], tiles->end_tile[node]};
    if (span.last - span.first > k / CT_LANES + 2)
        span.last = span.first + k / CT_LANES + 2;
    while (count_points(asked, span) < k && (span.first > 0 || span.last < tiles->count)) {
        if (span.last < tiles->count)
            span.last++;
        else
            span.first--;
    }
    while (count_eligible(asked, query, span) < k && (span.first > 0 || span.last < tiles->count)) {
        span.last += span.last < tiles->count;
        span.first -= span.first > 0;
    }
    return span;
}

struct tile {
    double box; /* distance of the query to the box of the tile's points */
    int number;
};

static int compare_tiles(const void *one, const void *other)
{
    const struct tile *a = one, *b = other;
    return (a->box > b->box) - (a->box < b->box);
}

static double box_distance(const struct asked *asked, int query, int tile)
{
    const struct ct_tree *t = asked->tree;
    double sum = 0;
    for (int j = 0; j < t->d; j++) {
        double q = asked->queries->x[query + (size_t)j * asked->queries->n], gap = INFINITY;
        double least = INFINITY, most = -INFINITY;
        for (int pos = t->tiles->begin[tile]; pos < t->tiles->begin[tile + 1]; pos++) {
            least = fmin(least, t->points[pos + (size_t)j * t->n]);
            most = fmax(most, t->points[pos + (size_t)j * t->n]);
        }
        gap = fmax(0, fmax(least - q, q - most));
        sum += gap * gap;
    }
    return sqrt(sum);
}

/* The tiles after the seed, in the order in which the schedule evaluates them. */
static int list_tiles(const struct asked *asked, int query, struct span seed, struct tile *tile)
{
    int all = asked->tree->tiles->count, count = 0;
    if (asked->budget->diverse) {
        for (int i = 0; i < all; i++)
            if (i < seed.first || i >= seed.last)
                tile[count++] = (struct tile){box_distance(asked, query, i), i};
        qsort(tile, (size_t)count, sizeof *tile, compare_tiles);
        return count;
    }
    while (seed.first > 0 || seed.last < all) {
        if (seed.last < all)
            tile[count++].number = seed.last++;
        if (seed.first > 0)
            tile[count++].number = --seed.first;
    }
    return count;
}

static int compare_near(const void *one, const void *other)
{
    const struct neighbor *a = one, *b = other;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static int add_tile(const struct asked *asked, int query, int tile, struct neighbor *neighbors,
                    int count)
{
    const struct ct_tree *t = asked->tree;
    for (int pos = t->tiles->begin[tile]; pos < t->tiles->begin[tile + 1]; pos++)
        if (eligible(asked, query, t->row[pos]))
            neighbors[count++] = (struct neighbor){distance_to(asked, query, pos), t->row[pos]};
    return count;
}

static int line_is(const struct asked *asked, const struct answer *answer, int query,
                   const struct neighbor *neighbors, int count)
{
    for (int j = 0; j < asked->k; j++) {
        size_t at = query + (size_t)j * asked->queries->n;
        if (j < count ? answer->index[at] != neighbors[j].row ||
                            answer->distance[at] != neighbors[j].distance
                      : answer->index[at] != CT_NO_ROW || !isnan(answer->distance[at]))
            return 0;
    }
    return 1;
}

/* Whether the answer to a query is the k nearest of the seed and of as many of the next
 * tiles as make up the number of points evaluated; and whether that number keeps the
 * limits. A seed that reaches the first limit is all that is evaluated. Otherwise at least
 * the first limit is, and at most the last, up to the tile that reaches it, unless the query
 * stopped early or no tile was left that could hold a neighbor. */
static int line_is_right(const struct asked *asked, const struct answer *answer, int query)
{
    const struct ct_tree *t = asked->tree;
    const struct ct_budget *budget = asked->budget;
    struct neighbor *neighbors = host.alloc((size_t)t->n, sizeof *neighbors);
    struct tile *tile = host.alloc((size_t)t->tiles->count, sizeof *tile);
    struct span seed = seed_of(asked, query);
    int tiles = list_tiles(asked, query, seed, tile), count = 0, used = 0;
    int points = count_points(asked, seed), evaluated = answer->evaluated[query], before = 0;
    for (int i = seed.first; i < seed.last; i++)
        count = add_tile(asked, query, i, neighbors, count);
    while (points < evaluated && used < tiles) {
        struct span one = {tile[used].number, tile[used].number + 1};
        before = points;
        points += count_points(asked, one);
        count = add_tile(asked, query, tile[used++].number, neighbors, count);
    }
    qsort(neighbors, (size_t)count, sizeof *neighbors, compare_near);
    if (points != evaluated || !line_is(asked, answer, query, neighbors, count))
        return 0;
    if (count_points(asked, seed) >= budget->limit[0])
        return used == 0;
    int ended = used == tiles || count == 0 ||
                (budget->diverse && count >= asked->k &&
                 tile[used].box >= neighbors[asked->k - 1].distance * (1 - 1e-5));
    int least = budget->limit[budget->escalate > 0 ? 0 : budget->steps - 1];
    int most = budget->limit[budget->escalate > 1 ? 0 : budget->steps - 1];
    return (evaluated >= least || ended || budget->stop > 0) && (used == 0 || before < most);
}

/* ---- checks ---- */

static void about(const struct asked *asked)
{
    const struct ct_budget *budget = asked->budget;
    check_about("%s, n %d, d %d, %s%s, k %d, %s, %d limits from %d, escalate %g, stop %g",
                asked->cloud->name, asked->cloud->n, asked->cloud->d,
                is_own(asked) ? "own" : "foreign", asked->predecessor ? ", predecessors" : "",
                asked->k, budget->diverse ? "diverse" : "plain", budget->steps, budget->limit[0],
                budget->escalate, budget->stop);
}

/* All rows that a query may find, in order; returns how many. */
static int list_true(const struct asked *asked, int query, struct neighbor *neighbors)
{
    int kept = 0, self = is_own(asked) ? query + 1 : 0;
    int count = oracle_rows(asked->cloud, asked->queries, query, self, neighbors);
    for (int i = 0; i < count; i++)
        if (eligible(asked, query, neighbors[i].row))
            neighbors[kept++] = neighbors[i];
    return kept;
}

/* Any answer: rows that the query may find, each at its distance, in order. */
static int count_unsound(const struct asked *asked, const struct answer *answer)
{
    struct neighbor *neighbors = host.alloc((size_t)asked->cloud->n, sizeof *neighbors);
    int m = asked->queries->n, unsound = 0;
    for (int i = 0; i < m; i++) {
        int place = -1, found = 0, kept = list_true(asked, i, neighbors);
        for (; found < asked->k && answer->index[i + (size_t)found * m] != CT_NO_ROW; found++) {
            size_t at = i + (size_t)found * m;
            for (place++; place < kept && neighbors[place].row != answer->index[at];)
                place++;
            unsound += place >= kept || neighbors[place].distance != answer->distance[at];
        }
        unsound += found != (kept < asked->k ? kept : asked->k);
        unsound += answer->evaluated[i] < found || answer->evaluated[i] > asked->cloud->n;
    }
    return unsound;
}

static struct answer check_ways(const struct asked *asked)
{
    struct answer first = run_way(asked, 0);
    long long evaluated = 0;
    about(asked);
    for (int way = 1; way < 7; way++) {
        struct answer answer = run_way(asked, way);
        CHECK(same(asked, &answer, &first));
    }
    CHECK(count_unsound(asked, &first) == 0);
    for (int i = 0; i < asked->queries->n; i++)
        evaluated += first.evaluated[i];
    CHECK(first.stats.evaluated == evaluated);
    CHECK(asked->budget->stop > 0 || first.stats.early_stops == 0);
    CHECK(asked->budget->steps > 1 || first.stats.escalations == 0);
    return first;
}

/* Points in no special position: the tiles evaluated are known, but for those of a diverse
 * schedule that are more than a list in full order holds. */
static void check_sets(const struct asked *asked)
{
    struct answer answer = check_ways(asked);
    int wrong = 0;
    for (int i = 0; i < asked->queries->n; i++)
        if (!asked->budget->diverse || asked->tree->tiles->count <= IN_FULL_ORDER)
            wrong += !line_is_right(asked, &answer, i);
    CHECK(wrong == 0);
    host_end_call();
}

/* Any points: a later limit is no worse, and the last one exact. */
static void check_limits(struct asked asked, int diverse)
{
    int limit[] = {5, 40, 2000000000}, worse = 0, wrong = 0, m = asked.queries->n;
    size_t size = (size_t)m * asked.k;
    struct ct_budget budget = {.steps = 1, .window = 16, .diverse = diverse};
    struct neighbor *neighbors = keep((size_t)asked.cloud->n, sizeof *neighbors);
    struct answer answer = {.index = NULL};
    asked.budget = &budget;
    for (int i = 0; i < 3; i++) {
        const double *before = answer.distance;
        budget.limit = limit + i;
        answer = check_ways(&asked);
        for (size_t at = 0; at < size && before; at++)
            worse += answer.distance[at] > before[at];
    }
    for (int query = 0; query < m; query++) {
        int count = list_true(&asked, query, neighbors);
        wrong += !line_is(&asked, &answer, query, neighbors, count);
    }
    about(&asked);
    CHECK(worse == 0);
    CHECK(wrong == 0);
    host_end_call();
}

static struct asked ask(const struct cloud *cloud, const struct cloud *others,
                        const struct grown *grown, int i, int k)
{
    int *order = keep((size_t)others->n, sizeof *order);
    ct_hilbert_order(&host, others->x, others->n, others->d, 1, order);
    host_end_call();
    return (struct asked){.cloud = cloud,
                          .queries = i % 3 == 2 ? others : cloud,
                          .tree = &grown->tree,
                          .order = order,
                          .predecessor = i % 3 == 1,
                          .k = k};
}

static void check_shape(const char *name, int n, int d, int leaf)
{
    static const int limit[] = {10, 30, 60, 120};
    static const double escalate[] = {0, 2, 0.3, 0.1}, stop[] = {0, 0, 0.2, 0.1};
    struct cloud cloud = cloud_of(name, n, d), others = queries_near(&cloud, 50);
    struct grown grown = grow(&cloud, leaf, 1);
    for (int i = 0; i < 24; i++) {
        int way = random_below(4), from = random_below(3);
        struct ct_budget budget = {.steps = 1 + random_below(4 - from),
                                   .limit = limit + from,
                                   .escalate = escalate[way],
                                   .stop = stop[way],
                                   .window = 16 * (1 + random_below(2)),
                                   .diverse = i % 2};
        struct asked asked = ask(&cloud, &others, &grown, i, 1 + random_below(20));
        asked.budget = &budget;
        check_sets(&asked);
    }
    keep_end();
}

int main(void)
{
    check_shape("uniform", 400, 2, 16);
    check_shape("uniform", 170, 3, 40);
    check_shape("normal", 200, 5, 64);
    check_shape("clusters", 150, 3, 30);
    check_shape("normal", 500, 3, 7);
    for (int which = 0; which < clouds_count(); which++) {
        struct cloud cloud = cloud_number(which), others = queries_near(&cloud, 30);
        struct grown grown = grow(&cloud, 1 + which % 25, 1);
        for (int i = 0; i < 6; i++)
            check_limits(ask(&cloud, &others, &grown, i, i % 2 ? 5 : cloud.n + 2), i / 3);
        keep_end();
    }
    return check_done("budget");
}
