#' Log-likelihood of a Vecchia-inducing-points approximation
#'
#' The log-likelihood of a Gaussian process under a full-scale approximation: a part of low rank,
#' explained by inducing points, and Vecchia's approximation of the residual process. This is
#' the model for which neighbors by [residual_correlation()] are made. Without inducing points it is
#' the plain Vecchia log-likelihood. A reference implementation in R, fast enough for
#' [stats::optim()] with about ten thousand locations.
#'
#' The data y have mean 0 and the covariance matrix K + `nugget` I. With V, the factor of
#' the low-rank part, as [residual_correlation()] defines it,
#'
#' K + nugget I = V V' + R, R = (K - V V') + nugget I.
#'
#' The low-rank part is kept. Vecchia's approximation replaces the inverse of R by B' D^-1 B: row i
#' of B y is the difference between y_i and its mean given its neighbors, both under R, and D_ii is
#' the variance of this difference. The result is the logarithm of the density of y under N(0, V V'
#' + (B' D^-1 B)^-1). It needs the Cholesky factor of the m x m matrix I + V' B' D^-1 B V only,
#' where m is the number of inducing points.
#'
#' If each location has all earlier ones as neighbors, the result is the exact log-likelihood,
#' up to rounding. It does not depend on `jitter` then, which moves variance from V V' to R.
#'
#' @param y The data \[n\]: a numeric vector with a value for each row of `x`, minus the mean.
#' @param x The locations \[n x d\]: a numeric matrix or a data frame of numeric columns, with one
#'   row per location.
#' @param neighbors The value of [vecchia_neighbors()] for `x`, with any metric; or a list with its
#'   elements `order` and `NNarray`.
#' @param metric A [residual_correlation()]: the kernel with its parameters, the inducing points
#'   and the nugget. It may differ from the metric that found the neighbors.
#' @param lonlat Whether the first two columns of `x` are longitude and latitude in degrees, as in
#'   [vecchia_neighbors()].
#' @param threads The number of threads for V; `NULL` for the default of [covertree_threads()].
#'
#' @return The log-likelihood: one number.
#'
#' @section Choice of neighbors:
#' For plain Vecchia (no inducing points here; \pkg{GpGp}, \pkg{GPvecchia}), use Euclidean
#' neighbors, on coordinates divided by the lengthscales. Neighbors by residual correlation make
#' plain Vecchia much worse: they explain what the inducing points leave, and plain Vecchia has no
#' inducing points. For a VIF model, neighbors by residual correlation are better with few
#' neighbors, many inducing points or many dimensions. With few inducing points and 20 or more
#' neighbors, Euclidean ones can be better. `vignette("vecchia")` has measurements.
#'
#' @section Optimization:
#' Give the inducing points as a matrix: if they are given by their number, they can change with the
#' ratios of the lengthscales, and the likelihood jumps. Keep the neighbors during an optimization,
#' for the same reason. Then find neighbors with the estimates and repeat.
#'
#' @section Small variances:
#' Without a nugget, R can be singular, for example at duplicates or, with `jitter = 0`, at inducing
#' points. A conditional variance below 1e-10 times the variance of the kernel (of a location, or of
#' a neighbor given the neighbors listed before it) is replaced by this bound. So the result is a
#' finite number. If the nugget is above the bound, this changes no result.
#'
#' @section Cost:
#' For n locations with k neighbors each: n (k^2 m + k^3 + m^2) operations, and memory for 3 n m
#' numbers. About a second for n = 10,000, k = 20 and m = 100. The last digits of the result depend
#' on the BLAS.
#'
#' @section Errors:
#' Stops if `x` is not numeric and finite; if `y` is not a numeric vector of finite values, one for
#' each location; if `neighbors` has no `order` that is a permutation of the rows, or no `NNarray`
#' whose row i holds i, followed by distinct numbers below i or `NA`; and as
#' [residual_correlation()] and [cover_tree()] do if the metric does not fit the locations.
#'
#' @references
#' Gyger, T., Furrer, R. and Sigrist, F. (2025). Vecchia-inducing-points full-scale
#' approximations for Gaussian processes. \doi{10.48550/arXiv.2507.05064}
#'
#' Sang, H. and Huang, J. Z. (2012). A full scale approximation of covariance functions for
#' large spatial data sets. *Journal of the Royal Statistical Society B* 74(1), 111-132.
#' \doi{10.1111/j.1467-9868.2011.01007.x}
#'
#' @seealso [vecchia_neighbors()], [residual_correlation()]
#'
#' @examples
#' some <- argo[argo$longitude > 300 & argo$longitude < 320 & argo$latitude > 20, ]
#' x <- as.matrix(some[, c("longitude", "latitude")])
#' y <- resid(lm(temperature_100 ~ latitude, some))
#' inducing <- x[order_maximin(x)[1:20], ]
#' model <- function(theta) {   # logarithms of variance, lengthscale and nugget
#'   residual_correlation(kernel_exponential(exp(theta[1]), exp(theta[2])), inducing,
#'                        nugget = exp(theta[3]))
#' }
#' start <- c(1, 1, 0)
#' near <- vecchia_neighbors(x, m = 5, metric = model(start))
#' fit <- optim(start, function(theta) -vif_loglik(y, x, near, model(theta)), method = "BFGS")
#' exp(fit$par)
#' -fit$value
#' @export
vif_loglik <- function(y, x, neighbors, metric, lonlat = FALSE, threads = NULL) {
  x <- check_points(x)
  y <- check_data(y, nrow(x))
  neighbors <- check_neighbors(neighbors, nrow(x))
  if (missing(metric) || !inherits(metric, "covertree_residual_correlation")) {
    fail("metric must be a residual_correlation(): got %s",
         if (missing(metric)) "nothing" else describe(metric))
  }
  metric <- check_metric(metric)
  if (check_flag(lonlat, "lonlat")) x <- on_sphere_with_time(x)
  order <- neighbors$order
  points <- vif_points(x[order, , drop = FALSE], reorder_metric(metric, order), threads)
  low_rank_loglik(whiten_residual(y[order], points, neighbors$NNarray))
}

check_data <- function(y, n) {
  if (!is_numeric(y) || !is.null(dim(y)) || length(y) != n) {
    fail("y must be a numeric vector with a value for each of the %d rows of x: got %s", n, describe(y))
  }
  wrong <- which(!is.finite(y))
  if (length(wrong) > 0) fail("y must be finite: element %d is %s", wrong[1], format(y[wrong[1]]))
  as.double(y)
}

# Returns the order and the NNarray of `neighbors`, as integers.
check_neighbors <- function(neighbors, n) {
  parts <- if (is.list(neighbors)) unclass(neighbors)
  order <- parts[["order", exact = TRUE]]
  array <- parts[["NNarray", exact = TRUE]]
  if (is.null(order) || is.null(array)) {
    fail("neighbors must be the value of vecchia_neighbors(), or a list with order and NNarray: got %s",
         describe(neighbors))
  }
  if (!is_numeric(order) || length(order) != n || !identical(sort(as.double(order)), as.double(1:n))) {
    fail("neighbors$order must be a permutation of the %d rows of x: got %s", n, describe(order))
  }
  list(order = as.integer(order), NNarray = check_nn_array(array, n))
}

check_nn_array <- function(array, n) {
  what <- "neighbors$NNarray"
  if (!is_numeric(array) || length(dim(array)) != 2 || nrow(array) != n || ncol(array) == 0) {
    fail("%s must be a numeric matrix with a row for each of the %d rows of x: got %s", what, n,
         if (is_numeric(array) && is.matrix(array)) paste(nrow(array), "x", ncol(array)) else describe(array))
  }
  wrong <- array < 1 | array >= row(array) | array != trunc(array)
  wrong[, 1] <- is.na(array[, 1]) | array[, 1] != seq_len(n)
  refuse_entries(array, wrong, "whole numbers below i or NA")
  pair <- array + (row(array) - 1) * n
  refuse_entries(array, matrix(duplicated(c(pair)) & !is.na(pair), n), "each neighbor once")
  storage.mode(array) <- "integer"
  array
}

refuse_entries <- function(array, wrong, expected) {
  where <- which(wrong, arr.ind = TRUE)
  if (nrow(where) == 0) return(invisible())
  fail("neighbors$NNarray must have i in row i and column 1, then %s: row %d, column %d is %s",
       expected, where[1, 1], where[1, 2], format(array[where[1, , drop = FALSE]]))
}

# The factors of the points for a likelihood: z [n x d], v [m x n] and p [n], which is not set to 0
# at points without residual variance; the kernel; and the smallest conditional variance.
vif_points <- function(x, metric, threads) {
  z <- scale_points(x, metric$kernel$lengthscale)
  # Its warning is about neighbors of points without residual variance.
  state <- if (is.null(metric$v)) {
    suppressWarnings(inducing_state(x, z, metric, threads), classes = "covertree_no_residual")
  } else {
    factor_state(z, metric)
  }
  v <- state$code$points$v[seq_len(state$code$m), , drop = FALSE]
  variance <- metric$kernel$variance
  p <- if (is.null(metric$v)) variance - colSums(v^2) + metric$nugget else metric$p
  list(z = z, v = v, p = p, kernel = metric$kernel, least = 1e-10 * variance)
}

# Vecchia's approximation of the residual process, R^-1 = B' D^-1 B, applied to the data and to V:
# list(y, v, d) = B y [n], (B V)' [m x n] and the diagonal of D [n]. Blocks of rows with at most
# `most` numbers in their largest array stay in the cache.
whiten_residual <- function(y, points, NNarray, most = 4e5) {
  n <- length(y)
  width <- ncol(NNarray)
  size <- max(1, floor(most / (width * max(width, nrow(points$v)))))
  white <- list(y = y, v = points$v, d = numeric(n))
  for (first in seq(1, n, by = size)) {
    rows <- first:min(n, first + size - 1)
    block <- whiten_rows(y, points, NNarray[rows, , drop = FALSE])
    white$y[rows] <- block$y
    white$v[, rows] <- block$v
    white$d[rows] <- block$d
  }
  white
}

# whiten_residual() for some rows of NNarray [r x width]. The point of a row comes last among the
# K points of its conditioning set, so that its pivot is its conditional variance.
whiten_rows <- function(y, points, NNarray) {
  K <- max(which(colSums(!is.na(NNarray)) > 0))
  at <- NNarray[, c(seq_len(K)[-1], 1), drop = FALSE]
  absent <- is.na(at)
  at[absent] <- 1L
  factor <- factor_blocks(residual_blocks(at, absent, points), K, points$least)
  weights <- cbind(-factor$weights, 1)
  v <- vapply(seq_len(nrow(at)), function(i) points$v[, at[i, ], drop = FALSE] %*% weights[i, ],
              numeric(nrow(points$v)))
  list(y = rowSums(weights * matrix(y[at], nrow(at))), v = v, d = factor$pivot)
}

# The pairs (a, b), a >= b, of K places, in the order of the lower triangle of a matrix.
pairs_of <- function(K) list(a = sequence(K:1, seq_len(K)), b = rep(seq_len(K), K:1))

# Residual covariances of r sets of K points: [r x K (K + 1) / 2], a column for each pair. An
# absent point is uncorrelated with all others.
residual_blocks <- function(at, absent, points) {
  r <- nrow(at)
  K <- ncol(at)
  pairs <- pairs_of(K)
  squares <- 0
  for (j in seq_len(ncol(points$z))) {
    z <- matrix(points$z[at, j], r)
    squares <- squares + (z[, pairs$a, drop = FALSE] - z[, pairs$b, drop = FALSE])^2
  }
  blocks <- covariance_of(points$kernel, squares)
  if (nrow(points$v) > 0) {
    lower <- pairs$a + (pairs$b - 1) * K
    products <- vapply(seq_len(r), function(i) {
      crossprod(points$v[, at[i, ], drop = FALSE])[lower]
    }, numeric(length(lower)))
    blocks <- blocks - t(matrix(products, ncol = r))
  }
  blocks[absent[, pairs$a] | absent[, pairs$b]] <- 0
  blocks[, pairs$a == pairs$b] <- ifelse(absent, points$kernel$variance, points$p[at])
  blocks
}

# The factors L diag(pivots) L' of r covariance matrices in the columns of pairs_of(K), pivots
# being at least `least`. Returns the last pivots [r], which are the variances of the last variables
# given all others, and the weights [r x (K - 1)] of the others in the conditional means.
factor_blocks <- function(blocks, K, least) {
  pairs <- pairs_of(K)
  diagonal <- which(pairs$a == pairs$b)
  column <- function(a, b) diagonal[b] + a - b
  for (j in seq_len(K)) {
    pivot <- pmax(blocks[, diagonal[j]], least)
    if (j == K) break
    below <- column((j + 1):K, j)
    covariance <- blocks[, below, drop = FALSE]
    blocks[, below] <- covariance / pivot
    rest <- diagonal[j + 1]:length(pairs$a)
    blocks[, rest] <- blocks[, rest] - covariance[, pairs$a[rest] - j] * blocks[, column(pairs$b[rest], j)]
  }
  weights <- blocks[, column(K, seq_len(K - 1)), drop = FALSE]
  for (j in rev(seq_len(max(0, K - 2)))) {
    later <- (j + 1):(K - 1)
    solved <- blocks[, column(later, j), drop = FALSE] * weights[, later, drop = FALSE]
    weights[, j] <- weights[, j] - rowSums(solved)
  }
  list(pivot = pivot, weights = weights)
}

# The log-density of data with the covariance matrix V V' + (B' D^-1 B)^-1. The quadratic form is
# the least value of |D^-1/2 B (y - V c)|^2 + |c|^2 over c: a sum of squares, without cancellation.
low_rank_loglik <- function(white) {
  root <- sqrt(white$d)
  m <- nrow(white$v)
  y <- white$y / root
  log_det <- sum(log(white$d))
  center <- numeric()
  if (m > 0) {
    v <- white$v / rep(root, each = m)
    factor <- chol(diag(m) + tcrossprod(v))
    center <- backsolve(factor, backsolve(factor, v %*% y, transpose = TRUE))
    y <- y - crossprod(v, center)
    log_det <- log_det + 2 * sum(log(diag(factor)))
  }
  -(length(y) * log(2 * pi) + log_det + sum(y^2) + sum(center^2)) / 2
}
