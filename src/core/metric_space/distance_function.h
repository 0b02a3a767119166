/* distance_function.h: a metric that is known only by a function of the host.
 *
 * The objects are whatever the host has: strings, curves, vertices of a graph. The core names an
 * object by its row and asks for the distances from one object to several others in one call.
 * All calls come from the main thread, outside parallel regions.
 */
#ifndef COVERTREE_METRIC_SPACE_DISTANCE_FUNCTION_H
#define COVERTREE_METRIC_SPACE_DISTANCE_FUNCTION_H

#include "core/host.h"
#include "core/util/float.h"

#include <math.h>

/* A distance of the host between objects that have no coordinates, with counters of its calls. */
struct ct_distance_function {
    /* Writes the distances from an object to `count` objects of the tree. `from` is the row of an
     * object, from 1, or -j for the j-th foreign query, from 1. row: [count]. Distances are
     * finite and not negative. May leave by a long jump. */
    void (*evaluate)(void *data, int from, const int *row, int count, double *distance);

    /* Reports objects that break the triangle inequality: a query (as above) and two rows. Does
     * not return. NULL: the inequality is not checked. */
    void (*refuse)(void *data, int from, int row, int third);

    void *data;
    double tolerance;   /* relative rounding error of a distance */
    double evaluations; /* distances so far */
    double calls;       /* calls so far */
};

/* The objects of one call, and their distances. */
struct ct_distance_batch {
    int *pos;         /* [n] positions */
    int *row;         /* [n] their rows */
    double *distance; /* [n] */
    int size;         /* objects so far */
};

/* Returns an empty batch with room for n objects. Allocates 16 n bytes. */
struct ct_distance_batch ct_distance_batch_new(const struct ct_host *host, int n);

/* Adds an object, of which there are fewer than n so far. */
static inline void ct_distance_batch_add(struct ct_distance_batch *batch, int pos, int row)
{
    batch->pos[batch->size] = pos;
    batch->row[batch->size] = row;
    batch->size++;
}

/* Writes the distances from an object to `count` others [count], as f->evaluate(), and counts the
 * call. Does nothing for 0 objects. One call of the host. */
void ct_evaluate(struct ct_distance_function *f, int from, const int *row, int count,
                 double *distance);

/* Returns a lower bound of the distance between two objects whose distances to a third are a and
 * b: |a - b|, less the rounding errors of a and b and, because the bound is compared with computed
 * distances, of the distance itself, which are at most tolerance * (a + b) each. */
static inline double ct_lower_bound(double a, double b, double tolerance)
{
    return fabs(a - b) - 2 * tolerance * (a + b);
}

#endif
