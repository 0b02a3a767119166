/* pair_lists.h: R's result of a search within a radius: a list of vectors, or a refusal. */
#ifndef COVERTREE_GLUE_PAIR_LISTS_H
#define COVERTREE_GLUE_PAIR_LISTS_H

#include "glue/host.h"

/* Vectors of the counted lengths, to be filled. */
struct r_pair_lists {
    SEXP found;        /* list(index, distance, count), each [queries] */
    int **index;       /* [queries] the values of the vectors in `index` */
    double **distance; /* [queries] the values of the vectors in `distance` */
};

/* Returns lists with vectors of the lengths count [queries], an integer vector. The caller protects
 * `found`. Allocates 12 bytes for each pair, and R's memory for two vectors for each query. */
struct r_pair_lists r_pair_lists(SEXP count);

/* Returns c(pairs, limit, whether pairs is an estimate), for refuse_counted() in R/pairs.R. */
SEXP r_refused_pairs(double pairs, double limit, int estimated);

#endif
