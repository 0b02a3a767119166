/* check_simd.c: every instruction set this processor has agrees with plain C.
 * What is computed in double has the same bits; what is computed in float accepts
 * whatever is within a limit less a trifle, and rejects what is beyond it by
 * another. Nothing is read or written beyond what ct_simd.h says (each array is a
 * block of its exact size). */
#include "../../src/ct_simd.h"
#include "../../src/ct_tiles.h"
#include "check.h"
#include "clouds.h"
#include "host.h"

#include <math.h>
#include <string.h>

enum { MOST = 70, DIMS = 20, VECTOR = 8 };

#define TRIFLE 1e-5

static void plain_sqdist(const double *x, int ld, int d, int count, const double *q, double *out)
{
    for (int i = 0; i < count; i++) {
        out[i] = 0;
        for (int j = 0; j < d; j++) {
            double gap = x[i + j * ld] - q[j];
            out[i] += gap * gap;
        }
    }
}

/* Numbers of many sizes, some of them equal, some of them zeros of either sign. */
static double any_number(void)
{
    static const double plain[] = {0.0, -0.0, 1, -1, 3};
    if (random_below(4) == 0)
        return plain[random_below(5)];
    return ldexp(random_normal(), random_below(60) - 30);
}

static double *numbers(int count)
{
    double *x = keep((size_t)count, sizeof *x);
    for (int i = 0; i < count; i++)
        x[i] = any_number();
    return x;
}

static float *floats(int count)
{
    float *x = keep((size_t)count, sizeof *x);
    for (int i = 0; i < count; i++)
        x[i] = random_below(6) ? (float)random_normal() : (float)random_below(3);
    return x;
}

static int rounded_up(int count, int to)
{
    return (count + to - 1) / to * to;
}

/* Counts of points, of which the last column is all there is: ld - count
 * doubles lie between two columns, and none after the last. */
static void check_sqdist(const struct ct_kernels *kernels)
{
    int wrong = 0;
    for (int d = 1; d <= DIMS; d++)
        for (int count = 1; count <= MOST; count++) {
            int ld = count + d % 3;
            const double *x = numbers((d - 1) * ld + count), *q = numbers(d);
            double *got = keep((size_t)count, sizeof *got), want[MOST];
            kernels->sqdist(x, (size_t)ld, d, count, q, got);
            plain_sqdist(x, ld, d, count, q, want);
            wrong += memcmp(got, want, (size_t)count * sizeof *got) != 0;
            keep_end();
        }
    check_about("sqdist, %s", kernels->name);
    CHECK(wrong == 0);
}

static void check_rank(const struct ct_kernels *kernels)
{
    int wrong = 0;
    for (int round = 0; round < 4; round++)
        for (int count = 0; count <= MOST; count++) {
            int size = rounded_up(count, VECTOR), *rank = keep((size_t)size, sizeof *rank);
            double *x = numbers(size);
            for (int i = 0; i < count; i++)
                x[i] = round == 0 ? 5 : round == 1 ? random_below(4) : x[i];
            if (round == 3 && count > 2)
                x[random_below(count)] = x[random_below(count)] = INFINITY;
            kernels->rank(x, count, rank);
            for (int i = 0; i < count; i++) {
                int want = 0;
                for (int j = 0; j < count; j++)
                    want += x[j] < x[i] || (x[j] == x[i] && j < i);
                wrong += rank[i] != want;
            }
            keep_end();
        }
    check_about("rank, %s", kernels->name);
    CHECK(wrong == 0);
}

static void check_count_within(const struct ct_kernels *kernels)
{
    int wrong = 0;
    for (int count = 1; count <= 4 * MOST; count++) {
        int size = rounded_up(count, VECTOR), want = 0;
        double *x = numbers(size), limit = count % 2 ? x[random_below(count)] : any_number();
        for (int i = count; i < size; i++)
            x[i] = nextafter(limit, INFINITY);
        for (int i = 0; i < count; i++)
            want += x[i] <= limit;
        wrong += kernels->count_within(x, count, limit) != want;
        keep_end();
    }
    check_about("count_within, %s", kernels->name);
    CHECK(wrong == 0);
}

/* A square that occurs, one near it, or what stands for all and for none. */
static double some_square(double occurring)
{
    double squares[] = {occurring, nextafter(occurring, INFINITY), occurring / 2, INFINITY, -1};
    return squares[random_below(5)];
}

/* The square from q to a lane's box; a point is a box without extent. */
static double plain_lane_sq(const double *lower, const double *upper, int d, const double *q,
                            int lane)
{
    double sum = 0;
    for (int j = 0; j < d; j++) {
        double least = lower[j * CT_LANES + lane], most = upper[j * CT_LANES + lane];
        double gap = q[j] < least ? least - q[j] : q[j] > most ? q[j] - most : 0;
        sum += gap * gap;
    }
    return sum;
}

static void check_lanes(const struct ct_kernels *kernels)
{
    int wrong_boxes = 0, wrong_points = 0, wrong_largest = 0;
    for (int round = 0; round < 30 * MOST; round++) {
        int d = 1 + round % (2 * DIMS), size = d * CT_LANES;
        double *x = numbers(size), *upper = numbers(size), *q = numbers(d);
        double *box_sq = numbers(CT_LANES), *sq = numbers(CT_LANES), want[CT_LANES];
        for (int i = 0; i < size; i++)
            upper[i] = x[i] + fabs(upper[i]);
        for (int i = 0; i < CT_LANES; i++) {
            double now = plain_lane_sq(x, x, d, q, i);
            sq[i] = some_square(now);
            box_sq[i] = some_square(plain_lane_sq(x, upper, d, q, i));
            want[i] = now < sq[i] ? now : sq[i];
        }
        unsigned nearer = kernels->boxes_nearer(x, upper, d, q, box_sq);
        unsigned largest = kernels->largest(sq);
        for (int i = 0; i < CT_LANES; i++) {
            int is_largest = 1;
            for (int j = 0; j < CT_LANES; j++)
                is_largest &= sq[j] <= sq[i];
            wrong_largest += (int)(largest >> i & 1) != is_largest;
            wrong_boxes += (int)(nearer >> i & 1) != (plain_lane_sq(x, upper, d, q, i) < box_sq[i]);
        }
        kernels->lower_sqdist(x, d, q, sq);
        wrong_points += memcmp(sq, want, sizeof want) != 0;
        wrong_boxes += nearer >> CT_LANES != 0;
        wrong_largest += largest >> CT_LANES != 0;
        keep_end();
    }
    check_about("boxes_nearer, %s", kernels->name);
    CHECK(wrong_boxes == 0);
    check_about("lower_sqdist, %s", kernels->name);
    CHECK(wrong_points == 0);
    check_about("largest, %s", kernels->name);
    CHECK(wrong_largest == 0);
}

/* Whether an answer about a square, given in double, is one that may be given. */
static int may_say(int within, double sq, double limit)
{
    return within ? sq <= limit * (1 + TRIFLE) : !(sq <= limit * (1 - TRIFLE));
}

/* 0 and the smallest floats, squares that occur and some near them, and ends. */
static float some_limit(double occurring)
{
    double limits[] = {occurring,    occurring * (1 + 3 * TRIFLE), occurring * (1 - 3 * TRIFLE),
                       INFINITY,     occurring * random_uniform(), 0,
                       occurring * 2};
    return (float)limits[random_below(7)];
}

static double plain_tile_sq(const float *tile, int lane, int d, const float *q, int apart)
{
    double sum = 0;
    for (int j = 0; j < d; j++) {
        double gap = (double)tile[j * CT_LANES + lane] - q[j * apart];
        sum += gap * gap;
    }
    return sum;
}

/* A tile whose last lanes are empty. */
static float *some_tile(int d)
{
    float *tile = floats(d * CT_LANES);
    for (int lane = CT_LANES - random_below(CT_LANES); lane < CT_LANES; lane++)
        for (int j = 0; j < d; j++)
            tile[j * CT_LANES + lane] = NAN;
    return tile;
}

static int wrong_lanes(unsigned within, const float *tile, int d, const float *q, int apart,
                       float limit)
{
    int wrong = within >> CT_LANES != 0;
    for (int lane = 0; lane < CT_LANES; lane++)
        wrong += !may_say(within >> lane & 1, plain_tile_sq(tile, lane, d, q, apart), limit);
    return wrong;
}

static void check_tile_within(const struct ct_kernels *kernels)
{
    int wrong = 0, wrong_team = 0, within_none = 0;
    for (int round = 0; round < 60 * DIMS; round++) {
        int d = 1 + round % (2 * DIMS);
        const float *tile = some_tile(d), *q = floats(d), *team = floats(d * CT_TEAM);
        float limit = some_limit(plain_tile_sq(tile, 0, d, q, 1));
        wrong += wrong_lanes(kernels->tile_within(tile, d, q, limit), tile, d, q, 1, limit);
        float *limits = keep(CT_TEAM, sizeof *limits);
        unsigned *got = keep(CT_TEAM, sizeof *got);
        for (int i = 0; i < CT_TEAM; i++)
            limits[i] = i == round % CT_TEAM
                            ? -1
                            : some_limit(plain_tile_sq(tile, 0, d, team + i, CT_TEAM));
        kernels->tile_within_team(tile, d, team, limits, got);
        for (int i = 0; i < CT_TEAM; i++)
            wrong_team += wrong_lanes(got[i], tile, d, team + i, CT_TEAM, limits[i]);
        within_none += got[round % CT_TEAM] != 0;
        keep_end();
    }
    check_about("tile_within, %s", kernels->name);
    CHECK(wrong == 0);
    check_about("tile_within_team, %s", kernels->name);
    CHECK(wrong_team == 0);
    CHECK(within_none == 0);
}

/* Boxes, or one if count is 1, and a box of queries that may be a point. */
struct boxes {
    float *lower, *upper, *q_lower, *q_upper;
    int stride, d, count;
};

static void order(float *a, float *b, int count)
{
    for (int i = 0; i < count; i++)
        if (a[i] > b[i]) {
            float swap = a[i];
            a[i] = b[i];
            b[i] = swap;
        }
}

/* The last column ends where vectors over the last box do. */
static struct boxes some_boxes(int d, int count)
{
    int up = rounded_up(count, CT_LANES), stride = count + random_below(40);
    int size = (d - 1) * stride + up;
    struct boxes b = {floats(size), floats(size), floats(d), floats(d), stride, d, count};
    order(b.lower, b.upper, size);
    if (random_below(2))
        memcpy(b.q_upper, b.q_lower, (size_t)d * sizeof(float));
    order(b.q_lower, b.q_upper, d);
    return b;
}

static double plain_box_sq(const struct boxes *b, int i)
{
    double sum = 0;
    for (int j = 0; j < b->d; j++) {
        double lower = b->lower[i + j * b->stride], upper = b->upper[i + j * b->stride], gap = 0;
        if (b->q_upper[j] < lower)
            gap = lower - b->q_upper[j];
        else if (b->q_lower[j] > upper)
            gap = b->q_lower[j] - upper;
        sum += gap * gap;
    }
    return sum;
}

static void check_boxes_within(const struct ct_kernels *kernels)
{
    int wrong = 0, unordered = 0, wrong_sq = 0;
    for (int round = 0; round < 60 * MOST; round++) {
        struct boxes b = some_boxes(1 + round % (DIMS + 5), 1 + round % MOST);
        int *number = keep((size_t)b.count, sizeof *number), at = 0;
        float *sq = keep((size_t)b.count, sizeof *sq);
        float limit = some_limit(plain_box_sq(&b, random_below(b.count)));
        int found = kernels->boxes_within(b.lower, b.upper, (size_t)b.stride, b.d, b.count,
                                          b.q_lower, b.q_upper, limit, number, sq);
        for (int p = 0; p < found; p++)
            unordered += number[p] < 0 || number[p] >= b.count || (p && number[p] <= number[p - 1]);
        for (int i = 0; i < b.count; i++) {
            double want = plain_box_sq(&b, i);
            int within = at < found && number[at] == i;
            wrong += !may_say(within, want, limit);
            wrong_sq += within && fabs(sq[at] - want) > TRIFLE * want;
            at += within;
        }
        wrong += at != found;
        keep_end();
    }
    check_about("boxes_within, %s", kernels->name);
    CHECK(wrong == 0);
    CHECK(unordered == 0);
    CHECK(wrong_sq == 0);
}

int main(void)
{
    for (int level = CT_SIMD_BASE; level <= (int)ct_simd_best(); level++) {
        const struct ct_kernels *kernels = ct_kernels((enum ct_simd_level)level);
        check_about("level %d", level);
        for (int lower = CT_SIMD_BASE; lower < level; lower++)
            CHECK(strcmp(kernels->name, ct_kernels((enum ct_simd_level)lower)->name) != 0);
        check_sqdist(kernels);
        check_rank(kernels);
        check_count_within(kernels);
        check_lanes(kernels);
        check_tile_within(kernels);
        check_boxes_within(kernels);
    }
    return check_done("simd");
}
