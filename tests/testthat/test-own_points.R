# All own points with a small k are answered cell by cell: the oracle decides. More than 2,048 points
# take this way.

expect_oracle <- function(x, k, metric = "euclidean") {
  x <- unname(as.matrix(x))
  found <- knn_query(cover_tree(x, metric = metric), k = k)
  rows <- unique(round(seq(1, nrow(x), length.out = 150)))
  for (row in rows) {
    right <- oracle_ranking(x, x[row, ], self = row)
    if (!identical(found$index[row, ], right$index[seq_len(k)]) ||
        !identical(found$distance[row, ], right$distance[seq_len(k)])) {
      fail(sprintf("row %d of %d x %d, k = %d", row, nrow(x), ncol(x), k))
    }
  }
  expect_identical(found$index, knn_query(cover_tree(x), k = k, control = list(block_size = 5))$index)
}

noise <- function(n, d) matrix(sin(seq_len(n * d) * 12.9898) * 43758.5453 %% 1, n)

test_that("own points have exact neighbors on hard point sets, for each small k", {
  for (k in c(1, 2, 5, 16)) {
    expect_oracle(noise(4000, 3), k)
    expect_oracle(expand.grid(1:16, 1:16, 1:16), k) # ties everywhere
    expect_oracle(noise(1000, 2)[rep(1:1000, 3), ], k) # duplicates
    expect_oracle(cbind(1:3000, 1:3000), k) # on a line
    expect_oracle(matrix(1, 2500, 2), k) # one place
    expect_oracle(rbind(noise(2500, 3) * 1e-6, noise(50, 3) * 1e6), k) # outliers, two scales
    expect_oracle(noise(2100, 3) * 1e140, k)
    expect_oracle(noise(2100, 3) * 1e-130, k)
    expect_oracle(noise(2100, 9), k)
  }
})

test_that("the answer does not depend on threads or instruction sets, and statistics add up", {
  x <- noise(9000, 3)
  tree <- cover_tree(x)
  old <- options(covertree.simd = NULL)
  on.exit(options(old))
  for (k in c(1, 4)) {
    right <- knn_query(tree, k = k, control = list(block_size = 16))
    for (simd in covertree_info()$simd_available) {
      options(covertree.simd = simd)
      for (threads in 1:3) expect_identical(knn_query(tree, k = k, threads = threads), right)
    }
    stats <- knn_stats(knn_query(tree, k = k, threads = 1, control = list(stats = TRUE)))
    expect_gte(stats$distances, k * 9000)
    expect_gt(stats$boxes, 9000)
    expect_gt(stats$blocks[["64"]], 0)
    expect_lt(sum(stats$blocks), 9000 / 8)
  }
})
