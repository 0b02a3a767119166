# knn_query(max_distance = ) and radius_query(count_only = TRUE).

# The result of a search without limits, without the neighbors beyond them.
within_limits <- function(found, max_distance) {
  farther <- which(found$distance > max_distance)
  found$index[farther] <- NA
  found$distance[farther] <- NA
  found
}

# A grid has many equal distances.
grid <- as.matrix(expand.grid(0:11, 0:9, 0:3)) + 0

test_that("a limit removes the neighbors beyond it and changes nothing else", {
  set.seed(1)
  x <- rbind(grid, matrix(runif(900, -1, 12), ncol = 3), grid[1:40, ])
  query <- rbind(matrix(runif(300, -2, 14), ncol = 3), x[1:50, ])
  tree <- sound_tree(x)
  oracle <- oracle_knn(x, query, 12)
  expect_limits <- function(max_distance, ...) {
    found <- knn_query(tree, query, k = 12, max_distance = max_distance, ...)
    expected <- within_limits(oracle, max_distance)
    expect_identical(found$index, expected$index)
    expect_identical(found$distance, expected$distance)
    expect_true(attr(found, "exact"))
  }
  for (one in list(0, 0.5, 1, sqrt(2), 5, 1e200, Inf)) expect_limits(one)
  # The distance of a neighbor, and the next smaller number.
  each <- oracle$distance[cbind(seq_len(150), rep(1:12, length.out = 150))]
  expect_limits(each)
  expect_limits(each, threads = 2, control = list(search = "scan"))
  expect_limits(each, threads = 2, control = list(search = "tree", block_size = 3))
  expect_limits(each * (1 - .Machine$double.eps))
  # Large and small limits in turn: a small one must not limit its neighbors on the curve.
  expect_limits(rep(c(Inf, 0.01, 3), 50))
  expect_identical(knn_query(tree, k = 3, max_distance = Inf), knn_query(tree, k = 3))
})

test_that("limits hold for own points, rows, repeated rows and predecessors", {
  set.seed(2)
  x <- rbind(grid, grid[1:100, ])
  tree <- cover_tree(x)
  n <- nrow(x)
  each <- sample(c(0, 1, sqrt(2), 1.9, Inf), n, replace = TRUE)
  for (predecessor in c(FALSE, TRUE)) {
    all <- knn_query(tree, k = 9, predecessor = predecessor)
    expected <- within_limits(all, each)
    found <- knn_query(tree, k = 9, predecessor = predecessor, max_distance = each)
    expect_identical(found, expected)
    rows <- c(sample(n, 60), 5, 5, 5)
    limit <- c(rep(1, 60), 0, 2, 1)
    found <- knn_query(tree, k = 9, rows = rows, predecessor = predecessor, max_distance = limit)
    expected <- within_limits(list(index = all$index[rows, ], distance = all$distance[rows, ]), limit)
    expect_identical(unclass(found)[c("index", "distance")], expected)
  }
  expect_identical(dim(knn_query(tree, k = 2, rows = integer(), max_distance = 1)$index), c(0L, 2L))
})

test_that("limits hold for other metrics", {
  set.seed(3)
  x <- matrix(rnorm(1500), ncol = 3)
  query <- matrix(rnorm(120), ncol = 3)
  words <- vapply(1:200, function(i) paste(sample(letters[1:4], 5, TRUE), collapse = ""), "")
  edits <- metric_function(function(i, j) drop(utils::adist(words[i], words[j])), n = 200)
  inducing <- x[1:20, ]
  residual <- residual_correlation(kernel_matern32(1), inducing = inducing)
  trees <- list(cover_tree(x, "manhattan"), cover_tree(x, "cosine"), cover_tree(x, metric_minkowski(3)),
                cover_tree(x, residual), cover_tree(200, edits))
  for (tree in trees) {
    for (rows in list(NULL, 1:90, 40:30)) {
      all <- knn_query(tree, k = 8, rows = rows)
      limit <- all$distance[cbind(seq_len(nrow(all$index)), rep_len(1:8, nrow(all$index)))]
      expect_identical(knn_query(tree, k = 8, rows = rows, max_distance = limit), within_limits(all, limit))
      expect_identical(knn_query(tree, k = 8, rows = rows, max_distance = limit[3]),
                       within_limits(all, limit[3]))
    }
    before <- knn_query(tree, k = 8, predecessor = TRUE)
    limit <- stats::median(before$distance, na.rm = TRUE)
    expect_identical(knn_query(tree, k = 8, predecessor = TRUE, max_distance = limit),
                     within_limits(before, limit))
  }
  for (tree in trees[1:4]) {
    all <- knn_query(tree, query, k = 8)
    expect_identical(knn_query(tree, query, k = 8, max_distance = all$distance[, 4]),
                     within_limits(all, all$distance[, 4]))
  }
})

test_that("a limit saves evaluations of a metric_function()", {
  set.seed(4)
  x <- matrix(runif(3000), ncol = 2)
  euclid <- metric_function(function(i, j) sqrt((x[i, 1] - x[j, 1])^2 + (x[i, 2] - x[j, 2])^2), n = 1500)
  tree <- cover_tree(1500, euclid)
  evaluations <- function(...) {
    found <- knn_query(tree, k = 30, rows = 1:200, control = list(stats = TRUE), ...)
    attr(found, "stats")$evaluations
  }
  expect_lt(evaluations(max_distance = 0.01), 0.7 * evaluations())
})

test_that("wrong limits are errors", {
  tree <- cover_tree(grid)
  expect_error(knn_query(tree, max_distance = -1), "max_distance must be at least 0: got -1", fixed = TRUE)
  expect_error(knn_query(tree, max_distance = NaN), "max_distance must be at least 0: got NaN", fixed = TRUE)
  expect_error(knn_query(tree, rows = 1:3, max_distance = c(1, NA, 2)),
               "max_distance must be at least 0: element 2 is NA", fixed = TRUE)
  expect_error(knn_query(tree, rows = 1:3, max_distance = c(1, 2)),
               paste("max_distance must be one number of at least 0, or one for each of the 3 queries:",
                     "got a double vector of length 2"), fixed = TRUE)
  expect_error(knn_query(tree, max_distance = "1"), "max_distance must be one number", fixed = TRUE)
  expect_error(knn_query(tree, max_distance = NULL), "max_distance must be one number", fixed = TRUE)
  expect_error(knn_query(tree, max_distance = 1, epsilon = 0.1), "max_distance must be Inf with epsilon above 0",
               fixed = TRUE)
  expect_error(knn_query(tree, max_distance = 1, budget = 100), "max_distance must be Inf with a budget",
               fixed = TRUE)
  expect_true(attr(knn_query(tree, max_distance = 1, recall = 0.9), "exact"))
  residual <- cover_tree(grid, residual_correlation(kernel_matern32(3), inducing = grid[1:9 * 50, ]))
  expect_error(knn_query(residual, max_distance = 1, recall = 0.9), "max_distance must be Inf with recall below 1",
               fixed = TRUE)
})

test_that("count_only counts the points of radius_query()", {
  set.seed(5)
  x <- rbind(grid, grid[1:50, ])
  query <- matrix(runif(90, -1, 12), ncol = 3)
  trees <- list(cover_tree(x), cover_tree(x, "manhattan"))
  for (tree in trees) {
    for (radius in c(0, 1, sqrt(2), 4)) {
      expect_identical(radius_query(tree, radius = radius, count_only = TRUE),
                       radius_query(tree, radius = radius)$count)
      expect_identical(radius_query(tree, query, radius, count_only = TRUE, threads = 2),
                       radius_query(tree, query, radius)$count)
    }
    rows <- c(7, 3, 7, 500)
    expect_identical(radius_query(tree, radius = 2, rows = rows, count_only = TRUE),
                     radius_query(tree, radius = 2, rows = rows)$count)
  }
  expect_identical(radius_query(trees[[1]], query, 4, count_only = TRUE),
                   lengths(oracle_radius(x, query, 4)$index))
  # No pair is stored, so that no limit of pairs applies.
  expect_identical(radius_query(trees[[1]], radius = 4, max_pairs = 1, count_only = TRUE),
                   radius_query(trees[[1]], radius = 4)$count)
  expect_identical(radius_query(trees[[1]], radius = 4, rows = integer(), count_only = TRUE), integer())
  expect_error(radius_query(trees[[1]], radius = 4, count_only = NA), "count_only must be TRUE or FALSE: got NA",
               fixed = TRUE)
})

test_that("count_only counts by a metric_function()", {
  x <- grid[1:200, ]
  f <- function(i, j) abs(x[i, 1] - x[j, 1]) + abs(x[i, 2] - x[j, 2]) + abs(x[i, 3] - x[j, 3])
  tree <- cover_tree(200, metric_function(f, n = 200))
  for (rows in list(NULL, c(9, 4, 9))) {
    expect_identical(radius_query(tree, radius = 2, rows = rows, count_only = TRUE),
                     radius_query(tree, radius = 2, rows = rows)$count)
  }
})

test_that("searches that compare all pairs respect the limit and count", {
  frame <- data.frame(a = c(1, 2, NA, 4, 5, 7), b = factor(c("u", "v", "u", NA, "v", "u")))
  bits <- matrix(rbinom(6 * 70, 1, 0.5), 6)
  for (tree in list(cover_tree(frame, metric = metric_gower(na = "scan")),
                    cover_tree(bits, metric = "jaccard"))) {
    control <- knn_control(search = if (is.null(tree$space$fit)) "scan" else "auto")
    all <- knn_query(tree, k = 5, control = control)
    limit <- sort(all$distance)[12]
    far <- all$distance > limit & !is.na(all$distance)
    found <- knn_query(tree, k = 5, max_distance = limit, control = control)
    expect_identical(found$index, replace(all$index, far, NA))
    expect_identical(radius_query(tree, radius = limit, count_only = TRUE, control = control),
                     radius_query(tree, radius = limit, control = control)$count)
    expect_identical(radius_query(tree, radius = limit, rows = c(3, 1, 3), count_only = TRUE, control = control),
                     radius_query(tree, radius = limit, control = control)$count[c(3, 1, 3)])
  }
})
