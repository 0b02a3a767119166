# The log-likelihood of a VIF approximation, against dense matrices in plain R.

# Small sets: more threads, where no test asks for them, would only wait for each other.
threads_before <- covertree_threads(1)

# The log-density of y under N(0, covariance).
oracle_loglik <- function(y, covariance) {
  root <- chol(covariance)
  -length(y) / 2 * log(2 * pi) - sum(log(diag(root))) - sum(backsolve(root, y, transpose = TRUE)^2) / 2
}

# The covariance matrix of the data, and V; a case is that of helper-residual.R.
oracle_data_covariance <- function(case, x) {
  z <- divide(x, rep_len(case$lengthscale, ncol(x)))
  oracle_covariance(case, z, z) + case$nugget * diag(nrow(x))
}

# The log-likelihood under the VIF approximation by its definition: each row of B and D is solved for,
# and the covariance matrix of the approximation is a dense one. Points are in their order.
oracle_vif <- function(case, x, y, NNarray) {
  n <- nrow(x)
  v <- oracle_latent(case, x)$v
  residual <- oracle_data_covariance(case, x) - tcrossprod(v)
  b <- diag(n)
  d <- diag(residual)
  for (i in seq_len(n)) {
    j <- NNarray[i, -1]
    j <- j[!is.na(j)]
    if (length(j) == 0) next
    b[i, j] <- -solve(residual[j, j], residual[j, i])
    d[i] <- residual[i, i] + sum(b[i, j] * residual[j, i])
  }
  root <- solve(b, diag(sqrt(d)))
  oracle_loglik(y, tcrossprod(v) + tcrossprod(root))
}

x <- uniform_points(150, 2, seed = 301)
y <- with_seed(302, sin(7 * x[, 1]) + x[, 2] + rnorm(150) / 3)
all_before <- list(order = 1:150, NNarray = {
  earlier <- row(diag(150)) - col(diag(150)) + 1L
  ifelse(earlier > 0, earlier, NA)
})

# Cases of every kernel, with the inducing points in all their forms, that have a nugget or not.
vif_cases <- function() {
  chosen <- function(lengthscale, m) oracle_inducing(x, lengthscale, m)
  elsewhere <- uniform_points(12, 2, seed = 303) * 1.2 - 0.1
  list(
    none = residual_case("matern32", 0.3, nugget = 0.1),
    number = residual_case("exponential", 0.3, chosen(0.3, 15), variance = 2, nugget = 0.1, given = 15),
    one = residual_case("matern32", c(0.2, 0.5), x[7, , drop = FALSE], nugget = 0.02),
    elsewhere = residual_case("matern52", c(0.3, 0.6), elsewhere, variance = 0.5, nugget = 0.1),
    smooth = residual_case("rbf", 0.4, chosen(0.4, 20), nugget = 0.05, given = 20),
    bare = residual_case("exponential", 0.2, chosen(0.2, 30), variance = 3, given = 30),
    no_jitter = residual_case("exponential", 0.2, elsewhere, nugget = 0.01, jitter = 0),
    much_jitter = residual_case("matern32", 0.2, x[1:9, ], nugget = 0.1, jitter = 0.3)
  )
}

test_that("with all earlier locations as neighbors, it is exact", {
  for (name in names(vif_cases())) {
    case <- vif_cases()[[name]]
    exact <- oracle_loglik(y, oracle_data_covariance(case, x))
    expect_equal(vif_loglik(y, x, all_before, metric_of(case)), exact, tolerance = 1e-9, label = name)
  }
})

test_that("with few neighbors, by any metric and order, it is that of the definition", {
  for (name in names(vif_cases())) {
    case <- vif_cases()[[name]]
    metric <- metric_of(case)
    for (near in list(vecchia_neighbors(x, 6), vecchia_neighbors(x, 6, metric = metric, recall = 1),
                      vecchia_neighbors(x, 1, "coordinate"), vecchia_neighbors(x, 25, 150:1))) {
      o <- near$order
      right <- oracle_vif(case, x[o, ], y[o], near$NNarray)
      expect_equal(vif_loglik(y, x, near, metric), right, tolerance = 1e-8, label = name)
    }
  }
})

test_that("it is a density: a location without neighbors is independent given the low-rank part", {
  case <- vif_cases()$number
  alone <- list(order = 1:150, NNarray = matrix(1:150))
  v <- oracle_latent(case, x)$v
  covariance <- tcrossprod(v) + diag(case$variance + case$nugget - rowSums(v^2))
  expect_equal(vif_loglik(y, x, alone, metric_of(case)), oracle_loglik(y, covariance))
  single <- list(order = 1L, NNarray = matrix(1L))
  expect_equal(vif_loglik(0.3, x[1, , drop = FALSE], single, residual_correlation(kernel_rbf(2))),
               dnorm(0.3, sd = sqrt(2), log = TRUE))
})

test_that("the order of the rows of x and the places of NA in NNarray do not matter", {
  case <- vif_cases()$elsewhere
  metric <- metric_of(case)
  near <- vecchia_neighbors(x, 8)
  right <- vif_loglik(y, x, near, metric)
  turned <- with_seed(304, sample(150))
  again <- near
  again$order <- order(turned)[near$order]
  expect_identical(vif_loglik(y[turned], x[turned, ], again, metric), right)
  mixed <- list(order = as.numeric(near$order), NNarray = near$NNarray + 0)
  mixed$NNarray[] <- near$NNarray[, c(1, 9, 5, 2, 3, 8, 4, 7, 6)]
  expect_equal(vif_loglik(y, as.data.frame(x), mixed, metric), right)
  expect_equal(vif_loglik(ts(y), x, unclass(near), metric, threads = 2), right)
})

test_that("blocks of rows do not change the result", {
  points <- vif_points(x, metric_of(vif_cases()$elsewhere), NULL)
  whole <- whiten_residual(y, points, all_before$NNarray[, 1:20], most = 1e9)
  for (most in c(1, 5000, 40000)) {
    expect_equal(whiten_residual(y, points, all_before$NNarray[, 1:20], most), whole)
  }
})

test_that("factors v and p are taken, and go along with their rows", {
  case <- vif_cases()$number
  points <- oracle_latent(case, x)
  own <- residual_correlation(kernel_exponential(case$variance, case$lengthscale), v = points$v,
                              p = case$variance + case$nugget - rowSums(points$v^2))
  near <- vecchia_neighbors(x, 8)
  expect_equal(vif_loglik(y, x, near, own), vif_loglik(y, x, near, metric_of(case)))
})

test_that("degrees are taken on the sphere", {
  degrees <- with_seed(305, cbind(runif(150, -180, 180), asin(runif(150, -1, 1)) * 180 / pi))
  radians <- degrees * pi / 180
  sphere <- cbind(cos(radians[, 2]) * cos(radians[, 1]), cos(radians[, 2]) * sin(radians[, 1]),
                  sin(radians[, 2]))
  metric <- residual_correlation(kernel_matern32(1, 0.5), 10, nugget = 0.2)
  near <- vecchia_neighbors(degrees, 5, lonlat = TRUE)
  expect_equal(vif_loglik(y, degrees, near, metric, lonlat = TRUE), vif_loglik(y, sphere, near, metric))
})

# ---- small variances --------------------------------------------------------------------

test_that("inducing points among the data, without jitter and nugget, leave it finite and right", {
  for (m in c(1, 15, 150)) {
    case <- residual_case("exponential", 0.3, x[seq_len(m), , drop = FALSE], jitter = 0)
    exact <- oracle_loglik(y, oracle_data_covariance(case, x))
    # The smallest variance is 1e-10 of that of the process.
    expect_equal(vif_loglik(y, x, all_before, metric_of(case)), exact, tolerance = 1e-6)
    expect_true(is.finite(vif_loglik(y, x, vecchia_neighbors(x, 5), metric_of(case))))
  }
})

test_that("duplicates without a nugget leave it finite, and do not disturb the others", {
  twice <- x[c(1:100, 1:50), ]
  near <- vecchia_neighbors(twice, 12)
  for (kernel in list(kernel_exponential(2, 0.3), kernel_rbf(1, 0.5))) {
    for (inducing in list(NULL, 10, twice[c(1, 101, 2), ])) {
      for (jitter in c(1e-6, if (!is.matrix(inducing)) 0)) {
        metric <- residual_correlation(kernel, inducing, jitter = jitter)
        expect_true(is.finite(vif_loglik(y, twice, near, metric)))
      }
    }
  }
  # If the data are equal as well, the density of the second one at the first is that at the mean.
  once <- vecchia_neighbors(x[1:100, ], 99, "none")
  both <- vecchia_neighbors(twice, 149, "none")
  metric <- residual_correlation(kernel_exponential(2, 0.3))
  expect_equal(vif_loglik(y[c(1:100, 1:50)], twice, both, metric),
               vif_loglik(y[1:100], x[1:100, ], once, metric) + 50 * dnorm(0, sd = sqrt(2e-10), log = TRUE),
               tolerance = 1e-6)
})

# ---- GpGp and approximation -------------------------------------------------------------

test_that("without inducing points, it is GpGp's", {
  skip_if_not_installed("GpGp")
  for (m in c(1, 10)) {
    near <- vecchia_neighbors(x, m)
    o <- near$order
    theirs <- function(kind, parameters) {
      GpGp::vecchia_meanzero_loglik(parameters, kind, y[o], x[o, ], near$NNarray)$loglik
    }
    ours <- function(kernel, nugget) vif_loglik(y, x, near, residual_correlation(kernel, nugget = nugget))
    expect_equal(ours(kernel_exponential(2, 0.3), 0.2), theirs("exponential_isotropic", c(2, 0.3, 0.1)))
    expect_equal(ours(kernel_matern32(2, sqrt(3) * 0.2), 0.2), theirs("matern15_isotropic", c(2, 0.2, 0.1)))
    expect_equal(ours(kernel_matern52(2, sqrt(5) * c(0.2, 0.1)), 0.2),
                 theirs("matern25_scaledim", c(2, 0.2, 0.1, 0.1)))
  }
  degrees <- cbind(360 * x[, 1], 90 * x[, 2])
  near <- vecchia_neighbors(degrees, 8, lonlat = TRUE)
  o <- near$order
  expect_equal(vif_loglik(y, degrees, near, residual_correlation(kernel_exponential(2, 0.3), nugget = 0.2), TRUE),
               GpGp::vecchia_meanzero_loglik(c(2, 0.3, 0.1), "exponential_sphere", y[o], degrees[o, ],
                                             near$NNarray)$loglik)
})

test_that("residual neighbors are far from exact in plain Vecchia, and near in a VIF model", {
  x <- uniform_points(600, 2, seed = 306)
  case <- residual_case("matern32", 0.3, oracle_inducing(x, 0.3, 60), nugget = 0.05)
  covariance <- oracle_data_covariance(case, x)
  y <- with_seed(307, drop(crossprod(chol(covariance), rnorm(600))))
  exact <- oracle_loglik(y, covariance)
  metric <- metric_of(case)
  plain <- residual_correlation(kernel_matern32(1, 0.3), nugget = 0.05)
  euclidean <- vecchia_neighbors(x, 10)
  residual <- vecchia_neighbors(x, 10, metric = metric, recall = 1)
  loss <- function(near, metric) abs(exact - vif_loglik(y, x, near, metric))
  expect_lt(loss(residual, metric), 2)
  expect_lt(loss(euclidean, metric), 2)
  expect_lt(loss(euclidean, plain), 5)
  expect_gt(loss(residual, plain), 20)
})

# ---- what is refused --------------------------------------------------------------------

near <- vecchia_neighbors(x, 3)
metric <- residual_correlation(kernel_rbf(), 5, nugget = 1)

test_that("data, locations and metric must fit", {
  expect_complaints_for(list("a", NULL, 1:3, NA), vif_loglik(value, x, near, metric))
  expect_complaints(
    vif_loglik(matrix(y), x, near, metric),
    vif_loglik(c(NA, y[-1]), x, near, metric),
    vif_loglik(c(y[-1], Inf), x, near, metric),
    vif_loglik(factor(y > 0), x, near, metric),
    vif_loglik(y, x[1:149, ], near, metric),
    vif_loglik(y, replace(x, 2, NaN), near, metric),
    vif_loglik(y, x[, 1], near, metric),
    vif_loglik(y, x, near),
    vif_loglik(y, x, near, "euclidean"),
    vif_loglik(y, x, near, kernel_rbf()),
    vif_loglik(y, x, near, residual_correlation(kernel_rbf(1, 1:3))),
    vif_loglik(y, x, near, residual_correlation(kernel_rbf(), 151)),
    vif_loglik(y, x, near, residual_correlation(kernel_rbf(), matrix(0, 2, 3))),
    vif_loglik(y, x, near, residual_correlation(kernel_rbf(), x[c(1, 1), ], jitter = 0)),
    vif_loglik(y, x, near, residual_correlation(kernel_rbf(), v = x[-1, ], p = y[-1]^2)),
    vif_loglik(y, x, near, metric, lonlat = 1),
    vif_loglik(y, 100 * x, near, metric, lonlat = TRUE),
    vif_loglik(y, x, near, metric, threads = 0)
  )
})

test_that("neighbors must be those of the locations", {
  with_array <- function(array) list(order = 1:150, NNarray = array)
  changed <- function(i, j, value) with_array(replace(near$NNarray, cbind(i, j), value))
  expect_complaints_for(list(NULL, 1:150, "none", list(), list(order = 1:150)),
                        vif_loglik(y, x, value, metric))
  expect_complaints(
    vif_loglik(y, x, near$NNarray, metric),
    vif_loglik(y, x, near[-1], metric),
    vif_loglik(y, x, vecchia_neighbors(x[1:149, ], 3), metric),
    vif_loglik(y, x, list(order = c(1:149, 149), NNarray = near$NNarray), metric),
    vif_loglik(y, x, list(order = 0:149, NNarray = near$NNarray), metric),
    vif_loglik(y, x, list(order = "maximin", NNarray = near$NNarray), metric),
    vif_loglik(y, x, with_array(near$NNarray[1:149, ]), metric),
    vif_loglik(y, x, with_array(near$NNarray[, 0]), metric),
    vif_loglik(y, x, with_array(near$NNarray[, 1]), metric),
    vif_loglik(y, x, with_array(near$NNarray == 1), metric),
    vif_loglik(y, x, with_array(near$NNarray[, -1]), metric),
    vif_loglik(y, x, changed(9, 1, NA), metric),
    vif_loglik(y, x, changed(1, 2, 1), metric),
    vif_loglik(y, x, changed(9, 3, 9), metric),
    vif_loglik(y, x, changed(9, 3, 0), metric),
    vif_loglik(y, x, changed(9, 3, 1.5), metric),
    vif_loglik(y, x, changed(9, 3, Inf), metric),
    vif_loglik(y, x, changed(9, 2:3, 4), metric)
  )
})

covertree_threads(threads_before)
