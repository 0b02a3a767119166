# Points without residual variance: which they are, and what their neighbors are.

# Small sets: more threads, where no test asks for them, would only wait for each other.
threads_before <- covertree_threads(1)

# The nearest points in space by (distance, row), of those that each query may find.
nearest_in_space <- function(z, from, k, found_by = function(i) seq_len(nrow(z))) {
  t(vapply(seq_len(nrow(from)), function(i) {
    may <- found_by(i)
    sq <- 0
    for (j in seq_len(ncol(z))) sq <- sq + (z[may, j] - from[i, j])^2
    may[order(sqrt(sq), may)][seq_len(k)]
  }, integer(k)))
}

ones_where_found <- function(index) ifelse(is.na(index), NA, 1)

# ---- which points they are --------------------------------------------------------------------

test_that("an inducing point has no residual variance, whatever the jitter and the nugget", {
  x <- round(uniform_points(120, 3, seed = 402), 1)
  x[40, ] <- x[3, ]
  x[41, ] <- c(x[3, 1:2], x[3, 3] + 1e-9)
  for (lengthscale in list(0.3, c(0.1, 0.7, 3))) for (jitter in c(0, 1e-12, 1e-6, 0.5)) {
    for (nugget in c(0, 1)) {
      inducing <- rbind(x[3:9, ], c(5, 5, 5))
      kernel <- kernel_exponential(2, lengthscale)
      distinct <- inducing[!duplicated(inducing), ]
      tree <- cover_tree(x, metric = residual_correlation(kernel, distinct, nugget, jitter))
      equal <- vapply(1:120, function(i) any(apply(inducing, 1, identical, x[i, ])), NA)
      expect_identical(factors_of(tree)$p == 0, equal)
      expect_true(all(factors_of(tree)$p[!equal] > nugget))
      found <- knn_query(tree, rbind(x[c(3, 40, 41), ], c(5, 5, 5)), k = 4)
      expect_identical(attr(found, "no_residual"), 0.75)
      z <- divide(x, rep_len(lengthscale, 3))
      from <- divide(rbind(x[c(3, 40), ], c(5, 5, 5)), rep_len(lengthscale, 3))
      expect_identical(found$index[c(1, 2, 4), ], nearest_in_space(z, from, 4))
    }
  }
  zero <- cover_tree(matrix(c(-1, 0, 1, 2)), metric = residual_correlation(kernel_exponential(), matrix(-0)))
  expect_identical(factors_of(zero)$p == 0, c(FALSE, TRUE, FALSE, FALSE))
  twice <- cover_tree(x, metric = residual_correlation(kernel_rbf(), x[c(3, 5, 3, 40, 5), ]))
  expect_true(all(factors_of(twice)$p[c(3, 5, 40)] == 0))
  expect_identical(knn_query(twice, k = 5, rows = c(40, 3))$index, nearest_in_space(x, x[c(40, 3), ], 5, function(i) setdiff(1:120, c(40, 3)[i])))
})

test_that("rows are recognized by all of their coordinates", {
  for (d in 1:4) {
    u <- round(uniform_points(60, d, seed = 403) * 3)
    z <- rbind(round(uniform_points(200, d, seed = 404) * 3), u[60, ])
    label <- function(x) apply(x, 1, paste, collapse = " ")
    expect_identical(covertree:::is_row_of(z, u), label(z) %in% label(u))
    expect_identical(covertree:::is_row_of(z[0, , drop = FALSE], u), logical())
    expect_identical(covertree:::is_row_of(z, u[0, , drop = FALSE]), logical(201))
  }
})

# ---- what their neighbors are -----------------------------------------------------------------

x <- round(uniform_points(2400, 2, seed = 405), 2)
half <- seq(1, 2400, 2)
given <- residual_correlation(kernel_exponential(lengthscale = c(0.1, 0.3)), v = x,
                              p = replace(rep(1, 2400), half, 0))
z <- divide(x, c(0.1, 0.3))

test_that("their neighbors are the nearest points in space, in every kind of search", {
  tree <- cover_tree(x, metric = given)
  others <- function(i) setdiff(1:2400, half[i])
  earlier <- function(i) seq_len(half[i] - 1)
  all <- nearest_in_space(z, z[half, ], 7, others)
  before <- nearest_in_space(z, z[half, ], 7, earlier)
  exact <- knn_query(tree, k = 7)
  searches <- list(list(), list(recall = 0.9), list(budget = 20), list(epsilon = 0.5),
                   list(budget = budget(20, diversity = FALSE)), list(control = list(search = "scan")))
  for (settings in searches) {
    ask <- function(...) do.call(knn_query, c(list(tree, k = 7, ...), settings))
    found <- ask()
    expect_identical(found$index[half, ], all)
    expect_identical(found$distance[half, ], matrix(1, 1200, 7))
    expect_identical(attr(found, "no_residual"), 0.5)
    if (isTRUE(attr(found, "exact"))) expect_identical(found$index, exact$index)
    found <- ask(predecessor = TRUE)
    expect_identical(found$index[half, ], before)
    expect_identical(found$distance[half, ], ones_where_found(before))
    rows <- c(1, 2, 2399, 8, 7, 7)
    expect_same_knn(ask(rows = rows), list(index = ask()$index[rows, ], distance = ask()$distance[rows, ]))
    part <- ask(rows = half[c(9, 3, 9)])
    expect_identical(part$index, all[c(9, 3, 9), ])
    expect_true(attr(part, "exact"))
    expect_identical(attr(part, "no_residual"), 1)
  }
})

test_that("all queries are of this kind if no point has a residual variance", {
  some <- x[1:1800, ]
  none <- cover_tree(some, metric = residual_correlation(kernel_rbf(), v = some, p = numeric(1800)))
  right <- nearest_in_space(some, some, 5, function(i) setdiff(1:1800, i))
  for (found in list(knn_query(none, k = 5), knn_query(none, k = 5, recall = 0.9), knn_query(none, k = 5, budget = 9))) {
    expect_identical(found$index, right)
    expect_true(attr(found, "exact"))
    expect_identical(attr(found, "no_residual"), 1)
  }
  # Foreign queries that have a residual variance, of a tree that has none.
  whole <- cover_tree(x[1:50, ], metric = residual_correlation(kernel_exponential(), unique(x[1:50, ])))
  found <- knn_query(whole, x[51:60, ] + 0.001, k = 60, recall = 0.5)
  expect_identical(found$index[, 1:50], nearest_in_space(x[1:50, ], x[51:60, ] + 0.001, 50))
  expect_identical(found$distance, ones_where_found(found$index))
  expect_match(attr(found, "reason"), "10 because no point of the tree has one")
})

test_that("threads, instruction sets, saving and update_metric() change nothing", {
  tree <- cover_tree(x, metric = given)
  ask <- function(tree) list(knn_query(tree, k = 6), knn_query(tree, k = 6, predecessor = TRUE, recall = 0.9))
  answers <- ask(tree)
  for (threads in 2:3) {
    expect_identical(list(knn_query(tree, k = 6, threads = threads),
                          knn_query(tree, k = 6, predecessor = TRUE, recall = 0.9, threads = threads)), answers)
  }
  for_each_simd(function(simd) expect_identical(ask(tree), answers))
  expect_identical(ask(unserialize(serialize(tree, NULL))), answers)
  for (lengthscale in list(1, c(3, 0.1))) {
    other <- cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = lengthscale), 300))
    expect_identical(knn_query(update_metric(other, given), k = 6), answers[[1]])
    metric <- residual_correlation(kernel_rbf(lengthscale = lengthscale), x[1:40, ])
    foreign <- x[1:30, ] + rep(c(0, 0.001), each = 15)
    expect_identical(knn_query(update_metric(tree, metric), foreign, k = 6),
                     knn_query(cover_tree(x, metric = metric), foreign, k = 6))
  }
})

# ---- what is reported ---------------------------------------------------------------------------

test_that("results report the share and the reasons", {
  small <- uniform_points(200, 2, seed = 406)
  tree <- cover_tree(small, metric = residual_correlation(kernel_matern32(lengthscale = 0.2), small[1:10, ]))
  knn <- knn_query(tree, k = 3)
  expect_identical(attr(knn, "no_residual"), 0.05)
  expect_identical(attr(knn, "reason"), paste("10 of 200 queries have no residual variance (10 at inducing",
                                              "points): the answer is the nearest points in space"))
  expect_identical(format(knn), "<knn: 3 nearest neighbors of 200 queries, exact, 5% by distance in space>")
  expect_output(print(knn), "10 at inducing points")
  expect_output(print(summary(knn)), "exact, 5% by distance in space>.*10 at inducing points.*distances: ")
  expect_identical(summary(knn)$no_residual, 0.05)
  expect_identical(summary(knn)$found, 600L)
  expect_identical(summary(tree)$no_residual, 10L)
  expect_output(print(summary(tree)), "10 points without residual variance")
  later <- knn_query(tree, k = 3, rows = 11:20)
  expect_identical(attr(later, "no_residual"), 0)
  expect_null(attr(later, "reason"))
  expect_identical(attr(knn_query(tree, k = 3, rows = c(1, 11, 1)), "no_residual"), 2 / 3)
  expect_identical(attr(knn_query(tree, k = 3, rows = integer()), "no_residual"), 0)
  expect_match(attr(knn_query(tree, small[1, , drop = FALSE], k = 3), "reason"), "^1 of 1 query has no residual")
  expect_null(attr(knn_query(cover_tree(small), k = 3), "no_residual"))
  own <- cover_tree(x, metric = given)
  expect_match(attr(knn_query(own, k = 3), "reason"), "^1,200 of 2,400 queries .* \\(where p is 0\\)")
  near <- vecchia_neighbors(small, 3, metric = residual_correlation(kernel_matern32(lengthscale = 0.2), 10))
  expect_identical(attr(near, "no_residual"), 0.05)
  expect_output(print(near), "exact, 5% by distance in space>.*10 at inducing points")
  expect_output(print(summary(near)), "10 at inducing points")
  expect_null(attr(vecchia_neighbors(small, 3), "reason"))
  expect_output(print(summary(vecchia_neighbors(small, 3))), "exact>\ndistances")
})

test_that("a call builds the tree over another lengthscale at most once", {
  x <- uniform_points(3000, 2, seed = 611)
  metric <- residual_correlation(kernel_exponential(lengthscale = 0.1), 300)
  tree <- update_metric(cover_tree(x, metric = metric),
                        residual_correlation(kernel_exponential(lengthscale = 0.2), 300))
  space <- space_search(tree, tree$metric, NULL, 5L, search_options(knn_control(), NULL, FALSE))
  pointer <- function() environment(space$complete)$pointer
  empty <- list(index = matrix(0L, 3000, 5), distance = matrix(0, 3000, 5))
  expect_null(pointer())
  found <- space$complete(NULL, empty)
  built <- pointer()
  expect_identical(typeof(built), "externalptr")
  expect_identical(space$complete(NULL, empty), found)
  expect_identical(pointer(), built)
  found <- knn_query(tree, k = 5, recall = 0.8)
  expect_false(attr(found, "exact"))
  none <- which(factors_of(tree)$p == 0)
  expect_length(none, 300)
  expect_identical(found$index[none, ],
                   nearest_in_space(x / 0.2, x[none, ] / 0.2, 5, function(i) setdiff(1:3000, none[i])))
})

test_that("recall_of() compares with the nearest points in space", {
  tree <- cover_tree(x, metric = given)
  first <- matrix(1:5, 1200, 5, byrow = TRUE)
  expect_lt(recall_of(tree, first, rows = half, sample = 1200)$estimate, 0.1)
  for (predecessor in c(FALSE, TRUE)) {
    exact <- knn_query(tree, k = 5, predecessor = predecessor)
    expect_identical(recall_of(tree, exact, predecessor = predecessor)$estimate, 1)
    fewer <- exact$index[half, ]
    fewer[, 2:3] <- NA
    expected <- mean(ifelse(is.na(exact$index[half, 1]), 1, rowSums(!is.na(fewer)) /
                                                             pmax(rowSums(!is.na(exact$index[half, ])), 1)))
    expect_equal(recall_of(tree, fewer, rows = half, predecessor = predecessor, sample = 1200)$estimate, expected)
  }
  foreign <- cover_tree(x, metric = residual_correlation(kernel_exponential(), x[half[1:20], ]))
  found <- knn_query(foreign, x[half[1:20], ], k = 5)
  expect_identical(recall_of(foreign, found, query = x[half[1:20], ])$estimate, 1)
  expect_lt(recall_of(foreign, first[1:20, ], query = x[half[1:20], ])$estimate, 0.3)
})

# ---- the warning ----------------------------------------------------------------------------------

smooth <- uniform_points(300, 2, seed = 407)

expect_rounding <- function(code, share = NULL) {
  warned <- expect_warning(code, class = "covertree_no_residual")
  expect_match(conditionMessage(warned), "of the points \\([0-9]+ of 300\\) have no residual variance")
  expect_null(conditionCall(warned))
  warned
}

test_that("rounding is reported once for each metric, and what helps against it does", {
  rough <- residual_correlation(kernel_rbf(lengthscale = 5), 60, jitter = 1e-13)
  warned <- expect_rounding(tree <- cover_tree(smooth, metric = rough))
  expect_match(conditionMessage(warned), "jitter larger than 1e-13, fewer than 60 inducing points, or a shorter")
  expect_silent(knn <- knn_query(tree, k = 4))
  expect_gt(attr(knn, "no_residual"), 0.9)
  expect_match(attr(knn, "reason"), "60 at inducing points, [0-9]+ by rounding")
  none <- which(factors_of(tree)$p == 0)
  expect_identical(knn$index[none, ], nearest_in_space(smooth, smooth[none, ], 4, function(i) setdiff(1:300, none[i])))
  # More jitter, fewer inducing points, a shorter lengthscale.
  expect_silent(larger <- cover_tree(smooth, metric = residual_correlation(kernel_rbf(lengthscale = 5), 60)))
  expect_identical(sum(factors_of(larger)$p == 0), 60L)
  expect_silent(cover_tree(smooth, metric = residual_correlation(kernel_rbf(lengthscale = 5), 4, jitter = 1e-13)))
  expect_silent(cover_tree(smooth, metric = residual_correlation(kernel_rbf(lengthscale = 0.05), 60, jitter = 1e-13)))
  expect_rounding(update_metric(larger, rough))
  expect_rounding(vecchia_neighbors(smooth, 5, metric = rough))
  # Inducing points are no reason for a warning.
  expect_silent(cover_tree(smooth, metric = residual_correlation(kernel_matern32(lengthscale = 0.3), smooth)))
})

test_that("kernels that are flat over all points leave no residual variance", {
  for (kind in names(our_kernels)) for (jitter in c(1e-6, 1e-2)) {
    kernel <- our_kernels[[kind]](2, if (kind == "exponential") 1e12 else 1e8)
    warned <- expect_rounding(tree <- cover_tree(smooth, metric = residual_correlation(kernel, 20, 0.1, jitter)))
    expect_match(conditionMessage(warned), "use a shorter lengthscale")
    expect_match(conditionMessage(warned), "93% of the points \\(280 of 300\\)")
    right <- nearest_in_space(smooth, smooth, 6, function(i) setdiff(1:300, i))
    for (recall in c(1, 0.9)) {
      knn <- knn_query(tree, k = 6, recall = recall)
      expect_identical(knn$index, right)
      expect_true(all(knn$distance == 1))
      expect_true(attr(knn, "exact"))
      expect_match(attr(knn, "reason"), "20 at inducing points, 280 by rounding")
    }
    far <- knn_query(tree, smooth[1:5, ] + 1e13, k = 2)
    expect_identical(far$index, nearest_in_space(smooth, smooth[1:5, ] + 1e13, 2))
  }
})

# ---- bad input --------------------------------------------------------------------------------------

test_that("smooth kernels with the default jitter have the neighbors of the definition", {
  for (kind in c("rbf", "matern52")) for (lengthscale in c(0.3, 1, 5)) {
    case <- residual_case(kind, lengthscale, oracle_inducing(smooth, lengthscale, 60), given = 60)
    expect_silent(tree <- cover_tree(smooth, metric = metric_of(case)))
    expect_identical(sum(factors_of(tree)$p == 0), 60L)
    points <- oracle_latent(case, smooth)
    right <- oracle_among(oracle_residual(case, points, points), FALSE)
    # Both are off by about 1e-14 / p.
    knn <- knn_query(tree, k = 20)
    error <- 1e-14 / min(points$p[points$p > 0])
    expect_residual_knn(knn, right, paste(kind, lengthscale), max(1e-10, 100 * error), max(1e-9, 2 * sqrt(error)))
    near <- vecchia_neighbors(smooth, 10, metric = metric_of(case))
    expect_identical(attr(near, "no_residual"), 0.2)
  }
})

test_that("extreme lengthscales, m = n, n < m and duplicates are answered or refused", {
  duplicates <- smooth[rep(1:60, 5), ]
  right <- nearest_in_space(smooth, smooth, 5, function(i) setdiff(1:300, i))
  # No two points correlate: queries with a residual variance find the first rows.
  tiny <- cover_tree(smooth, metric = residual_correlation(kernel_matern52(lengthscale = 1e-8), smooth[4:8, ]))
  knn <- knn_query(tiny, k = 5)
  expect_identical(knn$index[4:8, ], right[4:8, ])
  expect_identical(knn$index[c(1, 300), ], rbind(2:6, 1:5))
  expect_true(all(knn$distance == 1))
  expect_identical(attr(knn, "no_residual"), 5 / 300)
  # All points are inducing points.
  expect_silent(whole <- cover_tree(smooth, metric = residual_correlation(kernel_rbf(lengthscale = 0.3), 300)))
  for (recall in c(1, 0.99)) {
    knn <- knn_query(whole, k = 5, recall = recall)
    expect_identical(knn$index, right)
    expect_true(attr(knn, "exact"))
    expect_match(attr(knn, "reason"), "300 of 300 queries .* \\(300 at inducing points\\)")
  }
  expect_error(cover_tree(smooth, metric = residual_correlation(kernel_rbf(), 301)), "at most the number of points")
  # Inducing points twice, and duplicates without a nugget.
  twice <- residual_correlation(kernel_exponential(lengthscale = 0.2), smooth[c(1:10, 1:10), ])
  tree <- cover_tree(duplicates, metric = twice)
  copy <- function(row) (row - 1) %% 60
  inducing <- copy(1:300) < 10
  expect_identical(factors_of(tree)$p == 0, inducing)
  knn <- knn_query(tree, k = 4)
  expect_true(all(copy(knn$index) == copy(1:300)))
  expect_identical(knn$distance[inducing, ], matrix(1, sum(inducing), 4))
  p <- factors_of(tree)$p[!inducing]
  expect_true(all(knn$distance[!inducing, ] <= 3 * sqrt(1e-15 / p)))
  # The covariance of duplicates has the bits of p, so a small p does not move them apart.
  flat <- cover_tree(duplicates, metric = residual_correlation(kernel_rbf(lengthscale = 1), smooth[1:40, ]))
  far <- knn_query(flat, k = 4)$distance[copy(1:300) >= 40, ]
  expect_lt(min(factors_of(flat)$p[copy(1:300) >= 40]), 1e-5)
  expect_true(all(far <= 2.2e-8))
})

covertree_threads(threads_before)
