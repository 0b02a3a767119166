/* node_list.h: the cells of a tree under construction, in a list that grows. */
#ifndef COVERTREE_TREE_NODE_LIST_H
#define COVERTREE_TREE_NODE_LIST_H

#include "core/tree/tree.h"

struct ct_cell {
    int begin, end; /* positions, half open */
    int hub, parent, first_child, children;
    int nest; /* the child that keeps the hub */
    int level;
    double radius;
};

struct ct_cells {
    struct ct_cell *cell;
    int count, room;
};

struct ct_cells *ct_cells_new(const struct ct_host *host, int room);
void ct_cells_reserve(const struct ct_host *host, struct ct_cells *cells, int more);

#endif
