# Queries by row number of the tree's own points.

threads_before <- covertree_threads(1)

lines_of_knn <- function(knn, rows) {
  list(index = knn$index[rows, , drop = FALSE], distance = knn$distance[rows, , drop = FALSE])
}

big <- function(value) format(value, big.mark = ",", scientific = FALSE)

# Rows in any order, a single row, repeated rows, and all rows in reverse order.
row_sets <- function(n) {
  list(1L, n, c(n, 1), with_seed(501, sample(n, min(n, 40))), rep(c(2, 1, 2), length.out = 9) %% n + 1,
       rev(seq_len(n)), as.double(seq_len(n)))
}

for (name in c("uniform", "grid", "duplicates", "identical", "hundred_columns", "two_points", "one_point")) {
  test_that(paste("a query by row has the answer of that row among all:", name), {
    x <- clouds[[name]]()
    tree <- sound_tree(x)
    for (predecessor in c(FALSE, TRUE)) for (search in c("auto", "tree", "scan")) for (threads in 1:2) {
      ask <- function(...) {
        knn_query(tree, k = 7, predecessor = predecessor, threads = threads,
                  control = list(search = search), ...)
      }
      all <- ask()
      for (rows in row_sets(nrow(x))) {
        found <- ask(rows = rows)
        expect_same_knn(found, lines_of_knn(all, rows), paste(predecessor, search, threads))
        expect_identical(attr(found, "rows"), as.integer(rows))
        expect_true(attr(found, "exact"))
      }
    }
  })

  test_that(paste("a radius query by row has the answer of that row among all:", name), {
    x <- clouds[[name]]()
    tree <- sound_tree(x)
    radius <- median(dist(x[seq_len(min(nrow(x), 50)), , drop = FALSE]))
    if (is.na(radius)) radius <- 1
    for (sort in c(TRUE, FALSE)) for (threads in 1:2) {
      all <- radius_query(tree, radius = radius, sort = sort, threads = threads)
      for (rows in row_sets(nrow(x))) {
        found <- radius_query(tree, radius = radius, rows = rows, sort = sort, threads = threads)
        expect_identical(found$count, all$count[rows])
        by_row <- function(index, distance) list(sort(index), sort(distance))
        if (sort) expect_same_neighbors(found, lapply(all[1:2], `[`, rows))
        else expect_identical(Map(by_row, found$index, found$distance),
                              Map(by_row, all$index[rows], all$distance[rows]))
        expect_identical(attr(found, "rows"), as.integer(rows))
      }
    }
  })
}

test_that("queries by row agree with all by residual correlation, with a budget and with epsilon", {
  x <- uniform_points(900, 2, seed = 502)
  metric <- residual_correlation(kernel_matern32(lengthscale = 0.3), 20, nugget = 0.05)
  rows <- with_seed(503, sample(900, 200, replace = TRUE))
  for (tree in list(cover_tree(x), cover_tree(x, metric = metric))) {
    for (way in list(list(), list(predecessor = TRUE), list(budget = 40), list(budget = c(20, 60)),
                     list(budget = budget(40, diversity = FALSE)), list(budget = 30, predecessor = TRUE),
                     list(epsilon = 0.5), list(epsilon = 2, predecessor = TRUE))) {
      ask <- function(...) do.call(knn_query, c(list(tree, k = 6), way, list(...)))
      all <- ask()
      found <- ask(rows = rows)
      expect_same_knn(found, lines_of_knn(all, rows), toString(names(way)))
      expect_identical(attr(found, "exact"), attr(all, "exact"))
      expect_identical(attr(found, "budget"), attr(all, "budget"))
    }
  }
})

test_that("a few queries have the same neighbors, bit for bit, as among many by residual correlation", {
  x <- uniform_points(1100, 3, seed = 510)
  x[1001:1100, ] <- x[1:100, ]
  same <- x[rep(1:30, each = 2), ]
  cases <- list(
    list(x = x, metric = residual_correlation(kernel_matern52(lengthscale = 0.3), 40)),
    # Many residual variances near rounding, which float cannot filter.
    list(x = x, metric = residual_correlation(kernel_rbf(lengthscale = 0.7), 60, jitter = 1e-9, nugget = 1e-9)),
    # All points are inducing points, and each point twice.
    list(x = x[1:60, ], metric = residual_correlation(kernel_matern32(lengthscale = 0.3), 60)),
    list(x = same, metric = residual_correlation(kernel_exponential(lengthscale = 0.3), 10))
  )
  for (case in cases) {
    tree <- cover_tree(case$x, metric = case$metric)
    n <- nrow(case$x)
    others <- case$x[rev(seq_len(n)), ] + 0.01
    every <- knn_query(tree, others, k = 9)
    for (count in c(1, 2, 16, 17, 50, 130)) {
      rows <- with_seed(count, sample(n, count, replace = count > 50))
      for (predecessor in c(FALSE, TRUE)) {
        all <- knn_query(tree, k = 9, predecessor = predecessor)
        found <- knn_query(tree, k = 9, predecessor = predecessor, rows = rows)
        expect_same_knn(found, lines_of_knn(all, rows), paste(n, count))
      }
      found <- knn_query(tree, others[rows, , drop = FALSE], k = 9)
      expect_same_knn(found, lines_of_knn(every, rows), paste(n, count, "others"))
    }
  }
})

test_that("queries by row have the answers and the recall of a search of all points", {
  x <- uniform_points(2500, 4, seed = 504)
  metric <- residual_correlation(kernel_matern32(lengthscale = 0.5), 15, nugget = 0.05)
  rows <- with_seed(505, sample(2500, 700, replace = TRUE))
  for (tree in list(cover_tree(x), cover_tree(x, metric = metric))) {
    for (way in list(list(recall = 0.9), list(recall = 0.8, predecessor = TRUE), list(budget = 30),
                     list(budget = c(20, 60), predecessor = TRUE), list(epsilon = 0.5))) {
      # These are exact.
      if (!is.null(if (is.null(tree$metric)) way$recall else way$epsilon)) next
      ask <- function(tree, ...) do.call(knn_query, c(list(tree, k = 5), way, list(...)))
      all <- ask(tree)
      expect_false(attr(all, "exact"))
      # A new tree gives the same results, in any order of the calls.
      other <- cover_tree(x, metric = if (is.null(tree$metric)) "euclidean" else metric)
      for (one in list(tree, other, other, unserialize(serialize(other, NULL)))) {
        found <- ask(one, rows = rows)
        expect_same_knn(found, lines_of_knn(all, rows), toString(names(way)))
        expect_identical(attr(found, "recall"), attr(all, "recall"))
        expect_false(attr(found, "exact"))
      }
      expect_identical(attr(ask(other), "recall"), attr(all, "recall"))
      expect_identical(attr(ask(other, rows = 7), "recall"), attr(all, "recall"))
    }
  }
})

# Each search states a recall of its own, in any order of the calls, also if a file holds another one.
expect_kept_apart <- function(tree, ways) {
  recall <- function(...) attr(knn_query(tree, k = 5, rows = 1:30, ...), "recall")
  first <- lapply(ways, function(way) do.call(recall, way))
  expect_identical(anyDuplicated(first), 0L)
  again <- lapply(rev(ways), function(way) do.call(recall, way))
  expect_identical(rev(again), first)
  # A stored recall from a file is not used.
  for (key in grep("^recall", ls(tree$cache), value = TRUE)) {
    assign(key, list(c(estimate = 2), new.env(), tree$cache[[key]][[3]]), envir = tree$cache)
  }
  expect_identical(lapply(ways, function(way) do.call(recall, way)), first)
}

test_that("what a tree keeps of the recall of queries by row is for the same search only", {
  x <- uniform_points(2000, 3, seed = 510)
  euclidean <- cover_tree(x)
  residual <- cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 1), 30))
  ways <- list(list(budget = 20), list(budget = 25), list(budget = c(20, 25)),
               list(budget = budget(20, diversity = FALSE)), list(budget = 20, predecessor = TRUE),
               list(budget = 20, control = list(seed = 2)))
  expect_kept_apart(euclidean, c(ways, list(list(epsilon = 1))))
  expect_kept_apart(residual, c(ways[c(1, 4:6)], list(list(recall = 0.99), list(recall = 0.5))))
})

test_that("a budget of very many limits is one for queries by row, too", {
  x <- uniform_points(1500, 2, seed = 514)
  for (tree in list(cover_tree(x), cover_tree(x, metric = residual_correlation(kernel_rbf())))) {
    recall <- function(budget) attr(knn_query(tree, k = 3, rows = 5:1, budget = budget), "recall")
    many <- list(budget(1:3000), budget(c(1:2999, 4000)), budget(c(1:2000, 2002:3001)),
                 budget(1:3000, escalate = 1, stop = 1))
    first <- lapply(many, recall)
    expect_identical(lapply(rev(many), recall), rev(first))
    expect_identical(first[[4]], attr(knn_query(tree, k = 3, budget = many[[4]]), "recall"))
  }
})

test_that("limits count the pairs of repeated rows", {
  x <- uniform_points(2000, 2, seed = 511)
  tree <- cover_tree(x)
  count <- radius_query(tree, radius = 0.1)$count
  for (rows in list(rep(7L, 500), rep(c(9, 3, 3), 100), c(1:2000, rep(5, 300)), rep(2000:1, 2))) {
    pairs <- sum(count[rows])
    for (threads in 1:2) {
      ask <- function(most) radius_query(tree, radius = 0.1, rows = rows, threads = threads, max_pairs = most)
      expect_identical(ask(pairs)$count, count[rows])
      expect_error(ask(pairs - 1), sprintf("got %s pairs", big(pairs)))
      # Enough for each row once, which is all that is searched.
      expect_error(ask(sum(count[unique(rows)])), sprintf("got %s pairs", big(pairs)))
    }
    expect_error(knn_query(tree, k = 3, rows = rows, max_pairs = 3 * length(rows) - 1),
                 sprintf("got %s pairs", big(3 * length(rows))))
    expect_identical(dim(knn_query(tree, k = 3, rows = rows, max_pairs = 3 * length(rows))$index),
                     c(length(rows), 3L))
  }
})

test_that("an estimate counts repeated rows", {
  tree <- cover_tree(uniform_points(20000, 2, seed = 512))
  expect_error(radius_query(tree, radius = 2, rows = rep(1:20000, 3), max_pairs = 5e8),
               "at most 500,000,000 pairs \\(max_pairs\\): got about 1,200,000,000 pairs \\(14 GB\\)")
  # One row that occurs very often, and is not in the sample.
  rows <- c(1:20000, rep(17L, 1e6))
  count <- radius_query(tree, radius = 0.01, rows = 1:20000)$count
  expect_error(radius_query(tree, radius = 0.01, rows = rows, max_pairs = sum(count[rows]) - 1),
               sprintf("got %s pairs", big(sum(count[rows]))))
})

test_that("very many repeated rows are refused before anything of their size is made", {
  tree <- cover_tree(uniform_points(3000, 2, seed = 513))
  often <- rep(1L, 1e7)
  within_seconds(60, {
    expect_error(radius_query(tree, radius = 2, rows = often), "got 29,990,000,000 pairs \\(360 GB\\)")
    expect_error(radius_query(tree, radius = 2, rows = often, max_pairs = 1e6), "29,990,000,000 pairs")
    # R stores these rows as two numbers.
    expect_error(knn_query(tree, k = 100, rows = seq_len(2e9)), "200,000,000,000 pairs \\(2.4 TB\\)")
    expect_error(knn_query(tree, k = 100, rows = seq_len(2e9), recall = 0.9), "2.4 TB")
    if (covertree:::memory_available() < 90e9) for (most in list(NULL, 10)) {
      expect_error(radius_query(tree, radius = 0, rows = seq_len(2e9), max_pairs = most),
                   "half of the available memory: got 2,000,000,000 queries \\(48 GB without pairs\\)")
    }
  })
  expect_error(covertree:::check_queries(1e6, 1e6, NULL, available = 3e8), "1,000,000 queries \\(152 MB without pairs")
  expect_null(covertree:::check_queries(1e6, 1e6, NULL, available = 3.1e8))
  expect_null(covertree:::check_queries(1e6, 1e6, Inf, available = 0))
  expect_null(covertree:::check_queries(3e5, 3e5, NULL, available = 0))
  ask <- list(function(rows) knn_query(tree, k = 1, rows = rows, max_pairs = Inf),
              function(rows) radius_query(tree, radius = 0, rows = rows, max_pairs = Inf),
              function(rows) recall_of(tree, matrix(1L, 3, 1), rows = rows))
  for (use in ask) expect_error(use(seq_len(3e9)), "rows must have at most 2147483647 elements: got 3000000000")
})

test_that("the recall of a result by row is that of its rows", {
  x <- uniform_points(700, 3, seed = 506)
  tree <- cover_tree(x)
  rows <- c(5, 700, 5, 1:50)
  found <- knn_query(tree, k = 4, rows = rows)
  expect_identical(recall_of(tree, found)$estimate, 1)
  expect_identical(recall_of(tree, found)$sample, 53L)
  expect_identical(recall_of(tree, found$index, rows = rows)$estimate, 1)
  expect_lt(recall_of(tree, found$index, rows = rev(rows))$estimate, 0.2)
  expect_error(recall_of(tree, found$index), "result must have a row for each of the 700 queries: got 53")
  damaged <- found
  damaged$index[2, 1] <- damaged$index[2, 2]
  expect_equal(recall_of(tree, damaged)$estimate, 1 - 1 / (53 * 4))
  expect_identical(recall_of(tree, damaged, sample = 1, control = list(seed = 3))$sample, 1L)
})

test_that("the long form of a result by row names the rows", {
  tree <- cover_tree(uniform_points(30, 2, seed = 507))
  rows <- c(30, 4, 4)
  long <- as.data.frame(knn_query(tree, k = 2, rows = rows))
  expect_identical(long$query, rep(c(30L, 4L, 4L), each = 2))
  expect_identical(long$rank, rep(1:2, 3))
  all <- as.data.frame(knn_query(tree, k = 2))
  expect_identical(long$neighbor[1:2], all$neighbor[all$query == 30])
})

test_that("statistics of queries by row count each row once", {
  tree <- cover_tree(uniform_points(300, 2, seed = 508))
  stats <- knn_stats(knn_query(tree, k = 2, rows = c(7, 7, 8), control = list(stats = TRUE)))
  expect_identical(stats$queries, 2L)
  expect_gt(stats$distances, 0)
})

test_that("rows that make no sense are refused", {
  tree <- cover_tree(uniform_points(40, 2, seed = 509))
  expect_complaints_for(
    list(0, 41, -1, 1.5, NA, NA_integer_, c(1, NaN), Inf, 1e10, "1", TRUE, factor(1), list(1, 2),
         matrix(1:4, 2), c(TRUE, FALSE)),
    knn_query(tree, k = 2, rows = value)
  )
  x <- uniform_points(3, 2)
  expect_complaints(
    knn_query(tree, x, k = 2, rows = 1:3),
    radius_query(tree, x, radius = 1, rows = 1:3),
    radius_query(tree, radius = 1, rows = 41),
    recall_of(tree, matrix(1L, 3, 1), query = x, rows = 1:3),
    recall_of(tree, matrix(1L, 1, 1), rows = 0),
    recall_of(tree),
    knn_query(tree, k = 30, rows = 1:3, max_pairs = 89)
  )
})

covertree_threads(threads_before)
