/* correlation.h: the vector kernels of residual correlations.
 *
 * The exact ones define what a correlation is: double, one order of operations,
 * no fused multiply-add, so the bits are the same in every instruction set. The
 * sieves say, in float or in double, of which pairs the correlation is surely too
 * small: matrix products in whatever order is fast, with a margin that covers the
 * rounding of all of them.
 */
#ifndef COVERTREE_SIMD_CORRELATION_H
#define COVERTREE_SIMD_CORRELATION_H

#include "core/simd/euclid.h"

enum {
    CT_V_LANES = 16, /* partial sums of an exact dot product; vectors are padded to such runs */
    CT_CHUNK = 64    /* terms that a sieve adds up before it adds the sum to others */
};

/* A covariance function, of a = scale * r, or a = scale * r^2 if squared:
 * (1 + a * (linear + a * quadratic)) * exp(-a). */
struct ct_covariance_shape {
    double scale, linear, quadratic;
    int squared;
};

/* Where CT_GROUP queries and a tile of points meet. Tiles and teams hold a number
 * of one point, or query, beside the same number of the next one. */
struct ct_filter_input {
    const struct ct_covariance_shape *shape;
    int d;
    const void *tile, *team;  /* [d * lanes], [d * CT_GROUP]: coordinates, scaled so that r is a,
                               * or r^2 is */
    const void *root;         /* [lanes]: roots of the residual variances of the points */
    const void *slack, *norm; /* [lanes]: lengths of what is left of v, and of all of it */
    const double *level, *margin; /* [CT_GROUP]; margins are not negative */
    const double *query_slack, *query_norm;
    const double *trifle; /* [CT_GROUP] */
};

struct ct_filter_kernels {
    int lanes;       /* points in a tile */
    size_t size;     /* bytes of a number */
    double roundoff; /* half the distance from 1 to the next number */
    /* to[i * apart] = (from[i * from_apart] - centre[i]) * scale, where centre may
     * be NULL. */
    void (*put)(void *to, int apart, const double *from, size_t from_apart, const double *centre,
                double scale, int count);
    /* Adds the dot products of count numbers of each of a team's queries and of a
     * tile's points to sums [CT_GROUP * lanes]. */
    void (*dots)(const void *tile, const void *team, int count, void *sums);
    /* Turns sums, which are dot products, into covariances less those. Bit i of
     * within[j]: the size of that of query j and point i, or else not a number, is not
     * less than level[j] * root[i] - margin[j] - query_slack[j] * slack[i]. */
    void (*within)(const struct ct_filter_input *meeting, void *sums, unsigned *within);
    /* Takes the dot products of count numbers of a query and of those of a tile's
     * points whose bits are set from sums [lanes]. The points lie one after another;
     * count is a multiple of lanes. */
    void (*finish)(const void *points, const void *query, int count, unsigned which, void *sums);
    /* Clears the bits where the covariance and query_norm[j] * norm[i] add up to less
     * than trifle[j] * root[i]. */
    void (*drop_trifles)(const struct ct_filter_input *meeting, unsigned *within);
};

struct ct_correlation_kernels {
    const char *name;
    /* The exact dot product; stride is a multiple of CT_V_LANES. */
    double (*dot)(const double *v, const double *w, size_t stride);
    /* Turns squared distances into exact covariances. */
    void (*covariance)(const struct ct_covariance_shape *shape, double variance, int count,
                       double *x);
    struct ct_filter_kernels fine, coarse; /* in double, in float */
};

/* The kernels of a level; of a lower one, if the compiler does not know it. */
const struct ct_correlation_kernels *ct_correlation_kernels(enum ct_simd_level level);

#endif
