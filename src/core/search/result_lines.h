/* result_lines.h: the matrices that receive the neighbors of a batch. */
#ifndef COVERTREE_SEARCH_RESULT_LINES_H
#define COVERTREE_SEARCH_RESULT_LINES_H

#include "core/search/query.h"

struct ct_result_lines {
    int *index;       /* [ld x k, column-major] rows */
    double *distance; /* [ld x k, column-major] */
    int ld, k;
    double missing; /* the distance of a neighbor that does not exist */
};

/* Writes one line: `count` neighbors, at most k, and the padding. O(k). */
static inline void ct_store_line(const struct ct_result_lines *lines, int line, const int *row,
                                 const double *distance, int count)
{
    size_t ld = (size_t)lines->ld, to = (size_t)line;
    for (int j = 0; j < count; j++) {
        lines->index[j * ld + to] = row[j];
        lines->distance[j * ld + to] = distance[j];
    }
    for (int j = count; j < lines->k; j++) {
        lines->index[j * ld + to] = CT_NO_ROW;
        lines->distance[j * ld + to] = lines->missing;
    }
}

#endif
