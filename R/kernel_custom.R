# Residual correlation with a covariance function that is an R function: exact, by comparing all
# pairs in blocks. See src/core/residual_exact/host_covariance.h.

#' @rdname kernels
#' @export
kernel_custom <- function(f, variance = 1, lengthscale = 1) {
  if (missing(f)) fail("f must be a function of squared distances: got nothing")
  kernel <- new_custom_kernel(f, variance, lengthscale)
  squares <- c(0, 0.01, 1, 100)
  value <- f(squares)
  if (is_numeric(value) && length(value) == length(squares) && isTRUE(abs(value[1] - 1) > 1e-8)) {
    fail("f must be 1 at 0, because variance is an argument of its own: got %s", format(value[1]))
  }
  custom_correlation(f, squares)
  kernel
}

new_custom_kernel <- function(f, variance, lengthscale) {
  if (!is.function(f)) fail("f must be a function of squared distances: got %s", describe(f))
  if (!takes_arguments(f, 1)) fail("f must be a function of squared distances: got a function of no arguments")
  kernel <- new_kernel("custom", variance, lengthscale)
  kernel$f <- f
  kernel
}

# Whether a kernel is one of kernel_custom(). C code must not read its kernel_code().
is_custom <- function(kernel) {
  inherits(kernel, "covertree_kernel") && identical(kernel$kind, "custom") && is.function(kernel$f)
}

# Returns the correlations f(squares), in the shape of `squares`; stops if they are none.
custom_correlation <- function(f, squares) {
  value <- f(as.vector(squares))
  if (!is_numeric(value) || length(value) != length(squares)) {
    fail("f must return a number for each squared distance, %d: got %s", length(squares), describe(value))
  }
  wrong <- which(!is.finite(value) | abs(value) > 1 + 1e-8)
  if (length(wrong) > 0) {
    fail("f must return correlations from -1 to 1: f(%s) is %s", format(as.vector(squares)[wrong[1]]),
         format(as.vector(value)[wrong[1]]))
  }
  array(as.double(value), c(dim(squares), if (is.null(dim(squares))) length(squares)))
}

# Squared distances between the rows of a and of b.
squares_between <- function(a, b) {
  sum <- 0
  for (j in seq_len(ncol(a))) sum <- sum + outer(a[, j], b[, j], "-")^2
  sum
}

# The lower Cholesky factor of the covariance of the inducing points, or the order of the leading
# minor that is not positive.
custom_factor <- function(inducing, metric) {
  m <- nrow(inducing)
  if (m == 0) return(matrix(0, 0, 0))
  covariance <- covariance_of(metric$kernel, squares_between(inducing, inducing)) + diag(metric$jitter, m)
  failed <- 0L
  upper <- tryCatch(chol(covariance), error = function(e) {
    failed <<- as.integer(sub(".*order ([0-9]+).*", "\\1", conditionMessage(e)))
    NULL
  })
  if (is.null(upper)) failed else t(upper)
}

custom_pairs <- 1e6 # the approximate number of pairs in one call of f

# See residual_factors().
custom_values <- function(z, inducing, factor, metric, level) {
  n <- nrow(z)
  m <- nrow(inducing)
  v <- matrix(0, .Call(r_v_stride, m), n)
  chunk <- max(1, custom_pairs %/% max(m, 1))
  if (m > 0) {
    for (first in seq(1, n, by = chunk)) {
      rows <- first:min(n, first + chunk - 1)
      covariance <- covariance_of(metric$kernel, squares_between(inducing, z[rows, , drop = FALSE]))
      v[seq_len(m), rows] <- forwardsolve(factor, covariance)
    }
  }
  p <- metric$kernel$variance - colSums(v^2)
  list(z = z, v = v, p = ifelse(p > level, p + metric$nugget, 0))
}

# See euclidean_search(). `others` are the factors of foreign queries; `space` is a space_search().
custom_search <- function(state, others, k, options, space) {
  if (!is.null(options$budget)) {
    fail("budget must be NULL with kernel_custom(), whose searches are exact: got a budget()")
  }
  code <- state$code
  kernel <- state$metric$kernel
  n <- nrow(state$x)
  queries <- if (is.null(others)) n else nrow(others$z)
  covariances <- function(rows, index, count) {
    covariance_of(kernel, .Call(r_pair_squares, code, others, rows, index, count, options))
  }
  nearest <- function(rows) {
    count <- if (options$predecessor) max(rows) else n
    distance <- .Call(r_pair_distances, code, others, rows, NULL, covariances(rows, NULL, count), options)
    c(.Call(r_pair_nearest, code, others, rows, distance, k, options), list(pairs = length(distance)))
  }
  list(
    queries = queries,
    no_residual = space$report,
    exact = function(rows) {
      if (is.null(rows)) rows <- seq_len(queries)
      if (length(rows) == 0) return(no_pairs(k))
      size <- max(1, custom_pairs %/% n)
      blocks <- split(rows, (seq_along(rows) - 1) %/% size)
      found <- lapply(blocks, nearest)
      side <- function(name) t(do.call(cbind, unname(lapply(found, `[[`, name))))
      pairs <- sum(vapply(found, function(block) as.double(block$pairs), 0))
      space$complete(rows, list(index = side("index"), distance = side("distance"),
                                counts = list(single = 0, double = 0, correlations = pairs)))
    },
    distance = function(rows, index) {
      distance <- .Call(r_pair_distances, code, others, rows, index, covariances(rows, index, 0L), options)
      distance <- t(distance)
      distance[is.na(index)] <- NA
      space$exclude_farther(rows, index, distance)
    },
    stats = function(found) residual_stats(found)
  )
}
