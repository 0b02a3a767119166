/* slab_pairs.c: see slab_pairs.h.
 *
 * First each slab with itself; then the rounds, by the circle method: the last slab stays in its
 * place, the others move on by one place. With an odd number of slabs one more is counted, whose
 * pairs stand for no pair.
 */
#include "core/search/slab_pairs.h"
#include "core/util/float.h"
#include "core/util/parallel.h"

#include <string.h>

/* A busy slab makes all pairs wait that contain it, and each thread has two slabs. */
struct ct_slab_pairs ct_slab_pairs_new(const struct ct_host *host, int slabs, int threads)
{
    int even = slabs + slabs % 2;
    struct ct_slab_pairs pairs = {
        .slabs = slabs,
        .count = slabs + (even - 1) * (even / 2),
        .busy = host->alloc((size_t)slabs, 1),
        .waiting = host->alloc(2 * (size_t)(slabs + 1) * (size_t)threads + 1, sizeof(int)),
    };
    memset(pairs.busy, 0, (size_t)slabs);
    return pairs;
}

/* Sets the two slabs of a number, the smaller one first. Returns 0 if it stands for no pair. */
static int pair_of_number(const struct ct_slab_pairs *pairs, int number, int *slab)
{
    int circle = pairs->slabs + pairs->slabs % 2 - 1, half = (circle + 1) / 2;
    int round = (number - pairs->slabs) / half, place = (number - pairs->slabs) % half;
    int a = place > 0 ? (round + place) % circle : circle;
    int b = (round - place + circle) % circle;
    if (number < pairs->slabs)
        a = b = number;
    slab[0] = a < b ? a : b;
    slab[1] = a < b ? b : a;
    return slab[1] < pairs->slabs;
}

/* Claims the first waiting pair of which no slab is busy. */
static int claim_waiting(struct ct_slab_pairs *pairs, int *slab)
{
    for (int i = 0; i < pairs->waiting_count; i++) {
        pair_of_number(pairs, pairs->waiting[i], slab);
        if (pairs->busy[slab[0]] || pairs->busy[slab[1]])
            continue;
        pairs->busy[slab[0]] = pairs->busy[slab[1]] = 1;
        pairs->waiting_count--;
        for (int later = i; later < pairs->waiting_count; later++)
            pairs->waiting[later] = pairs->waiting[later + 1];
        return 1;
    }
    return 0;
}

int ct_claim_slab_pair(struct ct_slab_pairs *pairs, int number, int *slab)
{
    int claimed = 0;
    CT_PRAGMA(omp critical(ct_slab_pairs))
    {
        if (number >= 0 && pair_of_number(pairs, number, slab))
            pairs->waiting[pairs->waiting_count++] = number;
        claimed = claim_waiting(pairs, slab);
    }
    return claimed;
}

void ct_release_slab_pair(struct ct_slab_pairs *pairs, const int *slab)
{
    CT_PRAGMA(omp critical(ct_slab_pairs))
    {
        pairs->busy[slab[0]] = pairs->busy[slab[1]] = 0;
    }
}
