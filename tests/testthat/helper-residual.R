# Oracle for residual correlation: dense matrices in plain R, from the definition.

oracle_kernels <- list(
  rbf = function(r) exp(-r^2 / 2),
  exponential = function(r) exp(-r),
  matern32 = function(r) (1 + sqrt(3) * r) * exp(-sqrt(3) * r),
  matern52 = function(r) (1 + sqrt(5) * r + 5 * r^2 / 3) * exp(-sqrt(5) * r)
)

our_kernels <- list(rbf = kernel_rbf, exponential = kernel_exponential,
                    matern32 = kernel_matern32, matern52 = kernel_matern52)

# What a metric is made of, for the oracle and for residual_correlation(). `inducing` is a
# matrix or NULL; `given` is what the package gets in its place, where that differs.
residual_case <- function(kind, lengthscale, inducing = NULL, variance = 1, nugget = 0,
                          jitter = 1e-6 * variance, given = inducing) {
  list(kind = kind, lengthscale = lengthscale, inducing = inducing, variance = variance,
       nugget = nugget, jitter = jitter, given = given)
}

metric_of <- function(case) {
  residual_correlation(our_kernels[[case$kind]](case$variance, case$lengthscale), case$given,
                       nugget = case$nugget, jitter = case$jitter)
}

divide <- function(x, lengthscale) sweep(plain_matrix(x), 2, lengthscale, "/")

oracle_covariance <- function(case, a, b) {
  sq <- 0
  for (j in seq_len(ncol(a))) sq <- sq + outer(a[, j], b[, j], "-")^2
  case$variance * oracle_kernels[[case$kind]](sqrt(matrix(sq, nrow(a), nrow(b))))
}

# What p must exceed, by the formula of the help page.
oracle_level <- function(case, m, d) 1024 * (m + d + 8) * 2^-53 * (case$variance + case$jitter)

# V and p of points, p being 0 where it is none: at inducing points, and within rounding.
oracle_latent <- function(case, x) {
  lengthscale <- rep_len(case$lengthscale, ncol(x))
  z <- divide(x, lengthscale)
  v <- matrix(0, nrow(z), 0)
  p <- rep(case$variance, nrow(z))
  if (!is.null(case$inducing)) {
    u <- divide(case$inducing, lengthscale)
    factor <- chol(oracle_covariance(case, u, u) + case$jitter * diag(nrow(u)))
    v <- t(backsolve(factor, t(oracle_covariance(case, z, u)), transpose = TRUE))
    p <- case$variance - rowSums(v^2)
    p[p <= oracle_level(case, nrow(u), ncol(x))] <- -Inf
    p[apply(z, 1, function(point) any(colSums(t(u) == point) == ncol(u)))] <- -Inf
  }
  list(z = z, v = v, p = pmax(p + case$nugget, 0))
}

# Distances between all of `from` and all of `points`, as oracle_latent() has them; with distances
# in space, and who is to be answered by these, as attributes.
oracle_residual <- function(case, from, points) {
  root <- sqrt(outer(from$p, points$p))
  rest <- oracle_covariance(case, from$z, points$z) - tcrossprod(from$v, points$v)
  space <- 0
  for (j in seq_len(ncol(from$z))) space <- space + outer(from$z[, j], points$z[, j], "-")^2
  structure(sqrt(1 - pmin(abs(ifelse(root > 0, rest / root, 0)), 1)), space = sqrt(space),
            none = from$p == 0 | all(points$p == 0))
}

# Infinite where a point may not be found: itself, or a later one.
oracle_among <- function(distance, predecessor) {
  out <- if (predecessor) col(distance) >= row(distance) else col(distance) == row(distance)
  distance[out] <- Inf
  attr(distance, "space")[out] <- Inf
  distance
}

# The first m of the maximin order of x, as inducing points.
oracle_inducing <- function(x, lengthscale, m) {
  z <- divide(x, rep_len(lengthscale, ncol(x)))
  plain_matrix(x)[oracle_maximin(z, m), , drop = FALSE]
}

# Every neighbor is where the oracle has it, where no two distances are within `gap`; and as far.
# Near 0 the root magnifies rounding: there, squares must agree.
expect_residual_knn <- function(knn, distance, label, tolerance = 1e-10, gap = 1e-9) {
  k <- ncol(knn$index)
  there <- pmin(rowSums(is.finite(distance)), k)
  expect(identical(!is.na(knn$index), outer(there, seq_len(k), ">=")),
         paste0(label, ": not as many neighbors as there are"))
  expect(!anyNA(knn$distance[!is.na(knn$index)]), paste0(label, ": NA among distances"))
  expect_none_twice(knn$index, label)
  wrong <- unlist(lapply(which(there > 0), function(i) {
    index <- knn$index[i, seq_len(there[i])]
    found <- knn$distance[i, seq_len(there[i])]
    if (!isTRUE(attr(distance, "none")[i])) return(wrong_neighbors(index, found, distance[i, ], tolerance, gap))
    c(if (!all(found == 1)) "a point without residual is not at distance 1",
      if (!identical(index, order(attr(distance, "space")[i, ])[seq_along(index)])) "not the nearest in space")
  }))
  expect(length(wrong) == 0, paste0(label, ": ", wrong[1]))
  invisible(knn)
}

wrong_neighbors <- function(index, found, distance, tolerance, gap) {
  order <- order(distance)
  right <- distance[order[seq_len(min(length(index) + 1, length(order)))]]
  near <- function(a, b) abs(a - b) <= tolerance | abs(a^2 - b^2) <= tolerance / 100
  clear <- c(Inf, diff(right), Inf) > gap
  alone <- clear[seq_along(index)] & clear[seq_along(index) + 1]
  c(if (!all(near(found, right[seq_along(index)]))) "distances differ",
    if (!all(near(found, distance[index]))) "distances are not those of the rows",
    if (is.unsorted(found)) "not in order",
    if (any(tied <- diff(found) == 0) && any(diff(index)[tied] < 0)) "ties are not by row",
    if (!all(index[alone] == order[seq_along(index)][alone])) "rows differ")
}

# The share of the exact neighbors of each query that was found. Points at the distance of the farthest
# exact neighbor count for each other.
oracle_recall <- function(found, exact) {
  vapply(seq_len(nrow(exact$index)), function(i) {
    right <- exact$index[i, !is.na(exact$index[i, ])]
    if (length(right) == 0) return(1)
    apart <- exact$distance[i, seq_along(right)]
    nearer <- right[apart < max(apart)]
    others <- !found$index[i, ] %in% nearer
    last <- others & (found$index[i, ] %in% right | found$distance[i, ] <= max(apart))
    (sum(!others) + min(sum(last, na.rm = TRUE), length(right) - length(nearer))) / length(right)
  }, 0)
}

for_each_simd <- function(code) {
  old <- options(covertree.simd = NULL)
  on.exit(options(old))
  lapply(covertree_info()$simd_available, function(simd) {
    options(covertree.simd = simd)
    code(simd)
  })
}

# Clusters, doubles and a few points in between.
residual_points <- function(n, d, seed) {
  with_seed(seed, {
    x <- matrix(runif(n * d), n, d)
    x[sample(n, n %/% 10), ] <- x[sample(n, n %/% 10), ]
    x
  })
}

budget_metric <- function(inducing = 15) {
  residual_correlation(kernel_matern32(lengthscale = 0.5), inducing, nugget = 0.05)
}

factors_of <- function(tree) unclass(tree)$metric$code$points
