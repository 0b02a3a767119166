/* box_list.c: see box_list.h.
 *
 * A counting sort over buckets of equal width: two passes over the list, no comparison of
 * elements, and stable. Within a bucket the order is that of the tree, whose neighboring
 * nodes are near in space.
 */
#include "core/search/box_list.h"
#include "core/util/float.h"

#include <math.h>

enum {
    INSERTION_MAX = 16, /* boxes that an insertion sort orders faster than buckets */
    BUCKETS = 32
};

struct ct_box_list ct_box_list_new(const struct ct_host *host, int capacity)
{
    return (struct ct_box_list){.number = host->alloc((size_t)capacity, sizeof(int)),
                                .sq = host->alloc((size_t)capacity, sizeof(float))};
}

/* Copies the list in exact order: for short lists. */
static void insertion_sort_boxes(const struct ct_box_list *from, struct ct_box_list *to)
{
    for (int i = 0; i < from->count; i++) {
        int at = i;
        for (; at > 0 && to->sq[at - 1] > from->sq[i]; at--) {
            to->sq[at] = to->sq[at - 1];
            to->number[at] = to->number[at - 1];
        }
        to->sq[at] = from->sq[i];
        to->number[at] = from->number[i];
    }
}

/* Without a finite threshold there is no scale: every box falls into the first bucket. */
static int bucket_of_box(float sq, float threshold)
{
    float share = threshold > 0 && threshold < INFINITY ? sq / threshold : 0;
    return share < 1 ? (int)(share * BUCKETS) : BUCKETS - 1;
}

void ct_box_list_sort(const struct ct_box_list *from, float threshold, struct ct_box_list *to)
{
    to->count = from->count;
    if (from->count <= INSERTION_MAX) {
        insertion_sort_boxes(from, to);
        return;
    }
    int start[BUCKETS + 1] = {0};
    for (int i = 0; i < from->count; i++)
        start[bucket_of_box(from->sq[i], threshold) + 1]++;
    for (int b = 0; b < BUCKETS; b++)
        start[b + 1] += start[b];
    for (int i = 0; i < from->count; i++) {
        int at = start[bucket_of_box(from->sq[i], threshold)]++;
        to->number[at] = from->number[i];
        to->sq[at] = from->sq[i];
    }
}
