/* build_state.h: the state of a build in progress, and loops that threads may share. */
#ifndef COVERTREE_TREE_BUILD_STATE_H
#define COVERTREE_TREE_BUILD_STATE_H

#include "core/tree/node_list.h"

#include <stdint.h>

struct ct_kernels;

/* One child of a split node. The children lie in the memory of the thread that splits the node, in
 * the order of the choice of their centers, until they are in the list of nodes; child 0 keeps the
 * node's center. */
struct ct_split_child {
    int center; /* position */
    int end;    /* after the split: end of the run of points (last position + 1) */
    int ranked; /* in entry r: index of the child with the r-th run of points */
};

/* The points of a node, in blocks of consecutive points: blocks of work. */
struct ct_point_blocks {
    int begin, end, blocks;
};

/* First point of a block; the end of the node for the block after the last. */
static inline int ct_block_begin(const struct ct_point_blocks *node, int block)
{
    return node->begin + (int)((long long)(node->end - node->begin) * block / node->blocks);
}

/* A build in progress. Entries of the arrays [n] that belong to the points of one node are
 * used only by the threads that split the node. */
struct ct_build_state {
    const struct ct_host *host;
    const struct ct_kernels *kernels;
    double *points; /* [n x d, column-major] in tree order as far as nodes are split */
    int *row;       /* [n] */
    int n, d, leaf_size, threads;
    int shared;     /* whether a split uses all threads, as is possible outside of parallel regions;
                     * otherwise it uses one thread */
    double *sqdist; /* [n] squared distance of a point to the nearest center so far; then, memory
                     * for the moves of the points */
    int *assigned;  /* [n] index of the point's child; then, the point's new position */
    uint32_t *buffer; /* [n] for large nodes: summaries of chunks; then, memory for the moves */
    double *local;    /* [threads x local_points] for the other nodes: the same */
    int local_points, max_children;
    struct ct_split_child *child; /* [threads x max_children] */
    double *center_coords;        /* [threads x max_children x d] of the centers of a split */
    struct ct_node_list *nodes;
    int *pending; /* [branches] first waiting node of each branch; -1: none */
};

/* Returns the children of the node that this thread splits. */
struct ct_split_child *ct_split_children(const struct ct_build_state *state);

/* Returns memory for a node of s points, of the thread that splits the node: s doubles, or
 * (s - 1) / 2 doubles if the node is large. Other threads may use the memory, too. */
double *ct_node_buffer(const struct ct_build_state *state, int begin, int end);

/* Whether a node has more than state->local_points points. */
static inline int ct_is_large_node(const struct ct_build_state *state, int begin, int end)
{
    return end - begin > state->local_points;
}

/* Runs run(task, block, thread) for blocks 0 to blocks - 1: on all threads if the split is shared,
 * else on this thread. */
void ct_build_loop(const struct ct_build_state *state, int blocks,
                   void (*run)(void *task, int block, int thread), void *task);

#endif
