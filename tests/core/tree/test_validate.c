/* test_validate.c: ct_validate_tree sees each invariant broken, at the node where it is,
 * and nothing once the tree is mended. Each damage breaks one invariant for certain;
 * other invariants may break with it. */
#include "check.h"
#include "core/tree/level.h"
#include "core/tree/validate.h"
#include "grow.h"
#include "host.h"
#include "oracle.h"

#include <math.h>

static struct ct_validation validation_of(const struct grown *grown)
{
    struct ct_validation found;
    ct_validate_tree(&host, &grown->tree, 2, &found);
    host_end_call();
    return found;
}

/* The invariant is broken by this node, and by none before it. */
static int violated_at(const struct grown *grown, enum ct_invariant invariant, int node)
{
    struct ct_validation found = validation_of(grown);
    return found.violations[invariant] >= 1 && found.first[invariant] == node + 1;
}

static int whole(const struct grown *grown)
{
    struct ct_validation found = validation_of(grown);
    int broken = 0;
    for (int invariant = 0; invariant < CT_INVARIANTS; invariant++)
        broken += found.violations[invariant] + found.first[invariant];
    return broken == 0;
}

static int seen_in_double(const struct grown *grown, double *entry, double value,
                          enum ct_invariant invariant, int node)
{
    double sound = *entry;
    *entry = value;
    int seen = violated_at(grown, invariant, node);
    *entry = sound;
    return seen;
}

static int seen_in_int(const struct grown *grown, int *entry, int value,
                       enum ct_invariant invariant, int node)
{
    int sound = *entry;
    *entry = value;
    int seen = violated_at(grown, invariant, node);
    *entry = sound;
    return seen;
}

static void check_values(struct grown *g, int node)
{
    struct ct_tree_arrays *a = &g->arrays;
    int d = g->tree.d, nodes = g->tree.nodes;
    double *radius = &a->radius[node];
    check_about("node %d", node + 1);
    CHECK(seen_in_double(g, radius, nextafter(*radius, INFINITY), CT_INVARIANT_RADIUS, node));
    CHECK(seen_in_double(g, radius, nextafter(*radius, -1), CT_INVARIANT_RADIUS, node));
    CHECK(seen_in_double(g, radius, NAN, CT_INVARIANT_RADIUS, node));
    CHECK(seen_in_int(g, &a->min_row[node], a->min_row[node] + 1, CT_INVARIANT_MIN_ROW, node));
    CHECK(seen_in_int(g, &a->min_row[node], a->min_row[node] - 1, CT_INVARIANT_MIN_ROW, node));
    for (int j = 0; j < d; j++) {
        double *lower = &a->lower[node + j * nodes], *upper = &a->upper[node + j * nodes];
        CHECK(seen_in_double(g, lower, nextafter(*lower, -INFINITY), CT_INVARIANT_LOWER, node));
        CHECK(seen_in_double(g, lower, nextafter(*lower, INFINITY), CT_INVARIANT_LOWER, node));
        CHECK(seen_in_double(g, lower, NAN, CT_INVARIANT_LOWER, node));
        CHECK(seen_in_double(g, upper, nextafter(*upper, -INFINITY), CT_INVARIANT_UPPER, node));
        CHECK(seen_in_double(g, upper, nextafter(*upper, INFINITY), CT_INVARIANT_UPPER, node));
        CHECK(seen_in_double(g, upper, NAN, CT_INVARIANT_UPPER, node));
    }
}

static void check_levels(struct grown *g, int node)
{
    int *level = &g->arrays.level[node], parent = g->tree.parent[node] - 1;
    check_about("node %d", node + 1);
    CHECK(seen_in_int(g, level, *level == CT_NO_LEVEL ? 0 : *level + 1, CT_INVARIANT_LEVEL, node));
    CHECK(seen_in_int(g, level, INT_MAX, CT_INVARIANT_LEVEL, node));
    CHECK(seen_in_int(g, level, INT_MIN + 1, CT_INVARIANT_LEVEL, node));
    if (*level != CT_NO_LEVEL) {
        CHECK(seen_in_int(g, level, *level - 1, CT_INVARIANT_COVERING, node));
        CHECK(seen_in_int(g, level, CT_NO_LEVEL, CT_INVARIANT_COVERING, node));
    }
    if (parent < 0 || g->tree.level[parent] == CT_NO_LEVEL)
        return;
    /* Siblings are at most twice the parent's cover radius apart. */
    CHECK(seen_in_int(g, level, g->tree.level[parent] + 6, CT_INVARIANT_SEPARATION, parent));
    CHECK(seen_in_int(g, level, g->tree.level[parent], CT_INVARIANT_DESCENT, node));
}

/* The least distance of two centers of a family. */
static double least_gap(const struct ct_tree *t, int parent)
{
    double least = INFINITY;
    int first = ct_first_child(t, parent), end = first + ct_count_children(t, parent);
    for (int a = first; a < end; a++)
        for (int b = first; b < a; b++)
            least = fmin(least, oracle_distance(t->points + t->center[a] - 1, (size_t)t->n,
                                                t->points + t->center[b] - 1, (size_t)t->n, t->d));
    return least;
}

/* The level from which on siblings are too close, and the last one before it. */
static void check_separation(struct grown *g, int node)
{
    int *level = &g->arrays.level[node], parent = g->tree.parent[node] - 1;
    if (parent < 0 || g->tree.level[parent] == CT_NO_LEVEL)
        return;
    int most = ct_cover_level(least_gap(&g->tree, parent));
    check_about("node %d, siblings apart enough for level %d", node + 1, most);
    CHECK(seen_in_int(g, level, most + 1, CT_INVARIANT_SEPARATION, parent));
    CHECK(!seen_in_int(g, level, most, CT_INVARIANT_SEPARATION, parent));
}

/* Another point of the child's as its center: the parent loses its nest. */
static void check_nest(struct grown *g, int node)
{
    int begin = g->tree.subtree_begin[node], parent = g->tree.parent[node] - 1;
    int *center = &g->arrays.center[node], other = *center == begin ? begin + 1 : begin;
    if (g->tree.subtree_end[node] == begin || parent < 0 || *center != g->tree.center[parent] ||
        g->tree.first_child[node] > 0)
        return;
    check_about("node %d", node + 1);
    CHECK(seen_in_int(g, center, other, CT_INVARIANT_NESTING, parent));
}

/* A point moved beyond all else: every node that holds it sees it. */
static void check_moved_point(struct grown *g)
{
    double sound = g->arrays.points[0];
    int holders = 0;
    for (int node = 0; node < g->tree.nodes; node++)
        holders += g->tree.subtree_begin[node] == 1;
    g->arrays.points[0] = 1000;
    struct ct_validation found = validation_of(g);
    g->arrays.points[0] = sound;
    check_about("a point moved away");
    CHECK(found.violations[CT_INVARIANT_UPPER] == holders);
    CHECK(found.violations[CT_INVARIANT_COVERING] >= 1 && found.first[CT_INVARIANT_COVERING] == 1);
    CHECK(g->tree.level[0] == CT_NO_LEVEL || found.covering_slack < 0);
}

static void check_cloud(const char *name, int n, int d)
{
    struct cloud cloud = cloud_of(name, n, d);
    struct grown grown = grow(&cloud, 3, 1);
    check_about("%s", name);
    CHECK(whole(&grown));
    for (int node = 0; node < grown.tree.nodes; node++) {
        check_values(&grown, node);
        check_levels(&grown, node);
        check_separation(&grown, node);
        check_nest(&grown, node);
    }
    check_moved_point(&grown);
    check_about("%s, mended", name);
    CHECK(whole(&grown));
    keep_end();
}

int main(void)
{
    check_cloud("uniform", 60, 2);
    check_cloud("few", 60, 2);
    check_cloud("integers", 60, 1);
    check_cloud("same", 20, 3);
    return check_done("validate");
}
