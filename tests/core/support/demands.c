/* demands.c: see demands.h. */
#include "demands.h"

int overlooked_demands(const struct ct_batch *batch,
                       int (*suits)(const struct ct_batch *batch, int k))
{
    enum { DEMANDS = 13 };
    static const double number = 1;
    const void *given = &number; /* nobody reads what a pointer points to */
    struct ct_batch other[DEMANDS];
    int overlooked = 0;
    for (int i = 0; i < DEMANDS; i++)
        other[i] = *batch;
    other[0].query = given;
    other[1].order = given;
    other[2].predecessors = 1;
    other[3].with_self = 1;
    other[4].slot = given;
    other[5].max_distance = given;
    other[6].start = given;
    other[7].removed = given;
    other[8].filter = given;
    other[9].epsilon = 1;
    other[10].budget = given;
    other[11].block = 3;
    other[12].metric.measure = CT_COSINE;
    for (int i = 0; i < DEMANDS; i++)
        overlooked += suits(&other[i], 1) != 0;
    return overlooked;
}
