# Other packages compute the same distances by other metrics than Euclidean distance.

# The distances of all rows of query from all rows of x, as a search returns them.
all_distances <- function(x, metric, query = x) {
  found <- knn_query(cover_tree(x, metric), query, k = nrow(x))
  all <- matrix(NA_real_, nrow(query), nrow(x))
  all[cbind(c(row(found$index)), c(found$index))] <- found$distance
  all
}

expect_distances <- function(found, right, relative, absolute = 0, which = TRUE) {
  error <- abs(found - unname(right)) - absolute
  expect_lte(max((error / pmax(right, 1e-300))[which]), relative)
}

# Points on the globe, others at 1 mm from some of them, antipodes and points at 0.1 m from antipodes, the
# poles, and points at the date line.
globe <- function() {
  some <- with_seed(61, cbind(runif(60, -180, 180), asin(runif(60, -1, 1)) * 180 / pi))
  close <- some[1:10, ] + cbind(1e-8 / cospi(some[1:10, 2] / 180), rep(c(0, 1e-8), 5))
  opposite <- cbind(some[1:10, 1] - 180 * sign(some[1:10, 1]), -some[1:10, 2])
  rbind(some, close, opposite, opposite + rep(c(0, 1e-6), each = 10), c(0, 90), c(50, 90), c(0, -90),
        c(180, 3), c(-180, 3), c(179.9999, 3))
}

radius <- 6371008.8 # [m]

test_that("geosphere computes the same great-circle distances", {
  skip_if_not_installed("geosphere")
  x <- globe()
  found <- all_distances(x, metric_great_circle(radius, "m"))
  accurate <- geosphere::distm(x, fun = function(a, b) geosphere::distVincentySphere(a, b, r = radius))
  expect_distances(found, accurate, 1e-14, 4e-9)
  haversine <- geosphere::distm(x, fun = function(a, b) geosphere::distHaversine(a, b, r = radius))
  far <- haversine > 0.99 * pi * radius # where the haversine formula loses digits
  expect_distances(found, haversine, 1e-12, 4e-9, !far)
  expect_distances(found, haversine, 0, 0.5, far)
  nearest <- t(apply(accurate[1:60, 1:60] + diag(Inf, 60), 1, order))[, 1:5]
  expect_identical(knn_query(cover_tree(x[1:60, ], metric_great_circle()), k = 5)$index, nearest)
})

test_that("sf computes the same distances on its sphere", {
  skip_if_not_installed("sf")
  skip_if_not_installed("s2")
  x <- globe()
  sphere <- sf::st_as_sf(data.frame(lon = x[, 1], lat = x[, 2]), coords = 1:2, crs = 4326)
  right <- matrix(as.numeric(sf::st_distance(sphere)), nrow(x))
  far <- right > 0.99 * pi * 6371010
  found <- all_distances(x, metric_great_circle(6371010, "m"))
  expect_distances(found, right, 1e-12, 4e-9, !far)
  expect_distances(found, right, 0, 0.5, far)
})

test_that("proxy computes the same distances by norms, cosine and covariance", {
  skip_if_not_installed("proxy")
  x <- with_seed(62, matrix(rnorm(360), 90, 4))
  query <- with_seed(63, matrix(rnorm(80), 20, 4))
  theirs <- function(method, ...) unclass(proxy::dist(query, x, method = method, ...))
  agree <- function(metric, right, tolerance = 1e-12) {
    expect_distances(all_distances(x, metric, query), matrix(right, 20), tolerance)
  }
  agree("manhattan", theirs("Manhattan"))
  agree("maximum", theirs("Chebyshev"))
  for (p in c(1, 1.5, 2, 3, 7)) agree(metric_minkowski(p), theirs("Minkowski", p = p))
  agree("cosine", theirs("cosine"), 1e-9)
  agree("angular", acos(1 - theirs("cosine")), 1e-9)
  cov <- stats::cov(x)
  agree(metric_mahalanobis(cov), theirs("Mahalanobis", cov = cov), 1e-10)
})

test_that("daisy() and gower_dist() compute the same Gower distances", {
  x <- with_seed(64, data.frame(
    a = rnorm(80), b = rpois(80, 2), c = factor(sample(letters[1:5], 80, TRUE)),
    d = factor(sample(1:4, 80, TRUE), ordered = TRUE), e = factor(sample(c("no", "yes"), 80, TRUE))
  ))
  weights <- c(2, 1, 0.5, 1, 3)
  if (requireNamespace("cluster", quietly = TRUE)) {
    daisy <- function(weights) as.matrix(cluster::daisy(x, metric = "gower", weights = weights))
    expect_distances(all_distances(x, metric_gower()), daisy(rep(1, 5)), 1e-12, 1e-15)
    expect_distances(all_distances(x, metric_gower(weights)), daisy(weights), 1e-12, 1e-15)
  }
  skip_if_not_installed("gower")
  y <- x[-4] # gower compares ordered factors like others
  right <- t(vapply(seq_len(80), function(i) gower::gower_dist(y[i, ], y, nthread = 1), numeric(80)))
  expect_distances(all_distances(y, metric_gower()), right, 1e-12, 1e-15)
})

test_that("stringdist computes the same nearest words as a metric_function() of adist()", {
  skip_if_not_installed("stringdist")
  words <- sort(getNamespaceExports("stats"))[1:250]
  metric <- metric_function(function(i, js) drop(utils::adist(words[i], words[js])), tolerance = 0,
                            f_query = function(q, js) drop(utils::adist(q, words[js])))
  tree <- cover_tree(words, metric)
  query <- sort(getNamespaceExports("utils"))[1:20]
  right <- stringdist::stringdistmatrix(query, words, method = "lv", nthread = 1)
  found <- knn_query(tree, query, k = 7)
  expect_identical(found$index, t(apply(right, 1, order))[, 1:7])
  expect_identical(found$distance, t(apply(right, 1, sort))[, 1:7])
  within <- radius_query(tree, query, radius = 6)
  expect_identical(within$count, as.integer(rowSums(right <= 6)))
})
