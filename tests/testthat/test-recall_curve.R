# recall_curve() and the pictures of recalls.

x <- uniform_points(800, 4, seed = 12)
tree <- cover_tree(x)
exact <- oracle_knn(x, k = 5)

test_that("a curve of all queries is the recall of searches with each budget", {
  curve <- recall_curve(tree, c(100, 20, 50), k = 5)
  expect_s3_class(curve, "covertree_recall_curve")
  expect_identical(curve$limit, c(20L, 50L, 100L))
  for (i in 1:3) {
    found <- knn_query(tree, k = 5, budget = curve$limit[i])
    share <- vapply(1:800, function(q) mean(exact$index[q, ] %in% found$index[q, ]), 0)
    expect_equal(curve$estimate[i], mean(share))
    expect_identical(c(curve$lower[i], curve$upper[i]), rep(curve$estimate[i], 2))
    expect_equal(curve$worst[i], mean(sort(share)[1:8]))
    expect_equal(curve$cost[i], attr(found, "evaluations"))
  }
})

test_that("a sample has an interval, and queries, predecessors and correlations have curves", {
  curve <- recall_curve(tree, list(budget(c(20, 40)), budget(80)), k = 5, sample = 100)
  expect_true(all(curve$lower < curve$estimate & curve$estimate < curve$upper | curve$estimate == 1))
  at <- uniform_points(30, 4, seed = 2)
  foreign <- recall_curve(tree, 30, query = at, k = 5)
  share <- oracle_knn(x, at, k = 5)
  found <- knn_query(tree, at, k = 5, budget = 30)
  expect_equal(foreign$estimate, mean(vapply(1:30, function(q) mean(share$index[q, ] %in% found$index[q, ]), 0)))
  expect_identical(recall_curve(tree, list(budget(800, 0, 0)), k = 5, predecessor = TRUE, sample = 50)$estimate, 1)
  residual <- cover_tree(x[1:200, ], metric = residual_correlation(kernel_rbf(0.3), 10))
  expect_identical(recall_curve(residual, list(budget(200, 0, 0)), k = 3)$estimate, 1)
  expect_identical(curve, recall_curve(tree, list(budget(c(20, 40)), budget(80)), k = 5, sample = 100, threads = 1))
})

test_that("curves and recalls are drawn in the order of their costs", {
  curve <- recall_curve(tree, c(20, 100), k = 5)
  data <- draws(plot(curve))
  expect_identical(data, as.data.frame(unclass(curve)[c("cost", "estimate", "lower", "upper", "worst")]))
  some <- lapply(c(60, 20), function(limit) recall_of(tree, knn_query(tree, k = 5, budget = limit), sample = 100))
  data <- draws(plot(some[[1]], some[[2]], cost = c(60, 20), label = "limit"))
  expect_identical(data$cost, c(20, 60))
  expect_identical(data$estimate, c(some[[2]]$estimate, some[[1]]$estimate))
  expect_identical(draws(plot(some[[1]]))$cost, 1)
  other <- recall_of(tree, knn_query(tree, k = 5), sample = 50)
  expect_null(common("sample", some[[1]], other))
  expect_identical(common("k", some[[1]], other), 5)
  curve$cost[2] <- NA
  draws(plot(curve))
  expect_identical(nrow(draws(plot(recall_of(tree, knn_query(tree, x[0, ], k = 2), query = x[0, ])))), 1L)
})

test_that("mistakes in arguments have errors", {
  recall <- recall_of(tree, knn_query(tree, k = 2))
  of_function <- cover_tree(5, metric = metric_function(function(i, js) abs(i - js)))
  edited <- recall_curve(tree, 50, k = 2)
  edited$lower <- "low"
  expect_complaints(
    recall_curve(tree), recall_curve(tree, "a"), recall_curve(tree, list()), recall_curve(tree, list(NULL)),
    recall_curve(tree, c(10, NA)), recall_curve(tree, 10, sample = 0), recall_curve(tree, 10, query = x[0, ]),
    recall_curve(of_function, 10), recall_curve(x, 10), plot(recall, 5), plot(recall, cost = 1:2),
    plot(recall, label = 1:2), plot(edited)
  )
})
