/* node_list.h: the nodes of a tree under construction, in a list that grows.
 *
 * Used by the build only. A node takes 48 bytes; the finished tree keeps arrays
 * instead (arrays.h).
 */
#ifndef COVERTREE_TREE_NODE_LIST_H
#define COVERTREE_TREE_NODE_LIST_H

#include "core/tree/arrays.h"

struct ct_build_node {
    int begin, end;   /* positions of the points: begin, ..., end - 1 */
    int center;       /* position */
    int parent;       /* number of the parent; -1 for the root */
    int first_child;  /* number of the first child, if there are children */
    int children;     /* number of children; 0 for a leaf, and before the split */
    int nested_child; /* number of the child that has the same center */
    int level;
    double radius;
};

struct ct_node_list {
    struct ct_build_node *node; /* [capacity]; the first `count` are in use */
    int count, capacity;
};

/* Returns an empty list, in the host's memory, with room for `capacity` nodes. */
struct ct_node_list *ct_node_list_new(const struct ct_host *host, int capacity);

/* Makes room for `more` nodes beyond `count`. Moves the nodes to new memory of at least twice
 * the size if the capacity does not suffice; pointers to nodes are invalid then. */
void ct_node_list_reserve(const struct ct_host *host, struct ct_node_list *nodes, int more);

/* Fills the arrays of a tree from nodes in breadth-first order. Needs
 * n, d, nodes, points and row in `arrays`, and room in the arrays of nodes. Time O(n d) for the
 * leaves, shared by `threads` threads; the rest is O(nodes d) on the calling thread. */
void ct_node_list_store(const struct ct_host *host, const struct ct_node_list *nodes,
                        const struct ct_tree_arrays *arrays, int threads);

#endif
