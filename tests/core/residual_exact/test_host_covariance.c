/* test_host_covariance.c: distances and neighbors from covariances of the host, against the
 * canonical distances of a built-in covariance function, bit for bit: own points and others,
 * predecessors, listed points, for any number of threads. */
#include "check.h"
#include "core/residual_exact/host_covariance.h"
#include "host.h"
#include "residual_problem.h"

#include <limits.h>
#include <math.h>
#include <string.h>

struct call {
    struct ct_pair_block block;
    int k, *nearest, *found;
    double *value, *nearest_distance;
};

static void run(void *data)
{
    struct call *call = data;
    const struct ct_pair_block *b = &call->block;
    const struct ct_covariance_shape shape = ct_covariance_shape(b->metric->kind);
    double k[64];
    ct_pair_squares(&host, b, call->value);
    for (int i = 0; i < b->queries * b->count; i++) {
        k[0] = call->value[i];
        b->kernels->covariance(&shape, b->metric->variance, 1, k);
        call->value[i] = k[0];
    }
    ct_pair_distances(&host, b, call->value);
    if (!b->index)
        ct_pair_nearest(&host, b, call->value, call->k, call->nearest, call->nearest_distance,
                        call->found);
}

static int is_before(double a, int row_a, double b, int row_b)
{
    return a < b || (a == b && row_a < row_b);
}

/* Whether the neighbors of a query are in order, and no other eligible point is before the last. */
static int are_nearest(const struct call *call, int query)
{
    const struct ct_pair_block *b = &call->block;
    int row = b->row[query], eligible = 0, before = 0, count = call->found[query];
    const int *nearest = call->nearest + (size_t)query * (size_t)call->k;
    const double *distance = call->nearest_distance + (size_t)query * (size_t)call->k;
    for (int j = 1; j < count; j++)
        if (!is_before(distance[j - 1], nearest[j - 1], distance[j], nearest[j]))
            return 0;
    for (int j = 0; j < b->count; j++) {
        double d = call->value[(size_t)query * (size_t)b->count + (size_t)j];
        if ((b->own && j + 1 == row) || (b->predecessor && j + 1 >= row))
            continue;
        eligible++;
        before += count > 0 && !is_before(distance[count - 1], nearest[count - 1], d, j + 1);
    }
    return count == (eligible < call->k ? eligible : call->k) && before == count;
}

static void check_problem(const char *name, int m, int own, int predecessor, int listed)
{
    struct residual_problem p = residual_problem_make(name, 90, 2, m, MIXED_P, 40);
    int queries = own ? 90 : 40, count = listed ? 7 : 90;
    int *row = keep((size_t)queries, sizeof *row);
    int *index = keep((size_t)queries * (size_t)count, sizeof *index);
    for (int i = 0; i < queries; i++)
        row[i] = i + 1;
    for (int i = 0; i < queries * count; i++)
        index[i] = i % 5 == 0 ? (i % 2 ? 0 : INT_MIN) : random_below(90) + 1;
    size_t size = (size_t)queries * (size_t)count;
    struct call call = {.block = {.metric = &p.residual,
                                  .from = own ? p.residual.points : p.foreign,
                                  .row = row,
                                  .queries = queries,
                                  .count = count,
                                  .index = listed ? index : NULL,
                                  .own = own,
                                  .predecessor = predecessor},
                        .k = 6,
                        .nearest = keep((size_t)queries * 6, sizeof(int)),
                        .found = keep((size_t)queries, sizeof(int)),
                        .value = keep(size, sizeof(double)),
                        .nearest_distance = keep((size_t)queries * 6, sizeof(double))};
    call.block.kernels = ct_correlation_kernels(ct_simd_best());
    for (call.block.threads = 1; call.block.threads <= 3; call.block.threads++) {
        check_about("%s, m = %d, own %d, predecessor %d, listed %d, %d threads", name, m, own,
                    predecessor, listed, call.block.threads);
        CHECK(host_run(run, &call, 0, 0));
        int wrong = 0;
        for (int i = 0; i < queries; i++) {
            for (int j = 0; j < count; j++) {
                int other = listed ? index[i + j * queries] : j + 1;
                double got = call.value[(size_t)i * (size_t)count + (size_t)j];
                if (other < 1)
                    wrong += !isnan(got);
                else
                    wrong += got != sqrt(residual_problem_sq(&p, own, i, other));
            }
            wrong += !listed && !are_nearest(&call, i);
        }
        CHECK(wrong == 0);
    }
    keep_end();
}

int main(void)
{
    for (int m = 0; m <= 20; m += 20)
        for (int kind = 0; kind < 5; kind++)
            check_problem(kind % 2 ? "uniform" : "normal", m, kind != 1, kind == 2, kind > 2);
    return check_done("host_covariance");
}
