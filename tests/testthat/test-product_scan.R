# Scans by matrix products, in 16 or more dimensions, against the oracle: all instruction sets and
# numbers of threads, own points and queries, predecessors, radius, points where products round much.

expect_scan <- function(x, query, k) {
  right <- list(own = oracle_knn(x, k = k), other = oracle_knn(x, query, k = k))
  tree <- cover_tree(x)
  old <- options(covertree.simd = NULL)
  on.exit(options(old))
  for (simd in covertree_info()$simd_available) {
    options(covertree.simd = simd)
    for (threads in 1:2) {
      own <- knn_query(tree, k = k, threads = threads, control = knn_control(search = "scan"))
      other <- knn_query(tree, query, k = k, threads = threads, control = knn_control(search = "scan"))
      expect_identical(list(own$index, own$distance), list(right$own$index, right$own$distance))
      expect_identical(list(other$index, other$distance), list(right$other$index, right$other$distance))
    }
  }
}

test_that("a scan of normal points finds the neighbors of the oracle", {
  set.seed(1)
  for (d in c(16, 37)) expect_scan(matrix(rnorm(400 * d), 400), matrix(rnorm(90 * d), 90), 10)
})

test_that("a scan finds the neighbors among ties, in clusters far from the center, and from far away", {
  set.seed(2)
  d <- 20
  ties <- matrix(sample(0:1, 400 * d, TRUE), 400)
  cluster <- rbind(matrix(rnorm(399 * d, 1, .04), 399), -1)
  expect_scan(ties, ties[1:70, ] + .5, 12)
  expect_scan(cluster, cluster[1:70, ] + rnorm(70 * d, sd = .04), 5)
  expect_scan(cluster * 1e140, cluster[1:70, ] * 1e145, 5)
})

test_that("a scan obeys limits of rows and of distances", {
  set.seed(3)
  x <- matrix(rnorm(300 * 24), 300)
  tree <- cover_tree(x)
  scan <- knn_control(search = "scan")
  distance <- as.matrix(dist(x))
  radius <- unname(quantile(distance, .05))
  right <- oracle_radius(x, radius = radius)
  within <- radius_query(tree, radius = radius, sort = TRUE)
  expect_identical(within$index, right$index)
  earlier <- knn_query(tree, k = 8, predecessor = TRUE, control = scan)
  near <- knn_query(tree, k = 8, max_distance = radius, control = scan)
  group <- rep(1:30, each = 10)
  other <- knn_query(tree, k = 8, exclude = group, control = scan)
  for (i in seq_len(300)) {
    rows <- oracle_ranking(x, x[i, ], self = i)
    expect_identical(earlier$index[i, ], rows$index[rows$index < i][1:8])
    expect_identical(near$index[i, ], rows$index[rows$distance <= radius][1:8])
    expect_identical(other$index[i, ], rows$index[group[rows$index] != group[i]][1:8])
  }
})
