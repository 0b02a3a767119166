# A covariance function of the user: against dense matrices, and against the built-in kernels.

rational <- function(h2) (1 + h2 / 4)^-2

# The oracle's tables, with this kernel among them.
with_custom <- function(case, code) {
  old <- oracle_kernels
  on.exit(oracle_kernels <<- old)
  oracle_kernels$rational <<- function(r) rational(r^2)
  code
}

dense <- function(case, x, query = x) {
  with_custom(case, oracle_residual(case, oracle_latent(case, query), oracle_latent(case, x)))
}

test_that("neighbors by a kernel of one's own are those of dense matrices", {
  x <- uniform_points(160, 2, seed = 77)
  query <- queries_for(x)
  for (nugget in c(0, 0.2)) for (inducing in list(NULL, x[c(3, 50, 90, 120), ])) {
    case <- residual_case("rational", c(0.2, 0.4), inducing, variance = 2, nugget = nugget)
    metric <- residual_correlation(kernel_custom(rational, 2, c(0.2, 0.4)), inducing, nugget = nugget)
    tree <- cover_tree(x, metric = metric)
    distance <- dense(case, x)
    for (predecessor in c(FALSE, TRUE)) {
      knn <- knn_query(tree, k = 5, predecessor = predecessor)
      expect_residual_knn(knn, oracle_among(distance, predecessor), "custom")
      expect_true(attr(knn, "exact"))
      some <- knn_query(tree, k = 5, rows = c(160, 2, 2), predecessor = predecessor)
      expect_same_knn(some, lapply(unclass(knn)[1:2], function(part) part[c(160, 2, 2), ]))
      expect_identical(recall_of(tree, knn, predecessor = predecessor, sample = 160)$estimate, 1)
    }
    near <- knn_query(tree, query, k = 5)
    expect_residual_knn(near, dense(case, x, query), "custom, foreign")
    expect_identical(recall_of(tree, near, query = query)$estimate, 1)
    expect_identical(dim(knn_query(tree, query[0, ], k = 5)$index), c(0L, 5L))
  }
})

test_that("a built-in kernel written as a function gives the same", {
  x <- uniform_points(250, 2, seed = 78)
  matern <- function(h2) (1 + sqrt(3 * h2)) * exp(-sqrt(3 * h2))
  ours <- residual_correlation(kernel_custom(matern, lengthscale = 0.3), 30)
  theirs <- residual_correlation(kernel_matern32(lengthscale = 0.3), 30)
  tree <- cover_tree(x, metric = ours)
  built_in <- cover_tree(x, metric = theirs)
  expected <- knn_query(built_in, k = 6)
  for (found in list(knn_query(tree, k = 6), knn_query(tree, k = 6, recall = 0.9, threads = 2),
                     knn_query(update_metric(built_in, ours), k = 6))) {
    expect_identical(found$index, expected$index)
    expect_equal(found$distance, expected$distance, tolerance = 1e-9)
    expect_identical(attributes(found)[c("no_residual", "reason")],
                     attributes(expected)[c("no_residual", "reason")])
  }
  expect_same_knn(knn_query(update_metric(tree, theirs), k = 6), expected)
  near <- vecchia_neighbors(x, 5, metric = ours)
  expect_identical(near$NNarray, vecchia_neighbors(x, 5, metric = theirs, recall = 1)$NNarray)
  y <- with_seed(79, rnorm(250))
  expect_equal(vif_loglik(y, x, near, ours), vif_loglik(y, x, near, theirs), tolerance = 1e-9)
})

test_that("blocks of queries make no difference, and pairs are counted", {
  x <- uniform_points(1200, 2, seed = 80)
  tree <- cover_tree(x, metric = residual_correlation(kernel_custom(rational, lengthscale = 0.1)))
  all <- knn_query(tree, k = 4, control = list(stats = TRUE))
  expect_identical(knn_stats(all)$correlations, 1200^2)
  for (row in c(1, 833, 834, 1200)) {
    expected <- lapply(unclass(all)[1:2], function(part) part[row, , drop = FALSE])
    expect_same_knn(knn_query(tree, k = 4, rows = row), expected)
  }
  before <- knn_query(tree, k = 4, predecessor = TRUE, control = list(stats = TRUE))
  expect_lt(knn_stats(before)$correlations, 1200^2)
  # Without inducing points the correlation decreases with the distance.
  expect_identical(all$index, knn_query(cover_tree(x), k = 4)$index)
})

test_that("points that coincide are ordered by row, and a tree travels with its kernel", {
  x <- uniform_points(20, 2, seed = 81)[rep(1:20, 3), ]
  tree <- cover_tree(x, metric = residual_correlation(kernel_custom(rational)))
  knn <- knn_query(tree, k = 2)
  expect_identical(knn$index[c(1, 21, 41), ], rbind(c(21L, 41L), c(1L, 41L), c(1L, 21L)))
  expect_identical(knn$distance[, 1], numeric(60))
  file <- tempfile()
  on.exit(unlink(file))
  saveRDS(cover_tree(x, metric = residual_correlation(kernel_custom(in_globalenv(rational)))), file)
  expect_identical(in_fresh_r(function(file) knn_query(readRDS(file), k = 2), file), knn)
  expect_output(print(kernel_custom(rational)), "<custom kernel: variance 1, lengthscale 1>", fixed = TRUE)
})

test_that("errors of the function are its own", {
  x <- uniform_points(30, 2, seed = 82)
  state <- new.env()
  state$broken <- FALSE
  kernel <- kernel_custom(function(h2) if (state$broken) stop("no license") else rational(h2))
  tree <- cover_tree(x, metric = residual_correlation(kernel, 4))
  before <- knn_query(tree, k = 3)
  state$broken <- TRUE
  expect_error(knn_query(tree, k = 3), "^no license$")
  expect_error(update_metric(tree, residual_correlation(kernel, 5)), "^no license$")
  state$broken <- FALSE
  expect_identical(knn_query(tree, k = 3), before)
})

test_that("what is no kernel is refused", {
  x <- uniform_points(30, 2, seed = 83)
  tree <- cover_tree(x, metric = residual_correlation(kernel_custom(rational), 3))
  forged <- kernel_rbf()
  forged$kind <- "custom"
  spoiled <- unclass(tree)$metric
  spoiled$metric$kernel$f <- NULL
  expect_complaints(
    kernel_custom(),
    kernel_custom("rbf"),
    kernel_custom(rational, variance = 0),
    kernel_custom(rational, lengthscale = -1),
    kernel_custom(function(h2) 2 * exp(-h2)),
    kernel_custom(function(h2) 1),
    kernel_custom(function(h2) as.character(h2)),
    kernel_custom(function(h2) 1 + h2),
    kernel_custom(function(h2) ifelse(h2 > 50, NaN, exp(-h2))),
    cover_tree(x, metric = residual_correlation(kernel_custom(function(h2) ifelse(h2 == 0, 1, -0.9)), 10)),
    knn_query(tree, k = 3, budget = 10),
    cover_tree(x, metric = residual_correlation(spoiled$metric$kernel, 3)),
    residual_correlation(structure(utils::modifyList(kernel_custom(rational), list(f = 1))), 3),
    residual_correlation(structure(c(unclass(kernel_rbf()), f = rational), class = "covertree_kernel"), 3),
    residual_correlation(forged, 3),
    knn_query(with_part(tree, "metric", spoiled), k = 3)
  )
})
