#' Distance by residual correlation
#'
#' A metric for Vecchia approximations of the residual of a Gaussian process, which remains after
#' a low-rank part (full-scale and Vecchia-inducing-points approximations). Two points are near each
#' other if their residuals are strongly correlated. Pass the metric to [cover_tree()] as `metric`.
#'
#' Use such neighbors for the residual part of these models only, as [vif_loglik()] does. A plain
#' Vecchia approximation is much worse with them than with Euclidean neighbors.
#'
#' Let k be the covariance function, L L' = K_mm + `jitter` I the covariance matrix of m inducing
#' points, V = K_xm L^-T with the rows v_x, and p_x = k(x, x) - |v_x|^2 + `nugget` the residual
#' variance of x. The residual correlation of x and y and their distance are
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
#' exception. If |rho| is below 1.1e-16, 1 - |rho| is rounded to 1, and the distance is exactly 1.
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
#' The package computes V itself, not with the BLAS of R. Hence all results have the same
#' bits with every BLAS.
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
    fail("p must be finite and at least 0: number %d is %s", wrong[1], format(p[wrong[1]]))
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
          x$kernel$kind, format(x$kernel$variance), toString(format(x$kernel$lengthscale), width = 40),
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
  if (!is.null(others)) {
    around <- .Call(r_column_range, others)
    extent <- rbind(pmin(extent[1, ], around[1, ]), pmax(extent[2, ], around[2, ]))
  }
  check_extent(extent, what)
  z
}

# The state of a metric in a tree: the metric; `code`, which src/glue/residual_metric.c reads by
# name, with the factors of the tree's points x by row; the Cholesky factor of the inducing points,
# for foreign points; and the lengthscale of the space in which the tree was built.
metric_state <- function(x, metric, threads, space = metric$kernel$lengthscale) {
  z <- scale_points(x, metric$kernel$lengthscale)
  state <- if (is.null(metric$v)) inducing_state(x, z, metric, threads) else factor_state(z, metric)
  state$metric <- metric
  state$x <- x
  state$space <- space
  state$seal <- .Call(r_seal, state_parts(state))
  state
}

# The parts of a state, by the names that messages use.
state_parts <- function(state) {
  list(z = state$code$points$z, v = state$code$points$v, p = state$code$points$p, x = state$x,
       space = state$space, inducing = state$inducing, factor = state$factor,
       dimnames = dimnames(state$x), metric = list(state$code$kind, state$code$variance, state$code$m,
                                                    state$metric))
}

# The number of a covariance function in the core; 4, which the core does not know, for a
# kernel_custom().
kernel_code <- function(metric) {
  if (is_custom(metric$kernel)) length(kernel_kinds) else match(metric$kernel$kind, kernel_kinds) - 1L
}

inducing_state <- function(x, z, metric, threads) {
  inducing <- choose_inducing(x, z, metric, threads)
  factor <- if (is_custom(metric$kernel)) custom_factor(inducing, metric)
            else .Call(r_inducing_factor, kernel_code(metric), metric$kernel$variance, inducing,
                       metric$jitter, simd_level(), check_threads(threads))
  if (!is.matrix(factor)) {
    fail(paste("the covariance of the inducing points has no Cholesky factor: its leading minor %d is",
               "not positive; use fewer or more distinct points, or a larger jitter than %g"),
         factor, metric$jitter)
  }
  level <- rounding_level(nrow(inducing), ncol(z), metric$kernel$variance, metric$jitter)
  flat <- is_flat(metric$kernel, z, inducing, level)
  factors <- residual_factors(z, inducing, factor, metric, threads, if (flat) Inf else level)
  without <- z[factors$p == 0, , drop = FALSE]
  warn_no_residual(sum(!is_row_of(without, inducing)), nrow(z), metric, nrow(inducing), flat, level)
  list(inducing = inducing, factor = factor, code = metric_code(metric, nrow(inducing), factors))
}

metric_code <- function(metric, m, points) {
  list(kind = kernel_code(metric), variance = metric$kernel$variance, m = m, points = points)
}

# The factors of scaled points: list(z, v, p). p is 0 at inducing points, and where it is at most
# `level` without the nugget.
residual_factors <- function(z, inducing, factor, metric, threads, level) {
  if (nrow(z) == 0) {
    return(list(z = z, v = matrix(0, .Call(r_v_stride, nrow(inducing)), 0), p = numeric()))
  }
  factors <- if (is_custom(metric$kernel)) custom_values(z, inducing, factor, metric, level)
             else .Call(r_residual_values, kernel_code(metric), metric$kernel$variance, inducing, factor,
                        z, metric$nugget, level, simd_level(), check_threads(threads))
  factors$p[is_row_of(z, inducing)] <- 0
  factors
}

choose_inducing <- function(x, z, metric, threads) {
  inducing <- metric$inducing
  if (is.matrix(inducing)) {
    if (ncol(inducing) != ncol(x)) {
      fail("inducing must have %d columns like x: got %d", ncol(x), ncol(inducing))
    }
    inducing <- match_columns(inducing, colnames(x), "inducing", "x")
    if (nrow(inducing) > nrow(x)) {
      fail("inducing must have at most as many points as x, %d: got %d", nrow(x), nrow(inducing))
    }
    return(scale_points(inducing, metric$kernel$lengthscale, "inducing and x together", z))
  }
  if (inducing > nrow(x)) {
    fail("inducing must be at most the number of points, %d: got %d", nrow(x), inducing)
  }
  chosen <- if (inducing > 0) .Call(r_order_maximin, z, inducing, simd_level(), check_threads(threads))
  z[chosen, , drop = FALSE]
}

# V with a column for each point, padded with zeros as src/core/residual/correlation.h has it.
factor_state <- function(z, metric) {
  if (nrow(metric$v) != nrow(z)) {
    fail("v must have a row for each of the %d points of x: got %d", nrow(z), nrow(metric$v))
  }
  m <- ncol(metric$v)
  v <- matrix(0, .Call(r_v_stride, m), nrow(z))
  v[seq_len(m), ] <- t(metric$v)
  list(code = metric_code(metric, m, list(z = z, v = v, p = metric$p)))
}

#' Change the metric of a tree
#'
#' Replaces the residual correlation of a tree: other hyperparameters or other inducing points. The
#' tree itself, which was built over the coordinates divided by the first lengthscale, is kept. Only
#' V and p are computed again. Unless inducing points are few, this takes most of the time of
#' [cover_tree()].
#'
#' @inheritParams cover_tree
#' @param tree A tree that [cover_tree()] made with a [residual_correlation()].
#' @param metric Another [residual_correlation()].
#'
#' @return A new tree; `tree` keeps its metric. Exact searches have the same results as with
#'   `cover_tree(x, metric = metric)`. Searches to a stated recall evaluate points in the order of
#'   their distances divided by the first lengthscale. If the ratios of lengthscales have changed
#'   much, such a search is faster in a tree from [cover_tree()].
#'
#' @section Searches to a stated recall:
#' The effort that such a search has chosen for `tree` is used for the new tree as well, one step
#' (10%) higher, because it changes little while hyperparameters change little, as during a fit. The
#' first search of the new tree checks it: 200 other queries are answered exactly, and the recall is
#' stated for these. If the mean recall of all queries that were checked since the effort was chosen
#' does not exceed the target by a standard error, or after 16 updates, the effort is chosen again.
#' The result therefore depends on the searches before the update; [cover_tree()] makes a tree
#' without them.
#'
#' @section Errors:
#' Stops if `tree` has no residual correlation, and, as [residual_correlation()] and [cover_tree()]
#' do, if the metric does not fit the points. Warns if many points have no residual variance; see
#' [residual_correlation()].
#'
#' @examples
#' x <- matrix(runif(2000), ncol = 2)
#' tree <- cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.2), 50))
#' again <- update_metric(tree, residual_correlation(kernel_matern32(lengthscale = 0.3), 50))
#' knn_query(again, k = 3)
#' @export
update_metric <- function(tree, metric, threads = NULL) {
  check_tree(tree)
  if (is.null(tree$metric) || is_function_tree(tree)) {
    fail("tree must have a residual correlation to update; build it with cover_tree(x, metric = )")
  }
  if (missing(metric) || !inherits(metric, "covertree_residual_correlation")) {
    fail("metric must be a residual_correlation(): got %s",
         if (missing(metric)) "missing" else describe(metric))
  }
  metric <- check_metric(metric)
  state <- check_state(tree$metric, dim(tree_arrays(tree)$points))
  updated <- new_cover_tree(tree$pointer, metric_state(state$x, metric, threads, state$space),
                            crs = attr(tree, "crs"))
  before <- kept_choices(cache_of(tree))
  if (length(before) > 0) updated$cache$before <- before
  updated
}

# See euclidean_search(). The effort is the patience of the approximate search: let e be the number
# of points that a query had evaluated when one of them was last among the k nearest so far; the
# query stops after patience * (e + 4 k) more points.
residual_search <- function(tree, query, k, options) {
  arrays <- tree_arrays(tree)
  state <- check_state(tree$metric, dim(arrays$points))
  code <- state$code
  n <- nrow(state$x)
  origin <- if (!is.null(state$inducing)) {
    list(inducing = state$inducing, factor = state$factor, jitter = state$metric$jitter)
  }
  if (!is.null(query)) query <- check_query_of(query, state, arrays, options$threads)
  others <- query$points
  pick <- function(rows) {
    if (is.null(rows) || is.null(others)) return(others)
    list(z = others$z[rows, , drop = FALSE], v = others$v[, rows, drop = FALSE], p = others$p[rows])
  }
  own <- function(rows) if (is.null(others)) rows
  space <- space_search(tree, state, others, k, options)
  if (is_custom(state$metric$kernel)) return(custom_search(state, others, k, options, space))
  call <- list(
    queries = if (is.null(others)) n else nrow(others$z),
    key = if (is.null(others)) list(k, options$predecessor),
    limits = unlist(options$budget),
    cache = if (is.null(others)) cache_of(tree),
    no_residual = space$report,
    exact = function(rows) {
      some <- pick(rows)
      if (length(rows) == 0 && !is.null(rows) || !is.null(some) && nrow(some$z) == 0) return(no_pairs(k))
      space$complete(rows, .Call(r_residual_exact, code, origin, some, own(rows), k, options))
    },
    exact_is_cheaper = exact_comparison(tree, code, origin, others, k, options),
    efforts = c(0, 0.05 * 1.1^(0:62)),
    # The points that a query evaluates with this effort, if it has evaluated so many with another one.
    evaluations_with = function(effort, evaluated, other) {
      last <- (evaluated - other * 4 * k) / (1 + other)
      max(last, 0) + effort * (max(last, 0) + 4 * k)
    },
    attempt = function(rows, effort, few = 8 * k, levels = numeric()) {
      first <- min(n, 16 * ceiling(max(16, 2 * k, few) / 16))
      at <- if (is.null(rows)) query$space else query$space[rows, , drop = FALSE]
      options["budget"] <- list(NULL)
      found <- .Call(r_residual_approx, tree$pointer, code, quantized_values(tree, options$threads), at,
                     pick(rows), own(rows), k, list(patience = effort, levels = levels, first = first, most = n),
                     options)
      space$complete(rows, found)
    },
    within = function(rows) {
      if (!options$budget$diversity && !is.null(others)) {
        fail("budget must have diversity = TRUE with query: only the tree's own points have a place on the curve")
      }
      found <- .Call(r_residual_approx, tree$pointer, code, quantized_values(tree, options$threads),
                     query$space, others, own(rows), k,
                     list(patience = 0, levels = numeric(), first = min(n, 16 * ceiling(k / 2)), most = n), options)
      space$complete(rows, found)
    },
    distance = function(rows, index) {
      found <- .Call(r_residual_distance, code, pick(rows), own(rows), index, simd_level())
      space$exclude_farther(rows, index, found)
    },
    stats = function(found) residual_stats(found)
  )
  call$samples <- function(rows, known) open_samples(call, rows, known)
  call
}

# A function that tells whether the exact search of all queries costs less than an approximate
# search with this mean number of evaluated points. Costs are estimated on a sample of pairs when
# bounds of them do not decide. With V quantized, an evaluation costs a quarter of an exact
# correlation.
exact_comparison <- function(tree, code, origin, others, k, options) {
  costs <- NULL
  estimate <- function(measure) .Call(r_residual_costs, code, origin, others, k, measure, options)
  function(evaluated) {
    if (is.null(origin)) return(FALSE)
    share <- if (is.null(quantized_values(tree, options$threads))) 1 else 0.25
    cheaper <- function(costs) costs[1] < share * costs[2] * evaluated
    if (is.null(costs)) {
      if (!cheaper(estimate(FALSE))) return(FALSE)
      costs <<- estimate(TRUE)
    }
    cheaper(costs)
  }
}

# What the exact search finds for no queries.
no_pairs <- function(k) {
  list(index = matrix(integer(), 0, k), distance = matrix(numeric(), 0, k),
       counts = list(single = 0, double = 0, correlations = 0))
}

# V quantized to 16 bits for the approximate search, or NULL if residual variances are too small for
# its precision. It is computed when first needed and saved with the tree. If the file comes from a
# machine with another byte order, or is damaged, it is computed again.
quantized_values <- function(tree, threads) {
  code <- tree$metric$code
  if (code$m == 0 || stats::median(code$points$p) < 5e-3 * code$variance) return(NULL)
  cache <- cache_of(tree)
  if (!is_quantized(cache$quantized, code)) {
    made <- .Call(r_residual_quantize, tree$pointer, code, threads)
    cache$quantized <- c(made, list(endian = .Platform$endian, seal = .Call(r_seal, made)))
  }
  if (is.finite(cache$quantized$unit)) cache$quantized
}

is_quantized <- function(kept, code) {
  size <- .Call(r_quantized_stride, code$m) / 2 * length(code$points$p)
  is.list(kept) && identical(names(kept), c("unit", "values", "endian", "seal")) &&
    is.double(kept$unit) && length(kept$unit) == 1 && is.integer(kept$values) &&
    length(kept$values) == size && identical(kept$endian, .Platform$endian) &&
    is_sealed(kept$seal, kept[c("unit", "values")])
}

# Whether values are those that were sealed: their checksums are compared once in a session.
is_sealed <- function(seal, values) {
  .Call(r_seal_is_fresh, seal, values) || .Call(r_seal_check, seal, values) %in% 0L
}

# C code relies on sizes and types: a metric that was put into a tree by hand must not reach it.
check_state <- function(state, size) {
  code <- if (is.list(state)) state$code
  named <- is.list(code) && identical(names(code), c("kind", "variance", "m", "points"))
  points <- if (named) code$points
  sound <- is.list(points) && identical(names(points), c("z", "v", "p")) && is_number(code$kind) &&
    code$kind %in% (if (is_custom(state$metric$kernel)) 4 else 0:3) && is_number(code$variance) &&
    is_number(code$m) && is_doubles(points$z, size) && is_doubles(points$v, c(.Call(r_v_stride, code$m), size[1])) &&
    is.double(points$p) && length(points$p) == size[1] && is_doubles(state$x, size) &&
    (is.null(state$inducing) || (is_doubles(state$inducing, c(code$m, size[2])) &&
                                   is_doubles(state$factor, c(code$m, code$m))))
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

# The factors z, v and p of foreign points, and their coordinates in the tree's space.
check_query_of <- function(query, state, arrays, threads) {
  query <- check_points(query, "query", empty = TRUE)
  if (ncol(query) != ncol(state$x)) {
    fail("query must have %d columns like the tree: got %d", ncol(state$x), ncol(query))
  }
  query <- match_columns(query, colnames(state$x), "query", "the tree")
  if (is.null(state$inducing)) {
    fail("query must be NULL: with v and p given, only the tree's own points have values")
  }
  what <- "query and the tree's points together"
  metric <- state$metric
  z <- scale_points(query, metric$kernel$lengthscale, what, state$code$points$z)
  level <- rounding_level(nrow(state$inducing), ncol(z), metric$kernel$variance, metric$jitter)
  list(points = residual_factors(z, state$inducing, state$factor, metric, threads, level),
       space = scale_points(query, state$space, what, arrays$points))
}
