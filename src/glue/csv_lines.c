/* csv_lines.c: the neighbors of queries as lines of text, for the program exec/covertree.
 *
 * Needs about 1 microsecond for a line, most of it for the digits of the distance.
 */
#include "glue/host.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 80 }; /* bytes that suffice for a line: 17 + 11 + 11 + 25, and separators */

/* Writes the digits of a whole number of at least 0. Returns the place after them. */
static char *put_whole(char *at, uint64_t value)
{
    char digits[20];
    int count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* Writes a number with 15 to 17 significant digits, as many as give the same number. Returns the
 * place after them. */
static char *put_number(char *at, double value)
{
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(at, 32, "%.*g", digits, value);
        if (strtod(at, NULL) == value)
            break;
    }
    return at + length;
}

/* Returns the lines `query,neighbor,rank,distance` of pairs `begin` to `end` - 1 [raw]. query:
 * doubles, whole numbers; neighbor, rank: integers; distance: doubles. */
SEXP r_csv_lines(SEXP query, SEXP neighbor, SEXP rank, SEXP distance, SEXP begin, SEXP end)
{
    R_xlen_t first = (R_xlen_t)Rf_asReal(begin), last = (R_xlen_t)Rf_asReal(end);
    char *lines = r_host.alloc((size_t)(last - first) * LINE, 1), *at = lines;
    for (R_xlen_t i = first; i < last; i++) {
        at = put_whole(at, (uint64_t)REAL_RO(query)[i]);
        *at++ = ',';
        at = put_whole(at, (uint64_t)INTEGER_RO(neighbor)[i]);
        *at++ = ',';
        at = put_whole(at, (uint64_t)INTEGER_RO(rank)[i]);
        *at++ = ',';
        at = put_number(at, REAL_RO(distance)[i]);
        *at++ = '\n';
    }
    SEXP bytes = PROTECT(Rf_allocVector(RAWSXP, at - lines));
    memcpy(RAW(bytes), lines, (size_t)(at - lines));
    UNPROTECT(1);
    return bytes;
}
