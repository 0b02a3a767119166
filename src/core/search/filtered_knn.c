/* filtered_knn.c: see filtered_knn.h.
 *
 * In a tree of all points few points are eligible for a query with a small rank. Hence a query
 * searches a tree of the points with ranks up to a limit, of which in the worst case half are
 * eligible: the trees have at most n, n / 2, n / 4, ... points, as for predecessors
 * (predecessor.h).
 */
#include "core/search/filtered_knn.h"
#include "core/search/predecessor.h"
#include "core/tree/subset.h"

enum {
    MIN_POINTS = 1024,     /* a tree of at most 1024 points is not halved, */
    POINTS_PER_RESULT = 8, /* nor a tree of at most 8 k points, */
    POINTS_PER_QUERY = 8   /* nor for fewer queries than one for 8 points of the smaller tree */
};

/* The search in one tree. */
struct part {
    int points;     /* of the tree */
    int most_rank;  /* of these points */
    int above_rank; /* queries that need a rank above it search in this tree */
};

/* Returns the rank that a tree must contain for the query at `at` of the batch: an own point must
 * be in the tree, another query needs its eligible points. */
static int rank_needed(const struct ct_batch *batch, const struct ct_row_limits *limits, int at)
{
    if (!batch->query)
        return limits->rank[batch->tree->row[at] - 1];
    return limits->max_rank[batch->slot ? batch->slot[at] : at];
}

/* Turns numbers by rank [ranks + 1] into numbers up to each rank. */
static void add_up(int *count, int ranks)
{
    for (int rank = 1; rank <= ranks; rank++)
        count[rank] += count[rank - 1];
}

static int *new_counts(const struct ct_host *host, int ranks)
{
    int *count = host->alloc((size_t)ranks + 1, sizeof *count);
    for (int rank = 0; rank <= ranks; rank++)
        count[rank] = 0;
    return count;
}

/* Returns the number of queries that need each rank or a smaller one [ranks + 1]. */
static const int *count_queries(const struct ct_host *host, const struct ct_batch *batch,
                                const struct ct_row_limits *limits)
{
    int *count = new_counts(host, limits->ranks);
    for (int i = 0; i < batch->count; i++)
        count[rank_needed(batch, limits, batch->order ? batch->order[i] : i)]++;
    add_up(count, limits->ranks);
    return count;
}

/* Returns the number of points with each rank or a smaller one [ranks + 1]. */
static const int *count_points(const struct ct_host *host, const struct ct_tree *t,
                               const struct ct_row_limits *limits)
{
    int *count = new_counts(host, limits->ranks);
    for (int row = 0; row < t->n; row++)
        count[limits->rank[row]]++;
    add_up(count, limits->ranks);
    return count;
}

/* Returns the largest rank up to which at most half of the points of a part lie, or 0 if its
 * tree is not to be halved. points, queries: [ranks + 1] up to each rank. */
static int rank_to_halve(const struct part *part, const int *points, const int *queries, int k)
{
    int rank = part->most_rank, n = part->points;
    if (n <= MIN_POINTS || n / POINTS_PER_RESULT <= k)
        return 0;
    while (points[rank] > n / 2)
        rank--;
    return points[rank] / POINTS_PER_QUERY < queries[rank] && points[rank] > 0 ? rank : 0;
}

/* Splits a batch into parts. Every query belongs to one part. Returns their number. */
static int split_batch(const struct ct_host *host, const struct ct_batch *batch,
                       const struct ct_row_limits *limits, int k, struct part *part)
{
    int count = 1;
    part[0] = (struct part){batch->tree->n, limits->ranks, -1};
    if (!limits->rank)
        return 1;
    const int *points = count_points(host, batch->tree, limits);
    const int *queries = count_queries(host, batch, limits);
    for (int rank; (rank = rank_to_halve(&part[count - 1], points, queries, k)) > 0; count++) {
        part[count - 1].above_rank = rank;
        part[count] = (struct part){points[rank], rank, -1};
    }
    return count;
}

/* Lists the queries of a part by rank: positions of own points in its tree, or rows of the query
 * points. Returns their number. wanted: see ct_mark_rows(). */
static int list_queries(const struct ct_batch *batch, const struct ct_row_limits *limits,
                        const struct ct_tree *t, const struct part *part, const char *wanted,
                        int *order)
{
    int count = 0, places = batch->query ? batch->count : t->n;
    for (int place = 0; place < places; place++) {
        int at = batch->query && batch->order ? batch->order[place] : place;
        int row = batch->query ? 0 : t->row[at];
        int rank = batch->query ? rank_needed(batch, limits, at) : limits->rank[row - 1];
        if (rank > part->above_rank && rank <= part->most_rank && (!wanted || wanted[row - 1]))
            order[count++] = at;
    }
    return count;
}

/* Returns the batch of the queries of a part, in the tree of the part. */
static struct ct_batch batch_of_part(const struct ct_host *host, const struct ct_batch *batch,
                                     const struct ct_row_limits *limits, const struct ct_tree *tree,
                                     const struct part *part, const char *wanted)
{
    struct ct_batch result = *batch;
    result.tree = tree;
    result.filter = ct_row_filter_new(host, tree, limits);
    result.ld_query = batch->ld_query > 0 ? batch->ld_query : batch->count;
    result.ld = batch->ld > 0 ? batch->ld : batch->count;
    if (limits->rank) {
        int most = batch->query ? batch->count : tree->n;
        int *order = host->alloc((size_t)most, sizeof *order);
        result.count = list_queries(batch, limits, tree, part, wanted, order);
        result.order = order;
    }
    return result;
}

/* The tree of a part is built from all points, so that its memory can be released before the next
 * tree is built. */
void ct_knn_filtered(const struct ct_host *host, const struct ct_batch *batch,
                     const struct ct_row_limits *limits, int k, double missing, int *index,
                     double *distance)
{
    struct part part[CT_PARTS_MAX];
    int parts = split_batch(host, batch, limits, k, part);
    const char *wanted = batch->query ? NULL : ct_mark_rows(host, batch);
    for (int p = 0; p < parts; p++) {
        void *mark = host->mark ? host->mark() : NULL;
        struct ct_tree tree = *batch->tree;
        if (p > 0)
            tree = ct_build_tree_up_to_rank(host, batch->tree, limits->rank, part[p].most_rank,
                                            part[p].points, batch->kernels, batch->threads);
        struct ct_batch queries = batch_of_part(host, batch, limits, &tree, &part[p], wanted);
        if (queries.count > 0)
            ct_knn(host, &queries, k, missing, index, distance);
        if (host->release)
            host->release(mark);
    }
}
