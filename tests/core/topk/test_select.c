/* test_select.c: selection against qsort, with the kernels of every instruction
 * set. Whatever order candidates come in, however many share a distance, the k-th
 * by (distance, row) is found, with those before it in front, and sorting sorts. */
#include "check.h"
#include "clouds.h"
#include "core/topk/select.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 600 };

static const struct ct_kernels *kernels;

static int compare(const void *one, const void *other)
{
    const struct ct_neighbor *a = one, *b = other;
    double x = sqrt(a->sq), y = sqrt(b->sq);
    if (x != y)
        return x < y ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* The square of the i-th of n candidates, by pattern. */
static double level(int i, int n)
{
    return 7 + 0 * (i + n);
}

static double falling(int i, int n)
{
    return n - i;
}

static double zero(int i, int n)
{
    return 0 * (i + n);
}

static double shuffled(int i, int n)
{
    return random_uniform() + 0 * (i + n);
}

static double ties(int i, int n)
{
    return random_below(4) + 0 * (i + n);
}

static double pipes(int i, int n)
{
    return i < n / 2 ? i : n - i;
}

static double valley(int i, int n)
{
    return fabs(i - n / 2 + 0.25);
}

static double endless(int i, int n)
{
    return random_below(2) ? INFINITY : i + 0 * n;
}

/* Unequal squares with equal roots, which a bisection tells apart. */
static double close(int i, int n)
{
    return (double[]){1, 1 + DBL_EPSILON, 2}[random_below(3)] + 0 * (i + n);
}

static double scales(int i, int n)
{
    return ldexp(1, random_below(2000) - 1000) + 0 * (i + n);
}

/* Most values are near each other, and few are far away: no division into equal parts. */
static double outliers(int i, int n)
{
    return random_below(n) < 3 ? random_uniform() * 1e12 : 1 + random_uniform() * 1e-9 + 0 * i;
}

static const struct pattern {
    const char *name;
    double (*sq)(int i, int n);
} patterns[] = {{"level", level},       {"falling", falling},  {"zero", zero},
                {"shuffled", shuffled}, {"ties", ties},        {"pipes", pipes},
                {"valley", valley},     {"endless", endless},  {"scales", scales},
                {"close", close},       {"outliers", outliers}};

/* Rows are distinct: a permutation of 1 .. n. */
static void make(const struct pattern *pattern, struct ct_neighbor *found, int n)
{
    for (int i = 0; i < n; i++)
        found[i].row = i + 1;
    for (int i = n - 1; i > 0; i--) {
        int other = random_below(i + 1), row = found[i].row;
        found[i].row = found[other].row;
        found[other].row = row;
    }
    for (int i = 0; i < n; i++)
        found[i].sq = pattern->sq(i, n);
}

/* The same in order. */
static void make_sorted(const struct ct_neighbor *found, struct ct_neighbor *want, int n)
{
    memcpy(want, found, (size_t)n * sizeof *found);
    qsort(want, (size_t)n, sizeof *want, compare);
}

/* Candidates apart, in arrays of the sizes that topk/select.h tells, to the byte. */
struct columns {
    double *sq;
    int *row;
};

static struct columns columns_of(const struct ct_neighbor *found, int n)
{
    struct columns columns = {malloc(((size_t)n + CT_SELECT_PAD) * sizeof(double)),
                              malloc((size_t)n * sizeof(int))};
    for (int i = 0; i < n; i++) {
        columns.sq[i] = found[i].sq;
        columns.row[i] = found[i].row;
    }
    return columns;
}

static void end_columns(struct columns *columns)
{
    free(columns->sq);
    free(columns->row);
}

/* Once in order, squares have become distances. */
static int alike(const struct columns *columns, const struct ct_neighbor *want, int count)
{
    for (int i = 0; i < count; i++)
        if (columns->sq[i] != sqrt(want[i].sq) || columns->row[i] != want[i].row)
            return 0;
    return 1;
}

static int is_sort_wrong(const struct pattern *pattern, int n)
{
    struct ct_neighbor *found = malloc((2 * (size_t)n + 1) * sizeof *found), *want = found + n;
    make(pattern, found, n);
    make_sorted(found, want, n);
    struct columns columns = columns_of(found, n);
    ct_sort_neighbors(columns.sq, columns.row, n, kernels);
    int wrong = !alike(&columns, want, n);
    end_columns(&columns);
    free(found);
    return wrong;
}

/* Few candidates, and numbers around the limits of buckets and of parts. */
static void check_sort(const struct pattern *pattern)
{
    int wrong = 0, sizes[] = {2000, 2048, 2049, 7000, 20000};
    for (int n = 0; n <= MOST; n += 1 + n / 100)
        wrong += is_sort_wrong(pattern, n);
    for (int s = 0; s < 5; s++)
        wrong += is_sort_wrong(pattern, sizes[s]);
    check_about("sorting up to %d, %s, %s", sizes[4], pattern->name, kernels->name);
    CHECK(wrong == 0);
}

/* The k-th is the k-th, and the k smallest are in front of the others. */
static int wrong_kth(struct columns *columns, const struct ct_neighbor *want, int n, int k)
{
    struct ct_neighbor left[MOST], kth = ct_select_kth(columns->sq, columns->row, n, k);
    int wrong = compare(&kth, &want[k - 1]) != 0 || kth.sq != want[k - 1].sq;
    for (int i = 0; i < n; i++)
        left[i] = (struct ct_neighbor){columns->sq[i], columns->row[i]};
    qsort(left, (size_t)k, sizeof *left, compare);
    qsort(left + k, (size_t)(n - k), sizeof *left, compare);
    for (int i = 0; i < n; i++)
        wrong += left[i].sq != want[i].sq || left[i].row != want[i].row;
    return wrong;
}

static void check_kth(const struct pattern *pattern)
{
    int wrong = 0;
    for (int n = 1; n <= MOST; n += 1 + n / 20)
        for (int step = 1; step <= 16; step++) {
            struct ct_neighbor found[MOST], want[MOST];
            make(pattern, found, n);
            make_sorted(found, want, n);
            struct columns columns = columns_of(found, n);
            wrong += wrong_kth(&columns, want, n, (n * step + 15) / 16);
            end_columns(&columns);
        }
    check_about("the k-th, %s", pattern->name);
    CHECK(wrong == 0);
}

/* Sorting very many, and the k-th of them: quick unless the time grows with the
 * square of their number, which would be seconds. */
static void check_quick(const struct pattern *pattern)
{
    int n = 60000, some_k[] = {n, n / 2, 100};
    struct ct_neighbor *found = malloc((size_t)n * sizeof *found);
    make(pattern, found, n);
    for (int s = 0; s < 3; s++) {
        struct columns columns = columns_of(found, n);
        clock_t start = clock();
        ct_select_kth(columns.sq, columns.row, n, some_k[s]);
        ct_sort_neighbors(columns.sq, columns.row, n, kernels);
        check_about("%d of %d, %s", some_k[s], n, pattern->name);
        CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 0.5);
        end_columns(&columns);
    }
    free(found);
}

/* There is room for more than k, and for the largest k there is. */
static void check_room(void)
{
    check_about("room");
    for (int k = 1; k < INT_MAX / 2; k += k)
        CHECK(ct_select_capacity(k) > k + k / 8 + 1);
    CHECK(ct_select_capacity(INT_MAX) > 0 && ct_select_capacity(INT_MAX / 2) > INT_MAX / 2);
}

int main(void)
{
    for (int set = CT_SIMD_BASE; set <= (int)ct_simd_best(); set++) {
        kernels = ct_kernels((enum ct_simd_level)set);
        for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
            check_sort(&patterns[i]);
            if (set < (int)ct_simd_best())
                continue;
            check_kth(&patterns[i]);
            check_quick(&patterns[i]);
        }
    }
    check_room();
    return check_done("select");
}
