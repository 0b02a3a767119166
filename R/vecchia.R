#' Ordered neighbors for Vecchia approximations
#'
#' Orders the n locations and finds, for each of them, the m nearest earlier locations: the
#' conditioning sets of \pkg{GpGp}, \pkg{GPvecchia} and similar packages. By Euclidean distance the
#' neighbors are exact, and duplicates are not moved apart.
#'
#' @param x The locations \[n x d\]: a numeric matrix or a data frame with one row per location.
#' @param m The number of neighbors of a location: a whole number from 1 to n - 1.
#' @param order `"maximin"`, `"middleout"`, `"coordinate"` or `"random"`: see
#'   [order_maximin()] (with `lonlat`, the order of the points on the sphere);
#'   `"none"` for the order of the rows; or a permutation of the rows. Random orders use
#'   R's random numbers. By residual correlation the order is that of the coordinates as given: if
#'   lengthscales differ, divide the columns by them first. By other metrics it is that of the
#'   coordinates over which the tree is built ([metrics]).
#' @param metric `"euclidean"`, another of the [metrics], or a
#'   [residual_correlation()]; if it has factors v and p, their rows are those of `x`. A plain
#'   Vecchia likelihood, such as those of \pkg{GpGp} and \pkg{GPvecchia}, needs Euclidean neighbors.
#'   Neighbors by residual correlation are for the residual process of a VIF model: see
#'   [vif_loglik()].
#' @param lonlat Whether the first two columns are longitude and latitude in degrees. Then the
#'   locations are points on the unit sphere, and distances are lengths of chords, as in \pkg{GpGp}.
#'   One more column, such as time, is permitted and used unchanged. The lengthscales of a kernel and
#'   the inducing points refer to the three coordinates on the sphere, in units of its radius, and to
#'   the last column. With `lonlat`, `metric` must be `"euclidean"` or a residual correlation; for
#'   distances along the sphere, use `metric = metric_great_circle()` without `lonlat`.
#' @param recall The share of the true neighbors to find, as in [knn_query()]; `NULL`
#'   for 1, or for 0.999 by residual correlation. By Euclidean distance the answer is always exact.
#' @param threads The number of threads; `NULL` for the default of
#'   [covertree_threads()].
#' @param max_pairs The largest number of pairs (a location and a neighbor) that the result
#'   may have: one number, or `Inf`. `NULL` for as many as half of the available memory
#'   holds; see [radius_query()].
#' @param control A [knn_control()]: the settings of the search. With `stats = TRUE`, the result
#'   has an attribute `stats`; see [knn_stats()].
#'
#' @return A list of class `covertree_vecchia`:
#'   \describe{
#'     \item{`order`}{integer vector: the rows of `x` in their order}
#'     \item{`NNarray`}{integer matrix \[n x (m + 1)\]: row i belongs to the location
#'       `x[order[i], ]`. It has i, then the positions of the neighbors in the order, nearest first,
#'       padded with `NA`}
#'     \item{`distance`}{double matrix \[n x m\]: the distances of these neighbors by the metric}
#'     \item{`exact`, `recall`}{whether the neighbors are exact; otherwise the share
#'       found for a sample, with the limits of a 95% interval, and the share found for the worst 1%
#'       of the sample}
#'   }
#'   By residual correlation, it has the attributes `no_residual` and `reason` of [knn_query()].
#'   `GpGp::vecchia_meanzero_loglik()` and similar functions take `NNarray`, together with
#'   `x[order, ]` and the data in that order. `GpGp::fit_model()` also needs `reorder = FALSE`, and an
#'   `m_seq` without a number above `m`. With neighbors by residual correlation, these functions give
#'   a poor likelihood. See `vignette("vecchia")`.
#'
#' @section Errors:
#' Stops if `x` is not numeric and finite; if `m`, `recall`, `threads` or `control` is not as
#' described; if `order` is neither the name of an order nor a permutation; with `lonlat`, if `x` has
#' neither two nor three columns, if `metric` is another than described, if the names of the columns
#' say latitude first, or if longitudes are not within -360 and 720 or latitudes not within -90 and
#' 90; and if the result would have more than `max_pairs` pairs.
#'
#' @section Cost:
#' The time of the order ([order_maximin()]), of [cover_tree()] and of [knn_query()] with
#' `predecessor = TRUE`. The result takes n (12 m + 8) bytes.
#'
#' @references
#' Vecchia, A. V. (1988). Estimation and model identification for continuous spatial
#' processes. *Journal of the Royal Statistical Society B* 50(2), 297-312.
#'
#' Guinness, J. (2018). Permutation and grouping methods for sharpening Gaussian
#' process approximations. *Technometrics* 60(4), 415-429.
#' \doi{10.1080/00401706.2018.1437476}
#'
#' @seealso [vif_loglik()]; [as_neighbors()] converts the result for \pkg{spNNGP} and \pkg{BRISC}.
#'
#' @examples
#' near <- vecchia_neighbors(argo[1:2000, c("longitude", "latitude")], m = 10, lonlat = TRUE)
#' near
#' near$NNarray[1:5, ]
#' @export
vecchia_neighbors <- function(x, m, order = "maximin", metric = "euclidean", lonlat = FALSE,
                              recall = NULL, threads = NULL, max_pairs = NULL,
                              control = knn_control()) {
  metric <- check_metric(metric)
  if (is_function_metric(metric)) {
    fail("metric must be one that compares the columns of x: got a metric_function()")
  }
  x <- check_metric_points(x, metric)
  n <- nrow(x)
  m <- check_count(m, "m")
  if (m >= n) fail("m must be below the number of locations, %d: got %d", n, m)
  max_pairs <- check_max_pairs(max_pairs)
  check_pairs(n, m, n, check_threads(threads), max_pairs, "a smaller m", " or fewer locations")
  control <- check_control(control)
  outermost <- begin_progress("vecchia_neighbors", control$progress)
  on.exit(end_progress(outermost))
  progress_stage("order")
  recall <- if (!is.null(recall)) check_share(recall, "recall") else if (is_residual(metric)) 0.999 else 1
  if (check_flag(lonlat, "lonlat")) {
    if (is_metric(metric)) {
      fail("metric must be \"euclidean\" or a residual_correlation() with lonlat: got the %s",
           metric_label(metric))
    }
    x <- on_sphere_with_time(x)
  }
  order <- choose_order(if (is_metric(metric)) metric_space(x, metric)$z else x, order, threads)
  tree <- cover_tree(x[order, , drop = FALSE], threads = threads,
                     metric = reorder_metric(metric, order))
  near <- knn_query(tree, k = m, predecessor = TRUE, recall = recall, threads = threads,
                    max_pairs = Inf, control = control)
  structure(list(order = order, NNarray = cbind(seq_len(n), near$index), distance = near$distance,
                 exact = attr(near, "exact"), recall = attr(near, "recall")),
            class = "covertree_vecchia", no_residual = attr(near, "no_residual"),
            reason = attr(near, "reason"), stats = attr(near, "stats"))
}

# Permutes the factors of a metric like the rows.
reorder_metric <- function(metric, order) {
  if (is.null(metric)) return("euclidean")
  if (!is.null(metric$v) && nrow(metric$v) == length(order)) {
    metric$v <- metric$v[order, , drop = FALSE]
    metric$p <- metric$p[order]
  }
  metric
}

# The columns of on_sphere(), then the third column unchanged.
on_sphere_with_time <- function(x) {
  if (!ncol(x) %in% 2:3) {
    fail("x must have two columns with lonlat, longitude and latitude, or a third for time: got %d",
         ncol(x))
  }
  unname(cbind(on_sphere(x, "x"), x[, -(1:2)]))
}

location_orders <- c("maximin", "middleout", "coordinate", "random", "none")

choose_order <- function(x, order, threads) {
  if (is_numeric(order)) return(check_order(order, nrow(x)))
  if (!is.character(order) || length(order) != 1 || !order %in% location_orders) {
    fail("order must be a permutation of the rows or one of %s: got %s", quoted(location_orders), describe(order))
  }
  switch(order,
    maximin = order_maximin(x, threads),
    middleout = order_middleout(x),
    coordinate = order_coordinate(x),
    random = order_random(x),
    none = seq_len(nrow(x))
  )
}

check_order <- function(order, n) {
  if (length(order) != n) {
    fail("order must be a permutation of the %d rows: got %d number%s", n, length(order), plural(length(order)))
  }
  wrong <- which(!order %in% seq_len(n))
  if (length(wrong) > 0) {
    fail("order must be a permutation of the rows 1 to %d: element %d is %s", n, wrong[1],
         format(order[wrong[1]]))
  }
  twice <- which(duplicated(order))
  if (length(twice) > 0) {
    fail("order must be a permutation of the rows: got %d twice", order[twice[1]])
  }
  as.integer(order)
}

#' @export
format.covertree_vecchia <- function(x, ...) {
  check_vecchia(x)
  size <- dim(x$distance)
  sprintf("<vecchia_neighbors: up to %d earlier neighbor%s of %s location%s, %s%s>", size[2],
          plural(size[2]), format(size[1], big.mark = ","), plural(size[1]),
          if (x$exact) "exact" else approximate_label(x$recall),
          no_residual_label(attr(x, "no_residual")))
}

#' @export
print.covertree_vecchia <- function(x, ...) {
  cat(c(format(x), attr(x, "reason")), sep = "\n")
  invisible(x)
}
