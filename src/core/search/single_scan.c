/* single_scan.c: see single_scan.h.
 *
 * A portion of the tiles near the block is packed at a time, so that the boxes of a portion stay in
 * the cache while all queries are compared with them. After a portion the thresholds are lower, and
 * fewer boxes of the next portion are near.
 */
#include "core/search/single_scan.h"
#include "core/search/threshold.h"

#include <string.h>

enum {
    LONG_LIST = 2048,                            /* tiles */
    PACKS = 64,                                  /* packs of a portion, at most */
    PACK_LEAST = CT_PACKED_BOXES - CT_LANES + 1, /* boxes of a pack before the next is begun */
    MOST_TILES = PACKS * CT_PACKED_BOXES         /* tiles of a portion, at most */
};

/* Tiles within this share of a query's squared threshold are scanned before the others; of a long
 * list, those within the smallest share first, then those within four times the share, and so on.
 */
static const float LARGEST_SHARE = 0.25f, FIRST_SHARE = 0.25f / 16;

void ct_single_scan_init(const struct ct_host *host, const struct ct_tree *t,
                         struct ct_single_scan *scan)
{
    int tiles = t->tiles->count, runs = tiles / CT_LANES + 1, packs = tiles / PACK_LEAST + 1;
    int most = tiles < MOST_TILES ? tiles : MOST_TILES;
    size_t bounds = (size_t)t->d * 2 * CT_PACKED_STRIDE;
    packs = packs < PACKS ? packs : PACKS;
    *scan = (struct ct_single_scan){.chosen = host->alloc((size_t)runs, sizeof *scan->chosen),
                                    .pack = host->alloc((size_t)packs, sizeof *scan->pack),
                                    .most_packs = packs,
                                    .tiles = ct_candidates_new(host, most),
                                    .within = ct_candidates_new(host, most)};
    memset(scan->chosen, 0, (size_t)runs * sizeof *scan->chosen);
    float *all = host->alloc((size_t)packs * bounds, sizeof *all);
    int *number = host->alloc((size_t)packs * CT_PACKED_STRIDE, sizeof *number);
    for (int p = 0; p < packs; p++)
        scan->pack[p] = (struct ct_packed_boxes){.bounds = all + p * bounds,
                                                 .number = number + (size_t)p * CT_PACKED_STRIDE};
}

/* ---- the tiles near the block ------------------------------------------------ */

/* Marks the tiles of the remaining nodes, except those in the span `skip`. */
static void mark_tiles(const struct ct_tiles *tiles, const struct ct_box_list *nodes,
                       struct ct_tile_span skip, struct ct_single_scan *scan)
{
    scan->next = tiles->count / CT_LANES;
    scan->last = 0;
    for (int c = 0; c < nodes->count; c++) {
        int first = tiles->first_tile[nodes->number[c]], end = tiles->end_tile[nodes->number[c]];
        for (int tile = first; tile < end; tile++)
            scan->chosen[tile / CT_LANES] |= (unsigned short)(1u << tile % CT_LANES);
        scan->next = first / CT_LANES < scan->next ? first / CT_LANES : scan->next;
        scan->last = (end - 1) / CT_LANES > scan->last ? (end - 1) / CT_LANES : scan->last;
    }
    for (int tile = skip.first; tile < skip.end; tile++)
        scan->chosen[tile / CT_LANES] &= (unsigned short)~(1u << tile % CT_LANES);
}

/* Packs the boxes of marked tiles within the threshold of the block, from run scan->next on, in the
 * order of the tree, until no pack has room. Returns the number of packs. */
static int pack_portion(const struct ct_query_block *block, const struct ct_frontier *f,
                        struct ct_single_scan *scan, float threshold)
{
    const struct ct_boxes *from = &block->context.tree->tiles->tile;
    int d = block->context.tree->d, packs = 0;
    scan->pack[0].count = 0;
    while (scan->next <= scan->last && packs < scan->most_packs) {
        int run = scan->next++, first = run * CT_LANES;
        if (scan->chosen[run] &&
            block->context.kernels->pack_boxes(
                from->lower + first, from->upper + first, from->stride, d, scan->chosen[run], first,
                f->lower_f32, f->upper_f32, threshold, &scan->pack[packs]) &&
            ++packs < scan->most_packs)
            scan->pack[packs].count = 0;
        scan->chosen[run] = 0;
    }
    return packs < scan->most_packs ? packs + 1 : packs;
}

/* ---- one query ---------------------------------------------------------------- */

/* Drops the tiles that the filter excludes for a query. */
static void drop_excluded(const struct ct_query_block *block, int i, struct ct_candidates *list)
{
    const struct ct_row_filter *filter = block->context.filter;
    int kept = 0;
    for (int c = 0; c < list->count; c++) {
        list->pos[kept] = list->pos[c];
        list->sq[kept] = list->sq[c];
        kept += !ct_excludes_all(&block->limits[i], &filter->tile[list->pos[c]]);
    }
    list->count = kept;
}

/* Scans the tiles of a list for query i. */
static void scan_list(struct ct_query_block *block, int i, struct ct_candidates *list)
{
    const struct ct_tree *t = block->context.tree;
    const float *q = block->q_f32 + (size_t)i * t->d;
    if (block->context.filter)
        drop_excluded(block, i, list);
    block->work.tiles += list->count;
    for (int done = 0; done < list->count;) {
        done += block->context.kernels->scan_tiles(t->tiles->x, t->tiles->begin, block->context.key,
                                                   t->d, q, list->pos + done, list->count - done,
                                                   &block->candidates[i]);
        if (block->candidates[i].count >= block->candidates[i].capacity)
            ct_flush_candidates(block, i);
    }
}

/* Scans the tiles of the packs within the threshold of query i; near tiles first, unless the
 * threshold is fixed. */
static void scan_packs(struct ct_query_block *block, struct ct_single_scan *scan, int packs, int i)
{
    const struct ct_kernels *kernels = block->context.kernels;
    int d = block->context.tree->d;
    const float *q = block->q_f32 + (size_t)i * d;
    float threshold = block->box_threshold[i];
    scan->tiles.count = 0;
    for (int p = 0; p < packs; p++) {
        kernels->list_packed(&scan->pack[p], d, q, threshold, &scan->tiles);
        block->work.boxes += scan->pack[p].count;
    }
    float share = scan->tiles.count > LONG_LIST ? FIRST_SHARE : LARGEST_SHARE;
    for (; block->context.k > 0 && scan->tiles.count > 0 && share <= LARGEST_SHARE; share *= 4) {
        kernels->move_within(&scan->tiles, share * block->box_threshold[i], &scan->within);
        if (scan->within.count == 0)
            continue;
        scan_list(block, i, &scan->within);
        ct_tighten_threshold(block, i);
        kernels->compact(&scan->tiles, block->box_threshold[i]);
    }
    scan_list(block, i, &scan->tiles);
}

void ct_scan_singly(struct ct_query_block *block, struct ct_frontier *frontier,
                    struct ct_single_scan *scan, struct ct_tile_span skip)
{
    mark_tiles(block->context.tree->tiles, &frontier->nodes, skip, scan);
    while (scan->next <= scan->last) {
        int packs = pack_portion(block, frontier, scan, ct_max_box_threshold(block));
        for (int a = 0; a < block->active_count; a++)
            scan_packs(block, scan, packs, block->active[a]);
    }
}
