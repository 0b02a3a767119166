/* test_short_sort.c: the sort of packed keys against qsort by (key, id). Numbers on either side of
 * the sizes at which the method changes; keys that differ in every bit, in one byte, or not at all:
 * equal keys must keep their order. */
#include "check.h"
#include "clouds.h"
#include "core/util/short_sort.h"
#include "host.h"

#include <stdlib.h>
#include <string.h>

/* Ids increase in the given order, so that the stable order is the order of the words. */
static int compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static uint32_t any_key(int i)
{
    (void)i;
    return (uint32_t)random_bits();
}

static uint32_t few_keys(int i)
{
    (void)i;
    return (uint32_t)(random_bits() % 5) * 0x01010101u;
}

static uint32_t one_key(int i)
{
    (void)i;
    return 0xfedcba98u;
}

static uint32_t last_byte(int i)
{
    (void)i;
    return (uint32_t)(random_bits() >> 56);
}

static uint32_t middle_bits(int i)
{
    (void)i;
    return (uint32_t)(random_bits() >> 40) & 0x003fff00u;
}

/* All but two keys have the same first two bytes. */
static uint32_t crowded(int i)
{
    return i < 2 ? 0xffffffffu * (uint32_t)i : (uint32_t)(random_bits() >> 48) | 0x42420000u;
}

static uint32_t falling(int i)
{
    return UINT32_MAX - (uint32_t)i * 0x101u;
}

static const struct pattern {
    const char *name;
    uint32_t (*key)(int i);
} patterns[] = {{"any", any_key},
                {"few", few_keys},
                {"one", one_key},
                {"last byte", last_byte},
                {"middle bits", middle_bits},
                {"crowded", crowded},
                {"falling", falling}};

static void check_pattern(const struct pattern *pattern, int n)
{
    size_t bytes = (size_t)n * sizeof(uint64_t);
    uint64_t *given = keep((size_t)n, sizeof *given), *want = keep((size_t)n, sizeof *want);
    uint64_t *words = keep((size_t)n, sizeof *words), *spare = keep((size_t)n, sizeof *spare);
    for (int i = 0; i < n; i++)
        given[i] = want[i] = ct_pack_key(pattern->key(i), i);
    qsort(want, (size_t)n, sizeof *want, compare);
    for (int threads = 1; threads <= 3; threads++) {
        memcpy(words, given, bytes);
        ct_short_sort(&host, words, spare, n, threads);
        host_end_call();
        check_about("%d keys, %s, %d threads", n, pattern->name, threads);
        CHECK(memcmp(words, want, bytes) == 0);
    }
    keep_end();
}

int main(void)
{
    static const int sizes[] = {0, 1, 2, 23, 24, 25, 255, 4095, 4096, 65535, 65536, 65537, 140001};
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            check_pattern(&patterns[p], sizes[s]);
    return check_done("short_sort");
}
