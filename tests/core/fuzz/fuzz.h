/* fuzz.h: fuzz targets: functions of bytes that ask the core something and abort
 * where its answer is not the oracle's.
 *
 * Bytes become small numbers; no bytes are invalid, and missing bytes are 0. One
 * run takes milliseconds. fuzz_entry.c makes a libFuzzer and AFL target of each,
 * fuzz_driver.c a program for compilers without a fuzzer, check_corpus.c a check
 * of the inputs in corpus/. */
#ifndef FUZZ_H
#define FUZZ_H

#include "core/search/query.h"
#include "grow.h"

#include <stddef.h>
#include <stdint.h>

/* Points, and k-NN and radius queries; every invariant of the tree. */
void fuzz_points(const uint8_t *data, size_t size);

/* Every parameter of a search, and the point orders. */
void fuzz_parameters(const uint8_t *data, size_t size);

/* The arrays of a tree, as a file or a user may hand them in. */
void fuzz_arrays(const uint8_t *data, size_t size);

/* The bytes of one run that are not used yet. */
struct fuzz_input {
    const uint8_t *data;
    size_t left;
};

int fuzz_int(struct fuzz_input *input, int least, int most); /* in a range of up to 65536 */
double fuzz_share(struct fuzz_input *input);                 /* in [0, 1] */

/* n x d finite points, of which squared distances are finite: lattices, clusters,
 * raw doubles, or scales that double. */
struct cloud fuzz_cloud(struct fuzz_input *input, int n, int d);

#define FUZZ_CHECK(holds) fuzz_that((holds) != 0, #holds, __FILE__, __LINE__)

/* Prints what does not hold, and aborts. */
void fuzz_that(int holds, const char *what, const char *file, int line);

/* One search and its answer: lines of `index` and `distance` [ld * k] by column. */
struct fuzz_search {
    const struct cloud *cloud, *queries; /* the same: the tree's own points */
    struct ct_batch batch;
    int k;
    int *index;
    double *distance;
};

/* ct_knn, or ct_knn_predecessors, of all queries or of those of batch.order, into
 * new memory of batch.ld lines. */
void fuzz_search_run(struct fuzz_search *search);

/* The number of the query that batch.order lists as the i-th, and its line. */
int fuzz_search_query(const struct fuzz_search *search, int i);
int fuzz_search_line(const struct fuzz_search *search, int i);

/* Aborts unless each query found its k nearest, by (distance, row). */
void fuzz_expect_exact(const struct fuzz_search *search);

/* Aborts unless each query found as many rows as it can, each with its distance
 * and in order, none farther than the exact neighbor times `stretch`. */
void fuzz_expect_near(const struct fuzz_search *search, double stretch);

/* Aborts unless counts and lists of all points within the radius are the oracle's. */
void fuzz_expect_radius(const struct fuzz_search *search, double radius);

/* Ends a run: frees its memory; aborts if the core called its host out of place. */
void fuzz_end(void);

#endif
