/* pivots.h: a few objects whose distances to all objects are known.
 *
 * By the triangle inequality the distance of two objects is at least the difference of their
 * distances to a third. The greatest difference over the pivots is a lower bound that costs no
 * evaluation: LAESA of Mico, Oncina and Vidal (1994).
 */
#ifndef COVERTREE_METRIC_SPACE_PIVOTS_H
#define COVERTREE_METRIC_SPACE_PIVOTS_H

#include "core/metric_space/distance_function.h"

struct ct_pivots {
    int count;
    int stride;             /* between the distances of two objects */
    double tolerance;       /* relative rounding error of a distance */
    double margin;          /* rounding error of a difference of distances, at most */
    const int *object;      /* [count] the pivots */
    const int *number;      /* [n] the number of a pivot; -1 for other objects */
    const double *distance; /* [stride x n] of each object to the pivots */
};

/* Chooses up to `count` of n objects (from 0) by farthest-first traversal from the first
 * object, ties to the first; fewer if all objects coincide with a pivot. `count` calls, n - 1
 * evaluations each. */
struct ct_pivots ct_choose_pivots(const struct ct_host *host, struct ct_distance_function *f, int n,
                                  int count);

/* Distances of an object to the pivots. */
static inline const double *ct_pivots_of(const struct ct_pivots *pivots, int object)
{
    return pivots->distance + (size_t)object * (size_t)pivots->stride;
}

/* Sets the margin for comparisons with an object whose distances to the pivots are given. `most` is
 * the largest distance of any object to a pivot. */
void ct_set_margin(struct ct_pivots *pivots, const double *own, double most);

/* Returns a lower bound of the distance of two objects from their distances to the pivots, or
 * infinity if the bound exceeds `enough`. */
double ct_pivot_bound(const struct ct_pivots *pivots, const double *a, const double *b,
                      double enough);

/* The same for the distance of an object to the points of a node, whose distances to pivot j are
 * from lower[j] to upper[j]. */
double ct_range_bound(const struct ct_pivots *pivots, const double *a, const double *lower,
                      const double *upper, double enough);

#endif
