/* clouds.h: points of many shapes, the same in every run. */
#ifndef CLOUDS_H
#define CLOUDS_H

#include <stdint.h>

struct cloud {
    const char *name;
    int n, d;
    double *x; /* [n * d] by column, kept until keep_end() */
};

uint64_t random_bits(void);
double random_uniform(void); /* in [0, 1) */
double random_normal(void);  /* nearly */
int random_below(int limit); /* 0 .. limit - 1 */

/* One of each shape, small enough for the slowest check. */
int clouds_count(void);
struct cloud cloud_number(int which);

/* The named shape with other sizes. */
struct cloud cloud_of(const char *name, int n, int d);

/* m points on, between, beside and beyond those of a cloud, at its scale. */
struct cloud queries_near(const struct cloud *cloud, int m);

#endif
