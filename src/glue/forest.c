/* forest.c: see forest.h. */
#include "glue/forest.h"
#include "glue/options.h"
#include "glue/tree_handle.h"

#include <string.h>

int r_is_forest(SEXP parts)
{
    return TYPEOF(parts) == VECSXP;
}

static void stop_damaged(const char *what)
{
    r_stop("tree is damaged: %s; build it again with cover_tree()", what);
}

/* ---- from R ------------------------------------------------------------------ */

static struct ct_forest_part new_part(SEXP from)
{
    SEXP rows = r_option(from, "rows"), removed = r_option(from, "removed");
    struct ct_forest_part part = {.tree = r_tree(r_option(from, "pointer"))};
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

static int row_of(const struct ct_forest_part *part, int row)
{
    return part->rows ? part->rows[row - 1] : part->first_row + row - 1;
}

/* Sorts parts by size, larger ones first; equal ones stay in order. */
static struct ct_forest_part *sorted_by_size(const struct ct_forest_part *part, int parts)
{
    struct ct_forest_part *sorted = r_host.alloc((size_t)parts, sizeof *sorted);
    for (int p = 0; p < parts; p++) {
        int to = p;
        for (; to > 0 && sorted[to - 1].tree->n < part[p].tree->n; to--)
            sorted[to] = sorted[to - 1];
        sorted[to] = part[p];
    }
    return sorted;
}

struct r_forest r_forest(SEXP parts)
{
    if (!r_is_forest(parts) || XLENGTH(parts) < 1 || XLENGTH(parts) > INT_MAX)
        stop_damaged("it has no parts");
    struct r_forest result = {.parts = (int)XLENGTH(parts)};
    struct ct_forest_part *part = r_host.alloc((size_t)result.parts, sizeof *part);
    int last = 0;
    for (int p = 0; p < result.parts; p++) {
        part[p] = new_part(VECTOR_ELT(parts, p));
        if (part[p].tree->d != part[0].tree->d)
            stop_damaged("its parts have different columns");
        if (part[p].first_row <= last)
            stop_damaged("its parts are not in order of rows");
        last = row_of(&part[p], part[p].tree->n);
        result.n += part[p].tree->n;
    }
    result.by_row = part;
    result.d = part[0].tree->d;
    result.forest = (struct ct_forest){sorted_by_size(part, result.parts), result.parts};
    return result;
}

/* ---- rows -------------------------------------------------------------------- */

/* Finds a row: returns the part, and sets `local` to the row of its tree; -1 if the row is not in
 * the forest or is removed. */
static int find_row(const struct r_forest *forest, int row, int *local)
{
    int low = 0, high = forest->parts;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (forest->by_row[middle].first_row <= row)
            low = middle;
        else
            high = middle;
    }
    const struct ct_forest_part *part = &forest->by_row[low];
    *local = ct_forest_rows_up_to(part, row);
    if (*local == 0 || row_of(part, *local) != row || (part->removed && part->removed[*local - 1]))
        return -1;
    return low;
}

static int is_living(const struct ct_forest_part *part, int row)
{
    return !part->removed || !part->removed[row - 1];
}

static int count_living(const struct r_forest *forest)
{
    double living = forest->n;
    for (int p = 0; p < forest->parts; p++)
        for (int row = 1; forest->by_row[p].removed && row <= forest->by_row[p].tree->n; row++)
            living -= !is_living(&forest->by_row[p], row);
    return (int)living;
}

/* Copies the coordinates of the points of a part that are not removed, in order of rows, to x
 * [x d, ld apart]. Returns their number. Reads the points in the order of memory. */
static int copy_part(const struct ct_forest_part *part, double *x, size_t ld)
{
    const struct ct_tree *t = part->tree;
    const void *mark = vmaxget();
    int *line = r_host.alloc((size_t)t->n, sizeof *line), count = 0;
    for (int row = 1; row <= t->n; row++) {
        int living = is_living(part, row);
        line[row - 1] = living ? count : -1;
        count += living;
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
static void copy_living(const struct r_forest *forest, double *x, size_t ld)
{
    for (int p = 0; p < forest->parts; p++)
        x += copy_part(&forest->by_row[p], x, ld);
}

/* Whether these are the rows of all points that are not removed, in order. */
static int are_all_rows(const struct r_forest *forest, const int *row, int count)
{
    int at = 0;
    if (count != count_living(forest))
        return 0;
    for (int p = 0; p < forest->parts; p++)
        for (int i = 1; i <= forest->by_row[p].tree->n; i++)
            if (is_living(&forest->by_row[p], i) && row[at++] != row_of(&forest->by_row[p], i))
                return 0;
    return 1;
}

/* Copies the coordinates of the points of a part among `count` points, which are in these parts at
 * these rows of the trees. */
static void copy_points_of_part(const struct r_forest *forest, int p, const int *part,
                                const int *local, int count, double *x)
{
    const struct ct_tree *t = forest->by_row[p].tree;
    int *pos = r_host.alloc((size_t)t->n, sizeof *pos);
    for (int at = 0; at < t->n; at++)
        pos[t->row[at] - 1] = at;
    for (int i = 0; i < count; i++)
        for (int j = 0; part[i] == p && j < t->d; j++)
            x[i + (size_t)j * count] = t->points[pos[local[i] - 1] + (size_t)j * t->n];
}

void r_forest_points_of(const struct r_forest *forest, const int *row, int count, double *x)
{
    if (are_all_rows(forest, row, count)) {
        copy_living(forest, x, (size_t)count);
        return;
    }
    int *part = r_host.alloc((size_t)count, sizeof *part);
    int *local = r_host.alloc((size_t)count, sizeof *local);
    char *asked = r_host.alloc((size_t)forest->parts, 1);
    memset(asked, 0, (size_t)forest->parts);
    for (int i = 0; i < count; i++) {
        if ((part[i] = find_row(forest, row[i], &local[i])) < 0)
            r_stop("rows must be rows of the tree: got %d", row[i]);
        asked[part[i]] = 1;
    }
    for (int p = 0; p < forest->parts; p++) {
        const void *mark = vmaxget();
        if (asked[p])
            copy_points_of_part(forest, p, part, local, count, x);
        vmaxset(mark);
    }
}

/* Returns the rows of the points that are not removed, ascending. */
SEXP r_forest_rows(SEXP parts)
{
    struct r_forest forest = r_forest(parts);
    SEXP rows = PROTECT(Rf_allocVector(INTSXP, count_living(&forest)));
    int *to = INTEGER(rows);
    for (int p = 0; p < forest.parts; p++)
        for (int i = 1; i <= forest.by_row[p].tree->n; i++)
            if (is_living(&forest.by_row[p], i))
                *to++ = row_of(&forest.by_row[p], i);
    UNPROTECT(1);
    return rows;
}

/* Returns the coordinates [x d] of all points that are not removed, in order of rows, and below
 * them those of the matrix `more`, or none if it is NULL. */
SEXP r_forest_points(SEXP parts, SEXP more)
{
    struct r_forest forest = r_forest(parts);
    int living = count_living(&forest), added = Rf_isNull(more) ? 0 : Rf_nrows(more);
    if (added > 0 && (TYPEOF(more) != REALSXP || Rf_ncols(more) != forest.d))
        stop_damaged("its new points have other columns");
    size_t ld = (size_t)living + added;
    SEXP x = PROTECT(Rf_allocMatrix(REALSXP, (int)ld, forest.d));
    copy_living(&forest, REAL(x), ld);
    for (int j = 0; added > 0 && j < forest.d; j++)
        memcpy(REAL(x) + j * ld + living, REAL_RO(more) + (size_t)j * added,
               (size_t)added * sizeof(double));
    UNPROTECT(1);
    return x;
}

/* Returns list(part, row) for each of these rows, from 1: in which part it is, and its row in the
 * tree of the part; 0 for a row that is not in the forest or is removed. */
SEXP r_forest_find(SEXP parts, SEXP rows)
{
    static const char *const names[] = {"part", "row"};
    struct r_forest forest = r_forest(parts);
    SEXP found = PROTECT(r_named_list(names, 2)), part, local;
    SET_VECTOR_ELT(found, 0, part = Rf_allocVector(INTSXP, XLENGTH(rows)));
    SET_VECTOR_ELT(found, 1, local = Rf_allocVector(INTSXP, XLENGTH(rows)));
    for (R_xlen_t i = 0; i < XLENGTH(rows); i++) {
        int at = 0;
        INTEGER(part)[i] = find_row(&forest, INTEGER_RO(rows)[i], &at) + 1;
        INTEGER(local)[i] = INTEGER(part)[i] > 0 ? at : 0;
    }
    UNPROTECT(1);
    return found;
}
