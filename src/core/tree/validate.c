/* validate.c: see validate.h.
 *
 * The first half checks links. The second half computes the properties of each node from the
 * points and compares them with the arrays; blocks of nodes are shared by threads.
 */
#include "core/tree/validate.h"
#include "core/metric/euclidean.h"
#include "core/tree/level.h"
#include "core/util/column_range.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

#define INVARIANT_INFO(NAME, name, ARRAY) {#name, CT_ARRAY_##ARRAY},
const struct ct_invariant_info ct_invariant_info[CT_INVARIANTS] = {
    CT_TREE_INVARIANTS(INVARIANT_INFO)};

static const struct ct_array_error no_error = {CT_NO_ARRAY, 0};

/* An error at entry `at` of an array, counted from 0. */
static struct ct_array_error error_at(enum ct_array array, size_t at)
{
    return (struct ct_array_error){array, at + 1};
}

/* Points must be finite: distances of NaN would violate every bound. */
static struct ct_array_error check_points(const struct ct_tree *t)
{
    size_t size = (size_t)t->n * t->d, at = ct_first_nonfinite(t->points, size);
    return at < size ? error_at(CT_ARRAY_POINTS, at) : no_error;
}

/* The rows must be a permutation of 1..n. seen: a bit for each row. */
static struct ct_array_error check_rows(const struct ct_tree *t, unsigned char *seen)
{
    memset(seen, 0, ct_validate_scratch(t->n));
    for (int pos = 0; pos < t->n; pos++) {
        unsigned row = (unsigned)t->row[pos] - 1u, bit = 1u << row % 8;
        if (row >= (unsigned)t->n || seen[row / 8] & bit)
            return error_at(CT_ARRAY_ROW, (size_t)pos);
        seen[row / 8] |= (unsigned char)bit;
    }
    return no_error;
}

/* Nodes are numbered breadth first: the children of a node are the next nodes without a
 * parent, from *next on, and their consecutive runs of points make up the node's run. */
static struct ct_array_error check_family(const struct ct_tree *t, int node, int *next)
{
    size_t i = (size_t)node;
    if (t->first_child[node] == 0)
        return no_error;
    if (t->first_child[node] != *next + 1 || *next >= t->nodes)
        return error_at(CT_ARRAY_FIRST_CHILD, i);
    int begin = t->subtree_begin[node];
    for (;;) {
        int child = (*next)++;
        size_t c = (size_t)child;
        if (t->parent[child] != node + 1)
            return error_at(CT_ARRAY_PARENT, c);
        if (t->subtree_begin[child] != begin)
            return error_at(CT_ARRAY_SUBTREE_BEGIN, c);
        if (t->subtree_end[child] < begin || t->subtree_end[child] > t->subtree_end[node])
            return error_at(CT_ARRAY_SUBTREE_END, c);
        if (t->center[child] < begin || t->center[child] > t->subtree_end[child])
            return error_at(CT_ARRAY_CENTER, c);
        begin = t->subtree_end[child] + 1;
        if (t->next_sibling[child] == 0)
            return begin == t->subtree_end[node] + 1 ? no_error : error_at(CT_ARRAY_SUBTREE_END, c);
        if (t->next_sibling[child] != *next + 1 || *next >= t->nodes)
            return error_at(CT_ARRAY_NEXT_SIBLING, c);
    }
}

/* The root must have all points, and neither parent nor sibling. */
static struct ct_array_error check_root(const struct ct_tree *t)
{
    if (t->parent[0] != 0)
        return error_at(CT_ARRAY_PARENT, 0);
    if (t->next_sibling[0] != 0)
        return error_at(CT_ARRAY_NEXT_SIBLING, 0);
    if (t->subtree_begin[0] != 1)
        return error_at(CT_ARRAY_SUBTREE_BEGIN, 0);
    if (t->subtree_end[0] != t->n)
        return error_at(CT_ARRAY_SUBTREE_END, 0);
    if (t->center[0] < 1 || t->center[0] > t->n)
        return error_at(CT_ARRAY_CENTER, 0);
    return no_error;
}

struct ct_array_error ct_validate_arrays(const struct ct_tree *t, unsigned char *seen)
{
    struct ct_array_error found = check_points(t);
    if (found.array == CT_NO_ARRAY)
        found = check_rows(t, seen);
    if (found.array == CT_NO_ARRAY)
        found = check_root(t);
    int next = 1;
    for (int node = 0; node < next && found.array == CT_NO_ARRAY; node++)
        found = check_family(t, node, &next);
    if (found.array == CT_NO_ARRAY && next != t->nodes)
        found = error_at(CT_ARRAY_PARENT, (size_t)next);
    return found;
}

/* The properties of one node, measured from its points. */
struct node_measure {
    double radius;
    int min_row;
    int nested;                   /* children that have the node's center */
    int lower_wrong, upper_wrong; /* whether the stored box is not the box of the points */
};

/* Canonical distance of the points at two positions. */
static double pos_distance(const struct ct_tree *t, int a, int b)
{
    return sqrt(ct_sqdist(t->points + a, (size_t)t->n, t->points + b, (size_t)t->n, t->d));
}

/* Measures a node. The radius is measured around the stored center. */
static struct node_measure measure_node(const struct ct_tree *t, int node)
{
    struct node_measure m = {.min_row = INT_MAX};
    int begin = ct_node_begin(t, node), end = ct_node_end(t, node);
    for (int pos = begin; pos < end; pos++) {
        m.radius = fmax(m.radius, pos_distance(t, pos, t->center[node] - 1));
        m.min_row = t->row[pos] < m.min_row ? t->row[pos] : m.min_row;
    }
    for (int j = 0; j < t->d; j++) {
        const double *x = t->points + (size_t)j * t->n;
        double least = x[begin], most = x[begin];
        for (int pos = begin; pos < end; pos++) {
            least = fmin(least, x[pos]);
            most = fmax(most, x[pos]);
        }
        m.lower_wrong |= t->lower[node + (size_t)j * t->nodes] != least;
        m.upper_wrong |= t->upper[node + (size_t)j * t->nodes] != most;
    }
    if (t->first_child[node] > 0)
        for (int c = ct_first_child(t, node); c >= 0; c = t->next_sibling[c] - 1)
            m.nested += t->center[c] == t->center[node];
    return m;
}

/* Returns the least distance of two children's centers as a multiple of the separation radius
 * of the node; infinite for a leaf and for coinciding points, which are exempt. If no child
 * has a level, the separation radius is 0, and any distance above 0 suffices. */
static double relative_separation(const struct ct_tree *t, int node)
{
    double least = INFINITY;
    int first = ct_first_child(t, node), level = CT_NO_LEVEL;
    if (first < 0 || t->level[node] == CT_NO_LEVEL)
        return INFINITY;
    for (int a = first; a >= 0; a = t->next_sibling[a] - 1) {
        level = t->level[a] > level ? t->level[a] : level;
        for (int b = first; b < a; b++)
            least = fmin(least, pos_distance(t, t->center[a] - 1, t->center[b] - 1));
    }
    if (level == CT_NO_LEVEL)
        return least > 0 ? INFINITY : 0;
    return least / ct_cover_radius(level - 1);
}

/* Counts a violation, if there is one, and keeps the first node. */
static void count_violation(struct ct_validation *found, enum ct_invariant invariant, int node,
                            int violated)
{
    if (!violated)
        return;
    found->violations[invariant]++;
    if (found->first[invariant] == 0 || node + 1 < found->first[invariant])
        found->first[invariant] = node + 1;
}

/* Compares a node with the points, the parent and the children, and counts violations. */
static void validate_node(const struct ct_tree *t, int node, struct ct_validation *found)
{
    struct node_measure m = measure_node(t, node);
    double cover = ct_cover_radius(t->level[node]), apart = relative_separation(t, node);
    int parent = t->parent[node] - 1, level = t->level[node];
    int descends = parent >= 0 && t->level[parent] != CT_NO_LEVEL;
    count_violation(found, CT_INVARIANT_NESTING, node, t->first_child[node] > 0 && m.nested != 1);
    count_violation(found, CT_INVARIANT_COVERING, node, m.radius > cover);
    count_violation(found, CT_INVARIANT_DESCENT, node, descends && level >= t->level[parent]);
    count_violation(found, CT_INVARIANT_SEPARATION, node, apart <= 1);
    count_violation(found, CT_INVARIANT_RADIUS, node, t->radius[node] != m.radius);
    count_violation(found, CT_INVARIANT_LEVEL, node, level != ct_cover_level(m.radius));
    count_violation(found, CT_INVARIANT_LOWER, node, m.lower_wrong);
    count_violation(found, CT_INVARIANT_UPPER, node, m.upper_wrong);
    count_violation(found, CT_INVARIANT_MIN_ROW, node, t->min_row[node] != m.min_row);
    if (cover > 0)
        found->covering_slack = fmin(found->covering_slack, 1 - m.radius / cover);
    found->separation_slack = fmin(found->separation_slack, apart - 1);
}

/* Adds what another thread found. The first node is the smallest, so the result does not
 * depend on the threads. */
static void merge_validation(struct ct_validation *into, const struct ct_validation *from)
{
    for (int i = 0; i < CT_INVARIANTS; i++) {
        into->violations[i] += from->violations[i];
        if (from->first[i] > 0 && (into->first[i] == 0 || from->first[i] < into->first[i]))
            into->first[i] = from->first[i];
    }
    into->covering_slack = fmin(into->covering_slack, from->covering_slack);
    into->separation_slack = fmin(into->separation_slack, from->separation_slack);
}

enum { NODES_PER_BLOCK = 16 };

/* Each thread counts on its own; the counts are merged at the end. */
struct validation_task {
    const struct ct_tree *tree;
    struct ct_validation *found; /* [threads] */
};

static void validate_block(void *data, int block, int thread)
{
    const struct validation_task *task = data;
    int first = block * NODES_PER_BLOCK, left = task->tree->nodes - first;
    for (int i = 0; i < NODES_PER_BLOCK && i < left; i++)
        validate_node(task->tree, first + i, &task->found[thread]);
}

void ct_validate_tree(const struct ct_host *host, const struct ct_tree *t, int threads,
                      struct ct_validation *validation)
{
    struct ct_validation *found = host->alloc((size_t)threads, sizeof *found);
    struct validation_task task = {t, found};
    for (int thread = 0; thread < threads; thread++)
        found[thread] =
            (struct ct_validation){.covering_slack = INFINITY, .separation_slack = INFINITY};
    ct_parallel_for(host, t->nodes / NODES_PER_BLOCK + 1, threads, validate_block, &task);
    *validation = found[0];
    for (int thread = 1; thread < threads; thread++)
        merge_validation(validation, &found[thread]);
}
