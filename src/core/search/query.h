/* query.h: searches by distance, for batches of queries: the public interface.
 *
 * A batch holds the queries and the options. ct_knn() finds the k nearest neighbors,
 * ct_knn_predecessors() and ct_knn_up_to_max_row() neighbors with small rows, ct_radius_count() and
 * ct_radius_fill() all points within a radius. The tree may have been built for any metric: its
 * boxes bound every norm. Results are exact, unless the batch has an epsilon or a budget, and do
 * not depend on threads, block size, mode, order or instruction set. Every search takes scratch
 * memory from the host before the parallel loop: O(nodes + tiles + candidates of a block) per
 * thread.
 */
#ifndef COVERTREE_SEARCH_QUERY_H
#define COVERTREE_SEARCH_QUERY_H

#include "core/metric/metric.h"
#include "core/topk/select.h"
#include "core/tree/tree.h"

struct ct_kernels;
struct ct_budget;
struct ct_row_filter;
struct ct_search_stats;

/* The start of the search of one query. Rows are rows of the tree. */
struct ct_query_start {
    struct ct_neighbor threshold; /* later neighbors are not needed; the result may
                                   * contain some of them */
    int skip_row;                 /* the row that is not a neighbor; 0: none */
    int max_row;                  /* larger rows are not neighbors */
};

enum {
    CT_BLOCK = 64,             /* the most queries of a block */
    CT_DEPTH_FIRST_QUERIES = 4 /* the most query points that ct_knn() searches one by one */
};

/* CT_SEARCH_AUTO uses the tree, and scans all points where the tree excludes too few. */
enum ct_search_mode { CT_SEARCH_AUTO, CT_SEARCH_TREE, CT_SEARCH_SCAN };

/* The queries of a call: foreign points, or some of the tree's own points. An own point is
 * not a neighbor of itself, unless with_self is set. */
struct ct_batch {
    const struct ct_tree *tree;
    struct ct_metric metric; /* the distance; all zeros: Euclidean */
    const double *query;     /* [ld_query x d, column-major]; NULL: the tree's own points */
    int ld_query;            /* rows of query, if order names a part of the rows; 0: count */
    const int *order; /* [count] the order in which to answer: rows of query, from 0; or positions
                       * of own points, ascending; NULL with own points: all, in tree order */
    int predecessors; /* whether own points find only smaller rows */
    int with_self;    /* whether an own point finds itself, too; not with predecessors */
    int count;        /* queries */
    int threads;
    const int *slot; /* [rows] line of the results for a query or own row; NULL: its number */
    int ld;          /* lines of the results; 0: count */
    const double *max_distance; /* [ld] by line: farther points are no neighbors of the query; NULL:
                                 * no limit. ct_radius_*() do not read it. */
    const struct ct_query_start *start; /* of each query, by line; NULL: of own points as their row
                                         * demands, and nothing for other queries */
    const unsigned char *removed;       /* [n] not 0 for a row, from 0, that is never a neighbor;
                                         * or NULL. Not with a budget */
    const struct ct_row_filter *filter; /* of the tree: excludes points for each query; or NULL. Not
                                         * with predecessors, start, an epsilon or a budget */
    const struct ct_kernels *kernels;
    double epsilon; /* neighbors may be farther than the exact ones by the factor 1 + epsilon;
                     * above 0 each query is a block of its own: answers are independent */
    const struct ct_budget *budget; /* limits the points that a query evaluates; or NULL */
    int *evaluated;                 /* [ld] with a budget: points evaluated, by line; or NULL */
    int block;                      /* queries of a block, at most CT_BLOCK; 0: adaptive */
    enum ct_search_mode mode;
    struct ct_search_stats *stats; /* where to add the statistics; or NULL */
};

/* Stands for a neighbor that does not exist; R's NA_integer_. */
#define CT_NO_ROW INT_MIN

/* Finds the k nearest neighbors of each query by (distance, row). index and distance:
 * [ld x k, column-major] rows and distances in this order; where there are fewer than k
 * neighbors, or fewer within max_distance, CT_NO_ROW and `missing` fill the rest. */
void ct_knn(const struct ct_host *host, const struct ct_batch *batch, int k, double missing,
            int *index, double *distance);

/* Finds neighbors with rows smaller than the row of the query. Otherwise like ct_knn(); the
 * queries are own points. */
void ct_knn_predecessors(const struct ct_host *host, const struct ct_batch *batch, int k,
                         double missing, int *index, double *distance);

/* Finds neighbors of foreign queries like ct_knn(), for a batch with a start for each query, whose
 * max_row may be small: then a tree of few rows is searched, as for predecessors. */
void ct_knn_up_to_max_row(const struct ct_host *host, const struct ct_batch *batch, int k,
                          double missing, int *index, double *distance);

/* Receives the results of a search for further processing. Several threads call at once,
 * each with its own thread number. */
struct ct_result_sink {
    void *data;
    /* The neighbors of one query: the line of the results; rows and distances [count] in
     * order of (distance, row). */
    void (*add)(void *data, int thread, int line, const int *row, const double *distance,
                int count);
    /* After the last query of each block. */
    void (*flush)(void *data, int thread);
};

/* Finds the k nearest neighbors like ct_knn() and hands them to the sink. */
void ct_knn_to_sink(const struct ct_host *host, const struct ct_batch *batch, int k,
                    const struct ct_result_sink *sink);

/* Counts the points within the radius of each query, until their total exceeds `most`.
 * count: [count], by line; on entry -1 for a query to count, or the number from an earlier call;
 * on return the number, or still -1 where counting ended before. Returns the total. */
long long ct_radius_count(const struct ct_host *host, const struct ct_batch *batch, double radius,
                          long long most, int *count);

/* Fills index[line] and distance[line], [count[line]] each, with the rows and distances of
 * the points within the radius: by (distance, row) if `sort`, otherwise in no order. */
void ct_radius_fill(const struct ct_host *host, const struct ct_batch *batch, double radius,
                    int sort, const int *count, int *const *index, double *const *distance);

#endif
