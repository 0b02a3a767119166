/* hilbert.c: Skilling's transform (AIP Conf. Proc. 707, 2004), and the sort of the keys.
 *
 * The points are put on a grid of 2^bits cells a side over the smallest cube around all
 * points. All coordinates have the same scale: cells are cubes. The transform turns the coordinates
 * of a cell into the curve's index in "transposed" form: the bits of the index, most
 * significant first, run through the top bits of all coordinates, then through the next
 * bits, down to the last. A key has d * bits bits, in ceil(d * bits / 64) words. Points are
 * transformed in chunks: every step is a loop over points, which compilers vectorize.
 */
#include "core/order/hilbert.h"
#include "core/util/column_range.h"
#include "core/util/parallel_for.h"
#include "core/util/radix_sort.h"

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

/* Turns cell coordinates [d x CHUNK] into the transposed index, in place: undoes reflections
 * from the top bit down, then takes the Gray code across coordinates and along the last coordinate.
 */
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

/* Returns the lower 32 bits of `value`, or the lower 21, with one or two zeros between them. */
static uint64_t spread_by_2(uint64_t value)
{
    value = (value | value << 16) & 0x0000ffff0000ffff;
    value = (value | value << 8) & 0x00ff00ff00ff00ff;
    value = (value | value << 4) & 0x0f0f0f0f0f0f0f0f;
    value = (value | value << 2) & 0x3333333333333333;
    return (value | value << 1) & 0x5555555555555555;
}

static uint64_t spread_by_3(uint64_t value)
{
    value = (value | value << 32) & 0x001f00000000ffff;
    value = (value | value << 16) & 0x001f0000ff0000ff;
    value = (value | value << 8) & 0x100f00f00f00f00f;
    value = (value | value << 4) & 0x10c30c30c30c30c3;
    return (value | value << 2) & 0x1249249249249249;
}

/* Writes the keys of pack_word() for 2 or 3 coordinates, with all bits of ct_hilbert_bits(), to key
 * [CHUNK]. */
static void interleave(const uint32_t *cell, int d, uint64_t *key)
{
    const uint32_t *a = cell, *b = cell + CHUNK, *c = b + CHUNK;
    if (d == 2)
        for (int i = 0; i < CHUNK; i++)
            key[i] = spread_by_2(a[i]) << 1 | spread_by_2(b[i]);
    else
        for (int i = 0; i < CHUNK; i++)
            key[i] = spread_by_3(a[i]) << 3 | spread_by_3(b[i]) << 2 | spread_by_3(c[i]) << 1;
}

/* Writes word number `word` of each point's key, 64 bits of the transposed index, to key
 * [CHUNK]. */
static void pack_word(const uint32_t *cell, int d, int bits, int word, uint64_t *key)
{
    uint32_t high[CHUNK], low[CHUNK];
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

/* Cells of equal size over the smallest cube around all points. */
struct grid {
    const double *origin; /* [d] smallest coordinates of the points */
    double side;          /* length of a side of the cube */
    double cells;         /* cells along a side */
};

/* Coordinate j of the cell of x. Needs x in the cube. Rounding may give the number of cells for
 * a point at the upper side, which belongs to the last cell. */
static uint32_t cell_of(const struct grid *grid, double x, int j)
{
    double at = (x - grid->origin[j]) / grid->side * grid->cells;
    return at < grid->cells - 1 ? (uint32_t)at : (uint32_t)(grid->cells - 1);
}

/* Returns the grid over the points; a grid of side 1 if all points coincide. */
static struct grid make_grid(const struct ct_host *host, const double *x, int n, int d, int bits)
{
    double *origin = host->alloc((size_t)d, sizeof *origin);
    double side = 0;
    for (int j = 0; j < d; j++) {
        double least, most;
        ct_column_range(x + (size_t)j * n, n, &least, &most);
        origin[j] = least;
        side = most - least > side ? most - least : side;
    }
    return (struct grid){origin, side > 0 ? side : 1, (double)((uint64_t)1 << bits)};
}

/* The task of making the keys of all points. */
struct key_task {
    struct grid grid;
    const double *x; /* [n x d, column-major] */
    int n, d, bits;
    uint32_t *cells; /* [threads x d x CHUNK] */
    uint64_t *keys;  /* [n x (words - 1), column-major] all words of the keys but the last, the
                      * most significant first */
    struct ct_key_id *pairs; /* [n] the last word and the number of each point */
};

/* Computes the keys of the points of one chunk. cell: [d x CHUNK] scratch; unused lanes of the last
 * chunk are cell 0. */
static void chunk_keys(const struct key_task *task, int begin, uint32_t *cell)
{
    int n = task->n, d = task->d, bits = task->bits;
    const double *x = task->x;
    int count = n - begin < CHUNK ? n - begin : CHUNK, words = key_words(d, bits);
    for (int j = 0; j < d; j++)
        for (int i = 0; i < CHUNK; i++)
            cell[j * (size_t)CHUNK + i] =
                i < count ? cell_of(&task->grid, x[begin + i + (size_t)j * n], j) : 0;
    transpose_index(cell, d, bits);
    for (int word = 0; word < words; word++) {
        uint64_t key[CHUNK];
        if (d == 2 || d == 3)
            interleave(cell, d, key);
        else
            pack_word(cell, d, bits, word, key);
        if (word < words - 1)
            memcpy(task->keys + (size_t)word * n + begin, key, (size_t)count * sizeof *key);
        for (int i = 0; word == words - 1 && i < count; i++)
            task->pairs[begin + i] = (struct ct_key_id){key[i], begin + i};
    }
}

/* One block of work: the keys of CHUNKS_PER_BLOCK chunks. */
static void block_keys(void *data, int block, int thread)
{
    const struct key_task *task = data;
    uint32_t *cell = task->cells + (size_t)thread * task->d * CHUNK;
    for (int i = 0, begin = block * CHUNKS_PER_BLOCK * CHUNK;
         i < CHUNKS_PER_BLOCK && begin < task->n; i++, begin += CHUNK)
        chunk_keys(task, begin, cell);
}

/* The task of storing the order of sorted pairs. */
struct order_task {
    const struct ct_key_id *pairs; /* [n] */
    int n;
    int *order; /* [n] */
};

static void store_order(void *data, int block, int thread)
{
    const struct order_task *task = data;
    int begin = block * ORDER_BLOCK;
    for (int i = begin; i < task->n && i - begin < ORDER_BLOCK; i++)
        task->order[i] = task->pairs[i].id;
    (void)thread;
}

/* Keys first; then one sort for each word of a key, by the last word first and by the first word
 * last. Each sort is stable, so the order by earlier words prevails. */
void ct_hilbert_order_in(const struct ct_host *host, const double *x, int n, int d, int threads,
                         struct ct_key_id *pairs, struct ct_key_id *spare, int *order)
{
    int bits = ct_hilbert_bits(d), words = key_words(d, bits);
    struct key_task task = {
        .grid = make_grid(host, x, n, d, bits),
        .x = x,
        .n = n,
        .d = d,
        .bits = bits,
        .cells = host->alloc((size_t)threads * d * CHUNK, sizeof(uint32_t)),
        .keys = host->alloc((size_t)n * (words - 1), sizeof(uint64_t)),
        .pairs = pairs,
    };
    struct order_task sorted = {task.pairs, n, order};
    ct_parallel_for(host, n / (CHUNKS_PER_BLOCK * CHUNK) + 1, threads, block_keys, &task);
    ct_radix_sort(host, task.pairs, spare, n, threads);
    for (int word = words - 2; word >= 0; word--) {
        for (int i = 0; i < n; i++)
            task.pairs[i].key = task.keys[(size_t)word * n + task.pairs[i].id];
        host->poll();
        ct_radix_sort(host, task.pairs, spare, n, threads);
    }
    ct_parallel_for(host, n / ORDER_BLOCK + 1, threads, store_order, &sorted);
}

void ct_hilbert_order(const struct ct_host *host, const double *x, int n, int d, int threads,
                      int *order)
{
    struct ct_key_id *pairs = host->alloc((size_t)n, sizeof *pairs);
    struct ct_key_id *spare = host->alloc((size_t)n, sizeof *spare);
    ct_hilbert_order_in(host, x, n, d, threads, pairs, spare, order);
}
