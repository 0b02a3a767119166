/* hilbert.c: Skilling's transform (AIP Conf. Proc. 707, 2004), and the sort of the keys.
 *
 * The points are put on a grid of 2^bits cells a side over the smallest cube around all
 * points. All coordinates have the same scale: cells are cubes. The transform turns the coordinates
 * of a cell into the curve's index in "transposed" form: the bits of the index, most
 * significant first, run through the top bits of all coordinates, then through the next
 * bits, down to the last. A key has d * bits bits, in ceil(d * bits / 64) words. Points are
 * transformed in chunks: every step is a loop over points, which compilers vectorize.
 *
 * The leading bits of a key depend on the leading bits of the coordinates only. Up to d = 32, a
 * first sort uses 32 bits, which differ for most points. Complete keys are made for the other
 * points alone.
 */
#include "core/order/hilbert.h"
#include "core/util/column_range.h"
#include "core/util/parallel_for.h"
#include "core/util/radix_sort.h"
#include "core/util/short_sort.h"

#include <stdint.h>
#include <string.h>

/* Blocks of 2048 points balance the load, and cost little to claim. */
enum {
    CHUNK = 64,            /* points transformed together */
    CHUNKS_PER_BLOCK = 32, /* chunks in a block of keys */
    ORDER_BLOCK = 1 << 16  /* points in a block of the result */
};

/* 64 bits in all keep the key in one word up to d = 64; more than 32 bits of a coordinate do not
 * fit into a uint32_t. */
int ct_hilbert_bits(int d)
{
    int bits = 64 / d;
    return bits > 32 ? 32 : bits < 1 ? 1 : bits;
}

/* Bits of each coordinate in a key of 32 bits: a cell fits into an int. 0: there is no such key. */
static int short_bits(int d)
{
    int bits = 32 / d;
    return bits > 31 ? 31 : bits;
}

/* For the points of a chunk: where bit b of the second coordinate is set, flips the lower bits
 * of the first coordinate; where the bit is not set, exchanges the lower bits of both. This undoes
 * the reflections that the curve makes inside each half. Without branches: compilers vectorize the
 * loop over points. */
static void undo_reflection(uint32_t *restrict first, uint32_t *restrict other, int b)
{
    uint32_t lower_bits = ((uint32_t)1 << b) - 1;
    for (int i = 0; i < CHUNK; i++) {
        uint32_t set = 0 - ((other[i] >> b) & 1);
        uint32_t differ = (first[i] ^ other[i]) & lower_bits & ~set;
        first[i] ^= differ | (lower_bits & set);
        other[i] ^= differ;
    }
}

/* The same with coordinate `first` in both places; a function of its own, because `restrict`
 * excludes equal arguments. */
static void undo_flip(uint32_t *first, int b)
{
    uint32_t lower_bits = ((uint32_t)1 << b) - 1;
    for (int i = 0; i < CHUNK; i++)
        first[i] ^= lower_bits & (0 - ((first[i] >> b) & 1));
}

/* cell[i] ^= other[i] for the points of a chunk. */
static void xor_into(uint32_t *restrict cell, const uint32_t *restrict other)
{
    for (int i = 0; i < CHUNK; i++)
        cell[i] ^= other[i];
}

/* Turns cell coordinates [d x CHUNK] into the transposed index, in place: undoes reflections from
 * the top bit down, then takes the Gray code across and along the last of the coordinates. */
static void transpose_index(uint32_t *cell, int d, int bits)
{
    for (int b = bits - 1; b > 0; b--) {
        undo_flip(cell, b);
        for (int j = 1; j < d; j++)
            undo_reflection(cell, cell + (size_t)j * CHUNK, b);
    }
    for (int j = 1; j < d; j++)
        xor_into(cell + (size_t)j * CHUNK, cell + (size_t)(j - 1) * CHUNK);
    uint32_t flip[CHUNK] = {0}, *last = cell + (size_t)(d - 1) * CHUNK;
    for (int b = bits - 1; b > 0; b--)
        for (int i = 0; i < CHUNK; i++)
            flip[i] ^= (((uint32_t)1 << b) - 1) & (0 - ((last[i] >> b) & 1));
    for (int j = 0; j < d; j++)
        xor_into(cell + (size_t)j * CHUNK, flip);
}

/* Writes 32 bits of each point's transposed index, from bit `first` on, to half [CHUNK]; zeros
 * after the end of the index. Halves of words keep all loops over points in 32-bit lanes. Bit i
 * of the index is bit (bits - 1 - i / d) of coordinate i % d. */
static void pack_half(const uint32_t *cell, int d, int bits, size_t first, uint32_t *half)
{
    size_t all = (size_t)d * bits, end = first + 32 < all ? first + 32 : all;
    int missing = first < all ? 32 - (int)(end - first) : 0;
    memset(half, 0, CHUNK * sizeof *half);
    for (size_t at = first; at < end; at++) {
        const uint32_t *from = cell + at % d * CHUNK;
        int b = bits - 1 - (int)(at / d);
        for (int i = 0; i < CHUNK; i++)
            half[i] = half[i] << 1 | ((from[i] >> b) & 1);
    }
    for (int i = 0; i < CHUNK; i++)
        half[i] <<= missing;
}

/* Returns the lower 16 bits of `value`, or the lower 10, with one or two zeros between them. */
static uint32_t spread_by_2(uint32_t value)
{
    value = (value | value << 8) & 0x00ff00ff;
    value = (value | value << 4) & 0x0f0f0f0f;
    value = (value | value << 2) & 0x33333333;
    return (value | value << 1) & 0x55555555;
}

static uint32_t spread_by_3(uint32_t value)
{
    value = (value | value << 16) & 0x030000ff;
    value = (value | value << 8) & 0x0300f00f;
    value = (value | value << 4) & 0x030c30c3;
    return (value | value << 2) & 0x09249249;
}

/* Returns the lower 16 bits of two values, or the lower 10 of three, in turn. */
static uint32_t interleave_2(uint32_t a, uint32_t b)
{
    return spread_by_2(a) << 1 | spread_by_2(b);
}

static uint32_t interleave_3(uint32_t a, uint32_t b, uint32_t c)
{
    return spread_by_3(a) << 2 | spread_by_3(b) << 1 | spread_by_3(c);
}

/* Writes to key [CHUNK] the first 32 bits of the transposed index for coordinates of short_bits(d)
 * bits. */
static void pack_short(const uint32_t *cell, int d, uint32_t *key)
{
    const uint32_t *a = cell, *b = cell + CHUNK, *c = b + CHUNK;
    if (d == 2)
        for (int i = 0; i < CHUNK; i++)
            key[i] = interleave_2(a[i], b[i]);
    else if (d == 3)
        for (int i = 0; i < CHUNK; i++)
            key[i] = interleave_3(a[i], b[i], c[i]) << 2;
    else
        pack_half(cell, d, short_bits(d), 0, key);
}

/* Writes word number `word` of each point's key, 64 bits of the transposed index, to key
 * [CHUNK]. In 2 dimensions the coordinates have 16 + 16 bits, in 3 dimensions 10 + 10 + 1. */
static void pack_word(const uint32_t *cell, int d, int bits, int word, uint64_t *key)
{
    const uint32_t *a = cell, *b = cell + CHUNK, *c = b + CHUNK;
    uint32_t high[CHUNK], low[CHUNK];
    if (d == 2)
        for (int i = 0; i < CHUNK; i++)
            key[i] = (uint64_t)interleave_2(a[i] >> 16, b[i] >> 16) << 32 |
                     interleave_2(a[i] & 0xffff, b[i] & 0xffff);
    else if (d == 3)
        for (int i = 0; i < CHUNK; i++)
            key[i] = (uint64_t)interleave_3(a[i] >> 11, b[i] >> 11, c[i] >> 11) << 34 |
                     (uint64_t)interleave_3(a[i] >> 1 & 0x3ff, b[i] >> 1 & 0x3ff, c[i] >> 1 & 0x3ff)
                         << 4 |
                     (a[i] & 1) << 3 | (b[i] & 1) << 2 | (c[i] & 1) << 1;
    if (d == 2 || d == 3)
        return;
    pack_half(cell, d, bits, (size_t)word * 64, high);
    pack_half(cell, d, bits, (size_t)word * 64 + 32, low);
    for (int i = 0; i < CHUNK; i++)
        key[i] = (uint64_t)high[i] << 32 | low[i];
}

/* Words of 64 bits in a key. */
static int key_words(int d, int bits)
{
    return (int)(((size_t)d * bits + 63) / 64);
}

/* ---- keys ------------------------------------------------------------------- */

/* The smallest cube around all points. */
struct grid {
    const double *origin; /* [d] smallest coordinates of the points */
    double side;          /* length of a side of the cube */
};

/* Returns the grid over the points; a grid of side 1 if all points coincide. */
static struct grid make_grid(const struct ct_host *host, const double *x, int n, int d)
{
    double *origin = host->alloc((size_t)d, sizeof *origin);
    double side = 0;
    for (int j = 0; j < d; j++) {
        double least, most;
        ct_column_range(x + (size_t)j * n, n, &least, &most);
        origin[j] = least;
        side = most - least > side ? most - least : side;
    }
    return (struct grid){origin, side > 0 ? side : 1};
}

/* The task of making the keys of points, and of sorting the points. */
struct key_task {
    struct grid grid;
    const double *x; /* [n x d, column-major] */
    int n, d;
    uint32_t *cells; /* [threads x d x CHUNK] */
    uint64_t *words; /* [n] short keys and the numbers of the points */
    int *order;      /* [n] the result */
    int *block_ties; /* [blocks of ORDER_BLOCK] number of places with ties */

    /* ---- complete keys of the points with ties ---- */
    int ties;
    const int *place; /* [ties] their places in the order; NULL: all places */
    uint64_t *keys;   /* [ties x (words of a key - 1), column-major] all words of the keys but the
                       * last, the most significant first */
    struct ct_key_id *pairs; /* [ties] the last word and the number of each point; if a key has
                              * more words, the place in the order, which is the number then */
    struct ct_key_id *spare; /* [ties] of the sort. pairs, spare: NULL, or memory of the caller */
};

/* Computes coordinate j of the cells of a chunk of points, with values x [CHUNK]. Needs x in the
 * cube. Rounding may give the number of cells for a point at the upper side, which belongs to the
 * last cell. At most 31 bits: the conversion to int32_t is a vector instruction. */
static void short_cells(const struct key_task *task, const double *x, int j, uint32_t *cell)
{
    double origin = task->grid.origin[j], side = task->grid.side;
    double cells = (double)((uint32_t)1 << short_bits(task->d)), last = cells - 1;
    for (int i = 0; i < CHUNK; i++) {
        double at = (x[i] - origin) / side * cells;
        at = at < last ? at : last;
        cell[i] = (uint32_t)(int32_t)at;
    }
}

/* The same with all bits of the curve. */
static void long_cells(const struct key_task *task, const double *x, int j, uint32_t *cell)
{
    double origin = task->grid.origin[j], side = task->grid.side;
    double cells = (double)((uint64_t)1 << ct_hilbert_bits(task->d));
    for (int i = 0; i < CHUNK; i++) {
        double at = (x[i] - origin) / side * cells;
        cell[i] = at < cells - 1 ? (uint32_t)at : (uint32_t)(cells - 1);
    }
}

/* Computes the short keys of the points of a chunk. cell: [d x CHUNK] scratch. A last chunk repeats
 * its first point. */
static void chunk_short_keys(const struct key_task *task, int begin, uint32_t *cell)
{
    int count = task->n - begin < CHUNK ? task->n - begin : CHUNK;
    uint32_t key[CHUNK];
    for (int j = 0; j < task->d; j++) {
        const double *x = task->x + begin + (size_t)j * task->n;
        double rest[CHUNK];
        for (int i = 0; count < CHUNK && i < CHUNK; i++)
            rest[i] = x[i < count ? i : 0];
        short_cells(task, count < CHUNK ? rest : x, j, cell + (size_t)j * CHUNK);
    }
    transpose_index(cell, task->d, short_bits(task->d));
    pack_short(cell, task->d, key);
    for (int i = 0; i < count; i++)
        task->words[begin + i] = ct_pack_key(key[i], begin + i);
}

/* Number of the point at a place of the order that has ties. */
static int tied_point(const struct key_task *task, int i)
{
    return task->place ? task->order[task->place[i]] : i;
}

/* Computes the complete keys of a chunk of points with ties. cell: [d x CHUNK] scratch. */
static void chunk_long_keys(const struct key_task *task, int begin, uint32_t *cell)
{
    int d = task->d, bits = ct_hilbert_bits(d), words = key_words(d, bits);
    int count = task->ties - begin < CHUNK ? task->ties - begin : CHUNK, point[CHUNK];
    uint64_t key[CHUNK];
    for (int i = 0; i < CHUNK; i++)
        point[i] = tied_point(task, i < count ? begin + i : begin);
    for (int j = 0; j < d; j++) {
        double x[CHUNK];
        for (int i = 0; i < CHUNK; i++)
            x[i] = task->x[point[i] + (size_t)j * task->n];
        long_cells(task, x, j, cell + (size_t)j * CHUNK);
    }
    transpose_index(cell, d, bits);
    for (int word = 0; word < words; word++) {
        pack_word(cell, d, bits, word, key);
        if (word < words - 1)
            memcpy(task->keys + (size_t)word * task->ties + begin, key,
                   (size_t)count * sizeof *key);
    }
    for (int i = 0; i < count; i++)
        task->pairs[begin + i] = (struct ct_key_id){key[i], point[i]};
}

/* One block of work: the short keys of CHUNKS_PER_BLOCK chunks. */
static void block_short_keys(void *data, int block, int thread)
{
    const struct key_task *task = data;
    uint32_t *cell = task->cells + (size_t)thread * task->d * CHUNK;
    for (int i = 0, begin = block * CHUNKS_PER_BLOCK * CHUNK;
         i < CHUNKS_PER_BLOCK && begin < task->n; i++, begin += CHUNK)
        chunk_short_keys(task, begin, cell);
}

/* One block of work: the complete keys of CHUNKS_PER_BLOCK chunks. */
static void block_long_keys(void *data, int block, int thread)
{
    const struct key_task *task = data;
    uint32_t *cell = task->cells + (size_t)thread * task->d * CHUNK;
    for (int i = 0, begin = block * CHUNKS_PER_BLOCK * CHUNK;
         i < CHUNKS_PER_BLOCK && begin < task->ties; i++, begin += CHUNK)
        chunk_long_keys(task, begin, cell);
}

/* Number of blocks of keys of `count` points. */
static int key_blocks(int count)
{
    return count / (CHUNKS_PER_BLOCK * CHUNK) + 1;
}

/* ---- order ------------------------------------------------------------------- */

/* Whether the point at a place of the order by short keys has the key of another point. */
static int is_tied(const struct key_task *task, int i)
{
    uint32_t key = ct_packed_key(task->words[i]);
    return (i > 0 && ct_packed_key(task->words[i - 1]) == key) ||
           (i < task->n - 1 && ct_packed_key(task->words[i + 1]) == key);
}

/* One block of work: stores the order by short keys. */
static void store_order(void *data, int block, int thread)
{
    const struct key_task *task = data;
    int begin = block * ORDER_BLOCK, ties = 0;
    for (int i = begin; i < task->n && i - begin < ORDER_BLOCK; i++) {
        task->order[i] = ct_packed_id(task->words[i]);
        ties += is_tied(task, i);
    }
    task->block_ties[block] = ties;
    (void)thread;
}

/* Sorts the points by short keys, and lists the places with ties. */
static void sort_by_short_keys(const struct ct_host *host, struct key_task *task, int threads,
                               uint64_t *buffer)
{
    int blocks = task->n / ORDER_BLOCK + 1, n = task->n;
    task->block_ties = host->alloc((size_t)blocks, sizeof *task->block_ties);
    ct_parallel_for(host, key_blocks(n), threads, block_short_keys, task);
    ct_short_sort(host, task->words, buffer, n, threads);
    ct_parallel_for(host, blocks, threads, store_order, task);
    for (int block = 0; block < blocks; block++)
        task->ties += task->block_ties[block];
    int *place = host->alloc((size_t)task->ties, sizeof *place);
    for (int i = 0, count = 0; count < task->ties; i++)
        if (is_tied(task, i))
            place[count++] = i;
    task->place = place;
}

/* Sorts the points with ties by their complete keys: one sort for each word of a key, by the last
 * word first and by the first word last. Each sort is stable, so the order by earlier words
 * prevails. The leading bits of these keys are the short keys, so every point remains among the
 * places of its short key. */
static void sort_by_long_keys(const struct ct_host *host, struct key_task *task, int threads)
{
    int m = task->ties, words = key_words(task->d, ct_hilbert_bits(task->d));
    if (!task->pairs) {
        task->pairs = host->alloc((size_t)m, sizeof *task->pairs);
        task->spare = host->alloc((size_t)m, sizeof *task->spare);
    }
    task->keys = host->alloc((size_t)m * (words - 1), sizeof(uint64_t));
    ct_parallel_for(host, key_blocks(m), threads, block_long_keys, task);
    ct_radix_sort(host, task->pairs, task->spare, m, threads);
    for (int word = words - 2; word >= 0; word--) {
        for (int i = 0; i < m; i++)
            task->pairs[i].key = task->keys[(size_t)word * m + task->pairs[i].id];
        host->poll();
        ct_radix_sort(host, task->pairs, task->spare, m, threads);
    }
    for (int i = 0; i < m; i++)
        task->order[task->place ? task->place[i] : i] = task->pairs[i].id;
}

/* Short keys are not needed after the list of places with ties: pairs take their memory. */
void ct_hilbert_order_in(const struct ct_host *host, const double *x, int n, int d, int threads,
                         size_t point_bytes, void *first, void *second, int *order)
{
    struct key_task task = {
        .grid = make_grid(host, x, n, d),
        .x = x,
        .n = n,
        .d = d,
        .cells = host->alloc((size_t)threads * d * CHUNK, sizeof(uint32_t)),
        .words = first,
        .order = order,
        .pairs = point_bytes < sizeof *task.pairs ? NULL : first,
        .spare = point_bytes < sizeof *task.pairs ? NULL : second,
    };
    if (short_bits(d) > 0)
        sort_by_short_keys(host, &task, threads, second);
    else
        task.ties = n;
    if (task.ties > 0)
        sort_by_long_keys(host, &task, threads);
}

void ct_hilbert_order(const struct ct_host *host, const double *x, int n, int d, int threads,
                      int *order)
{
    size_t bytes = short_bits(d) > 0 ? sizeof(uint64_t) : sizeof(struct ct_key_id);
    void *first = host->alloc((size_t)n, bytes), *second = host->alloc((size_t)n, bytes);
    ct_hilbert_order_in(host, x, n, d, threads, bytes, first, second, order);
}
