# Scores from the distances of neighbors: equal to other packages, direct formulas and closed forms.
set.seed(22)
x <- matrix(rnorm(600), 200)

# Local outlier factors by their definition, from all pairs.
lof_by_definition <- function(d, k) {
  n <- nrow(d)
  diag(d) <- Inf
  limit <- apply(d, 1, function(row) sort(row)[k])
  near <- lapply(seq_len(n), function(i) which(d[i, ] <= limit[i]))
  density <- vapply(seq_len(n), function(i) 1 / mean(pmax(limit[near[[i]]], d[i, near[[i]]])), 0)
  factor <- vapply(seq_len(n), function(i) mean(density[near[[i]]]) / density[i], 0)
  ifelse(is.nan(factor), 1, factor)
}

test_that("local outlier factors are those of their definition, with ties and duplicates", {
  grid <- as.matrix(expand.grid(1:9, 1:7))
  duplicates <- rbind(x[1:60, ], x[rep(1:2, c(12, 3)), ])
  for (points in list(x, grid, duplicates)) {
    for (k in c(1, 4, 8)) {
      factors <- knn_lof(cover_tree(points), k)
      expect_equal(factors, lof_by_definition(as.matrix(dist(points)), k))
      if (requireNamespace("dbscan", quietly = TRUE)) expect_equal(factors, dbscan::lof(points, minPts = k + 1))
    }
  }
  expect_identical(max(knn_lof(duplicates, 4)), Inf)
  # In the middle of a grid, all local densities are equal.
  expect_equal(knn_lof(as.matrix(expand.grid(1:13, 1:13)), 4)[85], 1)
  expect_equal(knn_lof(x, 5, metric = "manhattan"), lof_by_definition(as.matrix(dist(x, "manhattan")), 5))
  # All distances are equal: each point has all others as neighbors.
  expect_equal(knn_lof(diag(20), 3), rep(1, 20))
})

test_that("many duplicates of a point cost no more than other points", {
  # All pairs would be 4e10.
  same <- c(numeric(2e5), 1, 3)
  factors <- knn_lof(cbind(same), 3)
  expect_identical(factors, c(rep(1, 2e5), Inf, Inf))
})

test_that("the three points of a line have the factors that hand calculation gives", {
  # k = 1: neighbors 2, 1, 2; reachabilities 1, 1, 3; local densities 1, 1, 1 / 3.
  expect_equal(knn_lof(cbind(c(0, 1, 4)), 1), c(1, 1, 3))
})

test_that("trees, grown trees, forests and results have the same factors", {
  factors <- knn_lof(x, 6)
  expect_equal(knn_lof(insert_points(cover_tree(x[1:150, ]), x[151:200, ]), 6), factors)
  expect_equal(knn_lof(knn_query(cover_tree(x), k = 6)), factors)
  expect_equal(knn_lof(knn_query(cover_tree(x), k = 9), 6), factors)
  forest <- cover_forest(x, 3)
  expect_equal(knn_lof(forest, 6), factors)
  expect_equal(knn_dimension(forest, 6), knn_dimension(x, 6))
  grid <- as.matrix(expand.grid(1:9, 1:7))
  expect_equal(knn_lof(cover_forest(grid, 3), 4), knn_lof(grid, 4))
})

test_that("densities are those of the definition in every metric with a volume", {
  tree <- cover_tree(x)
  r <- knn_query(tree, k = 5)$distance[, 5]
  expect_equal(knn_density(tree, 5), 4 / (199 * 4 / 3 * pi * r^3))
  expect_equal(knn_density(x, 5, log = TRUE), log(knn_density(x, 5)))
  # Balls in 3 dimensions: a cube, and an octahedron with the volume 4 / 3.
  r <- knn_query(cover_tree(x, metric = "maximum"), x + 1, k = 5)$distance[, 5]
  expect_equal(knn_density(x, 5, query = x + 1, metric = "maximum"), 4 / (200 * (2 * r)^3))
  r <- knn_query(cover_tree(x, metric = "manhattan"), k = 5)$distance[, 5]
  expect_equal(knn_density(x, 5, metric = "manhattan"), 4 / (199 * 4 / 3 * r^3))
  expect_equal(knn_density(x, 5, metric = metric_minkowski(2)), knn_density(x, 5))
  # Points at a spacing of 1/2 have the density 2, in a plane 4. k = 3: two neighbors at 1/2, one at 1.
  expect_equal(knn_density(cbind(0:40 / 2), 3)[21], 2 / (40 * 2))
  expect_identical(knn_density(x[c(1, 1, 1:9), ], 2)[1], Inf)
})

test_that("a query can have all points as neighbors", {
  expect_equal(knn_density(cbind(1:4), 4, query = cbind(0)), 3 / (4 * 8))
  expect_equal(knn_density(cbind(1:2), 2, query = cbind(c(0, 5))), 1 / (2 * c(4, 8)))
  expect_snapshot_error(knn_density(cbind(1:4), 5, query = cbind(0)))
  expect_snapshot_error(knn_density(cbind(1), 2, query = cbind(0)))
})

test_that("the density has no bias where it is constant", {
  # The distance of the k-th of m uniform points has a beta distribution with a known variance.
  m <- 40
  k <- 5
  estimates <- replicate(800, knn_density(cbind(runif(m)), k, query = cbind(0.5)))
  variance <- (m - 1) * (k - 1) / (m * (k - 2)) - 1
  expect_lt(abs(mean(estimates) - 1), 4 * sqrt(variance / 800))
})

test_that("the intrinsic dimension is that of the surface", {
  distance <- knn_query(cover_tree(x), k = 7)$distance
  logs <- log(distance[, 7] / distance[, 1:6])
  expect_equal(knn_dimension(x, 7), 1 / mean(logs))
  expect_equal(knn_dimension(x, 7, local = TRUE), 1 / rowMeans(logs))
  expect_equal(knn_dimension(knn_query(cover_tree(x), k = 9), 7), 1 / mean(logs))
  sphere <- matrix(rnorm(9000), 3000)
  sphere <- sphere / sqrt(rowSums(sphere^2))
  expect_lt(abs(knn_dimension(sphere, 10) - 2), 0.1)
  expect_lt(abs(knn_dimension(cbind(sphere[, 1]^3, sphere[, 1]), 10) - 1), 0.1)
})

test_that("neighbors at distance 0 do not count for the dimension", {
  points <- rbind(x[1:50, ], x[1, ])
  local <- knn_dimension(points, 4, local = TRUE)
  distance <- knn_query(cover_tree(points), k = 4)$distance
  expect_equal(local[1], 1 / mean(log(distance[1, 4] / distance[1, 2:3])))
  expect_true(all(is.finite(local)))
  same <- matrix(1, 5, 2)
  expect_identical(knn_dimension(rbind(same, x[1:9, 1:2]), 3, local = TRUE)[1:5], rep(NA_real_, 5))
  expect_identical(knn_dimension(diag(4), 2, local = TRUE), rep(Inf, 4))
  expect_identical(knn_dimension(same, 3), NA_real_)
})

test_that("an sf object has the metric of its coordinate reference system", {
  skip_if_not_installed("sf")
  lonlat <- data.frame(lon = 20 * x[1:60, 1], lat = 45 + 10 * x[1:60, 2])
  points <- sf::st_as_sf(lonlat, coords = 1:2, crs = 4326)
  distance <- by_great_circle(1)(lonlat, lonlat)
  diag(distance) <- Inf
  nearest <- t(apply(distance, 1, sort))[, 1:4]
  expect_equal(knn_dimension(points, 4), 1 / mean(log(nearest[, 4] / nearest[, 1:3])))
  expect_identical(knn_lof(points, 4), knn_lof(cover_tree(points), 4))
  expect_error(knn_density(points, 4), "great-circle")
})

test_that("wrong arguments are refused", {
  tree <- cover_tree(x)
  refused <- function(...) expect_snapshot_error(...)
  refused(knn_lof(tree))
  refused(knn_lof(tree, 200))
  refused(knn_lof(tree, 3, metric = "manhattan"))
  refused(knn_lof(knn_query(tree, x, k = 3)))
  refused(knn_lof(knn_query(tree, k = 3), 4))
  refused(knn_lof(knn_query(tree, k = 3, max_distance = 0.3)))
  refused(knn_lof(remove_points(tree, 3), 2))
  refused(knn_density(x, 1))
  refused(knn_density(x, 2, metric = "cosine"))
  refused(knn_density(cover_tree(5, metric = metric_function(function(i, js) abs(i - js))), 2))
  refused(knn_lof(data.frame(a = c(1, NA, 2, 3), b = c(NA, 1, 2, 3)), 3, metric = metric_gower(na = "scan")))
  refused(knn_density(knn_query(tree, k = 3), 2))
  refused(knn_dimension(x, 1))
  refused(knn_lof(x[1, , drop = FALSE], 1))
  refused(knn_density(x[1:2, ], 2))
})
