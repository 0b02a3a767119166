/* nearby_tiles.c: see nearby_tiles.h. */
#include "core/search/nearby_tiles.h"

#include <math.h>

int ct_list_cells(const struct ct_tree *t, int *cell)
{
    int count = 0;
    for (int tile = 0; tile < t->tiles->count; tile++)
        cell[tile] = -1;
    for (int node = 0; node < t->nodes; node++) {
        int parent = t->parent[node] - 1;
        int small = ct_count_tiles(t->tiles, node) <= CT_CELL_TILES || t->first_child[node] == 0;
        if (small && (parent < 0 || ct_count_tiles(t->tiles, parent) > CT_CELL_TILES))
            cell[t->tiles->first_tile[node]] = node;
    }
    for (int tile = 0; tile < t->tiles->count; tile++)
        if (cell[tile] >= 0)
            cell[count++] = cell[tile];
    return count;
}

static struct ct_nearby_tiles new_list(const struct ct_host *host, const struct ct_tree *t)
{
    size_t stride = CT_NEARBY_MAX + CT_LANES, d = (size_t)t->d;
    return (struct ct_nearby_tiles){
        .lower = host->alloc(d * stride, sizeof(float)),
        .upper = host->alloc(d * stride, sizeof(float)),
        .stride = stride,
        .tile = host->alloc(stride, sizeof(int)),
        .x = t->tiles->x,
        .begin = t->tiles->begin,
        .row = t->row,
        .number = host->alloc(stride, sizeof(int)),
        .sq = host->alloc(stride, sizeof(float)),
    };
}

void ct_nearby_init(const struct ct_host *host, const struct ct_tree *t,
                    const struct ct_kernels *kernels, struct ct_nearby_search *search)
{
    *search = (struct ct_nearby_search){
        .tree = t,
        .kernels = kernels,
        .level = ct_box_list_new(host, t->nodes),
        .next_level = ct_box_list_new(host, t->nodes),
        .found = ct_box_list_new(host, CT_NEARBY_MAX),
        .lower = host->alloc((size_t)t->d, sizeof(float)),
        .upper = host->alloc((size_t)t->d, sizeof(float)),
        .cell = new_list(host, t),
        .tile = new_list(host, t),
    };
}

/* Copies coordinates of one box side by side: lower [d], upper [d]. */
static void copy_box(const struct ct_boxes *boxes, int i, int d, float *lower, float *upper)
{
    for (int j = 0; j < d; j++) {
        lower[j] = boxes->lower[i + j * boxes->stride];
        upper[j] = boxes->upper[i + j * boxes->stride];
    }
}

/* Copies the tiles of a list with their boxes. */
static void copy_boxes(const struct ct_boxes *boxes, const struct ct_box_list *list, int d,
                       struct ct_nearby_tiles *to)
{
    to->count = list->count;
    for (int c = 0; c < list->count; c++)
        to->tile[c] = list->number[c];
    for (int j = 0; j < d; j++) {
        const float *lower = boxes->lower + j * boxes->stride;
        const float *upper = boxes->upper + j * boxes->stride;
        for (int c = 0; c < list->count; c++) {
            to->lower[j * to->stride + c] = lower[list->number[c]];
            to->upper[j * to->stride + c] = upper[list->number[c]];
        }
    }
}

/* Appends the boxes from `first` up to `end` within the threshold of the box of the search. */
static void append_boxes(const struct ct_nearby_search *search, const struct ct_boxes *boxes,
                         int first, int end, float threshold, struct ct_box_list *list)
{
    int *number = list->number + list->count;
    int found = search->kernels->boxes_within(
        boxes->lower + first, boxes->upper + first, boxes->stride, search->tree->d, end - first,
        search->lower, search->upper, threshold, number, list->sq + list->count);
    for (int i = 0; i < found; i++)
        number[i] += first;
    list->count += found;
}

/* Evaluates the children of a node for the next level, or the tiles of a small node. Returns 0 if
 * the list of tiles may have no room. */
static int evaluate_node(struct ct_nearby_search *search, int node, float threshold,
                         struct ct_search_work *work)
{
    const struct ct_tree *t = search->tree;
    const struct ct_tiles *tiles = t->tiles;
    int count = ct_count_tiles(tiles, node);
    if (count > CT_CELL_TILES && t->first_child[node] > 0) {
        int child = ct_first_child(t, node), end = child + ct_count_children(t, node);
        work->nodes += end - child;
        append_boxes(search, &tiles->node, child, end, threshold, &search->next_level);
        return 1;
    }
    if (search->found.count + count > CT_NEARBY_MAX)
        return 0;
    work->candidates++;
    append_boxes(search, &tiles->tile, tiles->first_tile[node], tiles->end_tile[node], threshold,
                 &search->found);
    return 1;
}

/* Level by level, like ct_traverse(). */
int ct_list_around_cell(struct ct_nearby_search *search, int cell, float threshold,
                        struct ct_search_work *work)
{
    const struct ct_tiles *tiles = search->tree->tiles;
    int d = search->tree->d;
    copy_box(&tiles->node, cell, d, search->lower, search->upper);
    search->found.count = search->level.count = 0;
    for (ct_box_list_append(&search->level, 0, 0); search->level.count > 0;) {
        search->next_level.count = 0;
        for (int i = 0; i < search->level.count; i++)
            if (!evaluate_node(search, search->level.number[i], threshold, work))
                return 0;
        struct ct_box_list swap = search->level;
        search->level = search->next_level;
        search->next_level = swap;
    }
    copy_boxes(&tiles->tile, &search->found, d, &search->cell);
    return 1;
}

/* Infinite bounds end the list, as the kernel that scans it demands. */
void ct_list_around_tile(struct ct_nearby_search *search, int tile, float threshold)
{
    int d = search->tree->d;
    struct ct_nearby_tiles *list = &search->tile;
    copy_box(&search->tree->tiles->tile, tile, d, search->lower, search->upper);
    search->kernels->collect_nearby(&search->cell, d, search->lower, search->upper, threshold,
                                    list);
    for (int i = list->count; i % CT_LANES; i++)
        list->lower[i] = list->upper[i] = INFINITY;
}
