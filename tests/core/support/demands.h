/* demands.h: demands of a batch beyond a search of all own points. */
#ifndef DEMANDS_H
#define DEMANDS_H

#include "core/search/query.h"

/* Returns the number of demands with which suits(batch, 1) is not 0. Each demand is added alone to
 * a batch that suits: some of the points, limits of points, an approximate search, a block size, a
 * measure other than the norm. */
int overlooked_demands(const struct ct_batch *batch,
                       int (*suits)(const struct ct_batch *batch, int k));

#endif
