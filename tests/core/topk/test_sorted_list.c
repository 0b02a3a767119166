/* test_sorted_list.c: the nearest of points that come one by one, against all of them in order,
 * with the kernels of every instruction set. */
#include "check.h"
#include "clouds.h"
#include "core/topk/select.h"
#include "core/topk/sorted_list.h"
#include "host.h"

#include <stdlib.h>

enum { MOST = 150 };

static int compare(const void *one, const void *other)
{
    const struct ct_neighbor *a = one, *b = other;
    if (a->sq != b->sq)
        return a->sq < b->sq ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* Distinct rows in any order; of `levels` distances, if that is not 0. */
static void draw(struct ct_neighbor *found, int n, int levels)
{
    for (int i = 0; i < n; i++) {
        int other = random_below(i + 1);
        found[i].row = found[other].row;
        found[other].row = i + 1;
        found[i].sq = 0;
    }
    for (int i = 0; i < n; i++)
        found[i].sq = levels ? random_below(levels) : random_uniform();
}

static int alike(const struct ct_sorted_list *top, const struct ct_neighbor *want)
{
    for (int i = 0; i < top->count; i++)
        if (top->sq[i] != want[i].sq || top->row[i] != want[i].row)
            return 0;
    return 1;
}

/* The first `begin` are put in order together, the others one by one. */
static void check_one(int n, int most, int begin, int levels, const struct ct_kernels *kernels)
{
    struct ct_neighbor found[MOST], want[MOST];
    struct ct_sorted_list top = {.sq = keep((size_t)most + CT_SELECT_PAD, sizeof(double)),
                                 .row = keep((size_t)most + 1, sizeof(int)),
                                 .capacity = most};
    int misplaced = 0;
    draw(found, n, levels);
    for (int i = 0; i < begin; i++) {
        top.sq[i] = found[i].sq;
        top.row[i] = found[i].row;
    }
    top.count = begin;
    ct_sorted_list_sort(&top, kernels);
    for (int i = 0; i < n; i++) {
        if (i >= begin) {
            int place = ct_sorted_list_insert(&top, found[i].sq, found[i].row);
            misplaced += place < most ? top.row[place] != found[i].row : place != most;
        }
        want[i] = found[i];
    }
    qsort(want, (size_t)n, sizeof *want, compare);
    check_about("%d points, %d kept, %d at once, %d levels, %s", n, most, begin, levels,
                kernels->name);
    CHECK(top.count == (n < most ? n : most));
    CHECK(misplaced == 0);
    CHECK(alike(&top, want));
    keep_end();
}

int main(void)
{
    static const int kept[] = {0, 1, 2, 7, 64, 120};
    for (int level = 0; level <= (int)ct_simd_best(); level++)
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
            for (int n = 0; n <= MOST; n += 1 + n / 6)
                for (int levels = 0; levels < 9; levels += 4) {
                    int most = n < kept[i] ? n : kept[i];
                    const struct ct_kernels *kernels = ct_kernels((enum ct_simd_level)level);
                    check_one(n, kept[i], 0, levels, kernels);
                    check_one(n, kept[i], most, levels, kernels);
                    check_one(n, kept[i], random_below(most + 1), levels, kernels);
                }
    return check_done("sorted_list");
}
