/* pca_rank.c: measures a sample of pairs to choose a truncation rank; see pca_rank.h.
 *
 * Costs are in units of one multiply-add of the filter. For the tail lengths 32, 64, ..., the
 * sample gives the share of pairs that pass with the bound of their tails; the cost per pair is
 *
 *   rank + COVARIANCE_COST + share * (PASS_COST + 2 * tail).
 */
#include "core/residual_exact/pca_rank.h"
#include "core/metric/euclidean.h"
#include "core/residual_exact/sample_pairs.h"

#include <math.h>
#include <string.h>

enum {
    SAMPLE_QUERIES = 16, /* queries whose thresholds are computed exactly */
    SAMPLE_POINTS = 512, /* points that are paired with them */
    GRAM_POINTS = 2048,  /* most points in the Gram matrix of the rotation */
    THRESHOLD_RANK = 4,  /* mean threshold of a search: about the distance of neighbor 4 k */
    TAIL_STEP = 32       /* tail lengths are multiples: a multiple of the lanes of all kernels */
};

/* Cost of the covariance of a pair, and of the work after a pair passes, without the tail: most of
 * it is a share of an exact correlation. Estimates, since costs near the best rank are close. */
static const double COVARIANCE_COST = 50, PASS_COST = 1300;

/* Largest share of the cost without rotation that pays for a rotation and sampling errors. */
static const double MAX_COST_SHARE = 0.9;

/* The rotation from sample vectors v / sqrt(p): the weight is large where residual variance is
 * small, because errors of the dot product matter most there. */
static void make_rotation(const struct ct_host *host, struct ct_filter *filter)
{
    const struct ct_exact_batch *batch = filter->batch;
    const struct ct_factors *points = &batch->metric->points;
    int m = batch->metric->m, pos[GRAM_POINTS];
    int count = ct_sample_positions(&filter->point_norms, points->n, GRAM_POINTS, 0, pos);
    size_t stride = ct_v_stride(m);
    double *vectors = host->alloc(count * stride, sizeof *vectors);
    for (int i = 0; i < count; i++)
        for (size_t j = 0; j < stride; j++)
            vectors[i * stride + j] = points->v[pos[i] * stride + j] * filter->transform.v_scale /
                                      filter->point_norms.root[pos[i]];
    filter->transform.rotation = ct_rotation_make(host, batch->correlation_kernels, vectors, count,
                                                  m, stride, batch->threads);
}

/* Rotated vectors of sample points. */
struct rotated_sample {
    int count, *pos;
    double *v;         /* [count x m, row-major] */
    double *tail_norm; /* [count x m, row-major] column j: norm of the components from j on */
};

/* The sample of pairs, and its statistics. Counts are double, since only ratios are used. */
struct rank_sample {
    struct ct_filter *filter;
    const struct ct_filter_kernels *kernels; /* of most pairs */
    struct rotated_sample query, point;
    double *threshold;     /* [SAMPLE_QUERIES] mean squared distances of thresholds in a search */
    int max_tail;          /* the longest tail tried */
    double pairs, *passed; /* passed: [max_tail / TAIL_STEP + 1] pairs that passed, by tail */
};

/* Rotates sample points group by group and sums their tail norms from the last component on. */
static struct rotated_sample rotate_sample(const struct ct_host *host,
                                           const struct ct_filter *filter,
                                           const struct ct_factors *points, int *pos, int count)
{
    const struct ct_rotation *rotation = &filter->transform.rotation;
    int m = rotation->m, groups = (count + CT_GROUP - 1) / CT_GROUP;
    size_t size = (size_t)groups * CT_GROUP * m;
    struct rotated_sample sample = {count, pos, host->alloc(size, sizeof(double)),
                                    host->alloc(size, sizeof(double))};
    double *scratch = host->alloc(ct_rotation_scratch_size(rotation), sizeof *scratch);
    for (int first = 0; first < count; first += CT_GROUP) {
        const double *v[CT_GROUP];
        for (int i = 0; i < CT_GROUP; i++)
            v[i] = points->v + pos[first + i < count ? first + i : first] * ct_v_stride(m);
        ct_rotate_group(rotation, v, filter->transform.v_scale, scratch,
                        sample.v + (size_t)first * m);
    }
    /* From the last component on: each sum of squares extends the one before. */
    for (int i = 0; i < count; i++) {
        double sum = 0;
        for (int j = m; j-- > 0;) {
            double value = sample.v[(size_t)i * m + j];
            sample.tail_norm[(size_t)i * m + j] = sqrt(sum += value * value);
        }
    }
    return sample;
}

/* Adds one pair to the statistics: for each tail, whether the pair passes the filter with that
 * tail bounded by its norms; passed[0]: with the whole dot product. */
static void add_pair(struct rank_sample *sample, int query, int point, double covariance)
{
    const struct ct_filter *filter = sample->filter;
    int m = filter->transform.rotation.m;
    int query_pos = sample->query.pos[query], point_pos = sample->point.pos[point];
    const double *x = sample->query.v + (size_t)query * m;
    const double *y = sample->point.v + (size_t)point * m;
    const double *x_tail = sample->query.tail_norm + (size_t)query * m;
    const double *y_tail = sample->point.tail_norm + (size_t)point * m;
    double scale = filter->query_norms.root[query_pos] * filter->point_norms.root[point_pos];
    double required = (1 - sample->threshold[query]) * scale -
                      ct_error_bound_margin(&filter->transform, &filter->bound, sample->kernels,
                                            filter->query_norms.v[query_pos]);
    /* Before component j, `covariance` is k less the products of the components before j. */
    for (int j = 0; j < m; j++) {
        int tail = m - j;
        if (tail <= sample->max_tail && tail % TAIL_STEP == 0)
            sample->passed[tail / TAIL_STEP] +=
                fabs(covariance) + x_tail[j] * y_tail[j] >= required;
        covariance -= x[j] * y[j];
    }
    sample->passed[0] += fabs(covariance) >= required;
    sample->pairs++;
}

/* All pairs of the two samples that the search would filter: no query with itself, and only
 * predecessors if the batch asks for them. */
static void add_all_pairs(struct rank_sample *sample)
{
    const struct ct_filter *filter = sample->filter;
    const struct ct_exact_batch *batch = filter->batch;
    const struct ct_residual_metric *metric = batch->metric;
    const struct ct_factors *points = &metric->points, *queries = filter->queries;
    double per_variance = filter->transform.v_scale * filter->transform.v_scale;
    for (int i = 0; i < sample->query.count; i++)
        for (int j = 0; j < sample->point.count; j++) {
            int x = sample->query.pos[i], y = sample->point.pos[j];
            if (!batch->query_points && (x == y || (batch->predecessors && x < y)))
                continue;
            double k = ct_sqdist(queries->z + x, (size_t)queries->n, points->z + y,
                                 (size_t)points->n, metric->d);
            batch->correlation_kernels->covariance(&filter->transform.shape, metric->variance, 1,
                                                   &k);
            add_pair(sample, i, j, k * per_variance);
        }
}

/* The tail with the smallest cost, or 0 if no rotation pays or the sample has no pairs. */
static int cheapest_tail(const struct rank_sample *sample)
{
    int m = sample->filter->transform.rotation.m, best = 0;
    double least_cost = MAX_COST_SHARE * (m + COVARIANCE_COST);
    for (int tail = TAIL_STEP; tail <= sample->max_tail && sample->pairs > 0; tail += TAIL_STEP) {
        double share = sample->passed[tail / TAIL_STEP] / sample->pairs;
        double cost = m - tail + COVARIANCE_COST + share * (PASS_COST + 2 * tail);
        if (cost < least_cost) {
            best = tail;
            least_cost = cost;
        }
    }
    return best;
}

/* Draws both samples, rotates them, and returns the cheapest tail for their pairs. */
static int measure_tail(const struct ct_host *host, struct ct_filter *filter,
                        const struct ct_filter_kernels *kernels, int k, int max_tail)
{
    const struct ct_exact_batch *batch = filter->batch;
    int n = batch->metric->points.n;
    int *pos = host->alloc(SAMPLE_QUERIES + SAMPLE_POINTS, sizeof *pos);
    size_t tails = (size_t)max_tail / TAIL_STEP + 1;
    struct rank_sample sample = {
        .filter = filter,
        .kernels = kernels,
        .threshold = host->alloc(SAMPLE_QUERIES, sizeof(double)),
        .max_tail = max_tail,
        .passed = host->alloc(tails, sizeof(double)),
    };
    memset(sample.passed, 0, tails * sizeof(double));
    /* Half a step of the Gram sample away from its points, which the rotation fits best. */
    int queries = ct_sample_positions(&filter->query_norms, filter->queries->n, SAMPLE_QUERIES,
                                      filter->queries->n / (2 * GRAM_POINTS), pos);
    int points = ct_sample_positions(&filter->point_norms, n, SAMPLE_POINTS, n / (2 * GRAM_POINTS),
                                     pos + SAMPLE_QUERIES);
    sample.query = rotate_sample(host, filter, filter->queries, pos, queries);
    sample.point =
        rotate_sample(host, filter, &batch->metric->points, pos + SAMPLE_QUERIES, points);
    /* Rank of the distance that stands for the mean threshold. */
    int rank = k < n / THRESHOLD_RANK ? THRESHOLD_RANK * k : n;
    ct_sample_thresholds(host, filter, pos, queries, rank, sample.threshold);
    add_all_pairs(&sample);
    return cheapest_tail(&sample);
}

/* With fewer queries the rotation and the sample cost more than a truncation rank saves. */
int ct_can_truncate(int queries, int m)
{
    return queries / 8 >= m;
}

void ct_choose_truncation_rank(const struct ct_host *host, struct ct_filter *filter,
                               const struct ct_filter_kernels *kernels, int k)
{
    const struct ct_exact_batch *batch = filter->batch;
    int max_tail = batch->metric->m / TAIL_STEP * TAIL_STEP,
        measured = batch->tail == CT_TAIL_MEASURED;
    if (max_tail == 0 || batch->tail < 0 ||
        (measured && !ct_can_truncate(batch->count, batch->metric->m)))
        return;
    make_rotation(host, filter);
    if (!(filter->transform.rotation.orthogonality_error < 1e-8))
        return;
    filter->transform.tail = measured ? measure_tail(host, filter, kernels, k, max_tail)
                             : batch->tail < max_tail ? batch->tail / TAIL_STEP * TAIL_STEP
                                                      : max_tail;
}
