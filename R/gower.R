# The Gower distance of data frames.

#' @rdname metrics
#' @export
metric_gower <- function(weights = NULL, na = NULL) {
  if (!is.null(na) && !identical(na, "scan")) fail("na must be NULL or \"scan\": got %s", describe(na))
  if (!is.null(weights)) {
    if (!is_numeric(weights) || length(weights) == 0 || !is.null(dim(weights))) {
      fail("weights must be NULL or a number for each column: got %s", describe(weights))
    }
    wrong <- which(!is.finite(weights) | weights < 0)
    if (length(wrong) > 0) {
      fail("weights must be finite and at least 0: element %d is %s", wrong[1], format(weights[wrong[1]]))
    }
    if (all(weights == 0)) fail("weights must have a value above 0: got only zeros")
    weights <- stats::setNames(as.double(weights), names(weights))
  }
  new_metric("gower", weights = weights, na = na)
}

allows_missing <- function(metric) is_gower(metric) && !is.null(metric$na)

# Returns a data frame of numeric columns, factors and logicals. `missing`: whether values may be
# missing.
check_frame <- function(x, what, missing = FALSE) {
  if (is.matrix(x)) x <- as.data.frame(if (missing) matrix_points(x, what, TRUE) else check_points(x, what, TRUE))
  if (!is.data.frame(x)) fail("%s must be a data frame or a matrix: got %s", what, describe(x))
  if (ncol(x) == 0) fail("%s must have at least one column: got none", what)
  if (nrow(x) == 0 && what == "x") fail("%s must have at least one row: got none", what)
  for (j in seq_along(x)) {
    column <- x[[j]]
    kind <- column_kind(column)
    if (is.null(kind)) {
      fail("%s must have columns that are numeric, factor or logical: column %d (`%s`) is %s%s", what, j,
           names(x)[j], describe(column), column_advice(column, what, names(x)[j]))
    }
    wrong <- which(if (missing) is.infinite(column) else if (kind == "numeric") !is.finite(column) else is.na(column))
    if (length(wrong) > 0) {
      fail(if (missing) "%s must be finite or NA: row %d, column %d (`%s`) is %s" else
             paste("%s must be finite and without missing values, with which the Gower coefficient is not a",
                   "metric (na = \"scan\" compares all pairs by the columns that both rows have): row %d,",
                   "column %d (`%s`) is %s"), what, wrong[1], j, names(x)[j], format(column[wrong[1]]))
    }
  }
  rownames(x) <- NULL
  structure(as.list(x), class = "data.frame", names = names(x), row.names = seq_len(nrow(x)))
}

# The kind of a column: "numeric", "logical", "factor", "ordered"; NULL for any other column.
column_kind <- function(column) {
  if (!is.null(dim(column))) NULL
  else if (is.factor(column)) if (is.ordered(column)) "ordered" else "factor"
  else if (is.logical(column)) "logical"
  else if (is_numeric(column) && !is.object(column)) "numeric"
}

# Returns list(columns, kinds, levels, share, factor), an element for each column: the name; the
# kind; the levels; the share in the sum of weights; the factor of its values, share / range.
fit_gower <- function(x, weights) {
  weights <- if (is.null(weights)) rep(1, ncol(x)) else by_column(weights, x, "weights", "x")
  if (is.infinite(sum(weights))) weights <- weights / max(weights)
  share <- weights / sum(weights)
  kinds <- vapply(x, column_kind, "", USE.NAMES = FALSE)
  width <- vapply(seq_along(x), function(j) {
    if (kinds[j] %in% c("factor", "logical")) return(1)
    present <- as.numeric(x[[j]])
    present <- present[!is.na(present)]
    if (length(present) == 0) return(0)
    width <- max(present) - min(present)
    if (is.infinite(width)) {
      fail("x must have columns with a finite range: column %d (`%s`) has %g to %g", j, names(x)[j], min(present),
           max(present))
    }
    width
  }, 0)
  list(columns = names(x), kinds = kinds, levels = lapply(x, levels), share = share,
       factor = ifelse(width > 0, share / width, 0))
}

gower_coordinates <- function(x, fit, what) {
  parts <- lapply(seq_along(x), function(j) {
    column <- x[[j]]
    levels <- fit$levels[[j]]
    if (fit$kinds[j] %in% c("numeric", "logical")) return(as.numeric(column) * fit$factor[j])
    code <- match(as.character(column), levels)
    if (fit$kinds[j] == "ordered") return(code * fit$factor[j])
    if (length(levels) < 3) return((code - 1) * fit$factor[j])
    outer(code, seq_along(levels), `==`) * (fit$factor[j] / 2)
  })
  z <- matrix(as.double(unlist(parts)), nrow(x))
  z[is.na(z)] <- 0
  z
}

# Returns a query with its columns in the order of the tree. Stops if names, kinds or levels differ.
match_frame <- function(query, fit) {
  if (ncol(query) != length(fit$columns)) {
    fail("query must have as many columns as the tree, %d: got %d", length(fit$columns), ncol(query))
  }
  query <- match_columns(query, fit$columns, "query", "the tree")
  for (j in seq_along(query)) {
    kind <- column_kind(query[[j]])
    if (kind != fit$kinds[j]) {
      fail("query must have the kinds of columns of the tree: column `%s` must be %s: got %s",
           fit$columns[j], fit$kinds[j], kind)
    }
    if (!kind %in% c("factor", "ordered")) next
    unseen <- which(!as.character(query[[j]]) %in% c(fit$levels[[j]], NA))
    if (length(unseen) > 0) {
      fail("query must have the levels of the tree's factors: row %d of column `%s` is \"%s\"",
           unseen[1], fit$columns[j], as.character(query[[j]][unseen[1]]))
    }
  }
  query
}

# ---- missing values -------------------------------------------------------------------------------

# Whether searches of a tree compare all pairs, because values may be missing.
is_scanned <- function(tree) allows_missing(tree$space$metric)

# Returns the list that src/core/metric/gower.h needs. values [n x columns]: values times weight /
# range, or codes of levels; NA if missing. weights [columns]. nominal [columns]: whether the column
# has codes.
gower_values <- function(x, fit) {
  values <- vapply(seq_along(x), function(j) {
    column <- x[[j]]
    if (fit$kinds[j] == "numeric") return(as.numeric(column) * fit$factor[j])
    if (fit$kinds[j] == "logical") return(as.numeric(column))
    code <- as.numeric(match(as.character(column), fit$levels[[j]]))
    if (fit$kinds[j] == "ordered") code * fit$factor[j] else code
  }, numeric(nrow(x)))
  dim(values) <- c(nrow(x), length(x))
  list(tree = NULL, values = values, weights = fit$share, nominal = fit$kinds %in% c("factor", "logical"))
}

# The values of a query [m x columns], or NULL for the tree's own points.
gower_query <- function(query, tree) {
  if (is.null(query)) return(NULL)
  space <- tree$space
  query <- match_query(check_metric_points(query, space$metric, "query"), tree)
  gower_values(query, space$fit)$values
}

# See euclidean_search(). All answers are exact.
gower_search <- function(tree, query, k, options) {
  if (!is.null(options$budget)) {
    fail("budget must be NULL with metric_gower(na = \"scan\"), whose searches compare all pairs: got a budget()")
  }
  points <- gower_values(tree$space$x, tree$space$fit)
  query <- gower_query(query, tree)
  start <- proc.time()[["elapsed"]]
  list(
    queries = nrow(if (is.null(query)) points$values else query),
    exact = function(rows) .Call(r_scan_knn, points, query, rows, k, options),
    distance = function(rows, index) gower_distance(points, query, rows, index),
    stats = function(found) scan_stats(found, nrow(points$values), start)
  )
}

# The distances [m x k] of the queries `rows` [m] to the points `index` [m x k].
gower_distance <- function(points, query, rows, index) {
  from <- if (is.null(query)) points$values else query
  sum <- total <- 0
  for (j in seq_along(points$weights)) {
    gap <- abs(points$values[index, j] - from[rows[row(index)], j])
    if (points$nominal[j]) gap <- points$weights[j] * (gap > 0)
    there <- !is.na(gap)
    sum <- sum + ifelse(there, gap, 0)
    total <- total + points$weights[j] * there
  }
  array(ifelse(total > 0, sum / total, NA), dim(index))
}
