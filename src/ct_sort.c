/* ct_sort.c: least significant digit first, one byte a pass.
 *
 * Each pass counts the digits of equal runs of the input in parallel, turns the
 * counts into places (digit by digit, run by run within a digit, which keeps
 * the sort stable), and moves the pairs in parallel. Passes whose digit is the
 * same everywhere are skipped.
 */
#include "ct_sort.h"
#include "ct_parallel.h"

#include <string.h>

#define DIGITS 256

static int run_start(int n, int runs, int run)
{
    return (int)((long long)n * run / runs);
}

static void count_digits(const struct ct_pair *pairs, int from, int to, int shift, int *count)
{
    memset(count, 0, DIGITS * sizeof *count);
    for (int i = from; i < to; i++)
        count[(pairs[i].key >> shift) & 0xff]++;
}

/* Counts become the place where each run puts the first pair of each digit.
 * Returns 0 when one digit holds everything, so that there is nothing to move. */
static int place_digits(int *count, int runs, int n)
{
    int place = 0;
    for (int digit = 0; digit < DIGITS; digit++) {
        int before = place;
        for (int run = 0; run < runs; run++) {
            int here = count[run * DIGITS + digit];
            count[run * DIGITS + digit] = place;
            place += here;
        }
        if (place - before == n)
            return 0;
    }
    return 1;
}

static void move_pairs(const struct ct_pair *from, struct ct_pair *to, int begin, int end,
                       int shift, int *place)
{
    for (int i = begin; i < end; i++)
        to[place[(from[i].key >> shift) & 0xff]++] = from[i];
}

void ct_sort_pairs(const struct ct_host *host, struct ct_pair *pairs, struct ct_pair *spare, int n,
                   int threads)
{
    int runs = n < 65536 ? 1 : threads;
    int *count = host->alloc((size_t)runs * DIGITS, sizeof *count);
    struct ct_pair *from = pairs, *to = spare;
    for (int shift = 0; shift < 64; shift += 8) {
        CT_PRAGMA(omp parallel for if (runs > 1) num_threads(threads) schedule(static, 1))
        for (int run = 0; run < runs; run++)
            count_digits(from, run_start(n, runs, run), run_start(n, runs, run + 1), shift,
                         count + run * DIGITS);
        if (!place_digits(count, runs, n))
            continue;
        CT_PRAGMA(omp parallel for if (runs > 1) num_threads(threads) schedule(static, 1))
        for (int run = 0; run < runs; run++)
            move_pairs(from, to, run_start(n, runs, run), run_start(n, runs, run + 1), shift,
                       count + run * DIGITS);
        struct ct_pair *swap = from;
        from = to;
        to = swap;
        host->poll();
    }
    if (from != pairs)
        memcpy(pairs, from, (size_t)n * sizeof *pairs);
}
