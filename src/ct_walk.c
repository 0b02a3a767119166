/* ct_walk.c: see ct_walk.h. */
#include "ct_walk.h"
#include "ct_distance.h"

static int too_far(const struct ct_walk *walk, double sq, int node)
{
    return sq > walk->sq_limit ||
           (sq == walk->sq_limit && walk->tree->min_row[node] > walk->limit_row);
}

static void visit_points(struct ct_walk *walk, int begin, int end)
{
    const struct ct_tree *t = walk->tree;
    double sq[CT_TILE];
    for (int at = begin; at < end; at += CT_TILE) {
        int count = end - at < CT_TILE ? end - at : CT_TILE;
        walk->kernels->sqdist(t->points + at, (size_t)t->n, t->d, count, walk->q, sq);
        walk->leaf(walk, at, at + count, sq);
    }
}

/* Puts the children worth a visit on the stack, the nearest on top. */
static int push_children(struct ct_walk *walk, int node, int top)
{
    const struct ct_tree *t = walk->tree;
    int bottom = top, child = ct_child(t, node), last = child + ct_count_children(t, node);
    double sq[CT_TILE];
    for (; child < last; child += CT_TILE) {
        int count = last - child < CT_TILE ? last - child : CT_TILE;
        walk->kernels->box_sqdist(t->lower + child, t->upper + child, (size_t)t->nodes, t->d,
                                  count, walk->q, sq);
        for (int c = 0; c < count; c++) {
            if (too_far(walk, sq[c], child + c))
                continue;
            int at = top++;
            for (; at > bottom && walk->stack[at - 1].sq < sq[c]; at--)
                walk->stack[at] = walk->stack[at - 1];
            walk->stack[at] = (struct ct_visit){sq[c], child + c};
        }
    }
    return top;
}

void ct_walk(struct ct_walk *walk)
{
    const struct ct_tree *t = walk->tree;
    int top = 0;
    walk->stack[top++] = (struct ct_visit){0, 0};
    while (top > 0) {
        struct ct_visit visit = walk->stack[--top];
        if (too_far(walk, visit.sq, visit.node))
            continue;
        if (t->first_child[visit.node] == 0)
            visit_points(walk, ct_begin(t, visit.node), ct_end(t, visit.node));
        else
            top = push_children(walk, visit.node, top);
    }
}

void ct_scan(struct ct_walk *walk)
{
    visit_points(walk, 0, walk->tree->n);
}
