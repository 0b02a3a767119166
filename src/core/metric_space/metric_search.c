/* metric_search.c: one query goes down the tree; see metric_search.h.
 *
 * First the query goes down to the leaves and lists the points that no bound excludes. The centers
 * of large nodes that no bound excludes are evaluated on the way, in one call for all of them:
 * their distances bound those of the nodes' other points. Then the listed points are evaluated in
 * the order of their bounds, in a few calls: the distances of each call lower the threshold, which
 * excludes points of the next ones.
 */
#include "core/metric_space/metric_search.h"

#include <limits.h>
#include <math.h>

enum {
    FIRST_BATCH =
        32, /* evaluations in the first call for listed points; twice as many in the next */
    MAX_BATCH = 1024, /* and so on, up to this number */
    LARGE_NODE = 64,  /* points for which the distance of the center is worth a call */
    BUCKETS = 64      /* of bounds */
};

void ct_metric_ask(struct ct_metric_search *s, int pos)
{
    s->seen[pos] = s->query.number + 1;
    ct_distance_batch_add(&s->asked, pos, s->t->row[pos]);
}

/* Whether a distance is within the bounds of each pivot, |a - b| and a + b. If it is not, the
 * contradiction may still be smaller than the rounding error. */
static int is_within_bounds(const double *a, const double *b, int pivots, double distance)
{
    int outside = 0;
    for (int j = 0; j < pivots; j++)
        outside |= (fabs(a[j] - b[j]) > distance) | (a[j] + b[j] < distance);
    return !outside;
}

/* Stops if a distance contradicts the bounds of the pivots, by more than the rounding error. */
static void check_distance(const struct ct_metric_search *s, int pos, double distance)
{
    const struct ct_distance_function *f = s->batch->f;
    const double *a = s->query.pivot, *b = ct_pivot_distances(s->t, pos);
    double rounding = f->tolerance * distance;
    if (is_within_bounds(a, b, s->t->pivots, distance))
        return;
    for (int j = 0; j < s->t->pivots; j++) {
        double sum = a[j] + b[j];
        if (distance + rounding < ct_lower_bound(a[j], b[j], f->tolerance) ||
            distance - rounding > sum + f->tolerance * sum)
            f->refuse(f->data, s->query.from, s->t->row[pos], s->t->row[s->t->pivot[j] - 1]);
    }
}

/* Raises the bound of a node whose center has a known distance, and keeps the node if it is still
 * wanted. */
static void visit_with_distance(struct ct_metric_search *s, struct ct_metric_visit visit)
{
    double radius = s->t->radius[visit.node];
    if (visit.distance > radius) {
        double bound = ct_lower_bound(visit.distance, radius, s->pivots.tolerance);
        visit.bound = bound > visit.bound ? bound : visit.bound;
    }
    if (ct_metric_wants_node(s, visit.node, visit.bound))
        s->frontier.stack[s->frontier.stack_size++] = visit;
}

void ct_metric_flush(struct ct_metric_search *s)
{
    struct ct_distance_function *f = s->batch->f;
    ct_evaluate(f, s->query.from, s->asked.row, s->asked.size, s->asked.distance);
    for (int i = 0; i < s->asked.size; i++) {
        if (f->refuse && !s->scanning)
            check_distance(s, s->asked.pos[i], s->asked.distance[i]);
        ct_metric_offer(s, s->asked.pos[i], s->asked.distance[i]);
    }
    s->asked.size = 0;
    for (int i = 0; i < s->frontier.waiting_size; i++) {
        s->frontier.waiting[i].distance = s->asked.distance[s->frontier.waiting[i].place];
        visit_with_distance(s, s->frontier.waiting[i]);
    }
    s->frontier.waiting_size = 0;
}

int ct_metric_known(const struct ct_metric_search *s, int pos, double *distance)
{
    const struct ct_metric_current *query = &s->query;
    if (s->pivots.number[pos] >= 0) {
        *distance = query->pivot[s->pivots.number[pos]];
        return 1;
    }
    if (query->pos < 0)
        return 0;
    int own_number = s->pivots.number[query->pos], leaf = s->leaf_of[query->pos];
    if (own_number >= 0)
        *distance = ct_pivot_distances(s->t, pos)[own_number];
    else if (s->t->center[leaf] - 1 == pos)
        *distance = s->t->to_center[query->pos];
    else if (s->t->center[s->leaf_of[pos]] - 1 == query->pos)
        *distance = s->t->to_center[pos];
    else
        return 0;
    return 1;
}

/* Returns a lower bound for a child of a node, from the pivots and from the distance of the node's
 * center. */
static double child_bound(const struct ct_metric_search *s, const struct ct_metric_visit *parent,
                          int child)
{
    const struct ct_metric_tree *t = s->t;
    size_t at = (size_t)child * (size_t)t->pivots;
    double bound = parent->bound, d = parent->distance, tolerance = s->pivots.tolerance;
    double ring = 0;
    if (d >= 0 && d < t->nearest[child])
        ring = ct_lower_bound(d, t->nearest[child], tolerance);
    else if (d >= 0 && d > t->farthest[child])
        ring = ct_lower_bound(d, t->farthest[child], tolerance);
    bound = ring > bound ? ring : bound;
    double range = ct_range_bound(&s->pivots, s->query.pivot, t->lower + at, t->upper + at,
                                  ct_metric_node_limit(s, child));
    return range > bound ? range : bound;
}

/* Whether the distance of a node's center is worth an evaluation: the node is large, and no bound
 * excludes the center itself. */
static int should_ask_center(const struct ct_metric_search *s, int node)
{
    const struct ct_metric_tree *t = s->t;
    int center = t->center[node] - 1;
    if (t->subtree_end[node] - t->subtree_begin[node] < LARGE_NODE ||
        !ct_metric_is_eligible(s, center) || s->seen[center] == s->query.number + 1)
        return 0;
    double bound = ct_pivot_bound(&s->pivots, s->query.pivot, ct_pivot_distances(t, center),
                                  ct_metric_pair_limit(s, center));
    return ct_metric_wants_pair(s, center, bound) && !ct_metric_is_seeded(s, s->query.pos, center);
}

/* Computes the bounds of a node's children. A child within the threshold is visited next if the
 * distance of its center is known or not worth an evaluation, otherwise after the next call. */
static void expand_node(struct ct_metric_search *s, const struct ct_metric_visit *parent)
{
    const struct ct_metric_tree *t = s->t;
    for (int child = t->first_child[parent->node]; child > 0; child = t->next_sibling[child - 1]) {
        int node = child - 1;
        struct ct_metric_visit visit = {child_bound(s, parent, node), -1, node, 0};
        if (!ct_metric_wants_node(s, node, visit.bound))
            continue;
        if (t->center[node] == t->center[parent->node])
            visit.distance = parent->distance;
        else if (!ct_metric_known(s, t->center[node] - 1, &visit.distance))
            visit.distance = -1;
        if (visit.distance >= 0) {
            visit_with_distance(s, visit);
        } else if (should_ask_center(s, node)) {
            visit.place = s->asked.size;
            ct_metric_ask(s, t->center[node] - 1);
            s->frontier.waiting[s->frontier.waiting_size++] = visit;
        } else {
            s->frontier.stack[s->frontier.stack_size++] = visit;
        }
    }
}

/* Returns a lower bound for a point of a leaf; infinity if it exceeds `enough`. */
static double point_bound(const struct ct_metric_search *s, const struct ct_metric_visit *leaf,
                          int pos, double enough)
{
    double bound =
        ct_pivot_bound(&s->pivots, s->query.pivot, ct_pivot_distances(s->t, pos), enough);
    if (leaf->distance >= 0) {
        double ring = ct_lower_bound(leaf->distance, s->t->to_center[pos], s->pivots.tolerance);
        bound = ring > bound ? ring : bound;
    }
    return leaf->bound > bound ? leaf->bound : bound;
}

/* Lists the points of a leaf that no bound excludes. */
static void scan_leaf(struct ct_metric_search *s, const struct ct_metric_visit *leaf)
{
    const struct ct_metric_tree *t = s->t;
    double enough = ct_metric_node_limit(s, leaf->node), known;
    for (int pos = t->subtree_begin[leaf->node] - 1; pos < t->subtree_end[leaf->node]; pos++) {
        if (s->seen[pos] == s->query.number + 1 || !ct_metric_is_eligible(s, pos))
            continue;
        double bound = point_bound(s, leaf, pos, enough);
        if (bound > enough || !ct_metric_wants_pair(s, pos, bound) ||
            ct_metric_is_seeded(s, s->query.pos, pos))
            continue;
        if (ct_metric_known(s, pos, &known))
            ct_metric_offer(s, pos, known);
        else
            s->listed.point[s->listed.size++] = (struct ct_metric_candidate){bound, pos};
    }
}

/* The distances of a foreign query to the pivots. */
static void evaluate_pivots(struct ct_metric_search *s)
{
    for (int j = 0; j < s->t->pivots; j++)
        s->asked.row[j] = s->t->row[s->t->pivot[j] - 1];
    ct_evaluate(s->batch->f, s->query.from, s->asked.row, s->t->pivots, s->foreign);
}

void ct_metric_begin_query(struct ct_metric_search *s, int number)
{
    const struct ct_metric_batch *batch = s->batch;
    struct ct_metric_current *query = &s->query;
    *query = (struct ct_metric_current){
        .number = number, .from = -number - 1, .pos = -1, .max_row = INT_MAX, .pivot = s->foreign};
    if (batch->row) {
        query->from = query->row = batch->row[number];
        query->pos = s->pos_of[query->row - 1];
        query->pivot = ct_pivot_distances(s->t, query->pos);
        query->max_row = batch->predecessor ? query->row - 1 : INT_MAX;
    }
    if (!batch->row && !s->scanning)
        evaluate_pivots(s);
    ct_set_margin(&s->pivots, query->pivot, s->largest);
}

/* Visits all nodes that are wanted, and lists their points. */
static void list_points(struct ct_metric_search *s)
{
    struct ct_metric_visit root = {0, s->query.pivot[0], 0, 0};
    s->listed.size = 0;
    visit_with_distance(s, root);
    while (s->frontier.stack_size > 0 || s->frontier.waiting_size > 0) {
        if (s->frontier.stack_size == 0) {
            ct_metric_flush(s);
            continue;
        }
        struct ct_metric_visit visit = s->frontier.stack[--s->frontier.stack_size];
        if (!ct_metric_wants_node(s, visit.node, visit.bound))
            continue;
        if (s->t->first_child[visit.node] == 0)
            scan_leaf(s, &visit);
        else
            expand_node(s, &visit);
    }
}

/* Returns the bucket, 0 .. BUCKETS - 1, of a bound between the least and the largest. */
static int bucket_of(double bound, double least, double most)
{
    int bucket = (int)((bound - least) / (most - least) * BUCKETS);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/* Returns the listed points ordered by their bounds, to 1/64 of the range of bounds. */
static const struct ct_metric_candidate *sort_listed(const struct ct_metric_search *s)
{
    int count = s->listed.size, next[BUCKETS + 1] = {0};
    double least = INFINITY, most = 0;
    for (int i = 0; i < count; i++) {
        least = s->listed.point[i].bound < least ? s->listed.point[i].bound : least;
        most = s->listed.point[i].bound > most ? s->listed.point[i].bound : most;
    }
    if (count <= FIRST_BATCH || most <= least)
        return s->listed.point;
    for (int i = 0; i < count; i++)
        next[1 + bucket_of(s->listed.point[i].bound, least, most)]++;
    for (int b = 0; b < BUCKETS; b++)
        next[b + 1] += next[b];
    for (int i = 0; i < count; i++)
        s->listed.sorted[next[bucket_of(s->listed.point[i].bound, least, most)]++] =
            s->listed.point[i];
    return s->listed.sorted;
}

/* The number of evaluations in a call doubles. The first calls are small, because each distance may
 * lower the threshold. Later calls are large, because each call has a constant cost. */
void ct_metric_descend(struct ct_metric_search *s)
{
    list_points(s);
    const struct ct_metric_candidate *listed = sort_listed(s);
    int target = FIRST_BATCH;
    for (int i = 0; i < s->listed.size; i++) {
        if (!ct_metric_wants_pair(s, listed[i].pos, listed[i].bound))
            continue;
        ct_metric_ask(s, listed[i].pos);
        if (s->asked.size == target) {
            ct_metric_flush(s);
            target = 2 * target < MAX_BATCH ? 2 * target : MAX_BATCH;
        }
    }
    ct_metric_flush(s);
}
