/* panel.c: matrix products by groups of vectors and tiles of columns; see panel.h.
 *
 * add_dots() multiplies a tile of `lanes` columns by a group of CT_GROUP vectors, and adds at most
 * CT_CHUNK terms to the sums of each pair. Terms are taken in runs of CT_CHUNK, so that sums of
 * different runs are added in the same order for any number of groups and threads.
 */
#include "core/residual_exact/panel.h"
#include "core/util/parallel_for.h"

#include <string.h>

struct ct_panel ct_panel_make(const struct ct_host *host, const struct ct_filter_kernels *kernels,
                              const double *from, size_t row_stride, size_t column_stride,
                              int terms, int columns)
{
    int lanes = kernels->lanes, tiles = (columns + lanes - 1) / lanes;
    size_t size = (size_t)tiles * lanes * terms;
    struct ct_panel panel = {kernels, terms, columns, 0, host->alloc(size, sizeof(double))};
    memset(panel.tiles, 0, size * sizeof(double));
    for (int c = 0; c < columns; c++)
        kernels->pack(panel.tiles + (size_t)(c / lanes) * lanes * terms + c % lanes, lanes,
                      from + c * column_stride, row_stride, NULL, 1, terms);
    return panel;
}

size_t ct_panel_scratch_size(const struct ct_panel *panel, int groups)
{
    return (size_t)groups * CT_GROUP * panel->kernels->lanes;
}

void ct_panel_multiply_groups(const struct ct_panel *panel, const double *packed, int groups,
                              double *scratch, double *to, size_t ld)
{
    const struct ct_filter_kernels *kernels = panel->kernels;
    int lanes = kernels->lanes, terms = panel->terms;
    for (int first = 0; first < panel->columns; first += lanes) {
        const double *tile = panel->tiles + (size_t)first * terms;
        int columns = panel->columns - first < lanes ? panel->columns - first : lanes;
        int end = panel->triangular && first + lanes < terms ? first + lanes : terms;
        memset(scratch, 0, sizeof(double) * ct_panel_scratch_size(panel, groups));
        for (int from = 0; from < end; from += CT_CHUNK)
            for (int group = 0; group < groups; group++)
                kernels->add_dots(tile + (size_t)from * lanes,
                                  packed + ((size_t)group * terms + from) * CT_GROUP,
                                  end - from < CT_CHUNK ? end - from : CT_CHUNK,
                                  scratch + (size_t)group * CT_GROUP * lanes);
        for (int i = 0; i < groups * CT_GROUP; i++)
            memcpy(to + i * ld + first, scratch + (size_t)i * lanes, columns * sizeof(double));
    }
}

/* A product, and memory for its threads. */
struct product_task {
    const struct ct_panel_product *product;
    double *packed;    /* [threads x terms x CT_GROUP] */
    double *scratch;   /* [threads] times that of one group */
    double *group_sum; /* [threads x CT_GROUP x ld] products of one group */
};

/* The product of one group. The last group may be incomplete: then it repeats its first vector,
 * so products go to `to` by way of group_sum. */
static void multiply_group(void *data, int block, int thread)
{
    const struct product_task *task = data;
    const struct ct_panel_product *product = task->product;
    const struct ct_panel *panel = product->panel;
    int first = block * CT_GROUP, left = product->count - first;
    int count = left < CT_GROUP ? left : CT_GROUP;
    double *packed = task->packed + (size_t)thread * panel->terms * CT_GROUP;
    double *group_sum = task->group_sum + thread * CT_GROUP * product->ld;
    for (int i = 0; i < CT_GROUP; i++)
        panel->kernels->pack(packed + i, CT_GROUP,
                             product->from +
                                 (size_t)(first + (i < count ? i : 0)) * product->vector_stride,
                             product->stride, NULL, 1, panel->terms);
    ct_panel_multiply_groups(panel, packed, 1,
                             task->scratch + thread * ct_panel_scratch_size(panel, 1), group_sum,
                             product->ld);
    for (int i = 0; i < count; i++)
        memcpy(product->to + (size_t)(first + i) * product->ld, group_sum + i * product->ld,
               (size_t)panel->columns * sizeof(double));
}

void ct_panel_multiply(const struct ct_host *host, const struct ct_panel_product *product,
                       int threads)
{
    const struct ct_panel *panel = product->panel;
    struct product_task task = {
        .product = product,
        .packed = host->alloc((size_t)threads * panel->terms * CT_GROUP, sizeof(double)),
        .scratch = host->alloc(threads * ct_panel_scratch_size(panel, 1), sizeof(double)),
        .group_sum = host->alloc(threads * CT_GROUP * product->ld, sizeof(double)),
    };
    ct_parallel_for(host, (product->count + CT_GROUP - 1) / CT_GROUP, threads, multiply_group,
                    &task);
}
