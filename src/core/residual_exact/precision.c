/* precision.c: see precision.h. */
#include "core/residual_exact/precision.h"

#include <math.h>

/* The largest margin of class F32, as a correlation. Few pairs pass because of this margin. */
static const double SMALL_MARGIN = 0.1;

/* Whether a point with this root is of class F64. A point without residual variance (root
 * INFINITY) never passes the filter because of the margin, so its class is F32. */
static int is_f64(const struct ct_precision_choice *choice, double root)
{
    if (choice->precision != CT_PRECISION_AUTO)
        return choice->precision == CT_PRECISION_F64;
    return !(isinf(root) || root * root >= choice->f32_min_variance);
}

struct ct_precision_choice ct_choose_precision(const struct ct_filter *filter)
{
    const struct ct_exact_batch *batch = filter->batch;
    /* The margin of the longest v bounds that of any pair; margin / p is its size in rho. */
    int n = batch->metric->points.n, f64 = 0;
    struct ct_precision_choice choice = {
        .precision = batch->precision,
        .f32_min_variance =
            ct_error_bound_margin(&filter->transform, &filter->bound,
                                  &batch->correlation_kernels->filter_f32, filter->bound.v) /
            SMALL_MARGIN,
    };
    for (int i = 0; i < n; i++)
        f64 += is_f64(&choice, filter->point_norms.root[i]);
    if (choice.precision == CT_PRECISION_AUTO && f64 > n / 4 * 3)
        choice.precision = CT_PRECISION_F64;
    double f32 = n > 0 ? 1 - (double)f64 / n : 0;
    choice.f64_share = choice.precision == CT_PRECISION_F64 ? 1 : 1 - f32 * f32;
    return choice;
}

int ct_query_class(const struct ct_precision_choice *choice, double root)
{
    return isinf(root) ? CT_CLASS_NONE : is_f64(choice, root) ? CT_CLASS_F64 : CT_CLASS_F32;
}

void ct_sort_points(const struct ct_host *host, const struct ct_filter *filter,
                    const struct ct_precision_choice *choice, struct ct_point_class *classes)
{
    const double *root = filter->point_norms.root;
    int n = filter->batch->metric->points.n, f32 = 0, f64 = n;
    /* Class F32 from the start of pos on, class F64 up to its end, both in the order of rows. */
    int *pos = host->alloc((size_t)n, sizeof *pos);
    for (int i = n; i-- > 0;)
        if (is_f64(choice, root[i]))
            pos[--f64] = i;
    for (int i = 0; i < n; i++)
        if (!is_f64(choice, root[i]))
            pos[f32++] = i;
    classes[CT_CLASS_F32] = (struct ct_point_class){pos, f32};
    classes[CT_CLASS_F64] = (struct ct_point_class){pos + f32, n - f32};
}

/* Adjacent positions in a block let a search for predecessors end early. */
struct ct_class_queries ct_sort_queries(const struct ct_host *host, const struct ct_filter *filter,
                                        const struct ct_precision_choice *choice,
                                        const char *answered)
{
    const struct ct_exact_batch *batch = filter->batch;
    struct ct_key_id *pairs = host->alloc((size_t)batch->count, sizeof *pairs);
    struct ct_key_id *spare = host->alloc((size_t)batch->count, sizeof *spare);
    struct ct_class_queries queries = {.query = pairs};
    int counts[CT_CLASSES] = {0}, count = 0;
    for (int i = 0; i < batch->count; i++) {
        int pos = ct_filter_query_pos(filter, i);
        int class = ct_query_class(choice, filter->query_norms.root[pos]);
        if (answered && answered[i])
            continue;
        counts[class]++;
        /* The class in the upper half of the key sorts first. */
        pairs[count++] = (struct ct_key_id){.key = (uint64_t) class << 32 | (uint64_t)pos, .id = i};
    }
    ct_radix_sort(host, pairs, spare, count, batch->threads);
    for (int class = 0; class < CT_CLASSES; class ++)
        queries.begin[class + 1] = queries.begin[class] + counts[class];
    return queries;
}
