# Columns are matched by name if both the tree and the other points have column names.

x <- uniform_points(300, 3, seed = 221)
colnames(x) <- c("lon", "lat", "depth")
turned <- c("depth", "lon", "lat")
queries <- uniform_points(20, 3, seed = 222)
colnames(queries) <- colnames(x)

euclidean <- cover_tree(x)
metric <- residual_correlation(kernel_matern32(lengthscale = c(0.3, 0.5, 0.8)), 10)
residual <- cover_tree(x, metric = metric)
trees <- list(euclidean = euclidean, residual = residual,
              restored = unserialize(serialize(residual, NULL)),
              updated = update_metric(residual, metric))

test_that("the same names in another order are put in order, with a message", {
  expect_sound_tree(euclidean, x)
  expect_sound_tree(residual)
  for (name in names(trees)) {
    tree <- trees[[name]]
    right <- knn_query(tree, queries, k = 4)
    expect_message(found <- knn_query(tree, queries[, turned], k = 4),
                   "^query has the columns of the tree in another order: matched by name\n$")
    expect_identical(found, right, label = name)
    expect_message(found <- knn_query(tree, as.data.frame(queries)[turned], k = 4), "by name")
    expect_identical(found, right, label = name)
    expect_false(identical(right$index, knn_query(tree, unname(queries[, turned]), k = 4)$index))
  }
})

test_that("other functions match by name as well", {
  right <- radius_query(euclidean, queries, radius = 0.2)
  expect_message(found <- radius_query(euclidean, queries[, turned], radius = 0.2), "by name")
  expect_identical(found, right)
  for (tree in trees) {
    near <- knn_query(tree, queries, k = 4)
    expect_message(recall <- recall_of(tree, near, query = queries[, turned]), "by name")
    expect_identical(recall$estimate, 1)
  }
})

test_that("the message has a class, comes once, and may be silenced", {
  seen <- 0
  withCallingHandlers(knn_query(euclidean, queries[, turned], k = 4), covertree_reordered = function(m) {
    seen <<- seen + 1
    invokeRestart("muffleMessage")
  })
  expect_identical(seen, 1)
  expect_silent(suppressMessages(knn_query(euclidean, queries[, turned], k = 4)))
})

test_that("the same names in the same order, or none on a side, go by position in silence", {
  for (tree in trees) {
    right <- knn_query(tree, queries, k = 4)
    expect_silent(found <- knn_query(tree, unname(queries), k = 4))
    expect_identical(found, right)
    expect_silent(found <- knn_query(tree, as.data.frame(queries), k = 4))
    expect_identical(found, right)
    nameless <- queries
    colnames(nameless) <- c("", "", "")
    expect_silent(found <- knn_query(tree, nameless, k = 4))
    expect_identical(found, right)
  }
  expect_silent(found <- knn_query(cover_tree(unname(x)), queries[, turned], k = 4))
  expect_identical(found, knn_query(euclidean, unname(queries[, turned]), k = 4))
})

test_that("names that occur twice must be the same, place by place", {
  twice <- cover_tree(`colnames<-`(x, c("a", "a", "b")))
  right <- knn_query(euclidean, queries, k = 4)
  expect_silent(found <- knn_query(twice, `colnames<-`(queries, c("a", "a", "b")), k = 4))
  expect_identical(found, right)
  expect_error(knn_query(twice, `colnames<-`(queries, c("a", "b", "a")), k = 4), "the columns of the tree")
  expect_error(knn_query(twice, `colnames<-`(queries, c("a", "b", "c")), k = 4), "the columns of the tree")
  expect_error(knn_query(euclidean, `colnames<-`(queries, c("lon", "lat", "lat")), k = 4),
               "the columns of the tree")
  missing <- `colnames<-`(queries, c("depth", NA, "lat"))
  with_missing <- cover_tree(`colnames<-`(x, c(NA, "lat", "depth")))
  expect_message(found <- knn_query(with_missing, missing, k = 4), "by name")
  expect_identical(found, knn_query(euclidean, unname(queries[, c(2, 3, 1)]), k = 4))
})

test_that("other names are an error that shows both", {
  wide <- uniform_points(5, 30, seed = 223)
  colnames(wide) <- paste0("column", 1:30)
  expect_complaints(
    knn_query(euclidean, `colnames<-`(queries, c("x", "y", "z"))),
    knn_query(residual, `colnames<-`(queries, c("lon", "lat", "Depth"))),
    radius_query(euclidean, quakes[, c("long", "lat", "depth")], radius = 1),
    recall_of(euclidean, matrix(1L, 20, 1), query = `colnames<-`(queries, c("lon", "lat", ""))),
    knn_query(cover_tree(wide), `colnames<-`(wide, 1:30)),
    cover_tree(x, metric = residual_correlation(kernel_rbf(), `colnames<-`(x[1:5, ], c("a", "b", "c")))),
    knn_query(euclidean, queries[, 1:2])
  )
})

test_that("inducing points are matched by name", {
  by <- function(inducing) residual_correlation(kernel_matern32(lengthscale = c(0.3, 0.5, 0.8)), inducing)
  inducing <- x[1:15 * 20, ]
  right <- knn_query(cover_tree(x, metric = by(inducing)), k = 3)
  expect_message(found <- knn_query(cover_tree(x, metric = by(inducing[, turned])), k = 3),
                 "^inducing has the columns of x in another order: matched by name\n$")
  expect_identical(found, right)
  expect_message(found <- knn_query(update_metric(residual, by(inducing[, turned])), k = 3), "by name")
  expect_identical(found, right)
  expect_message(vecchia_neighbors(x, m = 3, metric = by(inducing[, turned])), "by name")
  expect_silent(found <- knn_query(cover_tree(unname(x), metric = by(inducing)), k = 3))
  expect_identical(found, right)
})

test_that("a tree has the dimnames of its points, whatever its metric", {
  named <- x
  rownames(named) <- paste0("p", seq_len(nrow(x)))
  for (tree in list(cover_tree(named), cover_tree(named, metric = metric))) {
    expect_identical(dimnames(tree), dimnames(named))
    expect_identical(colnames(tree), colnames(named))
    expect_identical(tree_arrays(tree)$dimnames, dimnames(named))
    expect_identical(as.matrix(tree), named)
  }
  expect_null(dimnames(cover_tree(unname(x), metric = metric)))
})

test_that("names in a damaged file are refused where they do not fit", {
  tree <- cover_tree(x)
  bytes <- serialize(tree, NULL)
  string <- function(text) c(writeBin(c(262153L, nchar(text)), raw(), endian = "big"), charToRaw(text))
  vector <- function(...) c(writeBin(c(16L, length(list(...))), raw(), endian = "big"), ...)
  at <- grepRaw(vector(string("lon"), string("lat"), string("depth")), bytes, fixed = TRUE)
  expect_gt(at, 1)
  length <- length(vector(string("lon"), string("lat"), string("depth")))
  short <- unserialize(c(bytes[seq_len(at - 1)], vector(string("lon"), string("lat")),
                         bytes[-seq_len(at + length - 1)]))
  for (use in list(as.matrix, dimnames, function(tree) knn_query(tree, queries))) {
    expect_error(use(short), "tree array `dimnames`")
  }
})
