/* gower.h: the Gower distance of rows with missing values: the weighted mean of the differences
 * over the columns in which both have a value.
 *
 * This distance does not obey the triangle inequality, so only the pair scan uses it. Sums run over
 * the columns in order. O(columns) for each pair.
 */
#ifndef COVERTREE_METRIC_GOWER_H
#define COVERTREE_METRIC_GOWER_H

/* Rows of data, column-major; NaN for missing values. A numeric column has values times weight /
 * range, a nominal column has codes of levels. */
struct ct_gower {
    int n, queries, columns;
    const double *points; /* [n x columns] */
    const double *query;  /* [queries x columns]; may be the points */
    const double *weight; /* [columns] at least 0 */
    const int *nominal;   /* [columns] whether the difference of unequal values is 1 */
};

/* Computes the distances of query `at` and `count` points from `begin` on: distance [count], NaN if
 * no column has both values. data: a struct ct_gower. */
void ct_gower_compare(const void *data, int at, int begin, int count, double *distance);

#endif
