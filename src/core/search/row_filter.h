/* row_filter.h: which points a query may find: by a variable, by a group, by rows.
 *
 * A search finds, for each query, the nearest of its eligible points. A batch with limits excludes
 *   ranks    points whose rank (of a variable of the user, such as time) exceeds a limit;
 *   groups   points of the group of the query;
 *   window   points whose rows differ by at most the window from the row of an own query.
 * A filter belongs to the limits and a tree. It stores, for each node and each tile, the smallest
 * rank, the group if all points have the same one, and the range of rows. So a search excludes
 * nodes and tiles without eligible points. The scan of a tile compares one integer of each point,
 * the key: the rank if there are ranks, otherwise the group, otherwise the row. The search drops
 * the candidates that the other limits exclude before it tightens a threshold.
 */
#ifndef COVERTREE_SEARCH_ROW_FILTER_H
#define COVERTREE_SEARCH_ROW_FILTER_H

#include "core/tree/tree.h"

/* The limits of a batch. Rows count from 1; element i of an array by row belongs to row i + 1. */
struct ct_row_limits {
    int ranks, groups;      /* the largest rank and group; 0 without ranks or groups */
    const int *rank;        /* [n] by row: from 1; own queries have a rank above their max_rank */
    const int *max_rank;    /* by line of the results: larger ranks are not eligible */
    const int *group;       /* [n] by row: from 1 */
    const int *query_group; /* by line: points of this group are not eligible; 0: none */
    int window;             /* own queries: rows at most this far are not eligible; below 0: none */
};

/* What the points of a set have in common. */
struct ct_row_summary {
    int min_rank;         /* 0 without ranks */
    int group;            /* of all points; 0: different groups, or without groups */
    int min_row, max_row; /* their range */
};

/* What one query, or every query of a set, excludes. */
struct ct_query_limits {
    int max_rank;            /* INT_MAX without ranks */
    int group;               /* 0: none */
    int first_row, last_row; /* the window; first_row > last_row: none */
};

struct ct_row_filter {
    const struct ct_row_limits *limits;
    const int *key;                    /* [n] by position: what a scan of a tile compares */
    int key_is_row;                    /* whether the keys are rows */
    int has_second;                    /* whether the key does not decide alone */
    const struct ct_row_summary *node; /* [nodes] */
    const struct ct_row_summary *tile; /* [tiles] */
    const int *up_to_rank; /* [ranks + 1] points of the tree with ranks up to this one */
    const int *in_group;   /* [groups + 1] points of the tree in this group */
};

/* Returns the filter of a tree, in the host's memory. The tree has tiles. Its rows are 1 to n, or
 * with ranks a part of these. O(n) time and memory. */
const struct ct_row_filter *ct_row_filter_new(const struct ct_host *host,
                                              const struct ct_tree *tree,
                                              const struct ct_row_limits *limits);

/* Returns the limits of a query: `line` of the results, own row or 0. */
struct ct_query_limits ct_limits_of_query(const struct ct_row_filter *filter, int line, int row);

/* Returns what both of two queries exclude. */
struct ct_query_limits ct_join_limits(struct ct_query_limits a, struct ct_query_limits b);

/* Whether every point that is eligible with the limits `from` is eligible with `to`, and is not the
 * query of `to`. Never with a window in `to`. */
int ct_limits_are_nested(const struct ct_query_limits *from, const struct ct_query_limits *to);

/* Returns an upper bound of the number of eligible points of the tree; the number itself with one
 * kind of limits only. */
int ct_count_eligible(const struct ct_row_filter *filter, const struct ct_tree *tree,
                      const struct ct_query_limits *limits);

/* Whether none of the points is eligible. */
static inline int ct_excludes_all(const struct ct_query_limits *limits,
                                  const struct ct_row_summary *points)
{
    return points->min_rank > limits->max_rank ||
           (points->group && points->group == limits->group) ||
           (points->min_row >= limits->first_row && points->max_row <= limits->last_row);
}

/* Whether the limits of groups and rows permit a row. */
static inline int ct_second_limits_permit(const struct ct_row_filter *filter,
                                          const struct ct_query_limits *limits, int row)
{
    const struct ct_row_limits *by_row = filter->limits;
    return (row < limits->first_row || row > limits->last_row) &&
           !(by_row->group && by_row->group[row - 1] == limits->group);
}

#endif
