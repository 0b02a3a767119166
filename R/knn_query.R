#' Find the k nearest neighbors of many points
#'
#' Exact: the k smallest by distance, and by row where distances are equal.
#'
#' @param tree A tree from [cover_tree()].
#' @param query The points whose neighbors are sought: a matrix or data frame
#'   with the columns of the tree's points. Where both have column names, columns are
#'   matched by name: in another order, they are put in order with a message of class
#'   `covertree_reordered`. Where one has none, they are matched by position. `NULL` asks for the neighbors of
#'   the tree's own points, each among the others: a point is not its own
#'   neighbor, but a duplicate of it in another row is.
#' @param k The number of neighbors.
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()].
#'   The answer is the same for any number.
#' @param search `"tree"` uses the index; `"scan"` compares every query with
#'   every point; `"auto"` uses the index, and scans where the index excludes too
#'   little to pay, as with points of many independent dimensions. All three give
#'   the same answer, unless less than that is asked for; a scan is exact even then,
#'   and has no use for a budget.
#' @param block_size How many neighboring queries go through the tree together,
#'   at most 64; `NULL` lets the search choose as it goes. It changes speed, never
#'   answers.
#' @param predecessor Whether each of the tree's own points is to find only points
#'   in rows before its own, as the neighbors of a Vecchia approximation: the
#'   first row finds none, row i at most i - 1. Not with `query`. The first such query of
#'   a tree of more than 1,024 points also builds trees of the first n/2, n/4, ... rows. They
#'   are kept in memory with the tree, take about as much memory as the tree itself, and
#'   are not saved.
#' @param recall The share of the true neighbors to find, at least: above 0, and at
#'   most 1, which is the default and exact. With less, the search stops early, as
#'   early as a sample of the queries, which are also answered exactly, allows.
#' @param epsilon Neighbors may be farther than the true ones by this share: each is
#'   within (1 + `epsilon`) times the distance of the true neighbor of its rank. By
#'   residual correlation the answer is exact nevertheless.
#' @param budget A [budget()], or the limits of one: the points whose distance may be
#'   evaluated for a query.
#' @param seed The random seed for that sample; R's own random numbers are left alone.
#' @param stats Whether to attach what the search did, as attribute `stats`.
#' @param progress Whether to tell on the console how far a long call has got.
#' @param max_pairs The largest number of pairs (a query and a neighbor) that the result
#'   may have, with the padding where k is larger than the number of points: one number, or
#'   `Inf`. `NULL` for as many as half of the available memory holds; see [radius_query()].
#'
#' @return A list of class `covertree_knn` with
#'   \describe{
#'     \item{`index`}{m x k integer matrix: rows of the data that the tree was
#'       built from, nearest first; a row for each of the m queries}
#'     \item{`distance`}{m x k double matrix: their distances, Euclidean ones unless the
#'       tree has another metric}
#'   }
#'   and attribute `exact`, which is `TRUE` unless less was asked for. Otherwise it is `FALSE`,
#'   and there are attributes `recall`, the share of the neighbors found for the sample,
#'   with the limits of a 95% interval, and `evaluations`, the mean number of distances
#'   or correlations evaluated for a query, and `budget` or `epsilon` as given. With
#'   `stats = TRUE` there is also an attribute `stats`; see [knn_stats()]. Where there are
#'   fewer than k points to find, both are padded with `NA`; that is not an error.
#'   `as.data.frame()` turns the result into long form, with columns `query`,
#'   `neighbor`, `rank` and `distance`, without the padding.
#'
#' @section By residual correlation:
#' In a tree whose metric is a [residual_correlation()], the exact search compares every
#' query with every point (or predecessor): no bound is known that would spare it that
#' work, only much of the precision. It takes n^2 multiplications for each inducing point.
#' With `recall` below 1, the points around a query are met in the order of their
#' distance in space, until long enough none has come among the k best; how long is
#' found out on a sample.
#'
#' @section Search to a stated recall:
#' Some queries, drawn at random, are answered exactly and with rising effort, until the
#' mean recall is above the target by three standard errors; then all are answered with
#' that effort. There are 1,000 of them, or 2 / (1 - `recall`) if that is more: 2,000 for
#' 0.999. Where fewer than ten of them missed any neighbor, a standard error is taken to
#' be at least that of one query which misses half of its neighbors. 500 more queries are
#' answered exactly and kept apart: the recall that is stated is that of these. Where there
#' are no more queries than that, or no effort reaches the target, the answer is exact, and
#' says so. What is found for a query does not depend on the others, on threads or on
#' `block_size`. For the tree's own points what the sample taught is kept with the tree,
#' until its metric changes. The same seed gives the same answer. [recall_of()] with another
#' seed measures any answer, on other queries.
#'
#' @section Errors:
#' Stops if `query` is not numeric and finite or has other columns than the tree, by number
#' or by name, if `k` is not one whole number of at least 1, if `recall` is not a
#' share, if the squared distances of `query` to the tree's points would overflow, and if
#' the result would have more than `max_pairs` pairs, of 12 bytes each.
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
#' @export
knn_query <- function(tree, query = NULL, k = 10, threads = NULL, search = c("auto", "tree", "scan"),
                      block_size = NULL, predecessor = FALSE, recall = 1, epsilon = 0,
                      budget = NULL, seed = 1, stats = FALSE, progress = interactive(),
                      max_pairs = NULL) {
  check_tree(tree)
  k <- check_count(k, "k")
  recall <- check_share(recall, "recall")
  seed <- check_seed(seed)
  epsilon <- check_amount(epsilon, "epsilon")
  budget <- check_budget(budget)
  if ((recall < 1) + (epsilon > 0) + (!is.null(budget)) > 1) {
    fail("recall, epsilon and budget are three ways to ask for less than all: give one of them")
  }
  how <- check_how(search, block_size, threads, stats, progress, predecessor, epsilon, budget)
  scan <- how[[1]] == 2L && is.null(tree$metric)
  if (scan && !is.null(budget)) fail("budget needs the tree: search must not be \"scan\"")
  check_pairs(if (is.null(query)) length(tree) else NROW(query), k, length(tree), how[[4]],
              check_max_pairs(max_pairs))
  call <- search_for(tree, query, k, how)
  found <- if (recall < 1 && !scan) search_to_recall(call, recall, seed)
           else if (!is.null(budget)) search_within(call, seed)
           else if (epsilon > 0 && is.null(tree$metric) && !scan) search_within(call, seed)
           else call$exact(NULL)
  knn <- structure(found[c("index", "distance")], class = "covertree_knn",
                   exact = is.null(found$recall))
  if (!is.null(found$recall)) attributes(knn) <- c(attributes(knn), found[c("recall", "evaluations")])
  attr(knn, "budget") <- budget
  if (epsilon > 0 && !is.null(found$recall)) attr(knn, "epsilon") <- epsilon
  if (stats) attr(knn, "stats") <- call$stats(found)
  knn
}

search_for <- function(tree, query, k, how) {
  if (how[[7]] && !is.null(query)) {
    fail("predecessor = TRUE is for the tree's own points, which have rows: query must be NULL, not %s",
         describe(query))
  }
  if (is.null(tree$metric)) euclidean_search(tree, query, k, how)
  else residual_search(tree, query, k, how)
}

# A search as search_to_recall() uses it: functions of the rows of some queries, or
# NULL for all. With epsilon the core answers each query alone, so that it finds the same
# whichever others there are.
euclidean_search <- function(tree, query, k, how) {
  pointer <- tree$pointer
  query <- check_query(query, pointer)
  some <- function(rows) if (is.null(rows) || is.null(query)) query else query[rows, , drop = FALSE]
  go <- function(rows, epsilon = how[[8]], budget = how[[9]], stats = how[[5]]) {
    how[[5]] <- stats
    how[[8]] <- epsilon
    how[9] <- list(budget)
    .Call(r_knn, pointer, some(rows), if (is.null(query)) rows, k, how)
  }
  list(
    queries = if (is.null(query)) nrow(.Call(r_tree_arrays, pointer)$points) else nrow(query),
    key = if (is.null(query)) list(k, how[[7]]),
    cache = if (is.null(query)) cache_of(tree),
    exact = function(rows) go(rows, 0, NULL),
    within = function() met_points(go(NULL, stats = TRUE)),
    # Boxes must be nearer than the k-th neighbor so far, by such a factor.
    efforts = c(4, 2, 1.4, 1, 0.7, 0.5, 0.35, 0.25, 0.18, 0.13, 0.09, 0.06, 0.04, 0.02),
    attempt = function(rows, effort, sample) met_points(go(rows, effort, stats = TRUE)),
    distance = function(rows, index) {
      points <- as.matrix(tree)
      q <- (if (is.null(query)) points else query)[rows, , drop = FALSE]
      sum <- 0
      for (j in seq_len(ncol(q))) sum <- sum + (points[index, j] - q[row(index), j])^2
      array(sqrt(sum), dim(index))
    },
    stats = function(found) new_stats(found$tally, nrow(found$index), found$evaluated)
  )
}

# Without a budget, the points met are those of the tiles that were.
met_points <- function(found) {
  if (is.null(found$evaluated)) found$evaluated <- 16 * found$tally$counts[6] / nrow(found$index)
  found
}

#' @export
format.covertree_knn <- function(x, ...) {
  size <- dim(x$index)
  sprintf("<knn: %d nearest neighbor%s of %s quer%s, %s>", size[2], plural(size[2]),
          format(size[1], big.mark = ","), if (size[1] == 1) "y" else "ies",
          if (isTRUE(attr(x, "exact"))) "exact" else approximate_label(attr(x, "recall")))
}

approximate_label <- function(recall) {
  if (is.null(recall)) return("approximate")
  sprintf("recall %.4f (%.4f to %.4f)", recall[1], recall[2], recall[3])
}

#' @export
print.covertree_knn <- function(x, n = 6, ...) {
  cat(format(x), "\n", sep = "")
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
  data.frame(query = col(found)[found], neighbor = t(x$index)[found], rank = row(found)[found],
             distance = t(x$distance)[found])
}
