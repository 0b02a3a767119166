/* validate.h: are given arrays a tree, and the right tree of the given points?
 *
 * Two questions, for arrays that come from a file or a user. ct_validate_arrays() checks ranges,
 * order and termination, for memory safety. Only valid arrays may be traversed.
 * ct_validate_tree() then measures the invariants of tree.h against the points.
 */
#ifndef COVERTREE_TREE_VALIDATE_H
#define COVERTREE_TREE_VALIDATE_H

#include "core/tree/tree.h"

/* The first wrong entry of an array. */
struct ct_array_error {
    enum ct_array array; /* CT_NO_ARRAY: no error */
    size_t entry;        /* counted from 1, column-major */
};

/* Bytes of scratch for ct_validate_arrays(): a bit for each of n points. */
static inline size_t ct_validate_scratch(int n)
{
    return (size_t)n / 8 + 1;
}

/* Returns the first error found. Needs n >= 1, nodes >= 1, arrays of the right lengths, and
 * seen [ct_validate_scratch(n)] of scratch. Costs one pass over points, rows and links; reads
 * levels, radii, boxes and smallest rows not at all. */
struct ct_array_error ct_validate_arrays(const struct ct_tree *tree, unsigned char *seen);

/* INVARIANT(NAME, name, ARRAY) for each invariant of a node; ARRAY is the array to name in a
 * message. The invariants that tell most about the damage come first.
 *
 *   radius       radius is the distance from the center to the farthest point
 *   lower        lower holds the smallest coordinates of the points
 *   upper        upper holds the largest coordinates of the points
 *   min_row      min_row is the smallest row of the points
 *   level        level is the least level with a cover radius of at least radius
 *   covering     no point is farther from the center than the cover radius
 *   descent      the level is below the level of the parent
 *   nesting      exactly one child has the node's center
 *   separation   the centers of any two children are farther apart than the separation radius
 */
#define CT_TREE_INVARIANTS(INVARIANT)                                                              \
    INVARIANT(RADIUS, radius, RADIUS)                                                              \
    INVARIANT(LOWER, lower, LOWER)                                                                 \
    INVARIANT(UPPER, upper, UPPER)                                                                 \
    INVARIANT(MIN_ROW, min_row, MIN_ROW)                                                           \
    INVARIANT(LEVEL, level, LEVEL)                                                                 \
    INVARIANT(COVERING, covering, LEVEL)                                                           \
    INVARIANT(DESCENT, descent, LEVEL)                                                             \
    INVARIANT(NESTING, nesting, CENTER)                                                            \
    INVARIANT(SEPARATION, separation, CENTER)

/* CT_INVARIANT_RADIUS, CT_INVARIANT_LOWER, ...; CT_INVARIANTS is their number. */
#define CT_INVARIANT_ID(NAME, name, ARRAY) CT_INVARIANT_##NAME,
enum ct_invariant { CT_TREE_INVARIANTS(CT_INVARIANT_ID) CT_INVARIANTS };
#undef CT_INVARIANT_ID

/* The table as data, indexed by enum ct_invariant. */
struct ct_invariant_info {
    const char *name;
    enum ct_array array;
};
extern const struct ct_invariant_info ct_invariant_info[CT_INVARIANTS];

struct ct_validation {
    int violations[CT_INVARIANTS]; /* number of nodes that violate each invariant */
    int first[CT_INVARIANTS];      /* first node with a violation, counted from 1; 0: none */
    double covering_slack;         /* least 1 - (distance to center) / (cover radius) */
    double separation_slack; /* least (distance of sibling centers) / (separation radius) - 1 */
};

/* Measures the invariants of all nodes. Needs arrays without an error by
 * ct_validate_arrays(). Costs about n x depth distances, and for each node the distances of
 * all pairs of children; shared by `threads` threads. */
void ct_validate_tree(const struct ct_host *host, const struct ct_tree *tree, int threads,
                      struct ct_validation *validation);

#endif
