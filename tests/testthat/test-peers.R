# Other packages find the same distances for points without duplicates.

agrees <- function(x, k, distance) {
  expect_equal(knn_query(sound_tree(x), k = k)$distance, unname(distance), tolerance = 1e-12)
}

data <- list(
  plane = uniform_points(2000, 2), space = with_seed(21, matrix(rnorm(6000), 2000, 3)),
  eight = with_seed(22, matrix(rnorm(8000), 1000, 8)),
  quakes = unique(as.matrix(quakes[, c("long", "lat", "depth")]))
)

test_that("FNN finds the same distances", {
  skip_if_not_installed("FNN")
  for (x in data) for (algorithm in c("brute", "kd_tree")) {
    agrees(x, 10, FNN::get.knn(x, 10, algorithm)$nn.dist)
  }
  query <- uniform_points(50, 3, seed = 23)
  theirs <- FNN::get.knnx(data$space, query, 5)
  ours <- knn_query(sound_tree(data$space), query, k = 5)
  expect_equal(ours$distance, theirs$nn.dist, tolerance = 1e-12)
  expect_identical(ours$index, theirs$nn.index)
})

test_that("RANN finds the same distances", {
  skip_if_not_installed("RANN")
  for (x in data) agrees(x, 10, RANN::nn2(x, k = 11)$nn.dists[, -1])
})

test_that("dbscan finds the same distances, and as many points within a radius", {
  skip_if_not_installed("dbscan")
  for (x in data) {
    agrees(x, 10, dbscan::kNN(x, 10)$dist)
    radius <- stats::median(dbscan::kNNdist(x, 10)) * (1 + 1e-9)
    found <- radius_query(sound_tree(x), radius = radius)
    theirs <- dbscan::frNN(x, radius)
    expect_identical(found$count, unname(lengths(theirs$id)))
    expect_equal(found$distance, unname(theirs$dist), tolerance = 1e-12)
  }
})

test_that("stats::dist() finds the same distances", {
  for (x in data[c("space", "eight")]) {
    all <- as.matrix(stats::dist(x))
    diag(all) <- Inf
    agrees(x, 10, t(apply(all, 1, function(distance) sort(distance)[1:10])))
  }
})
