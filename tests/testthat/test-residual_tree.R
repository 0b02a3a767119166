# Trees with a residual correlation: other parameters, saving, printing.

# Small sets: more threads, where no test asks for them, would only wait for each other.
threads_before <- covertree_threads(1)

test_that("update_metric() answers like a tree built anew, and leaves the old one", {
  x <- residual_points(400, 2, seed = 78)
  colnames(x) <- c("a", "b")
  foreign <- uniform_points(50, 2, seed = 79)
  metrics <- list(
    residual_correlation(kernel_matern32(lengthscale = 0.2), 20),
    residual_correlation(kernel_rbf(3, c(0.9, 0.02)), 33, nugget = 0.1),
    residual_correlation(kernel_exponential(0.5, 100)),
    residual_correlation(kernel_matern52(lengthscale = 1e-3), x[1:4, ])
  )
  answers <- function(tree) {
    list(knn_query(tree, k = 6), knn_query(tree, k = 6, predecessor = TRUE), knn_query(tree, foreign, k = 6))
  }
  for (first in metrics) {
    tree <- cover_tree(x, metric = first)
    before <- answers(tree)
    arrays <- tree_arrays(tree)
    knn_query(tree, k = 6, recall = 0.9)
    for (second in metrics) {
      updated <- update_metric(tree, second)
      expect_identical(answers(updated), answers(cover_tree(x, metric = second)))
      expect_identical(tree_arrays(updated), arrays)
      expect_identical(as.matrix(updated), x)
      expect_identical(answers(update_metric(updated, first)), before)
    }
    own <- residual_correlation(kernel_rbf(), v = x, p = rep(1, 400))
    expect_identical(knn_query(update_metric(tree, own), k = 6),
                     knn_query(cover_tree(x, metric = own), k = 6))
    expect_identical(answers(tree), before)
  }
})

test_that("after an update, other points are sought where they are in the tree's space", {
  x <- residual_points(2000, 2, seed = 80)
  foreign <- uniform_points(1200, 2, seed = 81)
  wide <- residual_correlation(kernel_matern32(lengthscale = 0.2), 50, nugget = 0.01)
  tree <- cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 5), 50))
  updated <- knn_query(update_metric(tree, wide), foreign, k = 10, recall = 0.9)
  fresh <- knn_query(cover_tree(x, metric = wide), foreign, k = 10, recall = 0.9)
  expect_identical(attr(updated, "evaluations"), attr(fresh, "evaluations"))
  expect_same_knn(updated, fresh)
})

test_that("trees with a metric survive saving, and being sent to a worker", {
  local_env(c(R_TESTS = NA))
  x <- residual_points(300, 2, seed = 82)
  foreign <- uniform_points(20, 2, seed = 83)
  tree <- cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.2), 20))
  ask <- function(tree, foreign, library = NULL) {
    if (!is.null(library)) .libPaths(library)
    list(covertree::knn_query(tree, k = 5), covertree::knn_query(tree, foreign, k = 5),
         covertree::knn_query(tree, k = 5, predecessor = TRUE, recall = 0.9), as.matrix(tree),
         covertree::recall_of(tree, covertree::knn_query(tree, k = 5)))
  }
  answers <- ask(tree, foreign)
  file <- tempfile()
  workers <- parallel::makeCluster(1)
  on.exit({
    unlink(file)
    parallel::stopCluster(workers)
  }, add = TRUE)
  saveRDS(tree, file)
  expect_identical(ask(readRDS(file), foreign), answers)
  expect_identical(ask(unserialize(serialize(tree, NULL)), foreign), answers)
  sent <- parallel::clusterCall(workers, in_globalenv(ask), tree, foreign, .libPaths())[[1]]
  expect_identical(sent, answers)
  updated <- update_metric(readRDS(file), residual_correlation(kernel_rbf(), 5))
  expect_identical(knn_query(updated, k = 3),
                   knn_query(cover_tree(x, metric = residual_correlation(kernel_rbf(), 5)), k = 3))
})

test_that("a tree with a metric says so, and keeps the points as they came", {
  x <- as.matrix(quakes[1:60, c("long", "lat")])
  rownames(x) <- paste0("q", 1:60)
  metric <- residual_correlation(kernel_matern32(2, c(3, 1.5)), 10, nugget = 0.1)
  for (points in list(x, as.data.frame(x), round(x), unname(x))) {
    tree <- cover_tree(points, metric = metric)
    expect_identical(as.matrix(tree), as.matrix(points))
    expect_identical(dim(tree), dim(x))
    expect_length(tree, 60)
    expect_true(validate_tree(tree)$valid)
    plain <- cover_tree(plain_matrix(points), metric = metric)
    expect_identical(knn_query(tree, k = 3), knn_query(plain, k = 3))
  }
  expect_snapshot({
    kernel_rbf(lengthscale = c(1, 2.5))
    metric
    residual_correlation(kernel_exponential())
    residual_correlation(kernel_rbf(), x[1, , drop = FALSE])
    residual_correlation(kernel_rbf(), v = x, p = rep(1, 60))
    tree
    summary(tree)
    str(tree)
    print(knn_query(tree, k = 3), n = 2)
  })
  stats <- knn_stats(knn_query(tree, k = 3, control = list(stats = TRUE)))
  expect_identical(stats$queries, 60L)
  expect_gt(stats$correlations, 0)
  expect_output(print(stats), "pairs per query")
  approximate <- knn_query(cover_tree(uniform_points(1700, 2), metric = metric), recall = 0.5,
                           control = list(stats = TRUE))
  expect_output(print(knn_stats(approximate)), "points evaluated per query, quantiles")
})

test_that("metric = \"euclidean\" is the default", {
  x <- clouds$uniform()
  expect_identical(tree_arrays(cover_tree(x, metric = "euclidean")), tree_arrays(cover_tree(x)))
  expect_identical(knn_query(cover_tree(x, metric = NULL), k = 4), knn_query(cover_tree(x), k = 4))
})

test_that("the arrays of such a tree are those of the coordinates divided by the lengthscale", {
  x <- uniform_points(50, 2, seed = 84)
  tree <- cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = c(2, 0.3)), 5))
  expect_identical(tree_arrays(tree), tree_arrays(cover_tree(divide(x, c(2, 0.3)))))
})

covertree_threads(threads_before)
