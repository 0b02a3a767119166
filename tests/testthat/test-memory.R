# The memory of a tree: functions that traverse an R object end, a file contains the arrays only,
# and an unreachable tree is freed.

cloud <- function() uniform_points(5000, 3, seed = 201)

array_bytes <- function(tree) sum(vapply(tree_arrays(tree), function(a) as.numeric(object.size(a)), 0))

metric_tree <- function() {
  cover_tree(uniform_points(600, 2, seed = 202),
             metric = residual_correlation(kernel_matern32(lengthscale = 0.3), 10))
}

test_that("object.size() of a tree is that of its arrays and a little", {
  tree <- sound_tree(cloud())
  for (tree in list(tree, unserialize(serialize(tree, NULL)))) {
    for (use in 1:2) {
      size <- as.numeric(object.size(tree))
      expect_gt(size, array_bytes(tree))
      expect_lt(size, array_bytes(tree) + 8000)
      knn_query(tree, k = 2)
    }
  }
  expect_gt(as.numeric(object.size(metric_tree())), 600 * 2 * 8)
  expect_gt(as.numeric(object.size(list(tree, tree))), 2 * array_bytes(tree))
})

test_that("a saved tree holds its arrays alone, and once", {
  tree <- sound_tree(cloud())
  knn_query(tree, k = 3)
  expect_lt(length(serialize(tree, NULL)), length(serialize(tree_arrays(tree), NULL)) + 1000)
  expect_lt(length(serialize(list(tree, tree), NULL)), length(serialize(tree, NULL)) + 1000)
})

test_that("whatever a file has in place of the tag, the tree is restored", {
  x <- cloud()[1:300, ]
  tree <- sound_tree(x, leaf_size = 8)
  bytes <- serialize(tree, NULL)
  word <- function(...) writeBin(c(...), raw(), endian = "big")
  # The tag of a saved pointer, list(pointer to nothing, weak reference), as R writes it.
  tag <- word(19L, 2L, 22L, 254L, 254L, 23L)
  at <- grepRaw(tag, bytes, fixed = TRUE, all = TRUE)
  expect_length(at, 1)
  others <- list(
    null = word(254L), reference = word(23L), pointer = word(22L, 254L, 254L),
    empty_list = word(19L, 0L), two_nulls = word(19L, 2L, 254L, 254L),
    turned_round = word(19L, 2L, 23L, 22L, 254L, 254L), raw = word(24L, 4L, 0L),
    three = word(19L, 3L, 22L, 254L, 254L, 23L, 254L), integer = word(13L, 2L, 0L, 1L)
  )
  before <- knn_query(tree, k = 4)
  for (name in names(others)) {
    edited <- c(bytes[seq_len(at - 1)], others[[name]], bytes[-seq_len(at + length(tag) - 1)])
    other <- unserialize(edited)
    expect_identical(knn_query(other, k = 4), before, label = name)
    expect_identical(serialize(other, NULL), bytes, label = name)
  }
})

test_that("a pointer of another package is refused, not followed", {
  tree <- unclass(sound_tree(cloud()[1:9, ]))
  tree$pointer <- getLoadedDLLs()[["covertree"]][["info"]]
  expect_error(knn_query(structure(tree, class = "cover_tree"), k = 1), "damaged")
})

test_that("trees that are dropped are freed, with the memory that searches read", {
  x <- uniform_points(20000, 4, seed = 203)
  # The first collection removes weak references, the second one frees their values.
  used <- function() {
    gc()
    sum(gc()[, 2])
  }
  make <- function(times) {
    for (i in seq_len(times)) {
      tree <- cover_tree(x)
      dim(unserialize(serialize(tree, NULL)))
      dim(cover_tree_from_arrays(tree_arrays(tree)))
    }
  }
  make(2)
  before <- used()
  make(40)
  expect_lt(used() - before, 2)
  expect_sound_tree(cover_tree(x), x)
})

test_that("a tree is whole under gctorture()", {
  x <- cloud()[1:40, ]
  right <- oracle_knn(x, k = 3)
  bytes <- serialize(cover_tree(x), NULL)
  made <- local({
    gctorture(TRUE)
    on.exit(gctorture(FALSE))
    tree <- cover_tree(x)
    dim(tree)
    again <- unserialize(bytes)
    dim(again)
    list(tree, again)
  })
  for (tree in made) {
    expect_sound_tree(tree, x)
    expect_same_knn(knn_query(tree, k = 3), right)
    expect_lt(as.numeric(object.size(tree)), 20000)
  }
})

test_that("lobstr and rlang come to an end over a tree", {
  skip_if_not_installed("lobstr")
  skip_if_not_installed("rlang")
  tree <- sound_tree(cloud())
  size <- as.numeric(lobstr::obj_size(tree))
  expect_gt(size, 0.99 * array_bytes(tree))
  hash <- rlang::hash(tree)
  expect_identical(rlang::hash(unserialize(serialize(tree, NULL))), hash)
  expect_false(identical(rlang::hash(sound_tree(cloud() + 1)), hash))
})

test_that("a cache of the cachem package keeps a tree", {
  skip_if_not_installed("cachem")
  cache <- cachem::cache_mem(max_size = 1e8)
  tree <- sound_tree(cloud())
  cache$set("tree", tree)
  expect_identical(knn_query(cache$get("tree"), k = 3), knn_query(tree, k = 3))
})

test_that("a future takes a tree along", {
  skip_if_not_installed("future")
  local_env(c(R_TESTS = NA))
  tree <- sound_tree(cloud())
  old <- future::plan("sequential")
  on.exit(future::plan(old), add = TRUE)
  ask <- function() future::value(future::future(covertree::knn_query(tree, k = 3), seed = NULL))
  expect_identical(ask(), knn_query(tree, k = 3))
  workers <- parallel::makeCluster(2)
  on.exit(parallel::stopCluster(workers), add = TRUE)
  parallel::clusterCall(workers, in_globalenv(function(library) .libPaths(library)), .libPaths())
  future::plan(future::cluster, workers = workers)
  expect_identical(ask(), knn_query(tree, k = 3))
})

test_that("a build needs little more memory than its input and the tree", {
  skip_if_not(file.exists("/proc/self/status"), "no /proc/self/status")
  skip_on_cran()
  sizes <- in_fresh_r(function(n, d) {
    peak <- function() {
      line <- grep("^VmHWM", readLines("/proc/self/status"), value = TRUE)
      1024 * as.numeric(gsub("[^0-9]", "", line))
    }
    covertree::cover_tree(matrix(0, 2, 1)) # loads what a first call loads
    gc()
    before <- peak()
    x <- stats::runif(n * d)
    dim(x) <- c(n, d)
    covertree::cover_tree(x, threads = 2)
    (peak() - before) / n
  }, n = 1e6, d = 3)
  # 24 bytes for a point, 28 for its copy and row, 16 of scratch, 19 for nodes and tiles, and what R keeps.
  expect_lt(sizes, 110)
})
