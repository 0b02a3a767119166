/* test_selection.c: the kernels that order candidates and keep the k smallest squares of each point
 * of a tile agree with plain C, in every instruction set. */
#include "check.h"
#include "clouds.h"
#include "core/simd/euclid.h"
#include "host.h"

#include <math.h>
#include <string.h>

enum { MOST = CT_ORDER_MAX - CT_LANES, MOST_K = 16 };

/* The bits of a square that the order compares. */
static int compared(float sq)
{
    int bits;
    memcpy(&bits, &sq, sizeof bits);
    return bits & ~(CT_ORDER_MAX - 1);
}

/* Squares of at least 0, with ties, zeros and subnormal ones. */
static float any_square(void)
{
    static const float plain[] = {0, 0x1p-149f, 0x1p-140f, 0.25f};
    int which = random_below(8);
    return which < 4 ? plain[which] : (float)random_uniform();
}

/* Behind the last candidate are values with any sign. */
static void check_order(const struct ct_kernels *kernels)
{
    int wrong = 0;
    for (int round = 0; round < 300; round++) {
        int count = 1 + random_below(MOST), order[CT_ORDER_MAX], seen[CT_ORDER_MAX] = {0};
        size_t size = (size_t)(count + CT_LANES - 1) / CT_LANES * CT_LANES;
        struct ct_candidates list = {.sq = keep(size, sizeof(float)), .count = count};
        for (size_t i = 0; i < size; i++)
            list.sq[i] = i < (size_t)count ? any_square() : random_below(2) ? -NAN : -1;
        kernels->order_candidates(&list, order);
        for (int i = 0; i < count; i++) {
            wrong += order[i] < 0 || order[i] >= count || seen[order[i]]++;
            if (i > 0 && !wrong) {
                int last = compared(list.sq[order[i - 1]]), next = compared(list.sq[order[i]]);
                wrong += last > next || (last == next && order[i - 1] > order[i]);
            }
        }
        keep_end();
    }
    check_about("order_candidates, %s", kernels->name);
    CHECK(wrong == 0);
}

/* Inserts a square into the k smallest of one point. */
static void insert(float *least, int k, float sq)
{
    for (int r = 0; r < k; r++) {
        float old = least[r * CT_LANES];
        least[r * CT_LANES] = sq < old ? sq : old;
        sq = sq < old ? old : sq;
    }
}

/* With integers as coordinates every set computes the same squares. */
static void check_insert_tile(const struct ct_kernels *kernels)
{
    static float tile[2][4 * CT_LANES], least[MOST_K * CT_LANES], expected[MOST_K * CT_LANES];
    int wrong = 0;
    for (int round = 0; round < 300; round++) {
        int d = 1 + random_below(4), k = 1 + random_below(MOST_K),
            count = 1 + random_below(CT_LANES);
        int same = random_below(2);
        for (int i = 0; i < 2 * 4 * CT_LANES; i++)
            tile[i / (4 * CT_LANES)][i % (4 * CT_LANES)] = (float)random_below(9);
        for (int i = 0; i < k * CT_LANES; i++)
            least[i] = expected[i] = INFINITY;
        for (int part = 0; part < 2; part++) {
            const float *other = tile[same && part == 0 ? 0 : 1];
            kernels->insert_tile(tile[0], other, d, count, k, least);
            for (int lane = 0; lane < CT_LANES; lane++)
                for (int i = 0; i < count; i++) {
                    float sq = other == tile[0] && i == lane ? INFINITY : 0;
                    for (int j = 0; j < d; j++) {
                        float gap = tile[0][j * CT_LANES + lane] - other[j * CT_LANES + i];
                        sq += gap * gap;
                    }
                    insert(expected + lane, k, sq);
                }
        }
        wrong += memcmp(least, expected, (size_t)k * CT_LANES * sizeof *least) != 0;
    }
    check_about("insert_tile, %s", kernels->name);
    CHECK(wrong == 0);
}

int main(void)
{
    for (int level = 0; level <= (int)ct_simd_best(); level++) {
        check_order(ct_kernels((enum ct_simd_level)level));
        check_insert_tile(ct_kernels((enum ct_simd_level)level));
    }
    return check_done("selection");
}
