/* test_sorted_list.c: sorted lists, filled by sorting and by insertions, against a sort of all
 * candidates, with the kernels of every instruction set. */
#include "check.h"
#include "clouds.h"
#include "core/topk/select.h"
#include "core/topk/sorted_list.h"
#include "host.h"

#include <stdlib.h>

enum { MAX_N = 150 };

static int compare(const void *one, const void *other)
{
    const struct ct_neighbor *a = one, *b = other;
    if (a->sq != b->sq)
        return a->sq < b->sq ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* Candidates with distinct rows in random order; `levels` different distances, 0: any. */
static void draw(struct ct_neighbor *offered, int n, int levels)
{
    for (int i = 0; i < n; i++) {
        int other = random_below(i + 1);
        offered[i].row = offered[other].row;
        offered[other].row = i + 1;
        offered[i].sq = 0;
    }
    for (int i = 0; i < n; i++)
        offered[i].sq = levels ? random_below(levels) : random_uniform();
}

static int is_equal(const struct ct_sorted_list *list, const struct ct_neighbor *want)
{
    for (int i = 0; i < list->count; i++)
        if (list->sq[i] != want[i].sq || list->row[i] != want[i].row)
            return 0;
    return 1;
}

/* The first `begin` candidates are sorted together, the others inserted one by one. */
static void check_one(int n, int capacity, int begin, int levels, const struct ct_kernels *kernels)
{
    struct ct_neighbor offered[MAX_N], want[MAX_N];
    struct ct_sorted_list list = {.sq = keep((size_t)capacity + CT_SELECT_PAD, sizeof(double)),
                                  .row = keep((size_t)capacity + 1, sizeof(int)),
                                  .capacity = capacity};
    int misplaced = 0;
    draw(offered, n, levels);
    for (int i = 0; i < begin; i++) {
        list.sq[i] = offered[i].sq;
        list.row[i] = offered[i].row;
    }
    list.count = begin;
    ct_sorted_list_sort(&list, kernels);
    for (int i = 0; i < n; i++) {
        if (i >= begin) {
            int place = ct_sorted_list_insert(&list, offered[i].sq, offered[i].row);
            misplaced += place < capacity ? list.row[place] != offered[i].row : place != capacity;
        }
        want[i] = offered[i];
    }
    qsort(want, (size_t)n, sizeof *want, compare);
    check_about("%d points, capacity %d, %d at once, %d levels, %s", n, capacity, begin, levels,
                kernels->name);
    CHECK(list.count == (n < capacity ? n : capacity));
    CHECK(misplaced == 0);
    CHECK(is_equal(&list, want));
    keep_end();
}

int main(void)
{
    static const int capacities[] = {0, 1, 2, 7, 64, 120};
    for (int level = 0; level <= (int)ct_simd_best(); level++)
        for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++)
            for (int n = 0; n <= MAX_N; n += 1 + n / 6)
                for (int levels = 0; levels < 9; levels += 4) {
                    int full = n < capacities[i] ? n : capacities[i];
                    const struct ct_kernels *kernels = ct_kernels((enum ct_simd_level)level);
                    check_one(n, capacities[i], 0, levels, kernels);
                    check_one(n, capacities[i], full, levels, kernels);
                    check_one(n, capacities[i], random_below(full + 1), levels, kernels);
                }
    return check_done("sorted_list");
}
