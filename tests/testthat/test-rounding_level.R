# The rounding level of residual variances, against numbers of 160 bits.

# Small sets: more threads, where no test asks for them, would only wait for each other.
threads_before <- covertree_threads(1)

# p, residual covariances and the sums of absolute weights, computed with 160 bits from the scaled
# points in double. Matrices are vectors, because Rmpfr is slow element by element.
in_160_bits <- function(case, z, u) {
  n <- nrow(z)
  m <- nrow(u)
  # Element (i, j) of a matrix [length(a) x length(b)].
  outer_160 <- function(a, b, f) f(rep(a, length(b)), rep(b, each = length(a)))
  covariance <- function(a, b) {
    sq <- 0
    for (j in seq_len(ncol(a))) {
      sq <- sq + outer_160(Rmpfr::mpfr(a[, j], 160), Rmpfr::mpfr(b[, j], 160), `-`)^2
    }
    case$variance * switch(case$kind, rbf = exp(-sq / 2), exponential = exp(-sqrt(sq)),
      matern32 = (1 + sqrt(3 * sq)) * exp(-sqrt(3 * sq)),
      matern52 = (1 + sqrt(5 * sq) + 5 * sq / 3) * exp(-sqrt(5 * sq)))
  }
  # Gauss-Jordan elimination of K_mm takes k to the weights, and the residual covariance is k - k' w.
  of_m <- rep(seq_len(m), m)
  k_mm <- covariance(u, u)
  k_mm[of_m == rep(seq_len(m), each = m)] <- k_mm[of_m == rep(seq_len(m), each = m)] + case$jitter
  k_mn <- covariance(u, z)
  row_mm <- function(i) seq(i, m * m, m)
  row_mn <- function(i) seq(i, m * n, m)
  weight <- k_mn
  for (i in seq_len(m)) {
    pivot <- k_mm[row_mm(i)][i]
    column <- k_mm[(i - 1) * m + seq_len(m)] / pivot
    column[i] <- 0
    weight <- weight - outer_160(column, weight[row_mn(i)], `*`)
    k_mm <- k_mm - outer_160(column, k_mm[row_mm(i)], `*`)
    weight[row_mn(i)] <- weight[row_mn(i)] / pivot
    k_mm[row_mm(i)] <- k_mm[row_mm(i)] / pivot
  }
  rest <- covariance(z, z)
  for (i in seq_len(m)) rest <- rest - outer_160(k_mn[row_mn(i)], weight[row_mn(i)], `*`)
  rest <- matrix(Rmpfr::asNumeric(rest), n)
  list(p = diag(rest), rest = rest, weights = colSums(abs(matrix(Rmpfr::asNumeric(weight), m))))
}

test_that("p and rho keep within the bound of the help page, against 160 bits", {
  skip_if_not_installed("Rmpfr")
  skip_on_cran()
  ranges <- lapply(list(
    residual_case("exponential", 0.1), residual_case("matern52", 1, jitter = 1e-8),
    residual_case("rbf", 0.3, variance = 4, jitter = 1e-8), residual_case("rbf", 0.7, jitter = 2e-9),
    residual_case("rbf", 2, jitter = 3e-11), residual_case("rbf", 0.5, jitter = 1e-13)
  ), function(case) {
    x <- uniform_points(60, 2, seed = 401)
    u <- x[1:20, ]
    own <- 21:60
    case$given <- u
    tree <- suppressWarnings(cover_tree(x, metric = metric_of(case)))
    p <- factors_of(tree)$p
    scaled <- function(points) divide(points, rep(case$lengthscale, 2))
    right <- in_160_bits(case, scaled(x[own, ]), scaled(u))
    label <- paste(case$kind, case$lengthscale, case$jitter)
    level <- oracle_level(case, 20, 2)
    expect(all(p[-own] == 0), paste(label, "inducing points have a residual"))
    expect(all(p[own][right$p <= level / 1.1] == 0), paste(label, "p is below the level"))
    expect(all(p[own][right$p > level * 1.1] > 0), paste(label, "p is above the level"))
    kept <- which(p[own] > 0)
    bound <- (level / 1024 * outer(1 + right$weights, 1 + right$weights))[kept, kept]
    exact <- right$p[kept]
    error <- abs(p[own][kept] - exact)
    expect(all(error <= diag(bound)), paste(label, "p is beyond its bound"))
    # Errors cancel: above the level they are much smaller than p.
    expect(all(error / exact < 0.001), paste(label, "p is inaccurate"))
    distance <- sqrt(1 - pmin(abs(right$rest[kept, kept]) / sqrt(outer(exact, exact)), 1))
    knn <- knn_query(tree, k = 59)
    found <- matrix(0, 60, 60)
    found[cbind(c(row(knn$index)), c(knn$index))] <- c(knn$distance)
    found <- found[own, own][kept, kept]
    off <- abs(found^2 - distance^2)
    diag(off) <- 0
    # The roots of p_x and p_y add half of the relative error of each.
    allowed <- bound / sqrt(outer(exact, exact)) + outer(diag(bound) / exact, diag(bound) / exact, "+") + 1e-15
    expect(all(off <= allowed), paste(label, "a distance is beyond its bound"))
    expect_lt(max(off), 0.001)
    # The five nearest are the same, unless the fifth and the sixth are as near as the errors.
    diag(distance) <- diag(found) <- Inf
    same <- vapply(seq_along(kept), function(i) {
      sorted <- sort(distance[i, ]^2)
      sorted[6] - sorted[5] < 2 * max(off[i, ]) || setequal(order(found[i, ])[1:5], order(distance[i, ])[1:5])
    }, NA)
    expect(all(same), paste(label, "other neighbors"))
    range(exact / case$variance)
  })
  expect_lt(min(unlist(ranges)), 1e-10)
  expect_gt(max(unlist(ranges)), 0.5)
})

covertree_threads(threads_before)
