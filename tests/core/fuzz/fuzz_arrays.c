/* fuzz_arrays.c: a tree's arrays, some or all of whose entries are anything. What
 * ct_validate_arrays lets pass is searched without harm and with rows in range, and what
 * ct_validate_tree lets pass as well finds what the oracle finds; see fuzz.h. */
#include "core/simd/euclid.h"
#include "core/tree/validate.h"
#include "fuzz.h"
#include "host.h"

#include <math.h>

enum { INT_ARRAYS = 9, DOUBLE_ARRAYS = 4 };

struct ints {
    int *entry, count;
};

struct doubles {
    double *entry;
    size_t count;
};

static void list_arrays(struct grown *g, struct ints *ints, struct doubles *doubles)
{
    struct ct_tree_arrays *a = &g->arrays;
    int nodes = g->tree.nodes;
    int *per_node[] = {a->center,        a->parent,      a->first_child, a->next_sibling,
                       a->subtree_begin, a->subtree_end, a->level,       a->min_row};
    ints[0] = (struct ints){g->arrays.row, g->tree.n};
    for (int i = 1; i < INT_ARRAYS; i++)
        ints[i] = (struct ints){per_node[i - 1], nodes};
    doubles[0] = (struct doubles){g->arrays.points, (size_t)g->tree.n * g->tree.d};
    doubles[1] = (struct doubles){a->radius, (size_t)nodes};
    doubles[2] = (struct doubles){a->lower, (size_t)nodes * g->tree.d};
    doubles[3] = (struct doubles){a->upper, (size_t)nodes * g->tree.d};
}

/* Numbers near those that occur, and the ends of the range. */
static int any_int(struct fuzz_input *input)
{
    static const int far_out[] = {INT_MIN, INT_MAX, INT_MIN + 1, INT_MAX - 1, 1 << 20, -(1 << 20)};
    int value = fuzz_int(input, 0, 255);
    return value < 250 ? value - 20 : far_out[value - 250];
}

static double any_double(struct fuzz_input *input)
{
    static const double wild[] = {NAN,    INFINITY, -INFINITY, -0.0,   1e308,
                                  -1e308, 5e-324,   1e152,     -1e152, 0.1};
    int value = fuzz_int(input, 0, 255);
    return value < 246 ? (value - 128) / 4 : wild[value - 246];
}

/* One beyond an end, where a check that is off by one would fail. */
static int telling_int(struct fuzz_input *input, const struct ct_tree *t)
{
    int values[] = {0, 1, t->n, t->n + 1, t->nodes, t->nodes + 1};
    return values[fuzz_int(input, 0, 5)];
}

/* Entries exchanged, moved by one, or replaced. */
static void edit(struct fuzz_input *input, const struct ct_tree *tree, const struct ints *ints,
                 const struct doubles *doubles)
{
    int which = fuzz_int(input, 0, INT_ARRAYS + DOUBLE_ARRAYS - 1);
    int kind = fuzz_int(input, 0, 5), place = fuzz_int(input, 0, 65535);
    if (which >= INT_ARRAYS) {
        const struct doubles *array = &doubles[which - INT_ARRAYS];
        double *entry = &array->entry[(size_t)place % array->count];
        *entry = kind == 0 ? nextafter(*entry, INFINITY) : any_double(input);
        return;
    }
    const struct ints *array = &ints[which];
    int *entry = &array->entry[place % array->count], old = *entry;
    int *other = &array->entry[fuzz_int(input, 0, 65535) % array->count];
    if (kind == 0)
        *entry = *other, *other = old;
    else if (kind == 1)
        *entry = old < INT_MAX ? old + 1 : 0;
    else if (kind == 2)
        *entry = old > INT_MIN ? old - 1 : 0;
    else if (kind == 3)
        *entry = any_int(input);
    else
        *entry = telling_int(input, tree);
}

static void overwrite(struct fuzz_input *input, const struct ints *ints)
{
    for (int i = 1; i < INT_ARRAYS; i++)
        for (int at = 0; at < ints[i].count; at++)
            ints[i].entry[at] = any_int(input);
}

static void expect_error_in_range(const struct ct_tree *t, struct ct_array_error error)
{
    size_t entries = error.array == CT_ARRAY_POINTS ? (size_t)t->n * t->d
                     : error.array == CT_ARRAY_ROW  ? (size_t)t->n
                                                    : (size_t)t->nodes;
    FUZZ_CHECK(error.entry >= 1 && error.entry <= entries + (error.array == CT_ARRAY_PARENT));
}

static void expect_rows_in_range(const struct fuzz_search *search)
{
    size_t size = (size_t)search->batch.count * search->k;
    for (size_t at = 0; at < size; at++)
        FUZZ_CHECK(search->index[at] == CT_NO_ROW ||
                   (search->index[at] >= 1 && search->index[at] <= search->cloud->n));
}

/* The points by row, as the arrays have them now. */
static struct cloud cloud_of_arrays(const struct grown *g)
{
    int n = g->tree.n, d = g->tree.d;
    struct cloud cloud = {"arrays", n, d, keep((size_t)n * d, sizeof(double))};
    for (int pos = 0; pos < n; pos++)
        for (int j = 0; j < d; j++)
            cloud.x[g->arrays.row[pos] - 1 + (size_t)j * n] = g->arrays.points[pos + (size_t)j * n];
    return cloud;
}

/* Squared distances must be finite for answers to be defined; R sees to that. */
static int spans_too_much(const struct cloud *cloud)
{
    for (size_t at = 0; at < (size_t)cloud->n * cloud->d; at++)
        if (fabs(cloud->x[at]) > 1e152)
            return 1;
    return 0;
}

static void search_all(struct fuzz_input *input, struct grown *g)
{
    struct ct_validation report;
    struct cloud cloud = cloud_of_arrays(g);
    struct fuzz_search search = {.cloud = &cloud, .queries = &cloud};
    int broken = spans_too_much(&cloud);
    grow_tiles(g, fuzz_int(input, 1, 2));
    ct_validate_tree(&host, &g->tree, 1, &report);
    for (int i = 0; i < CT_INVARIANTS; i++)
        broken += report.violations[i];
    search.batch =
        (struct ct_batch){.tree = &g->tree, .threads = 1, .kernels = ct_kernels(ct_simd_best())};
    for (int i = 0; i < 6; i++) {
        search.k = 1 + fuzz_int(input, 0, cloud.n);
        search.batch.mode = (enum ct_search_mode)(i % 3);
        search.batch.predecessors = i >= 3;
        search.batch.count = cloud.n;
        fuzz_search_run(&search);
        if (!broken)
            fuzz_expect_exact(&search);
        else
            expect_rows_in_range(&search);
    }
    search.batch.predecessors = 0;
    if (!broken)
        fuzz_expect_radius(&search, fuzz_int(input, 0, 40));
}

void fuzz_arrays(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct ints ints[INT_ARRAYS];
    struct doubles doubles[DOUBLE_ARRAYS];
    int n = fuzz_int(&input, 1, 40), d = fuzz_int(&input, 1, 3);
    int leaf_size = fuzz_int(&input, 1, 20), all = fuzz_int(&input, 0, 15) == 15;
    int edits = fuzz_int(&input, 0, 8);
    struct cloud cloud = fuzz_cloud(&input, n, d);
    struct grown grown = grow(&cloud, leaf_size, 1);
    unsigned char *seen = keep((size_t)n, 1);
    list_arrays(&grown, ints, doubles);
    if (all)
        overwrite(&input, ints);
    for (int i = 0; i < edits; i++)
        edit(&input, &grown.tree, ints, doubles);
    struct ct_array_error error = ct_validate_arrays(&grown.tree, seen);
    if (error.array == CT_NO_ARRAY)
        search_all(&input, &grown);
    else
        expect_error_in_range(&grown.tree, error);
    fuzz_end();
}
