/* ct_tree.c: what a search must know of a tree beyond its arrays. */
#include "ct_build.h"

/* A walk takes a node off its stack and puts its children on, so what waits is
 * at most the widest family of each depth. Depths are runs of node numbers:
 * the children of one depth begin where that depth ends. */
void ct_tree_derive(struct ct_tree *t)
{
    int from = 0, to = 1;
    t->stack_size = 1;
    while (from < to) {
        int widest = 0, end = to;
        for (int node = from; node < to; node++) {
            if (t->first_child[node] == 0)
                continue;
            int children = ct_count_children(t, node);
            widest = children > widest ? children : widest;
            end = ct_child(t, node) + children;
        }
        t->stack_size += widest;
        from = to;
        to = end;
    }
}
