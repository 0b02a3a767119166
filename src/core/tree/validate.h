/* validate.h: is this a tree, and is it the right one?
 *
 * Two questions. ct_check_links asks what memory safety needs: ranges, order,
 * termination. Only arrays that pass may be walked. ct_check_tree then measures
 * the invariants of tree.h against the points.
 */
#ifndef COVERTREE_TREE_VALIDATE_H
#define COVERTREE_TREE_VALIDATE_H

#include "core/tree/tree.h"

enum ct_part {
    CT_SOUND,
    CT_PART_POINTS,
    CT_PART_ROW,
    CT_PART_HUB,
    CT_PART_PARENT,
    CT_PART_FIRST_CHILD,
    CT_PART_NEXT_SIBLING,
    CT_PART_SUBTREE_BEGIN,
    CT_PART_SUBTREE_END
};

/* Which array is damaged, and its first bad entry, counted from 1. */
struct ct_fault {
    enum ct_part part;
    size_t at;
};

/* seen: n bytes of scratch. */
struct ct_fault ct_check_links(const struct ct_tree *tree, unsigned char *seen);

/* What a node may break; what tells most about the damage comes first. */
enum ct_law {
    CT_RADIUS,     /* not the distance to the farthest point */
    CT_LOWER,      /* not the least coordinates of the points */
    CT_UPPER,      /* not the greatest */
    CT_MIN_ROW,    /* not the least row of the points */
    CT_LEVEL,      /* not the least level that covers the radius */
    CT_COVERING,   /* a point lies farther from the hub than the cover radius */
    CT_DESCENT,    /* a level is not below the parent's */
    CT_NESTING,    /* not exactly one child has the node's hub */
    CT_SEPARATION, /* a pair of children is too close */
    CT_LAWS
};

struct ct_report {
    int broken[CT_LAWS];     /* nodes that break it */
    int first[CT_LAWS];      /* the first node that breaks it, counted from 1; 0 for none */
    double covering_slack;   /* least 1 - (distance to hub) / (cover radius) */
    double separation_slack; /* least (distance of siblings) / (separation radius) - 1 */
};

void ct_check_tree(const struct ct_host *host, const struct ct_tree *tree, int threads,
                   struct ct_report *report);

#endif
