/* test_box_list.c: lists of boxes are sorted as box_list.h says: short ones exactly, long
 * ones by buckets, without a box lost. */
#include "check.h"
#include "clouds.h"
#include "core/search/box_list.h"
#include "host.h"

#include <math.h>

enum { MOST = 300, EXACT = 16, BUCKETS = 32 };

static struct ct_box_list random_list(int count, int kind)
{
    struct ct_box_list list = ct_box_list_new(&host, count + 1);
    list.count = 0;
    for (int i = 0; i < count; i++) {
        float u = (float)random_uniform();
        float sq[] = {u, (float)random_below(4), 1, 0, random_below(9) ? u : INFINITY};
        ct_box_list_append(&list, i, sq[kind]);
    }
    return list;
}

/* Counts the boxes of a sorted list that are not those of `from`, or that come after a box
 * farther by more than `width`, where distances above `cap` count as equal; boxes at the same
 * distance keep their order. */
static int count_wrong(const struct ct_box_list *from, const struct ct_box_list *to, float width,
                       float cap)
{
    int wrong = from->count != to->count, seen[MOST] = {0};
    float farthest = 0;
    for (int i = 0; i < to->count; i++) {
        int number = to->number[i];
        wrong += seen[number]++ || to->sq[i] != from->sq[number];
        wrong += fminf(to->sq[i], cap) < farthest - width;
        wrong += i > 0 && to->sq[i] == to->sq[i - 1] && number < to->number[i - 1];
        farthest = fmaxf(farthest, fminf(to->sq[i], cap));
    }
    return wrong;
}

static void check_sort(int count, int kind)
{
    struct ct_box_list from = random_list(count, kind), to = ct_box_list_new(&host, count + 1);
    float thresholds[] = {1, 4, 0.25f};
    for (int t = 0; t < 3; t++) {
        int exact = count <= EXACT;
        ct_box_list_sort(&from, thresholds[t], &to);
        check_about("%d boxes of kind %d, threshold %g", count, kind, (double)thresholds[t]);
        CHECK(count_wrong(&from, &to, exact ? 0 : thresholds[t] / BUCKETS * 1.0001f,
                          exact ? INFINITY : thresholds[t]) == 0);
    }
    host_end_call();
}

/* Without a finite threshold, or at a threshold of 0, long lists keep their order. */
static void check_no_scale(int count)
{
    struct ct_box_list from = random_list(count, 0), to = ct_box_list_new(&host, count + 1);
    float thresholds[] = {INFINITY, 0};
    int moved = 0;
    for (int t = 0; t < 2; t++) {
        ct_box_list_sort(&from, thresholds[t], &to);
        for (int i = 0; i < count; i++)
            moved += to.number[i] != i;
    }
    check_about("%d boxes without a scale", count);
    CHECK(moved == 0);
    host_end_call();
}

int main(void)
{
    for (int count = 0; count < MOST; count += count < 40 ? 1 : 37)
        for (int kind = 0; kind < 5; kind++)
            check_sort(count, kind);
    for (int count = EXACT + 1; count < MOST; count += 40)
        check_no_scale(count);
    return check_done("box_list");
}
