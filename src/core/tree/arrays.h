/* arrays.h: the arrays of a tree: the name, type and shape of each, in one table.
 *
 * The table lists the arrays of a tree once for all users: struct
 * ct_tree, the memory of a build, validation, and a host that saves the arrays, checks
 * their types, and names them in messages. A new array needs a new line of CT_TREE_ARRAYS
 * and code to fill the array.
 */
#ifndef COVERTREE_TREE_ARRAYS_H
#define COVERTREE_TREE_ARRAYS_H

#include "core/host.h"
#include "core/util/float.h"

#include <stddef.h>

/* ARRAY(NAME, name, type, shape) for each array, in the order of a saved list of
 * arrays. Matrices are column-major. Numbers of positions and nodes are stored 1-based,
 * with 0 for "none", because R users read the arrays.
 *
 *   points          coordinates of the points, by position
 *   row             user's row of each position, from 1
 *   center          position of the node's center
 *   parent          parent of the node; 0 for the root
 *   first_child     first child; 0 for a leaf
 *   next_sibling    next child of the same parent; 0 for the last child
 *   subtree_begin   first position of the node's points
 *   subtree_end     last position of the node's points, inclusive
 *   level           least level with a cover radius of at least `radius`; CT_NO_LEVEL for 0
 *   min_row         smallest row of the node's points
 *   radius          largest distance of the node's points to the center
 *   lower, upper    bounding box of the node's points
 */
#define CT_TREE_ARRAYS(ARRAY)                                                                      \
    ARRAY(POINTS, points, double, CT_SHAPE_N_D)                                                    \
    ARRAY(ROW, row, int, CT_SHAPE_N)                                                               \
    ARRAY(CENTER, center, int, CT_SHAPE_NODES)                                                     \
    ARRAY(PARENT, parent, int, CT_SHAPE_NODES)                                                     \
    ARRAY(FIRST_CHILD, first_child, int, CT_SHAPE_NODES)                                           \
    ARRAY(NEXT_SIBLING, next_sibling, int, CT_SHAPE_NODES)                                         \
    ARRAY(SUBTREE_BEGIN, subtree_begin, int, CT_SHAPE_NODES)                                       \
    ARRAY(SUBTREE_END, subtree_end, int, CT_SHAPE_NODES)                                           \
    ARRAY(LEVEL, level, int, CT_SHAPE_NODES)                                                       \
    ARRAY(MIN_ROW, min_row, int, CT_SHAPE_NODES)                                                   \
    ARRAY(RADIUS, radius, double, CT_SHAPE_NODES)                                                  \
    ARRAY(LOWER, lower, double, CT_SHAPE_NODES_D)                                                  \
    ARRAY(UPPER, upper, double, CT_SHAPE_NODES_D)

/* Identifies an array: CT_ARRAY_POINTS, CT_ARRAY_ROW, ... CT_NO_ARRAY stands for "none of
 * them"; CT_ARRAYS is their number. */
#define CT_ARRAY_ID(NAME, name, type, shape) CT_ARRAY_##NAME,
enum ct_array { CT_NO_ARRAY = -1, CT_TREE_ARRAYS(CT_ARRAY_ID) CT_ARRAYS };
#undef CT_ARRAY_ID

enum ct_array_type { CT_TYPE_int, CT_TYPE_double };

/* Vectors [n] or [nodes], and matrices [n x d] or [nodes x d], column-major. */
enum ct_array_shape { CT_SHAPE_N, CT_SHAPE_N_D, CT_SHAPE_NODES, CT_SHAPE_NODES_D };

/* The table as data, indexed by enum ct_array. */
struct ct_array_info {
    const char *name;
    enum ct_array_type type;
    enum ct_array_shape shape;
};
extern const struct ct_array_info ct_array_info[CT_ARRAYS];

/* The arrays of a tree under construction. struct ct_tree has the same arrays, read only. */
#define CT_ARRAY_POINTER(NAME, name, type, shape) type *name;
struct ct_tree_arrays {
    int n, d, nodes;
    CT_TREE_ARRAYS(CT_ARRAY_POINTER)
};
#undef CT_ARRAY_POINTER

/* Length of an array [values] of a tree of n points in d dimensions. */
size_t ct_array_length(enum ct_array array, int n, int d, int nodes);

/* Memory that outlives a call into the core. alloc() returns room for `count` values of
 * `size` bytes, aligned for doubles, and may leave by a long jump. `array` names the array
 * of a tree that the memory is for; CT_NO_ARRAY: tiles, or a list of trees. Called on the main
 * thread only. */
struct ct_memory {
    void *(*alloc)(void *context, enum ct_array array, size_t count, size_t size);
    void *context;
};

/* Allocates from `memory` or, if `memory` is NULL, from the host: memory that
 * lives as long as the host's call. */
static inline void *ct_memory_alloc(const struct ct_host *host, const struct ct_memory *memory,
                                    enum ct_array array, size_t count, size_t size)
{
    return memory ? memory->alloc(memory->context, array, count, size) : host->alloc(count, size);
}

#endif
