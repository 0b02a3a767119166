/* box_list.h: bounding boxes by number, each with its squared distance.
 *
 * The traversal lists nodes and tiles as boxes. Nearer boxes are scanned first: thresholds
 * then fall early and exclude the rest. An exact order would cost more than it saves, hence
 * long lists are ordered by buckets of distance.
 */
#ifndef COVERTREE_SEARCH_BOX_LIST_H
#define COVERTREE_SEARCH_BOX_LIST_H

#include "core/host.h"

/* The capacity is not stored: a list is allocated for the largest number of boxes that
 * the tree can produce. */
struct ct_box_list {
    int *number; /* [count] nodes, tiles, or positions in an array of boxes */
    float *sq;   /* [count] squared distances to the query or the block, in tile units */
    int count;
};

/* Returns an empty list with room for `capacity` boxes, in the host's memory. */
struct ct_box_list ct_box_list_new(const struct ct_host *host, int capacity);

/* Appends a box. The list must have room. */
static inline void ct_box_list_append(struct ct_box_list *list, int number, float sq)
{
    list->number[list->count] = number;
    list->sq[list->count++] = sq;
}

/* Copies `from` to `to`, nearer boxes first: up to 16 boxes exactly, longer lists by 32
 * buckets between 0 and `threshold`, stable within a bucket. Linear in from->count. */
void ct_box_list_sort(const struct ct_box_list *from, float threshold, struct ct_box_list *to);

#endif
