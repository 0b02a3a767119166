/* bit_sets.c: see bit_sets.h. */
#include "core/search/bit_sets.h"

#include <string.h>

enum {
    RUN = 64,       /* sets in one run */
    MOST_WORDS = 64 /* words of a query in one run */
};

struct ct_bit_sets ct_pack_bits(const struct ct_host *host, const double *x, const int *row, int n,
                                int d)
{
    struct ct_bit_sets sets = {.n = n, .words = (d + 63) / 64};
    size_t words = (size_t)n * (size_t)sets.words;
    sets.bits = host->alloc(words, sizeof *sets.bits);
    sets.size = host->alloc((size_t)n, sizeof *sets.size);
    memset(sets.bits, 0, words * sizeof *sets.bits);
    memset(sets.size, 0, (size_t)n * sizeof *sets.size);
    for (int j = 0; j < d; j++) {
        uint64_t *word = sets.bits + (size_t)(j / 64) * (size_t)n;
        for (int i = 0; i < n; i++) {
            int in = x[i + (size_t)j * (size_t)n] != 0, set = row ? row[i] - 1 : i;
            word[set] |= (uint64_t)in << j % 64;
            sets.size[set] += in;
        }
    }
    return sets;
}

/* Sizes and common elements of at most RUN sets. */
static void compare_run(const struct ct_bit_pairs *pairs, int at, int begin, int count, double *out)
{
    const struct ct_bit_sets *points = &pairs->points, *query = &pairs->query;
    int common[RUN] = {0}, part[RUN];
    for (int from = 0; from < points->words; from += MOST_WORDS) {
        uint64_t q[MOST_WORDS];
        int left = points->words - from, words = left < MOST_WORDS ? left : MOST_WORDS;
        for (int w = 0; w < words; w++)
            q[w] = query->bits[at + (size_t)(from + w) * (size_t)query->n];
        pairs->common_bits(points->bits + begin + (size_t)from * (size_t)points->n,
                           (size_t)points->n, words, count, q, part);
        for (int i = 0; i < count; i++)
            common[i] += part[i];
    }
    for (int i = 0; i < count; i++) {
        int either = points->size[begin + i] + query->size[at] - common[i];
        int one = either - common[i];
        out[i] = !pairs->jaccard ? one : one > 0 ? (double)one / either : 0;
    }
}

void ct_bits_compare(const void *data, int at, int begin, int count, double *distance)
{
    for (int i = 0; i < count; i += RUN)
        compare_run(data, at, begin + i, count - i < RUN ? count - i : RUN, distance + i);
}
