/* result_order.h: the results of many neighbors, written in the order of the answers.
 *
 * Used by ct_knn() if k is large. The lines of the queries that are answered one after the other
 * are far from each other in the matrices of the results. To write a line then takes k accesses to
 * k distant cache lines and pages. Hence the neighbors of HELD queries are held back and
 * written together: the query at place p of the order of the answers to element p of each column.
 * At the end each column is put in the order of the lines, in the cache. The cost of a result is
 * two sequential writes instead of one at a random place.
 */
#ifndef COVERTREE_SEARCH_RESULT_ORDER_H
#define COVERTREE_SEARCH_RESULT_ORDER_H

#include "core/search/result_lines.h"

/* The results of some consecutive places, which a thread holds back. */
struct ct_held_results {
    int *row;         /* [places x stride] */
    double *distance; /* [places x stride] */
    size_t stride;
    int first, count; /* the first place; places held */
};

/* Whether to write the results of a batch in the order of the answers: with many queries, and from
 * a k on that makes up for the second write. */
int ct_suits_result_order(const struct ct_batch *batch, const struct ct_result_lines *lines);

/* Returns the place of each line, [ld]; NULL if several queries have the same line, or some line
 * has no query. Takes 4 bytes for each line from the host. O(ld). */
int *ct_places_of_lines(const struct ct_host *host, const struct ct_batch *batch, int ld);

/* Allocates room for the results of a thread: the host's memory, 12 * 16 bytes for each of k. */
void ct_held_init(const struct ct_host *host, int k, struct ct_held_results *held);

/* Holds back the result of the query at a place, `count` neighbors, at most k, with the padding.
 * The place follows the last one held, if there is any. Writes the results if there is no more
 * room. O(k). */
void ct_hold_result(const struct ct_result_lines *lines, struct ct_held_results *held, int place,
                    const int *row, const double *distance, int count);

/* Writes the results that are held back, and forgets them. */
void ct_write_held(const struct ct_result_lines *lines, struct ct_held_results *held);

/* Puts the elements of each column in the order of the lines: element `line` becomes the element
 * at place[line]. Takes 8 bytes for each line and thread from the host. O(ld * k). */
void ct_order_columns(const struct ct_host *host, const struct ct_result_lines *lines,
                      const int *place, int threads);

#endif
