/* sorted_list.c: insertion by bisection; see sorted_list.h.
 *
 * Squares are compared, not distances, to save the roots. Two squares with equal roots are then in
 * the order of the squares; ct_sort_neighbors() of select.h puts a finished list in the order of
 * (distance, row).
 */
#include "core/topk/sorted_list.h"
#include "core/topk/select.h"

#include <string.h>

/* Whether an entry comes before a candidate. Rows are distinct, so the order is total. */
static int entry_is_before(const struct ct_sorted_list *list, int entry, double sq, int row)
{
    return list->sq[entry] < sq || (list->sq[entry] == sq && list->row[entry] < row);
}

/* Bisection for the index of the candidate; the entries from there on move up by one. A full list
 * loses its last entry. */
int ct_sorted_list_insert(struct ct_sorted_list *list, double sq, int row)
{
    int low = 0, high = list->count;
    if (high == list->capacity) {
        if (high == 0 || entry_is_before(list, high - 1, sq, row))
            return list->capacity;
        high--;
    } else {
        list->count++;
    }
    size_t last = (size_t)high;
    while (low < high) {
        int middle = (low + high) / 2;
        if (entry_is_before(list, middle, sq, row))
            low = middle + 1;
        else
            high = middle;
    }
    memmove(list->sq + low + 1, list->sq + low, (last - (size_t)low) * sizeof *list->sq);
    memmove(list->row + low + 1, list->row + low, (last - (size_t)low) * sizeof *list->row);
    list->sq[low] = sq;
    list->row[low] = row;
    return low;
}

void ct_sorted_list_sort(struct ct_sorted_list *list, const struct ct_kernels *kernels)
{
    int count = list->count;
    if (count <= CT_RANK_SORT_MAX) {
        ct_sort_by_rank(list->sq, list->row, count, kernels);
        return;
    }
    list->count = 0;
    for (int i = 0; i < count; i++)
        ct_sorted_list_insert(list, list->sq[i], list->row[i]);
}
