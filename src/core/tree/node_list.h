/* node_list.h: the cells of a tree under construction, in a list that grows. */
#ifndef COVERTREE_TREE_NODE_LIST_H
#define COVERTREE_TREE_NODE_LIST_H

#include "core/tree/tree.h"

struct ct_build_node {
    int begin, end; /* positions, half open */
    int center, parent, first_child, children;
    int nest; /* the child that keeps the center */
    int level;
    double radius;
};

struct ct_node_list {
    struct ct_build_node *cell;
    int count, room;
};

struct ct_node_list *ct_node_list_new(const struct ct_host *host, int room);
void ct_node_list_reserve(const struct ct_host *host, struct ct_node_list *cells, int more);

#endif
