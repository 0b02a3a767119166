# Gower distance with missing values, against the definition in plain R and cluster::daisy().

# Values missing at random, also a whole column of a row and a pair of rows without a common column.
holes <- function(n, seed, share = 0.2) {
  frame <- mixed(n, seed)
  gone <- with_seed(seed + 1, matrix(runif(n * ncol(frame)) < share, n))
  if (n > 3) gone[1:2, ] <- rep(c(TRUE, FALSE, FALSE, TRUE), each = ncol(frame) / 2)[c(1:8, 9:16)]
  if (n > 3) gone[3, ] <- TRUE
  for (j in seq_along(frame)) frame[[j]][gone[, j]] <- NA
  frame
}

# By pairwise deletion; `x` determines the ranges. Inf where two rows have no column in common.
by_common_columns <- function(weights) function(x, q) {
  sum <- total <- 0
  for (j in seq_along(x)) {
    if (is.factor(x[[j]]) && !is.ordered(x[[j]])) {
      gap <- 1 * outer(as.character(q[[j]]), as.character(x[[j]]), `!=`)
    } else {
      value <- as.numeric(x[[j]])
      width <- if (is.logical(x[[j]])) 1 else diff(range(value, na.rm = TRUE))
      gap <- abs(outer(as.numeric(q[[j]]), value, `-`)) / if (width > 0) width else Inf
    }
    sum <- sum + weights[j] * ifelse(is.na(gap), 0, gap)
    total <- total + weights[j] * !is.na(gap)
  }
  ifelse(total > 0, sum / total, Inf)
}

expect_scan <- function(x, metric, definition, label, query) {
  tree <- cover_tree(x, metric)
  expect_true(validate_tree(tree)$valid)
  all <- definition(x, x)
  k <- nrow(x) + 1
  own <- knn_query(tree, k = k)
  expect_true(attr(own, "exact"))
  expect_nearest(own, all, paste(label, "own"), 1e-12, own = TRUE)
  expect_one_answer(x, metric, own, paste(label, "own"), k = k)
  before <- knn_query(tree, k = 5, predecessor = TRUE)
  expect_nearest(before, all, paste(label, "predecessors"), 1e-12, predecessor = TRUE)
  found <- knn_query(tree, query, k = 6)
  expect_nearest(found, definition(x, query), paste(label, "query"), 1e-12)
  rows <- c(3, 1, nrow(x), 1)
  expect_same_knn(knn_query(tree, k = 4, rows = rows),
                  list(index = own$index[rows, 1:4], distance = own$distance[rows, 1:4]), label)
  expect_identical(recall_of(tree, own)$estimate, 1)
  expect_identical(recall_of(tree, found, query)$estimate, 1)
  every <- knn_query(tree, query, k = nrow(x))
  for (radius in c(0, 0.3, 2)) {
    near <- radius_query(tree, query, radius = radius, threads = 2)
    within <- lapply(seq_len(nrow(query)), function(i) which(every$distance[i, ] <= radius))
    expect_identical(near$index, Map(function(i, w) every$index[i, w], seq_len(nrow(query)), within))
    expect_identical(near$distance, Map(function(i, w) every$distance[i, w], seq_len(nrow(query)), within))
  }
  some <- radius_query(tree, radius = 0.3, rows = rows)
  expect_identical(some$count[c(2, 4)], rep(sum(own$distance[1, ] <= 0.3, na.rm = TRUE), 2))
}

test_that("missing values are left out pair by pair", {
  query <- holes(25, 95)
  for (n in c(40, 300)) {
    x <- holes(n, 90 + n)
    expect_scan(x, metric_gower(na = "scan"), by_common_columns(rep(1, 8)), paste(n, "rows"), query)
    weights <- c(1, 2, 0.5, 3, 1, 1, 0, 2)
    expect_scan(x, metric_gower(weights, na = "scan"), by_common_columns(weights), paste(n, "weighted rows"), query)
  }
  x <- mixed(60, 96)
  expect_equal(knn_query(cover_tree(x, metric_gower(na = "scan")), k = 5)$distance,
               knn_query(cover_tree(x, metric_gower()), k = 5)$distance, tolerance = 1e-14)
})

test_that("distances are those of daisy()", {
  skip_if_not_installed("cluster")
  x <- holes(200, 97)
  # daisy() has no distance where the common columns have a weight of at most 0.5 together.
  weights <- c(1, 2, 0.6, 3, 1, 1, 0, 2)
  right <- as.matrix(suppressWarnings(cluster::daisy(transform(x, flag = factor(flag)), metric = "gower",
                                                     weights = weights, warnConst = FALSE)))
  found <- knn_query(cover_tree(x, metric_gower(weights, na = "scan")), k = 199)
  diag(right) <- NA
  expect_identical(rowSums(!is.na(found$index)), rowSums(!is.na(unname(right))))
  there <- !is.na(found$index)
  expect_equal(found$distance[there], right[cbind(row(found$index)[there], found$index[there])], tolerance = 1e-12)
})

test_that("rows without a common column are no neighbors", {
  x <- data.frame(a = c(1, NA, 3, NA), b = c(NA, 2, 4, NA))
  found <- knn_query(cover_tree(x, metric_gower(na = "scan")), k = 3)
  expect_identical(found$index, rbind(c(3L, NA, NA), c(3L, NA, NA), c(1L, 2L, NA), NA))
  expect_identical(radius_query(cover_tree(x, metric_gower(na = "scan")), radius = 9)$count, c(1L, 1L, 2L, 0L))
})

test_that("the limit on pairs counts repeated rows of a scan", {
  tree <- cover_tree(data.frame(a = 1:20, b = c(NA, 1:19)), metric = metric_gower(na = "scan"))
  twice <- radius_query(tree, radius = 9, rows = c(4, 4), max_pairs = 38)
  expect_identical(twice$count, c(19L, 19L))
  expect_error(radius_query(tree, radius = 9, rows = c(4, 4), max_pairs = 37), "at most 37 pairs .*got 38 pairs")
})

test_that("missing values without a scan, and what a scan cannot do, are refused", {
  x <- holes(30, 98)
  tree <- cover_tree(x, metric_gower(na = "scan"))
  expect_complaints(
    cover_tree(x, metric_gower()), metric_gower(na = "omit"), metric_gower(na = TRUE),
    knn_query(tree, budget = 10), cover_tree(data.frame(a = c(1, Inf)), metric_gower(na = "scan")),
    knn_query(tree, transform(x, color = factor("pink"))), knn_query(tree, x[-1]),
    radius_query(tree, radius = 1, max_pairs = 3), cover_tree(x, utils::modifyList(metric_gower(), list(na = 1)))
  )
  expect_snapshot(print(tree))
  expect_true(attr(knn_query(tree, k = 2, epsilon = 0.5), "exact"))
  expect_identical(knn_query(tree, k = 2, recall = 0.5), knn_query(tree, k = 2))
  expect_identical(knn_stats(knn_query(tree, k = 2, control = list(stats = TRUE)))$evaluations, 900)
})

test_that("weights whose sum is beyond the range of doubles count as others", {
  x <- iris[1:60, ]
  expect_same_knn(knn_query(cover_tree(x, metric_gower(c(1, 1, 2, 2, 1) * 2^1022)), k = 3),
                  knn_query(cover_tree(x, metric_gower(c(1, 1, 2, 2, 1))), k = 3))
})

test_that("a range that is not finite is refused", {
  x <- data.frame(a = 1:3, b = c(-1e308, 1e308, NA))
  expect_error(cover_tree(x[1:2, ], metric_gower()),
               "x must have columns with a finite range: column 2 (`b`) has -1e+308 to 1e+308", fixed = TRUE)
  expect_error(cover_tree(x, metric_gower(na = "scan")), "column 2 (`b`) has -1e+308 to 1e+308", fixed = TRUE)
  expect_error(knn_join(x[1:2, ], x[1:2, ], "b", metric = metric_gower()), "^y must have columns with a finite range")
})
