/* metric_tree.c: checks of a tree; see metric_tree.h.
 *
 * A saved tree may contain anything. The check of links makes every loop of a search end, and every
 * index that a search computes from the arrays stay inside them: rows are a permutation, the
 * children of a node are later nodes in one run and split its points, centers and pivots are
 * positions of the tree. The check of distances keeps NaN, infinities and negative numbers out of
 * the bounds.
 */
#include "core/metric_space/metric_tree.h"

#include <math.h>
#include <string.h>

size_t ct_metric_length(const struct ct_metric_tree *t, enum ct_metric_shape shape)
{
    size_t n = (size_t)t->n, nodes = (size_t)t->nodes, pivots = (size_t)t->pivots;
    switch (shape) {
    case CT_OF_POINTS:
        return n;
    case CT_OF_NODES:
        return nodes;
    case CT_OF_PIVOTS:
        return pivots;
    case CT_PIVOTS_BY_POINTS:
        return pivots * n;
    default:
        return pivots * nodes;
    }
}

/* Whether all values are finite and not negative. */
static int are_distances(const double *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(value[i] >= 0) || !isfinite(value[i]))
            return 0;
    return 1;
}

/* Whether the rows are a permutation of 1 .. n. O(n), with n bytes of scratch. */
static int are_rows(const struct ct_host *host, const struct ct_metric_tree *t)
{
    char *found = host->alloc((size_t)t->n, 1);
    memset(found, 0, (size_t)t->n);
    for (int pos = 0; pos < t->n; pos++) {
        int row = t->row[pos];
        if (row < 1 || row > t->n || found[row - 1])
            return 0;
        found[row - 1] = 1;
    }
    return 1;
}

/* Whether the children of a node are the next nodes in order and split its run of points. `next` is
 * the first node that is no child of an earlier node; it is moved on. */
static int are_children(const struct ct_metric_tree *t, int node, int *next)
{
    if (t->first_child[node] == 0)
        return 1;
    int child = t->first_child[node] - 1, begin = t->subtree_begin[node];
    if (child != *next || child <= node)
        return 0;
    for (;; child++) {
        if (child >= t->nodes || t->parent[child] != node + 1 || t->subtree_begin[child] != begin ||
            t->subtree_end[child] < begin || t->subtree_end[child] > t->subtree_end[node])
            return 0;
        begin = t->subtree_end[child] + 1;
        if (t->next_sibling[child] == 0)
            break;
        if (t->next_sibling[child] != child + 2)
            return 0;
    }
    *next = child + 1;
    return begin == t->subtree_end[node] + 1;
}

/* Returns the name of the first array with a wrong link; NULL if there is none. O(nodes + pivots).
 * The first pivot is the center of the root: searches start with its distance. */
static const char *wrong_link(const struct ct_metric_tree *t)
{
    int next = 1;
    if (t->parent[0] != 0 || t->next_sibling[0] != 0)
        return "parent";
    if (t->subtree_begin[0] != 1 || t->subtree_end[0] != t->n)
        return "subtree_end";
    for (int node = 0; node < t->nodes; node++) {
        if (!are_children(t, node, &next))
            return "first_child";
        if (t->center[node] < t->subtree_begin[node] || t->center[node] > t->subtree_end[node])
            return "center";
    }
    if (next != t->nodes)
        return "parent";
    for (int j = 0; j < t->pivots; j++)
        if (t->pivot[j] < 1 || t->pivot[j] > t->n)
            return "pivot";
    return t->pivot[0] == t->center[0] ? NULL : "pivot";
}

const char *ct_metric_tree_check(const struct ct_host *host, const struct ct_metric_tree *t)
{
    if (!are_rows(host, t))
        return "row";
    const char *wrong = wrong_link(t);
    if (wrong)
        return wrong;
    const struct {
        const char *name;
        const double *value;
        enum ct_metric_shape shape;
    } distances[] = {{"radius", t->radius, CT_OF_NODES},
                     {"to_parent", t->to_parent, CT_OF_NODES},
                     {"nearest", t->nearest, CT_OF_NODES},
                     {"farthest", t->farthest, CT_OF_NODES},
                     {"to_center", t->to_center, CT_OF_POINTS},
                     {"pivot_distance", t->pivot_distance, CT_PIVOTS_BY_POINTS},
                     {"lower", t->lower, CT_PIVOTS_BY_NODES},
                     {"upper", t->upper, CT_PIVOTS_BY_NODES}};
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++)
        if (!are_distances(distances[i].value, ct_metric_length(t, distances[i].shape)))
            return distances[i].name;
    return NULL;
}

/* Whether three distances, d(q, x), d(q, p) and d(x, p), keep the triangle inequality up to the
 * rounding errors of all three, each at most `tolerance` of its distance. */
static int is_triangle(double qx, double qp, double xp, double tolerance)
{
    double rounding = tolerance * (qx + qp + xp);
    return qx <= qp + xp + rounding && qp <= qx + xp + rounding && xp <= qx + qp + rounding;
}

enum { NEXT_PIVOTS = 4 }; /* pivots with which a pivot is checked */

/* The first breach in the order of (pivot, pivot, position) is reported. */
void ct_check_pivots(const struct ct_metric_tree *t, struct ct_distance_function *f)
{
    if (!f->refuse)
        return;
    for (int i = 0; i < t->pivots; i++)
        for (int j = i + 1; j < t->pivots && j <= i + NEXT_PIVOTS; j++) {
            int one = t->pivot[i] - 1, other = t->pivot[j] - 1;
            double apart = ct_pivot_distances(t, one)[j];
            for (int pos = 0; pos < t->n; pos++) {
                const double *x = ct_pivot_distances(t, pos);
                if (!is_triangle(apart, x[i], x[j], f->tolerance))
                    f->refuse(f->data, t->row[one], t->row[other], t->row[pos]);
            }
        }
}
