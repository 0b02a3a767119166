/* test_packed.c: the kernels of search/single_scan.h, for each instruction set and norm, compared
 * with loops in double. Squares so near a threshold that rounding decides count as either. */
#include "check.h"
#include "clouds.h"
#include "core/simd/euclid.h"
#include "host.h"

#include <math.h>
#include <string.h>

enum { RUNS = 40, BOXES = RUNS * CT_LANES, MOST_D = 40, ROOM = BOXES + CT_CANDIDATE_PAD };

static enum ct_norm norm;

/* The square of the norm of the gaps between two boxes, [d rows of stride] each. */
static double gap_sq(const float *lower, const float *upper, size_t stride, const float *q_lower,
                     const float *q_upper, size_t q_stride, int d)
{
    double sum = 0;
    for (int j = 0; j < d; j++) {
        double below = (double)lower[j * stride] - q_upper[j * q_stride];
        double above = (double)q_lower[j * q_stride] - upper[j * stride];
        double gap = fmax(fmax(below, above), 0);
        sum = norm == CT_EUCLIDEAN   ? sum + gap * gap
              : norm == CT_MANHATTAN ? sum + gap
                                     : fmax(sum, gap);
    }
    return norm == CT_EUCLIDEAN ? sum : sum * sum;
}

static int is_close(double a, double b)
{
    return fabs(a - b) <= 1e-5 * b;
}

/* Random boxes, a box of queries, and the lower corner of that box as a query. */
struct problem {
    float lower[MOST_D * BOXES], upper[MOST_D * BOXES], q_lower[MOST_D], q_upper[MOST_D];
    int d;
    float threshold; /* that some boxes are within */
};

static void draw(struct problem *p, int d)
{
    p->d = d;
    for (int i = 0; i < d * BOXES; i++) {
        p->lower[i] = (float)(2 * random_uniform() - 1);
        p->upper[i] = p->lower[i] + (float)(random_uniform() / 2);
    }
    for (int j = 0; j < d; j++) {
        p->q_lower[j] = (float)(2 * random_uniform() - 1);
        p->q_upper[j] = p->q_lower[j] + (float)(random_uniform() / 4);
    }
    int i = random_below(BOXES);
    p->threshold =
        (float)gap_sq(p->lower + i, p->upper + i, BOXES, p->q_lower, p->q_upper, 1, d) * 1.01f;
}

static struct ct_packed_boxes new_pack(int d)
{
    return (struct ct_packed_boxes){keep((size_t)d * 2 * CT_PACKED_STRIDE, sizeof(float)),
                                    keep(CT_PACKED_STRIDE, sizeof(int)), 0};
}

static struct ct_candidates new_list(void)
{
    return (struct ct_candidates){
        .sq = keep(ROOM, sizeof(float)), .pos = keep(ROOM, sizeof(int)), .capacity = BOXES};
}

/* Packs the chosen boxes until the pack is full. Counts boxes that are missing, that should be
 * absent, or whose bounds differ. */
static int pack(const struct ct_kernels *kernels, const struct problem *p,
                struct ct_packed_boxes *to)
{
    int wrong = 0, full = 0, at = 0;
    for (int run = 0; run < RUNS && !full; run++) {
        unsigned chosen = (unsigned)random_bits() & 0xffff;
        const float *lower = p->lower + run * CT_LANES, *upper = p->upper + run * CT_LANES;
        full = kernels->pack_boxes(lower, upper, BOXES, p->d, chosen, run * CT_LANES, p->q_lower,
                                   p->q_upper, p->threshold, to);
        for (int i = 0; i < CT_LANES; i++) {
            double sq = gap_sq(lower + i, upper + i, BOXES, p->q_lower, p->q_upper, 1, p->d);
            int there = at < to->count && to->number[at] == run * CT_LANES + i;
            if (there != (sq <= p->threshold && chosen >> i & 1))
                wrong += !(chosen >> i & 1) || !is_close(sq, p->threshold);
            for (int j = 0; there && j < p->d; j++) {
                const float *bounds = to->bounds + (size_t)2 * j * CT_PACKED_STRIDE + at;
                wrong += bounds[0] != lower[i + (size_t)j * BOXES] ||
                         bounds[CT_PACKED_STRIDE] != upper[i + (size_t)j * BOXES];
            }
            at += there;
        }
    }
    return wrong + (at != to->count) + (full != (to->count > CT_PACKED_BOXES - CT_LANES));
}

/* Lists the packed boxes near the query, behind one entry. Counts wrong entries. */
static int list(const struct ct_kernels *kernels, const struct problem *p,
                const struct ct_packed_boxes *from, struct ct_candidates *to)
{
    int wrong = 0, at = 1;
    to->count = 1;
    kernels->list_packed(from, p->d, p->q_lower, p->threshold, to);
    for (int i = 0; i < from->count; i++) {
        double sq = gap_sq(from->bounds + i, from->bounds + CT_PACKED_STRIDE + i,
                           2 * CT_PACKED_STRIDE, p->q_lower, p->q_lower, 1, p->d);
        int there = at < to->count && to->pos[at] == from->number[i];
        if (there != (sq <= p->threshold))
            wrong += !is_close(sq, p->threshold);
        wrong += there && !is_close(to->sq[at], sq);
        at += there;
    }
    return wrong + (at != to->count);
}

/* Both parts keep the order of the list. */
static int move(const struct ct_kernels *kernels, struct ct_candidates *from, float threshold)
{
    struct ct_candidates before = new_list(), inside = new_list();
    int wrong = 0, moved = 0, left = 0;
    memcpy(before.sq, from->sq, (size_t)from->count * sizeof(float));
    memcpy(before.pos, from->pos, (size_t)from->count * sizeof(int));
    before.count = from->count;
    kernels->move_within(from, threshold, &inside);
    for (int i = 0; i < before.count; i++) {
        int *at = before.sq[i] <= threshold ? &moved : &left;
        const struct ct_candidates *in = before.sq[i] <= threshold ? &inside : from;
        wrong += in->pos[*at] != before.pos[i] || in->sq[*at] != before.sq[i];
        ++*at;
    }
    return wrong + (moved != inside.count) + (left != from->count);
}

/* scan_tiles() does what scan_tile() does for one tile after the other. */
static int scan(const struct ct_kernels *kernels, int d)
{
    enum { TILES = 12 };
    int begin[TILES], tile[TILES], row[TILES * CT_LANES], wrong = 0;
    float *x = keep((size_t)TILES * d * CT_LANES, sizeof *x), *q = keep((size_t)d, sizeof *q);
    for (int i = 0; i < TILES * d * CT_LANES; i++)
        x[i] = i % 11 == 0 && random_below(9) == 0 ? NAN : (float)random_uniform();
    for (int j = 0; j < d; j++)
        q[j] = (float)random_uniform();
    for (int i = 0; i < TILES * CT_LANES; i++)
        row[i] = i + 1;
    for (int t = 0; t < TILES; t++) {
        begin[t] = t * CT_LANES;
        tile[t] = random_below(TILES);
    }
    struct ct_candidates one = new_list(), all = new_list();
    one.max_row = all.max_row = TILES * CT_LANES - 9;
    one.skip_row = all.skip_row = 1 + random_below(9);
    one.capacity = all.capacity = 1 + random_below(60);
    one.threshold = all.threshold = norm == CT_CHEBYSHEV ? 0.5f : (float)(d * random_uniform());
    int scanned = kernels->scan_tiles(x, begin, row, d, q, tile, TILES, &all), full = 0, t = 0;
    for (; t < TILES && !full; t++)
        full = kernels->scan_tile(x + (size_t)tile[t] * d * CT_LANES, d, q, row + begin[tile[t]],
                                  begin[tile[t]], &one);
    wrong += scanned != t || one.count != all.count;
    for (int i = 0; i < one.count && i < all.count; i++)
        wrong += one.pos[i] != all.pos[i] || one.sq[i] != all.sq[i];
    return wrong;
}

static void check_kernels(const struct ct_kernels *kernels)
{
    static struct problem problem;
    int packs = 0, lists = 0, moves = 0, scans = 0;
    for (int d = 1; d <= MOST_D; d += 1 + d / 8) {
        draw(&problem, d);
        struct ct_packed_boxes boxes = new_pack(d);
        struct ct_candidates inside = new_list();
        packs += pack(kernels, &problem, &boxes);
        lists += list(kernels, &problem, &boxes, &inside);
        inside.sq[0] = 0;
        inside.pos[0] = -1;
        moves += move(kernels, &inside, problem.threshold * (float)random_uniform());
        scans += scan(kernels, d);
        keep_end();
    }
    check_about("%s, norm %d", kernels->name, (int)norm);
    CHECK(packs == 0);
    CHECK(lists == 0);
    CHECK(moves == 0);
    CHECK(scans == 0);
}

int main(void)
{
    for (int level = CT_SIMD_BASE; level <= (int)ct_simd_best(); level++)
        for (int which = 0; which < CT_NORMS; which++) {
            const struct ct_kernels *kernels = ct_kernels((enum ct_simd_level)level);
            norm = (enum ct_norm)which;
            check_kernels(ct_norm_kernels(kernels, norm));
            check_kernels(ct_norm_kernels(kernels->unfused, norm));
        }
    return check_done("packed");
}
