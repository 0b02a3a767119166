/* bench_knn.c: one search, to count its instructions or its time.
 *
 *   cc -O2 -std=gnu11 -I../../../src -I../support bench_knn.c ../support/*.c \
 *      $(find ../../../src/core -name '*.c') -lm -o bench_knn
 *   bench_knn WHAT N D K [LEVEL [ROUNDS]]
 *
 * WHAT: build (nothing else), tree or scan (N uniform points find their K neighbors).
 * LEVEL: the instruction set, from 0; the best one otherwise. On one thread.
 */
#include "clouds.h"
#include "core/search/query.h"
#include "core/simd/euclid.h"
#include "core/util/parallel_for.h"
#include "grow.h"
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    int n = atoi(argv[2]), d = atoi(argv[3]), k = atoi(argv[4]);
    int level = argc > 5 ? atoi(argv[5]) : (int)ct_simd_best();
    struct cloud cloud = {"uniform", n, d, keep((size_t)n * d, sizeof(double))};
    for (int i = 0; i < n * d; i++)
        cloud.x[i] = random_uniform();
    struct grown grown = grow(&cloud, 32, 1);
    int scan = strcmp(argv[1], "scan") == 0, *index = keep((size_t)n * k, sizeof *index);
    double *distance = keep((size_t)n * k, sizeof *distance), sum = 0, start = ct_seconds();
    struct ct_batch batch = {.tree = &grown.tree,
                             .count = n,
                             .threads = 1,
                             .kernels = ct_kernels((enum ct_simd_level)level),
                             .mode = scan ? CT_SEARCH_SCAN : CT_SEARCH_TREE};
    int rounds = strcmp(argv[1], "build") == 0 ? 0 : argc > 6 ? atoi(argv[6]) : 1;
    for (int round = 0; round < rounds; round++) {
        ct_knn(&host, &batch, k, -1, index, distance);
        host_end_call();
    }
    for (int i = 0; rounds && i < n * k; i++)
        sum += distance[i];
    printf("%s: %.4f s, distances sum to %.17g\n", batch.kernels->name, ct_seconds() - start, sum);
    return 0;
}
