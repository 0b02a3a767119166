# Searches to a stated recall.

# Small sets: more threads, where no test asks for them, would only wait for each other.
threads_before <- covertree_threads(1)

# What any answer to a stated recall must be.
expect_honest <- function(found, exact, label) {
  expect_possible(found, exact, label)
  if (attr(found, "exact")) {
    expect_same_knn(found, exact, label)
    expect_null(attr(found, "recall"))
  } else {
    expect_recall(attr(found, "recall"), label)
    expect_gt(attr(found, "evaluations"), 0)
  }
}

# Thirty at random: kernels, dimensions, k, lengthscales, targets.
draw_settings <- function() {
  with_seed(101, lapply(1:30, function(i) {
    list(n = sample(1600:3200, 1), d = sample(5, 1), k = sample(3:40, 1), seed = i,
         kernel = sample(names(our_kernels), 1), lengthscale = exp(runif(1, -2, 1)),
         target = sample(c(0.9, 0.99, 0.999), 1), predecessor = i %% 3 == 0, foreign = i %% 3 == 1,
         inducing = sample(c(0, 20, 60), 1), nugget = sample(c(0, 0.1), 1))
  }))
}

test_that("the recall is what was asked for, measured on all queries", {
  shortfalls <- character()
  approximate <- 0
  for (s in draw_settings()) {
    x <- some_points(s$n, s$d, s$seed)
    metric <- residual_correlation(our_kernels[[s$kernel]](lengthscale = s$lengthscale), s$inducing,
                                   nugget = s$nugget)
    tree <- cover_tree(x, metric = metric)
    query <- if (s$foreign) some_points(1700, s$d, s$seed + 1000)
    ask <- function(recall) {
      knn_query(tree, query, k = s$k, recall = recall, predecessor = s$predecessor, control = list(seed = s$seed))
    }
    found <- ask(s$target)
    exact <- ask(1)
    label <- deparse1(unlist(s))
    expect_honest(found, exact, label)
    share <- oracle_recall(found, exact)
    approximate <- approximate + !attr(found, "exact")
    if (mean(share) < s$target) shortfalls <- c(shortfalls, paste(label, "finds", mean(share)))
    if (!attr(found, "exact")) {
      stated <- attr(found, "recall")
      expect(abs(mean(share) - stated[["estimate"]]) < 2.5 * (stated[["upper"]] - stated[["lower"]]),
             paste(label, "states another recall"))
    }
    measured <- recall_of(tree, found, sample = 5000, tolerance = 0, query = query, predecessor = s$predecessor)
    expect_equal(measured$estimate, mean(share), tolerance = 1e-12, label = label)
    expect_identical(c(measured$lower, measured$upper), rep(measured$estimate, 2))
  }
  # A recall below the target is rare.
  expect(length(shortfalls) <= 1, paste(c("below the target:", shortfalls), collapse = "\n"))
  expect_gt(approximate, 15)
})

ask_all <- function(tree, query, seed = 1, threads = 1) {
  list(knn_query(tree, k = 6, recall = 0.95, threads = threads, control = list(seed = seed)),
       knn_query(tree, k = 6, recall = 0.95, threads = threads, predecessor = TRUE, control = list(seed = seed)),
       knn_query(tree, query, k = 6, recall = 0.95, threads = threads, control = list(seed = seed)))
}

test_that("the same seed gives the same answer, on any number of threads", {
  x <- some_points(1700, 6, seed = 102)
  query <- some_points(1600, 6, seed = 103)
  metric <- residual_correlation(kernel_matern32(lengthscale = 1), 30)
  first <- ask_all(cover_tree(x, metric = metric), query)
  expect_false(attr(first[[1]], "exact"))
  for (threads in 2:3) {
    expect_identical(ask_all(cover_tree(x, metric = metric), query, threads = threads), first)
  }
  for_each_simd(function(simd) {
    expect_identical(ask_all(cover_tree(x, metric = metric), query), first, label = simd)
  })
  tree <- unserialize(serialize(cover_tree(x, metric = metric), NULL))
  for (time in 1:2) expect_identical(ask_all(tree, query), first)
})

test_that("by Euclidean distance, any recall gives the exact answer", {
  x <- some_points(2500, 4, seed = 121)
  query <- some_points(1600, 4, seed = 122)
  tree <- cover_tree(x)
  for (recall in c(0.5, 0.999)) {
    control <- knn_control(worst_recall = 0.5)
    expect_identical(knn_query(tree, k = 7, recall = recall, control = control), knn_query(tree, k = 7))
    expect_identical(knn_query(tree, query, k = 7, recall = recall), knn_query(tree, query, k = 7))
    expect_identical(knn_query(tree, k = 7, rows = 9:3, predecessor = TRUE, recall = recall),
                     knn_query(tree, k = 7, rows = 9:3, predecessor = TRUE))
    expect_identical(vecchia_neighbors(x, 5, recall = recall), vecchia_neighbors(x, 5))
  }
  expect_length(ls(tree$cache), 0)
})

test_that("worst_recall is reached by the queries that miss most", {
  x <- some_points(3000, 3, seed = 123)
  tree <- cover_tree(x, metric = residual_correlation(kernel_rbf(lengthscale = 1), 60))
  exact <- knn_query(tree, k = 10)
  worst <- function(share) mean(sort(share)[1:30])
  ask <- function(worst_recall) {
    knn_query(tree, k = 10, recall = 0.9, control = list(worst_recall = worst_recall))
  }
  plain <- ask(0)
  expect_identical(plain, knn_query(tree, k = 10, recall = 0.9))
  expect_lt(worst(oracle_recall(plain, exact)), 0.8)
  expect_equal(attr(plain, "recall")[["worst"]], worst(oracle_recall(plain, exact)), tolerance = 0.3)
  found <- ask(0.9)
  expect_false(attr(found, "exact"))
  expect_gt(attr(found, "evaluations"), attr(plain, "evaluations"))
  expect_gt(attr(found, "recall")[["worst"]], 0.9)
  expect_gt(worst(oracle_recall(found, exact)), 0.85)
  expect_identical(attr(ask(1), "recall")[["worst"]], 1)
  near <- vecchia_neighbors(x, 10, metric = residual_correlation(kernel_rbf(lengthscale = 1), 60),
                            recall = 0.9, control = list(worst_recall = 0.9))
  expect_gt(near$recall[["worst"]], 0.9)
})

test_that("what a query finds does not depend on those it comes with", {
  x <- some_points(3000, 5, seed = 104)
  tree <- cover_tree(x)
  metric <- residual_correlation(kernel_rbf(lengthscale = 1), 40, nugget = 0.1)
  other <- cover_tree(x, metric = metric)
  query <- some_points(400, 5, seed = 105)
  for (tree in list(tree, other)) for (way in c("auto", "tree")) for (block_size in list(NULL, 64)) {
    options <- covertree:::search_options(covertree::knn_control(way, block_size), 1L, epsilon = 2)
    attempt <- function(query, rows = NULL, few = 40) {
      call <- covertree:::search_for(tree, query, 5L, options)
      found <- if (is.null(tree$metric)) call$within(rows) else call$attempt(rows, call$efforts[3], few)
      found[c("index", "distance")]
    }
    some <- with_seed(120, sort(sample(400, 60)))
    lines <- function(found, rows) lapply(found, function(part) part[rows, ])
    found <- attempt(query)
    expect_identical(lines(attempt(query[400:1, ]), 400:1), found)
    expect_identical(attempt(query[some, ]), lines(found, some))
    expect_identical(attempt(query, some), lines(found, some))
    expect_identical(attempt(query, NULL, 333), found)
    expect_identical(attempt(NULL, some), lines(attempt(NULL), some))
    exact <- knn_query(tree, query, k = 5)
    expect_false(identical(exact$index, found$index))
  }
  expect_same_knn(knn_query(tree, k = 5, epsilon = 1, control = list(block_size = 64)),
                  knn_query(tree, k = 5, epsilon = 1))
})

test_that("R's random numbers are left alone, whatever generator there is", {
  x <- some_points(1700, 3, seed = 106)
  use <- function() {
    tree <- cover_tree(x)
    recall_of(tree, knn_query(tree, k = 4, budget = 50), sample = 100)
  }
  kinds <- RNGkind()
  on.exit(RNGkind(kinds[1], kinds[2], kinds[3]))
  expected <- use()
  for (kind in c("Mersenne-Twister", "L'Ecuyer-CMRG", "Wichmann-Hill")) {
    suppressWarnings(RNGkind(kind, "Inversion", if (kind == "Wichmann-Hill") "Rounding" else "Rejection"))
    set.seed(5)
    before <- .Random.seed
    expect_identical(use(), expected)
    expect_identical(.Random.seed, before)
  }
  old <- .Random.seed
  rm(".Random.seed", envir = globalenv())
  use()
  expect_false(exists(".Random.seed", globalenv()))
  assign(".Random.seed", old, envir = globalenv())
})

# Besides the quantized V.
efforts_kept <- function(tree) setdiff(ls(tree$cache), "quantized")

test_that("a tree remembers its calibration, by what it depends on", {
  x <- some_points(1700, 2, seed = 107)
  metric <- residual_correlation(kernel_matern32(lengthscale = 0.5), 20, nugget = 0.1)
  tree <- cover_tree(x, metric = metric)
  expect_length(efforts_kept(tree), 0)
  first <- knn_query(tree, k = 5, recall = 0.9)
  expect_length(efforts_kept(tree), 1)
  expect_identical(knn_query(tree, k = 5, recall = 0.9), first)
  expect_length(efforts_kept(tree), 1)
  knn_query(tree, x[1:40, ], k = 5, recall = 0.9)
  expect_length(efforts_kept(tree), 1)
  knn_query(tree, k = 5, recall = 0.8)
  knn_query(tree, k = 6, recall = 0.9)
  knn_query(tree, k = 5, recall = 0.9, predecessor = TRUE)
  knn_query(tree, k = 5, recall = 0.9, control = list(seed = 2))
  knn_query(tree, k = 5, recall = 0.9, control = list(worst_recall = 0.5))
  expect_length(efforts_kept(tree), 6)
  expect_identical(knn_query(tree, k = 5, recall = 0.9), first)
})

test_that("after an update of the metric the effort is kept, or chosen anew, and the recall is measured", {
  x <- some_points(2500, 2, seed = 111)
  metric <- function(lengthscale) residual_correlation(kernel_matern32(lengthscale = lengthscale), 30)
  effort <- function(tree) tree$cache[[grep("^effort", ls(tree$cache), value = TRUE)]][c("effort", "updates")]
  ask <- function(tree, ...) knn_query(tree, k = 6, recall = 0.99, ...)
  tree <- cover_tree(x, metric = metric(0.5))
  expect_null(update_metric(tree, metric(0.5))$cache$before)
  ask(tree)
  efforts <- covertree:::search_for(tree, NULL, 6L, covertree:::search_options())$efforts
  higher <- min(efforts[efforts > effort(tree)$effort])
  most <- covertree:::UPDATES
  for (updates in seq_len(most + 1)) {
    # A tree that is not searched hands on what it has.
    tree <- update_metric(update_metric(tree, metric(3)), metric(0.5 + 0.005 * updates))
    expect_identical(ls(tree$cache), "before")
    found <- ask(tree)
    expect_identical(ask(tree), found)
    expect_identical(ask(tree, rows = 30:5)$index, found$index[30:5, ])
    exact <- knn_query(tree, k = 6)
    expect_honest(found, exact, "carried over")
    expect_gt(mean(oracle_recall(found, exact)), 0.99)
    if (updates <= most) expect_equal(effort(tree), list(effort = higher, updates = updates))
    else expect_identical(effort(tree)$updates, 0)
  }
  # The neighbors of a smooth kernel are farther in space: the effort before does not suffice.
  tree <- update_metric(tree, residual_correlation(kernel_rbf(lengthscale = 1.5), 30))
  found <- ask(tree)
  expect_identical(effort(tree)$updates, 0)
  expect_gt(mean(oracle_recall(found, knn_query(tree, k = 6))), 0.99)
  # The same calls give the same answers, also after saving.
  again <- update_metric(unserialize(serialize(tree, NULL)), metric(0.5))
  expect_identical(ask(again), ask(update_metric(tree, metric(0.5))))
})

test_that("a quantized V that does not fit is made anew", {
  x <- some_points(1700, 2, seed = 110)
  tree <- cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.5), 20, nugget = 0.1))
  found <- knn_query(tree, k = 5, recall = 0.9)
  right <- tree$cache$quantized
  expect_false(is.null(right))
  with_part <- function(name, value) replace(right, name, list(value))
  for (wrong in list(1, list(1, 1L, "little"), right[1:2], right[1:3], unname(right), rev(right),
                     with_part("endian", "middle"), with_part("seal", NULL),
                     with_part("values", as.double(right$values)), with_part("unit", 2 * right$unit),
                     with_part("values", bitwXor(right$values, c(rep(0L, 99), 1024L))))) {
    tree$cache$quantized <- wrong
    expect_identical(knn_query(tree, k = 5, recall = 0.9), found)
    expect_identical(tree$cache$quantized[c("unit", "values", "endian")], right[c("unit", "values", "endian")])
    tree <- unserialize(serialize(tree, NULL))
    kept <- tree$cache$quantized
    expect_identical(knn_query(tree, k = 5, recall = 0.9), found)
    expect_identical(tree$cache$quantized, kept)
  }
})

test_that("recall = 1, and one that no effort can prove, give the exact answer", {
  x <- some_points(700, 3, seed = 108)
  metric <- residual_correlation(kernel_exponential(lengthscale = 0.3), 10)
  for (tree in list(cover_tree(x), cover_tree(x, metric = metric))) {
    exact <- knn_query(tree, k = 4)
    expect_identical(knn_query(tree, k = 4, recall = 1), exact)
    expect_identical(knn_query(tree, k = 4, recall = 1 - 1e-9), exact)
    expect_true(attr(exact, "exact"))
  }
})

test_that("all there are are found where k is at least their number", {
  x <- some_points(60, 2, seed = 109)
  metric <- residual_correlation(kernel_rbf(lengthscale = 0.5), 5, nugget = 0.1)
  for (tree in list(cover_tree(x), cover_tree(x, metric = metric))) for (k in c(59, 60, 300)) {
    for (predecessor in c(FALSE, TRUE)) {
      found <- knn_query(tree, k = k, recall = 0.5, predecessor = predecessor)
      expect_same_knn(found, knn_query(tree, k = k, predecessor = predecessor))
    }
    expect_same_knn(knn_query(tree, x[1:9, ], k = k, recall = 0.5), knn_query(tree, x[1:9, ], k = k))
  }
})

test_that("one query, one point and stats go with any recall", {
  x <- some_points(1700, 3, seed = 110)
  metric <- residual_correlation(kernel_rbf(lengthscale = 0.5), 5, nugget = 0.1)
  for (tree in list(cover_tree(x), cover_tree(x, metric = metric))) {
    found <- knn_query(tree, x[7, , drop = FALSE], k = 4, recall = 0.5, control = list(stats = TRUE))
    expect_honest(found, knn_query(tree, x[7, , drop = FALSE], k = 4), "one")
    expect_identical(knn_stats(found)$queries, 1L)
    with <- knn_query(tree, k = 4, recall = 0.8, control = list(stats = TRUE))
    without <- knn_query(tree, k = 4, recall = 0.8)
    expect_same_knn(with, without)
    expect_identical(attributes(with)[c("exact", "recall", "evaluations")],
                     attributes(without)[c("exact", "recall", "evaluations")])
    expect_output(print(with), if (is.null(tree$metric)) "queries, exact>"
                               else "recall [01]\\.[0-9]{4} .*, worst 1% [01]\\.[0-9]{4}")
    expect_false(anyNA(as.data.frame(with)))
  }
  for (metric in list("euclidean", residual_correlation(kernel_rbf(), 1))) {
    alone <- cover_tree(matrix(1:3, 1), metric = metric)
    expect_identical(knn_query(alone, k = 2, recall = 0.9)$index, matrix(NA_integer_, 1, 2))
    expect_identical(recall_of(alone, knn_query(alone, k = 2))$estimate, 1)
  }
})

# ---- what is refused --------------------------------------------------------------------

x <- uniform_points(20, 2, seed = 119)
tree <- cover_tree(x)

test_that("recall must be a share, and seed a whole number", {
  expect_complaints_for(list(0, 2, NA, NA_real_, NaN, -0.5, "1", TRUE, NULL, c(0.5, 1), 1 + 1e-9),
                        knn_query(tree, k = 3, recall = value))
  expect_complaints_for(list(NA, 1.5, NULL, "1", c(1, 2), Inf, 1e10),
                        knn_query(tree, k = 3, recall = 0.9, control = list(seed = value)))
})

covertree_threads(threads_before)
