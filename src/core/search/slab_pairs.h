/* slab_pairs.h: all pairs of slabs, shared by threads such that no slab is in two pairs at once.
 *
 * A slab is a run of adjacent points. A thread that works on a pair of slabs may change what
 * belongs to the points of both, without locks and without copies for each thread. The pairs come
 * in rounds, as in a tournament: each slab occurs once in a round, so that a thread seldom finds
 * its next pair occupied. Such a pair waits, and the thread takes another one.
 */
#ifndef COVERTREE_SEARCH_SLAB_PAIRS_H
#define COVERTREE_SEARCH_SLAB_PAIRS_H

#include "core/host.h"

struct ct_slab_pairs {
    int slabs;
    int count;           /* numbers of pairs: a few of them stand for no pair */
    unsigned char *busy; /* [slabs] not 0 while a thread works on the slab */
    int *waiting;        /* [waiting_count] numbers of the pairs that wait */
    int waiting_count;
};

/* Returns the pairs of `slabs` slabs, and of each slab with itself, for up to `threads` threads.
 * Needs at most 2^15 slabs. The host's memory: O(slabs * threads). */
struct ct_slab_pairs ct_slab_pairs_new(const struct ct_host *host, int slabs, int threads);

/* Claims a pair for the calling thread: sets slab [2] and returns 1, or returns 0 if every pair
 * that waits has a busy slab. The pair of `number`, from 0 up to `count`, is added to those that
 * wait; -1 adds none. Call once with each number, and then with -1 while any pair waits. */
int ct_claim_slab_pair(struct ct_slab_pairs *pairs, int number, int *slab);

/* Ends the work of the calling thread on a pair. */
void ct_release_slab_pair(struct ct_slab_pairs *pairs, const int *slab);

#endif
