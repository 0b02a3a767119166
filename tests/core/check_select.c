/* check_select.c: selection against qsort, with the kernels of every instruction
 * set. Whatever order candidates come in, however many share a distance, no
 * trimming loses one of the k smallest by (distance, row), all of them come before
 * its bar or are it, and what is left at the end is in order. */
#include "../../src/ct_distance.h"
#include "../../src/ct_select.h"
#include "check.h"
#include "clouds.h"

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
    const struct ct_found *a = one, *b = other;
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

static const struct pattern {
    const char *name;
    double (*sq)(int i, int n);
} patterns[] = {{"level", level},       {"falling", falling}, {"zero", zero},
                {"shuffled", shuffled}, {"ties", ties},       {"pipes", pipes},
                {"valley", valley},     {"endless", endless}, {"scales", scales},
                {"close", close}};

/* Rows are distinct: a permutation of 1 .. n. */
static void make(const struct pattern *pattern, struct ct_found *found, int n)
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
static void make_sorted(const struct ct_found *found, struct ct_found *want, int n)
{
    memcpy(want, found, (size_t)n * sizeof *found);
    qsort(want, (size_t)n, sizeof *want, compare);
}

/* Buffers of the sizes that ct_select.h tells, to the byte. */
static struct ct_nearest new_nearest(int k, int room)
{
    return (struct ct_nearest){.sq = malloc(((size_t)room + CT_SELECT_PAD) * sizeof(double)),
                               .row = malloc((size_t)room * sizeof(int)),
                               .k = k,
                               .room = room};
}

static void end_nearest(struct ct_nearest *nearest)
{
    free(nearest->sq);
    free(nearest->row);
}

static void put(struct ct_nearest *nearest, struct ct_found found)
{
    nearest->sq[nearest->count] = found.sq;
    nearest->row[nearest->count++] = found.row;
}

/* Once in order, squares have become distances. */
static int alike(const struct ct_nearest *nearest, const struct ct_found *want, int count)
{
    for (int i = 0; i < count; i++)
        if (nearest->sq[i] != sqrt(want[i].sq) || nearest->row[i] != want[i].row)
            return 0;
    return 1;
}

static void check_sort(const struct pattern *pattern)
{
    int wrong = 0;
    for (int n = 0; n <= MOST; n += 1 + n / 100) {
        struct ct_found found[MOST], want[MOST];
        struct ct_nearest nearest = new_nearest(n, n);
        make(pattern, found, n);
        make_sorted(found, want, n);
        for (int i = 0; i < n; i++)
            put(&nearest, found[i]);
        ct_sort_found(nearest.sq, nearest.row, n, kernels);
        wrong += !alike(&nearest, want, n);
        end_nearest(&nearest);
    }
    check_about("sorting 0 to %d, %s, %s", MOST, pattern->name, kernels->name);
    CHECK(wrong == 0);
}

/* The rule of ct_meet.h. */
static int gets_in(struct ct_found found, struct ct_found bar)
{
    return found.sq <= ct_sq_limit(sqrt(bar.sq)) && !(found.sq >= bar.sq && found.row > bar.row);
}

/* What is wrong after trimming n candidates that are `want` in order. */
static int lost_by_trim(struct ct_nearest *nearest, const struct ct_found *want, int n)
{
    int k = nearest->k, wrong = 0;
    struct ct_found left[MOST], bar = ct_select_trim(nearest, kernels);
    if (n < k)
        return nearest->count != n || bar.sq < INFINITY || bar.row < INT_MAX;
    wrong += nearest->count < k || nearest->count > k + k / 8 + 1;
    for (int i = 0; i < nearest->count; i++)
        left[i] = (struct ct_found){nearest->sq[i], nearest->row[i]};
    qsort(left, (size_t)nearest->count, sizeof *left, compare);
    for (int i = 0; i < k; i++) {
        wrong += compare(&left[i], &want[i]) != 0;
        wrong += compare(&want[i], &bar) > 0 || !gets_in(want[i], bar);
    }
    /* Among duplicates only the smallest rows matter: the bar tells them. */
    wrong += want[n - 1].sq == 0 && compare(&want[k - 1], &bar) != 0;
    return wrong;
}

static void check_trim(const struct pattern *pattern)
{
    int wrong = 0, wrong_end = 0;
    for (int n = 1; n <= MOST; n += 1 + n / 20)
        for (int step = 1; step <= 17; step++) {
            int k = (n * step + 15) / 16;
            struct ct_found found[MOST], want[MOST];
            struct ct_nearest nearest = new_nearest(k, n);
            make(pattern, found, n);
            make_sorted(found, want, n);
            for (int i = 0; i < n; i++)
                put(&nearest, found[i]);
            wrong += lost_by_trim(&nearest, want, n);
            int most = k < n ? k : n;
            ct_select_finish(&nearest, kernels);
            wrong_end += nearest.count != most || !alike(&nearest, want, most);
            end_nearest(&nearest);
        }
    check_about("the k smallest, %s, %s", pattern->name, kernels->name);
    CHECK(wrong == 0);
    CHECK(wrong_end == 0);
}

/* As a search does it: what may come before the bar is put in, and a full buffer is
 * trimmed. Returns how many got in; trims: how often. */
static int stream(struct ct_nearest *nearest, const struct ct_found *found, int n, int *trims)
{
    struct ct_found bar = {INFINITY, INT_MAX};
    int in = 0;
    for (int i = 0; i < n; i++) {
        if (!gets_in(found[i], bar))
            continue;
        put(nearest, found[i]);
        in++;
        if (nearest->count < nearest->room)
            continue;
        bar = ct_select_trim(nearest, kernels);
        ++*trims;
        if (nearest->count == nearest->room)
            return 0;
    }
    ct_select_finish(nearest, kernels);
    return in;
}

static void check_stream(const struct pattern *pattern)
{
    enum { N = 5000 };
    static const int some_k[] = {1, 2, 5, 31, 100, 300, 1000, N, N + 1};
    static struct ct_found found[N], want[N];
    for (size_t s = 0; s < sizeof some_k / sizeof *some_k; s++) {
        int k = some_k[s], trims = 0;
        struct ct_nearest nearest = new_nearest(k, ct_select_room(k));
        make(pattern, found, N);
        make_sorted(found, want, N);
        int in = stream(&nearest, found, N, &trims), most = k < N ? k : N;
        check_about("%d of a stream, %s, %s", k, pattern->name, kernels->name);
        CHECK(nearest.count == most && alike(&nearest, want, most));
        CHECK(in > 0 && trims <= in / (nearest.room - (k + k / 8 + 1)) + 1);
        end_nearest(&nearest);
    }
}

/* All of very many, half and few of them, and the same by trimming: quick unless
 * the time grows with the square of their number, which would be seconds. */
static void check_quick(const struct pattern *pattern)
{
    int n = 60000, some_k[] = {n, n / 2, 100};
    struct ct_found *found = malloc((size_t)n * sizeof *found);
    for (int s = 0; s < 3; s++) {
        struct ct_nearest nearest = new_nearest(some_k[s], n);
        make(pattern, found, n);
        for (int i = 0; i < n; i++)
            put(&nearest, found[i]);
        clock_t start = clock();
        ct_select_finish(&nearest, kernels);
        check_about("%d of %d, %s", some_k[s], n, pattern->name);
        CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 0.5);
        end_nearest(&nearest);
    }
    free(found);
}

/* The largest k there is: nothing is trimmed, and nothing overflows. */
static void check_limits(void)
{
    struct ct_nearest nearest = new_nearest(INT_MAX, 3);
    put(&nearest, (struct ct_found){2, 1});
    put(&nearest, (struct ct_found){1, 2});
    ct_select_trim(&nearest, kernels);
    ct_select_finish(&nearest, kernels);
    check_about("2 of %d", INT_MAX);
    CHECK(nearest.count == 2 && nearest.row[0] == 2 && nearest.row[1] == 1);
    CHECK(ct_select_room(INT_MAX) > 0 && ct_select_room(INT_MAX / 2) > INT_MAX / 2);
    end_nearest(&nearest);
}

int main(void)
{
    for (int set = CT_SIMD_BASE; set <= (int)ct_simd_best(); set++) {
        kernels = ct_kernels((enum ct_simd_level)set);
        for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
            check_sort(&patterns[i]);
            check_trim(&patterns[i]);
            check_stream(&patterns[i]);
            if (set == (int)ct_simd_best())
                check_quick(&patterns[i]);
        }
    }
    check_limits();
    return check_done("select");
}
