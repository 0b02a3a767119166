/* traverse.c: a block goes down the tree, and meets what is left.
 *
 * The level cache: nodes that may hold something for the block, one level at a
 * time. Nodes that are small enough become candidates: their tiles are listed once
 * for the whole block, or each query picks among their boxes, laid side by side.
 */
#include "core/metric/euclidean.h"
#include "core/search/block_search.h"

#include <limits.h>
#include <math.h>

enum {
    SPAN = 32,   /* nodes of at most so many tiles are not descended any further */
    FEW = 16,    /* shorter lists are ordered in full */
    BUCKETS = 32 /* longer ones roughly, into so many */
};

static void bound_block(struct ct_search *s)
{
    int d = s->tree->d;
    for (int j = 0; j < d; j++) {
        double lower = INFINITY, upper = -INFINITY;
        float placed_lower = INFINITY, placed_upper = -INFINITY;
        for (int a = 0; a < s->actives; a++) {
            double x = s->q[(size_t)s->active[a] * d + j];
            float p = s->placed[(size_t)s->active[a] * d + j];
            lower = x < lower ? x : lower;
            upper = x > upper ? x : upper;
            placed_lower = p < placed_lower ? p : placed_lower;
            placed_upper = p > placed_upper ? p : placed_upper;
        }
        s->lower[j] = lower;
        s->upper[j] = upper;
        s->placed_lower[j] = placed_lower;
        s->placed_upper[j] = placed_upper;
    }
}

/* The bar that no query's bar comes after. */
static struct ct_neighbor widest_bar(const struct ct_search *s)
{
    struct ct_neighbor widest = {0, 0};
    for (int a = 0; a < s->actives; a++) {
        struct ct_neighbor bar = s->bar[s->active[a]];
        widest.sq = bar.sq > widest.sq ? bar.sq : widest.sq;
        widest.row = bar.row > widest.row ? bar.row : widest.row;
    }
    return widest;
}

/* Among coinciding points rows decide, which floats cannot tell: for a box of
 * queries, or one, a node of them is out if it is at the bar and its smallest row
 * comes after the bar's. */
static int tied_out(const struct ct_tree *t, int node, const double *lower, const double *upper,
                    struct ct_neighbor bar)
{
    if (bar.row == INT_MAX || t->level[node] != CT_NO_LEVEL || t->min_row[node] <= bar.row)
        return 0;
    return ct_box_sqdist(t->lower + node, t->upper + node, (size_t)t->nodes, lower, upper, t->d) >=
           bar.sq;
}

/* Whether a node is a run of more coinciding points than a leaf may have. */
static int in_heap(const struct ct_tree *t, int node)
{
    int parent = t->parent[node] - 1;
    return t->level[node] == CT_NO_LEVEL && parent >= 0 && t->level[parent] == CT_NO_LEVEL;
}

/* Appends boxes from first up to last that pass the block's box. */
static void pass_boxes(struct ct_search *s, const struct ct_boxes *boxes, int first, int last,
                       float limit, struct ct_list *list)
{
    int *number = list->number + list->count;
    int passed = s->kernels->boxes_within(boxes->lower + first, boxes->upper + first, boxes->stride,
                                          s->tree->d, last - first, s->placed_lower,
                                          s->placed_upper, limit, number, list->sq + list->count);
    for (int i = 0; i < passed; i++)
        number[i] += first;
    list->count += passed;
}

static void append(struct ct_list *list, int number, float sq)
{
    list->number[list->count] = number;
    list->sq[list->count++] = sq;
}

/* From the root down, level by level, to the nodes left for the block. */
static void descend(struct ct_search *s, float limit)
{
    const struct ct_tree *t = s->tree;
    const struct ct_tiles *tiles = t->tiles;
    struct ct_neighbor bar = widest_bar(s);
    s->candidates.count = s->level.count = s->heaps = 0;
    append(&s->level, 0, 0);
    while (s->level.count > 0) {
        s->next_level.count = 0;
        for (int i = 0; i < s->level.count; i++) {
            int node = s->level.number[i];
            if (t->min_row[node] > s->latest_row || tied_out(t, node, s->lower, s->upper, bar))
                continue;
            if (t->first_child[node] == 0 ||
                tiles->end_tile[node] - tiles->first_tile[node] <= SPAN) {
                s->heaps += in_heap(t, node);
                append(&s->candidates, node, s->level.sq[i]);
                continue;
            }
            int child = ct_first_child(t, node), last = child + ct_count_children(t, node);
            s->tally.nodes += last - child;
            pass_boxes(s, &tiles->node, child, last, limit, &s->next_level);
        }
        struct ct_list swap = s->level;
        s->level = s->next_level;
        s->next_level = swap;
    }
}

static void insert_each(const struct ct_list *from, struct ct_list *to)
{
    for (int i = 0; i < from->count; i++) {
        int at = i;
        for (; at > 0 && to->sq[at - 1] > from->sq[i]; at--) {
            to->sq[at] = to->sq[at - 1];
            to->number[at] = to->number[at - 1];
        }
        to->sq[at] = from->sq[i];
        to->number[at] = from->number[i];
    }
}

static int bucket_of(float sq, float limit)
{
    float share = limit > 0 && limit < INFINITY ? sq / limit : 0;
    return share < 1 ? (int)(share * BUCKETS) : BUCKETS - 1;
}

/* Nearer ones first, roughly if there are many, so that bars fall early. */
static void sort_list(const struct ct_list *from, float limit, struct ct_list *to)
{
    to->count = from->count;
    if (from->count <= FEW) {
        insert_each(from, to);
        return;
    }
    int start[BUCKETS + 1] = {0};
    for (int i = 0; i < from->count; i++)
        start[bucket_of(from->sq[i], limit) + 1]++;
    for (int b = 0; b < BUCKETS; b++)
        start[b + 1] += start[b];
    for (int i = 0; i < from->count; i++) {
        int place = start[bucket_of(from->sq[i], limit)]++;
        to->number[place] = from->number[i];
        to->sq[place] = from->sq[i];
    }
}

static void gather_boxes(struct ct_search *s, const int *node, int count)
{
    const struct ct_boxes *boxes = &s->tree->tiles->node;
    for (int j = 0; j < s->tree->d; j++) {
        const float *lower = boxes->lower + j * boxes->stride;
        const float *upper = boxes->upper + j * boxes->stride;
        for (int c = 0; c < count; c++) {
            s->chunk.lower[j * s->chunk.stride + c] = lower[node[c]];
            s->chunk.upper[j * s->chunk.stride + c] = upper[node[c]];
        }
    }
}

/* Boxes, count of them from first on, that pass query i. */
static void pick(struct ct_search *s, int i, const struct ct_boxes *boxes, int first, int count,
                 struct ct_list *list)
{
    const float *q = s->placed + (size_t)i * s->tree->d;
    list->count =
        s->kernels->boxes_within(boxes->lower + first, boxes->upper + first, boxes->stride,
                                 s->tree->d, count, q, q, s->box_limit[i], list->number, list->sq);
}

static void meet_node(struct ct_search *s, int i, int node, struct ct_span evaluated)
{
    const struct ct_tiles *tiles = s->tree->tiles;
    int first = tiles->first_tile[node], count = tiles->end_tile[node] - first;
    pick(s, i, &tiles->tile, first, count, &s->evaluated);
    s->tally.boxes += count;
    for (int p = 0; p < s->evaluated.count; p++) {
        int tile = first + s->evaluated.number[p];
        if (s->evaluated.sq[p] > s->box_limit[i] ||
            (tile >= evaluated.first && tile < evaluated.last))
            continue;
        if (ct_search_meet(s, i, tile))
            s->full(s, i);
    }
}

static void meet_candidates(struct ct_search *s, struct ct_span evaluated)
{
    const struct ct_tree *t = s->tree;
    for (int at = 0; at < s->candidates.count; at += CT_AT_HAND) {
        const int *node = s->sorted.number + at;
        int count = s->candidates.count - at < CT_AT_HAND ? s->candidates.count - at : CT_AT_HAND;
        gather_boxes(s, node, count);
        for (int a = 0; a < s->actives; a++) {
            int i = s->active[a];
            const double *q = s->q + (size_t)i * t->d;
            pick(s, i, &s->chunk, 0, count, &s->picked);
            sort_list(&s->picked, s->box_limit[i], &s->ordered);
            for (int p = 0; p < s->ordered.count; p++) {
                int its = node[s->ordered.number[p]];
                if (s->ordered.sq[p] <= s->box_limit[i] && !tied_out(t, its, q, q, s->bar[i]))
                    meet_node(s, i, its, evaluated);
            }
        }
    }
}

/* The tiles of the candidates that pass the block's box, nearer ones first. */
static void list_common(struct ct_search *s, float limit)
{
    const struct ct_tiles *tiles = s->tree->tiles;
    s->common.count = 0;
    for (int c = 0; c < s->candidates.count; c++) {
        int node = s->candidates.number[c];
        pass_boxes(s, &tiles->tile, tiles->first_tile[node], tiles->end_tile[node], limit,
                   &s->common);
    }
    sort_list(&s->common, limit, &s->queue);
}

/* Whether teams of the block should meet the tiles that it has in common: if that
 * is cheaper than letting each query pick, as in few dimensions it is. Where it has
 * not been for long, it is only looked at now and then; where it is, the other way
 * is tried as often, to know what it costs. Of a heap of coinciding points, each query
 * should leave what its own bar excludes. */
static int go_together(struct ct_search *s, float limit)
{
    if (s->actives == 1 || s->heaps > 0)
        return 0;
    int trial = ++s->since_trial > CT_TRIAL;
    if (trial)
        s->since_trial = 0;
    if (trial == (s->favour > -CT_FAVOUR))
        return 0;
    list_common(s, limit);
    int together = s->queue.count * ct_cost_in_team(s->tree->d) < s->alone;
    s->favour += together ? 1 : -1;
    s->favour = s->favour > CT_FAVOUR ? CT_FAVOUR : s->favour;
    return together;
}

/* From the root down, for the active queries. */
static void come_down(struct ct_search *s, float limit)
{
    int size = 0;
    while (1 << size < s->actives)
        size++;
    s->latest_row = 0;
    for (int a = 0; a < s->actives; a++) {
        int its = s->latest[s->active[a]];
        s->latest_row = its > s->latest_row ? its : s->latest_row;
    }
    bound_block(s);
    descend(s, limit);
    s->tally.blocks[size]++;
    s->tally.candidates += s->candidates.count;
    s->tally.cached += (long long)s->candidates.count * (s->actives - 1);
}

void ct_search_list(struct ct_search *s)
{
    float limit = ct_search_limit(s);
    come_down(s, limit);
    list_common(s, limit);
}

void ct_search_descend(struct ct_search *s, struct ct_span evaluated)
{
    float limit = ct_search_limit(s);
    come_down(s, limit);
    s->teamed = go_together(s, limit);
    if (!s->teamed)
        sort_list(&s->candidates, limit, &s->sorted);
    ct_search_clock(s, CT_PHASE_DESCENT);
    if (s->teamed)
        ct_search_queue(s, evaluated);
    else
        meet_candidates(s, evaluated);
    ct_search_clock(s, CT_PHASE_SCAN);
}
