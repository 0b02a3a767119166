/* sorted_list.c: see sorted_list.h. */
#include "core/topk/sorted_list.h"
#include "core/topk/select.h"

#include <string.h>

static int before(const struct ct_sorted_list *top, int at, double sq, int row)
{
    return top->sq[at] < sq || (top->sq[at] == sq && top->row[at] < row);
}

int ct_sorted_list_insert(struct ct_sorted_list *top, double sq, int row)
{
    int low = 0, high = top->count;
    if (high == top->most) {
        if (high == 0 || before(top, high - 1, sq, row))
            return top->most;
        high--;
    } else {
        top->count++;
    }
    size_t last = (size_t)high;
    while (low < high) {
        int middle = (low + high) / 2;
        if (before(top, middle, sq, row))
            low = middle + 1;
        else
            high = middle;
    }
    memmove(top->sq + low + 1, top->sq + low, (last - (size_t)low) * sizeof *top->sq);
    memmove(top->row + low + 1, top->row + low, (last - (size_t)low) * sizeof *top->row);
    top->sq[low] = sq;
    top->row[low] = row;
    return low;
}

void ct_sorted_list_sort(struct ct_sorted_list *top, const struct ct_kernels *kernels)
{
    int count = top->count;
    if (count <= CT_RANK_SORT_MAX) {
        ct_sort_by_rank(top->sq, top->row, count, kernels);
        return;
    }
    top->count = 0;
    for (int i = 0; i < count; i++)
        ct_sorted_list_insert(top, top->sq[i], top->row[i]);
}
