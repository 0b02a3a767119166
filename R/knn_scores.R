#' Outlier factors, densities and intrinsic dimension
#'
#' Scores of points that follow from the distances of their k nearest neighbors: `knn_lof()` returns
#' the local outlier factor, `knn_density()` an estimate of the probability density, and
#' `knn_dimension()` an estimate of the intrinsic dimension.
#'
#' @param x A tree of n points, or n points in any form that [cover_tree()] takes; for `knn_lof()`
#'   and `knn_dimension()`, also a forest ([cover_forest()]) or a result of [knn_query()] for all
#'   own points of a tree.
#' @param k The number of neighbors, below n; with `query`, at most n; at least 2 for `knn_density()`
#'   and `knn_dimension()`. If `x` is a result of [knn_query()], at most its number of neighbors,
#'   which is also the default.
#' @param query The points at which `knn_density()` estimates the density \[m x d\]; `NULL`: the
#'   points of `x`. A point of `x` is left out of its own estimate.
#' @param log Whether to return the logarithm of the density, which does not overflow or underflow
#'   in many dimensions.
#' @param local Whether to return an estimate for each point instead of one for all points.
#' @param metric The distance, as in [cover_tree()], also for the default of an sf object. Must not be
#'   given if `x` is a tree or a result.
#'
#' @return A double vector: one value for each point, or for each query; for
#'   `knn_dimension(local = FALSE)`, one number.
#'
#' @section Definitions:
#' With r_j(x), the distance of the j-th neighbor of x:
#' \describe{
#'   \item{Local outlier factor}{The neighborhood N(x) contains all points at a distance of at most
#'     r_k(x); with equal distances, these are more than k. The reachability of x from y is the
#'     larger of r_k(y) and the distance of x and y. The local density l(x) is 1 / (the mean
#'     reachability of x from the points of N(x)). The factor is the mean of l(y) / l(x) for y in
#'     N(x): about 1 inside a cluster, and larger for outliers. `dbscan::lof(x, minPts = k + 1)`
#'     returns the same, except if distances are equal up to rounding only.}
#'   \item{Density}{(k - 1) / (m V r_k(x)^d), with V, the volume of the unit ball of the metric in d
#'     dimensions, and m, the number of points: n, or n - 1 for the points of `x`. Where the density
#'     is constant within the distance of the k-th neighbor, the estimate has no bias. The metric
#'     must be `"euclidean"`, `"manhattan"`, `"maximum"` or a [metric_minkowski()].}
#'   \item{Intrinsic dimension}{The maximum likelihood estimate by Levina and Bickel: for a point,
#'     1 / (the mean of log(r_k(x) / r_j(x)) for j < k). The estimate for all points is 1 / (the
#'     mean of these logarithms over all points), as MacKay and Ghahramani recommend.}
#' }
#'
#' @section Ties and duplicates:
#' All points at the distance of the k-th neighbor belong to the neighborhood of `knn_lof()`.
#' Computed distances are compared: on a grid with a step of 0.1, distances that are equal in exact
#' arithmetic can differ in the last digit, and the factors then depend on rounding. If `x`
#' is a result of [knn_query()], only the points in the result are known. A neighborhood is then
#' certain to be complete only if the last neighbor in the result is farther than the k-th.
#'
#' A point with k or more duplicates has an infinite local density. Its factor is 1, as in
#' \pkg{dbscan}; the factor of a point is infinite if a neighbor, but not the point itself, has
#' infinite local density. The estimate of `knn_density()` is infinite at such a point.
#' `knn_dimension()` leaves neighbors at distance 0 out of the means. An estimate is `NA` if no neighbor
#' is left, and infinite if all neighbors that are left have the distance r_k.
#'
#' @section Errors:
#' Stops if `x` is a result for other queries than all own points, or one with `self`, `before`,
#' `exclude` or `window`; for `knn_lof()`, if `x` is a tree after [remove_points()]; if `k` is missing
#' although `x` is not a result, is not a whole number, or is not within the limits above; if a point
#' has fewer than k neighbors, as is possible with `metric_gower(na = "scan")` and with
#' `max_distance`; if the metric has no volume for `knn_density()`; and if [cover_tree()] or
#' [knn_query()] stops.
#'
#' @section Cost:
#' The cost of [cover_tree()] and [knn_query()], and O(n k) time and memory. For `knn_lof()`, points
#' with equal distances above 0 are searched again, with more neighbors; if many points have c
#' neighbors within r_k and c is above k, time and memory are O(n c).
#'
#' @references
#' Breunig, M. M., Kriegel, H.-P., Ng, R. T. and Sander, J. (2000). LOF: identifying density-based
#' local outliers. *Proceedings of the 2000 ACM SIGMOD International Conference on Management of
#' Data*, 93-104. \doi{10.1145/342009.335388}
#'
#' Loftsgaarden, D. O. and Quesenberry, C. P. (1965). A nonparametric estimate of a multivariate
#' density function. *Annals of Mathematical Statistics* 36(3), 1049-1051.
#' \doi{10.1214/aoms/1177700079}
#'
#' Levina, E. and Bickel, P. J. (2004). Maximum likelihood estimation of intrinsic dimension.
#' *Advances in Neural Information Processing Systems* 17, 777-784.
#'
#' MacKay, D. J. C. and Ghahramani, Z. (2005). Comments on 'Maximum likelihood estimation of
#' intrinsic dimension' by E. Levina and P. Bickel (2004).
#' `http://www.inference.org.uk/mackay/dimension/`
#'
#' @examples
#' tree <- cover_tree(scale(quakes[1:3]))
#' factors <- knn_lof(tree, k = 10)
#' quakes[order(-factors)[1:3], ] # the clearest outliers
#'
#' knn_density(quakes["long"], k = 50, query = cbind(long = c(165, 175, 180)))
#' angle <- runif(500, 0, 6)
#' knn_dimension(cbind(cos(angle), sin(angle), angle) + rnorm(1500, sd = 1e-4), k = 20)
#' @name knn_scores
NULL

#' @rdname knn_scores
#' @export
knn_lof <- function(x, k, metric = "euclidean") {
  x <- scored(x, metric, missing(metric))
  k <- scored_k(x, if (missing(k)) NULL else k)
  if (is_grown_tree(x) && length(x) < last_row(x)) {
    fail("x must be a tree with the rows 1 to n: got one after remove_points(); use cover_tree(as.matrix(x))")
  }
  found <- if (inherits(x, "covertree_knn")) x else knn_query(x, k = min(k + 1L, length(x) - 1L))
  limit <- distances_to(found, k)[, k]
  pairs <- as_pairs(found)
  pairs <- lapply(pairs, `[`, pairs$distance <= limit[pairs$query])
  if (!inherits(x, "covertree_knn")) pairs <- with_ties(x, found, limit, pairs)
  mean_of_pairs <- function(value) c(rowsum(value, pairs$query)) / tabulate(pairs$query, length(limit))
  density <- 1 / mean_of_pairs(pmax(limit[pairs$neighbor], pairs$distance))
  factor <- mean_of_pairs(density[pairs$neighbor]) / density
  factor[is.nan(factor)] <- 1
  factor
}

# Replaces the pairs of points whose k-th and last neighbor found are at the same distance: they may
# have more neighbors at this distance. `limit`: the distance of the k-th neighbor of each point. At
# distance 0, more neighbors do not change the factor, 1.
with_ties <- function(tree, found, limit, pairs) {
  width <- ncol(found$index)
  rows <- which(found$distance[, width] == limit & limit > 0)
  while (length(rows) > 0 && width < length(tree) - 1L) {
    width <- min(2L * width, length(tree) - 1L)
    wider <- knn_query(tree, k = width, rows = rows, max_distance = limit[rows])
    added <- as_pairs(wider)
    added$query <- rows[added$query]
    pairs <- Map(c, lapply(pairs, `[`, !pairs$query %in% rows), added)
    rows <- rows[!is.na(wider$index[, width])]
  }
  pairs
}

#' @rdname knn_scores
#' @export
knn_density <- function(x, k, query = NULL, log = FALSE, metric = "euclidean") {
  tree <- scored(x, metric, missing(metric))
  if (inherits(tree, "covertree_knn") || is_shards(tree)) fail("x must be points or a tree: got %s", describe(x))
  own <- is.null(query)
  k <- scored_k(tree, if (missing(k)) NULL else k, 2L, length(tree) - own)
  log <- check_flag(log, "log")
  dimensions <- dim(tree)[2]
  power <- metric_power(tree)
  reach <- distances_to(knn_query(tree, query, k = k), k)[, k]
  points <- length(tree) - own
  density <- log(k - 1) - log(points) - log_ball_volume(dimensions, power) - dimensions * log(reach)
  if (log) density else exp(density)
}

# The p of a Minkowski distance, which determines the volume of a ball.
metric_power <- function(tree) {
  metric <- tree$space$metric
  power <- if (is_function_tree(tree) || !is.null(tree$metric)) NULL
           else if (is.null(metric)) 2
           else switch(metric$kind, manhattan = 1, maximum = Inf, minkowski = metric$exponent)
  if (is.null(power)) {
    fail("metric must be \"euclidean\", \"manhattan\", \"maximum\" or a metric_minkowski(), whose balls have a known volume: got %s",
         if (is_function_tree(tree)) "a metric_function()"
         else if (is.null(metric)) "a residual_correlation()" else paste("the", metric_label(metric)))
  }
  power
}

# The logarithm of the volume of the ball with radius 1 in d dimensions by the Minkowski distance.
log_ball_volume <- function(d, power) d * (log(2) + lgamma(1 + 1 / power)) - lgamma(1 + d / power)

#' @rdname knn_scores
#' @export
knn_dimension <- function(x, k, local = FALSE, metric = "euclidean") {
  x <- scored(x, metric, missing(metric))
  k <- scored_k(x, if (missing(k)) NULL else k, 2L)
  local <- check_flag(local, "local")
  distance <- distances_to(if (inherits(x, "covertree_knn")) x else knn_query(x, k = k), k)
  ratio <- log(distance[, k] / distance[, seq_len(k - 1), drop = FALSE])
  # The logarithm is not finite if the distance of the nearer or of both neighbors is 0.
  used <- is.finite(ratio)
  ratio[!used] <- 0
  if (!local) return(if (any(used)) sum(used) / sum(ratio) else NA_real_)
  estimate <- rowSums(used) / rowSums(ratio)
  estimate[is.nan(estimate)] <- NA
  estimate
}

# ---- the points of a score ----------------------------------------------------------------------

# Returns a tree, or a result of knn_query() for all own points of a tree. default: whether the user
# has not given `metric`.
scored <- function(x, metric, default) {
  if (missing(x)) fail("x must be points, a tree or a result of knn_query(): got nothing")
  ready <- inherits(x, "covertree_knn") || inherits(x, "cover_tree") || is_shards(x)
  # Without a metric, cover_tree() reads it from an sf object.
  if (!ready) return(if (default) cover_tree(x) else cover_tree(x, metric = metric))
  if (!default) fail("metric must not be given if x is a tree or a result, which have their own")
  if (!inherits(x, "covertree_knn")) return(x)
  check_knn(x)
  refuse_exclusion(x, "x")
  if (!isTRUE(attr(x, "own")) || !is.null(attr(x, "rows"))) {
    fail("x must have the neighbors of all own points of the tree: got the neighbors of %s",
         if (isTRUE(attr(x, "own"))) "some rows" else "a query")
  }
  x
}

# Returns the number of neighbors. `given`: NULL, or the value of the user. `others`: the number of
# points that a point or a query can have as neighbors.
scored_k <- function(x, given, least = 1L, others = length(x) - 1L) {
  found <- if (inherits(x, "covertree_knn")) ncol(x$index)
  if (is.null(given)) {
    if (is.null(found)) fail("k must be one whole number of at least %d: got nothing", least)
    given <- found
  }
  k <- check_count(given, "k")
  most <- if (is.null(found)) others else found
  if (is.null(found) && most < least) {
    fail("x must have at least %.0f points: got %.0f", least + length(x) - others, length(x))
  }
  if (k < least || k > most) {
    fail("k must be from %d to %d, %s: got %d", least, most,
         if (!is.null(found)) "the number of neighbors in x"
         else paste0(if (others < length(x)) "one less than ", "the number of points"), k)
  }
  k
}

# Returns the distances of a result of knn_query() in which every point has k neighbors.
distances_to <- function(knn, k) {
  short <- which(is.na(knn$index[, k]))
  if (length(short) > 0) fail("x must have %d neighbors for each point: point %d has fewer", k, short[1])
  knn$distance
}
