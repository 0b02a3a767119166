/* test_interval_topk.c: the k smallest of values known by bounds are those of sorting the exact
 * values: tight and wide bounds, bounds at one end, ties, squares with equal roots. Tight bounds
 * leave most candidates unrefined; thresholds are never below the k-th value. */
#include "check.h"
#include "clouds.h"
#include "core/topk/interval_topk.h"
#include "host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_N = 3000 };

enum values { UNIFORM, FEW_LEVELS, ALL_EQUAL, EQUAL_ROOTS, FALLING, VALUES };
enum bounds { TIGHT, WIDE, TRIVIAL, EXACT, LOW_END, HIGH_END, MIXED, BOUNDS };

/* The exact values, and what refinement asked for. */
struct truth {
    double sq[MAX_N];
    char refined[MAX_N];
    int query, calls, twice, wrong_query;
};

static struct truth truth;

static double draw_value(enum values values, int i, int n)
{
    switch (values) {
    case FEW_LEVELS:
        return random_below(4) / 4.0;
    case ALL_EQUAL:
        return 0.5;
    case EQUAL_ROOTS: /* neighbors of 0.75 whose roots are mostly equal */
        return 0.75 + random_below(4) * 0x1p-53;
    case FALLING: /* every candidate is the best so far */
        return 1 - (i + 0.5) / n;
    default:
        return random_uniform();
    }
}

static void draw_bounds(enum bounds bounds, double sq, double *lower, double *upper)
{
    double width = bounds == TIGHT   ? 1e-9
                   : bounds == WIDE  ? 0.5
                   : bounds == MIXED ? pow(10, -10 * random_uniform())
                                     : 0.1;
    double below = bounds == LOW_END ? 0 : bounds == HIGH_END ? width : width * random_uniform();
    *lower = fmax(0, sq - below);
    *upper = fmin(1, sq + (bounds == HIGH_END ? 0 : width - below));
    if (bounds == TRIVIAL)
        *lower = 0, *upper = 1;
    if (bounds == EXACT || *lower > sq || *upper < sq)
        *lower = *upper = sq;
}

static void refine(void *context, int query, const int *pos, int count, double *sq)
{
    struct truth *t = context;
    t->wrong_query += query != t->query;
    for (int i = 0; i < count; i++) {
        t->twice += t->refined[pos[i]];
        t->refined[pos[i]] = 1;
        t->calls++;
        sq[i] = t->sq[pos[i]];
    }
}

static int compare(const void *one, const void *other)
{
    const struct ct_neighbor *a = one, *b = other;
    if (a->sq != b->sq)
        return a->sq < b->sq ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* Offers n candidates in random order of their positions, unless the threshold excludes them. */
static void check_one(int n, int k, enum values values, enum bounds bounds, int level)
{
    struct ct_neighbor want[MAX_N];
    static int order[MAX_N];
    const struct ct_kernels *kernels = ct_kernels((enum ct_simd_level)level);
    struct ct_interval_topk topk = ct_interval_topk_make(&host, k);
    struct ct_interval_scratch scratch = ct_interval_scratch_make(&host, k, kernels);
    struct ct_refinement refinement = {refine, &truth, k + n};
    double threshold = INFINITY;
    int wrong = 0;
    memset(&truth, 0, sizeof truth);
    truth.query = k + n;
    for (int i = 0; i < n; i++) {
        int other = random_below(i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (int i = 0; i < n; i++) {
        int pos = order[i], at = topk.count;
        truth.sq[pos] = draw_value(values, i, n);
        want[pos] = (struct ct_neighbor){sqrt(truth.sq[pos]), pos + 1};
        draw_bounds(bounds, truth.sq[pos], &topk.lower[at], &topk.upper[at]);
        topk.pos[at] = pos;
        topk.count += topk.lower[at] <= threshold;
        if (topk.count == topk.capacity) {
            threshold = fmin(threshold, ct_interval_topk_compact(&topk, &scratch, &refinement));
            wrong += topk.count >= topk.capacity || topk.count < k;
        }
    }
    qsort(want, (size_t)n, sizeof *want, compare);
    ct_interval_topk_finish(&topk, &scratch, &refinement);
    for (int i = 0; i < scratch.nearest.count; i++)
        wrong += scratch.nearest.sq[i] != want[i].sq || scratch.nearest.row[i] != want[i].row;
    check_about("n %d, k %d, values %d, bounds %d, %s: %d refined", n, k, values, bounds,
                kernels->name, truth.calls);
    CHECK(wrong == 0);
    CHECK(scratch.nearest.count == (n < k ? n : k));
    CHECK(n < k || !(sqrt(threshold) < want[k - 1].sq));
    CHECK(truth.twice == 0 && truth.wrong_query == 0);
    CHECK(bounds != EXACT || truth.calls == 0);
    if (bounds == TIGHT && values == UNIFORM)
        CHECK(truth.calls <= k + k / 8 + 1);
    host_end_call();
}

int main(void)
{
    static const int ks[] = {1, 2, 10, 60, 400};
    for (int level = 0; level <= (int)ct_simd_best(); level++)
        for (size_t i = 0; i < sizeof ks / sizeof *ks; i++)
            for (int values = 0; values < VALUES; values++)
                for (int bounds = 0; bounds < BOUNDS; bounds++) {
                    check_one(random_below(2 * ks[i]), ks[i], (enum values)values,
                              (enum bounds)bounds, level);
                    check_one(1 + random_below(MAX_N), ks[i], (enum values)values,
                              (enum bounds)bounds, level);
                }
    return check_done("interval_topk");
}
