/* arrays.c: see arrays.h.
 *
 * The table as data. Code that treats all arrays alike loops over ct_array_info; code that
 * needs the C type of an array expands CT_TREE_ARRAYS.
 */
#include "core/tree/arrays.h"

#define ARRAY_INFO(NAME, name, type, shape) {#name, CT_TYPE_##type, shape},
const struct ct_array_info ct_array_info[CT_ARRAYS] = {CT_TREE_ARRAYS(ARRAY_INFO)};

size_t ct_array_length(enum ct_array array, int n, int d, int nodes)
{
    switch (ct_array_info[array].shape) {
    case CT_SHAPE_N:
        return (size_t)n;
    case CT_SHAPE_N_D:
        return (size_t)n * d;
    case CT_SHAPE_NODES:
        return (size_t)nodes;
    default:
        return (size_t)nodes * d;
    }
}
