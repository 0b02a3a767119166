/* oracle.h: the right answer, the slow way, sharing no code with the core. */
#ifndef ORACLE_H
#define ORACLE_H

#include "clouds.h"

#include <stddef.h>

struct neighbor {
    double distance;
    int row;
};

/* The square root of the squared differences summed column by column. */
double oracle_distance(const double *a, size_t a_apart, const double *b, size_t b_apart, int d);

/* All rows of a cloud but row `self` in order of (distance, row) from query i;
 * out has room for all. Returns how many. */
int oracle_rows(const struct cloud *cloud, const struct cloud *queries, int i, int self,
                struct neighbor *out);

/* The maximin order by its definition, step by step, from the point nearest to q;
 * kept until keep_end(). */
int *oracle_maximin(const struct cloud *cloud, const double *q);

#endif
