# A few queries without further arguments take a short way: the same results and errors as the
# general way, which an explicit `rows = NULL` takes.

general <- function(tree, query, k, ...) knn_query(tree, query, k, rows = NULL, ...)

test_that("a few queries have the result of the general way, attributes included", {
  for (name in names(clouds)) {
    x <- plain_matrix(clouds[[name]]())
    tree <- cover_tree(x)
    query <- rbind(x[1, ], x[nrow(x), ] + 0.25, colMeans(x), 2 * x[1, ] + 1)
    right <- oracle_knn(x, query, k = 5)
    for (m in 1:4) {
      few <- knn_query(tree, query[seq_len(m), , drop = FALSE], k = 5)
      expect_identical(few, general(tree, query[seq_len(m), , drop = FALSE], 5), info = paste(name, m))
      expect_identical(few$index, right$index[seq_len(m), , drop = FALSE], info = paste(name, m))
    }
  }
})

test_that("the short way leaves everything unusual to the general way", {
  x <- matrix(sin(1:300), ncol = 3, dimnames = list(NULL, c("a", "b", "c")))
  tree <- cover_tree(x)
  one <- x[7, , drop = FALSE] + 0.01
  expect_identical(knn_query(tree, unname(one)), general(tree, unname(one), 10))
  expect_identical(knn_query(tree, one, 3L, threads = 2), general(tree, one, 3))
  expect_message(turned <- knn_query(tree, one[, 3:1, drop = FALSE]), class = "covertree_reordered")
  expect_identical(turned, general(tree, one, 10))
  expect_identical(knn_query(tree, as.data.frame(one)), general(tree, one, 10))
  whole <- matrix(1:3, 1)
  expect_identical(knn_query(tree, whole), general(tree, whole, 10))
  expect_identical(dim(knn_query(tree, one, 200)$index), c(1L, 200L))
  expect_identical(knn_query(tree, one, 200), general(tree, one, 200))
  expect_identical(knn_query(cover_tree(x, metric = "cosine"), one), general(cover_tree(x, metric = "cosine"), one, 10))
  more <- insert_points(tree, one)
  expect_identical(knn_query(more, one)$index[1, 1], 101L)
  saved <- unserialize(serialize(tree, NULL))
  expect_identical(knn_query(saved, one), general(tree, one, 10))
  expect_identical(knn_query(saved, one), general(tree, one, 10))
})

test_that("errors are those of the general way", {
  tree <- cover_tree(matrix(cos(1:60), ncol = 2))
  one <- matrix(c(0, 1), 1)
  expect_same_error <- function(...) {
    message <- function(...) tryCatch(knn_query(...), error = conditionMessage)
    expect_type(message(...), "character")
    expect_identical(message(...), message(..., rows = NULL))
  }
  expect_same_error(tree, c(0, 1))
  expect_same_error(tree, one[, 1, drop = FALSE])
  expect_same_error(tree, matrix(c(NA, 1), 1))
  expect_same_error(tree, matrix(c(1e200, 1), 1))
  expect_same_error(tree, one, 0)
  expect_same_error(tree, one, 2.5)
  expect_same_error(tree, one, NA_integer_)
  expect_same_error(tree, one, threads = 0)
  expect_same_error(unclass(tree), one)
  expect_same_error(structure(list(pointer = 1, cache = 2), class = "cover_tree"), one)
})

test_that("an instruction set that the user chose is used, and checked", {
  tree <- cover_tree(matrix(cos(1:60), ncol = 2))
  one <- matrix(c(0, 1), 1)
  right <- knn_query(tree, one)
  old <- options(covertree.simd = "base")
  on.exit(options(old))
  expect_identical(knn_query(tree, one), right)
  options(covertree.simd = "none")
  expect_error(knn_query(tree, one), "option covertree.simd must be one of")
})
