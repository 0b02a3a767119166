# Hamming and Jaccard distance of rows of zeros and ones.

by_hamming <- function(x, q) gaps(x, q, `+`)

by_jaccard <- function(x, q) {
  both <- tcrossprod(q, x)
  either <- outer(rowSums(q), rowSums(x), `+`) - both
  ifelse(either == 0, 0, (either - both) / either)
}

# Rows of zeros and ones, some of them without a 1, some more than once.
bits <- function(n, d, share, seed) {
  with_seed(seed, matrix(as.double(runif(n * d) < rep(share * runif(n, 0, 2), d)), n, d))
}

test_that("distances are those of the definitions", {
  sets <- list(bits(200, 6, 0.3, 70), bits(200, 40, 0.2, 71), bits(120, 300, 0.1, 72), bits(150, 1, 0.5, 73),
               matrix(0, 30, 3), diag(40), bits(100, 12, 0.5, 74)[rep(1:20, 5), ])
  for (i in seq_along(sets)) {
    x <- sets[[i]]
    query <- rbind(bits(20, ncol(x), 0.3, 80 + i), 0, 1, x[1:3, , drop = FALSE])
    expect_metric(x, "hamming", by_hamming, paste("Hamming", i), 0, query)
    expect_metric(x, "jaccard", by_jaccard, paste("Jaccard", i), 0, query)
  }
})

test_that("whole orders are those of (distance, row)", {
  x <- bits(300, 20, 0.3, 75)
  for (metric in c("hamming", "jaccard")) {
    all <- if (metric == "hamming") by_hamming(x, x) else by_jaccard(x, x)
    diag(all) <- Inf
    index <- t(apply(all, 1, order))[, 1:40]
    expect_identical(knn_query(cover_tree(x, metric), k = 40)$index, index, label = metric)
  }
})

test_that("a comparison of all pairs gives the answer of the tree", {
  x <- bits(1100, 100, 0.2, 78)
  query <- bits(1030, 100, 0.2, 79)
  for (metric in c("hamming", "jaccard")) {
    tree <- cover_tree(x, metric)
    for (asked in list(list(k = 7), list(k = 3, predecessor = TRUE), list(k = 3, query = query),
                       list(k = 2, rows = c(1100:1, 5)))) {
      by_tree <- do.call(knn_query, c(list(tree, control = knn_control(search = "tree")), asked))
      control <- knn_control(stats = TRUE)
      found <- do.call(knn_query, c(list(tree, control = control), asked))
      expect_same_knn(found, by_tree, paste(metric, toString(names(asked))))
      expect_s3_class(knn_stats(found), "covertree_scan_stats")
    }
    radius <- stats::quantile(by_tree$distance, 0.1)
    expect_identical(radius_query(tree, query, radius = radius, threads = 2),
                     radius_query(tree, query, radius = radius, control = knn_control(search = "tree")))
  }
  few <- knn_query(cover_tree(bits(1100, 4, 0.5, 80), "jaccard"), k = 3, control = knn_control(stats = TRUE))
  expect_s3_class(knn_stats(few), "covertree_knn_stats")
  expect_output(print(knn_stats(found)), "of all pairs")
})

test_that("distances are those of dist(method = \"binary\"), logical values are 0 and 1", {
  x <- bits(60, 15, 0.3, 76)
  x[1:2, ] <- 0
  right <- as.matrix(stats::dist(x, "binary"))
  near <- knn_query(cover_tree(x, "jaccard"), k = 59)
  expect_identical(near$distance, matrix(right[cbind(c(row(near$index)), c(near$index))], 60))
  expect_identical(knn_query(cover_tree(x == 1, "jaccard"), x == 1, k = 3), knn_query(cover_tree(x, "jaccard"), x, k = 3))
  expect_identical(knn_query(cover_tree(as.data.frame(x == 1), "hamming"), k = 3),
                   knn_query(cover_tree(x, "hamming"), k = 3))
  expect_identical(as.matrix(cover_tree(x, "jaccard")), x)
})

test_that("values other than 0 and 1 are refused", {
  x <- bits(10, 3, 0.5, 77)
  two <- x
  two[4, 2] <- 2
  expect_complaints(
    cover_tree(two, "hamming"), cover_tree(two, "jaccard"), cover_tree(x - 0.5, "jaccard"),
    cover_tree(rbind(x == 1, NA), "hamming"), knn_query(cover_tree(x, "jaccard"), two),
    knn_query(cover_tree(x, "hamming"), x[, 1:2]), cover_tree(letters, "jaccard"),
    metric_scaled("jaccard", 2), metric_scaled("hamming", 2)
  )
  expect_snapshot(for (metric in c("hamming", "jaccard")) print(cover_tree(x, metric)))
})
