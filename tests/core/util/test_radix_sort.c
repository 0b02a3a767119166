/* test_radix_sort.c: the radix sort against qsort by (key, place). Numbers on either
 * side of where it splits the work among threads; keys that differ in every
 * byte, in one, or not at all: equal keys must keep their order. */
#include "check.h"
#include "clouds.h"
#include "core/util/radix_sort.h"
#include "host.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *one, const void *other)
{
    const struct ct_key_id *a = one, *b = other;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static uint64_t any_key(int i)
{
    (void)i;
    return random_bits();
}

static uint64_t few_keys(int i)
{
    (void)i;
    return random_bits() % 5 * 0x0101010101010101u;
}

static uint64_t one_key(int i)
{
    (void)i;
    return 0xfedcba9876543210u;
}

static uint64_t first_byte(int i)
{
    (void)i;
    return random_bits() << 56;
}

static uint64_t last_byte(int i)
{
    (void)i;
    return random_bits() >> 56;
}

/* Most keys differ in low bits only. */
static uint64_t few_far_keys(int i)
{
    return i % 1000 == 0 ? random_bits() : random_bits() >> 40;
}

static uint64_t falling(int i)
{
    return UINT64_MAX - (uint64_t)i * 0x100000001u;
}

static const struct pattern {
    const char *name;
    uint64_t (*key)(int i);
} patterns[] = {{"any", any_key},           {"few", few_keys},        {"one", one_key},
                {"first byte", first_byte}, {"last byte", last_byte}, {"falling", falling},
                {"few far", few_far_keys}};

static int alike(const struct ct_key_id *a, const struct ct_key_id *b, int n)
{
    for (int i = 0; i < n; i++)
        if (a[i].key != b[i].key || a[i].id != b[i].id)
            return 0;
    return 1;
}

static void check_pattern(const struct pattern *pattern, int n)
{
    struct ct_key_id *given = keep((size_t)n, sizeof *given), *want = keep((size_t)n, sizeof *want);
    struct ct_key_id *pairs = keep((size_t)n, sizeof *pairs),
                     *spare = keep((size_t)n, sizeof *spare);
    for (int i = 0; i < n; i++)
        given[i] = want[i] = (struct ct_key_id){.key = pattern->key(i), .id = i};
    qsort(want, (size_t)n, sizeof *want, compare);
    for (int threads = 1; threads <= 3; threads++) {
        memcpy(pairs, given, (size_t)n * sizeof *pairs);
        ct_radix_sort(&host, pairs, spare, n, threads);
        host_end_call();
        check_about("%d keys, %s, %d threads", n, pattern->name, threads);
        CHECK(alike(pairs, want, n));
    }
    keep_end();
}

int main(void)
{
    static const int sizes[] = {0, 1, 2, 3, 255, 257, 4000, 65535, 65536, 70001, 200000};
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            check_pattern(&patterns[p], sizes[s]);
    return check_done("radix_sort");
}
