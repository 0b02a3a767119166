# knn_query() and radius_query() with self, before, exclude and window.

# All points in the order of (distance, row) from each query, by the definition.
rankings_of <- function(x, query = x) {
  lapply(seq_len(nrow(query)), function(i) oracle_ranking(x, query[i, ]))
}

# The result of knn_query() by brute force: the first k points of each ranking for which
# `eligible(i)`, a logical vector [n], holds.
pick_knn <- function(rankings, eligible, k) {
  pick <- function(part) {
    values <- lapply(seq_along(rankings), function(i) {
      kept <- eligible(i)[rankings[[i]]$index]
      rankings[[i]][[part]][kept][seq_len(k)]
    })
    matrix(unlist(values), nrow = length(rankings), ncol = k, byrow = TRUE)
  }
  list(index = pick("index"), distance = pick("distance"))
}

pick_radius <- function(rankings, eligible, radius) {
  pick <- function(part) {
    lapply(seq_along(rankings), function(i) {
      ranking <- rankings[[i]]
      ranking[[part]][eligible(i)[ranking$index] & ranking$distance <= radius]
    })
  }
  list(index = pick("index"), distance = pick("distance"))
}

# A grid with duplicates, clusters and scattered points: many equal distances. More points than
# one tree of small ranks needs.
set.seed(31)
grid <- as.matrix(expand.grid(0:12, 0:9, 0:3)) + 0
x <- unname(rbind(grid, grid[1:150, ], matrix(rnorm(300, 3), ncol = 3), matrix(runif(1500, -1, 12), ncol = 3)))
n <- nrow(x)
tree <- cover_tree(x, leaf_size = 16)
rankings <- rankings_of(x)
rows <- seq_len(n)

# Values and groups: few, one, all distinct, in the order of rows, and by a coordinate, so that whole
# nodes have one group.
values <- list(few = sample(5, n, TRUE), one = rep(0.5, n), distinct = sample(n) / 7, rows = rows,
               time = as.Date("2020-01-01") + sample(800, n, TRUE), space = x[, 1] + x[, 2] / 100)
groups <- list(few = factor(sample(letters[1:4], n, TRUE)), one = rep("all", n), distinct = rows,
               space = paste(x[, 1] %/% 4, x[, 2] %/% 3), half = x[, 3] > 1)
windows <- c(0, 1, 40, n - 2, n, 1e9)

expect_excluded <- function(eligible, ..., k = 9, radius = 1, label = "exclusion") {
  expect_same_knn(knn_query(tree, k = k, ...), pick_knn(rankings, eligible, k), label)
  found <- radius_query(tree, radius = radius, ...)
  expect_same_neighbors(found, pick_radius(rankings, eligible, radius), label)
  expect_identical(radius_query(tree, radius = radius, count_only = TRUE, ...), found$count)
}

test_that("the tree of these tests is sound", {
  expect_sound_tree(tree, x)
})

test_that("before finds only points with a smaller value", {
  for (name in names(values)) {
    value <- values[[name]]
    expect_excluded(function(i) value < value[i], before = value, label = name)
  }
  expect_same_knn(knn_query(tree, k = 30, before = rows), knn_query(tree, k = 30, predecessor = TRUE))
  infinite <- replace(values$distinct, c(1, 5, 9), c(-Inf, Inf, Inf))
  expect_excluded(function(i) infinite < infinite[i], before = infinite, k = 3)
  stamp <- as.POSIXct("2020-01-01", tz = "UTC") + 3600 * values$few
  expect_same_knn(knn_query(tree, k = 3, before = stamp), knn_query(tree, k = 3, before = values$few))
})

test_that("exclude finds no point of the same group", {
  for (name in names(groups)) {
    group <- groups[[name]]
    expect_excluded(function(i) group != group[i], exclude = group, label = name)
  }
  expect_same_knn(knn_query(tree, k = 9, exclude = rows), knn_query(tree, k = 9))
  expect_true(all(is.na(knn_query(tree, k = 9, exclude = groups$one)$index)))
  sizes <- rep(c("big", "small"), c(n - 4, 4))
  expect_excluded(function(i) sizes != sizes[i], exclude = sizes, k = 7)
})

test_that("window finds no point whose row is near", {
  for (window in windows) {
    expect_excluded(function(i) abs(rows - i) > window, window = window, label = paste("window", window))
  }
  expect_same_knn(knn_query(tree, k = 4, window = 0), knn_query(tree, k = 4))
})

test_that("exclusions combine", {
  for (round in c(1, 3, 4, 5)) {
    value <- values[[1 + round %% 6]]
    group <- groups[[1 + round %% 5]]
    window <- windows[1 + round %% 3]
    expect_excluded(function(i) value < value[i] & group != group[i], before = value, exclude = group)
    expect_excluded(function(i) value < value[i] & group != group[i] & abs(rows - i) > window,
                    before = value, exclude = group, window = window)
    expect_excluded(function(i) group != group[i] & abs(rows - i) > window, exclude = group, window = window)
    expect_same_knn(knn_query(tree, k = 9, exclude = group, window = window, predecessor = TRUE),
                    knn_query(tree, k = 9, exclude = group, window = window, before = rows))
  }
})

test_that("an own point finds itself only with self = TRUE", {
  expect_excluded(function(i) rep(TRUE, n), self = TRUE)
  expect_excluded(function(i) rows != i, self = FALSE)
  expect_same_knn(knn_query(tree, k = 9, self = TRUE), knn_query(tree, x, k = 9))
  found <- knn_query(tree, k = n + 3, rows = c(7, 200), self = TRUE)
  expect_same_knn(found, pick_knn(rankings[c(7, 200)], function(i) rep(TRUE, n), n + 3))
})

test_that("queries that are no points of the tree have values and groups of their own", {
  query <- rbind(x[seq(1, n, by = 9), ] + 0.25, x[1:60, ])
  m <- nrow(query)
  rankings <- rankings_of(x, query)
  value <- values$time
  of_query <- as.Date("2019-12-01") + sample(900, m, TRUE)
  group <- groups$space
  group_of_query <- sample(c(unique(group), "none of these"), m, TRUE)
  before <- list(points = value, query = of_query)
  exclude <- list(query = group_of_query, points = group)
  for (k in c(1, 8, n)) {
    expect_same_knn(knn_query(tree, query, k = k, before = before),
                    pick_knn(rankings, function(i) value < of_query[i], k))
    expect_same_knn(knn_query(tree, query, k = k, exclude = exclude),
                    pick_knn(rankings, function(i) group != group_of_query[i], k))
  }
  eligible <- function(i) value < of_query[i] & group != group_of_query[i]
  expect_same_knn(knn_query(tree, query, k = 8, before = before, exclude = exclude), pick_knn(rankings, eligible, 8))
  expect_same_neighbors(radius_query(tree, query, radius = 2, before = before, exclude = exclude),
                        pick_radius(rankings, eligible, 2))
  none <- knn_query(tree, query[0, ], k = 2, exclude = list(points = group, query = character()))
  expect_identical(dim(none$index), c(0L, 2L))
})

test_that("exclusions hold with rows, limits and any way to search", {
  value <- values$distinct
  group <- groups$space
  eligible <- function(i) value < value[i] & group != group[i]
  all <- knn_query(tree, k = 6, before = value, exclude = group)
  expect_same_knn(all, pick_knn(rankings, eligible, 6))
  asked <- c(sample(n, 200), 5, 5, n)
  expect_same_knn(knn_query(tree, k = 6, rows = asked, before = value, exclude = group),
                  list(index = all$index[asked, ], distance = all$distance[asked, ]))
  expect_same_neighbors(radius_query(tree, radius = 1, rows = asked, before = value, exclude = group),
                        pick_radius(rankings[asked], function(i) eligible(asked[i]), 1))
  for (mode in c("tree", "scan")) {
    for (block in list(NULL, 1, 23)) {
      control <- knn_control(search = mode, block_size = block)
      expect_same_knn(knn_query(tree, k = 6, before = value, exclude = group, threads = 2, control = control), all)
    }
  }
  limit <- sample(c(0, 1, 1.5, Inf), n, TRUE)
  near <- all$distance <= limit & !is.na(all$index)
  limited <- knn_query(tree, k = 6, before = value, exclude = group, max_distance = limit)
  expect_same_knn(limited, list(index = replace(all$index, !near, NA), distance = replace(all$distance, !near, NA)))
  other <- cover_tree(x, layout = "natural", leaf_size = 100)
  expect_same_knn(knn_query(other, k = 6, before = value, exclude = group), all)
  expect_same_knn(knn_query(tree, k = 6, before = value, exclude = group, recall = 0.9), all)
})

test_that("exclusions hold for other metrics, and for a tree from a file", {
  some <- seq(1, n, by = 2)
  y <- abs(x[some, ]) + 0.1
  group <- groups$space[some]
  value <- values$time[some]
  path <- tempfile(fileext = ".ct")
  write_tree(cover_tree(y), path)
  sphere <- cbind(lon = y[, 1] * 12, lat = y[, 2] * 5)
  bits <- matrix(rbinom(length(some) * 70, 1, 0.3), length(some))
  trees <- list(file = read_tree(path), manhattan = cover_tree(y, "manhattan"), maximum = cover_tree(y, "maximum"),
                cosine = cover_tree(y, "cosine"), gower = cover_tree(data.frame(y, f = factor(group)), metric_gower()),
                sphere = cover_tree(sphere, metric_great_circle()), hamming = cover_tree(bits, "hamming"))
  m <- length(some)
  for (name in names(trees)) {
    full <- knn_query(trees[[name]], k = m, self = TRUE)
    rankings <- lapply(seq_len(m), function(i) list(index = full$index[i, ], distance = full$distance[i, ]))
    expect_same_knn(knn_query(trees[[name]], k = m - 1),
                    pick_knn(rankings, function(i) seq_len(m) != i, m - 1), name)
    eligible <- function(i) group != group[i] & value < value[i] & abs(seq_len(m) - i) > 3
    expect_same_knn(knn_query(trees[[name]], k = 5, before = value, exclude = group, window = 3),
                    pick_knn(rankings, eligible, 5), name)
    radius <- full$distance[1, 60]
    expect_same_neighbors(radius_query(trees[[name]], radius = radius, before = value, exclude = group, window = 3),
                          pick_radius(rankings, eligible, radius), name)
  }
  rm(trees)
  gc()
  unlink(path)
})

test_that("a result with exclusions says so", {
  found <- knn_query(tree, k = 3, window = 2, before = rows, control = list(stats = TRUE))
  expect_identical(attr(found, "exclusion"), c("before", "window"))
  expect_equal(knn_stats(found)$queries, n)
  expect_identical(attr(radius_query(tree, radius = 1, self = TRUE, rows = 1:3), "exclusion"), "self")
  expect_null(attr(knn_query(tree, k = 3), "exclusion"))
  nearest <- as_neighbors(knn_query(tree, k = 3, exclude = groups$few), "FNN")
  expect_identical(dim(nearest$nn.index), c(n, 3L))
})

test_that("wrong exclusions are errors", {
  words <- cover_tree(3, metric_function(function(i, j) abs(i - j), n = 3))
  grown <- insert_points(tree, x[1:2, ])
  residual <- cover_tree(x, residual_correlation(kernel_matern32(1), inducing = x[1:9, ]))
  gaps <- cover_tree(data.frame(a = c(1, NA, 3)), metric_gower(na = "scan"))
  forest <- cover_forest(x, 3)
  late <- list(points = Sys.Date() + rows, query = 1:2)
  expect_complaints(
    knn_query(tree, self = NA),
    knn_query(tree, x[1:2, ], self = TRUE),
    knn_query(tree, self = TRUE, exclude = rows),
    radius_query(tree, radius = 1, self = TRUE, window = 0),
    knn_query(tree, self = TRUE, predecessor = TRUE),
    knn_query(tree, before = 1:3),
    knn_query(tree, before = as.character(rows)),
    knn_query(tree, before = factor(rows)),
    knn_query(tree, before = as.POSIXlt(late$points)),
    knn_query(tree, before = replace(rows, 7, NA)),
    radius_query(tree, radius = 1, before = replace(rows / 2, 9, NaN)),
    knn_query(tree, before = list(points = rows, query = rows)),
    knn_query(tree, x[1:2, ], before = rows),
    knn_query(tree, x[1:2, ], before = list(rows, 1:2)),
    knn_query(tree, x[1:2, ], before = list(points = rows, query = 1:3)),
    knn_query(tree, x[1:2, ], before = late),
    knn_query(tree, before = rows, predecessor = TRUE),
    knn_query(tree, exclude = letters),
    knn_query(tree, exclude = as.list(rows)),
    knn_query(tree, exclude = matrix(rows)),
    knn_query(tree, exclude = replace(groups$few, 3, NA)),
    knn_query(tree, x[1:2, ], exclude = groups$few),
    radius_query(tree, x[1:2, ], radius = 1, exclude = list(points = groups$few, query = "a")),
    knn_query(tree, window = -1),
    knn_query(tree, window = 1.5),
    knn_query(tree, window = 1:2),
    knn_query(tree, window = Inf),
    knn_query(tree, x[1:2, ], window = 1),
    knn_query(tree, exclude = rows, budget = 50),
    knn_query(tree, window = 3, epsilon = 0.1),
    knn_query(words, window = 1),
    radius_query(words, radius = 1, exclude = 1:3),
    knn_query(grown, k = 1, before = seq_len(n + 2)),
    radius_query(grown, radius = 1, self = TRUE),
    knn_query(residual, exclude = rows),
    knn_query(gaps, k = 1, self = TRUE),
    radius_query(gaps, radius = 1, window = 0),
    knn_query(forest, exclude = rows),
    radius_query(forest, radius = 1, self = TRUE),
    recall_of(tree, knn_query(tree, k = 2, window = 5)),
    knn_density(knn_query(tree, k = 2, exclude = groups$few))
  )
})
