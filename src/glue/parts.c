/* parts.c: see parts.h. */
#include "glue/parts.h"
#include "glue/options.h"
#include "glue/tree_handle.h"

#include <string.h>

int r_are_parts(SEXP parts)
{
    return TYPEOF(parts) == VECSXP;
}

static void stop_damaged(const char *what)
{
    r_stop("tree is damaged: %s; build it again with cover_tree()", what);
}

/* ---- from R ------------------------------------------------------------------ */

static struct ct_part new_part(SEXP from)
{
    SEXP rows = r_option(from, "rows"), removed = r_option(from, "removed");
    struct ct_part part = {.tree = r_tree(r_option(from, "pointer"))};
    R_xlen_t n = part.tree->n;
    if (TYPEOF(rows) != INTSXP || (XLENGTH(rows) != 1 && XLENGTH(rows) != n))
        stop_damaged("the row numbers of a part do not fit its points");
    if (!Rf_isNull(removed) && (TYPEOF(removed) != RAWSXP || XLENGTH(removed) != n))
        stop_damaged("the removed rows of a part do not fit its points");
    part.first_row = INTEGER_RO(rows)[0];
    part.rows = XLENGTH(rows) == n ? INTEGER_RO(rows) : NULL;
    part.removed = Rf_isNull(removed) ? NULL : RAW_RO(removed);
    if (part.first_row < 1 || part.first_row > INT_MAX - part.tree->n)
        stop_damaged("a row number is out of range");
    for (int i = 1; part.rows && i < part.tree->n; i++)
        if (part.rows[i] <= part.rows[i - 1])
            stop_damaged("the row numbers of a part are not in order");
    return part;
}

/* Sorts parts by size, larger ones first; equal ones stay in order. */
static struct ct_part *sorted_by_size(const struct ct_part *part, int parts)
{
    struct ct_part *sorted = r_host.alloc((size_t)parts, sizeof *sorted);
    for (int p = 0; p < parts; p++) {
        int to = p;
        for (; to > 0 && sorted[to - 1].tree->n < part[p].tree->n; to--)
            sorted[to] = sorted[to - 1];
        sorted[to] = part[p];
    }
    return sorted;
}

struct r_parts r_parts(SEXP parts)
{
    if (!r_are_parts(parts) || XLENGTH(parts) < 1 || XLENGTH(parts) > INT_MAX)
        stop_damaged("it has no parts");
    struct r_parts result = {.count = (int)XLENGTH(parts)};
    struct ct_part *part = r_host.alloc((size_t)result.count, sizeof *part);
    int last = 0;
    for (int p = 0; p < result.count; p++) {
        part[p] = new_part(VECTOR_ELT(parts, p));
        if (part[p].tree->d != part[0].tree->d)
            stop_damaged("its parts have different columns");
        if (part[p].first_row <= last)
            stop_damaged("its parts are not in order of rows");
        last = ct_part_row(&part[p], part[p].tree->n);
        result.n += part[p].tree->n;
    }
    result.by_row = part;
    result.d = part[0].tree->d;
    result.by_size = (struct ct_parts){sorted_by_size(part, result.count), result.count};
    return result;
}

/* ---- rows -------------------------------------------------------------------- */

static int is_remaining(const struct ct_part *part, int local)
{
    return !part->removed || !part->removed[local - 1];
}

/* Finds a row: returns the number of its part, and sets `local` to its local row. Returns -1 if no
 * part has the row, or if it is removed. */
static int find_row(const struct r_parts *parts, int row, int *local)
{
    int low = 0, high = parts->count;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (parts->by_row[middle].first_row <= row)
            low = middle;
        else
            high = middle;
    }
    const struct ct_part *part = &parts->by_row[low];
    *local = ct_part_rows_up_to(part, row);
    if (*local == 0 || ct_part_row(part, *local) != row || !is_remaining(part, *local))
        return -1;
    return low;
}

static int count_remaining(const struct r_parts *parts)
{
    double remaining = parts->n;
    for (int p = 0; p < parts->count; p++)
        for (int i = 1; parts->by_row[p].removed && i <= parts->by_row[p].tree->n; i++)
            remaining -= !is_remaining(&parts->by_row[p], i);
    return (int)remaining;
}

/* Copies the coordinates of the points of a part that are not removed, in order of rows, to x
 * [. x d, leading dimension ld]. Returns their number. Reads the points in the order of memory. */
static int copy_part(const struct ct_part *part, double *x, size_t ld)
{
    const struct ct_tree *t = part->tree;
    const void *mark = vmaxget();
    int *line = r_host.alloc((size_t)t->n, sizeof *line), count = 0;
    for (int local = 1; local <= t->n; local++) {
        int remaining = is_remaining(part, local);
        line[local - 1] = remaining ? count : -1;
        count += remaining;
    }
    for (int j = 0; j < t->d; j++)
        for (int pos = 0; pos < t->n; pos++) {
            int to = line[t->row[pos] - 1];
            if (to >= 0)
                x[(size_t)to + j * ld] = t->points[pos + (size_t)j * t->n];
        }
    vmaxset(mark);
    return count;
}

/* Copies the coordinates of all points that are not removed. */
static void copy_remaining(const struct r_parts *parts, double *x, size_t ld)
{
    for (int p = 0; p < parts->count; p++)
        x += copy_part(&parts->by_row[p], x, ld);
}

/* Whether these are the rows of all points that are not removed, in order. */
static int are_all_rows(const struct r_parts *parts, const int *row, int count)
{
    int at = 0;
    if (count != count_remaining(parts))
        return 0;
    for (int p = 0; p < parts->count; p++)
        for (int i = 1; i <= parts->by_row[p].tree->n; i++)
            if (is_remaining(&parts->by_row[p], i) &&
                row[at++] != ct_part_row(&parts->by_row[p], i))
                return 0;
    return 1;
}

/* Copies the coordinates of some of `count` points to x [count x d]: the points of part p. part,
 * local [count]: part and local row of each point. */
static void copy_points_of_part(const struct r_parts *parts, int p, const int *part,
                                const int *local, int count, double *x)
{
    const struct ct_tree *t = parts->by_row[p].tree;
    int *pos = r_host.alloc((size_t)t->n, sizeof *pos);
    for (int at = 0; at < t->n; at++)
        pos[t->row[at] - 1] = at;
    for (int i = 0; i < count; i++)
        for (int j = 0; part[i] == p && j < t->d; j++)
            x[i + (size_t)j * count] = t->points[pos[local[i] - 1] + (size_t)j * t->n];
}

void r_parts_points_of(const struct r_parts *parts, const int *row, int count, double *x)
{
    if (are_all_rows(parts, row, count)) {
        copy_remaining(parts, x, (size_t)count);
        return;
    }
    int *part = r_host.alloc((size_t)count, sizeof *part);
    int *local = r_host.alloc((size_t)count, sizeof *local);
    char *asked = r_host.alloc((size_t)parts->count, 1);
    memset(asked, 0, (size_t)parts->count);
    for (int i = 0; i < count; i++) {
        if ((part[i] = find_row(parts, row[i], &local[i])) < 0)
            r_stop("rows must be rows of the tree: got %d", row[i]);
        asked[part[i]] = 1;
    }
    for (int p = 0; p < parts->count; p++) {
        const void *mark = vmaxget();
        if (asked[p])
            copy_points_of_part(parts, p, part, local, count, x);
        vmaxset(mark);
    }
}

/* Returns the rows of the points that are not removed, ascending. */
SEXP r_parts_rows(SEXP parts)
{
    struct r_parts all = r_parts(parts);
    SEXP rows = PROTECT(Rf_allocVector(INTSXP, count_remaining(&all)));
    int *to = INTEGER(rows);
    for (int p = 0; p < all.count; p++)
        for (int i = 1; i <= all.by_row[p].tree->n; i++)
            if (is_remaining(&all.by_row[p], i))
                *to++ = ct_part_row(&all.by_row[p], i);
    UNPROTECT(1);
    return rows;
}

/* Returns the coordinates [n x d] of all points that are not removed, in order of rows. The rows of
 * the matrix `more`, if it is not NULL, follow below. */
SEXP r_parts_points(SEXP parts, SEXP more)
{
    struct r_parts all = r_parts(parts);
    int remaining = count_remaining(&all), added = Rf_isNull(more) ? 0 : Rf_nrows(more);
    if (added > 0 && (TYPEOF(more) != REALSXP || Rf_ncols(more) != all.d))
        stop_damaged("its new points have other columns");
    size_t ld = (size_t)remaining + added;
    SEXP x = PROTECT(Rf_allocMatrix(REALSXP, (int)ld, all.d));
    copy_remaining(&all, REAL(x), ld);
    for (int j = 0; added > 0 && j < all.d; j++)
        memcpy(REAL(x) + j * ld + remaining, REAL_RO(more) + (size_t)j * added,
               (size_t)added * sizeof(double));
    UNPROTECT(1);
    return x;
}

/* Returns list(part, row), each [rows]: the number of the part that has the row, from 1, and the
 * local row. Both are 0 if no part has the row, or if it is removed. */
SEXP r_parts_find(SEXP parts, SEXP rows)
{
    static const char *const names[] = {"part", "row"};
    struct r_parts all = r_parts(parts);
    SEXP found = PROTECT(r_named_list(names, 2)), part, local;
    SET_VECTOR_ELT(found, 0, part = Rf_allocVector(INTSXP, XLENGTH(rows)));
    SET_VECTOR_ELT(found, 1, local = Rf_allocVector(INTSXP, XLENGTH(rows)));
    for (R_xlen_t i = 0; i < XLENGTH(rows); i++) {
        int at = 0;
        INTEGER(part)[i] = find_row(&all, INTEGER_RO(rows)[i], &at) + 1;
        INTEGER(local)[i] = INTEGER(part)[i] > 0 ? at : 0;
    }
    UNPROTECT(1);
    return found;
}
