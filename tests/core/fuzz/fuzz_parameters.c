/* fuzz_parameters.c: any parameters: k, radius, budget, epsilon, leaf and block size,
 * mode, threads, instruction set, order of the queries, layout of the results,
 * predecessors, interrupts; and the orders of points; see fuzz.h. */
#include "core/order/hilbert.h"
#include "core/order/maximin.h"
#include "core/search/budget.h"
#include "core/simd/euclid.h"
#include "fuzz.h"
#include "host.h"
#include "oracle.h"

#include <math.h>
#include <string.h>

enum { MOST_QUERIES = 24, MOST_LIMITS = 4 };

static struct cloud cloud_from(struct fuzz_input *input)
{
    int which = fuzz_int(input, 0, clouds_count() - 1), d = fuzz_int(input, 0, 19);
    int n = fuzz_int(input, 1, 256);
    struct cloud shape = cloud_number(which); /* and its random numbers */
    d = d < 8 ? d + 1 : d < 10 ? 1 << (d - 4) : 2;
    n = n <= 240 ? n : 1030 + 32 * (n - 240);
    return cloud_of(shape.name, n, d);
}

/* Some positions, ascending; or some numbers of queries, in any order. */
static int *draw_order(struct fuzz_input *input, int n, int ascending, int *m)
{
    int *order = keep((size_t)n, sizeof *order), count = 0;
    int step = fuzz_int(input, 1, 7), most = n < MOST_QUERIES ? n : MOST_QUERIES;
    for (int i = fuzz_int(input, 0, n - 1); i < n && count < most; i += step)
        order[count++] = i;
    for (int i = 0; i < count / 2 && !ascending; i += 2) {
        int moved = order[i];
        order[i] = order[count - 1 - i];
        order[count - 1 - i] = moved;
    }
    *m = count;
    return order;
}

/* A line of ld for each query of batch.order: the last first. */
static void lay_lines(struct fuzz_input *input, struct fuzz_search *search)
{
    int n = search->queries->n, *slot = keep((size_t)n, sizeof *slot);
    int spare = fuzz_int(input, 0, 3), moved = fuzz_int(input, 0, 1);
    search->batch.ld = n + spare;
    if (!moved || search->queries != search->cloud)
        return;
    for (int i = 0; i < n; i++)
        slot[i] = n + spare - 1 - i;
    search->batch.slot = slot;
}

static struct fuzz_search search_from(struct fuzz_input *input, const struct cloud *cloud,
                                      const struct cloud *queries, const struct ct_tree *tree)
{
    int self = cloud == queries, k = fuzz_int(input, 1, 256);
    struct fuzz_search search = {.cloud = cloud, .queries = queries};
    struct ct_batch *batch = &search.batch;
    search.k = k <= 64 || cloud->n > 240 ? (k + 1) / 2 : k <= 128 ? cloud->n + k - 96 : 4 * k - 500;
    search.k = search.k < 1 ? 1 : search.k;
    batch->tree = tree;
    batch->query = self ? NULL : queries->x;
    batch->ld_query = self ? 0 : queries->n;
    batch->order = draw_order(input, queries->n, self, &batch->count);
    batch->predecessors = self && fuzz_int(input, 0, 1);
    batch->threads = fuzz_int(input, 1, 3);
    batch->kernels = ct_kernels((enum ct_simd_level)fuzz_int(input, 0, (int)ct_simd_best()));
    batch->block = fuzz_int(input, 0, CT_BLOCK);
    batch->mode = (enum ct_search_mode)fuzz_int(input, CT_SEARCH_AUTO, CT_SEARCH_SCAN);
    lay_lines(input, &search);
    return search;
}

/* The same bits with the plainest instructions, on one thread. */
static void expect_same_plainly(const struct fuzz_search *search)
{
    struct fuzz_search plain = *search;
    size_t size = (size_t)search->batch.ld * search->k;
    plain.batch.kernels = ct_kernels(CT_SIMD_BASE);
    plain.batch.threads = 1;
    fuzz_search_run(&plain);
    FUZZ_CHECK(memcmp(plain.index, search->index, size * sizeof *plain.index) == 0);
    FUZZ_CHECK(memcmp(plain.distance, search->distance, size * sizeof *plain.distance) == 0);
}

/* A budget; one without an end now and then, which must give the exact answer. */
static void search_within_budget(struct fuzz_input *input, struct fuzz_search search)
{
    int limit[MOST_LIMITS], limits = fuzz_int(input, 1, MOST_LIMITS);
    int endless = fuzz_int(input, 0, 3) == 0, *evaluated;
    struct ct_budget budget = {.steps = limits, .limit = limit, .window = 16};
    for (int i = 0; i < limits; i++)
        limit[i] = (i > 0 ? limit[i - 1] : 0) + fuzz_int(input, 1, 300);
    if (endless)
        limit[0] = search.cloud->n * 2 + 2048, budget.steps = 1;
    budget.escalate = fuzz_share(input);
    budget.stop = endless ? 0 : budget.escalate * fuzz_share(input);
    budget.window = 16 * fuzz_int(input, 1, 4);
    budget.diverse = fuzz_int(input, 0, 1);
    evaluated = keep((size_t)search.batch.ld, sizeof *evaluated);
    memset(evaluated, 0, (size_t)search.batch.ld * sizeof *evaluated);
    search.batch.budget = &budget;
    search.batch.evaluated = evaluated;
    fuzz_search_run(&search);
    fuzz_expect_near(&search, INFINITY);
    if (endless)
        fuzz_expect_exact(&search);
    for (int i = 0; i < search.batch.count; i++) {
        int line = fuzz_search_line(&search, i), found = 0;
        while (found < search.k && search.index[line + (size_t)found * search.batch.ld] > 0)
            found++;
        FUZZ_CHECK(evaluated[line] >= found && evaluated[line] <= search.cloud->n);
    }
    expect_same_plainly(&search);
}

static void search_loosely(struct fuzz_input *input, struct fuzz_search search)
{
    search.batch.epsilon = 4 * fuzz_share(input);
    fuzz_search_run(&search);
    fuzz_expect_near(&search, 1 + search.batch.epsilon);
    expect_same_plainly(&search);
}

static void run_search(void *search)
{
    fuzz_search_run(search);
}

/* A host that leaves by a long jump changes nothing: the next search is exact. */
static void search_after_interrupt(struct fuzz_input *input, struct fuzz_search search)
{
    int poll = fuzz_int(input, 0, 8), alloc = fuzz_int(input, 0, 40);
    host_run(run_search, &search, poll, alloc);
    fuzz_search_run(&search);
    fuzz_expect_exact(&search);
}

/* A distance that occurs, or one beside it; or any. */
static void search_radius(struct fuzz_input *input, struct fuzz_search search)
{
    if (search.queries->n > 240) /* all pairs would take seconds */
        return;
    int query = fuzz_int(input, 0, search.queries->n - 1), kind = fuzz_int(input, 0, 5);
    int self = search.cloud == search.queries ? query + 1 : 0;
    struct neighbor *list = keep((size_t)search.cloud->n, sizeof *list);
    int count = oracle_rows(search.cloud, search.queries, query, self, list);
    double at = count > 0 ? list[fuzz_int(input, 0, 65535) % count].distance : 1;
    double radius[] = {at, nextafter(at, 0), nextafter(at, INFINITY), 0, INFINITY, 1e3 * at};
    search.batch.order = NULL;
    search.batch.slot = NULL;
    search.batch.ld = search.batch.ld_query = search.batch.predecessors = 0;
    search.batch.count = search.queries->n;
    fuzz_expect_radius(&search, radius[kind]);
}

static int same_point(const struct cloud *cloud, int a, int b)
{
    for (int j = 0; j < cloud->d; j++)
        if (cloud->x[a + (size_t)j * cloud->n] != cloud->x[b + (size_t)j * cloud->n])
            return 0;
    return 1;
}

/* A permutation, the same on any number of threads, in which equal points ascend. */
static void expect_hilbert(const struct cloud *cloud, int threads)
{
    int n = cloud->n, *order = keep((size_t)n, sizeof *order), *one = keep((size_t)n, sizeof *one);
    char *seen = keep((size_t)n, 1);
    memset(seen, 0, (size_t)n);
    ct_hilbert_order(&host, cloud->x, n, cloud->d, threads, order);
    ct_hilbert_order(&host, cloud->x, n, cloud->d, 1, one);
    host_end_call();
    for (int i = 0; i < n; i++) {
        FUZZ_CHECK(order[i] == one[i] && order[i] >= 0 && order[i] < n && !seen[order[i]]);
        seen[order[i]] = 1;
        FUZZ_CHECK(i == 0 || order[i] > order[i - 1] || !same_point(cloud, order[i], order[i - 1]));
    }
}

static void expect_maximin(const struct cloud *cloud, const struct ct_kernels *kernels, int threads)
{
    double *q = keep((size_t)cloud->d, sizeof *q);
    int *order = keep((size_t)cloud->n, sizeof *order);
    ct_centroid(cloud->x, cloud->n, cloud->d, q);
    ct_maximin_order(&host, kernels, cloud->x, cloud->n, cloud->d, q, cloud->n, threads, order);
    host_end_call();
    const int *want = oracle_maximin(cloud, q);
    for (int i = 0; i < cloud->n; i++)
        FUZZ_CHECK(order[i] == want[i]);
}

void fuzz_parameters(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct cloud cloud = cloud_from(&input);
    int leaf_size = fuzz_int(&input, 1, 256), hilbert = fuzz_int(&input, 0, 1);
    int self = fuzz_int(&input, 0, 1), what = fuzz_int(&input, 0, 5);
    struct cloud others = self ? cloud : queries_near(&cloud, fuzz_int(&input, 1, 40));
    struct grown grown =
        hilbert ? grow(&cloud, leaf_size, 1) : grow_unordered(&cloud, leaf_size, 2);
    struct fuzz_search search = search_from(&input, &cloud, self ? &cloud : &others, &grown.tree);
    if (what == 0) {
        fuzz_search_run(&search);
        fuzz_expect_exact(&search);
    } else if (what == 1) {
        search_within_budget(&input, search);
    } else if (what == 2) {
        search_loosely(&input, search);
    } else if (what == 3) {
        search_after_interrupt(&input, search);
    } else if (what == 4) {
        search_radius(&input, search);
    } else {
        expect_hilbert(&cloud, search.batch.threads);
        if (cloud.n <= 240)
            expect_maximin(&cloud, search.batch.kernels, search.batch.threads);
    }
    fuzz_end();
}
