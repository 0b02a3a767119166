# Points without residual variance, and queries that are therefore answered by distance in space.

# The residual variance p, without the nugget, at and below which p is taken for rounding error.
#
# Let u be the unit roundoff, s = variance + jitter, c = d + 8, and w = K_mm^-1 k_x, the weights
# with which the m inducing points predict point x. To first order in u, each of these errors of p
# has a bound by a multiple of (1 + |w|_1)^2:
#   covariances     at most (c - 1) u s each (squared distance, root, exponential function), so
#                   (c - 1) u s (2 |w|_1 + |w|_1^2);
#   Cholesky factor |dA| <= (m + 1) u |L| |L'| (Higham 2002, theorem 10.3); rows of L have the norm
#                   sqrt(s), so |w' dA w| <= (m + 1) u s |w|_1^2;
#   v = L^-1 k_x    |dL| <= m u |L| (theorem 8.5), so 2 |w' dL v| <= 2 m u s |w|_1;
#   |v|^2           m u |v|^2 <= m u s in any order of the sum, and u s for its subtraction.
# Together, |error of p| <= (m + c) u s (1 + |w|_1)^2. The error of k(x, y) - v_x . v_y has the same
# bound with (1 + |w_x|_1) (1 + |w_y|_1), so the bound holds for rho with sqrt(p_x p_y) in place of
# p. p is the error of a prediction from values with noise of variance `jitter`, so p >= jitter
# |w|_2^2 and |w|_1^2 <= m p / jitter: long weights occur with large p only. Where p is small, |w|_1
# is about 2 to 10. Above 1024 (m + c) u s, the relative error of p and the error of rho are at most
# 10% if |w|_1 <= 9. Errors were at most 4% of the bound in comparisons with 160-bit arithmetic
# (tests/testthat/test-rounding_level.R), because rounding errors cancel.
rounding_level <- function(m, d, variance, jitter) {
  1024 * (m + d + 8) * (.Machine$double.eps / 2) * (variance + jitter)
}

# Whether the covariance function varies by no more than `level` over the box around scaled points
# and inducing points. Then v is the same for all points, up to rounding. FALSE for a
# kernel_custom(), which need not be monotone.
is_flat <- function(kernel, z, inducing, level) {
  if (nrow(inducing) == 0 || is_custom(kernel)) return(FALSE)
  extent <- rbind(.Call(r_column_range, z), .Call(r_column_range, inducing))
  r <- sqrt(sum((apply(extent, 2, max) - apply(extent, 2, min))^2))
  a <- r * switch(kernel$kind, matern32 = sqrt(3), matern52 = sqrt(5), 1)
  drop <- switch(kernel$kind, rbf = -expm1(-a^2 / 2), exponential = -expm1(-a),
                 matern32 = 1 - (1 + a) * exp(-a), matern52 = 1 - (1 + a + a^2 / 3) * exp(-a))
  kernel$variance * drop <= level
}

# Whether each row of z equals a row of u, exactly (0 equals -0). Costs O((n + m) d).
is_row_of <- function(z, u) {
  m <- nrow(u)
  if (m == 0) return(logical(nrow(z)))
  rows <- seq_len(nrow(z))
  # The number of the first row of u with the same values in columns 1, ..., j.
  first <- rep(1, m)
  same <- rep(1, length(rows))
  for (j in seq_len(ncol(u))) {
    key <- (first - 1) * m + match(u[, j], u[, j])
    same <- match((same - 1) * m + match(z[rows, j], u[, j]), key)
    rows <- rows[!is.na(same)]
    same <- same[!is.na(same)]
    first <- match(key, key)
  }
  replace(logical(nrow(z)), rows, TRUE)
}

# Warns if more than 1% of a tree's n points have no residual variance because of rounding.
warn_no_residual <- function(by_rounding, n, metric, m, flat, level) {
  if (by_rounding <= 0.01 * n) return(invisible())
  advice <- if (flat) {
    paste("the kernel varies by no more than its rounding error between any two points;",
          "use a shorter lengthscale")
  } else {
    sprintf(paste("it is at most %.2g, which may be rounding error alone; use a jitter larger than %g,",
                  "fewer than %d inducing points, or a shorter lengthscale"), level, metric$jitter, m)
  }
  told <- sprintf("%s of the points (%s of %s) have no residual variance, and get the nearest points in space: %s",
                  percent(by_rounding / n), count_label(by_rounding), count_label(n), advice)
  warning(structure(class = c("covertree_no_residual", "warning", "condition"),
                    list(message = told, call = NULL)))
}

percent <- function(share) paste0(format(100 * share, digits = 2), "%")

count_label <- function(count) format(count, big.mark = ",")

# The part of a residual_search() that answers queries without a residual: those where p is 0, and
# all queries if p is 0 at every point of the tree. `others` are the factors of foreign queries, or
# NULL. The value is a list of functions; `rows` are numbers of queries, or NULL for all queries.
space_search <- function(tree, state, others, k, options) {
  points <- state$code$points
  queries <- if (is.null(others)) points else others
  without <- if (max(points$p) > 0) queries$p == 0 else rep(TRUE, length(queries$p))
  numbers <- function(rows) if (is.null(rows)) which(without) else which(without[rows])
  options <- utils::modifyList(options, list(epsilon = 0, stats = FALSE, progress = FALSE))
  options[c("budget", "max_distance")] <- list(NULL)
  # Made when first needed, once for all searches of a call.
  pointer <- NULL
  nearest <- function(rows, k) {
    if (is.null(pointer)) pointer <<- space_pointer(tree, state, options)
    query <- if (!is.null(others)) others$z[rows, , drop = FALSE]
    .Call(r_knn, pointer, query, if (is.null(others)) rows, k, options)
  }
  list(
    # Replaces the answers to such queries in `found` by the nearest points in space, at distance 1.
    complete = function(rows, found) {
      lines <- numbers(rows)
      if (length(lines) == 0) return(found)
      near <- nearest(if (is.null(rows)) lines else rows[lines], k)$index
      found$index[lines, ] <- near
      found$distance[lines, ] <- ifelse(is.na(near), NA, 1)
      found
    },
    # Distances of queries to the rows `index`, for recall_by_query(): Inf where a query without a
    # residual has k points that are nearer in space.
    exclude_farther = function(rows, index, distance) {
      lines <- numbers(rows)
      if (length(lines) == 0) return(distance)
      asked <- unique(rows[lines])
      near <- nearest(asked, ncol(index))$distance
      farthest <- apply(near, 1, function(row) max(row, -Inf, na.rm = TRUE))
      apart <- row_distance(queries$z[rows[lines], , drop = FALSE], points$z, index[lines, , drop = FALSE])
      farther <- apart > farthest[match(rows[lines], asked)]
      distance[lines, ][farther %in% TRUE] <- Inf
      distance
    },
    # The share of such queries, and why they have no residual.
    report = function(rows) {
      lines <- numbers(rows)
      count <- if (is.null(rows)) length(without) else length(rows)
      asked <- if (is.null(rows)) lines else rows[lines]
      list(share = if (count > 0) length(lines) / count else 0,
           reason = if (length(lines) > 0) no_residual_reason(state, queries, asked, count))
    }
  )
}

# The tree over the coordinates divided by the lengthscale of the metric: the tree itself, unless
# update_metric() has changed the lengthscale.
space_pointer <- function(tree, state, options) {
  d <- ncol(state$x)
  if (identical(rep_len(state$space, d), rep_len(state$metric$kernel$lengthscale, d))) {
    return(tree$pointer)
  }
  settings <- list(layout = "hilbert", leaf_size = 128L, dimnames = NULL)
  .Call(r_tree_build, state$code$points$z, TRUE, 128L, options$simd, options$threads, settings)
}

no_residual_reason <- function(state, queries, asked, count) {
  causes <- if (is.null(state$inducing)) {
    "where p is 0"
  } else {
    equal <- is_row_of(queries$z[asked, , drop = FALSE], state$inducing)
    rounded <- queries$p[asked] == 0 & !equal
    other <- sum(!equal & !rounded)
    c(if (any(equal)) paste(count_label(sum(equal)), "at inducing points"),
      if (any(rounded)) paste(count_label(sum(rounded)), "by rounding"),
      if (other > 0) paste(count_label(other), "because no point of the tree has one"))
  }
  sprintf("%s of %s quer%s no residual variance (%s): the answer is the nearest points in space",
          count_label(length(asked)), count_label(count), if (count == 1) "y has" else "ies have",
          toString(causes))
}

no_residual_attributes <- function(report) {
  if (is.null(report)) NULL
  else c(list(no_residual = report$share), if (!is.null(report$reason)) list(reason = report$reason))
}

# For format(): what part of the queries has no residual.
no_residual_label <- function(share) {
  if (is.null(share) || share == 0) "" else sprintf(", %s by distance in space", percent(share))
}
