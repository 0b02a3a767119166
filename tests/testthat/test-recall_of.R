# recall_of(), the measure of any result.

# Small sets: more threads, where no test asks for them, would only wait for each other.
threads_before <- covertree_threads(1)

test_that("recall_of() is 1 for exact answers, and tells the share that is left", {
  x <- some_points(600, 3, seed = 112)
  metric <- residual_correlation(kernel_matern52(lengthscale = 0.5), 20, nugget = 0.1)
  query <- some_points(300, 3, seed = 113)
  for (tree in list(cover_tree(x), cover_tree(x, metric = metric))) {
    cases <- list(list(query = NULL, predecessor = FALSE), list(query = query, predecessor = FALSE),
                  list(query = NULL, predecessor = TRUE))
    for (case in cases) {
      knn <- knn_query(tree, case$query, k = 8, predecessor = case$predecessor)
      measure <- function(result, ...) {
        recall_of(tree, result, query = case$query, predecessor = case$predecessor, ...)
      }
      whole <- measure(knn)
      expect_s3_class(whole, "covertree_recall", exact = TRUE)
      expect_identical(whole$estimate, 1)
      expect_identical(c(whole$k, whole$sample), c(8L, nrow(knn$index)))
      expect_identical(whole$lower, 1)
      expect_lt(measure(knn, sample = 50)$lower, 1)
      expect_identical(measure(knn$index), whole)
      expect_identical(measure(knn$index[, 8:1]), whole)
      expect_identical(measure(knn$index, sample = 50)$sample, 50L)
      there <- rowSums(!is.na(knn$index))
      # Dropped, replaced by others that are farther, given twice.
      drop <- knn$index
      drop[, 3:4] <- NA
      expect_equal(measure(drop)$estimate,
                   mean(ifelse(there > 0, rowSums(!is.na(drop)) / pmax(there, 1), 1)))
      twice <- knn$index
      twice[, 2] <- twice[, 1]
      expect_equal(measure(twice)$estimate, mean(ifelse(there > 1, (there - 1) / pmax(there, 1), 1)))
    }
  }
})

test_that("recall_of() knows worse neighbors, and one's own row, from good ones", {
  x <- uniform_points(500, 2, seed = 114)
  tree <- cover_tree(x)
  far <- knn_query(tree, k = 12)$index
  expect_equal(recall_of(tree, far[, c(1:6, 9:12)])$estimate, 0.8)
  expect_equal(recall_of(tree, far[, 5:12])$estimate, 0.5)
  expect_equal(recall_of(tree, cbind(1:500, far[, 1:9]))$estimate, 0.9)
  expect_equal(recall_of(tree, matrix(1:500, 500, 1))$estimate, 0)
  expect_equal(recall_of(tree, matrix(NA_integer_, 500, 3))$estimate, 0)
  # Later rows are no predecessors, however near.
  before <- recall_of(tree, far[, 1:10], predecessor = TRUE)$estimate
  right <- oracle_recall(list(index = ifelse(far[, 1:10] < 1:500, far[, 1:10], NA),
                              distance = matrix(Inf, 500, 10)),
                         knn_query(tree, k = 10, predecessor = TRUE))
  expect_equal(before, mean(right))
  expect_equal(recall_of(tree, cbind(1:500, knn_query(tree, k = 9, predecessor = TRUE)$index),
                         predecessor = TRUE)$estimate,
               mean(ifelse(1:500 > 10, 0.9, 1)))
})

test_that("of neighbors at one distance any will do", {
  x <- uniform_points(40, 2, seed = 115)[rep(1:40, 6), ]
  metric <- residual_correlation(kernel_exponential(lengthscale = 0.5), x[1:3, ], nugget = 0.3)
  for (tree in list(cover_tree(x), cover_tree(x, metric = metric))) {
    all <- knn_query(tree, k = 5)
    # Which of one's five copies come first is open.
    last <- knn_query(tree, k = 5)$index[, 3:5]
    expect_equal(recall_of(tree, last)$estimate, 1)
    expect_equal(recall_of(tree, all)$estimate, 1)
  }
  tree <- cover_tree(as.matrix(expand.grid(1:12, 1:12)))
  ranking <- oracle_knn(as.matrix(tree), k = 8)
  turned <- ranking$index
  for (i in 1:144) {
    tied <- split(turned[i, ], ranking$distance[i, ])
    turned[i, ] <- unlist(lapply(tied, rev))
  }
  for (k in 1:4) expect_equal(recall_of(tree, turned[, seq_len(k), drop = FALSE])$estimate, 1)
})

test_that("ties up to rounding are ties, and nearer points must be found", {
  # On this grid, equal distances differ in their last bits.
  x <- as.matrix(expand.grid(0:9, 0:9, 0:4)) / 10
  exact <- round(100 * as.matrix(dist(x))^2)
  diag(exact) <- Inf
  k <- 7
  last <- t(apply(exact, 1, function(distance) order(distance, -seq_along(distance))[1:k]))
  tree <- cover_tree(x)
  expect_identical(recall_of(tree, last)$estimate, 1)
  expect_lt(recall_of(tree, last, tolerance = 0)$estimate, 0.95)
  # k points at the largest distance of an exact neighbor, as far as there are so many.
  farthest <- t(apply(exact, 1, function(distance) which(distance == sort(distance)[k])[1:k]))
  share <- vapply(1:500, function(i) {
    limit <- sort(exact[i, ])[k]
    min(sum(exact[i, ] == limit), k - sum(exact[i, ] < limit)) / k
  }, 0)
  expect_lt(mean(share), 0.8)
  expect_equal(recall_of(tree, farthest)$estimate, mean(share))
})

test_that("the answers of other packages are measured", {
  x <- uniform_points(2000, 3, seed = 116)
  tree <- cover_tree(x)
  if (requireNamespace("RANN", quietly = TRUE)) {
    theirs <- RANN::nn2(x, k = 11)$nn.idx
    expect_equal(recall_of(tree, theirs[, -1])$estimate, 1)
    expect_equal(recall_of(tree, theirs[, -1] + 0)$estimate, 1)
    rough <- recall_of(tree, RANN::nn2(x, k = 11, eps = 3)$nn.idx[, -1], sample = 2000)
    expect_lt(rough$estimate, 1)
    expect_gt(rough$estimate, 0.3)
    query <- uniform_points(200, 3, seed = 117)
    expect_equal(recall_of(tree, RANN::nn2(x, query, k = 5)$nn.idx, query = query)$estimate, 1)
  }
  if (requireNamespace("FNN", quietly = TRUE)) {
    expect_equal(recall_of(tree, FNN::get.knn(x, 10)$nn.index)$estimate, 1)
    expect_output(print(recall_of(tree, FNN::get.knn(x, 10)$nn.index)),
                  "recall 1.00000 \\(0.99816 to 1.00000\\), worst 1% 1.0000, 10 neighbors of 1,000 queries")
  }
  if (requireNamespace("GpGp", quietly = TRUE) && requireNamespace("fields", quietly = TRUE)) {
    theirs <- with_seed(118, GpGp::find_ordered_nn(x, 10))
    expect_gt(recall_of(tree, theirs[, -1], predecessor = TRUE)$estimate, 0.98)
  }
})

# ---- what is refused --------------------------------------------------------------------

x <- uniform_points(20, 2, seed = 119)
tree <- cover_tree(x)
knn <- knn_query(tree, k = 3)

test_that("a result must fit the tree", {
  expect_complaints(
    recall_of(tree, NULL),
    recall_of(tree, 1:3),
    recall_of(tree, iris),
    recall_of(tree, knn$index[1:19, ]),
    recall_of(tree, knn$index[, 0]),
    recall_of(tree, knn$index - 1L),
    recall_of(tree, knn$index + 10L),
    recall_of(tree, knn$index + 0.5),
    recall_of(tree, knn$index * Inf),
    recall_of(tree, knn, query = x[1:5, ]),
    recall_of(tree, knn, query = cbind(x, 1)),
    recall_of(tree, knn, sample = 0),
    recall_of(tree, knn, tolerance = -1),
    recall_of(tree, knn, tolerance = 1),
    recall_of(tree, knn, control = list(seed = NA)),
    recall_of(tree, knn, predecessor = NA),
    recall_of(tree, knn, threads = 0),
    recall_of(x, knn),
    recall_of(tree, structure(list(), class = "covertree_knn"))
  )
})

covertree_threads(threads_before)
