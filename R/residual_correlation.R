#' Distance by residual correlation
#'
#' Full-scale and Vecchia-inducing-points approximations divide a Gaussian process into a low-rank
#' part, which inducing points explain, and the residual process. This metric finds neighbors for
#' Vecchia's approximation of the residual process: two points are near each other if their
#' residuals are strongly correlated. Pass the metric to [cover_tree()] as `metric`.
#'
#' Use such neighbors for the residual process only, as [vif_loglik()] does. A plain Vecchia
#' approximation is much worse with them than with Euclidean neighbors.
#'
#' Let k be the covariance function, K_mm the covariance matrix of m inducing points, L the Cholesky
#' factor of K_mm + `jitter` I, V = K_xm L^-T with the rows v_x, and p_x = k(x, x) - |v_x|^2 +
#' `nugget` the residual variance of x. The residual correlation of x and y and their distance are
#'
#' rho(x, y) = (k(x, y) - v_x . v_y) / sqrt(p_x p_y), d(x, y) = sqrt(1 - |rho(x, y)|).
#'
#' The distance is a metric: sqrt(2) times the sine of half the acute angle between two unit
#' vectors. Without inducing points, rho is the correlation of the process itself.
#'
#' @param kernel A covariance function: see [kernels].
#' @param inducing The inducing points: a matrix or data frame with a row for each inducing point
#'   and the columns of the data. If both have column names, columns are matched by name. Or the
#'   number of inducing points: the first points of the data in the [order_maximin()] of the
#'   coordinates divided by the lengthscale. `NULL` or 0 for no inducing points.
#' @param nugget The variance of the independent noise of each point: at least 0.
#' @param jitter A number that is added to the diagonal of K_mm, so that K_mm has a Cholesky factor
#'   also if inducing points coincide or nearly coincide: at least 0. `NULL` for 1e-6 times the
#'   variance of the kernel.
#' @param v,p The factors themselves, instead of `inducing`, `nugget` and `jitter`: V, a matrix with
#'   a row for each point of the data and a column for each inducing point, and p, the residual
#'   variance of each point, at least 0.
#'
#' @return An object of class `covertree_residual_correlation`. If its elements are edited, the
#'   functions that use it check them again.
#'
#' @section Points without residual variance:
#' A point has no residual variance, and rho is defined as 0, in two cases, whatever the nugget:
#' \itemize{
#'   \item The point is an inducing point: it equals one in all coordinates, divided by the
#'     lengthscale. This holds for any `jitter`.
#'   \item p_x without the nugget cannot be told from rounding error: it is at most 1024 (m + d + 8)
#'     u (variance + `jitter`), where d is the number of coordinates and u = 1.1e-16. With a
#'     variance of 1 and m = 200, this is 2.4e-11.
#' }
#' With `v` and `p` given, a point has no residual variance if its p is 0.
#'
#' Such a point is at distance 1 from all other points. As a query, its neighbors are the nearest
#' points in space: by the Euclidean distance of the coordinates divided by the lengthscale, and by
#' row if these distances are equal. The same holds for foreign queries, with `predecessor = TRUE`,
#' and in approximate searches. It holds for all queries if no point of the tree has a residual
#' variance. The distances of these neighbors are 1. The attributes `no_residual` and `reason` of
#' the result report the share of these queries ([knn_query()]). The answer to them is exact.
#'
#' The neighbors of a query with a residual variance are ordered by (distance, row), without
#' exception. If |rho| is below 5.5e-17, 1 - |rho| is rounded to 1, and the distance is exactly 1.
#' So the points without residual variance, and points too far away to be correlated, follow after
#' all others, by row. For example, all distances are 1 if the lengthscale is much smaller than the
#' distances between points.
#'
#' If more than 1% of the points have no residual variance because of rounding, [cover_tree()],
#' [update_metric()] and [vecchia_neighbors()] warn, once for each metric of a tree. The warning has
#' the class `covertree_no_residual`. A larger `jitter` helps: p_x is at least `jitter` times the
#' sum of squares of the weights that predict x from the inducing points, which is usually `jitter`
#' / m or more. Fewer inducing points and a shorter lengthscale help, too. If the lengthscale is so
#' long that the kernel varies by less than the rounding error between any two points, all points
#' are taken to have no residual variance; then only a shorter lengthscale helps.
#'
#' @section Accuracy:
#' The error of p and of k(x, y) - v_x . v_y is at most (m + d + 8) u (variance + `jitter`) (1 +
#' |w_x|) (1 + |w_y|), where |w_x| is the sum of the absolute weights that predict x from the
#' inducing points (2 to 10, as a rule). At the smallest p that is accepted, this is 10% of p if
#' |w_x| is 9. In comparisons with 160-bit arithmetic, errors were at most 4% of this bound: the
#' error of rho was 1e-15 to 2e-14 times variance / p.
#'
#' Duplicates of a point with residual variance p have the correlation (p - nugget) / p. Without a
#' nugget, the true distance is 0, and the computed distance is at most 2.2e-8, the root of a few
#' rounding errors of rho. If `v` and `p` are given, p may differ from 1 - |v|^2 by rounding, and
#' the computed distance is up to about sqrt(1e-16 variance / p).
#'
#' @section Speed:
#' V takes n m^2 / 2 multiplications and as many subtractions, shared by all threads: for
#' n = 100,000 and m = 500 about a second of processor time, if the processor has AVX2 or AVX-512.
#' For the built-in kernels, the package computes V itself, not with the BLAS of R. So the results
#' of searches have the same bits with every BLAS. With [kernel_custom()], V is computed by
#' [chol()] and [forwardsolve()], and its last bits depend on the BLAS.
#'
#' @section Errors:
#' Stops if the kernel is not one of [kernels]; if a vector of lengthscales or the inducing points
#' do not fit the columns of the data; if there are more inducing points than points; if `nugget`,
#' `jitter` or `p` is negative or not finite; if V and p do not fit each other or the data; and if
#' K_mm + jitter I has no Cholesky factor.
#'
#' @references
#' Katzfuss, M. and Guinness, J. (2021). A general framework for Vecchia
#' approximations of Gaussian processes. *Statistical Science* 36(1), 124-141.
#' \doi{10.1214/19-STS755}
#'
#' Gyger, T., Furrer, R. and Sigrist, F. (2025). Vecchia-inducing-points full-scale
#' approximations for Gaussian processes. \doi{10.48550/arXiv.2507.05064}
#'
#' Higham, N. J. (2002). *Accuracy and Stability of Numerical Algorithms*, chapters 8 and 10. SIAM.
#'
#' @seealso [update_metric()], [vecchia_neighbors()], [vif_loglik()]
#'
#' @examples
#' x <- matrix(runif(2000), ncol = 2)
#' metric <- residual_correlation(kernel_matern32(lengthscale = 0.2), inducing = 50)
#' metric
#' tree <- cover_tree(x, metric = metric)
#' knn_query(tree, k = 5, predecessor = TRUE)
#' @export
residual_correlation <- function(kernel, inducing = NULL, nugget = 0, jitter = NULL, v = NULL,
                                 p = NULL) {
  if (missing(kernel)) fail("kernel must be a kernel, such as kernel_matern32(): got nothing")
  kernel <- check_kernel(kernel)
  own <- !is.null(v) || !is.null(p)
  if (own && !is.null(inducing)) {
    fail("inducing must be NULL with the factors v and p: got %s", describe(inducing))
  }
  if (is.null(jitter)) jitter <- 1e-6 * kernel$variance
  new_residual_correlation(kernel, nugget, jitter, if (own) check_factors(v, p) else check_inducing(inducing))
}

# `points`: the value of check_factors() or of check_inducing().
new_residual_correlation <- function(kernel, nugget, jitter, points) {
  metric <- list(kernel = kernel, nugget = check_amount(nugget, "nugget"),
                 jitter = check_amount(jitter, "jitter"))
  structure(c(metric, points), class = "covertree_residual_correlation")
}

check_amount <- function(value, what) {
  if (!is_number(value) || !is.finite(value) || value < 0) {
    fail("%s must be one finite number of at least 0: got %s", what, describe(value))
  }
  as.double(value)
}

check_inducing <- function(inducing) {
  if (is.matrix(inducing) || is.data.frame(inducing)) {
    return(list(inducing = check_points(inducing, "inducing")))
  }
  if (is.null(inducing) || (is_number(inducing) && inducing %in% 0)) return(list(inducing = 0L))
  if (!is_number(inducing) || !is.finite(inducing) || inducing < 0 || inducing != trunc(inducing)) {
    fail("inducing must be a matrix with a row for each inducing point, their number, or NULL: got %s",
         describe(inducing))
  }
  list(inducing = check_count(inducing, "inducing"))
}

check_factors <- function(v, p) {
  if (is.null(v) || is.null(p)) {
    fail("v and p must be given together: got %s alone", if (is.null(v)) "p" else "v")
  }
  v <- check_points(v, "v")
  if (!is_numeric(p) || !is.null(dim(p)) || length(p) != nrow(v)) {
    fail("p must be a numeric vector with a value for each of the %d rows of v: got %s", nrow(v),
         describe(p))
  }
  wrong <- which(!is.finite(p) | p < 0)
  if (length(wrong) > 0) {
    fail("p must be finite and at least 0: element %d is %s", wrong[1], format(p[wrong[1]]))
  }
  # Without such values, which are rare, no square needs memory.
  long <- if (max(abs(range(v))) > 1e150) which(!is.finite(rowSums(v^2)))
  if (length(long) > 0) fail("v must have rows of finite squared length: got an infinite one, row %d", long[1])
  list(v = v, p = as.double(p))
}

#' @export
format.covertree_residual_correlation <- function(x, ...) {
  x <- check_residual(x)
  count <- if (!is.null(x$v)) ncol(x$v) else if (is.matrix(x$inducing)) nrow(x$inducing) else x$inducing
  sprintf("<residual correlation: %s kernel, variance %s, lengthscale %s, %s inducing point%s, nugget %s>",
          x$kernel$kind, format(x$kernel$variance), few_values(x$kernel$lengthscale),
          format(count, big.mark = ","), plural(count), format(x$nugget))
}

#' @export
print.covertree_residual_correlation <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

# Returns a valid residual_correlation(). Its elements are checked again, because a user may have
# edited them.
check_residual <- function(metric) {
  parts <- if (is.list(metric)) unclass(metric)
  own <- any(c("v", "p") %in% names(parts))
  check_parts(parts, c("kernel", "nugget", "jitter", if (own) c("v", "p") else "inducing"),
              "metric", "a residual_correlation()")
  within_argument("metric", {
    points <- if (own) check_factors(parts$v, parts$p) else check_inducing(parts$inducing)
    new_residual_correlation(check_kernel(parts$kernel), parts$nugget, parts$jitter, points)
  })
}

# Coordinates divided by the lengthscale. Their distances to others, already divided,
# must be in range as well.
scale_points <- function(x, lengthscale, what = "x", others = NULL) {
  if (!length(lengthscale) %in% c(1, ncol(x))) {
    fail("lengthscale must be one number or one for each column of x, %d: got %d numbers", ncol(x),
         length(lengthscale))
  }
  z <- unname(x) / rep(rep_len(lengthscale, ncol(x)), each = nrow(x))
  what <- paste0(what, ", divided by the lengthscale,")
  infinite <- which(!is.finite(z), arr.ind = TRUE)
  if (length(infinite) > 0) {
    fail("%s must be finite: row %d, column %d is %s", what, infinite[1, 1], infinite[1, 2],
         format(z[infinite[1, , drop = FALSE]]))
  }
  if (nrow(z) == 0) return(z)
  extent <- .Call(r_column_range, z)
  if (!is.null(others)) extent <- join_extents(extent, .Call(r_column_range, others))
  check_extent(extent, what)
  z
}
