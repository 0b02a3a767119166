/* test_result_order.c: the results of a large k = those written line by line, with padding, for
 * own points and others, all and some, on one thread and three; places are those of a batch whose
 * queries fill all lines. */
#include "check.h"
#include "core/search/query_block.h"
#include "core/search/result_order.h"
#include "grow.h"
#include "host.h"

#include <math.h>
#include <string.h>

enum { QUERIES = 1100, K = 75 };

/* With a line more than queries, results are written line by line. */
static void check_batch(struct ct_batch batch)
{
    int count = batch.count, wrong = 0;
    size_t size = (size_t)(count + 1) * K;
    int *index = keep(size, sizeof *index), *expected = keep(size, sizeof *expected);
    double *distance = keep(size, sizeof *distance), *exact = keep(size, sizeof *exact);
    struct ct_result_lines lines = {index, distance, count, K, -1, 0};
    CHECK(ct_suits_result_order(&batch, &lines));
    batch.ld = count;
    ct_knn(&host, &batch, K, -1, index, distance);
    host_end_call();
    lines.ld = batch.ld = count + 1;
    CHECK(!ct_suits_result_order(&batch, &lines));
    ct_knn(&host, &batch, K, -1, expected, exact);
    host_end_call();
    for (int line = 0; line < count; line++)
        for (int j = 0; j < K; j++)
            wrong += index[line + j * count] != expected[line + j * (count + 1)] ||
                     distance[line + j * count] != exact[line + j * (count + 1)];
    CHECK(wrong == 0);
}

/* Own points: all of them, and every position but the first, whose lines are the positions. */
static void check_own(const struct ct_tree *tree, int threads)
{
    int n = tree->n, *order = keep((size_t)n, sizeof *order), *slot = keep((size_t)n, sizeof *slot);
    double *most = keep((size_t)n + 1, sizeof *most);
    for (int i = 0; i <= n; i++)
        most[i] = i % 3 == 0 ? INFINITY : 0.1;
    struct ct_batch batch = {
        .tree = tree, .count = n, .threads = threads, .kernels = ct_kernels(ct_simd_best())};
    check_about("own points, %d threads", threads);
    check_batch(batch);
    batch.max_distance = most;
    check_batch(batch);
    for (int i = 0; i < n - 1; i++) {
        order[i] = i + 1;
        slot[tree->row[i + 1] - 1] = (i + 7) % (n - 1);
    }
    batch.order = order;
    batch.slot = slot;
    batch.count = n - 1;
    check_batch(batch);
    int *place = ct_places_of_lines(&host, &batch, n - 1);
    CHECK(place && place[7] == 0 && place[0] == n - 8);
    slot[tree->row[1] - 1] = slot[tree->row[2] - 1];
    CHECK(!ct_places_of_lines(&host, &batch, n - 1));
    host_end_call();
}

static void check_others(const struct ct_tree *tree, const struct cloud *cloud, int threads)
{
    struct cloud queries = queries_near(cloud, QUERIES);
    int *order = keep(QUERIES, sizeof *order);
    for (int i = 0; i < QUERIES; i++)
        order[i] = (i * 7 + 3) % QUERIES;
    check_about("other queries, %d threads", threads);
    check_batch((struct ct_batch){.tree = tree,
                                  .query = queries.x,
                                  .ld_query = QUERIES,
                                  .order = order,
                                  .count = QUERIES,
                                  .threads = threads,
                                  .kernels = ct_kernels(ct_simd_best())});
}

int main(void)
{
    struct cloud cloud = cloud_of("uniform", 1500, 3);
    struct grown grown = grow(&cloud, 16, 1);
    for (int threads = 1; threads <= 3; threads += 2) {
        check_own(&grown.tree, threads);
        check_others(&grown.tree, &cloud, threads);
    }
    keep_end();
    return check_done("result_order");
}
