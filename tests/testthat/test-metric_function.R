# Searches by a function of the user against full distance matrices: points, words, graphs, trees.

# The canonical Euclidean distance as a function of object numbers; foreign queries are rows.
point_metric <- function(x, ...) {
  x <- plain_matrix(x)
  metric_function(
    function(i, js) oracle_distance(x[js, , drop = FALSE], x[i, ]), nrow(x),
    f_query = function(q, js) oracle_distance(x[js, , drop = FALSE], as.numeric(q)), ...
  )
}

# A metric given by a matrix of distances.
matrix_metric <- function(d, ...) {
  d <- unname(d)
  metric_function(function(i, js) d[i, js], nrow(d), ...)
}

# The k nearest by (distance, row) from a matrix of distances of queries to all objects.
# `allowed(i)` are the rows that query i may find.
matrix_knn <- function(d, k, allowed = function(i) setdiff(seq_len(ncol(d)), i)) {
  lines <- lapply(seq_len(nrow(d)), function(i) {
    rows <- allowed(i)
    rows[order(d[i, rows], rows)][seq_len(k)]
  })
  index <- matrix(unlist(lines), nrow(d), k, byrow = TRUE)
  list(index = index, distance = matrix(d[cbind(c(row(index)), c(index))], nrow(d), k))
}

predecessors <- function(i) seq_len(i - 1)

# Words of a small language: many at the same distance, some more than once.
some_words <- function(n, seed = 31) {
  with_seed(seed, {
    syllables <- c("ka", "ri", "to", "ne", "su", "mi", "la", "vo", "an", "el", "os")
    vapply(seq_len(n), function(i) paste(sample(syllables, sample(1:4, 1), replace = TRUE), collapse = ""), "")
  })
}

word_metric <- function(words, ...) {
  metric_function(function(i, js) drop(adist(words[i], words[js])),
                  f_query = function(q, js) drop(adist(q, words[js])), ...)
}

scan <- list(search = "scan")

# All kinds of searches of a tree with a matrix of distances.
expect_searches <- function(tree, d, label, ks = c(1, 7)) {
  d <- unname(d)
  storage.mode(d) <- "double"
  n <- nrow(d)
  expect_true(validate_tree(tree)$valid, label = label)
  for (k in ks) {
    all <- matrix_knn(d, k)
    before <- matrix_knn(d, k, predecessors)
    some <- c(n, 1, (n + 1) %/% 2, 1)
    expect_same_knn(knn_query(tree, k = k), all, label)
    expect_same_knn(knn_query(tree, k = k, control = scan), all, label)
    expect_same_knn(knn_query(tree, k = k, predecessor = TRUE), before, label)
    expect_same_knn(knn_query(tree, k = k, predecessor = TRUE, control = scan), before, label)
    picked <- lapply(all, function(part) part[some, , drop = FALSE])
    expect_same_knn(knn_query(tree, k = k, rows = some), picked, label)
    expect_identical(recall_of(tree, knn_query(tree, k = k))$estimate, 1)
  }
  for (radius in c(0, stats::quantile(d, c(0.05, 0.3), type = 1, names = FALSE))) {
    expect_same_neighbors(radius_query(tree, radius = radius), matrix_radius(d, radius), label)
    expect_same_neighbors(radius_query(tree, radius = radius, control = scan), matrix_radius(d, radius), label)
    found <- radius_query(tree, radius = radius, rows = some)
    expect_same_neighbors(found, lapply(matrix_radius(d, radius), `[`, some), label)
  }
}

matrix_radius <- function(d, radius) {
  rows <- lapply(seq_len(nrow(d)), function(i) {
    rows <- setdiff(which(d[i, ] <= radius), i)
    rows[order(d[i, rows], rows)]
  })
  list(index = rows, distance = lapply(seq_len(nrow(d)), function(i) d[i, rows[[i]]]))
}

distance_matrix <- function(x, query = x) {
  x <- plain_matrix(x)
  query <- plain_matrix(query)
  t(vapply(seq_len(nrow(query)), function(i) oracle_distance(x, query[i, ]), numeric(nrow(x))))
}

for (name in setdiff(names(clouds), c("one_point", "huge", "tiny"))) {
  test_that(paste("points are found as by their distance matrix:", name), {
    x <- clouds[[name]]()
    tree <- cover_tree(x, metric = point_metric(x), leaf_size = 4)
    expect_searches(tree, distance_matrix(x), name)
    query <- queries_for(x)
    d <- distance_matrix(x, query)
    everyone <- function(i) seq_len(ncol(d))
    expect_same_knn(knn_query(tree, query, k = 5), matrix_knn(d, 5, everyone), name)
    expect_same_knn(knn_query(tree, query, k = 5, control = scan), matrix_knn(d, 5, everyone), name)
    found <- radius_query(tree, as.data.frame(query), radius = stats::median(d))
    expect_identical(found$index, lapply(seq_len(nrow(d)), function(i) {
      rows <- which(d[i, ] <= stats::median(d))
      rows[order(d[i, rows], rows)]
    }))
  })
}

test_that("words are found by edit distance", {
  words <- some_words(160)
  tree <- cover_tree(words, metric = word_metric(words))
  expect_searches(tree, adist(words), "words")
  near <- knn_query(tree, c("karito", "", "zzz"), k = 4)
  expect_same_knn(near, matrix_knn(unname(adist(c("karito", "", "zzz"), words)), 4, function(i) seq_along(words)))
  expect_identical(knn_query(tree, list("karito", "", "zzz"), k = 4), near)
  expect_identical(recall_of(tree, near, query = c("karito", "", "zzz"))$estimate, 1)
})

test_that("graphs, trees and equal distances are searched", {
  # Shortest paths on a ring with random lengths.
  steps <- with_seed(5, sample(1:4, 90, replace = TRUE))
  place <- cumsum(steps)
  along <- abs(outer(place, place, "-"))
  ring <- pmin(along, sum(steps) - along)
  ultrametric <- as.matrix(cophenetic(hclust(dist(uniform_points(90, 2)), "average")))
  discrete <- 1 - diag(60)
  for (d in list(ring, ultrametric, discrete)) {
    expect_searches(cover_tree(nrow(d), metric = matrix_metric(d), leaf_size = 5), d, "matrix")
  }
})

test_that("few or equal objects are searched", {
  for (n in 1:3) {
    x <- uniform_points(n, 2)
    tree <- cover_tree(NULL, metric = point_metric(x))
    expect_identical(length(tree), n)
    expect_true(validate_tree(tree)$valid)
    near <- knn_query(tree, k = 2)
    expect_same_knn(near, if (n > 1) matrix_knn(distance_matrix(x), 2)
                          else list(index = matrix(NA_integer_, 1, 2), distance = matrix(NA_real_, 1, 2)))
    expect_identical(dim(knn_query(tree, x[0, , drop = FALSE], k = 2)$index), c(0L, 2L))
    expect_identical(dim(knn_query(tree, k = 2, rows = integer())$index), c(0L, 2L))
    expect_identical(radius_query(tree, radius = 1, rows = integer())$index, list())
  }
  tree <- cover_tree(100, metric = metric_function(function(i, js) 0 * js))
  expect_identical(knn_query(tree, k = 2)$index[c(1, 2, 3, 100), ], rbind(2:3, c(1L, 3L), 1:2, 1:2))
})

test_that("statistics count what f was asked for, and no pair twice", {
  x <- uniform_points(600, 3)
  log <- new.env()
  log$pairs <- list()
  metric <- metric_function(function(i, js) {
    log$pairs <- c(log$pairs, list(cbind(i, js)))
    oracle_distance(x[js, , drop = FALSE], x[i, ])
  }, 600, check = FALSE)
  tree <- cover_tree(x, metric = metric)
  build <- summary(tree)$build
  expect_identical(build[["evaluations"]], as.numeric(sum(vapply(log$pairs, nrow, 0L))))
  expect_identical(build[["calls"]], as.numeric(length(log$pairs)))
  for (kind in list(list(), list(predecessor = TRUE), list(rows = 5:9))) {
    log$pairs <- list()
    stats <- knn_stats(do.call(knn_query, c(list(tree, k = 4, control = list(stats = TRUE)), kind)))
    pairs <- do.call(rbind, log$pairs)
    expect_identical(stats$evaluations, as.numeric(nrow(pairs)))
    expect_identical(stats$calls, as.numeric(length(log$pairs)))
    expect_identical(stats$share, nrow(pairs) / (stats$queries * 600))
    expect_false(any(pairs[, 1] == pairs[, 2]))
    unordered <- if (is.null(kind$rows)) cbind(pmin(pairs[, 1], pairs[, 2]), pmax(pairs[, 1], pairs[, 2])) else pairs
    expect_identical(anyDuplicated(unordered), 0L)
    expect_lt(stats$share, 0.1)
    expect_true(all(stats$seconds >= 0))
    expect_output(print(stats), "distances in .* calls of f")
  }
})

test_that("a tree by a function prints, compares and travels", {
  words <- some_words(50)
  tree <- cover_tree(words, metric = word_metric(words))
  expect_output(print(tree), "<cover_tree: 50 objects, by a function>", fixed = TRUE)
  expect_output(print(summary(tree)), "build: .* distances in .* calls of f, 8 pivots")
  expect_output(print(word_metric(words)), "<metric by a function: f(i, js), any number of objects>", fixed = TRUE)
  expect_null(dim(tree))
  expect_length(tree, 50)
  expect_identical(tree_arrays(tree)$row[tree_arrays(tree)$center[1]], 1L)
  expect_true(all.equal(tree, cover_tree(words, metric = tree$metric$metric)))
  expect_match(all.equal(tree, cover_tree(matrix(1:4, 2))), "another cover_tree")
  expect_match(all.equal(cover_tree(matrix(1:4, 2)), tree), "current is by a metric_function")
  expect_true(is.character(all.equal(tree, cover_tree(words[-1], metric = word_metric(words[-1])))))
  file <- tempfile()
  on.exit(unlink(file))
  saveRDS(tree, file)
  again <- in_fresh_r(function(file) {
    tree <- readRDS(file)
    list(near = knn_query(tree, k = 3), valid = validate_tree(tree)$valid)
  }, file)
  expect_identical(again$near, knn_query(tree, k = 3))
  expect_true(again$valid)
})

test_that("an approximate search is exact", {
  words <- some_words(50)
  tree <- cover_tree(words, metric = word_metric(words))
  for (settings in list(list(recall = 0.5), list(epsilon = 1))) {
    near <- do.call(knn_query, c(list(tree, k = 3), settings))
    expect_same_knn(near, knn_query(tree, k = 3))
    expect_true(attr(near, "exact"))
  }
})

test_that("rounding errors within the tolerance lose no neighbor", {
  x <- uniform_points(150, 2)
  d <- distance_matrix(x)
  noise <- with_seed(8, matrix(runif(length(d), -1, 1), nrow(d)))
  noisy <- d * (1 + 1e-4 * (noise + t(noise)) / 2)
  tree <- cover_tree(150, metric = matrix_metric(noisy, tolerance = 1e-3))
  expect_searches(tree, noisy, "noisy")
})

test_that("errors of f are its own, and leave the tree as it was", {
  x <- uniform_points(300, 2)
  state <- new.env()
  state$left <- Inf
  f <- function(i, js) {
    state$left <- state$left - 1
    if (state$left < 0) stop("the disk is full")
    oracle_distance(x[js, , drop = FALSE], x[i, ])
  }
  metric <- metric_function(f, 300)
  tree <- cover_tree(x, metric = metric)
  before <- knn_query(tree, k = 5)
  for (calls in c(0, 1, 30, 200)) {
    state$left <- calls
    expect_error(knn_query(tree, k = 5), "^the disk is full$")
    state$left <- calls %/% 10
    expect_error(cover_tree(x, metric = metric), "^the disk is full$")
  }
  state$left <- Inf
  expect_identical(knn_query(tree, k = 5), before)
  expect_identical(tree_arrays(cover_tree(x, metric = metric)), tree_arrays(tree))
})

test_that("a search by a function stops at the user's interrupt", {
  skip_on_cran()
  skip_on_os("windows")
  result <- in_fresh_r(function() {
    x <- matrix(sin(as.numeric(1:3000)^2), ncol = 3)
    slow <- FALSE
    tree <- cover_tree(x, metric = metric_function(function(i, js) {
      if (slow) Sys.sleep(0.02)
      sqrt(colSums((t(x[js, , drop = FALSE]) - x[i, ])^2))
    }))
    before <- knn_query(tree, k = 5)
    slow <- TRUE
    system(sprintf("(sleep 1; kill -INT %d)", Sys.getpid()), wait = FALSE)
    took <- system.time(why <- tryCatch({
      knn_query(tree, k = 5)
      "done"
    }, interrupt = function(condition) "interrupted"))[["elapsed"]]
    slow <- FALSE
    list(why = why, took = took, same = identical(knn_query(tree, k = 5), before))
  })
  expect_identical(result$why, "interrupted")
  expect_lt(result$took, 5)
  expect_true(result$same)
})

# Dynamic time warping of two sequences, which breaks the triangle inequality.
warping <- function(a, b) {
  cost <- abs(outer(a, b, "-"))
  total <- matrix(Inf, length(a) + 1, length(b) + 1)
  total[1, 1] <- 0
  for (i in seq_along(a)) for (j in seq_along(b)) {
    total[i + 1, j + 1] <- cost[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
  }
  total[length(a) + 1, length(b) + 1]
}

test_that("what is no metric is refused with the objects that show it", {
  curves <- with_seed(12, lapply(1:30, function(i) cumsum(rnorm(sample(4:9, 1)))))
  dtw <- metric_function(function(i, js) vapply(curves[js], warping, 0, a = curves[[i]]))
  squared <- matrix_metric(distance_matrix(uniform_points(40, 2))^2)
  uneven <- matrix_metric(outer(1:9, 1:9, function(i, j) abs(i - j) + (i > j)))
  itself <- matrix_metric(1 + distance_matrix(uniform_points(9, 2)))
  # Object 60 is not in the sample, and shows itself to the pivots.
  late <- as.matrix(dist(uniform_points(60, 2)))
  late[60, 1] <- late[1, 60] <- 9
  expect_complaints(
    cover_tree(curves, metric = dtw),
    cover_tree(40, metric = squared),
    cover_tree(9, metric = uneven),
    cover_tree(9, metric = itself),
    cover_tree(60, metric = matrix_metric(late))
  )
  expect_s3_class(cover_tree(40, metric = matrix_metric(unname(late[1:40, 1:40]), check = FALSE)), "cover_tree")
})

test_that("a function that changes its values is refused", {
  state <- new.env()
  state$lies <- 0
  x <- uniform_points(80, 2)
  tree <- cover_tree(80, metric = metric_function(function(i, js) {
    state$lies <- state$lies - 1
    oracle_distance(x[js, , drop = FALSE], x[i, ]) * if (state$lies == 0) 100 else 1
  }))
  state$lies <- 20
  expect_error(knn_query(tree, k = 3), "f must return the same distance in each call: the distances of objects")
  state$lies <- 0
  expect_same_knn(knn_query(tree, k = 3), oracle_knn(x, k = 3))
})

test_that("a query that breaks the triangle inequality is refused", {
  x <- uniform_points(80, 2)
  metric <- metric_function(function(i, js) oracle_distance(x[js, , drop = FALSE], x[i, ]), 80,
                            f_query = function(q, js) abs(q - js)^2)
  tree <- cover_tree(x, metric = metric)
  expect_error(knn_query(tree, 40, k = 3), "f must obey the triangle inequality.*query 1")
})

test_that("values of f must be distances", {
  tree_with <- function(value) {
    cover_tree(20, metric = metric_function(function(i, js) value(abs(i - js), js), check = FALSE))
  }
  expect_complaints(
    tree_with(function(d, js) d[1]),
    tree_with(function(d, js) NULL),
    tree_with(function(d, js) as.character(d)),
    tree_with(function(d, js) factor(d)),
    tree_with(function(d, js) d > 3),
    tree_with(function(d, js) list(d)),
    tree_with(function(d, js) ifelse(js == 7, NaN, d)),
    tree_with(function(d, js) ifelse(js == 7, NA, d)),
    tree_with(function(d, js) ifelse(js == 7, -1, d)),
    tree_with(function(d, js) ifelse(js == 7, Inf, d)),
    cover_tree(20, metric = metric_function(function(i, js) abs(i - js) - 1)),
    cover_tree(20, metric = metric_function(function(i, js) 1))
  )
})

test_that("arguments of metric_function() and its trees are checked", {
  absolute <- function(i, js) abs(i - js)
  metric <- metric_function(absolute)
  tree <- cover_tree(30, metric = metric)
  edited <- metric
  edited$tolerance <- 2
  expect_complaints(
    metric_function(),
    metric_function("f"),
    metric_function(absolute, n = 0),
    metric_function(absolute, check = NA),
    metric_function(absolute, f_query = 1),
    metric_function(absolute, tolerance = -1),
    metric_function(absolute, tolerance = 1),
    cover_tree(NULL, metric = metric),
    cover_tree(list(), metric = metric),
    cover_tree(0, metric = metric),
    cover_tree(2.5, metric = metric),
    cover_tree(1:5, metric = metric_function(absolute, n = 6)),
    cover_tree(30, metric = edited),
    cover_tree(30, metric = metric, leaf_size = 0),
    as.matrix(tree),
    knn_query(tree, k = 3, budget = 10),
    knn_query(tree, query = mean, k = 3),
    knn_query(tree, query = 1:2, k = 3, predecessor = TRUE),
    knn_query(tree, rows = 31, k = 3),
    radius_query(tree),
    radius_query(tree, radius = 5, max_pairs = 10),
    update_metric(tree, residual_correlation(kernel_rbf())),
    vecchia_neighbors(uniform_points(9, 2), 3, metric = metric),
    metric_scaled(metric, 2),
    cover_tree(30, metric = structure(unclass(metric)[-1], class = class(metric))),
    tree[1],
    c(tree, tree)
  )
})

test_that("a damaged tree is refused or searched, never read out of bounds", {
  x <- uniform_points(60, 2)
  tree <- cover_tree(x, metric = point_metric(x, check = FALSE), leaf_size = 4)
  spoil <- function(name, value) {
    parts <- unclass(tree)
    parts$arrays[[name]] <- value(parts$arrays[[name]])
    structure(parts, class = class(tree))
  }
  expect_complaints(
    knn_query(spoil("row", function(a) a[-1]), k = 2),
    knn_query(spoil("row", function(a) replace(a, 3, 4L)), k = 2),
    knn_query(spoil("center", function(a) replace(a, 2, 99L)), k = 2),
    knn_query(spoil("first_child", function(a) replace(a, 1, 0L)), k = 2),
    knn_query(spoil("radius", function(a) as.integer(a)), k = 2),
    knn_query(spoil("upper", function(a) replace(a, 2, NaN)), k = 2),
    knn_query(spoil("pivot", function(a) NULL), k = 2)
  )
  expect_false(validate_tree(spoil("radius", function(a) replace(a, 2, 9)))$valid)
})
