/* metric_build.c: see metric_build.h.
 *
 * Arrays of the build are indexed by position or, where a comment says so, by object (row - 1):
 * the split of a node permutes positions, but never objects. Nodes are split in the order of
 * their numbers, so that they are numbered breadth first.
 */
#include "core/metric_space/metric_build.h"
#include "core/metric_space/pivots.h"
#include "core/tree/level.h"
#include "core/tree/tree.h"

#include <math.h>
#include <string.h>

enum {
    MAX_CENTERS = 48, /* centers at which a split fails that has not reached the next level down */
    MAX_TARGET = 16,  /* centers at which a split may stop, at most */
    LEVEL_DROP = 4    /* levels of descent at which a split stops with fewer centers */
};

/* A node while the tree is built. A level is the length scale of the radius. to_parent, nearest and
 * farthest are distances from the center of the parent: of this center, and of the points. */
struct node {
    int begin, end; /* positions */
    int center;     /* object */
    int parent, first_child, children, level;
    double radius, to_parent, nearest, farthest;
};

/* The state of a build: memory for n objects and a growing list of nodes. */
struct build {
    const struct ct_host *host;
    struct ct_distance_function *f;
    int n, leaf_size;
    struct ct_pivots pivots;
    int *object;      /* [n] object at each position */
    double *distance; /* [n] to the nearest center */
    double *above;    /* [n] to the center of the node that is split */
    int *assigned;    /* [n] child, then new position */
    struct ct_distance_batch asked;
    struct node *node;
    int nodes, capacity;
    int child_center[MAX_CENTERS]; /* objects */
};

/* Appends a node and returns it. The pointer is valid until the next call: the array doubles when
 * it is full. */
static struct node *add_node(struct build *b, struct node node)
{
    if (b->nodes == b->capacity) {
        b->capacity *= 2;
        struct node *larger = b->host->alloc((size_t)b->capacity, sizeof *larger);
        memcpy(larger, b->node, (size_t)b->nodes * sizeof *larger);
        b->node = larger;
    }
    b->node[b->nodes] = node;
    return &b->node[b->nodes++];
}

/* Returns the position of the point that is farthest from its center; ties go to the first. */
static int find_farthest(const struct build *b, const struct node *node)
{
    int far = node->begin;
    for (int pos = node->begin + 1; pos < node->end; pos++)
        if (b->distance[pos] > b->distance[far])
            far = pos;
    return far;
}

/* Moves a point to a child if its center is nearer than the center of the present child; at equal
 * distances, the point stays. */
static void assign(struct build *b, int pos, double distance, int child)
{
    if (distance < b->distance[pos]) {
        b->distance[pos] = distance;
        b->assigned[pos] = child;
    }
}

/* Compares the point at position `center` with the points of the node: points that are nearer to it
 * than to their present center join child h. */
static void assign_to_center(struct build *b, const struct node *node, int center, int h)
{
    struct ct_distance_batch *asked = &b->asked;
    int object = b->object[center], pivot = b->pivots.number[object];
    const double *own = ct_pivots_of(&b->pivots, object);
    for (int pos = node->begin; pos < node->end; pos++) {
        const double *other = ct_pivots_of(&b->pivots, b->object[pos]);
        if (pivot >= 0)
            assign(b, pos, other[pivot], h);
        else if (pos == center)
            assign(b, pos, 0, h);
        else if (ct_pivot_bound(&b->pivots, own, other, b->distance[pos]) < b->distance[pos])
            ct_distance_batch_add(asked, pos, b->object[pos] + 1);
    }
    ct_evaluate(b->f, object + 1, asked->row, asked->size, asked->distance);
    for (int i = 0; i < asked->size; i++)
        assign(b, asked->pos[i], asked->distance[i], h);
    asked->size = 0;
}

/* Number of centers at which a split may stop: enough for half-full leaves. */
static int target_centers(const struct build *b, int points)
{
    int target = 2 * (points / b->leaf_size) + 2;
    return target < MAX_TARGET ? target : MAX_TARGET;
}

/* Farthest-first traversal of a node. Returns the number of centers, or 0 if MAX_CENTERS do not
 * reach the next level down: then all distances are nearly equal. */
static int choose_centers(struct build *b, const struct node *node)
{
    int centers = 1, target = target_centers(b, node->end - node->begin);
    double required = ct_cover_radius(node->level - 1);
    double sufficient = ct_cover_radius(node->level - LEVEL_DROP);
    for (int pos = node->begin; pos < node->end; pos++)
        b->assigned[pos] = 0;
    b->child_center[0] = node->center;
    for (;;) {
        int far = find_farthest(b, node);
        double radius = b->distance[far];
        if (radius <= sufficient || (radius <= required && centers >= target))
            return centers;
        if (centers == MAX_CENTERS)
            return radius <= required ? centers : 0;
        b->child_center[centers] = b->object[far];
        assign_to_center(b, node, far, centers);
        centers++;
        b->host->poll();
    }
}

/* Adds the children in the order of their first points, and moves the points into their runs. The
 * points of a child keep their order. */
static void make_children(struct build *b, int parent, int centers)
{
    struct node node = b->node[parent];
    int size[MAX_CENTERS] = {0}, next[MAX_CENTERS], number[MAX_CENTERS], ranked = 0;
    for (int pos = node.begin; pos < node.end; pos++)
        if (size[b->assigned[pos]]++ == 0)
            number[ranked++] = b->assigned[pos];
    b->node[parent].first_child = b->nodes;
    b->node[parent].children = centers;
    for (int r = 0, begin = node.begin; r < centers; r++) {
        int h = number[r];
        next[h] = begin;
        add_node(b, (struct node){.begin = begin,
                                  .end = begin + size[h],
                                  .center = b->child_center[h],
                                  .parent = parent,
                                  .first_child = -1});
        begin += size[h];
    }
    int *place = b->asked.pos, *object = b->asked.row, count = node.end - node.begin;
    double *distance = b->asked.distance;
    for (int pos = node.begin; pos < node.end; pos++) {
        place[pos - node.begin] = next[b->assigned[pos]]++;
        object[pos - node.begin] = b->object[pos];
        distance[pos - node.begin] = b->distance[pos];
    }
    for (int i = 0; i < count; i++) {
        b->object[place[i]] = object[i];
        b->distance[place[i]] = distance[i];
    }
    memcpy(distance, b->above + node.begin, (size_t)count * sizeof *distance);
    for (int i = 0; i < count; i++)
        b->above[place[i]] = distance[i];
}

/* Sets the distances of a child's points to the center of the parent. */
static void measure_child(const struct build *b, struct node *child)
{
    child->nearest = INFINITY;
    for (int pos = child->begin; pos < child->end; pos++) {
        double distance = b->above[pos];
        if (b->object[pos] == child->center)
            child->to_parent = distance;
        if (distance < child->nearest)
            child->nearest = distance;
        if (distance > child->farthest)
            child->farthest = distance;
    }
}

/* Sets radius and level of a node, and splits the node unless it is small, its points coincide, or
 * all distances are nearly equal. On entry, the distances of the points are distances to the center
 * of the node; afterwards, to the centers of its children. */
static void split_node(struct build *b, int number)
{
    struct node node = b->node[number];
    size_t count = (size_t)(node.end - node.begin);
    node.radius = b->distance[find_farthest(b, &node)];
    node.level = ct_cover_level(node.radius);
    b->node[number] = node;
    if ((int)count <= b->leaf_size || node.level == CT_NO_LEVEL)
        return;
    memcpy(b->above + node.begin, b->distance + node.begin, count * sizeof *b->above);
    int centers = choose_centers(b, &node);
    if (centers == 0) {
        memcpy(b->distance + node.begin, b->above + node.begin, count * sizeof *b->above);
        return;
    }
    make_children(b, number, centers);
    for (int child = b->node[number].first_child; child < b->nodes; child++)
        measure_child(b, &b->node[child]);
}

/* Writes the ranges of the distances to the pivots of a node's points, lower and upper [pivots].
 * O(pivots) for each point; O(pivots n) for each level of the tree. */
static void measure_pivots(const struct build *b, const struct node *node, double *lower,
                           double *upper)
{
    for (int j = 0; j < b->pivots.count; j++) {
        lower[j] = INFINITY;
        upper[j] = 0;
    }
    for (int pos = node->begin; pos < node->end; pos++) {
        const double *x = ct_pivots_of(&b->pivots, b->object[pos]);
        for (int j = 0; j < b->pivots.count; j++) {
            lower[j] = x[j] < lower[j] ? x[j] : lower[j];
            upper[j] = x[j] > upper[j] ? x[j] : upper[j];
        }
    }
}

/* Returns the smallest object (row - 1) of a node. O(points of the node). */
static int smallest_object(const struct build *b, const struct node *node)
{
    int least = b->n;
    for (int pos = node->begin; pos < node->end; pos++)
        least = b->object[pos] < least ? b->object[pos] : least;
    return least;
}

/* The arrays of a tree while they are filled. */
#define WRITABLE(name, type, shape) type *name;
struct arrays {
    CT_METRIC_ARRAYS(WRITABLE)
};

/* Fills the arrays of points, and pos_of [n], the position of each object. Rows of the distances to
 * pivots lose their padding: [stride x n] by object becomes [pivots x n] by position. */
static void store_points(const struct build *b, struct arrays *a, int *pos_of)
{
    size_t count = (size_t)b->pivots.count;
    for (int pos = 0; pos < b->n; pos++) {
        int object = b->object[pos];
        pos_of[object] = pos;
        a->row[pos] = object + 1;
        a->to_center[pos] = b->distance[pos];
        memcpy(a->pivot_distance + (size_t)pos * count, ct_pivots_of(&b->pivots, object),
               count * sizeof(double));
    }
    for (int j = 0; j < b->pivots.count; j++)
        a->pivot[j] = pos_of[b->pivots.object[j]] + 1;
}

/* Fills the arrays of nodes, with numbers from 1. Siblings have consecutive numbers. */
static void store_nodes(const struct build *b, struct arrays *a, const int *pos_of)
{
    size_t pivots = (size_t)b->pivots.count;
    for (int i = 0; i < b->nodes; i++) {
        const struct node *node = &b->node[i], *parent = i > 0 ? &b->node[node->parent] : NULL;
        int last = parent ? parent->first_child + parent->children - 1 : i;
        a->center[i] = pos_of[node->center] + 1;
        a->parent[i] = node->parent + 1;
        a->first_child[i] = node->first_child + 1;
        a->next_sibling[i] = i < last ? i + 2 : 0;
        a->subtree_begin[i] = node->begin + 1;
        a->subtree_end[i] = node->end;
        a->level[i] = node->level;
        a->min_row[i] = smallest_object(b, node) + 1;
        a->radius[i] = node->radius;
        a->to_parent[i] = node->to_parent;
        a->nearest[i] = node->nearest;
        a->farthest[i] = node->farthest;
        measure_pivots(b, node, a->lower + (size_t)i * pivots, a->upper + (size_t)i * pivots);
    }
}

/* Returns the tree of a finished build, with arrays from the host. */
static struct ct_metric_tree store_tree(const struct build *b)
{
    struct ct_metric_tree t = {.n = b->n, .nodes = b->nodes, .pivots = b->pivots.count};
    struct arrays a;
#define ALLOC(name, type, shape)                                                                   \
    t.name = a.name = b->host->alloc(ct_metric_length(&t, shape), sizeof(type));
    CT_METRIC_ARRAYS(ALLOC)
    int *pos_of = b->host->alloc((size_t)b->n, sizeof *pos_of);
    store_points(b, &a, pos_of);
    store_nodes(b, &a, pos_of);
    return t;
}

/* Returns a build without nodes: scratch of 40 bytes for each object. */
static struct build begin_build(const struct ct_host *host, struct ct_distance_function *f, int n,
                                int leaf_size)
{
    size_t count = (size_t)n;
    struct build b = {
        .host = host,
        .f = f,
        .n = n,
        .leaf_size = leaf_size,
        .object = host->alloc(count, sizeof *b.object),
        .distance = host->alloc(count, sizeof *b.distance),
        .above = host->alloc(count, sizeof *b.above),
        .assigned = host->alloc(count, sizeof *b.assigned),
        .asked = ct_distance_batch_new(host, n),
        .capacity = 64,
        .node = host->alloc(64, sizeof *b.node),
    };
    return b;
}

struct ct_metric_tree ct_metric_build(const struct ct_host *host, struct ct_distance_function *f,
                                      int n, int leaf_size, int pivots)
{
    struct build b = begin_build(host, f, n, leaf_size);
    b.pivots = ct_choose_pivots(host, f, n, pivots);
    double most = 0;
    for (int pos = 0; pos < n; pos++) {
        b.object[pos] = pos;
        b.distance[pos] = ct_pivots_of(&b.pivots, pos)[0];
        most = b.distance[pos] > most ? b.distance[pos] : most;
    }
    /* No distance exceeds twice the radius of the root. */
    b.pivots.margin = 8 * most * b.pivots.tolerance;
    add_node(&b, (struct node){.end = n, .parent = -1, .first_child = -1});
    for (int i = 0; i < b.nodes; i++)
        split_node(&b, i);
    struct ct_metric_tree t = store_tree(&b);
    ct_check_pivots(&t, f);
    return t;
}
