#' Impute missing values from the nearest rows
#'
#' Replaces each missing value by the median, the mean or the most frequent level of the same column
#' in the *donors*: the k nearest rows that have a value in this column. The distance of two rows is
#' computed from the columns in which both have a value.
#'
#' @param x A data frame of numeric columns, factors and logicals, or a numeric matrix, with missing
#'   values (`NA` or `NaN`). Each column and each row must have at least one value.
#' @param k The number of donors for a value. If fewer rows can be donors, all of them are used.
#' @param metric The distance: `"gower"` or `"euclidean"`, see below. `NULL`: `"euclidean"` if all
#'   columns are numeric, otherwise `"gower"`.
#' @param aggregate The aggregate of the values of the donors. For numbers: the `"median"`, the
#'   `"mean"`, or with `"weighted"` the mean with weights of 1 divided by the distance. For factors
#'   and logicals: the most frequent level, or with `"weighted"` the level with the largest sum of
#'   weights; the first of several such levels. With `"weighted"`, if donors at distance 0 exist,
#'   only these donors count.
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()].
#'
#' @return `x` with the same class and a value in place of each missing value. Other values are
#'   unchanged. A column of integers becomes double only if an imputed value is not whole. Only
#'   given values are donors, never imputed values. So the order of the columns does not matter, and
#'   the order of the rows matters only for equal distances, which are ordered by row.
#'
#' @section Distances:
#' Let C be the columns in which both rows have a value, and |C| their number.
#' \describe{
#'   \item{`"gower"`}{the mean over C of |x_j - y_j| / range_j for numeric columns and for the level
#'     numbers of ordered factors; 0 for equal and 1 for different values of factors and logicals.
#'     See [metric_gower()].}
#'   \item{`"euclidean"`}{sqrt(sum over C of ((x_j - y_j) / sd_j)^2 / |C|): numeric columns only}
#' }
#' Here range_j is the range, and sd_j the standard deviation, of all values of column j. A column
#' of equal values adds 0. A row cannot be a donor if C is empty. If only one column has missing
#' values and no factor is ordered, `"gower"` gives the donors of `VIM::kNN()`, except for the order
#' of equal distances.
#'
#' @section Errors:
#' Stops if a column is of another kind (the message says how to convert dates and text), if a
#' column or a row has no value, if a value is infinite, if a row has no donor for a value, if there
#' are columns that are not numeric with `"euclidean"`, and if an argument is not as described.
#'
#' @section Cost:
#' If more than ten rows miss the same columns, the donors with values in all other columns are
#' searched by a tree ([cover_tree()]), one tree for each missing column. All other pairs of a row
#' and a donor are compared by R code, O(d) for each pair. So the call is fast if few columns have
#' missing values, and takes O(n^2 d) operations if most rows have missing values.
#'
#' @references Troyanskaya, O. et al. (2001). Missing value estimation methods for DNA microarrays.
#'   *Bioinformatics* 17(6), 520-525. \doi{10.1093/bioinformatics/17.6.520}
#'
#' @seealso [knn_predict()] predicts one variable from complete columns.
#'
#' @examples
#' filled <- knn_impute(airquality, k = 5)
#' airquality[c(5, 10), ]
#' filled[c(5, 10), ]
#'
#' holes <- iris
#' holes$Species[c(1, 51, 101)] <- NA
#' holes$Sepal.Length[c(2, 52)] <- NA
#' knn_impute(holes, k = 3, aggregate = "weighted")[c(1, 2, 51, 52, 101), ]
#' @export
knn_impute <- function(x, k = 5, metric = NULL, aggregate = c("median", "mean", "weighted"), threads = NULL) {
  if (missing(x)) fail("x must be a data frame or a numeric matrix: got nothing")
  columns <- impute_columns(x)
  k <- min(check_count(k, "k"), nrow(x))
  aggregate <- check_choice(aggregate, c("median", "mean", "weighted"), "aggregate")
  threads <- check_threads(threads)
  kinds <- vapply(columns, column_kind, "")
  space <- impute_space(columns, kinds, check_impute_metric(metric, kinds, names(columns)))
  for (j in which(!space$there_all)) {
    rows <- which(!space$there[, j])
    donors <- nearest_donors(space, j, rows, k, threads)
    none <- which(is.na(donors$index[, 1]))
    if (length(none) > 0) {
      fail("x must have a donor for each missing value: row %d of column `%s` has no column in common with a row that has a value",
           rows[none[1]], names(columns)[j])
    }
    value <- donor_value(columns[[j]], donors, aggregate)
    if (is.matrix(x)) x[rows, j] <- value else x[[j]][rows] <- value
  }
  x
}

# ---- arguments ------------------------------------------------------------------------------------------

# Returns the columns as a list, with names for messages.
impute_columns <- function(x) {
  if (is.matrix(x) && (is_numeric(x) || is.logical(x)) && !is.object(x)) {
    columns <- lapply(seq_len(ncol(x)), function(j) x[, j])
    names(columns) <- if (is.null(colnames(x))) seq_len(ncol(x)) else colnames(x)
  } else {
    if (!is.data.frame(x)) fail("x must be a data frame or a numeric matrix: got %s", describe(x))
    columns <- lapply(seq_along(x), function(j) x[[j]])
    names(columns) <- names(x)
  }
  if (NROW(x) == 0 || length(columns) == 0) fail("x must have at least one row and one column: got %d x %d", NROW(x), NCOL(x))
  for (j in seq_along(columns)) check_impute_column(columns[[j]], j, names(columns)[j])
  empty <- which(rowSums(!vapply(columns, is.na, logical(NROW(x)))) == 0)
  if (length(empty) > 0) fail("x must have a value in each row: row %d has none; remove it", empty[1])
  columns
}

check_impute_column <- function(column, j, name) {
  if (is.null(column_kind(column))) {
    fail("x must have columns that are numeric, factor or logical: column %d (`%s`) is %s%s", j, name,
         describe(column), sub(" with metric_gower()", "", column_advice(column, "x", name), fixed = TRUE))
  }
  if (all(is.na(column))) fail("x must have a value in each column: column %d (`%s`) has none; remove it", j, name)
  if (any(is.infinite(column))) {
    wrong <- which(is.infinite(column))[1]
    fail("x must be finite or NA: row %d, column %d (`%s`) is %s", wrong, j, name, format(column[wrong]))
  }
}

check_impute_metric <- function(metric, kinds, names) {
  other <- which(kinds != "numeric")
  if (is.null(metric)) return(if (length(other) > 0) "gower" else "euclidean")
  metric <- check_choice(metric, c("gower", "euclidean"), "metric")
  if (metric == "euclidean" && length(other) > 0) {
    fail("metric must be \"gower\" for columns that are not numeric: got \"euclidean\", and column %d (`%s`) is %s",
         other[1], names[other[1]], with_article(kinds[other[1]]))
  }
  metric
}

# ---- donors ----------------------------------------------------------------------------------------------

# Returns list(z, column, there, there_all, metric). z [n x coordinates]: coordinates whose
# Manhattan (Gower) or Euclidean distance is the distance of the rows before the division by |C|.
# column: the column of each coordinate. there [n x columns]: whether a value is given; there_all
# [columns]: whether all values are.
impute_space <- function(columns, kinds, metric) {
  spread <- function(v) if (metric == "gower") diff(range(v, na.rm = TRUE)) else stats::sd(v, na.rm = TRUE)
  parts <- Map(function(column, kind) {
    code <- as.numeric(column)
    if (kind == "factor") return(outer(code, seq_len(nlevels(column)), `==`) / 2)
    if (kind != "logical") code <- near_one(code)
    scale <- if (kind == "logical") 1 else spread(code)
    cbind(if (isTRUE(scale > 0)) code / scale else 0 * code)
  }, columns, kinds)
  there <- !vapply(columns, is.na, logical(length(columns[[1]])))
  dim(there) <- c(length(columns[[1]]), length(columns))
  list(z = unname(do.call(cbind, parts)), column = rep(seq_along(parts), vapply(parts, ncol, 0L)), there = there,
       there_all = colSums(there) == nrow(there), metric = metric)
}

few_rows <- 10 # for up to this number of rows with the same missing columns, no tree is built

# Returns the values divided by a power of 2, which rounds nothing: the spread of the largest
# possible values is finite, and that of the smallest is not 0.
near_one <- function(value) {
  largest <- max(abs(value), na.rm = TRUE)
  if (largest == 0) value else value / 2^min(max(floor(log2(largest)), -1022), 1022)
}

# Returns the k nearest donors of column j for `rows`, as `index` and `distance` [rows x k].
nearest_donors <- function(space, j, rows, k, threads) {
  index <- matrix(NA_integer_, length(rows), k)
  distance <- matrix(NA_real_, length(rows), k)
  donors <- which(space$there[, j])
  pattern <- apply(space$there[rows, , drop = FALSE], 1, function(there) paste(which(there), collapse = " "))
  for (group in split(seq_along(rows), pattern)) {
    from <- rows[group]
    common <- which(space$there[from[1], ])
    missed <- rowSums(!space$there[donors, common, drop = FALSE]) > 0
    if (length(from) <= few_rows) missed[] <- TRUE
    by_tree <- if (!all(missed)) tree_donors(space, from, donors[!missed], common, k, threads)
    for (i in seq_along(from)) {
      found <- scanned_donors(space, from[i], donors[missed], common)
      all <- list(index = c(by_tree$index[i, ], found$index), distance = c(by_tree$distance[i, ], found$distance))
      nearest <- utils::head(order(all$distance, all$index), k)
      index[group[i], seq_along(nearest)] <- all$index[nearest]
      distance[group[i], seq_along(nearest)] <- all$distance[nearest]
    }
  }
  list(index = index, distance = distance)
}

# Returns the nearest of the donors that have all of the columns `common`.
tree_donors <- function(space, from, donors, common, k, threads) {
  z <- space$z[, space$column %in% common, drop = FALSE]
  metric <- if (space$metric == "gower") "manhattan" else "euclidean"
  tree <- cover_tree(z[donors, , drop = FALSE], metric = metric, threads = threads)
  near <- knn_query(tree, z[from, , drop = FALSE], k = min(k, length(donors)), threads = threads)
  list(index = array(donors[near$index], dim(near$index)),
       distance = per_column(near$distance, length(common), space$metric))
}

# Returns the donors that have at least one of the columns `common`, with their distances from row
# `from`.
scanned_donors <- function(space, from, donors, common) {
  sum <- numeric(length(donors))
  for (c in which(space$column %in% common)) {
    gap <- abs(space$z[donors, c] - space$z[from, c])
    gap[is.na(gap)] <- 0
    sum <- sum + if (space$metric == "gower") gap else gap^2
  }
  count <- rowSums(space$there[donors, common, drop = FALSE])
  distance <- per_column(if (space$metric == "gower") sum else sqrt(sum), count, space$metric)
  list(index = donors[count > 0], distance = distance[count > 0])
}

per_column <- function(distance, count, metric) distance / if (metric == "gower") count else sqrt(count)

# Returns the values to impute: the aggregate of the values of the donors.
donor_value <- function(column, donors, aggregate) {
  weight <- neighbor_weights(donors$distance, if (aggregate == "weighted") "inverse" else "uniform")
  if (is.factor(column)) {
    votes <- class_votes(donors$index, as.integer(column), nlevels(column), weight)
    return(factor_like(max.col(votes, "first"), column))
  }
  if (is.logical(column)) {
    return(max.col(class_votes(donors$index, column + 1L, 2, weight), "first") == 2)
  }
  value <- array(as.double(column)[donors$index], dim(donors$index))
  if (aggregate == "median") {
    value <- apply(value, 1, stats::median, na.rm = TRUE)
  } else {
    value[is.na(donors$index)] <- 0
    value <- weighted_rows(value, weight)
  }
  if (is.integer(column) && all(value == trunc(value))) as.integer(value) else value
}
