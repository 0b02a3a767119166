# plot() of statistics.

x <- uniform_points(2000, 3, seed = 8)
tree <- cover_tree(x)
stats <- knn_stats(knn_query(tree, k = 7, control = list(stats = TRUE)))

test_that("stages are counts for each query", {
  data <- draws(plot(stats))
  expect_identical(data$count, c(2000, 16 * stats$tiles / 2000, stats$distances / 2000, 7))
  expect_identical(data$share, data$count / 2000)
  expect_false(is.unsorted(rev(data$count)))
  expect_identical(draws(plot(stats, "seconds"))$seconds, unname(stats$seconds))
  expect_identical(draws(plot(stats, "blocks"))$blocks, unname(c(stats$blocks, stats$scans)))
})

test_that("the distribution of evaluated points is that of the queries", {
  limited <- knn_query(tree, k = 7, budget = c(40, 90), control = list(stats = TRUE))
  stats <- knn_stats(limited)
  evaluated <- attr(stats, "evaluated")
  expect_identical(length(evaluated), 2000L)
  expect_identical(quantile(evaluated), stats$evaluations)
  expect_equal(mean(evaluated), attr(limited, "evaluations"))
  data <- draws(plot(stats))
  expect_equal(data$share, ecdf(evaluated)(data$evaluated))
  expect_identical(attr(stats, "limits"), c(40L, 90L))
  attr(stats, "evaluated") <- NULL
  expect_identical(draws(plot(stats))$share, 0:4 / 4)
})

test_that("other searches have stages of their own", {
  residual <- cover_tree(x[1:300, ], metric = residual_correlation(kernel_rbf(0.3), 10))
  data <- draws(plot(knn_stats(knn_query(residual, k = 3, control = list(stats = TRUE)))))
  expect_true("correlations computed" %in% data$stage)
  one <- x[1:60, 1]
  of_function <- cover_tree(60, metric = metric_function(function(i, js) abs(one[i] - one[js])))
  stats <- knn_stats(knn_query(of_function, k = 3, control = list(stats = TRUE)))
  data <- draws(plot(stats))
  expect_identical(data$count[data$stage == "distances computed"], stats$evaluations / 60)
  near <- vecchia_neighbors(x[1:200, ], m = 4, control = list(stats = TRUE))
  expect_identical(draws(plot(knn_stats(near)))$count[c(1, 4)], c(200, 4))
  expect_complaints(plot(stats, "blocks"), plot(stats, "evaluated"), plot(stats, "time"))
})
