/* test_result_lines.c: lines stored in any order = the matrices written in their final order, for
 * any k, with and without padding, on any number of threads; few lines or few neighbors are not
 * compact. */
#include "check.h"
#include "core/search/result_lines.h"
#include "host.h"

#include <math.h>
#include <string.h>

/* The value of neighbor j of a line, and how many neighbors the line has. */
static int row_of(int line, int j)
{
    return (int)((line * 31u + j * 7919u) % 1000003u) + 1;
}

static int count_of(int line, int k)
{
    return line % 5 == 0 ? line % (k + 1) : k;
}

/* Stores every line once: line * step is a permutation, because step and ld have no common factor.
 */
static void store_lines(const struct ct_result_lines *lines, int step)
{
    int *row = keep((size_t)lines->k, sizeof *row);
    double *distance = keep((size_t)lines->k, sizeof *distance);
    for (int i = 0; i < lines->ld; i++) {
        int line = (int)((long long)i * step % lines->ld);
        for (int j = 0; j < lines->k; j++) {
            row[j] = row_of(line, j);
            distance[j] = 0.5 * row[j];
        }
        ct_store_line(lines, line, row, distance, count_of(line, lines->k));
    }
}

static void check_lines(int ld, int k, int threads, int compact)
{
    size_t size = (size_t)ld * k;
    int *index = keep(size, sizeof *index), wrong = 0;
    double *distance = keep(size, sizeof *distance);
    struct ct_result_lines lines = {index, distance, ld, k, -1, 0};
    check_about("%d lines, k %d, %d threads", ld, k, threads);
    ct_compact_lines(&lines);
    CHECK(compact ? lines.compact > ld - CT_RUN && lines.compact <= ld : lines.compact == 0);
    store_lines(&lines, 7919);
    ct_expand_lines(&host, &lines, threads);
    host_end_call();
    for (int line = 0; line < ld; line++)
        for (int j = 0; j < k; j++) {
            int none = j >= count_of(line, k);
            size_t at = line + (size_t)j * ld;
            wrong += index[at] != (none ? CT_NO_ROW : row_of(line, j)) ||
                     distance[at] != (none ? -1 : 0.5 * row_of(line, j));
        }
    CHECK(wrong == 0);
    keep_end();
}

int main(void)
{
    check_lines(16384, 3, 1, 1);
    check_lines(16385, 10, 2, 1);
    check_lines(20011, 16, 3, 1);
    check_lines(16895, 50, 2, 1);
    check_lines(16900, 63, 1, 1);
    check_lines(16384, 64, 1, 0);
    check_lines(16383, 10, 1, 0);
    check_lines(20000, 2, 1, 0);
    return check_done("result_lines");
}
