# Prefix trees are built at the first search for predecessors, kept with the tree, and not saved.

# Returns the number of rows of each prefix tree, with the address of the first tree.
prefix_trees <- function(tree) {
  package <- asNamespace("covertree")
  .Call(package$r_prefix_trees, package$check_tree(tree))
}
prefix_rows <- function(tree) as.integer(prefix_trees(tree))
predecessors <- function(tree, k = 5, ...) covertree::knn_query(tree, k = k, predecessor = TRUE, ...)

test_that("prefix trees are built at the first predecessor query, and only then", {
  x <- uniform_points(5000, 2)
  tree <- cover_tree(x)
  knn_query(tree, k = 3)
  knn_query(tree, x[1:5, ], k = 3)
  radius_query(tree, radius = 0.01)
  expect_identical(prefix_rows(tree), integer())
  first <- predecessors(tree)
  expect_identical(prefix_rows(tree), c(2500L, 1250L, 625L))
  kept <- prefix_trees(tree)
  expect_identical(predecessors(tree), first)
  for (k in c(1, 9, 200)) {
    expect_identical(predecessors(tree, k), predecessors(cover_tree(x), k))
  }
  expect_identical(predecessors(tree, threads = 2), first)
  predecessors(tree, budget = 60)
  predecessors(tree, recall = 0.9)
  expect_identical(prefix_trees(tree), kept)
})

test_that("small trees and large k need no prefix trees", {
  small <- cover_tree(uniform_points(1000, 2))
  predecessors(small)
  expect_identical(prefix_rows(small), integer())
  tree <- cover_tree(uniform_points(3000, 2))
  predecessors(tree, k = 400)
  expect_identical(prefix_rows(tree), integer())
  predecessors(tree, k = 300)
  expect_identical(prefix_rows(tree), c(1500L, 750L))
})

test_that("an approximate residual search keeps prefix trees and finds the same", {
  x <- uniform_points(4000, 2, seed = 7)
  inducing <- x[seq(1, 4000, by = 100), ]
  tree <- cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 0.2), inducing))
  ask <- function(tree) {
    knn_query(tree, k = 4, predecessor = TRUE, budget = c(40, 160))[c("index", "distance")]
  }
  first <- ask(tree)
  kept <- prefix_trees(tree)
  expect_identical(as.integer(kept), c(2000L, 1000L))
  expect_identical(ask(tree), first)
  expect_identical(prefix_trees(tree), kept)
})

test_that("prefix trees are neither saved nor counted, and a restored tree builds its own", {
  x <- uniform_points(5000, 3)
  tree <- cover_tree(x)
  before <- serialize(tree, NULL)
  size <- object.size(tree)
  first <- predecessors(tree)
  expect_identical(serialize(tree, NULL), before)
  expect_identical(object.size(tree), size)
  again <- unserialize(serialize(tree, NULL))
  expect_identical(prefix_rows(again), integer())
  expect_identical(predecessors(again), first)
  expect_identical(prefix_rows(again), prefix_rows(tree))
  expect_false(identical(prefix_trees(again), prefix_trees(tree)))
  made <- cover_tree_from_arrays(tree_arrays(tree))
  expect_identical(prefix_rows(made), integer())
  expect_identical(predecessors(made), first)
})

test_that("the garbage collector keeps prefix trees as long as the tree, and no longer", {
  x <- uniform_points(200000, 2)
  tree <- cover_tree(x)
  first <- predecessors(tree, 2)
  used <- function() {
    for (i in 1:3) gc()
    sum(gc()[, 2])
  }
  with <- used()
  expect_identical(predecessors(tree, 2), first)
  expect_sound_tree(tree)
  rm(tree)
  expect_lt(used(), with - 10) # megabytes: points alone are 3, and as much in prefix trees
})

test_that("a fork uses the prefix trees of its parent, and may build some", {
  skip_on_os("windows")
  built <- cover_tree(uniform_points(3000, 2))
  fresh <- cover_tree(uniform_points(3000, 2))
  first <- predecessors(built)
  found <- parallel::mclapply(list(built, fresh), function(tree) {
    list(predecessors(tree), prefix_rows(tree))
  }, mc.cores = 2)
  for (result in found) expect_identical(result, list(first, c(1500L, 750L)))
  expect_identical(prefix_rows(fresh), integer())
  expect_identical(predecessors(fresh), first)
})

test_that("an interrupted first query leaves the tree without prefix trees, or with all", {
  skip_on_cran()
  result <- in_fresh_r(function(x, predecessors, prefix_trees) {
    tree <- cover_tree(x, threads = 1)
    fresh <- function() unserialize(serialize(tree, NULL))
    other <- fresh()
    dim(other)
    expected <- NULL
    full <- system.time(expected <- predecessors(other, 1, threads = 1))[["elapsed"]]
    whole <- prefix_trees(other)
    left <- 0
    same <- rows <- logical()
    for (share in c(0.02, 0.05, 0.1, 0.2, 0.3, 0.4)) {
      broken <- fresh()
      dim(broken)
      stopped <- tryCatch({
        setTimeLimit(elapsed = share * full, transient = TRUE)
        predecessors(broken, 1, threads = 1)
        FALSE
      }, error = function(condition) TRUE)
      setTimeLimit()
      left <- left + (stopped && length(prefix_trees(broken)) == 0)
      rows <- c(rows, length(prefix_trees(broken)) %in% c(0, length(whole)))
      same <- c(same, identical(predecessors(broken, 1, threads = 1), expected))
    }
    list(left = left, rows = rows, same = same)
  }, uniform_points(400000, 3), in_globalenv(predecessors), in_globalenv(prefix_trees))
  expect_gt(result$left, 0)
  expect_true(all(result$rows))
  expect_true(all(result$same))
})
