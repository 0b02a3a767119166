# Base functions for vectors, lists and matrices stop with advice for a tree.

x <- uniform_points(40, 3, seed = 231)
tree <- cover_tree(x)
one_point <- cover_tree(x[1, , drop = FALSE])
residual <- cover_tree(x, metric = residual_correlation(kernel_rbf(), 5))

test_that("a tree cannot be indexed, combined or transposed", {
  expect_sound_tree(tree, x)
  expect_complaints(
    tree[1:3],
    tree[1, ],
    tree[],
    one_point[1],
    head(tree),
    rev(tree),
    c(tree, tree),
    c(tree),
    rep(tree, 2),
    t(tree)
  )
})

test_that("a tree cannot grow, with anything on either side", {
  expect_complaints(
    rbind(tree, x),
    rbind(x, tree),
    rbind(tree, tree),
    rbind(tree),
    rbind(residual, x),
    rbind(tree, as.data.frame(x)),
    rbind(tree, 1:3),
    cbind(tree, x),
    cbind(1, tree)
  )
  # Here the method of data frames stops, with a message of R.
  expect_error(rbind(as.data.frame(x), tree))
})

test_that("what the messages advise works", {
  expect_identical(as.matrix(tree)[2:4, ], x[2:4, ])
  expect_sound_tree(cover_tree(as.matrix(tree)[2:4, , drop = FALSE]), x[2:4, ])
  expect_sound_tree(cover_tree(rbind(as.matrix(tree), x)), rbind(x, x))
  expect_sound_tree(cover_tree(cbind(as.matrix(tree), x)), cbind(x, x))
  expect_length(rep(list(tree), 2), 2)
  expect_identical(t(as.matrix(tree)), t(x))
})

test_that("a tree cannot be changed", {
  expect_complaints(
    tree$x <- 1,
    tree$metric <- "euclidean",
    residual$metric <- NULL,
    tree$pointer <- residual$pointer,
    tree[["x"]] <- 1,
    tree[[1]] <- 1,
    tree[1] <- 1,
    tree[1, 2] <- 0
  )
  same <- tree
  same$cache <- tree$cache
  expect_identical(same, tree)
  expect_null(tree$x)
})

test_that("a tree whose metric was changed all the same says so at every use", {
  uses <- list(print, format, summary, dim, length, as.matrix, tree_arrays, validate_tree, str,
               function(tree) knn_query(tree, k = 1), function(tree) radius_query(tree, radius = 1),
               function(tree) recall_of(tree, matrix(1L, 40, 1)),
               function(tree) update_metric(tree, residual_correlation(kernel_rbf())))
  bad <- list("euclidean", 1, list(), list(metric = "euclidean"), residual_correlation(kernel_rbf()),
              TRUE, list(metric = residual_correlation(kernel_rbf()), x = 1))
  for (metric in bad) for (use in uses) {
    expect_error(use(with_part(tree, "metric", metric)), "^tree's metric must be one that .*: got ")
  }
})
