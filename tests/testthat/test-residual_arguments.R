# Arguments of residual_correlation(), kernels and their searches that are refused.

# Small sets: more threads, where no test asks for them, would only wait for each other.
threads_before <- covertree_threads(1)

x <- uniform_points(20, 2, seed = 85)
rbf <- kernel_rbf(lengthscale = 0.3)
tree <- cover_tree(x, metric = residual_correlation(rbf, 5))

test_that("variance and lengthscale must be above 0", {
  expect_complaints_for(list(0, -1, NA, NaN, Inf, "1", c(1, 2), NULL, TRUE), kernel_rbf(value))
  expect_complaints_for(
    list(0, -1, NA_real_, NA, NaN, Inf, "1", c(1, 0), c(1, NA), numeric(), NULL, factor(1), list(1)),
    kernel_matern32(lengthscale = value)
  )
  expect_complaints(
    cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 1:3))),
    cover_tree(x[, 1, drop = FALSE], metric = residual_correlation(kernel_rbf(lengthscale = 1:2))),
    cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 1e-200), x[1:2, ])),
    cover_tree(x * 1e200, metric = residual_correlation(kernel_rbf(lengthscale = 1e-200))),
    cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 1e200)))
  )
})

test_that("a kernel must be a kernel", {
  expect_complaints(residual_correlation())
  expect_complaints(residual_correlation(kernel_rbf))
  expect_complaints_for(list("rbf", NULL, 1, list(kind = "rbf")), residual_correlation(value))
})

test_that("inducing points must fit", {
  expect_complaints_for(list(-1, 2.5, NA, Inf, "5", TRUE, c(1, 2), list(1), 1e10),
                        residual_correlation(rbf, value))
  expect_complaints(
    residual_correlation(rbf, x[0, ]),
    residual_correlation(rbf, x[, 0]),
    residual_correlation(rbf, replace(x, 3, NA)),
    residual_correlation(rbf, iris),
    cover_tree(x, metric = residual_correlation(rbf, 21)),
    cover_tree(x, metric = residual_correlation(rbf, rbind(x, x))),
    cover_tree(x, metric = residual_correlation(rbf, cbind(x, 1))),
    cover_tree(x, metric = residual_correlation(rbf, x[, 1, drop = FALSE])),
    cover_tree(x, metric = residual_correlation(rbf, x[1:2, ] * 1e200)),
    cover_tree(x, metric = residual_correlation(rbf, x[c(1, 1), ], jitter = 0))
  )
})

test_that("nugget and jitter must be at least 0", {
  expect_complaints_for(list(-1, NA, Inf, "0", c(0, 1)), residual_correlation(rbf, nugget = value))
  expect_complaints_for(list(-1, NA, Inf, "0", c(0, 1)), residual_correlation(rbf, jitter = value))
})

test_that("own factors must fit", {
  v <- matrix(0.1, 20, 3)
  expect_complaints(
    residual_correlation(rbf, v = v),
    residual_correlation(rbf, p = rep(1, 20)),
    residual_correlation(rbf, 5, v = v, p = rep(1, 20)),
    residual_correlation(rbf, v = v, p = rep(1, 19)),
    residual_correlation(rbf, v = v, p = matrix(1, 20)),
    residual_correlation(rbf, v = v, p = rep("1", 20)),
    residual_correlation(rbf, v = v, p = c(rep(1, 19), -1)),
    residual_correlation(rbf, v = v, p = c(NA, rep(1, 19))),
    residual_correlation(rbf, v = v, p = c(1, Inf, rep(1, 18))),
    residual_correlation(rbf, v = 1:20, p = rep(1, 20)),
    residual_correlation(rbf, v = v[, 0], p = rep(1, 20)),
    residual_correlation(rbf, v = replace(v, 5, NaN), p = rep(1, 20)),
    residual_correlation(rbf, v = v * 1e200, p = rep(1, 20)),
    cover_tree(x[1:19, ], metric = residual_correlation(rbf, v = v, p = rep(1, 20))),
    knn_query(cover_tree(x, metric = residual_correlation(rbf, v = v, p = rep(1, 20))), x)
  )
})

test_that("a metric must be one, and fit the tree", {
  expect_complaints_for(list("manhatan", "Euclidean", 1, NA, c("euclidean", "euclidean")),
                        cover_tree(x, metric = value))
  expect_complaints(
    update_metric(tree, residual_correlation(kernel_rbf(lengthscale = 1:3), 5)),
    update_metric(tree, residual_correlation(rbf, uniform_points(3, 3))),
    update_metric(tree, residual_correlation(rbf, 21)),
    update_metric(tree, residual_correlation(rbf, v = matrix(0, 19, 2), p = rep(1, 19))),
    update_metric(tree, "euclidean"),
    update_metric(tree, kernel_rbf()),
    update_metric(tree),
    update_metric(cover_tree(x), residual_correlation(rbf, 5)),
    update_metric(x, residual_correlation(rbf, 5)),
    update_metric(tree, residual_correlation(rbf, 5), threads = 0)
  )
})

test_that("a query must fit the tree and the range of doubles", {
  expect_complaints(
    knn_query(tree, cbind(x, 1)),
    knn_query(tree, 1:2),
    knn_query(tree, replace(x, 3, NaN)),
    knn_query(tree, cbind(0, 1e200)),
    knn_query(tree, cbind(0, 1e200), recall = 0.9),
    knn_query(update_metric(tree, residual_correlation(kernel_rbf(lengthscale = 1e160))), x),
    radius_query(tree, radius = 0.5)
  )
})

test_that("a metric that was put into a tree by hand does no harm", {
  worse <- function(...) with_part(tree, "metric", replace(tree$metric, ...))
  euclidean <- with_part(cover_tree(x), "metric", residual_correlation(rbf, 5))
  code <- tree$metric$code
  with_code <- function(name, value) worse("code", list(replace(code, name, list(value))))
  trees <- list(euclidean, worse("code", list(NULL)), worse("code", list(code[1:3])),
                worse("code", list(unname(code))), worse("code", list(rev(code))),
                with_code("m", 50L), with_code("kind", 9L), with_code("kind", 0:1),
                with_code("points", unname(code$points)), with_code("points", lapply(code$points, head, 3)),
                worse("factor", list(diag(4))), worse("inducing", list(matrix(0, 5, 3))))
  for (bad in trees) for (recall in c(1, 0.5)) {
    expect_error(knn_query(bad, x, k = 2, recall = recall), "tree's metric must be one that")
    expect_error(knn_query(bad, k = 2, recall = recall), "tree's metric must be one that")
    expect_error(recall_of(bad, matrix(1L, 20, 1)), "tree's metric must be one that")
  }
})


test_that("kernels and metrics that were edited by hand are checked again", {
  x <- uniform_points(60, 2, seed = 541)
  edited <- function(object, name, value) {
    object[name] <- list(value)
    object
  }
  kernel <- kernel_matern32()
  kernels <- list(edited(kernel, "kind", "cubic"), edited(kernel, "kind", 1), edited(kernel, "kind", NULL),
                  edited(kernel, "variance", "a"), edited(kernel, "variance", -1), edited(kernel, "variance", NULL),
                  edited(kernel, "lengthscale", 0), edited(kernel, "lengthscale", NULL), edited(kernel, "extra", 1),
                  structure(list(), class = "covertree_kernel"), structure("a", class = "covertree_kernel"))
  expect_complaints_for(kernels, residual_correlation(value, 5))
  metric <- residual_correlation(kernel, 5)
  given <- residual_correlation(kernel, v = matrix(0.1, 60, 3), p = rep(0.5, 60))
  metrics <- c(
    lapply(kernels, function(kernel) edited(metric, "kernel", kernel)),
    list(edited(metric, "kernel", NULL), edited(metric, "kernel", 1), edited(metric, "nugget", NA),
         edited(metric, "nugget", -1), edited(metric, "jitter", "a"), edited(metric, "jitter", NULL),
         edited(metric, "inducing", "a"), edited(metric, "inducing", 2.5),
         edited(metric, "inducing", matrix("a", 2, 2)), edited(metric, "inducing", matrix(NA_real_, 2, 2)),
         edited(metric, "v", matrix(0, 60, 2)), edited(given, "p", NULL), edited(given, "p", -0.5),
         edited(given, "p", rep(-1, 60)), edited(given, "v", NULL), edited(given, "v", matrix("a", 60, 3)),
         edited(given, "v", matrix(1e200, 60, 3)), edited(given, "inducing", 5),
         structure(list(), class = "covertree_residual_correlation"),
         structure("a", class = "covertree_residual_correlation"))
  )
  tree <- cover_tree(x, metric = metric)
  near <- vecchia_neighbors(x, m = 3)
  for (wrong in metrics) {
    for (use in list(function() cover_tree(x, metric = wrong), function() update_metric(tree, wrong),
                     function() vecchia_neighbors(x, m = 3, metric = wrong), function() print(wrong),
                     function() vif_loglik(seq_len(60), x, near, wrong))) {
      error <- tryCatch(use(), error = identity)
      expect_s3_class(error, "error")
      expect_null(conditionCall(error))
      expect_match(conditionMessage(error), "^metric (is not valid: |must have the elements of a residual_correl)")
    }
  }
  for (wrong in kernels) expect_error(print(wrong), "^kernel (is not valid: |must have the elements of a kernel)")
  # Valid values are as good as those of a new metric.
  wider <- metric
  wider$kernel$lengthscale <- 2L
  wider$nugget <- 0L
  expect_identical(knn_query(cover_tree(x, metric = wider), k = 3),
                   knn_query(cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 2), 5)), k = 3))
})

covertree_threads(threads_before)
