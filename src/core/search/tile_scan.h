/* tile_scan.h: scan tiles, for one query or for groups of queries.
 *
 * A scan of a tile computes the float32 squared distances of its points to a query and
 * appends the points within the threshold to the candidate buffer. A query group scans a
 * tile for CT_GROUP queries at once: each coordinate of the tile is loaded once, and the
 * kernel has the shape and the speed of a matrix product. In the cost model of schedule.c a
 * tile costs d + 6 cycles per query of a group, and 2 d + 80 for a single query.
 */
#ifndef COVERTREE_SEARCH_TILE_SCAN_H
#define COVERTREE_SEARCH_TILE_SCAN_H

#include "core/search/box_list.h"
#include "core/search/query_block.h"
#include "core/search/seed.h"

/* CT_GROUP queries of a block. An incomplete group is filled up with copies of the first
 * query, whose buffer takes no candidates. */
struct ct_query_group {
    float *q; /* [d * CT_GROUP] coordinate j of member i at [j * CT_GROUP + i] */
    int query[CT_GROUP];
    int members;                   /* with a filter: queries without the copies, */
    struct ct_query_limits limits; /* and what all of them exclude */
    struct ct_candidates *candidates[CT_GROUP];
};

/* The active queries of a block, in groups. */
struct ct_query_groups {
    struct ct_query_group group[CT_BLOCK / CT_GROUP];
    int count;
    struct ct_candidates unused; /* the buffer of the copies: its threshold excludes all */
};

/* Allocates the groups' coordinates: O(CT_BLOCK * d) of the host's memory. */
void ct_query_groups_init(const struct ct_host *host, int d, struct ct_query_groups *groups);

/* Puts the active queries of the block in groups. O(active_count * d). */
void ct_form_groups(struct ct_query_block *block, struct ct_query_groups *groups);

/* Scans all tiles of a span for all groups. Flushes the buffers that fill up. */
void ct_scan_span(struct ct_query_block *block, struct ct_query_groups *groups,
                  struct ct_tile_span span);

/* Extends a scanned span for searches in which few points may be eligible: triples the number of
 * tiles until lacks(block) is 0, or all tiles are scanned. Returns the span. */
struct ct_tile_span ct_widen_span(struct ct_query_block *block, struct ct_query_groups *groups,
                                  struct ct_tile_span span,
                                  int (*lacks)(struct ct_query_block *block));

/* Scans the tiles of a queue, ordered by distance, for all groups. Leaves out tiles beyond the
 * largest box threshold of the active queries, and tiles in the span `skip`. */
void ct_scan_queue(struct ct_query_block *block, struct ct_query_groups *groups,
                   const struct ct_box_list *queue, struct ct_tile_span skip);

/* Scans a tile for query i alone. Returns whether the candidate buffer is full: flush it
 * before the next scan. */
static inline int ct_scan_tile(struct ct_query_block *block, int i, int tile)
{
    const struct ct_tree *t = block->context.tree;
    const struct ct_tiles *tiles = t->tiles;
    int pos = tiles->begin[tile];
    block->work.tiles++;
    return block->context.kernels->scan_tile(tiles->x + (size_t)tile * t->d * CT_LANES, t->d,
                                             block->q_f32 + (size_t)i * t->d,
                                             block->context.key + pos, pos, &block->candidates[i]);
}

#endif
