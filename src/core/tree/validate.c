/* validate.c: see validate.h. */
#include "core/tree/validate.h"
#include "core/metric/euclidean.h"
#include "core/tree/level.h"
#include "core/util/column_range.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

static const struct ct_array_error sound = {CT_NO_ARRAY, 0};

static struct ct_array_error fault(enum ct_array array, size_t at)
{
    return (struct ct_array_error){array, at + 1};
}

static struct ct_array_error check_points(const struct ct_tree *t)
{
    size_t size = (size_t)t->n * t->d, at = ct_first_nonfinite(t->points, size);
    return at < size ? fault(CT_ARRAY_POINTS, at) : sound;
}

static struct ct_array_error check_rows(const struct ct_tree *t, unsigned char *seen)
{
    memset(seen, 0, (size_t)t->n);
    for (int pos = 0; pos < t->n; pos++) {
        int row = t->row[pos];
        if (row < 1 || row > t->n || seen[row - 1])
            return fault(CT_ARRAY_ROW, (size_t)pos);
        seen[row - 1] = 1;
    }
    return sound;
}

/* The children of a node are the next nodes that have no parent yet, and their
 * runs, laid end to end, are the node's. */
static struct ct_array_error check_family(const struct ct_tree *t, int node, int *next)
{
    size_t i = (size_t)node;
    if (t->first_child[node] == 0)
        return sound;
    if (t->first_child[node] != *next + 1 || *next >= t->nodes)
        return fault(CT_ARRAY_FIRST_CHILD, i);
    int begin = t->subtree_begin[node];
    for (;;) {
        int child = (*next)++;
        size_t c = (size_t)child;
        if (t->parent[child] != node + 1)
            return fault(CT_ARRAY_PARENT, c);
        if (t->subtree_begin[child] != begin)
            return fault(CT_ARRAY_SUBTREE_BEGIN, c);
        if (t->subtree_end[child] < begin || t->subtree_end[child] > t->subtree_end[node])
            return fault(CT_ARRAY_SUBTREE_END, c);
        if (t->center[child] < begin || t->center[child] > t->subtree_end[child])
            return fault(CT_ARRAY_CENTER, c);
        begin = t->subtree_end[child] + 1;
        if (t->next_sibling[child] == 0)
            return begin == t->subtree_end[node] + 1 ? sound : fault(CT_ARRAY_SUBTREE_END, c);
        if (t->next_sibling[child] != *next + 1 || *next >= t->nodes)
            return fault(CT_ARRAY_NEXT_SIBLING, c);
    }
}

static struct ct_array_error check_root(const struct ct_tree *t)
{
    if (t->parent[0] != 0)
        return fault(CT_ARRAY_PARENT, 0);
    if (t->next_sibling[0] != 0)
        return fault(CT_ARRAY_NEXT_SIBLING, 0);
    if (t->subtree_begin[0] != 1)
        return fault(CT_ARRAY_SUBTREE_BEGIN, 0);
    if (t->subtree_end[0] != t->n)
        return fault(CT_ARRAY_SUBTREE_END, 0);
    if (t->center[0] < 1 || t->center[0] > t->n)
        return fault(CT_ARRAY_CENTER, 0);
    return sound;
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
        found = fault(CT_ARRAY_PARENT, (size_t)next);
    return found;
}

/* What one node is like, measured from its points. */
struct measure {
    double radius;
    int centers, min_row; /* centers: children with the node's center */
    int lower_off, upper_off;
};

static double pos_distance(const struct ct_tree *t, int a, int b)
{
    return sqrt(ct_sqdist(t->points + a, (size_t)t->n, t->points + b, (size_t)t->n, t->d));
}

static struct measure measure(const struct ct_tree *t, int node)
{
    struct measure m = {.min_row = INT_MAX};
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
        m.lower_off |= t->lower[node + (size_t)j * t->nodes] != least;
        m.upper_off |= t->upper[node + (size_t)j * t->nodes] != most;
    }
    if (t->first_child[node] > 0)
        for (int c = ct_first_child(t, node); c >= 0; c = t->next_sibling[c] - 1)
            m.centers += t->center[c] == t->center[node];
    return m;
}

/* The least distance of two children of the node, over their separation radius.
 * Coinciding points have none to keep; without levels, any distance will do. */
static double separation(const struct ct_tree *t, int node)
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

static void count_broken(struct ct_validation *report, enum ct_invariant law, int node,
                         int violations)
{
    if (!violations)
        return;
    report->violations[law]++;
    if (report->first[law] == 0 || node + 1 < report->first[law])
        report->first[law] = node + 1;
}

static void check_node(const struct ct_tree *t, int node, struct ct_validation *report)
{
    struct measure m = measure(t, node);
    double cover = ct_cover_radius(t->level[node]), apart = separation(t, node);
    int parent = t->parent[node] - 1, level = t->level[node];
    int family = parent >= 0 && t->level[parent] != CT_NO_LEVEL;
    count_broken(report, CT_INVARIANT_NESTING, node, t->first_child[node] > 0 && m.centers != 1);
    count_broken(report, CT_INVARIANT_COVERING, node, m.radius > cover);
    count_broken(report, CT_INVARIANT_DESCENT, node, family && level >= t->level[parent]);
    count_broken(report, CT_INVARIANT_SEPARATION, node, apart <= 1);
    count_broken(report, CT_INVARIANT_RADIUS, node, t->radius[node] != m.radius);
    count_broken(report, CT_INVARIANT_LEVEL, node, level != ct_cover_level(m.radius));
    count_broken(report, CT_INVARIANT_LOWER, node, m.lower_off);
    count_broken(report, CT_INVARIANT_UPPER, node, m.upper_off);
    count_broken(report, CT_INVARIANT_MIN_ROW, node, t->min_row[node] != m.min_row);
    if (cover > 0)
        report->covering_slack = fmin(report->covering_slack, 1 - m.radius / cover);
    report->separation_slack = fmin(report->separation_slack, apart - 1);
}

static void merge(struct ct_validation *into, const struct ct_validation *from)
{
    for (int law = 0; law < CT_INVARIANTS; law++) {
        into->violations[law] += from->violations[law];
        if (from->first[law] > 0 && (into->first[law] == 0 || from->first[law] < into->first[law]))
            into->first[law] = from->first[law];
    }
    into->covering_slack = fmin(into->covering_slack, from->covering_slack);
    into->separation_slack = fmin(into->separation_slack, from->separation_slack);
}

enum { TOGETHER = 16 }; /* nodes to a block of work */

struct checking {
    const struct ct_tree *tree;
    struct ct_validation *report; /* [threads] */
};

static void check_block(void *data, int block, int thread)
{
    const struct checking *checking = data;
    int first = block * TOGETHER, left = checking->tree->nodes - first;
    for (int i = 0; i < TOGETHER && i < left; i++)
        check_node(checking->tree, first + i, &checking->report[thread]);
}

void ct_validate_tree(const struct ct_host *host, const struct ct_tree *t, int threads,
                      struct ct_validation *report)
{
    struct ct_validation *mine = host->alloc((size_t)threads, sizeof *mine);
    struct checking checking = {t, mine};
    for (int thread = 0; thread < threads; thread++)
        mine[thread] =
            (struct ct_validation){.covering_slack = INFINITY, .separation_slack = INFINITY};
    ct_parallel_for(host, t->nodes / TOGETHER + 1, threads, check_block, &checking);
    *report = mine[0];
    for (int thread = 1; thread < threads; thread++)
        merge(report, &mine[thread]);
}
