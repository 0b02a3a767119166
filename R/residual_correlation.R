#' Distance by residual correlation
#'
#' The metric of Vecchia approximations to what a low-rank part leaves of a
#' Gaussian process (full-scale or Vecchia-inducing-points approximations): two
#' points are near if their residuals correlate strongly. Pass it to
#' [cover_tree()] as `metric`.
#'
#' With V = K_xm L^-T, where L L' = K_mm + `jitter` I is the covariance of m
#' inducing points, and p_x = k(x, x) - |v_x|^2 + `nugget` the residual variance,
#' the residual correlation of x and y and their distance are
#'
#' rho(x, y) = (k(x, y) - v_x . v_y) / sqrt(p_x p_y), d(x, y) = sqrt(1 - |rho|).
#'
#' That is a metric: sqrt(2) times the sine of half the acute angle between two unit
#' vectors. Without inducing points rho is the correlation of the process itself.
#'
#' @param kernel A covariance function: see [kernels].
#' @param inducing The inducing points: a matrix with a row for each and the columns
#'   of the data, matched by name where both have column names, or how many of the data to take, the first in [order_maximin()] of
#'   the coordinates divided by the lengthscale; `NULL` or 0 for none.
#' @param nugget The variance of independent noise that each point carries: at least 0.
#' @param jitter What is added to the diagonal of K_mm, so that it has a Cholesky
#'   factor even where inducing points coincide or nearly do: at least 0; `NULL`
#'   for 1e-6 times the variance.
#' @param v,p Instead of `inducing`, `nugget` and `jitter`, the factors themselves: V, a
#'   matrix with a row for each point of the data and a column for each inducing
#'   point, and p, the residual variance of each point, at least 0.
#'
#' @return An object of class `covertree_residual_correlation`.
#'
#' @section Points without residual variance:
#' Where p_x without the nugget is at most `jitter` (or 1e-10 times the variance, if that is
#' more), as at an inducing point, nothing is left but rounding and noise, and rho is taken
#' to be 0: such a point is at distance 1 from all others, never `NaN`. Its neighbors
#' are then the first rows. With `v` and `p` given, that holds where p is 0. Duplicates
#' of a point with residual variance p correlate by (p - nugget) / p, so without a
#' nugget they are at distance 0, up to rounding: the root makes 1e-8 of 1e-16.
#'
#' @section Speed:
#' V is solved for by the LAPACK and BLAS that R uses, n m^2 multiplications: with
#' R's reference BLAS about as long as it takes to read this page for n = 100,000 and
#' m = 500, with a tuned one (OpenBLAS, MKL, Accelerate) a few seconds. Neighbors
#' need no BLAS.
#'
#' @section Errors:
#' Stops if the kernel is not one of [kernels]; if a lengthscale vector or the inducing
#' points do not fit the columns of the data; if there are more inducing points than
#' points; if `nugget`, `jitter` or `p` is negative or not finite; if V and p do not
#' fit each other or the data; and if K_mm + jitter I has no Cholesky factor.
#'
#' @references
#' Katzfuss, M. and Guinness, J. (2021). A general framework for Vecchia
#' approximations of Gaussian processes. *Statistical Science* 36(1), 124-141.
#' \doi{10.1214/19-STS755}
#'
#' Gyger, T., Furrer, R. and Sigrist, F. (2025). Vecchia-inducing-points full-scale
#' approximations for Gaussian processes. \doi{10.48550/arXiv.2507.05064}
#'
#' @seealso [update_metric()], [vecchia_neighbors()]
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
  if (missing(kernel) || !inherits(kernel, "covertree_kernel")) {
    fail("kernel must be a kernel, such as kernel_matern32(), not %s",
         if (missing(kernel)) "missing" else describe(kernel))
  }
  own <- !is.null(v) || !is.null(p)
  if (own && !is.null(inducing)) fail("inducing and the factors v and p exclude each other")
  if (is.null(jitter)) jitter <- 1e-6 * kernel$variance
  metric <- list(kernel = kernel, nugget = check_amount(nugget, "nugget"),
                 jitter = check_amount(jitter, "jitter"))
  metric <- c(metric, if (own) check_factors(v, p) else list(inducing = check_inducing(inducing)))
  structure(metric, class = "covertree_residual_correlation")
}

check_amount <- function(value, what) {
  if (!is_number(value) || !is.finite(value) || value < 0) {
    fail("%s must be one finite number of at least 0, not %s", what, describe(value))
  }
  as.double(value)
}

check_inducing <- function(inducing) {
  if (is.null(inducing)) return(0L)
  if (is.matrix(inducing) || is.data.frame(inducing)) return(check_points(inducing, "inducing"))
  if (is_number(inducing) && inducing %in% 0) return(0L)
  if (!is_number(inducing) || !is.finite(inducing) || inducing < 0 || inducing != trunc(inducing)) {
    fail("inducing must be a matrix with a row for each inducing point, their number, or NULL, not %s",
         describe(inducing))
  }
  check_count(inducing, "inducing")
}

check_factors <- function(v, p) {
  if (is.null(v) || is.null(p)) {
    fail("v and p must be given together: %s is missing", if (is.null(v)) "v" else "p")
  }
  v <- check_points(v, "v")
  if (!is_numeric(p) || !is.null(dim(p)) || length(p) != nrow(v)) {
    fail("p must be a numeric vector with a value for each of the %d rows of v, not %s", nrow(v),
         describe(p))
  }
  wrong <- which(!is.finite(p) | p < 0)
  if (length(wrong) > 0) {
    fail("p must be finite and at least 0: number %d is %s", wrong[1], format(p[wrong[1]]))
  }
  long <- which(!is.finite(rowSums(v^2)))
  if (length(long) > 0) fail("v must have rows of finite squared length, but not row %d", long[1])
  list(v = v, p = as.double(p))
}

#' @export
format.covertree_residual_correlation <- function(x, ...) {
  count <- if (!is.null(x$v)) ncol(x$v) else if (is.matrix(x$inducing)) nrow(x$inducing) else x$inducing
  sprintf("<residual correlation: %s kernel, variance %s, lengthscale %s, %s inducing point%s, nugget %s>",
          x$kernel$kind, format(x$kernel$variance), toString(format(x$kernel$lengthscale), width = 40),
          format(count, big.mark = ","), plural(count), format(x$nugget))
}

#' @export
print.covertree_residual_correlation <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

check_metric <- function(metric) {
  if (is.null(metric) || identical(metric, "euclidean")) return(NULL)
  if (!inherits(metric, "covertree_residual_correlation")) {
    fail("metric must be \"euclidean\" or a residual_correlation(), not %s", describe(metric))
  }
  metric
}

# Coordinates divided by the lengthscale. Their distances to others, already divided,
# must be in range as well.
scale_points <- function(x, lengthscale, what = "x", others = NULL) {
  if (!length(lengthscale) %in% c(1, ncol(x))) {
    fail("lengthscale must be one number or one for each column of x, %d, not %d numbers", ncol(x),
         length(lengthscale))
  }
  z <- unname(x) / rep(rep_len(lengthscale, ncol(x)), each = nrow(x))
  what <- paste0(what, ", divided by the lengthscale,")
  infinite <- which(!is.finite(z), arr.ind = TRUE)
  if (length(infinite) > 0) {
    fail("%s must be finite: row %d, column %d is %s", what, infinite[1, 1], infinite[1, 2],
         format(z[infinite[1, , drop = FALSE]]))
  }
  extent <- .Call(r_column_range, z)
  if (!is.null(others)) {
    around <- .Call(r_column_range, others)
    extent <- rbind(pmin(extent[1, ], around[1, ]), pmax(extent[2, ], around[2, ]))
  }
  check_extent(extent, what)
  z
}

# What a tree knows of a metric: the metric, and for the points x of the tree, by row,
# what src/glue/residual.c reads; the factor of the inducing points for other points; and
# the lengthscale of the space that the tree was built in.
metric_state <- function(x, metric, threads, space = metric$kernel$lengthscale) {
  z <- scale_points(x, metric$kernel$lengthscale)
  state <- if (is.null(metric$v)) inducing_state(x, z, metric, threads) else factor_state(z, metric)
  state$metric <- metric
  state$x <- x
  state$space <- space
  state$seal <- .Call(r_seal, state_parts(state))
  state
}

# All that a state consists of, by the names that messages use.
state_parts <- function(state) {
  list(z = state$code[[4]][[1]], v = state$code[[4]][[2]], p = state$code[[4]][[3]], x = state$x,
       space = state$space, inducing = state$inducing, factor = state$factor,
       dimnames = dimnames(state$x), metric = list(state$code[1:3], state$metric))
}

kernel_code <- function(metric) match(metric$kernel$kind, kernel_kinds) - 1L

inducing_state <- function(x, z, metric, threads) {
  inducing <- choose_inducing(x, z, metric, threads)
  factor <- .Call(r_inducing_factor, kernel_code(metric), metric$kernel$variance, inducing,
                  metric$jitter, simd_level(), check_threads(threads))
  if (!is.matrix(factor)) {
    fail(paste("the covariance of the inducing points has no Cholesky factor: its leading minor %d is",
               "not positive; use fewer or more distinct points, or a larger jitter than %g"),
         factor, metric$jitter)
  }
  list(inducing = inducing, factor = factor,
       code = metric_code(metric, nrow(inducing), latent(z, inducing, factor, metric, threads)))
}

metric_code <- function(metric, m, points) list(kernel_code(metric), metric$kernel$variance, m, points)

# list(z, v, p) of scaled points.
latent <- function(z, inducing, factor, metric, threads) {
  none <- max(metric$jitter * (nrow(inducing) > 0), 1e-10 * metric$kernel$variance)
  .Call(r_residual_values, kernel_code(metric), metric$kernel$variance, inducing, factor, z,
        metric$nugget, none, simd_level(), check_threads(threads))
}

choose_inducing <- function(x, z, metric, threads) {
  inducing <- metric$inducing
  if (is.matrix(inducing)) {
    if (ncol(inducing) != ncol(x)) {
      fail("inducing must have %d columns like x, not %d", ncol(x), ncol(inducing))
    }
    inducing <- match_columns(inducing, colnames(x), "inducing", "x")
    if (nrow(inducing) > nrow(x)) {
      fail("inducing must have at most as many points as x, %d, not %d", nrow(x), nrow(inducing))
    }
    return(scale_points(inducing, metric$kernel$lengthscale, "inducing and x together", z))
  }
  if (inducing > nrow(x)) {
    fail("inducing must be at most the number of points, %d, not %d", nrow(x), inducing)
  }
  chosen <- if (inducing > 0) order_maximin(z, threads)[seq_len(inducing)] else integer()
  z[chosen, , drop = FALSE]
}

# V with a column for each point, padded with zeros as src/core/residual/correlation.h has it.
factor_state <- function(z, metric) {
  if (nrow(metric$v) != nrow(z)) {
    fail("v must have a row for each of the %d points of x, not %d", nrow(z), nrow(metric$v))
  }
  m <- ncol(metric$v)
  v <- matrix(0, .Call(r_v_stride, m), nrow(z))
  v[seq_len(m), ] <- t(metric$v)
  list(code = metric_code(metric, m, list(z = z, v = v, p = metric$p)))
}

#' Change the metric of a tree
#'
#' Keeps the tree and takes another residual correlation: other hyperparameters,
#' other inducing points. Only what depends on them is computed anew, which is V and
#' p; the tree, built over the coordinates divided by the first lengthscale, stays. V
#' takes most of the time in building a tree as well, unless inducing points are few.
#'
#' @inheritParams cover_tree
#' @param tree A tree that [cover_tree()] made with a [residual_correlation()].
#' @param metric Another [residual_correlation()].
#'
#' @return A tree like `tree`, which itself keeps its metric. Exact searches give
#'   what a tree built anew gives. Those to a stated recall walk through space as the
#'   first lengthscale has it, and are calibrated anew; when the ratios of
#'   lengthscales have changed much, a new tree is searched faster.
#'
#' @section Errors:
#' Stops if `tree` has no such metric, and as [residual_correlation()] and
#' [cover_tree()] do if the metric does not fit the points.
#'
#' @examples
#' x <- matrix(runif(2000), ncol = 2)
#' tree <- cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.2), 50))
#' again <- update_metric(tree, residual_correlation(kernel_matern32(lengthscale = 0.3), 50))
#' knn_query(again, k = 3)
#' @export
update_metric <- function(tree, metric, threads = NULL) {
  check_tree(tree)
  if (is.null(tree$metric)) {
    fail("tree must have a residual correlation to update; build it with cover_tree(x, metric = )")
  }
  if (missing(metric) || !inherits(metric, "covertree_residual_correlation")) {
    fail("metric must be a residual_correlation(), not %s",
         if (missing(metric)) "missing" else describe(metric))
  }
  state <- check_state(tree$metric, dim(tree_arrays(tree)$points))
  new_cover_tree(tree$pointer, metric_state(state$x, metric, threads, state$space))
}

# See euclidean_search(). Effort is patience: how many times as many points, and 4 k of
# them, are met in vain as were met before.
residual_search <- function(tree, query, k, how) {
  arrays <- tree_arrays(tree)
  state <- check_state(tree$metric, dim(arrays$points))
  code <- state$code
  n <- nrow(state$x)
  if (!is.null(query)) query <- check_query_of(query, state, arrays, how[[4]])
  others <- query$points
  pick <- function(rows) {
    if (is.null(rows) || is.null(others)) return(others)
    list(others$z[rows, , drop = FALSE], others$v[, rows, drop = FALSE], others$p[rows])
  }
  own <- function(rows) if (is.null(others)) rows
  list(
    queries = if (is.null(others)) n else nrow(others$z),
    key = if (is.null(others)) list(k, how[[7]]),
    cache = if (is.null(others)) cache_of(tree),
    exact = function(rows) .Call(r_residual_scan, code, pick(rows), own(rows), k, how),
    efforts = 0.05 * 1.1^(0:62),
    attempt = function(rows, effort, sample) {
      few <- if (is.null(sample)) 8 * k else stats::quantile(sample$evaluated, 0.9, names = FALSE)
      first <- min(n, 16 * ceiling(max(16, 2 * k, few) / 16))
      space <- if (is.null(rows)) query$space else query$space[rows, , drop = FALSE]
      how[9] <- list(NULL)
      .Call(r_residual_walk, tree$pointer, code, coarse_values(tree, how[[4]]), space, pick(rows), own(rows), k,
            c(effort, first, n), how)
    },
    within = function() {
      if (!how[[9]]$diversity && !is.null(others)) {
        fail("budget must have diversity = TRUE with query: only the tree's own points have a place on the curve")
      }
      .Call(r_residual_walk, tree$pointer, code, coarse_values(tree, how[[4]]), query$space, others,
            NULL, k, c(0, min(n, 16 * ceiling(k / 2)), n), how)
    },
    distance = function(rows, index) {
      .Call(r_residual_distance, code, pick(rows), own(rows), index, simd_level())
    },
    stats = function(found) residual_stats(found)
  )
}

# V in 16 bits, to walk by, if residual variances are not so small that it would mislead;
# made when first wanted. It travels with the tree, perhaps to a machine that reads 16
# bits in another order, or in a file that was damaged: then it is made anew.
coarse_values <- function(tree, threads) {
  code <- tree$metric$code
  if (code[[3]] == 0 || stats::median(code[[4]]$p) < 5e-3 * code[[2]]) return(NULL)
  cache <- cache_of(tree)
  if (!is_coarse(cache$coarse, code)) {
    made <- .Call(r_residual_coarse, tree$pointer, code, threads)
    cache$coarse <- c(made, .Platform$endian, .Call(r_seal, made))
  }
  if (is.finite(cache$coarse[[1]])) cache$coarse
}

is_coarse <- function(kept, code) {
  size <- .Call(r_coarse_stride, code[[3]]) / 2 * length(code[[4]]$p)
  is.list(kept) && length(kept) == 4 && is.double(kept[[1]]) && is.integer(kept[[2]]) &&
    length(kept[[1]]) == 1 && length(kept[[2]]) == size &&
    identical(kept[[3]], .Platform$endian) && is_sealed(kept[[4]], kept[1:2])
}

# Whether values are those that were sealed: their checksums are compared once in a session.
is_sealed <- function(seal, values) {
  .Call(r_seal_is_fresh, seal, values) || .Call(r_seal_check, seal, values) %in% 0L
}

# C trusts sizes and types: a metric that was put into a tree by hand must not get there.
check_state <- function(state, size) {
  code <- if (is.list(state)) state$code
  points <- if (is.list(code) && length(code) == 4) code[[4]]
  sound <- length(points) == 3 && is.list(points) && code[[1]] %in% 0:3 && is_number(code[[2]]) &&
    is_number(code[[3]]) && is_doubles(points[[1]], size) &&
    is_doubles(points[[2]], c(.Call(r_v_stride, code[[3]]), size[1])) &&
    is.double(points[[3]]) && length(points[[3]]) == size[1] && is_doubles(state$x, size) &&
    (is.null(state$inducing) || (is_doubles(state$inducing, c(code[[3]], size[2])) &&
                                   is_doubles(state$factor, c(code[[3]], code[[3]]))))
  if (!sound) {
    fail(paste("tree's metric must be one that cover_tree(x, metric = ) or update_metric() gave it:",
               "this does not fit its points"))
  }
  if (!.Call(r_seal_is_fresh, state$seal, state_parts(state))) check_values(state)
  state
}

# Once in a session: a file can hold anything.
check_values <- function(state) {
  damaged <- function(...) {
    fail("tree's metric is damaged: %s; build the tree again with cover_tree()", sprintf(...))
  }
  parts <- state_parts(state)
  for (name in c("z", "v", "x")) {
    where <- .Call(r_first_nonfinite, parts[[name]])
    if (!is.null(where)) {
      damaged("row %d, column %d of `%s` is %s", where[1], where[2], name,
              format(parts[[name]][where[1], where[2]]))
    }
  }
  wrong <- which(!is.finite(parts$p) | parts$p < 0)
  if (length(wrong) > 0) damaged("number %d of `p` is %s", wrong[1], format(parts$p[wrong[1]]))
  changed <- .Call(r_seal_check, state$seal, parts)
  if (is.na(changed)) damaged("it has no checksums")
  if (changed > 0) damaged("`%s` does not match its checksum", names(parts)[changed])
}

is_doubles <- function(value, size) is.double(value) && identical(dim(value), as.integer(size))

# Values of points that are not the tree's own, and where they are in the tree's space.
check_query_of <- function(query, state, arrays, threads) {
  query <- check_points(query, "query")
  if (ncol(query) != ncol(state$x)) {
    fail("query must have %d columns like the tree, not %d", ncol(state$x), ncol(query))
  }
  query <- match_columns(query, colnames(state$x), "query", "the tree")
  if (is.null(state$inducing)) {
    fail("query must be NULL: with v and p given, only the tree's own points have values")
  }
  what <- "query and the tree's points together"
  z <- scale_points(query, state$metric$kernel$lengthscale, what, state$code[[4]]$z)
  list(points = latent(z, state$inducing, state$factor, state$metric, threads),
       space = scale_points(query, state$space, what, arrays$points))
}
