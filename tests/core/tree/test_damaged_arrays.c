/* test_damaged_arrays.c: arrays that a user may have changed. ct_validate_arrays() detects any
 * single wrong entry of any link. Arrays that it accepts can be searched without an invalid memory
 * access, as the sanitizers check. */
#include "check.h"
#include "core/search/query.h"
#include "core/simd/euclid.h"
#include "core/tree/validate.h"
#include "grow.h"
#include "host.h"

#include <math.h>
#include <string.h>

static unsigned char *seen;

static struct ct_array_error error_of(const struct grown *grown)
{
    return ct_validate_arrays(&grown->tree, seen);
}

/* The arrays whose every entry is fixed by the others. */
struct link {
    const char *name;
    enum ct_array array;
    int *entry, count;
};

enum { LINKS = 7, VALUES = 9 };

static void list_links(struct grown *g, struct link *link)
{
    struct ct_tree_arrays *a = &g->arrays;
    int n = g->tree.n, nodes = g->tree.nodes;
    struct link all[LINKS] = {{"row", CT_ARRAY_ROW, g->arrays.row, n},
                              {"center", CT_ARRAY_CENTER, a->center, nodes},
                              {"parent", CT_ARRAY_PARENT, a->parent, nodes},
                              {"first_child", CT_ARRAY_FIRST_CHILD, a->first_child, nodes},
                              {"next_sibling", CT_ARRAY_NEXT_SIBLING, a->next_sibling, nodes},
                              {"subtree_begin", CT_ARRAY_SUBTREE_BEGIN, a->subtree_begin, nodes},
                              {"subtree_end", CT_ARRAY_SUBTREE_END, a->subtree_end, nodes}};
    memcpy(link, all, sizeof all);
}

static void list_values(const struct grown *g, int sound, int *value)
{
    int all[VALUES] = {0,         -1,        INT_MIN, INT_MAX, g->tree.n + 1, g->tree.nodes + 1,
                       sound + 1, sound - 1, 1};
    memcpy(value, all, sizeof all);
}

/* A center may be any point of its node's: only others are a matter of safety. */
static int may_pass(const struct grown *g, const struct link *link, int at, int value)
{
    return link->array == CT_ARRAY_CENTER && value >= g->tree.subtree_begin[at] &&
           value <= g->tree.subtree_end[at];
}

static void check_link(const struct grown *g, const struct link *link)
{
    int missed = 0, beyond = 0, tried = 0;
    for (int at = 0; at < link->count; at++) {
        int sound = link->entry[at], value[VALUES];
        list_values(g, sound, value);
        for (int v = 0; v < VALUES; v++) {
            if (value[v] == sound || may_pass(g, link, at, value[v]))
                continue;
            link->entry[at] = value[v];
            struct ct_array_error error = error_of(g);
            size_t entries =
                error.array == CT_ARRAY_ROW ? (size_t)g->tree.n : (size_t)g->tree.nodes;
            missed += error.array == CT_NO_ARRAY;
            beyond += error.entry < 1 || error.entry > entries + (error.array == CT_ARRAY_PARENT);
            tried++;
        }
        link->entry[at] = sound;
    }
    check_about("%s, %d damages", link->name, tried);
    CHECK(tried >= link->count);
    CHECK(missed == 0);
    CHECK(beyond == 0);
    CHECK(error_of(g).array == CT_NO_ARRAY);
}

/* Where nothing else can be to blame, the error names the array and the entry. */
static void check_blame(const struct grown *g, const struct link *link)
{
    static const int far_out[] = {-1, INT_MIN, INT_MAX};
    int wrong = 0;
    for (int at = 0; at < link->count; at++)
        for (int v = 0; v < 3; v++) {
            int sound = link->entry[at];
            link->entry[at] = far_out[v];
            struct ct_array_error error = error_of(g);
            wrong += error.array != link->array || error.entry != (size_t)at + 1;
            link->entry[at] = sound;
        }
    check_about("far out entries of %s", link->name);
    CHECK(wrong == 0);
}

static void check_points(const struct grown *g)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    int wrong = 0, size = g->tree.n * g->tree.d;
    for (int at = 0; at < size; at++)
        for (int v = 0; v < 3; v++) {
            double sound = g->arrays.points[at];
            g->arrays.points[at] = bad[v];
            struct ct_array_error error = error_of(g);
            wrong += error.array != CT_ARRAY_POINTS || error.entry != (size_t)at + 1;
            g->arrays.points[at] = sound;
        }
    check_about("points");
    CHECK(wrong == 0);
}

/* Two entries exchanged: each is in range, the two together are not sound. */
static void check_exchanges(const struct grown *g, const struct link *link)
{
    int missed = 0, tried = 0;
    for (int a = 0; a < link->count; a++)
        for (int b = 0; b < a; b++) {
            int x = link->entry[a], y = link->entry[b];
            if (x == y || link->array == CT_ARRAY_ROW || link->array == CT_ARRAY_CENTER)
                continue;
            link->entry[a] = y, link->entry[b] = x;
            missed += error_of(g).array == CT_NO_ARRAY;
            link->entry[a] = x, link->entry[b] = y;
            tried++;
        }
    check_about("%d exchanges in %s", tried, link->name);
    CHECK(missed == 0);
}

/* Any values at all in what ct_validate_arrays does not look at. */
static void scramble(struct grown *g)
{
    static const double wild[] = {NAN, INFINITY, -INFINITY, -1, 0, 1e300, -1e300, 0.5};
    struct ct_tree_arrays *a = &g->arrays;
    for (int node = 0; node < g->tree.nodes; node++) {
        if (random_below(3) == 0)
            a->level[node] = (int)(random_bits() >> 32) / 2;
        if (random_below(3) == 0)
            a->min_row[node] = (int)(random_bits() >> 32) / 2;
        a->radius[node] = wild[random_below(8)];
        a->center[node] = a->subtree_begin[node];
        for (int j = 0; j < g->tree.d; j++)
            if (random_below(2) == 0) {
                a->lower[node + j * g->tree.nodes] = wild[random_below(8)];
                a->upper[node + j * g->tree.nodes] = wild[random_below(8)];
            }
    }
}

static void check_scrambled(struct grown *g, int k)
{
    int n = g->tree.n, *index = keep((size_t)n * k, sizeof *index), strange = 0;
    double *distance = keep((size_t)n * k, sizeof *distance);
    struct ct_batch batch = {.tree = &g->tree,
                             .count = n,
                             .threads = 2,
                             .kernels = ct_kernels(ct_simd_best()),
                             .mode = (enum ct_search_mode)(k % 3)};
    struct ct_validation report;
    grow_tiles(g, 2);
    ct_validate_tree(&host, &g->tree, 2, &report);
    ct_knn(&host, &batch, k, NAN, index, distance);
    host_end_call();
    for (int i = 0; i < n * k; i++)
        strange += index[i] != CT_NO_ROW && (index[i] < 1 || index[i] > n);
    check_about("searching a scrambled tree for %d", k);
    CHECK(strange == 0);
}

/* The tree with its tiles in other memory, of exactly the lengths that ct_tiles_lengths() tells:
 * without wild values, the same tiles; with them, any that a damaged file may have. */
static void move_tiles(struct grown *g, int wild)
{
    static const float value[] = {NAN, INFINITY, -INFINITY, -1, 0, 1e38f, -1e38f, 0.5f};
    const float *from[CT_TILE_FLOATS];
    float *to[CT_TILE_FLOATS];
    size_t length[CT_TILE_FLOATS];
    ct_tiles_floats(g->tree.tiles, from);
    ct_tiles_lengths(&g->tree, length);
    for (int part = 0; part < CT_TILE_FLOATS; part++) {
        to[part] = keep(length[part], sizeof(float));
        memcpy(to[part], from[part], length[part] * sizeof(float));
        for (size_t i = 0; wild && i < length[part]; i++)
            if (random_below(wild) == 0)
                to[part][i] = value[random_below(8)];
    }
    g->tree.tiles = ct_tiles_over(&host, &g->tree, &kept_memory, to);
}

static void check_tiles(const struct cloud *cloud)
{
    struct grown grown = grow(cloud, 20, 1), moved = grown;
    int n = cloud->n, k = 3, *index = keep((size_t)n * k, sizeof *index);
    int *again = keep((size_t)n * k, sizeof *again);
    double *distance = keep((size_t)n * k, sizeof *distance);
    struct ct_batch batch = {
        .tree = &grown.tree, .count = n, .threads = 1, .kernels = ct_kernels(ct_simd_best())};
    ct_knn(&host, &batch, k, NAN, index, distance);
    move_tiles(&moved, 0);
    batch.tree = &moved.tree;
    ct_knn(&host, &batch, k, NAN, again, distance);
    check_about("tiles in other memory");
    CHECK(memcmp(index, again, (size_t)n * k * sizeof *index) == 0);
    for (int round = 0; round < 60; round++) {
        int strange = 0;
        moved = grown;
        move_tiles(&moved, 1 + round % 20);
        batch.mode = (enum ct_search_mode)(round % 3);
        ct_knn(&host, &batch, k, NAN, again, distance);
        host_end_call();
        for (int i = 0; i < n * k; i++)
            strange += again[i] != CT_NO_ROW && (again[i] < 1 || again[i] > n);
        check_about("wild tiles, round %d", round);
        CHECK(strange == 0);
    }
}

int main(void)
{
    struct cloud cloud = cloud_of("uniform", 60, 2);
    struct grown grown = grow(&cloud, 3, 1);
    struct link link[LINKS];
    seen = keep((size_t)cloud.n, 1);
    list_links(&grown, link);
    check_about("a sound tree");
    CHECK(error_of(&grown).array == CT_NO_ARRAY);
    for (int l = 0; l < LINKS; l++) {
        check_link(&grown, &link[l]);
        check_blame(&grown, &link[l]);
        check_exchanges(&grown, &link[l]);
    }
    check_points(&grown);
    for (int round = 0; round < 60; round++) {
        scramble(&grown);
        CHECK(error_of(&grown).array == CT_NO_ARRAY);
        check_scrambled(&grown, 1 + round % 4);
    }
    cloud = cloud_of("normal", 900, 3);
    check_tiles(&cloud);
    return check_done("damaged_arrays");
}
