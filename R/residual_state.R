# The state of a residual correlation in a tree: factors of the points, and the checks of a state.

# The state of a metric in a tree: the metric; `code`, which src/glue/residual_metric.c reads by
# name, with the factors of the tree's points x by row; the Cholesky factor of the inducing points,
# for foreign points; and the lengthscale of the space in which the tree was built.
metric_state <- function(x, metric, threads, space = metric$kernel$lengthscale) {
  progress_stage("factors")
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
      fail("inducing must have as many columns as x, %d: got %d", ncol(x), ncol(inducing))
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

# Whether values are unchanged since they were sealed. Checksums are compared once in a session.
is_sealed <- function(seal, values) {
  .Call(r_seal_is_fresh, seal, values) || .Call(r_seal_check, seal, values) %in% 0L
}
