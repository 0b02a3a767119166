/* oracle.h: correct results by brute force, without code of the core. */
#ifndef ORACLE_H
#define ORACLE_H

#include "clouds.h"

#include <stddef.h>

struct neighbor {
    double distance;
    int row;
};

/* Compares two neighbors by (distance, row), for qsort(). */
int oracle_compare(const void *one, const void *other);

/* The square root of the squared differences summed column by column. */
double oracle_distance(const double *a, size_t a_apart, const double *b, size_t b_apart, int d);

/* Writes all rows of a cloud except row `self`, in order of (distance, row) from query i, to
 * out [n]. Returns their number. */
int oracle_rows(const struct cloud *cloud, const struct cloud *queries, int i, int self,
                struct neighbor *out);

/* The maximin order by its definition, step by step, from the point nearest to q;
 * kept until keep_end(). */
int *oracle_maximin(const struct cloud *cloud, const double *q);

#endif
