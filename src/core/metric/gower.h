/* gower.h: the Gower distance of rows with missing values: the weighted mean of the differences
 * over the columns that both rows have.
 *
 * It breaks the triangle inequality. Used by the scan of all pairs. Sums go over the columns in
 * their order. O(columns) for each pair.
 */
#ifndef COVERTREE_METRIC_GOWER_H
#define COVERTREE_METRIC_GOWER_H

/* Rows of data, column-major; NaN where a value is missing. A numeric column holds values times
 * weight over range, a nominal one holds codes. */
struct ct_gower {
    int n, queries, columns;
    const double *points; /* [n x columns] */
    const double *query;  /* [queries x columns]; may be the points */
    const double *weight; /* [columns] at least 0 */
    const int *nominal;   /* [columns] whether values are equal or not, whatever their difference */
};

/* Computes the distances of query `at` and `count` points from `begin` on: distance [count]; NaN
 * without a common column. data: a struct ct_gower. */
void ct_gower_compare(const void *data, int at, int begin, int count, double *distance);

#endif
