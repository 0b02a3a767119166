/* ct_shelf.h: points, packed for a sieve, and the margin that makes it safe.
 *
 * A sieve works on z, shifted to a centre and scaled so that distances are the a
 * of ct_shape, and on v and p divided by the variance: k is at most 1 there. Its
 * numbers have roundoff u (2^-24 or 2^-53), canonical ones e = 2^-53. What it has
 * for k - v_x . v_y is off from the canonical value, over the variance, by
 *
 *   dot products   (b + c + 4) u |v_x| |v_y|: two roundings of each number, then
 *                  sums of at most b = CT_CHUNK terms, of which c are added up;
 *                  the canonical ones, (m / CT_V_LANES + 7) e |v_x| |v_y|;
 *   distances      no more in k than in a, and a is off by 2 u reach + 8 e far from
 *                  packing, reach and far being the largest norms after and before
 *                  the shift, and by (d / 2 + 4)(u + e) a for the computation; the
 *                  slope of k times a is below 1;
 *   k itself       its argument, reduced, is off by 3 u, the polynomial with what
 *                  it leaves out by 8 u, factors and products by 6 u; likewise e;
 *   the difference (1 + |v_x| |v_y|) (u + e).
 *
 * The margin takes more of each, which also covers terms of second order, and
 * numbers below the normal range. Thresholds give way to their own rounding.
 */
#ifndef CT_SHELF_H
#define CT_SHELF_H

#include "ct_residual.h"

struct ct_frame {
    const struct ct_residual *residual;
    struct ct_shape shape;
    double stretch, unit; /* what multiplies coordinates, and v */
    double *centre;       /* [d] */
    double reach, far;
    double longest; /* the largest |v| there is, over the variance's root */
};

/* Points of one class, by row, as a sieve reads them. */
struct ct_shelf {
    const struct ct_sieve *sieve;
    const int *pos; /* [count] ascending */
    int count, tiles;
    char *v, *z, *root; /* [tiles * lanes] times m, d and 1 */
};

/* Memory on a border of cache lines. */
void *ct_aligned(const struct ct_host *host, size_t count, size_t size);

struct ct_frame ct_frame_make(const struct ct_host *host, const struct ct_residual *residual);

/* Takes notice of points; norm[i] = |v|, root[i] = root of p as levels are
 * multiplied with it, both over the variance's root. */
void ct_frame_extend(struct ct_frame *frame, const struct ct_latent *points, double *norm,
                     double *root);

/* The margin for a query whose v has this norm, against any point. */
double ct_frame_margin(const struct ct_frame *frame, const struct ct_sieve *sieve, double norm);

/* Puts a point's z and v among those of a tile or team: numbers lie apart. */
void ct_frame_put(const struct ct_frame *frame, const struct ct_sieve *sieve,
                  const struct ct_latent *points, int pos, int apart, char *z, char *v);

struct ct_shelf ct_shelf_make(const struct ct_host *host, const struct ct_frame *frame,
                              const struct ct_sieve *sieve, const int *pos, int count,
                              const double *root, int threads);

#endif
