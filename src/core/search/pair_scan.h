/* pair_scan.h: neighbors by comparison of all pairs, for a distance between rows that a function
 * computes.
 *
 * Used for the Gower distance of rows with missing values (metric/gower.h), which does not obey the
 * triangle inequality, and for sets of bits in many columns (bit_sets.h), where a comparison takes
 * a few instructions. O(queries * n) comparisons.
 */
#ifndef COVERTREE_SEARCH_PAIR_SCAN_H
#define COVERTREE_SEARCH_PAIR_SCAN_H

#include "core/host.h"
#include "core/simd/euclid.h"

enum { CT_RUN = 256 }; /* points compared at a time */

struct ct_pair_scan {
    int n;          /* points */
    int own;        /* whether the queries are the points; a point is not its own neighbor */
    const int *row; /* [count] the queries to answer, from 1; NULL: the first `count` */
    int count;
    int predecessor; /* whether neighbors must have smaller rows; for own points only */
    int threads;
    const struct ct_kernels *kernels; /* for the selection */

    /* Computes the distances of query `at` (from 0) and the points from `begin` on, at most
     * CT_RUN; NaN where a pair has no distance: it is no pair of neighbors. Several threads call
     * at once. */
    void (*compare)(const void *data, int at, int begin, int count, double *distance);
    const void *data;
};

/* Finds the k nearest neighbors by (distance, row) of each query to answer. index and distance:
 * [count x k, column-major]; CT_NO_ROW and `missing` where there are fewer. */
void ct_pair_knn(const struct ct_host *host, const struct ct_pair_scan *scan, int k, double missing,
                 int *index, double *distance);

/* Counts the points within the radius of each query to answer: found [count]. */
void ct_pair_count(const struct ct_host *host, const struct ct_pair_scan *scan, double radius,
                   int *found);

/* Fills index[i] and distance[i] with the found[i] points within the radius of query i, by
 * (distance, row). */
void ct_pair_fill(const struct ct_host *host, const struct ct_pair_scan *scan, double radius,
                  const int *found, int *const *index, double *const *distance);

#endif
