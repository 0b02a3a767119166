/* result_lines.h: the matrices that receive the neighbors of a batch.
 *
 * The matrices are column-major, and a search answers queries in an order of their own. Each of the
 * k neighbors of a query would be written to another cache line and another page. In a search that
 * answers all lines, the results are therefore compact at first: each run of CT_RUN lines
 * occupies the same memory as in the end, k pieces of CT_RUN values, but the k values of a line are
 * adjacent. ct_expand_lines() brings each run into its final order at the end.
 */
#ifndef COVERTREE_SEARCH_RESULT_LINES_H
#define COVERTREE_SEARCH_RESULT_LINES_H

#include "core/search/query.h"

enum { CT_RUN = 256 }; /* lines of a run: a power of two */

struct ct_result_lines {
    int *index;       /* [ld x k, column-major] rows */
    double *distance; /* [ld x k, column-major] */
    int ld, k;
    double missing; /* the distance of a neighbor that does not exist */
    int compact;    /* lines that are compact: whole runs; 0: none */
};

/* The place of a value of a compact line: the values of a run are numbered line by line. */
static inline size_t ct_compact_place(const struct ct_result_lines *lines, int line, int j)
{
    size_t inside = (size_t)line % CT_RUN, value = inside * (size_t)lines->k + (size_t)j;
    return (size_t)line - inside + value / CT_RUN * (size_t)lines->ld + value % CT_RUN;
}

/* The place of value j of a line. */
static inline size_t ct_line_place(const struct ct_result_lines *lines, int line, int j)
{
    return line < lines->compact ? ct_compact_place(lines, line, j)
                                 : (size_t)j * (size_t)lines->ld + (size_t)line;
}

/* Makes the lines compact if that saves time. Needs a search that stores every line. */
void ct_compact_lines(struct ct_result_lines *lines);

/* Writes one line: `count` neighbors, at most k, and the padding. O(k). */
void ct_store_line(const struct ct_result_lines *lines, int line, const int *row,
                   const double *distance, int count);

/* Brings compact lines into their final order. O(ld * k); the host's memory: a run for each thread.
 */
void ct_expand_lines(const struct ct_host *host, const struct ct_result_lines *lines, int threads);

#endif
