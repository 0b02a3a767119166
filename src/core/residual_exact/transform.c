/* transform.c: centers, scales, rotates and packs groups; see transform.h.
 *
 * Sums are in double, and each value is rounded once, when it is packed. A rotation multiplies the
 * vectors of a whole group at once (pca.c), hence the unit of work is a group.
 */
#include "core/residual_exact/transform.h"

#include <float.h>
#include <math.h>

/* The mean is summed as z / n, so that the sum of many large coordinates does not overflow. */
struct ct_transform ct_transform_make(const struct ct_host *host,
                                      const struct ct_residual_metric *metric)
{
    const struct ct_factors *points = &metric->points;
    struct ct_covariance_shape shape = ct_covariance_shape(metric->kind);
    struct ct_transform transform = {
        .metric = metric,
        .shape = shape,
        .z_scale = shape.squared ? sqrt(shape.scale) : shape.scale,
        .v_scale = 1 / sqrt(metric->variance),
        .center = host->alloc((size_t)metric->d, sizeof(double)),
    };
    for (int j = 0; j < metric->d; j++) {
        double sum = 0;
        for (int i = 0; i < points->n; i++)
            sum += points->z[i + (size_t)j * points->n] / points->n;
        transform.center[j] = sum;
    }
    return transform;
}

size_t ct_transform_scratch_size(const struct ct_transform *transform)
{
    size_t rotated = (size_t)CT_GROUP * transform->metric->m;
    return transform->tail > 0 ? ct_rotation_scratch_size(&transform->rotation) + rotated : 0;
}

/* An upper bound of the norm of a tail, also after its components and the bound itself are rounded
 * to float: the factors cover twice the rounding of the components and of a product, and that of
 * the sum of squares. */
static double tail_norm_bound(const double *tail, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += tail[i] * tail[i];
    return sqrt(sum) * (1 + 4 * FLT_EPSILON) * (1 + count * DBL_EPSILON);
}

/* Rotates v of a group and packs both parts: the leading components side by side, as add_dots()
 * reads them, and the tail of each point in one piece, as subtract_tail() does. */
static void pack_rotated_v(const struct ct_transform *transform,
                           const struct ct_filter_kernels *kernels, const double *const *v,
                           double *scratch, struct ct_packed_group *group)
{
    int m = transform->metric->m, tail = transform->tail, rank = m - tail;
    /* [CT_GROUP x m, row-major], after the scratch of the rotation itself. */
    double *rotated = scratch + ct_rotation_scratch_size(&transform->rotation);
    ct_rotate_group(&transform->rotation, v, transform->v_scale, scratch, rotated);
    for (int i = 0; i < CT_GROUP; i++, rotated += m) {
        kernels->pack(group->v + i * kernels->value_size, group->stride, rotated, 1, NULL, 1, rank);
        kernels->pack(group->tail + (size_t)i * tail * kernels->value_size, 1, rotated + rank, 1,
                      NULL, 1, tail);
        group->tail_norm[i] = tail_norm_bound(rotated + rank, tail);
    }
}

void ct_pack_group(const struct ct_transform *transform, const struct ct_filter_kernels *kernels,
                   const struct ct_factors *points, const int *pos, double *scratch,
                   struct ct_packed_group *group)
{
    const struct ct_residual_metric *metric = transform->metric;
    const double *v[CT_GROUP];
    for (int i = 0; i < CT_GROUP; i++) {
        v[i] = points->v + pos[i] * ct_v_stride(metric->m);
        kernels->pack(group->z + i * kernels->value_size, group->stride, points->z + pos[i],
                      (size_t)points->n, transform->center, transform->z_scale, metric->d);
    }
    if (transform->tail > 0) {
        pack_rotated_v(transform, kernels, v, scratch, group);
        return;
    }
    /* Without a rotation, v is packed whole, and no tail is left. */
    for (int i = 0; i < CT_GROUP; i++) {
        kernels->pack(group->v + i * kernels->value_size, group->stride, v[i], 1, NULL,
                      transform->v_scale, metric->m);
        group->tail_norm[i] = 0;
    }
}
