/* ct_select.c: see ct_select.h.
 *
 * Few candidates are put in place by their ranks: counting how many come before
 * each takes no branch and vectorises, and beats sorting up to a few hundred.
 * More are split around a pivot until few are left.
 */
#include "ct_select.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

int ct_select_room(int k)
{
    return k < INT_MAX / 2 - 64 ? k + k / 2 + 8 : INT_MAX - CT_SELECT_PAD;
}

/* Whether candidate i comes before candidate j. */
static int before(const double *sq, const int *row, int i, int j)
{
    double a = sqrt(sq[i]), b = sqrt(sq[j]);
    return a < b || (a == b && row[i] < row[j]);
}

static void swap(double *sq, int *row, int i, int j)
{
    double keep = sq[i];
    sq[i] = sq[j];
    sq[j] = keep;
    int keep_row = row[i];
    row[i] = row[j];
    row[j] = keep_row;
}

/* A place below count, far from regular in count: patterns in the input, such as
 * distances that fall and rise again along a line, find no echo in it. */
static int some_place(int count, uint32_t salt)
{
    uint32_t mixed = ((uint32_t)count ^ salt) * 2654435761u;
    return (int)((mixed ^ mixed >> 15) % (uint32_t)count);
}

/* Splits count >= 3 candidates around the middle one of three: returns a place p
 * with what comes before the p-th before it, and the others behind it. */
static int split(double *sq, int *row, int count)
{
    int middle = count / 2, last = count - 1, place = 0;
    swap(sq, row, 0, some_place(count, 0x5bd1e995u));
    swap(sq, row, middle, some_place(count, 0x27d4eb2fu));
    swap(sq, row, last, some_place(count, 0x165667b1u));
    if (before(sq, row, middle, 0))
        swap(sq, row, middle, 0);
    if (before(sq, row, last, middle)) {
        swap(sq, row, last, middle);
        if (before(sq, row, middle, 0))
            swap(sq, row, middle, 0);
    }
    swap(sq, row, middle, last);
    for (int i = 0; i < last; i++)
        if (before(sq, row, i, last))
            swap(sq, row, place++, i);
    swap(sq, row, place, last);
    return place;
}

/* Ranks know squares only: those with equal roots are put in the order of rows. */
static void order_ties(double *distance, int *row, int count)
{
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && distance[j] == distance[j - 1] && row[j] < row[j - 1]; j--)
            swap(distance, row, j, j - 1);
}

static void sort_few(double *sq, int *row, int count, const struct ct_kernels *kernels)
{
    int rank[CT_RANKED + CT_SELECT_PAD], to_row[CT_RANKED];
    double distance[CT_RANKED];
    kernels->rank(sq, count, rank);
    for (int i = 0; i < count; i++) {
        distance[rank[i]] = sqrt(sq[i]);
        to_row[rank[i]] = row[i];
    }
    memcpy(sq, distance, (size_t)count * sizeof *sq);
    memcpy(row, to_row, (size_t)count * sizeof *row);
    order_ties(sq, row, count);
}

/* The longer part is left to the loop, so the recursion stays shallow. A part may
 * be finished before its neighbour, whose squares it must leave alone: a kernel
 * reads beyond its end, but only counts what is within. */
void ct_sort_found(double *sq, int *row, int count, const struct ct_kernels *kernels)
{
    while (count > CT_RANKED) {
        int place = split(sq, row, count), rest = count - place - 1;
        sq[place] = sqrt(sq[place]);
        if (place < rest) {
            ct_sort_found(sq, row, place, kernels);
            sq += place + 1;
            row += place + 1;
            count = rest;
        } else {
            ct_sort_found(sq + place + 1, row + place + 1, rest, kernels);
            count = place;
        }
    }
    sort_few(sq, row, count, kernels);
}

/* Brings the k smallest of count to the front, in no order. */
static void take_smallest(double *sq, int *row, int count, int k)
{
    while (count > 3 && k < count) {
        int place = split(sq, row, count);
        if (k <= place) {
            count = place;
        } else {
            sq += place + 1;
            row += place + 1;
            count -= place + 1;
            k -= place + 1;
        }
    }
    for (int i = 1; k < count && i < count; i++)
        for (int j = i; j > 0 && before(sq, row, j, j - 1); j--)
            swap(sq, row, j, j - 1);
}

struct ct_found ct_select_kth(double *sq, int *row, int count, int k)
{
    int last = 0;
    take_smallest(sq, row, count, k);
    for (int i = 1; i < k; i++)
        if (before(sq, row, last, i))
            last = i;
    return (struct ct_found){sq[last], row[last]};
}
