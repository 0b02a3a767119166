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

enum { BLOCK = 512 }; /* nodes in a block of work */

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

/* The task of storing boxes and smallest rows. */
struct box_task {
    const struct ct_node_list *nodes;
    const struct ct_tree_arrays *arrays;
};

/* Returns the smallest of `count` rows. */
static int smallest_row(const int *row, int count)
{
    int least = row[0];
    for (int i = 1; i < count; i++)
        least = row[i] < least ? row[i] : least;
    return least;
}

/* One block of work: the boxes and smallest rows of the leaves among BLOCK nodes. */
static void store_leaves(void *data, int block, int thread)
{
    const struct box_task *task = data;
    const struct ct_tree_arrays *arrays = task->arrays;
    int count = task->nodes->count, first = block * BLOCK;
    for (int i = first; i < count && i - first < BLOCK; i++) {
        const struct ct_build_node *node = &task->nodes->node[i];
        int size = node->end - node->begin;
        if (node->children > 0)
            continue;
        arrays->min_row[i] = smallest_row(arrays->row + node->begin, size);
        for (int j = 0; j < arrays->d; j++)
            ct_column_range(arrays->points + node->begin + (size_t)j * arrays->n, size,
                            &arrays->lower[i + (size_t)j * count],
                            &arrays->upper[i + (size_t)j * count]);
    }
    (void)thread;
}

/* Stores the smallest and the largest value of one coordinate for the nodes with children.
 * lower, upper: [nodes]. */
static void join_boxes(const struct ct_node_list *nodes, double *lower, double *upper)
{
    for (int i = nodes->count - 1; i >= 0; i--) {
        const struct ct_build_node *node = &nodes->node[i];
        if (node->children == 0)
            continue;
        double least = lower[node->first_child], most = upper[node->first_child];
        for (int c = node->first_child + 1; c < node->first_child + node->children; c++) {
            least = lower[c] < least ? lower[c] : least;
            most = upper[c] > most ? upper[c] : most;
        }
        lower[i] = least;
        upper[i] = most;
    }
}

/* Stores the smallest rows of the nodes with children. min_row: [nodes]. */
static void join_rows(const struct ct_node_list *nodes, int *min_row)
{
    for (int i = nodes->count - 1; i >= 0; i--) {
        const struct ct_build_node *node = &nodes->node[i];
        if (node->children > 0)
            min_row[i] = smallest_row(min_row + node->first_child, node->children);
    }
}

void ct_node_list_store(const struct ct_host *host, const struct ct_node_list *nodes,
                        const struct ct_tree_arrays *arrays, int threads)
{
    struct box_task task = {nodes, arrays};
    store_links(nodes, arrays);
    ct_parallel_for(host, nodes->count / BLOCK + 1, threads, store_leaves, &task);
    join_rows(nodes, arrays->min_row);
    for (int j = 0; j < arrays->d; j++)
        join_boxes(nodes, arrays->lower + (size_t)j * nodes->count,
                   arrays->upper + (size_t)j * nodes->count);
}
