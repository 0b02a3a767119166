#' Find the k nearest neighbors of many points
#'
#' Finds, for each query point, the k points of a tree with the smallest distances. The answer is
#' exact, and equal distances are ordered by row, unless `recall`, `epsilon` or `budget` permit
#' less.
#'
#' @param tree A tree from [cover_tree()].
#' @param query The query points: a matrix or data frame with the columns of the tree's points
#'   and a row for each of the m queries; m may be 0, and columns without rows may be logical. If
#'   both have column names, columns are matched by name, and a message of class
#'   `covertree_reordered` reports a different order; otherwise they are matched by position. `NULL`:
#'   the queries are the tree's own points. An own point is not its own neighbor, but a duplicate of it
#'   in another row is.
#' @param k The number of neighbors.
#' @param rows The queries, as row numbers of the tree's own points: whole numbers from 1 to n, in
#'   any order, with repetitions if needed. The result has a row for each, in this order: that row
#'   of the result for all points. `NULL`: all points; a vector without elements: no queries. Not with
#'   `query`.
#' @param predecessor Whether the neighbors of each of the tree's own points must be in rows before
#'   its own, as for a Vecchia approximation: row i has at most i - 1 neighbors. Not with `query`.
#'   The first such query of a tree of more than 1,024 points also builds trees of the first n/2,
#'   n/4, ... rows. They are kept in memory with the tree, take about as much memory as the tree
#'   itself, and are not saved.
#' @param recall The share of the true neighbors to find, at least: above 0 and at most 1, which
#'   is the default and exact. Below 1, the search stops early; how early is determined on a
#'   sample of the queries, which are also answered exactly.
#' @param epsilon The permitted relative error of the distances: each neighbor is within
#'   (1 + `epsilon`) times the distance of the true neighbor of the same rank. By residual
#'   correlation the answer is exact nevertheless.
#' @param budget A [budget()], or the limits of one: the number of points whose distance may be
#'   evaluated for a query.
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()].
#'   The answer is the same for any number.
#' @param max_pairs The largest number of pairs (a query and a neighbor) that the result may have,
#'   including repeated `rows`, and the padding if k exceeds the number of points: one number, or
#'   `Inf`. `NULL` for as many as fit into half of the available memory; see [radius_query()].
#' @param control A [knn_control()]: the settings of the search that do not change an exact answer,
#'   such as the random seed, statistics and progress.
#'
#' @return A list of class `covertree_knn` with
#'   \describe{
#'     \item{`index`}{m x k integer matrix: rows of the data from which the tree was built, nearest
#'       first; a row for each of the m queries}
#'     \item{`distance`}{m x k double matrix: their distances, Euclidean unless the tree has
#'       another metric}
#'   }
#'   and attributes
#'   \describe{
#'     \item{`exact`}{`TRUE`, unless the search was permitted less}
#'     \item{`recall`, `evaluations`}{only if not exact: the share of the neighbors found for the
#'       sample, with the limits of a 95% interval, and the mean number of distances or
#'       correlations evaluated per query}
#'     \item{`budget`, `epsilon`, `rows`}{as given}
#'     \item{`no_residual`, `reason`}{only by residual correlation: the share of the queries that have
#'       no residual variance and are answered by distance in space (see [residual_correlation()]),
#'       and, if it is above 0, a sentence with their number and the reasons}
#'     \item{`stats`}{with `control = knn_control(stats = TRUE)`: see [knn_stats()]}
#'   }
#'   If there are fewer than k points to find, both matrices are padded with `NA`; that is not an
#'   error. Without queries (no rows in `query`, or `rows = integer()`), both are 0 x k, and the
#'   answer is exact.
#'
#'   `as.data.frame()` returns the long form without the padding: the columns are `query` (the number
#'   of the query; with `rows`, the row number of the point), `neighbor`, `rank` and `distance`.
#'
#' @section By residual correlation:
#' If the metric of the tree is a [residual_correlation()], the exact search compares every query
#' with every point (or predecessor), n^2 multiplications for each inducing point: no bound is known
#' that would exclude points, but most comparisons need little precision. With `recall` below 1,
#' the points are evaluated in the order of their distance in space, until many consecutive ones
#' are not among the k nearest; how many is determined on a sample.
#'
#' A query without residual variance is answered by distance in space, exactly, in every kind of
#' search. Its neighbors count as found in the recall of the other queries. If all queries are of this
#' kind, the attribute `exact` is `TRUE`.
#'
#' @section Search to a stated recall:
#' A random sample of the queries is answered exactly, and with increasing effort, until the mean
#' recall exceeds the target by three standard errors; then all queries are answered with that
#' effort. The sample has 1,000 queries, or 2 / (1 - `recall`) if that is more: 2,000 for 0.999. If
#' fewer than ten of them miss a neighbor, the standard error is taken to be at least that of one
#' query that misses half of its neighbors. Another 500 queries are answered exactly; the stated
#' recall is measured on these. If there are not more queries than that, or if no effort reaches the
#' target, the answer is exact, and its attribute `exact` is `TRUE`.
#'
#' The answer to a query does not depend on the other queries, except through the effort, and not
#' on `threads` or `block_size`. For the tree's own points, the effort is kept with the tree
#' until its metric changes; for a `query` it is determined in each call. With `rows`, the effort
#' and the stated recall are those for all of the tree's own points, also with `epsilon` or `budget`;
#' for rows that are not a random sample of these, such as outliers, use [recall_of()]. The
#' first such call therefore takes longer, and the following ones only answer their queries. The same
#' seed gives the same answer. [recall_of()] with another seed measures any answer on other queries.
#'
#' @section Errors:
#' Stops if `query` is not numeric and finite or has other columns than the tree, by number
#' or by name; if `rows` holds anything but row numbers of the tree; if `k` is not one whole number
#' of at least 1; if `recall` is not a share; if the squared distances between `query` and the tree's
#' points would overflow; and if the result would have more than `max_pairs` pairs, of 12 bytes each.
#'
#' @seealso [radius_query()] for all points within a distance.
#'
#' @examples
#' x <- as.matrix(quakes[, 1:3])
#' tree <- cover_tree(x)
#' knn <- knn_query(tree, k = 3)
#' knn
#' head(as.data.frame(knn))
#'
#' knn_query(tree, query = rbind(c(-20, 180, 100)), k = 2)
#' knn_query(tree, rows = c(1000, 1), k = 2)
#' @export
knn_query <- function(tree, query = NULL, k = 10, rows = NULL, predecessor = FALSE, recall = 1,
                      epsilon = 0, budget = NULL, threads = NULL, max_pairs = NULL,
                      control = knn_control()) {
  check_tree(tree)
  k <- check_count(k, "k")
  recall <- check_share(recall, "recall")
  epsilon <- check_amount(epsilon, "epsilon")
  budget <- check_budget(budget)
  if ((recall < 1) + (epsilon > 0) + (!is.null(budget)) > 1) {
    fail("recall, epsilon and budget are three ways to ask for less than all: give one of them")
  }
  control <- check_control(control)
  options <- search_options(control, threads, predecessor, epsilon, budget)
  scan <- control$search == "scan" && is.null(tree$metric)
  if (scan && !is.null(budget)) fail("budget needs the tree: search must not be \"scan\"")
  queries <- count_queries(query, rows, length(tree))
  check_pairs(queries, k, length(tree), options$threads, check_max_pairs(max_pairs))
  rows <- check_rows(rows, length(tree))
  distinct <- if (!is.null(rows)) sort(unique(rows))
  call <- search_for(tree, query, k, options)
  none <- if (!is.null(tree$metric)) call$no_residual(rows)
  found <- if (queries == 0 || identical(none$share, 1)) call$exact(distinct)
           else if (recall < 1 && !scan) search_to_recall(call, recall, control$seed, distinct)
           else if (!is.null(budget)) search_within(call, control$seed, distinct)
           else if (epsilon > 0 && is.null(tree$metric) && !scan) {
             search_within(call, control$seed, distinct)
           }
           else call$exact(distinct)
  result <- found[c("index", "distance")]
  if (!identical(rows, distinct)) result <- lines_of(result, match(rows, distinct))
  knn <- structure(result, class = "covertree_knn", exact = is.null(found$recall))
  if (!is.null(found$recall)) attributes(knn) <- c(attributes(knn), found[c("recall", "evaluations")])
  attr(knn, "budget") <- budget
  if (epsilon > 0 && !is.null(found$recall)) attr(knn, "epsilon") <- epsilon
  attr(knn, "rows") <- rows
  attributes(knn) <- c(attributes(knn), no_residual_attributes(none))
  if (control$stats) attr(knn, "stats") <- call$stats(found)
  knn
}

# The search of a call: its queries are the tree's own points or the points in `query`.
search_for <- function(tree, query, k, options) {
  if (options$predecessor && !is.null(query)) {
    fail("predecessor = TRUE is for the tree's own points, which have rows: query must be NULL, not %s",
         describe(query))
  }
  if (is.null(tree$metric)) euclidean_search(tree, query, k, options)
  else residual_search(tree, query, k, options)
}

# A search as search_to_recall() uses it: functions of `rows`, the numbers of some queries
# (ascending, each once), or NULL for all queries. With epsilon the core processes each query
# alone, so that its answer does not depend on the other queries.
euclidean_search <- function(tree, query, k, options) {
  pointer <- tree$pointer
  query <- check_query(query, pointer)
  some <- function(rows) if (is.null(rows) || is.null(query)) query else query[rows, , drop = FALSE]
  go <- function(rows, epsilon = options$epsilon, budget = options$budget, stats = options$stats) {
    options$stats <- stats
    options$epsilon <- epsilon
    options["budget"] <- list(budget)
    .Call(r_knn, pointer, some(rows), if (is.null(query)) rows, k, options)
  }
  list(
    queries = if (is.null(query)) nrow(.Call(r_tree_arrays, pointer)$points) else nrow(query),
    key = if (is.null(query)) list(k, options$predecessor),
    limits = c(options$epsilon, unlist(options$budget)),
    cache = if (is.null(query)) cache_of(tree),
    exact = function(rows) go(rows, 0, NULL),
    within = function(rows) add_evaluated(go(rows, stats = TRUE)),
    # Values of epsilon, in increasing order of recall: a box is searched only if it is nearer than
    # the k-th neighbor so far by the factor 1 + epsilon.
    efforts = c(4, 2, 1.4, 1, 0.7, 0.5, 0.35, 0.25, 0.18, 0.13, 0.09, 0.06, 0.04, 0.02),
    attempt = function(rows, effort, sample) add_evaluated(go(rows, effort, stats = TRUE)),
    distance = function(rows, index) {
      points <- as.matrix(tree)
      row_distance((if (is.null(query)) points else query)[rows, , drop = FALSE], points, index)
    },
    stats = function(found) new_stats(found$stats, nrow(found$index), found$evaluated)
  )
}

# The distances of queries [m x d] to the rows `index` [m x k] of points, NA where a row is NA.
row_distance <- function(query, points, index) {
  sum <- 0
  for (j in seq_len(ncol(query))) sum <- sum + (points[index, j] - query[row(index), j])^2
  array(sqrt(sum), dim(index))
}

# Adds the mean number of points evaluated per query. Without a budget, these are the points of
# the tiles scanned.
add_evaluated <- function(found) {
  if (is.null(found$evaluated)) found$evaluated <- 16 * found$stats$counts[["tiles"]] / nrow(found$index)
  found
}

#' @export
format.covertree_knn <- function(x, ...) {
  size <- dim(x$index)
  sprintf("<knn: %d nearest neighbor%s of %s quer%s, %s%s>", size[2], plural(size[2]),
          format(size[1], big.mark = ","), if (size[1] == 1) "y" else "ies",
          if (isTRUE(attr(x, "exact"))) "exact" else approximate_label(attr(x, "recall")),
          no_residual_label(attr(x, "no_residual")))
}

approximate_label <- function(recall) {
  if (is.null(recall)) return("approximate")
  sprintf("recall %.4f (%.4f to %.4f)", recall[1], recall[2], recall[3])
}

#' @export
print.covertree_knn <- function(x, n = 6, ...) {
  cat(c(format(x), attr(x, "reason")), sep = "\n")
  rows <- seq_len(min(n, nrow(x$index)))
  columns <- seq_len(min(10, ncol(x$index)))
  cat("$index\n")
  print(x$index[rows, columns, drop = FALSE])
  cat("$distance\n")
  print(x$distance[rows, columns, drop = FALSE], digits = 4)
  if (length(rows) < nrow(x$index) || length(columns) < ncol(x$index)) {
    cat(sprintf("(%d of %d rows, %d of %d columns)\n", length(rows), nrow(x$index),
                length(columns), ncol(x$index)))
  }
  invisible(x)
}

#' @export
as.data.frame.covertree_knn <- function(x, ...) {
  found <- !is.na(t(x$index))
  query <- col(found)[found]
  if (!is.null(attr(x, "rows"))) query <- attr(x, "rows")[query]
  data.frame(query = query, neighbor = t(x$index)[found], rank = row(found)[found],
             distance = t(x$distance)[found])
}
