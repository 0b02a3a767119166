/* test_euclid.c: every instruction set of the processor agrees with plain C. Results in double
 * have the same bits. Results in float32 accept all values below the limit by a relative
 * tolerance, and reject all values above it by the tolerance; without fused multiply-add they
 * have the same bits. Nothing is read or written beyond the sizes in simd/euclid.h (each array is a
 * block of its exact size). */
#include "check.h"
#include "clouds.h"
#include "core/simd/euclid.h"
#include "core/tree/tiles.h"
#include "host.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { MOST = 70, DIMS = 20, VECTOR = 8 };

#define TOLERANCE 1e-5

static double plain_sqdist(const double *x, int ld, int d, int count, const double *q, double *out)
{
    double most = 0;
    for (int i = 0; i < count; i++) {
        out[i] = 0;
        for (int j = 0; j < d; j++) {
            double gap = x[i + j * ld] - q[j];
            out[i] += gap * gap;
        }
        most = out[i] > most ? out[i] : most;
    }
    return most;
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
            double most = kernels->sqdist(x, (size_t)ld, d, count, q, got);
            wrong += most != plain_sqdist(x, ld, d, count, q, want);
            wrong += memcmp(got, want, (size_t)count * sizeof *got) != 0;
            keep_end();
        }
    check_about("sqdist, %s", kernels->name);
    CHECK(wrong == 0);
}

static int count_misranked(const double *x, int count, const int *rank)
{
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        int want = 0;
        for (int j = 0; j < count; j++)
            want += x[j] < x[i] || (x[j] == x[i] && j < i);
        wrong += rank[i] != want;
    }
    return wrong;
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
            wrong += count_misranked(x, count, rank);
            keep_end();
        }
    check_about("rank, %s", kernels->name);
    CHECK(wrong == 0);
}

/* Values in runs of up to reach + 1, each in any order and beyond the one before. */
static void check_rank_nearly_sorted(const struct ct_kernels *kernels)
{
    int wrong = 0;
    for (int reach = 0; reach < 12; reach++)
        for (int count = 0; count <= MOST; count++) {
            int size = rounded_up(count, VECTOR), *rank = keep((size_t)size, sizeof *rank);
            double *x = keep((size_t)(size + 2 * reach), sizeof *x);
            x += reach;
            for (int i = -reach; i < size + reach; i++)
                x[i] = i < 0 ? -INFINITY : INFINITY;
            for (int begin = 0, end; begin < count; begin = end) {
                end = begin + 1 + random_below(reach + 1);
                for (int i = begin; i < end && i < count; i++)
                    x[i] = begin + random_below(3) * 0.25;
            }
            kernels->rank_nearly_sorted(x, count, reach, rank);
            wrong += count_misranked(x, count, rank);
            keep_end();
        }
    check_about("rank_nearly_sorted, %s", kernels->name);
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
        kernels->min_sqdist(x, d, q, sq);
        wrong_points += memcmp(sq, want, sizeof want) != 0;
        wrong_boxes += nearer >> CT_LANES != 0;
        wrong_largest += largest >> CT_LANES != 0;
        keep_end();
    }
    check_about("boxes_nearer, %s", kernels->name);
    CHECK(wrong_boxes == 0);
    check_about("min_sqdist, %s", kernels->name);
    CHECK(wrong_points == 0);
    check_about("largest, %s", kernels->name);
    CHECK(wrong_largest == 0);
}

/* Whether an answer about a square, given in double, is one that may be given. */
static int may_say(int within, double sq, double limit)
{
    return within ? sq <= limit * (1 + TOLERANCE) : !(sq <= limit * (1 - TOLERANCE));
}

/* 0 and the smallest floats, squares that occur and some near them, and ends. */
static float some_limit(double occurring)
{
    double limits[] = {
        occurring,    occurring * (1 + 3 * TOLERANCE), occurring * (1 - 3 * TOLERANCE),
        INFINITY,     occurring * random_uniform(),    0,
        occurring * 2};
    return (float)limits[random_below(7)];
}

/* ---- the candidate buffer ---------------------------------------------------- */

/* A list that has room for just what simd/candidates.h says, and holds `count` squares,
 * from 0 to below 1, all within its limit. */
static struct ct_candidates some_candidates(int full, int count, float limit)
{
    struct ct_candidates candidates = {.sq = keep((size_t)full + CT_CANDIDATE_PAD, sizeof(float)),
                                       .pos = keep((size_t)full + CT_CANDIDATE_PAD, sizeof(int)),
                                       .count = count,
                                       .capacity = full,
                                       .threshold = limit,
                                       .skip_row = 0,
                                       .max_row = INT_MAX};
    for (int i = 0; i < count; i++) {
        candidates.sq[i] = (float)random_uniform();
        candidates.pos[i] = -1 - i;
    }
    return candidates;
}

/* The tile that lies last in its array, as do its rows: size points from pos on. */
struct scan_input {
    const float *tile, *q;
    const int *row;
    int d, size, pos;
};

static struct scan_input some_scan_input(int d, int places)
{
    struct scan_input m = {.d = d, .size = 1 + random_below(CT_LANES), .pos = random_below(1000)};
    float *tile = floats(d * CT_LANES);
    int *row = keep((size_t)m.size, sizeof *row);
    for (int lane = m.size; lane < CT_LANES; lane++)
        for (int j = 0; j < d; j++)
            tile[j * CT_LANES + lane] = NAN;
    for (int lane = 0; lane < m.size; lane++)
        row[lane] = 1 + (lane * 7 + m.pos) % 100;
    m.tile = tile;
    m.row = row;
    m.q = floats(d * places);
    return m;
}

/* The norm of the kernels that are checked. */
static enum ct_norm norm;

static double add_gap(double gap, double sum)
{
    return norm == CT_EUCLIDEAN   ? sum + gap * gap
           : norm == CT_MANHATTAN ? sum + fabs(gap)
                                  : fmax(sum, fabs(gap));
}

static double squared(double sum)
{
    return norm == CT_EUCLIDEAN ? sum : sum * sum;
}

static double square_at(const struct scan_input *m, int lane, int place, int places)
{
    double sum = 0;
    for (int j = 0; j < m->d; j++)
        sum = add_gap((double)m->tile[j * CT_LANES + lane] - m->q[j * places + place], sum);
    return squared(sum);
}

/* Of the rows a query does not want, and of the limit: all there are, and some. */
static void set_wants(const struct scan_input *m, int place, int places,
                      struct ct_candidates *candidates)
{
    static const int rounds = 4;
    candidates->threshold = some_limit(square_at(m, random_below(m->size), place, places));
    candidates->skip_row = random_below(rounds) ? m->row[random_below(m->size)] : 0;
    candidates->max_row =
        random_below(rounds) ? INT_MAX : m->row[random_below(m->size)] - random_below(2);
}

/* What is wrong with a list that had `had` entries, the first of which must be as
 * before, after a scan of a tile. */
static int wrong_after(const struct scan_input *m, int place, int places,
                       const struct ct_candidates *before, const struct ct_candidates *candidates)
{
    int at = before->count, wrong = candidates->count < before->count;
    wrong += memcmp(candidates->sq, before->sq, (size_t)at * sizeof *candidates->sq) != 0;
    wrong += memcmp(candidates->pos, before->pos, (size_t)at * sizeof *candidates->pos) != 0;
    for (int lane = 0; lane < m->size; lane++) {
        double want = square_at(m, lane, place, places);
        int wanted = m->row[lane] != candidates->skip_row && m->row[lane] <= candidates->max_row;
        int within = at < candidates->count && candidates->pos[at] == m->pos + lane;
        wrong += within ? !wanted || !may_say(1, want, candidates->threshold)
                        : wanted && !may_say(0, want, candidates->threshold);
        wrong += within && fabs(candidates->sq[at] - want) > TOLERANCE * want;
        at += within;
    }
    return wrong + (at != candidates->count);
}

/* A buffer before a scan: mostly with so little room that the tile may fill it. */
static struct ct_candidates list_to_fill(void)
{
    int full = 1 + random_below(2 * CT_LANES), room = random_below(CT_LANES + 1);
    return some_candidates(full, room < full ? full - 1 - room : 0, 0);
}

/* A copy to compare with. */
static struct ct_candidates copy_of(const struct ct_candidates *candidates)
{
    struct ct_candidates copy = *candidates;
    copy.sq = keep((size_t)candidates->capacity + CT_CANDIDATE_PAD, sizeof(float));
    copy.pos = keep((size_t)candidates->capacity + CT_CANDIDATE_PAD, sizeof(int));
    memcpy(copy.sq, candidates->sq, (size_t)candidates->count * sizeof(float));
    memcpy(copy.pos, candidates->pos, (size_t)candidates->count * sizeof(int));
    return copy;
}

static void check_scan_tile(const struct ct_kernels *kernels)
{
    int wrong = 0, wrong_full = 0, filled = 0;
    for (int round = 0; round < 100 * DIMS; round++) {
        struct scan_input m = some_scan_input(1 + round % (2 * DIMS), 1);
        struct ct_candidates candidates = list_to_fill(), before;
        set_wants(&m, 0, 1, &candidates);
        before = copy_of(&candidates);
        int full = kernels->scan_tile(m.tile, m.d, m.q, m.row, m.pos, &candidates);
        wrong += wrong_after(&m, 0, 1, &before, &candidates);
        wrong_full += (full != 0) != (candidates.count >= candidates.capacity);
        filled += full != 0;
        keep_end();
    }
    check_about("scan_tile, %s, norm %d", kernels->name, (int)norm);
    CHECK(wrong == 0);
    CHECK(wrong_full == 0);
    CHECK(filled > 0);
}

/* Two places of the group are unused: their buffer has no room. */
static void check_scan_tile_group(const struct ct_kernels *kernels)
{
    int wrong = 0, wrong_full = 0, filled_unused = 0, filled = 0;
    for (int round = 0; round < 60 * DIMS; round++) {
        struct scan_input m = some_scan_input(1 + round % (2 * DIMS), CT_GROUP);
        struct ct_candidates list[CT_GROUP], before[CT_GROUP], *candidates[CT_GROUP];
        struct ct_candidates unused = {.capacity = 1, .threshold = -1};
        int alone = random_below(CT_GROUP);
        for (int i = 0; i < CT_GROUP; i++) {
            list[i] = list_to_fill();
            set_wants(&m, i, CT_GROUP, &list[i]);
            before[i] = copy_of(&list[i]);
            candidates[i] = i == alone || i == round % CT_GROUP ? &unused : &list[i];
        }
        unsigned full = kernels->scan_tile_group(m.tile, m.d, m.q, m.row, m.pos, candidates);
        for (int i = 0; i < CT_GROUP; i++) {
            wrong +=
                candidates[i] == &list[i] && wrong_after(&m, i, CT_GROUP, &before[i], &list[i]);
            wrong_full += (full >> i & 1) != (candidates[i]->count >= candidates[i]->capacity);
        }
        wrong_full += full >> CT_GROUP != 0;
        filled += full != 0;
        filled_unused += unused.count != 0;
        keep_end();
    }
    check_about("scan_tile_group, %s, norm %d", kernels->name, (int)norm);
    CHECK(wrong == 0);
    CHECK(wrong_full == 0);
    CHECK(filled_unused == 0);
    CHECK(filled > 0);
}

static int count_within(const struct ct_candidates *candidates, float limit)
{
    int count = 0;
    for (int i = 0; i < candidates->count; i++)
        count += candidates->sq[i] <= limit;
    return count;
}

/* Squares of all sorts: spread, tied, all one, zeros, next to zero, without end. */
static void fill_candidates(struct ct_candidates *candidates, int sort)
{
    for (int i = 0; i < candidates->count; i++) {
        float u = (float)random_uniform();
        float squares[] = {u,
                           (float)random_below(4),
                           0.3f,
                           0,
                           (float)ldexp(u, -140),
                           random_below(3) ? u : INFINITY,
                           (float)ldexp(1, -random_below(140)),
                           i == 0 ? 3e38f : u};
        candidates->sq[i] = squares[sort];
    }
}

/* The square below which a bisection must have looked: as near to the threshold as 24
 * halvings of where it began come; nowhere, if it began without end. */
static float surely_below(const struct ct_candidates *candidates, float threshold)
{
    float most = 0;
    for (int i = 0; i < candidates->count; i++)
        most = candidates->sq[i] > most ? candidates->sq[i] : most;
    float began = candidates->threshold < INFINITY ? candidates->threshold : most;
    if (began == INFINITY)
        return -1;
    return fminf(nextafterf(threshold, -1), threshold - began * 0x1p-22f);
}

/* At least k are within the threshold, if they are within the limit; and not more than
 * enough, but for those that a bisection of the limit cannot tell apart. */
static void check_find_threshold(const struct ct_kernels *kernels)
{
    int wrong = 0, loose = 0, changed = 0;
    for (int round = 0; round < 4000; round++) {
        int count = 1 + random_below(3 * MOST), k = 1 + random_below(count), sort = round % 8;
        int most = k + random_below(k / 4 + 2), full = count - random_below(CT_LANES);
        struct ct_candidates candidates = some_candidates(full < 1 ? 1 : full, 0, INFINITY);
        candidates.count =
            count < candidates.capacity + CT_LANES ? count : candidates.capacity + CT_LANES - 1;
        k = k < candidates.count ? k : candidates.count;
        fill_candidates(&candidates, sort);
        if (sort < 5 && round / 8 % 2)
            candidates.threshold =
                candidates.sq[random_below(candidates.count)] + (float)random_below(2);
        struct ct_candidates before = copy_of(&candidates);
        float threshold = kernels->find_threshold(&candidates, k, most);
        int within = count_within(&candidates, threshold),
            wanted = count_within(&candidates, candidates.threshold);
        wrong +=
            candidates.threshold > 0 && (threshold == 0) != (count_within(&candidates, 0) >= k);
        wrong +=
            !(threshold <= candidates.threshold) || (wanted >= k ? within < k : within != wanted);
        loose +=
            within > most && count_within(&candidates, surely_below(&candidates, threshold)) >= k;
        changed += candidates.count != before.count || candidates.threshold != before.threshold;
        changed += memcmp(candidates.sq, before.sq, (size_t)candidates.count * sizeof(float)) != 0;
        keep_end();
    }
    check_about("find_threshold, %s", kernels->name);
    CHECK(wrong == 0);
    CHECK(loose == 0);
    CHECK(changed == 0);
}

/* The same in double: spread values, ties, zeros, infinities. */
static void check_find_threshold_f64(const struct ct_kernels *kernels)
{
    int wrong = 0, loose = 0;
    for (int round = 0; round < 2000; round++) {
        int count = 1 + random_below(3 * MOST), k = 1 + random_below(count);
        int most = k + random_below(k / 4 + 2), within = 0, clearly_below = 0;
        double *sq = numbers(count + VECTOR), largest = 0;
        for (int i = 0; i < count; i++) {
            double u = random_uniform();
            double values[] = {u, random_below(4), 0.3, 0, ldexp(u, -1060), i % 3 ? u : INFINITY};
            sq[i] = values[round % 6];
            largest = sq[i] > largest ? sq[i] : largest;
        }
        double threshold = kernels->find_threshold_f64(sq, count, k, most);
        for (int i = 0; i < count; i++) {
            within += sq[i] <= threshold;
            clearly_below += sq[i] < threshold - largest * 0x1p-22;
        }
        wrong += within < k;
        loose += within > most && clearly_below >= k;
        keep_end();
    }
    check_about("find_threshold_f64, %s", kernels->name);
    CHECK(wrong == 0);
    CHECK(loose == 0);
}

static void check_compact(const struct ct_kernels *kernels)
{
    int wrong = 0;
    for (int round = 0; round < 2000; round++) {
        int full = 1 + random_below(MOST), count = random_below(full + CT_LANES), at = 0;
        struct ct_candidates candidates = some_candidates(full, 0, INFINITY);
        candidates.count = count;
        fill_candidates(&candidates, round % 8);
        for (int i = 0; i < count; i++)
            candidates.pos[i] = i;
        struct ct_candidates before = copy_of(&candidates);
        float limit = count ? some_limit(candidates.sq[random_below(count)]) : 1;
        kernels->compact(&candidates, limit);
        for (int i = 0; i < count; i++)
            if (before.sq[i] <= limit) {
                wrong += at >= candidates.count || candidates.pos[at] != i ||
                         candidates.sq[at] != before.sq[i];
                at++;
            }
        wrong += at != candidates.count;
        keep_end();
    }
    check_about("compact, %s", kernels->name);
    CHECK(wrong == 0);
}

/* ---- boxes -------------------------------------------------------------------- */

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
        sum = add_gap(gap, sum);
    }
    return squared(sum);
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
            wrong_sq += within && fabs(sq[at] - want) > TOLERANCE * want;
            at += within;
        }
        wrong += at != found;
        keep_end();
    }
    check_about("boxes_within, %s, norm %d", kernels->name, (int)norm);
    CHECK(wrong == 0);
    CHECK(unordered == 0);
    CHECK(wrong_sq == 0);
}

/* ---- kernels without fused multiply-add ------------------------------------ */

static int differ(const struct ct_candidates *a, const struct ct_candidates *b)
{
    return a->count != b->count || memcmp(a->sq, b->sq, (size_t)a->count * sizeof *a->sq) != 0 ||
           memcmp(a->pos, b->pos, (size_t)a->count * sizeof *a->pos) != 0;
}

static int groups_differ(const struct ct_kernels *one, const struct ct_kernels *other, int d)
{
    struct scan_input m = some_scan_input(d, CT_GROUP);
    struct ct_candidates a[CT_GROUP], b[CT_GROUP], *of_a[CT_GROUP], *of_b[CT_GROUP];
    for (int i = 0; i < CT_GROUP; i++) {
        a[i] = list_to_fill();
        set_wants(&m, i, CT_GROUP, &a[i]);
        b[i] = copy_of(&a[i]);
        of_a[i] = &a[i];
        of_b[i] = &b[i];
    }
    unsigned full = one->scan_tile_group(m.tile, d, m.q, m.row, m.pos, of_a);
    int wrong = other->scan_tile_group(m.tile, d, m.q, m.row, m.pos, of_b) != full;
    for (int i = 0; i < CT_GROUP; i++)
        wrong += differ(&a[i], &b[i]);
    return wrong;
}

static int tiles_differ(const struct ct_kernels *one, const struct ct_kernels *other, int d)
{
    struct scan_input m = some_scan_input(d, 1);
    struct ct_candidates a = list_to_fill();
    set_wants(&m, 0, 1, &a);
    struct ct_candidates b = copy_of(&a);
    int full = one->scan_tile(m.tile, d, m.q, m.row, m.pos, &a);
    return other->scan_tile(m.tile, d, m.q, m.row, m.pos, &b) != full || differ(&a, &b);
}

static int boxes_differ(const struct ct_kernels *one, const struct ct_kernels *other, int d)
{
    struct boxes b = some_boxes(d, 1 + random_below(MOST));
    int number[2][MOST];
    float sq[2][MOST], limit = some_limit(plain_box_sq(&b, random_below(b.count)));
    int found = one->boxes_within(b.lower, b.upper, (size_t)b.stride, d, b.count, b.q_lower,
                                  b.q_upper, limit, number[0], sq[0]);
    return other->boxes_within(b.lower, b.upper, (size_t)b.stride, d, b.count, b.q_lower, b.q_upper,
                               limit, number[1], sq[1]) != found ||
           memcmp(number[0], number[1], (size_t)found * sizeof(int)) != 0 ||
           memcmp(sq[0], sq[1], (size_t)found * sizeof(float)) != 0;
}

/* Their squares in float have the same bits as those of the base. */
static void check_unfused(const struct ct_kernels *kernels)
{
    const struct ct_kernels *base = ct_norm_kernels(ct_kernels(CT_SIMD_BASE)->unfused, norm);
    int wrong_tiles = 0, wrong_groups = 0, wrong_boxes = 0;
    for (int round = 0; round < 50 * DIMS; round++) {
        int d = 1 + round % (2 * DIMS);
        wrong_tiles += tiles_differ(base, kernels->unfused, d);
        wrong_groups += groups_differ(base, kernels->unfused, d);
        wrong_boxes += boxes_differ(base, kernels->unfused, d);
        keep_end();
    }
    check_about("%s without fused multiply-add", kernels->name);
    CHECK(wrong_tiles == 0);
    CHECK(wrong_groups == 0);
    CHECK(wrong_boxes == 0);
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
        check_rank_nearly_sorted(kernels);
        check_lanes(kernels);
        check_find_threshold(kernels);
        check_find_threshold_f64(kernels);
        check_compact(kernels);
        for (int which = 0; which < CT_NORMS; which++) {
            norm = (enum ct_norm)which;
            const struct ct_kernels *of_norm = ct_norm_kernels(kernels, norm);
            check_scan_tile(of_norm);
            check_scan_tile_group(of_norm);
            check_boxes_within(of_norm);
            check_unfused(of_norm);
        }
    }
    return check_done("euclid");
}
