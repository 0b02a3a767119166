# The Gower distance of data frames.

#' @rdname metrics
#' @export
metric_gower <- function(weights = NULL) {
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
  new_metric("gower", weights = weights)
}

# A data frame of numeric columns, factors and logicals without missing values.
check_frame <- function(x, what) {
  if (is.matrix(x)) x <- as.data.frame(check_points(x, what, empty = TRUE))
  if (!is.data.frame(x)) fail("%s must be a data frame or a matrix: got %s", what, describe(x))
  if (ncol(x) == 0) fail("%s must have at least one column: got none", what)
  if (nrow(x) == 0 && what == "x") fail("%s must have at least one row: got none", what)
  for (j in seq_along(x)) {
    column <- x[[j]]
    kind <- column_kind(column)
    if (is.null(kind)) {
      fail("%s must have columns that are numeric, factor or logical: column %d (`%s`) is %s", what, j,
           names(x)[j], describe(column))
    }
    wrong <- if (kind == "numeric") which(!is.finite(column)) else which(is.na(column))
    if (length(wrong) > 0) {
      fail(paste("%s must be finite and without missing values, with which the Gower coefficient is not a",
                 "metric: row %d, column %d (`%s`) is %s"), what, wrong[1], j, names(x)[j],
           format(column[wrong[1]]))
    }
  }
  rownames(x) <- NULL
  structure(as.list(x), class = "data.frame", names = names(x), row.names = seq_len(nrow(x)))
}

# NULL for columns of another kind.
column_kind <- function(column) {
  if (!is.null(dim(column))) NULL
  else if (is.factor(column)) if (is.ordered(column)) "ordered" else "factor"
  else if (is.logical(column)) "logical"
  else if (is_numeric(column) && !is.object(column)) "numeric"
}

# For each column its kind; its levels; the factor by which its values are multiplied, weight over
# range.
fit_gower <- function(x, weights) {
  weights <- if (is.null(weights)) rep(1, ncol(x)) else by_column(weights, x, "weights", "x")
  share <- weights / sum(weights)
  kinds <- vapply(x, column_kind, "", USE.NAMES = FALSE)
  width <- vapply(seq_along(x), function(j) {
    if (kinds[j] %in% c("factor", "logical")) return(1)
    range <- range(as.numeric(x[[j]]))
    range[2] - range[1]
  }, 0)
  list(columns = names(x), kinds = kinds, levels = lapply(x, levels),
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
  matrix(as.double(unlist(parts)), nrow(x))
}

# A query has the columns of the tree: by name, with their kinds and levels.
check_gower_query <- function(query, fit) {
  query <- check_frame(query, "query")
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
    unseen <- which(!as.character(query[[j]]) %in% fit$levels[[j]])
    if (length(unseen) > 0) {
      fail("query must have the levels of the tree's factors: row %d of column `%s` is \"%s\"",
           unseen[1], fit$columns[j], as.character(query[[j]][unseen[1]]))
    }
  }
  query
}
