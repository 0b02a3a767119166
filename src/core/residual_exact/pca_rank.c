/* pca_rank.c: see pca_rank.h.
 *
 * Some queries are answered by all of their correlations. Then the bars are known
 * that pairs meet on average, and of some turned points
 * and queries, how many pairs come through with so many leading numbers. What the
 * scan costs then is counted in products of numbers that a sieve adds up.
 */
#include "core/residual_exact/pca_rank.h"
#include "core/metric/euclidean.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

enum {
    QUERIES = 16,  /* that are answered */
    LEARNT = 2048, /* points whose directions are taken, at most */
    TRIED = 512,   /* points that meet the queries */
    AHEAD = 4,     /* bars are about so much farther than the k-th on average */
    STEP = 32      /* a multiple of every tile's lanes */
};

/* In products of numbers: a pair for its covariance, and one that comes through. */
static const double COVARIANCE = 50, THROUGH = 1300;

/* Less is not worth the turning, or may be a mistake. */
static const double GAIN = 0.9;

/* Places of up to `most` points with residual, evenly among all, from `shift` on. */
static int take_places(const struct ct_point_norms *size, int n, int most, int shift, int *pos)
{
    int taken = 0, few = n < most ? n : most;
    for (int i = 0; i < few; i++) {
        int at = (int)((long long)n * i / few) + shift;
        if (at < n && !isinf(size->root[at]))
            pos[taken++] = at;
    }
    return taken;
}

/* Directions matter where residual variances are small. */
static void learn(const struct ct_host *host, struct ct_filter *sift)
{
    const struct ct_exact_batch *batch = sift->batch;
    const struct ct_factors *points = &batch->residual->points;
    int m = batch->residual->m, pos[LEARNT];
    int count = take_places(&sift->point_size, points->n, LEARNT, 0, pos);
    size_t stride = ct_v_stride(m);
    double *vectors = host->alloc(count * stride, sizeof *vectors);
    for (int i = 0; i < count; i++)
        for (size_t j = 0; j < stride; j++)
            vectors[i * stride + j] =
                points->v[pos[i] * stride + j] * sift->frame.unit / sift->point_size.root[pos[i]];
    sift->frame.turn =
        ct_rotation_make(host, batch->dots, vectors, count, m, stride, batch->threads);
}

/* Turned vectors, and what the first numbers of each leave: [count * m] both. */
struct turned {
    int count, *pos;
    double *v, *left;
};

struct trial {
    struct ct_filter *sift;
    int k;
    const struct ct_filter_kernels *sieve; /* that most pairs meet */
    struct turned query, point;
    double *bar;            /* [QUERIES] */
    double *square;         /* [threads] times n, padded as for a selection */
    int *place;             /* the same */
    int most;               /* numbers in the longest rest */
    double pairs, *through; /* [most / STEP + 1]: pairs that came through, by rest */
};

static struct turned turn_all(const struct ct_host *host, const struct ct_filter *sift,
                              const struct ct_factors *points, int *pos, int count)
{
    const struct ct_rotation *turn = &sift->frame.turn;
    int m = turn->m, teams = (count + CT_GROUP - 1) / CT_GROUP;
    size_t size = (size_t)teams * CT_GROUP * m;
    struct turned turned = {count, pos, host->alloc(size, sizeof(double)),
                            host->alloc(size, sizeof(double))};
    double *room = host->alloc(ct_rotation_scratch_size(turn), sizeof *room);
    for (int team = 0; team < count; team += CT_GROUP) {
        const double *v[CT_GROUP];
        for (int i = 0; i < CT_GROUP; i++)
            v[i] = points->v + pos[team + i < count ? team + i : team] * ct_v_stride(m);
        ct_rotate_group(turn, v, sift->frame.unit, room, turned.v + (size_t)team * m);
    }
    for (int i = 0; i < count; i++) {
        double sum = 0;
        for (int j = m; j-- > 0;) {
            double number = turned.v[(size_t)i * m + j];
            turned.left[(size_t)i * m + j] = sqrt(sum += number * number);
        }
    }
    return turned;
}

/* What bars are about on average is the distance of who is thrice as far. */
static void answer(void *data, int query, int thread)
{
    const struct trial *trial = data;
    const struct ct_exact_batch *batch = trial->sift->batch;
    int n = batch->residual->points.n, pos = trial->query.pos[query], count = 0;
    int end = batch->predecessors ? pos : n, wanted = trial->k < n / AHEAD ? AHEAD * trial->k : n;
    double *square = trial->square + (size_t)thread * n;
    int *place = trial->place + (size_t)thread * n;
    for (int i = 0; i < end; i++)
        if (batch->foreign || i != pos)
            place[count++] = i;
    ct_residual_sqdist(batch->dots, batch->residual, trial->sift->from, pos, place, count, square);
    trial->bar[query] = count < wanted ? 1 : ct_select_kth(square, place, count, wanted).sq;
}

/* Counts, for each rest, whether a pair comes through. */
static void try_pair(struct trial *trial, int query, int point, double covariance)
{
    const struct ct_filter *sift = trial->sift;
    int m = sift->frame.turn.m, at = trial->query.pos[query], to = trial->point.pos[point];
    const double *x = trial->query.v + (size_t)query * m, *y = trial->point.v + (size_t)point * m;
    const double *x_left = trial->query.left + (size_t)query * m;
    const double *y_left = trial->point.left + (size_t)point * m;
    double scale = sift->size.root[at] * sift->point_size.root[to], size = covariance;
    double least = (1 - trial->bar[query]) * scale -
                   ct_error_bound_margin(&sift->frame, trial->sieve, sift->size.norm[at]);
    for (int j = 0; j < m; j++) {
        int rest = m - j;
        if (rest <= trial->most && rest % STEP == 0)
            trial->through[rest / STEP] += fabs(size) + x_left[j] * y_left[j] >= least;
        size -= x[j] * y[j];
    }
    trial->through[0] += fabs(size) >= least;
    trial->pairs++;
}

static void try_pairs(struct trial *trial)
{
    const struct ct_filter *sift = trial->sift;
    const struct ct_exact_batch *batch = sift->batch;
    const struct ct_residual_metric *residual = batch->residual;
    const struct ct_factors *points = &residual->points, *from = sift->from;
    double unit = sift->frame.unit * sift->frame.unit;
    for (int i = 0; i < trial->query.count; i++)
        for (int j = 0; j < trial->point.count; j++) {
            int at = trial->query.pos[i], to = trial->point.pos[j];
            if (!batch->foreign && (at == to || (batch->predecessors && at < to)))
                continue;
            double k = ct_sqdist(from->z + at, (size_t)from->n, points->z + to, (size_t)points->n,
                                 residual->d);
            struct ct_covariance_shape shape = sift->frame.shape;
            batch->dots->covariance(&shape, residual->variance, 1, &k);
            try_pair(trial, i, j, k * unit);
        }
}

/* The rest that costs least, or 0. */
static int best_rest(const struct trial *trial)
{
    int m = trial->sift->frame.turn.m, best = 0;
    double plain = m + COVARIANCE, least = GAIN * plain;
    for (int rest = STEP; rest <= trial->most && trial->pairs > 0; rest += STEP) {
        double share = trial->through[rest / STEP] / trial->pairs;
        double cost = m - rest + COVARIANCE + share * (THROUGH + 2 * rest);
        if (cost < least) {
            best = rest;
            least = cost;
        }
    }
    return best;
}

static int measured_rest(const struct ct_host *host, struct ct_filter *sift,
                         const struct ct_filter_kernels *sieve, int k, int most)
{
    const struct ct_exact_batch *batch = sift->batch;
    int n = batch->residual->points.n, *pos = host->alloc(QUERIES + TRIED, sizeof *pos);
    size_t room = (size_t)batch->threads * n;
    struct trial trial = {
        .sift = sift,
        .k = k,
        .sieve = sieve,
        .bar = host->alloc(QUERIES, sizeof(double)),
        .square = host->alloc(room, sizeof(double)),
        .place = host->alloc(room, sizeof(int)),
        .most = most,
        .through = host->alloc((size_t)most / STEP + 1, sizeof(double)),
    };
    memset(trial.through, 0, (most / STEP + 1) * sizeof(double));
    int queries =
        take_places(&sift->size, sift->from->n, QUERIES, sift->from->n / (2 * LEARNT), pos);
    int points = take_places(&sift->point_size, n, TRIED, n / (2 * LEARNT), pos + QUERIES);
    trial.query = turn_all(host, sift, sift->from, pos, queries);
    trial.point = turn_all(host, sift, &batch->residual->points, pos + QUERIES, points);
    ct_parallel_for(host, queries, batch->threads, answer, &trial);
    try_pairs(&trial);
    return best_rest(&trial);
}

/* A turn costs as much as some queries. */
static int is_worth_a_try(const struct ct_filter *sift)
{
    return sift->batch->count >= 8 * sift->batch->residual->m;
}

void ct_choose_truncation_rank(const struct ct_host *host, struct ct_filter *sift,
                               const struct ct_filter_kernels *sieve, int k)
{
    const struct ct_exact_batch *batch = sift->batch;
    int m = batch->residual->m, most = m / STEP * STEP;
    if (most == 0 || batch->rest < 0 || (batch->rest == 0 && !is_worth_a_try(sift)))
        return;
    learn(host, sift);
    if (!(sift->frame.turn.off < 1e-8))
        return;
    sift->frame.rest = batch->rest == 0     ? measured_rest(host, sift, sieve, k, most)
                       : batch->rest < most ? batch->rest / STEP * STEP
                                            : most;
}
