/* gower_scan.h: neighbors by the Gower distance of rows with missing values, by comparison of all
 * pairs.
 *
 * The distance of two rows is the weighted mean of their differences over the columns that both
 * rows have. It breaks the triangle inequality, so that no tree applies. A pair without a common
 * column has no distance, and is no pair of neighbors. O(queries * n * columns).
 */
#ifndef COVERTREE_SEARCH_GOWER_SCAN_H
#define COVERTREE_SEARCH_GOWER_SCAN_H

#include "core/host.h"
#include "core/simd/euclid.h"

/* Rows of data, column-major; NaN where a value is missing. A numeric column holds values times
 * weight over range, a nominal one holds codes. */
struct ct_gower_batch {
    int n, columns;
    const double *points; /* [n x columns] */
    const double *weight; /* [columns] at least 0 */
    const int *nominal;   /* [columns] whether values are equal or not, whatever their difference */
    const double *query;  /* [queries x columns]; NULL: the points, which never find themselves */
    int queries;          /* rows of query; n if that is NULL */
    const int *row;       /* [count] the queries to answer, from 1; NULL: all */
    int count;
    int predecessor; /* whether own points find smaller rows only */
    int threads;
    const struct ct_kernels *kernels; /* for the selection */
};

/* Finds the k nearest neighbors by (distance, row) of each query to answer. index and distance:
 * [count x k, column-major]; CT_NO_ROW and `missing` where there are fewer. */
void ct_gower_knn(const struct ct_host *host, const struct ct_gower_batch *batch, int k,
                  double missing, int *index, double *distance);

/* Counts the points within the radius of each query to answer [count]. */
void ct_gower_count(const struct ct_host *host, const struct ct_gower_batch *batch, double radius,
                    int *found);

/* Fills index[i] and distance[i] with the found[i] points within the radius of query i, by
 * (distance, row). */
void ct_gower_fill(const struct ct_host *host, const struct ct_gower_batch *batch, double radius,
                   const int *found, int *const *index, double *const *distance);

#endif
