/* node_list.c: growing the list of nodes, and storing the nodes in the arrays of a tree.
 *
 * A leaf gets box and smallest row from the points, another node from the children. Children
 * have higher numbers than their parent: in a pass from the last node to the first, all
 * children of a node are finished before the node.
 */
#include "core/tree/node_list.h"
#include "core/util/column_range.h"
#include "core/util/parallel_for.h"

#include <limits.h>
#include <string.h>

struct ct_node_list *ct_node_list_new(const struct ct_host *host, int capacity)
{
    struct ct_node_list *nodes = host->alloc(1, sizeof *nodes);
    *nodes = (struct ct_node_list){host->alloc((size_t)capacity, sizeof *nodes->node), 0, capacity};
    return nodes;
}

void ct_node_list_reserve(const struct ct_host *host, struct ct_node_list *nodes, int more)
{
    if (nodes->capacity - nodes->count >= more)
        return;
    long long capacity = 2LL * nodes->capacity + more;
    if (capacity > INT_MAX)
        capacity = INT_MAX;
    struct ct_build_node *grown = host->alloc((size_t)capacity, sizeof *grown);
    memcpy(grown, nodes->node, (size_t)nodes->count * sizeof *grown);
    nodes->node = grown;
    nodes->capacity = (int)capacity;
}

/* Stores links, centers, levels and radii. Siblings have consecutive numbers, so a node is
 * the last child if the next node has another parent. */
static void store_links(const struct ct_node_list *nodes, const struct ct_tree_arrays *arrays)
{
    for (int i = 0; i < nodes->count; i++) {
        const struct ct_build_node *node = &nodes->node[i];
        arrays->center[i] = node->center + 1;
        arrays->parent[i] = node->parent + 1;
        arrays->subtree_begin[i] = node->begin + 1;
        arrays->subtree_end[i] = node->end;
        arrays->level[i] = node->level;
        arrays->radius[i] = node->radius;
        arrays->first_child[i] = node->children > 0 ? node->first_child + 1 : 0;
        int last = i + 1 == nodes->count || nodes->node[i + 1].parent != node->parent;
        arrays->next_sibling[i] = last ? 0 : i + 2;
    }
}

/* Stores the smallest and the largest value of one coordinate for every node.
 * x: [n] the coordinate of all points; lower, upper: [nodes]. */
static void store_box_column(const struct ct_node_list *nodes, const double *x, double *lower,
                             double *upper)
{
    for (int i = nodes->count - 1; i >= 0; i--) {
        const struct ct_build_node *node = &nodes->node[i];
        if (node->children == 0) {
            ct_column_range(x + node->begin, node->end - node->begin, &lower[i], &upper[i]);
            continue;
        }
        double least = lower[node->first_child], most = upper[node->first_child];
        for (int c = node->first_child + 1; c < node->first_child + node->children; c++) {
            least = lower[c] < least ? lower[c] : least;
            most = upper[c] > most ? upper[c] : most;
        }
        lower[i] = least;
        upper[i] = most;
    }
}

/* Stores the smallest row of every node. row: [n]; min_row: [nodes]. */
static void store_min_row(const struct ct_node_list *nodes, const int *row, int *min_row)
{
    for (int i = nodes->count - 1; i >= 0; i--) {
        const struct ct_build_node *node = &nodes->node[i];
        int leaf = node->children == 0;
        const int *from = leaf ? row + node->begin : min_row + node->first_child;
        int count = leaf ? node->end - node->begin : node->children, least = from[0];
        for (int c = 1; c < count; c++)
            least = from[c] < least ? from[c] : least;
        min_row[i] = least;
    }
}

/* The task of storing the boxes of all nodes; its blocks are coordinates. */
struct box_task {
    const struct ct_node_list *nodes;
    const struct ct_tree_arrays *arrays;
};

/* One block of work: the boxes of all nodes in one coordinate. */
static void store_boxes(void *data, int column, int thread)
{
    const struct box_task *task = data;
    size_t at = (size_t)column * task->nodes->count;
    store_box_column(task->nodes, task->arrays->points + (size_t)column * task->arrays->n,
                     task->arrays->lower + at, task->arrays->upper + at);
    (void)thread;
}

void ct_node_list_store(const struct ct_host *host, const struct ct_node_list *nodes,
                        const struct ct_tree_arrays *arrays, int threads)
{
    struct box_task task = {nodes, arrays};
    store_links(nodes, arrays);
    store_min_row(nodes, arrays->row, arrays->min_row);
    ct_parallel_for(host, arrays->d, threads, store_boxes, &task);
}
