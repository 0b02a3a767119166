/* test_tiles.c: the tiles contain the points of the tree, and a scan of tiles or boxes discards no
 * point within the threshold: for any scale, offset, dimension, distance of the query, and
 * instruction set. No point is farther than the bound from its float32 square. */
#include "check.h"
#include "core/metric/euclidean.h"
#include "core/simd/euclid.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- what is in the tiles -------------------------------------------------- */

static int wrong_runs(const struct ct_tree *t)
{
    const struct ct_tiles *tiles = t->tiles;
    int wrong = tiles->begin[0] != 0 || tiles->begin[tiles->count] != t->n, covered = 0;
    for (int tile = 0; tile < tiles->count; tile++) {
        int size = tiles->begin[tile + 1] - tiles->begin[tile];
        wrong += size < 1 || size > CT_LANES;
    }
    for (int node = 0; node < t->nodes; node++) {
        int first = tiles->first_tile[node], last = tiles->end_tile[node];
        wrong += first < 0 || first >= last || last > tiles->count;
        wrong += tiles->begin[first] != ct_node_begin(t, node) ||
                 tiles->begin[last] != ct_node_end(t, node);
        covered += t->first_child[node] == 0 ? last - first : 0;
    }
    return wrong + (covered != tiles->count);
}

static float float_at(const struct ct_tree *t, int tile, int lane, int j)
{
    return t->tiles->x[((size_t)tile * t->d + j) * CT_LANES + lane];
}

/* Floats are those of the points, and NaN where there are none. */
static int wrong_floats(const struct ct_tree *t)
{
    const struct ct_tiles *tiles = t->tiles;
    int wrong = 0, exponent;
    wrong += frexp(tiles->scale, &exponent) != 0.5;
    for (int tile = 0; tile < tiles->count; tile++)
        for (int j = 0; j < t->d; j++)
            for (int lane = 0; lane < CT_LANES; lane++) {
                int pos = tiles->begin[tile] + lane;
                float x = float_at(t, tile, lane, j);
                if (pos >= tiles->begin[tile + 1]) {
                    wrong += !isnan(x);
                    continue;
                }
                double from = t->points[pos + (size_t)j * t->n] - tiles->origin[j];
                wrong += !(fabsf(x) <= 1) || x != (float)(from * tiles->scale);
            }
    return wrong;
}

/* Boxes are the least that hold the floats. */
static int wrong_boxes(const struct ct_tree *t, const struct ct_boxes *boxes, int box, int first,
                       int last)
{
    int wrong = 0;
    for (int j = 0; j < t->d; j++) {
        float least = INFINITY, most = -INFINITY;
        for (int tile = first; tile < last; tile++)
            for (int lane = 0; lane < CT_LANES; lane++) {
                least = fminf(least, float_at(t, tile, lane, j));
                most = fmaxf(most, float_at(t, tile, lane, j));
            }
        wrong += boxes->lower[box + j * boxes->stride] != least;
        wrong += boxes->upper[box + j * boxes->stride] != most;
    }
    return wrong;
}

static void check_contents(const struct cloud *cloud, const struct ct_tree *t)
{
    const struct ct_tiles *tiles = t->tiles;
    int wrong = 0;
    for (int tile = 0; tile < tiles->count; tile++)
        wrong += wrong_boxes(t, &tiles->tile, tile, tile, tile + 1);
    for (int node = 0; node < t->nodes; node++)
        wrong += wrong_boxes(t, &tiles->node, node, tiles->first_tile[node], tiles->end_tile[node]);
    check_about("%s, d %d (%d nodes, %d tiles)", cloud->name, cloud->d, t->nodes, tiles->count);
    CHECK(wrong_runs(t) == 0);
    CHECK(wrong_floats(t) == 0);
    CHECK(wrong == 0);
    CHECK(tiles->tile.stride >= (size_t)tiles->count && tiles->node.stride >= (size_t)t->nodes);
}

/* ---- what they discard -------------------------------------------------------- */

static enum ct_norm norm; /* of the distances */

/* One query, and the boxes with a point within a threshold. */
struct view {
    const struct ct_tree *tree;
    const double *distance; /* [n] by position */
    float *q_f32;           /* [d] */
    float *group;           /* [d * CT_GROUP] CT_GROUP times the query */
    double max_coord;
    unsigned *lanes; /* [tiles] the points within */
    char *node;      /* [nodes] */
    int *number;     /* scratch: [tiles or nodes] */
    float *sq;
    struct ct_candidates candidates[CT_GROUP];
};

static void mark(struct view *view, double threshold)
{
    const struct ct_tree *t = view->tree;
    const struct ct_tiles *tiles = t->tiles;
    for (int tile = 0; tile < tiles->count; tile++) {
        view->lanes[tile] = 0;
        for (int pos = tiles->begin[tile]; pos < tiles->begin[tile + 1]; pos++)
            if (view->distance[pos] <= threshold)
                view->lanes[tile] |= 1u << (pos - tiles->begin[tile]);
    }
    for (int node = 0; node < t->nodes; node++) {
        view->node[node] = 0;
        for (int tile = tiles->first_tile[node]; tile < tiles->end_tile[node]; tile++)
            view->node[node] |= view->lanes[tile] != 0;
    }
}

/* Boxes that must pass and do not. */
static int lost_boxes(const struct view *view, const struct ct_kernels *kernels,
                      const struct ct_boxes *boxes, int count, float limit, int of_nodes)
{
    int found =
        kernels->boxes_within(boxes->lower, boxes->upper, boxes->stride, view->tree->d, count,
                              view->q_f32, view->q_f32, limit, view->number, view->sq);
    int lost = 0, at = 0;
    for (int box = 0; box < count; box++) {
        int passed = at < found && view->number[at] == box;
        at += passed;
        lost += !passed && (of_nodes ? view->node[box] : view->lanes[box] != 0);
    }
    return lost + (at != found);
}

/* Returns the bits of the points of a tile that are in a candidate buffer, and empties the buffer.
 */
static unsigned candidate_lanes(struct ct_candidates *candidates, int begin)
{
    unsigned lanes = 0;
    for (int c = 0; c < candidates->count; c++)
        lanes |= 1u << (candidates->pos[c] - begin);
    candidates->count = 0;
    return lanes;
}

/* Returns the number of scans of a tile, alone and in a group, that miss a wanted point. */
static int lost_points(struct view *view, const struct ct_kernels *kernels, float limit)
{
    const struct ct_tree *t = view->tree;
    struct ct_candidates *group[CT_GROUP];
    int lost = 0;
    for (int i = 0; i < CT_GROUP; i++) {
        view->candidates[i].threshold = limit;
        group[i] = &view->candidates[i];
    }
    for (int tile = 0; tile < t->tiles->count; tile++) {
        const float *x = t->tiles->x + (size_t)tile * t->d * CT_LANES;
        int begin = t->tiles->begin[tile];
        unsigned want = view->lanes[tile];
        kernels->scan_tile(x, t->d, view->q_f32, t->row + begin, begin, group[0]);
        lost += (want & ~candidate_lanes(group[0], begin)) != 0;
        kernels->scan_tile_group(x, t->d, view->group, t->row + begin, begin, group);
        for (int i = 0; i < CT_GROUP; i++)
            lost += (want & ~candidate_lanes(group[i], begin)) != 0;
    }
    return lost;
}

static int lost(struct view *view, double threshold)
{
    const struct ct_tiles *tiles = view->tree->tiles;
    float limit = ct_f32_threshold(tiles, norm, view->max_coord, threshold);
    int count = !(limit >= 0);
    mark(view, threshold);
    for (int level = CT_SIMD_BASE; level <= (int)ct_simd_best(); level++) {
        const struct ct_kernels *kernels =
            ct_norm_kernels(ct_kernels((enum ct_simd_level)level), norm);
        count += lost_points(view, kernels, limit);
        count += lost_boxes(view, kernels, &tiles->tile, tiles->count, limit, 0);
        count += lost_boxes(view, kernels, &tiles->node, view->tree->nodes, limit, 1);
    }
    return count;
}

/* Returns the number of candidates clearly beyond the threshold. Adds to *farther the candidates
 * beyond the distance bound of their float32 square, and the squares that exceed the threshold
 * made from their own bound. */
static int loose(struct view *view, double threshold, int *farther)
{
    const struct ct_tree *t = view->tree;
    const struct ct_kernels *kernels = ct_norm_kernels(
        ct_kernels((enum ct_simd_level)random_below((int)ct_simd_best() + 1)), norm);
    struct ct_candidates *candidates = &view->candidates[0];
    double beyond = threshold * (1 + 1e-4) + 1e-5 / t->tiles->scale;
    int count = 0;
    candidates->threshold = ct_f32_threshold(t->tiles, norm, view->max_coord, threshold);
    *farther += !(ct_f32_distance_bound(t->tiles, norm, view->max_coord, candidates->threshold) >=
                  threshold);
    for (int tile = 0; tile < t->tiles->count; tile++) {
        const float *x = t->tiles->x + (size_t)tile * t->d * CT_LANES;
        int begin = t->tiles->begin[tile];
        kernels->scan_tile(x, t->d, view->q_f32, t->row + begin, begin, candidates);
        for (int c = 0; c < candidates->count; c++) {
            double distance = view->distance[candidates->pos[c]];
            double most = ct_f32_distance_bound(t->tiles, norm, view->max_coord, candidates->sq[c]);
            count += distance > beyond;
            *farther += !(distance <= sqrt(ct_sq_threshold(most)));
            *farther +=
                !(ct_f32_threshold(t->tiles, norm, view->max_coord, most) >= candidates->sq[c]);
        }
        candidates->count = 0;
    }
    return count;
}

static struct view make_view(const struct ct_tree *t)
{
    size_t d = (size_t)t->d, tiles = (size_t)t->tiles->count, nodes = (size_t)t->nodes;
    size_t most = tiles > nodes ? tiles : nodes;
    struct view view = {.tree = t,
                        .q_f32 = keep(d, sizeof(float)),
                        .group = keep(d * CT_GROUP, sizeof(float)),
                        .lanes = keep(tiles, sizeof(unsigned)),
                        .node = keep(nodes, 1),
                        .number = keep(most, sizeof(int)),
                        .sq = keep(most, sizeof(float))};
    for (int i = 0; i < CT_GROUP; i++)
        view.candidates[i] = (struct ct_candidates){.sq = keep(1 + CT_CANDIDATE_PAD, sizeof(float)),
                                                    .pos = keep(1 + CT_CANDIDATE_PAD, sizeof(int)),
                                                    .capacity = 1,
                                                    .max_row = INT_MAX};
    return view;
}

static double oracle_norm(const double *q, const double *x, size_t apart, int d)
{
    double sum = 0, most = 0;
    for (int j = 0; j < d; j++) {
        double gap = fabs(q[j] - x[j * apart]);
        sum += gap;
        most = fmax(most, gap);
    }
    return norm == CT_EUCLIDEAN   ? oracle_distance(q, 1, x, apart, d)
           : norm == CT_MANHATTAN ? sqrt(sum * sum)
                                  : sqrt(most * most);
}

/* Query i, as far as it may be from the tree: away^0 .. away^20 times an extent. */
static void look_from(struct view *view, const struct cloud *queries, int i, double *distance)
{
    const struct ct_tree *t = view->tree;
    double q[200];
    for (int j = 0; j < t->d; j++)
        q[j] = queries->x[i + (size_t)j * queries->n];
    for (int pos = 0; pos < t->n; pos++)
        distance[pos] = oracle_norm(q, t->points + pos, (size_t)t->n, t->d);
    view->distance = distance;
    view->max_coord = ct_tiles_q_f32(t->tiles, t->d, q, view->q_f32);
    for (int j = 0; j < t->d * CT_GROUP; j++)
        view->group[j] = view->q_f32[j / CT_GROUP];
}

/* On and near the points, and up to 1e20 times as far away. */
static struct cloud make_queries(const struct cloud *cloud, const struct ct_tiles *tiles, int m)
{
    struct cloud queries = queries_near(cloud, m);
    for (int i = 0; i < m; i++) {
        double away = random_below(3) == 0 ? pow(10, 20 * random_uniform()) : 0;
        for (int j = 0; j < cloud->d; j++)
            queries.x[i + (size_t)j * m] += away * random_normal() / tiles->scale;
    }
    return queries;
}

static void check_discarding(const struct cloud *cloud, const struct ct_tree *t, int m)
{
    struct cloud queries = make_queries(cloud, t->tiles, m);
    struct view view = make_view(t);
    double *distance = keep((size_t)t->n, sizeof *distance);
    int lost_near = 0, lost_far = 0, too_loose = 0, farther = 0;
    for (int i = 0; i < m; i++) {
        look_from(&view, &queries, i, distance);
        for (int round = 0; round < 5; round++) {
            double at = distance[random_below(t->n)];
            double thresholds[] = {at, nextafter(at, 0), nextafter(at, INFINITY), 2 * at,
                                   0,  INFINITY};
            double threshold = round == 4 ? thresholds[random_below(6)] : at;
            *(view.max_coord < 4 ? &lost_near : &lost_far) += lost(&view, threshold);
            int loosely = loose(&view, threshold, &farther);
            too_loose += view.max_coord < 4 ? loosely : 0;
        }
    }
    check_about("%s, d %d (%d nodes), norm %d", cloud->name, cloud->d, t->nodes, (int)norm);
    CHECK(lost_near == 0);
    CHECK(lost_far == 0);
    CHECK(farther == 0);
    /* Where squares vanish, distances tell less than floats do. */
    CHECK(too_loose == 0 || cloud->name[0] == 'f' || cloud->name[0] == 's');
}

static void check_cloud(struct cloud cloud, int m)
{
    for (int leaf_size = 1; leaf_size <= 40; leaf_size += 39) {
        struct grown grown = grow(&cloud, leaf_size, 2);
        check_contents(&cloud, &grown.tree);
        for (int which = 0; which < CT_NORMS; which++) {
            norm = (enum ct_norm)which;
            check_discarding(&cloud, &grown.tree, m);
        }
    }
    keep_end();
}

/* At any scale, and so far off the origin that little is left of the coordinates. */
static void check_scaled(const char *name, int n, int d, double scale, double offset)
{
    struct cloud cloud = cloud_of(name, n, d);
    for (int i = 0; i < n * d; i++)
        cloud.x[i] = scale * (offset + cloud.x[i]);
    check_cloud(cloud, 20);
}

/* Points so close that floats cannot tell them apart, and one far away. */
static struct cloud far_cluster(int n, int d, double width, double away)
{
    struct cloud cloud = cloud_of("normal", n, d);
    for (int j = 0; j < d; j++)
        for (int i = 0; i < n; i++)
            cloud.x[i + (size_t)j * n] = i == 0 ? away : width * cloud.x[i + (size_t)j * n];
    cloud.name = "far cluster"; /* faint: squares may vanish */
    return cloud;
}

int main(void)
{
    static const double scales[] = {1e-300, 1e-140, 1e-30, 1, 1e30, 1e150};
    for (int which = 0; which < clouds_count(); which++)
        check_cloud(cloud_number(which), 40);
    check_cloud(cloud_of("uniform", 1500, 2), 10);
    check_cloud(cloud_of("same", 1000, 2), 10);
    for (int i = 0; i < 6; i++) {
        check_scaled("normal", 200, 3, scales[i], 0);
        check_scaled("uniform", 200, 17, scales[i], 1e6);
        check_scaled("grid", 144, 2, scales[i], -1e6);
    }
    for (int d = 1; d <= 200; d += 1 + d / 2)
        check_scaled("normal", 150, d, 1, d % 2 ? 1e6 : 0);
    check_scaled("normal", 150, 200, 1e150, 1e3);
    check_cloud(far_cluster(400, 3, 1e-9, 1e6), 20);
    check_cloud(far_cluster(400, 2, 1e-160, 1), 20);
    check_cloud(far_cluster(400, 30, 1e-3, 1e150), 20);
    return check_done("tiles");
}
