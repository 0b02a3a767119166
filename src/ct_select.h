/* ct_select.h: the k smallest by (distance, row), in a buffer of the caller's.
 *
 * Candidates are appended; when the buffer is full it is cut back to the k
 * smallest, and from then on only what beats the k-th gets in. Nothing is
 * ordered before it has to be. Rows are distinct, so the order is total.
 */
#ifndef CT_SELECT_H
#define CT_SELECT_H

#include <math.h>
#include <stddef.h>

struct ct_found {
    double distance;
    int row;
};

struct ct_nearest {
    struct ct_found *found; /* [room] */
    int k, count, room;     /* room > k */
    struct ct_found bar;    /* candidates must come before it */
};

static inline int ct_before(struct ct_found a, struct ct_found b)
{
    return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
}

static inline void ct_swap_found(struct ct_found *a, struct ct_found *b)
{
    struct ct_found keep = *a;
    *a = *b;
    *b = keep;
}

/* Splits found[0, count), count >= 3, around its middle-of-three: returns a
 * place p with found[0, p) before found[p] before found(p, count). */
static inline int ct_split_found(struct ct_found *found, int count)
{
    struct ct_found *first = found, *middle = found + count / 2, *last = found + count - 1;
    if (ct_before(*middle, *first))
        ct_swap_found(middle, first);
    if (ct_before(*last, *middle)) {
        ct_swap_found(last, middle);
        if (ct_before(*middle, *first))
            ct_swap_found(middle, first);
    }
    ct_swap_found(middle, last);
    int place = 0;
    for (int i = 0; i < count - 1; i++)
        if (ct_before(found[i], *last))
            ct_swap_found(&found[place++], &found[i]);
    ct_swap_found(&found[place], last);
    return place;
}

static inline void ct_insertion_sort(struct ct_found *found, int count)
{
    for (int i = 1; i < count; i++) {
        struct ct_found moving = found[i];
        int at = i;
        for (; at > 0 && ct_before(moving, found[at - 1]); at--)
            found[at] = found[at - 1];
        found[at] = moving;
    }
}

/* Brings the k smallest of found[0, count) to the front, in no order. */
static inline void ct_take_smallest(struct ct_found *found, int count, int k)
{
    while (count > 16 && k < count) {
        int place = ct_split_found(found, count);
        if (k <= place) {
            count = place;
        } else {
            found += place + 1;
            count -= place + 1;
            k -= place + 1;
        }
    }
    ct_insertion_sort(found, count);
}

/* The longer part is left to the loop, so the recursion stays shallow. */
static inline void ct_sort_found(struct ct_found *found, int count)
{
    while (count > 16) {
        int place = ct_split_found(found, count), rest = count - place - 1;
        if (place < rest) {
            ct_sort_found(found, place);
            found += place + 1;
            count = rest;
        } else {
            ct_sort_found(found + place + 1, rest);
            count = place;
        }
    }
    ct_insertion_sort(found, count);
}

static inline void ct_nearest_cut(struct ct_nearest *nearest)
{
    if (nearest->count < nearest->k)
        return;
    ct_take_smallest(nearest->found, nearest->count, nearest->k);
    nearest->count = nearest->k;
    nearest->bar = nearest->found[0];
    for (int i = 1; i < nearest->k; i++)
        if (ct_before(nearest->bar, nearest->found[i]))
            nearest->bar = nearest->found[i];
}

static inline void ct_nearest_sort(struct ct_nearest *nearest)
{
    ct_nearest_cut(nearest);
    ct_sort_found(nearest->found, nearest->count);
}

#endif
