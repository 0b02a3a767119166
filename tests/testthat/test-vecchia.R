# Ordered neighbors: the contract of GpGp, and what GpGp makes of them.

# Small sets: more threads, where no test asks for them, would only wait for each other.
threads_before <- covertree_threads(1)

# By definition: i itself, then those before it by (distance, place), then NA.
oracle_ordered <- function(x, m) {
  found <- matrix(NA_integer_, nrow(x), m + 1)
  for (i in seq_len(nrow(x))) {
    near <- if (i > 1) oracle_ranking(x[seq_len(i - 1), , drop = FALSE], x[i, ])$index
    all <- c(i, near)[seq_len(min(m + 1, i))]
    found[i, seq_along(all)] <- all
  }
  found
}

sorted_rows <- function(array) t(apply(array[, -1], 1, sort, na.last = TRUE))

locations <- uniform_points(600, 2, seed = 131)

test_that("the neighbors are those of the definition, in any order", {
  orders <- list("maximin", "middleout", "coordinate", "none", 600:1, with_seed(130, sample(600)))
  for (x in list(locations, uniform_points(600, 3, seed = 132), round(locations, 1))) {
    for (order in orders) for (m in c(1, 9, 599)) {
      near <- vecchia_neighbors(x, m, order)
      expect_s3_class(near, "covertree_vecchia", exact = TRUE)
      expect_identical(sort(near$order), 1:600)
      expect_identical(near$NNarray, oracle_ordered(x[near$order, ], m))
      expect_identical(dim(near$distance), c(600L, as.integer(m)))
      expect_identical(is.na(near$distance), is.na(near$NNarray[, -1, drop = FALSE]))
      expect_true(near$exact)
      expect_null(near$recall)
    }
  }
})

test_that("orders by name are those of their functions", {
  x <- locations
  expect_identical(vecchia_neighbors(x, 3)$order, order_maximin(x))
  expect_identical(vecchia_neighbors(x, 3, "middleout")$order, order_middleout(x))
  expect_identical(vecchia_neighbors(x, 3, "coordinate")$order, order_coordinate(x))
  expect_identical(vecchia_neighbors(x, 3, "none")$order, 1:600)
  expect_identical(with_seed(133, vecchia_neighbors(x, 3, "random")$order),
                   with_seed(133, order_random(x)))
  expect_identical(vecchia_neighbors(x, 3, as.numeric(600:1))$order, 600:1)
})

test_that("frames, integers and names are taken, threads change nothing", {
  x <- matrix(1:40, 20, dimnames = list(letters[1:20], c("a", "b")))
  near <- vecchia_neighbors(x, 4)
  expect_identical(vecchia_neighbors(as.data.frame(x), 4), near)
  expect_identical(vecchia_neighbors(unname(x) + 0, 4), near)
  expect_null(dimnames(near$NNarray))
  for (threads in 2:3) expect_identical(vecchia_neighbors(locations, 9, threads = threads),
                                        vecchia_neighbors(locations, 9))
  one <- vecchia_neighbors(matrix(c(3, 1, 2)), 1, "none")
  expect_identical(one$NNarray, cbind(1:3, c(NA, 1L, 1L)))
})

test_that("by residual correlation, too, factors go along with their rows", {
  x <- uniform_points(400, 2, seed = 134)
  inducing <- uniform_points(15, 2, seed = 135)
  case <- residual_case("matern32", 0.2, inducing, nugget = 0.1)
  exact <- vecchia_neighbors(x, 8, metric = metric_of(case), recall = 1)
  points <- oracle_latent(case, x[exact$order, ])
  among <- oracle_among(oracle_residual(case, points, points), TRUE)
  expect_residual_knn(list(index = exact$NNarray[, -1], distance = exact$distance), among, "ordered")
  expect_identical(exact$NNarray[, 1], 1:400)
  expect_true(exact$exact)
  near <- vecchia_neighbors(x, 8, metric = metric_of(case))
  expect_identical(is.na(near$NNarray), is.na(exact$NNarray))
  expect_gt(mean(near$NNarray == exact$NNarray, na.rm = TRUE), 0.99)
  expect_identical(vecchia_neighbors(x, 8, metric = metric_of(case)), near)
})

test_that("longitude and latitude are taken on the sphere", {
  degrees <- with_seed(136, cbind(runif(500, -180, 180), asin(runif(500, -1, 1)) * 180 / pi))
  turns <- degrees / 180
  sphere <- cbind(cospi(turns[, 2]) * cospi(turns[, 1]), cospi(turns[, 2]) * sinpi(turns[, 1]),
                  sinpi(turns[, 2]))
  radians <- degrees * pi / 180
  expect_equal(sphere[, 1], cos(radians[, 1]) * cos(radians[, 2]))
  near <- vecchia_neighbors(degrees, 7, lonlat = TRUE)
  expect_identical(near$order, order_maximin(sphere))
  expect_identical(near$NNarray, oracle_ordered(sphere[near$order, ], 7))
  turned <- cbind(degrees[, 1] %% 360, degrees[, 2])
  expect_identical(vecchia_neighbors(turned, 7, near$order, lonlat = TRUE)$NNarray, near$NNarray)
  time <- with_seed(137, runif(500))
  with_time <- vecchia_neighbors(cbind(degrees, time), 7, near$order, lonlat = TRUE)
  expect_identical(with_time$NNarray, oracle_ordered(cbind(sphere, time)[near$order, ], 7))
  poles <- cbind(c(0, 90, 10, 180, -180, 360, -180, 540), c(90, 90, -90, 90, -90, -90, 30, 30))
  ends <- vecchia_neighbors(poles, 1, "none", lonlat = TRUE)
  expect_identical(ends$NNarray[-1, 2], c(1L, 1L, 1L, 3L, 3L, 1L, 7L))
  expect_identical(ends$distance[c(2, 4:6, 8), 1], rep(0, 5))
})

# ---- GpGp -------------------------------------------------------------------------------

test_that("GpGp finds the same neighbors", {
  skip_if_not_installed("GpGp")
  skip_if_not_installed("fields") # GpGp needs it and only suggests it
  x <- uniform_points(400, 2, seed = 138)
  for (m in c(3, 12)) for (order in list("maximin", "coordinate")) {
    near <- vecchia_neighbors(x, m, order)
    theirs <- with_seed(139, GpGp::find_ordered_nn(x[near$order, ], m))
    expect_identical(dim(theirs), dim(near$NNarray))
    expect_identical(is.na(theirs), is.na(near$NNarray))
    expect_identical(as.integer(theirs[, 1]), near$NNarray[, 1])
    same <- rowSums(sorted_rows(theirs) != sorted_rows(near$NNarray), na.rm = TRUE) == 0
    exact <- oracle_ordered(x[near$order, ], m)
    # Rows that differ are GpGp's, whose random shift turned a near tie.
    expect_identical(near$NNarray, exact)
    expect_gt(mean(same), 0.98)
  }
  # On a line of points far apart, its shift cannot matter.
  line <- matrix(1:150 + 0)
  far <- vecchia_neighbors(line, 10, "none")
  theirs <- with_seed(140, GpGp::find_ordered_nn(line, 10))
  expect_identical(matrix(as.integer(theirs), 150), far$NNarray)
})

test_that("GpGp finds the same neighbors on the sphere", {
  skip_if_not_installed("GpGp")
  skip_if_not_installed("fields") # GpGp needs it and only suggests it
  x <- as.matrix(argo[seq(1, nrow(argo), length.out = 400), c("longitude", "latitude")])
  near <- vecchia_neighbors(x, 8, lonlat = TRUE)
  theirs <- with_seed(141, GpGp::find_ordered_nn(x[near$order, ], 8, lonlat = TRUE))
  same <- rowSums(sorted_rows(theirs) != sorted_rows(near$NNarray), na.rm = TRUE) == 0
  expect_gt(mean(same), 0.98)
})

test_that("GpGp's likelihood is that of brute-force neighbors, and its fit takes ours", {
  skip_if_not_installed("GpGp")
  skip_if_not_installed("fields") # GpGp needs it and only suggests it
  n <- 300
  x <- uniform_points(n, 2, seed = 142)
  near <- vecchia_neighbors(x, 12)
  ordered <- x[near$order, ]
  covariance <- 2 * exp(-as.matrix(dist(ordered)) / 0.2) + 0.2 * diag(n)
  y <- with_seed(143, drop(crossprod(chol(covariance), rnorm(n))))
  parameters <- c(2, 0.2, 0.1)
  loglik <- function(array) {
    GpGp::vecchia_meanzero_loglik(parameters, "exponential_isotropic", y, ordered, array)$loglik
  }
  expect_identical(loglik(near$NNarray), loglik(oracle_ordered(ordered, 12)))
  whole <- loglik(oracle_ordered(ordered, n - 1))
  truth <- -n / 2 * log(2 * pi) - determinant(covariance)$modulus / 2 -
    sum(backsolve(chol(covariance), y, transpose = TRUE)^2) / 2
  expect_equal(whole, as.numeric(truth), tolerance = 1e-8)
  expect_equal(loglik(vecchia_neighbors(ordered, n - 1, "none")$NNarray), whole)
  expect_lt(abs(loglik(near$NNarray) - whole), 0.02 * abs(whole))
  fit <- GpGp::fit_model(y, ordered, X = matrix(1, n, 1), covfun_name = "exponential_isotropic",
                         NNarray = near$NNarray, reorder = FALSE, silent = TRUE, m_seq = 12)
  expect_true(fit$conv)
  expect_true(all(fit$covparms > 0))
})

# ---- what is refused --------------------------------------------------------------------

x <- uniform_points(20, 2, seed = 144)

test_that("m, order, lonlat and the rest must fit", {
  expect_complaints_for(list(20, 21, 0, -1, 2.5, NA, "3", NULL, 1e10), vecchia_neighbors(x, value))
  expect_complaints(
    vecchia_neighbors(),
    vecchia_neighbors(x),
    vecchia_neighbors(x[1, , drop = FALSE], 1),
    vecchia_neighbors(1:3, 1),
    vecchia_neighbors(replace(x, 3, NA), 2),
    vecchia_neighbors(x, 2, metric = "sphere"),
    vecchia_neighbors(x, 2, metric = residual_correlation(kernel_rbf(), v = x[1:19, ], p = rep(1, 19))),
    vecchia_neighbors(x, 2, metric = residual_correlation(kernel_rbf(), 21)),
    vecchia_neighbors(x, 2, recall = 2),
    vecchia_neighbors(x, 2, recall = 0.9, control = list(seed = NA)),
    vecchia_neighbors(x, 2, threads = 0)
  )
})

test_that("an order must be one", {
  expect_complaints_for(list("maxmin", NA_character_, NULL, TRUE, factor("none"), list(1), c("none", "random")),
                        vecchia_neighbors(x, 2, value))
  expect_complaints(
    vecchia_neighbors(x, 2, 1:19),
    vecchia_neighbors(x, 2, 0:19),
    vecchia_neighbors(x, 2, 2:21),
    vecchia_neighbors(x, 2, c(1:18, 20, 20)),
    vecchia_neighbors(x, 2, c(1:19, NA)),
    vecchia_neighbors(x, 2, 1:20 + 0.5),
    vecchia_neighbors(x, 2, numeric())
  )
})

test_that("degrees must be degrees", {
  expect_complaints(
    vecchia_neighbors(cbind(c(0, 721, 2), 1), 1, lonlat = TRUE),
    vecchia_neighbors(cbind(c(0, -361, 2), 1), 1, lonlat = TRUE),
    vecchia_neighbors(cbind(1:3, c(0, 91, 2)), 1, lonlat = TRUE),
    vecchia_neighbors(cbind(1:3, c(0, 9, -90.5)), 1, lonlat = TRUE),
    vecchia_neighbors(matrix(1:3), 1, lonlat = TRUE),
    vecchia_neighbors(matrix(0, 3, 4), 1, lonlat = TRUE),
    vecchia_neighbors(matrix(0, 3, 2), 1, lonlat = NA),
    vecchia_neighbors(matrix(0, 3, 2), 1, lonlat = "yes")
  )
})

test_that("they print", {
  expect_snapshot({
    vecchia_neighbors(x, 3)
    vecchia_neighbors(x, 1, metric = residual_correlation(kernel_rbf(), 5))
    print(structure(list(order = 1:2, NNarray = matrix(1L, 2, 2), distance = matrix(0, 2, 1), exact = FALSE,
                         recall = c(estimate = 0.99912, lower = 0.9981, upper = 1, worst = 0.9)),
                    class = "covertree_vecchia"))
  })
})

covertree_threads(threads_before)

test_that("columns named latitude, longitude are refused", {
  x <- cbind(lat = c(10, 20, 30), lon = c(0, 1, 2))
  expect_error(vecchia_neighbors(x, m = 1, lonlat = TRUE),
               "longitude in its first column and latitude in its second: got `lat` and `lon`")
  right <- vecchia_neighbors(x[, 2:1], m = 1, lonlat = TRUE)
  expect_identical(vecchia_neighbors(unname(x[, 2:1]), m = 1, lonlat = TRUE), right)
  colnames(x) <- c("Longitude", "LATITUDE")
  expect_silent(vecchia_neighbors(x, m = 1, lonlat = TRUE))
})
