# Settings that change speed do not change results: instruction sets, block sizes, threads, layouts
# and search modes, in all combinations, on every point set.

without_stats <- function(knn) structure(knn, stats = NULL)

test_that("no setting changes a bit of the answer", {
  old <- options(covertree.simd = NULL)
  on.exit(options(old))
  for (name in names(clouds)) {
    x <- clouds[[name]]()
    k <- min(7, nrow(x) + 1)
    right <- oracle_knn(x, k = k)
    for (simd in covertree_info()$simd_available) {
      options(covertree.simd = simd)
      for (layout in c("hilbert", "natural")) {
        tree <- cover_tree(x, layout = layout, leaf_size = if (simd == "base") 5 else NULL)
        for (search in c("auto", "tree", "scan")) {
          for (block_size in list(NULL, 1, 7, 64)) {
            for (threads in 1:2) {
              found <- knn_query(tree, k = k, threads = threads, control = list(search = search, block_size = block_size))
              same <- identical(found$index, right$index) &&
                identical(found$distance, right$distance)
              if (!same) fail(paste(name, simd, layout, search, format(block_size), threads))
            }
          }
        }
      }
    }
    succeed()
  }
})

test_that("statistics do not change the answer, and add up", {
  x <- matrix(sin(1:6000 * 12.9898) * 43758.5453 %% 1, ncol = 3)
  tree <- cover_tree(x)
  for (search in c("tree", "scan")) {
    knn <- knn_query(tree, k = 5, threads = 1, control = list(stats = TRUE, search = search))
    stats <- knn_stats(knn)
    expect_identical(without_stats(knn), knn_query(tree, k = 5))
    expect_s3_class(stats, "covertree_knn_stats")
    expect_identical(stats$queries, nrow(x))
    expect_gte(stats$distances, 5 * nrow(x))
    expect_gt(stats$seconds[["elapsed"]], 0)
    expect_lte(sum(stats$seconds[c("seed", "descent", "scan", "selection")]),
               stats$seconds[["elapsed"]])
  }
  expect_identical(stats$nodes, 0)
  expect_gt(stats$scans, 0)
})

test_that("a fixed block size shows in the histogram", {
  tree <- cover_tree(matrix(cos(1:4000), ncol = 2))
  for (size in c(1, 4, 64)) {
    stats <- knn_stats(knn_query(tree, k = 3, control = list(block_size = size, stats = TRUE, search = "tree")))
    blocks <- stats$blocks
    expect_identical(names(blocks), as.character(2^(0:6)))
    expect_gte(blocks[[as.character(size)]], 0.9 * sum(blocks))
    expect_gte(sum(blocks), 2000 / size)
  }
  expect_identical(knn_stats(knn_query(tree, control = list(block_size = 1, stats = TRUE)))$cache_hits, 0)
})

test_that("the tree saves work where it can, and the search scans where it cannot", {
  cloud <- function(d) {
    set.seed(1)
    matrix(rnorm(4000 * d), ncol = d)
  }
  low <- knn_stats(knn_query(cover_tree(cloud(2)), k = 5, threads = 1, control = list(stats = TRUE)))
  expect_identical(low$scans, 0)
  expect_lt(low$tiles / low$queries, 0.05 * 4000 / 16)
  high <- knn_stats(knn_query(cover_tree(cloud(40)), k = 5, threads = 1, control = list(stats = TRUE)))
  expect_gt(high$scans, 0)
})

test_that("progress is told when asked for, and only in long calls", {
  tree <- cover_tree(matrix(1:20, 10))
  expect_silent(knn_query(tree, k = 2, control = list(progress = TRUE)))
})

test_that("statistics must have been asked for", {
  tree <- cover_tree(matrix(1:20, 10))
  expect_error(knn_stats(knn_query(tree, k = 2)), "stats = TRUE")
  expect_error(knn_query(tree, control = list(block_size = 65)), "block_size must be at most 64: got 65")
  expect_error(knn_query(tree, control = list(block_size = 0)), "block_size must be one whole number")
  expect_error(knn_query(tree, control = list(stats = NA)), "stats must be TRUE or FALSE: got NA")
  expect_error(knn_query(tree, control = list(progress = "yes")), "progress must be TRUE or FALSE")
})
