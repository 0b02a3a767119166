# A k of hundreds and thousands: results are written in the order of the answers first, and many
# candidates are sorted. The oracle decides.

expect_large_k <- function(x, query, k, ...) {
  x <- unname(as.matrix(x))
  found <- knn_query(cover_tree(x), query, k = k, ...)
  m <- nrow(found$index)
  for (i in unique(round(seq(1, m, length.out = 25)))) {
    q <- if (is.null(query)) x[i, ] else query[i, ]
    right <- oracle_ranking(x, q, self = if (is.null(query)) i)
    if (!identical(found$index[i, ], right$index[seq_len(k)]) ||
        !identical(found$distance[i, ], right$distance[seq_len(k)])) {
      fail(sprintf("row %d of %d queries, n = %d, d = %d, k = %d", i, m, nrow(x), ncol(x), k))
    }
  }
  expect_false(anyNA(found$index[, seq_len(min(k, nrow(x) - is.null(query)))]))
  invisible(found)
}

noise <- function(n, d) matrix(sin(seq_len(n * d) * 12.9898) * 43758.5453 %% 1, n)

test_that("a large k is exact, up to all points and beyond, also with ties", {
  grid <- expand.grid(1:11, 1:11, 1:11)
  expect_large_k(noise(1300, 3), NULL, 100)
  expect_large_k(noise(1300, 2), NULL, 1299) # all points
  expect_large_k(noise(1300, 9), NULL, 1310) # and more
  expect_large_k(grid, NULL, 1000) # ties everywhere
  expect_large_k(matrix(1, 1200, 2), NULL, 700) # one place
  expect_large_k(rbind(noise(1200, 3) * 1e-6, noise(60, 3) * 1e6), NULL, 1250) # two scales
  expect_large_k(noise(5000, 3), noise(1100, 3), 3000)
  expect_large_k(noise(5000, 20), noise(1100, 20), 1200)
})

test_that("with a large k, some rows and threads give the same lines, and far points are missing", {
  x <- noise(3000, 3)
  tree <- cover_tree(x)
  all <- knn_query(tree, k = 300, threads = 1)
  expect_identical(knn_query(tree, k = 300, threads = 2)$index, all$index)
  rows <- rev(seq(2, 3000, by = 2))
  some <- knn_query(tree, rows = rows, k = 300)
  expect_identical(some$index, all$index[rows, ])
  expect_identical(some$distance, all$distance[rows, ])
  most <- stats::median(all$distance)
  near <- knn_query(tree, k = 300, max_distance = most)
  expect_identical(is.na(near$index), all$distance > most)
  expect_identical(near$index[!is.na(near$index)], all$index[all$distance <= most])
})
