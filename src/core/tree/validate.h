/* validate.h: is this a tree, and is it the right one?
 *
 * Two questions. ct_validate_arrays asks what memory safety needs: ranges, order,
 * termination. Only arrays that pass may be walked. ct_validate_tree then measures
 * the invariants of tree.h against the points.
 */
#ifndef COVERTREE_TREE_VALIDATE_H
#define COVERTREE_TREE_VALIDATE_H

#include "core/tree/tree.h"

enum ct_array {
    CT_NO_ARRAY,
    CT_ARRAY_POINTS,
    CT_ARRAY_ROW,
    CT_ARRAY_CENTER,
    CT_ARRAY_PARENT,
    CT_ARRAY_FIRST_CHILD,
    CT_ARRAY_NEXT_SIBLING,
    CT_ARRAY_SUBTREE_BEGIN,
    CT_ARRAY_SUBTREE_END
};

/* Which array is damaged, and its first bad entry, counted from 1. */
struct ct_array_error {
    enum ct_array array;
    size_t entry;
};

/* seen: n bytes of scratch. */
struct ct_array_error ct_validate_arrays(const struct ct_tree *tree, unsigned char *seen);

/* What a node may break; what tells most about the damage comes first. */
enum ct_invariant {
    CT_INVARIANT_RADIUS,     /* not the distance to the farthest point */
    CT_INVARIANT_LOWER,      /* not the least coordinates of the points */
    CT_INVARIANT_UPPER,      /* not the greatest */
    CT_INVARIANT_MIN_ROW,    /* not the least row of the points */
    CT_INVARIANT_LEVEL,      /* not the least level that covers the radius */
    CT_INVARIANT_COVERING,   /* a point lies farther from the center than the cover radius */
    CT_INVARIANT_DESCENT,    /* a level is not below the parent's */
    CT_INVARIANT_NESTING,    /* not exactly one child has the node's center */
    CT_INVARIANT_SEPARATION, /* a pair of children is too close */
    CT_INVARIANTS
};

struct ct_validation {
    int violations[CT_INVARIANTS]; /* nodes that break it */
    int first[CT_INVARIANTS];      /* the first node that breaks it, counted from 1; 0 for none */
    double covering_slack;         /* least 1 - (distance to center) / (cover radius) */
    double separation_slack;       /* least (distance of siblings) / (separation radius) - 1 */
};

void ct_validate_tree(const struct ct_host *host, const struct ct_tree *tree, int threads,
                      struct ct_validation *report);

#endif
