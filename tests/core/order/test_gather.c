/* test_gather.c: points and rows in a given order, for numbers of points around the size of a
 * block, and any number of threads. */
#include "check.h"
#include "clouds.h"
#include "core/order/gather.h"
#include "host.h"

static void check_order(const struct cloud *cloud, int threads)
{
    int n = cloud->n, *order = keep((size_t)n, sizeof *order), *row = keep((size_t)n, sizeof *row);
    double *out = keep((size_t)n * (size_t)cloud->d, sizeof *out);
    int wrong = 0;
    for (int i = 0; i < n; i++)
        order[i] = i;
    for (int i = n - 1; i > 0; i--) {
        int other = random_below(i + 1), swap = order[i];
        order[i] = order[other];
        order[other] = swap;
    }
    ct_gather_points(&host, cloud->x, n, cloud->d, order, threads, out, row);
    for (int i = 0; i < n; i++) {
        wrong += row[i] != order[i] + 1;
        for (int j = 0; j < cloud->d; j++)
            wrong += out[i + (size_t)j * n] != cloud->x[order[i] + (size_t)j * n];
    }
    CHECK(wrong == 0);
    host_end_call();
}

int main(void)
{
    static const int sizes[] = {1, 2, 1000, (1 << 15) - 1, 1 << 15, (1 << 15) + 1, 100000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int threads = 1; threads <= 3; threads++) {
            struct cloud cloud = cloud_of("uniform", sizes[s], 1 + (int)s % 3);
            check_about("%d points, %d threads", sizes[s], threads);
            check_order(&cloud, threads);
            keep_end();
        }
    return check_done("gather");
}
