/* build.c: builds the tree from the top down.
 *
 * Nodes are split in rounds as long as they are large: very large nodes one after the other, each
 * by all threads; other nodes by one thread each. The remaining nodes are roots of independent
 * branches, shared by threads; all branches take new nodes from the same list. In the end the nodes
 * are numbered breadth first. Every choice depends on distances and positions only, never on the
 * timing of threads: the tree is the same for any number of threads.
 *
 * The list of nodes cannot grow inside a parallel region, where the host may not be asked for
 * memory. A branch stops before a split whose children may have no room; the calling thread then
 * enlarges the list and starts another region.
 */
#include "core/tree/build.h"
#include "core/order/gather.h"
#include "core/order/hilbert.h"
#include "core/tree/farthest_first.h"
#include "core/tree/split.h"
#include "core/tree/tiles.h"
#include "core/util/parallel.h"
#include "core/util/parallel_for.h"
#include "core/util/radix_sort.h"

#include <limits.h>
#include <math.h>

enum {
    BRANCHES = 8,           /* branches per thread, about: enough to balance the load */
    LARGE_NODE = 1 << 18,   /* coordinates of points; a larger node is split before the branches */
    SHARED_NODE = 1 << 22,  /* coordinates of points; a larger node is split by all threads */
    LOCAL_POINTS = 1 << 14, /* of a node that moves through a thread's memory, at most, and */
    LEAST_LOCAL_POINTS = 1 << 12, /* at least: larger nodes have room for the boxes of chunks */
    LOW_DIMENSION = 3 /* up to which a split has few centers, so it takes one thread a short time */
};

/* Bytes of scratch for each point: for the pairs of a sort; then for sqdist, buffer and assigned.
 */
enum { SCRATCH_BYTES = sizeof(struct ct_key_id) };

static const double NODES_SHARE = 0.9; /* of the time of a build; the rest is to store them */

/* Appends the children of a node that this thread has just split. Returns the number of the first
 * child. Needs room. Several threads append at once. */
static int append_children(const struct ct_build_state *state, int number)
{
    struct ct_node_list *nodes = state->nodes;
    struct ct_build_node *parent = &nodes->node[number];
    const struct ct_split_child *child = ct_split_children(state);
    int children = parent->children, begin = parent->begin, first;
    CT_PRAGMA(omp atomic capture)
    {
        first = nodes->count;
        nodes->count += children;
    }
    parent->first_child = first;
    for (int r = 0; r < children; r++) {
        const struct ct_split_child *of = &child[child[r].ranked];
        if (child[r].ranked == 0)
            parent->nested_child = first + r;
        nodes->node[first + r] = (struct ct_build_node){
            .begin = begin, .end = of->end, .center = of->center, .parent = number};
        begin = of->end;
    }
    return first;
}

/* Whether the list has room for the children of the nodes that all threads split at a time. */
static int has_room(const struct ct_build_state *state)
{
    int count;
    CT_PRAGMA(omp atomic read)
    count = state->nodes->count;
    return state->nodes->capacity - count >= (long long)state->threads * state->max_children;
}

/* Splits the nodes of a branch, depth first, while the list of nodes has room. The nodes of
 * the branch that wait are linked by `first_child`, a field that only nodes with children
 * need otherwise. */
static void split_branch(void *data, int branch, int thread)
{
    const struct ct_build_state *state = data;
    int *pending = &state->pending[branch];
    while (*pending >= 0 && has_room(state)) {
        struct ct_build_node *node = &state->nodes->node[*pending];
        int next = node->first_child;
        ct_split_node(state, node);
        int first = node->children > 0 ? append_children(state, *pending) : 0;
        for (int c = first; c < first + node->children; c++) {
            state->nodes->node[c].first_child = next;
            next = c;
        }
        *pending = next;
    }
    (void)thread;
}

/* The nodes of a round that one thread each splits. */
struct round {
    const struct ct_build_state *state;
    int *node; /* [nodes] numbers */
};

/* Splits a node and appends its children. */
static void split_and_append(const struct ct_build_state *state, int number)
{
    struct ct_build_node *node = &state->nodes->node[number];
    ct_split_node(state, node);
    if (node->children > 0)
        append_children(state, number);
}

static void split_node_of_round(void *data, int block, int thread)
{
    const struct round *round = data;
    split_and_append(round->state, round->node[block]);
    (void)thread;
}

static int is_larger(const struct ct_build_node *node, long long points)
{
    return node->end - node->begin > points;
}

/* Makes room for the children of the nodes first..last - 1 that have more than `large` points. */
static void reserve_for_round(const struct ct_build_state *state, int first, int last,
                              long long large)
{
    struct ct_node_list *nodes = state->nodes;
    long long children = 0;
    for (int i = first; i < last; i++)
        if (is_larger(&nodes->node[i], large))
            children += ct_max_centers(nodes->node[i].end - nodes->node[i].begin);
    ct_node_list_reserve(state->host, nodes, children < INT_MAX ? (int)children : INT_MAX);
}

/* Splits the nodes first..last - 1 that have more than `large` points. */
static void split_round(struct ct_build_state *state, int first, int last, long long large)
{
    struct ct_node_list *nodes = state->nodes;
    struct round round = {state, state->host->alloc((size_t)(last - first), sizeof *round.node)};
    long long shared = state->d <= LOW_DIMENSION ? SHARED_NODE / state->d : 0;
    int count = 0;
    reserve_for_round(state, first, last, large);
    state->shared = 1;
    for (int i = first; i < last; i++) {
        if (is_larger(&nodes->node[i], large) && is_larger(&nodes->node[i], shared))
            split_and_append(state, i);
        else if (is_larger(&nodes->node[i], large))
            round.node[count++] = i;
    }
    state->shared = 0;
    ct_parallel_for(state->host, count, state->threads, split_node_of_round, &round);
}

/* The number of points above which a node is split before the branches. */
static long long large_size(const struct ct_build_state *state)
{
    long long large = state->n / (BRANCHES * (long long)state->threads);
    return large * state->d < LARGE_NODE ? large : LARGE_NODE / state->d;
}

/* Splits the large nodes. Returns the number of branches, and lists their roots in state->pending.
 * Reports shares of `work` to the host: a split of s points into c children counts as s log(c). */
static int split_large_nodes(struct ct_build_state *state, const struct ct_host *host, double work)
{
    struct ct_node_list *nodes = state->nodes;
    long long large = large_size(state);
    int branches = 0;
    double done = 0;
    for (int first = 0, last = nodes->count; first < last; first = last, last = nodes->count) {
        split_round(state, first, last, large);
        for (int i = first; i < last; i++) {
            branches += !is_larger(&nodes->node[i], large);
            if (nodes->node[i].children == 0)
                continue;
            done +=
                (double)(nodes->node[i].end - nodes->node[i].begin) * log(nodes->node[i].children);
            ct_report(host, done < work ? done / work : 1);
        }
    }
    state->pending = state->host->alloc((size_t)branches, sizeof *state->pending);
    for (int i = 0, branch = 0; i < nodes->count; i++) {
        if (is_larger(&nodes->node[i], large))
            continue;
        nodes->node[i].first_child = -1;
        state->pending[branch++] = i;
    }
    return branches;
}

/* Whether a branch has stopped for lack of room. */
static int has_pending_branch(const struct ct_build_state *state, int branches)
{
    for (int branch = 0; branch < branches; branch++)
        if (state->pending[branch] >= 0)
            return 1;
    return 0;
}

/* Returns the nodes numbered breadth first, in the scratch [n x SCRATCH_BYTES] if they fit. The
 * splits of descendants move the points of a node, so the position of a center is right in the
 * leaves only: from the last node to the first, a node with children takes the center of the nested
 * child. */
static struct ct_node_list *number_breadth_first(const struct ct_build_state *state, char *scratch)
{
    int count = state->nodes->count;
    int fits = (size_t)count * sizeof *state->nodes->node <= (size_t)state->n * SCRATCH_BYTES;
    struct ct_node_list *nodes = ct_node_list_new(state->host, fits ? 0 : count);
    if (fits)
        nodes->node = (struct ct_build_node *)(void *)scratch;
    nodes->capacity = count;
    nodes->node[nodes->count++] = state->nodes->node[0];
    for (int i = 0; i < nodes->count; i++) {
        struct ct_build_node *node = &nodes->node[i];
        const struct ct_build_node *child = state->nodes->node + node->first_child;
        if (node->children == 0)
            continue;
        node->nested_child += nodes->count - node->first_child;
        node->first_child = nodes->count;
        for (int c = 0; c < node->children; c++) {
            nodes->node[nodes->count] = child[c];
            nodes->node[nodes->count++].parent = i;
        }
    }
    for (int i = nodes->count - 1; i >= 0; i--)
        if (nodes->node[i].children > 0)
            nodes->node[i].center = nodes->node[nodes->node[i].nested_child].center;
    return nodes;
}

/* Capacity for nodes that mostly suffices: three nodes for each half-full leaf, and the room that
 * the last splits need. */
static int guess_capacity(int n, int leaf_size, int room)
{
    long long most = 2LL * n, size = 6LL * (n / leaf_size) + 64;
    size = (size < most ? size : most) + room;
    return size < INT_MAX ? (int)size : INT_MAX;
}

/* Points of the largest node that moves through the memory of its thread. */
static int local_points(int n, int threads)
{
    int points = n / threads < LOCAL_POINTS ? n / threads : LOCAL_POINTS;
    points = points > LEAST_LOCAL_POINTS ? points : LEAST_LOCAL_POINTS;
    return points < n ? points : n;
}

/* Returns the state of a build without nodes. scratch: [n x SCRATCH_BYTES], aligned for doubles. */
static struct ct_build_state begin_build(const struct ct_host *host,
                                         const struct ct_build_options *options,
                                         const struct ct_tree_arrays *arrays, char *scratch)
{
    size_t n = (size_t)arrays->n, threads = (size_t)options->threads;
    int local = local_points(arrays->n, options->threads), children = ct_max_centers(arrays->n);
    return (struct ct_build_state){
        .host = host,
        .kernels = options->kernels,
        .points = arrays->points,
        .row = arrays->row,
        .n = arrays->n,
        .d = arrays->d,
        .leaf_size = options->leaf_size,
        .threads = options->threads,
        .sqdist = (double *)scratch,
        .buffer = (uint32_t *)(scratch + n * sizeof(double)),
        .assigned = (int *)(scratch + n * (sizeof(double) + sizeof(uint32_t))),
        .local = host->alloc(threads * local, sizeof(double)),
        .local_points = local,
        .child = host->alloc(threads * children, sizeof(struct ct_split_child)),
        .max_children = children,
        .center_coords = host->alloc(threads * children * arrays->d, sizeof(double)),
        .nodes = ct_node_list_new(
            host, guess_capacity(arrays->n, options->leaf_size, options->threads * children)),
    };
}

/* Returns all nodes of the tree. Moves points and rows into tree order. */
static struct ct_node_list *build_nodes(const struct ct_host *host,
                                        const struct ct_build_options *options,
                                        const struct ct_tree_arrays *arrays, char *scratch)
{
    struct ct_host silent = *host; /* for the loops within a split */
    silent.progress = NULL;
    struct ct_build_state state = begin_build(&silent, options, arrays, scratch);
    double large = (double)large_size(&state), leaf = options->leaf_size, n = arrays->n;
    double share = large > leaf && n > large ? log(n / large) / log(n / leaf) : 1;
    struct ct_host first = ct_host_part(host, 0, share), rest = ct_host_part(host, share, 1);
    state.shared = 1;
    ct_build_root(&state, &state.nodes->node[state.nodes->count++]);
    int branches = split_large_nodes(&state, &first, n * log(n / (large > leaf ? large : leaf)));
    while (has_pending_branch(&state, branches)) {
        ct_node_list_reserve(host, state.nodes, options->threads * state.max_children);
        ct_parallel_for(&rest, branches, options->threads, split_branch, &state);
    }
    return number_breadth_first(&state, scratch);
}

struct ct_tree ct_tree_of_arrays(const struct ct_tree_arrays *arrays)
{
    struct ct_tree tree = {.n = arrays->n, .d = arrays->d, .nodes = arrays->nodes};
#define SHARE_ARRAY(NAME, name, type, shape) tree.name = arrays->name;
    CT_TREE_ARRAYS(SHARE_ARRAY)
    return tree;
}

/* Allocates the arrays of the nodes; the caller of the build provides points and row. */
static void alloc_node_arrays(const struct ct_host *host, const struct ct_memory *memory,
                              struct ct_tree_arrays *arrays)
{
#define ALLOC_ARRAY(NAME, name, type, shape)                                                       \
    if (shape == CT_SHAPE_NODES || shape == CT_SHAPE_NODES_D)                                      \
        arrays->name = ct_memory_alloc(                                                            \
            host, memory, CT_ARRAY_##NAME,                                                         \
            ct_array_length(CT_ARRAY_##NAME, arrays->n, arrays->d, arrays->nodes), sizeof(type));
    CT_TREE_ARRAYS(ALLOC_ARRAY)
}

/* Builds the arrays of the nodes. scratch: as in begin_build(). */
static void build_arrays(const struct ct_host *host, const struct ct_build_options *options,
                         struct ct_tree_arrays *arrays, char *scratch)
{
    struct ct_host part = ct_host_part(host, 0, NODES_SHARE);
    const struct ct_node_list *nodes = build_nodes(&part, options, arrays, scratch);
    arrays->nodes = nodes->count;
    alloc_node_arrays(host, options->memory, arrays);
    part = ct_host_part(host, NODES_SHARE, (1 + NODES_SHARE) / 2);
    ct_node_list_store(&part, nodes, arrays, options->threads);
}

/* Returns the tree over the arrays, with tiles. */
static struct ct_tree build_tiles(const struct ct_host *host,
                                  const struct ct_build_options *options,
                                  const struct ct_tree_arrays *arrays)
{
    struct ct_host part = ct_host_part(host, (1 + NODES_SHARE) / 2, 1);
    struct ct_tree tree = ct_tree_of_arrays(arrays);
    tree.tiles = ct_tiles_build(&part, &tree, options->memory, options->threads);
    return tree;
}

/* Copies the points x and their rows in the order of the build. The sort takes the memory of the
 * points and the scratch, and its order the memory of the rows. */
static void copy_points(const struct ct_host *host, const double *x, int hilbert, int threads,
                        struct ct_tree_arrays *arrays, char *scratch)
{
    int n = arrays->n, d = arrays->d, *order = arrays->row;
    size_t bytes = (size_t)d * sizeof *arrays->points;
    bytes = bytes < SCRATCH_BYTES ? bytes : SCRATCH_BYTES;
    if (hilbert)
        ct_hilbert_order_in(host, x, n, d, threads, bytes, arrays->points, scratch, order);
    for (int i = 0; !hilbert && i < n; i++)
        order[i] = i;
    ct_gather_points(host, x, n, d, order, threads, arrays->points, arrays->row);
}

/* Builds the tree of the points x, or, without x, of the points in `arrays`. */
static struct ct_tree build(const struct ct_host *host, const struct ct_build_options *options,
                            const double *x, int hilbert, struct ct_tree_arrays *arrays)
{
    struct ct_host silent = *host;
    void *mark = host->mark ? host->mark() : NULL;
    char *scratch = host->alloc((size_t)arrays->n, SCRATCH_BYTES);
    silent.progress = NULL;
    if (x)
        copy_points(&silent, x, hilbert, options->threads, arrays, scratch);
    build_arrays(host, options, arrays, scratch);
    if (options->memory && host->release)
        host->release(mark);
    return build_tiles(host, options, arrays);
}

struct ct_tree ct_tree_build(const struct ct_host *host, const struct ct_build_options *options,
                             struct ct_tree_arrays *arrays)
{
    return build(host, options, NULL, 0, arrays);
}

struct ct_tree ct_tree_build_from(const struct ct_host *host,
                                  const struct ct_build_options *options, const double *x,
                                  int hilbert, struct ct_tree_arrays *arrays)
{
    return build(host, options, x, hilbert, arrays);
}
