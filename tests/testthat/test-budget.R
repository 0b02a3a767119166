# Searches with a budget.

# The point sets are small, so more threads than a test asks for would only wait for each other.
threads_before <- covertree_threads(1)

# Returns a tree with Euclidean distance and one with a residual correlation.
budget_trees <- function(x, ..., inducing = 15) {
  list(euclidean = cover_tree(x, ...), residual = cover_tree(x, metric = budget_metric(inducing), ...))
}

# Returns the recall for each limit of evaluated points.
recall_by_budget <- function(tree, limits, k, exact, ...) {
  vapply(limits, function(limit) {
    mean(oracle_recall(knn_query(tree, k = k, budget = budget(limit, ...)), exact))
  }, 0)
}

# ---- arguments --------------------------------------------------------------------------

test_that("a budget that makes no sense is refused", {
  expect_complaints(budget(), budget(NULL), budget(numeric()), budget("10"), budget(factor(10)),
                    budget(list(10, 20)))
  expect_complaints_for(list(0, -5, c(10, 0), 1.5, c(10, 20.5), NA, NA_real_, c(10, NA, 30), NaN, Inf,
                             2^31, c(20, 10), c(10, 10), c(10, 20, 15)),
                        budget(value))
  expect_complaints(budget(10, escalate = 0.1, stop = 0.2), budget(10, escalate = 0, stop = 0.001),
                    budget(10, stop = 0.5))
  expect_complaints_for(list(-0.1, 1.1, NA, NaN, "0.1", c(0.1, 0.2), NULL), budget(10, escalate = value))
  expect_complaints_for(list(-0.1, 1.1, NA_real_, "0", numeric()), budget(10, stop = value))
  expect_complaints_for(list(NA, 1, "yes", c(TRUE, FALSE)), budget(10, diversity = value))
})

test_that("a search that makes no sense is refused", {
  tree <- cover_tree(budget_points(40, 2, seed = 201))
  residual <- cover_tree(budget_points(40, 2, seed = 201), metric = budget_metric(5))
  query <- budget_points(3, 2, seed = 202)
  expect_complaints_for(list("many", TRUE, list(10), 0, c(20, 10), NA_real_, 2.5),
                        knn_query(tree, k = 3, budget = value))
  expect_complaints_for(list(-0.1, NA, NA_real_, NaN, Inf, "0.1", c(0.1, 0.2), NULL),
                        knn_query(tree, k = 3, epsilon = value))
  expect_complaints(
    knn_query(tree, k = 3, recall = 0.9, budget = 10),
    knn_query(tree, k = 3, epsilon = 0.1, budget = 10),
    knn_query(tree, k = 3, recall = 0.9, epsilon = 0.1),
    knn_query(residual, query, k = 3, budget = budget(10, diversity = FALSE)),
    knn_query(tree, query, k = 3, budget = 10, predecessor = TRUE)
  )
})

# The same budget after a user has changed an element of it.
edited_budget <- function(name, value, budget = covertree::budget(c(20, 40))) {
  budget[name] <- list(value)
  budget
}

test_that("a budget that was edited by hand is checked again, in every search and when printed", {
  x <- budget_points(60, 2, seed = 205)
  tree <- cover_tree(x)
  residual <- cover_tree(x, metric = budget_metric(5))
  wrong <- list(edited_budget("schedule", "a"), edited_budget("schedule", c(40, 20)),
                edited_budget("schedule", c(20, NA)), edited_budget("schedule", integer()),
                edited_budget("schedule", NULL), edited_budget("schedule", quote(stop("evaluated"))),
                edited_budget("escalate", "a"), edited_budget("escalate", 0.001),
                edited_budget("stop", NA), edited_budget("stop", -1), edited_budget("diversity", NA),
                edited_budget("diversity", 1), edited_budget("extra", 1),
                structure(list(), class = "covertree_budget"), structure("a", class = "covertree_budget"),
                structure(list(20L, 0.1, 0, TRUE), class = "covertree_budget"),
                unclass(budget(20)), structure(budget(20), class = "knn_budget"))
  expect_complaints_for(wrong, knn_query(tree, k = 3, budget = value))
  for (budget in wrong) {
    complaint <- tryCatch(knn_query(tree, k = 3, budget = budget), error = conditionMessage)
    for (use in list(function() knn_query(residual, k = 3, budget = budget),
                     function() knn_query(tree, x[1:3, ], k = 3, budget = budget),
                     function() knn_query(tree, x[0, ], k = 3, budget = budget),
                     function() knn_query(tree, k = 3, rows = 2:1, predecessor = TRUE, budget = budget))) {
      expect_error(use(), complaint, fixed = TRUE)
    }
  }
  expect_error(print(edited_budget("stop", NA)), "^budget is not valid: stop must be")
  expect_error(print(edited_budget("schedule", "a")), "^budget is not valid: schedule must be")
})

test_that("an edited budget with valid elements is the budget with these elements", {
  tree <- cover_tree(budget_points(300, 2, seed = 206))
  ask <- function(budget) knn_query(tree, k = 3, budget = budget)
  expect_identical(ask(edited_budget("schedule", c(15, 30))), ask(budget(c(15, 30))))
  expect_identical(ask(edited_budget("stop", 0L)), ask(budget(c(20, 40), stop = 0)))
  expect_identical(ask(structure(rev(unclass(budget(20))), class = "covertree_budget")), ask(20))
  expect_identical(budget(matrix(c(10, 20), 1)), budget(c(10, 20)))
  expect_error(budget(matrix(c(20, 10), 1)), "increasing")
})

test_that("the limits alone are a budget", {
  x <- budget_points(600, 3, seed = 203)
  expect_identical(budget(c(10, 20)), budget(c(10L, 20L)))
  expect_identical(unclass(budget(30)),
                   list(schedule = 30L, escalate = 0.015, stop = 0.002, diversity = TRUE))
  for (tree in budget_trees(x)) {
    found <- knn_query(tree, k = 5, budget = c(20, 40))
    expect_identical(found, knn_query(tree, k = 5, budget = budget(c(20, 40))))
    expect_identical(attr(found, "budget"), budget(c(20, 40)))
  }
})

test_that("a budget and what it found are printed", {
  expect_snapshot({
    budget(c(10, 20, 40))
    budget(50, escalate = 0, stop = 0, diversity = FALSE)
    budget(seq(100, 5000, by = 100))
  })
  x <- budget_points(600, 3, seed = 203)
  for (tree in budget_trees(x)) {
    found <- knn_query(tree, k = 5, budget = 20, control = list(stats = TRUE))
    expect_output(print(found), "600 queries, recall [01]\\.[0-9]{4} \\([01]\\.[0-9]{4} to [01]")
    expect_output(print(knn_stats(found)), "<knn_stats: 600 queries")
    expect_output(print(knn_stats(found)), "points evaluated per query, quantiles:\n +0% ")
    expect_false(anyNA(as.data.frame(found)))
  }
})

# ---- number of neighbors ---------------------------------------------------------------

test_that("a budget below k finds as many neighbors as there can be", {
  x <- budget_points(700, 3, seed = 204)
  query <- budget_points(50, 3, seed = 205)
  for (name in c("euclidean", "residual")) for (layout in c("hilbert", "natural")) {
    tree <- budget_trees(x, layout = layout)[[name]]
    for (limit in c(1, 7)) for (k in c(1, 10, 60)) {
      label <- paste(name, layout, limit, k)
      own <- knn_query(tree, k = k, budget = limit)
      expect_approximate(own, knn_query(tree, k = k), label)
      other <- knn_query(tree, query, k = k, budget = limit)
      expect_approximate(other, knn_query(tree, query, k = k), paste(label, "others"))
      expect(!anyNA(own$index) && !anyNA(other$index), paste(label, "too few"))
    }
  }
})

test_that("as many predecessors are found as there are, at most k", {
  x <- list(random = budget_points(2300, 2, seed = 206))
  x$sorted <- x$random[order(x$random[, 1]), ]
  for (shape in names(x)) for (name in c("euclidean", "residual")) {
    tree <- budget_trees(x[[shape]])[[name]]
    for (k in c(1, 12, 40)) {
      there <- outer(seq_len(2300) - 1, seq_len(k), ">=")
      exact <- knn_query(tree, k = k, predecessor = TRUE)
      for (diversity in c(TRUE, FALSE)) {
        label <- paste(shape, name, k, diversity)
        found <- knn_query(tree, k = k, budget = budget(c(5, 30), diversity = diversity),
                           predecessor = TRUE)
        expect(identical(!is.na(found$index), there), paste(label, "not min(k, i - 1) predecessors"))
        expect(all(found$index < row(found$index), na.rm = TRUE), paste(label, "no predecessor"))
        expect_approximate(found, exact, label)
      }
    }
  }
})

test_that("few points, and more neighbors than there are", {
  for (n in c(1, 2, 17, 60)) {
    x <- budget_points(n, 2, seed = 207)
    for (tree in budget_trees(x, inducing = 1)) for (k in c(1, n, n + 3)) for (predecessor in c(FALSE, TRUE)) {
      found <- knn_query(tree, k = k, budget = 1, predecessor = predecessor)
      exact <- knn_query(tree, k = k, predecessor = predecessor)
      expect_identical(is.na(found$index), is.na(exact$index))
      if (k >= n - 1) expect_same_knn(found, exact, paste(n, k, predecessor))
    }
  }
})

# An own point of the tree has n - 1 possible neighbors, another query has n.
test_that("every way to search finds all there is, where k is about the number of points", {
  ways <- list(exact = list(), scan = list(control = list(search = "scan")), one = list(budget = 1),
               steps = list(budget = c(1, 4)), far = list(epsilon = 2), most = list(recall = 0.5))
  for (n in c(2, 5, 40)) {
    x <- budget_points(n, 2, seed = 221)
    sets <- list(own = NULL, one = budget_points(1, 2, seed = 222),
                 many = budget_points(2100, 2, seed = 223))
    trees <- c(budget_trees(x, leaf_size = 1, inducing = 1), big_leaf = list(cover_tree(x)))
    for (name in names(trees)) for (set in names(sets)) for (k in n + -1:1) for (way in names(ways)) {
      if (name == "residual" && way == "scan") next
      ask <- function(...) do.call(knn_query, c(list(trees[[name]], sets[[set]], k = k), ...))
      there <- min(k, if (set == "own") n - 1 else n)
      found <- ask(ways[[way]])
      label <- paste(n, "points,", name, set, "k", k, way)
      expect(all(rowSums(!is.na(found$index)) == there), paste(label, "not all there are"))
      expect_none_twice(found$index, label)
      if (k >= n) expect_same_knn(found, ask(list()), label)
      if (set == "own") {
        before <- ask(ways[[way]], predecessor = TRUE)
        expect_identical(!is.na(before$index), outer(seq_len(n) - 1, seq_len(k), ">="), label = label)
      }
    }
  }
  line <- cover_tree(matrix(1:5 + 0), leaf_size = 1)
  expect_identical(sort(knn_query(line, matrix(0.5), k = 5, budget = 1)$index), 1:5)
})

test_that("duplicates are found one by one", {
  x <- with_seed(208, budget_points(30, 2, seed = 208)[sample(30, 900, replace = TRUE), ])
  for (x in list(x, matrix(0.3, 900, 2))) for (tree in budget_trees(x, inducing = 1)) {
    found <- knn_query(tree, k = 50, budget = 60)
    exact <- knn_query(tree, k = 50)
    # All points equal the inducing point: no query has a residual variance.
    if (identical(attr(found, "no_residual"), 1)) expect_identical(found$index, exact$index)
    else expect_approximate(found, exact, "duplicates")
  }
})

# ---- recall and number of evaluated points -------------------------------------------------

test_that("the recall that is stated is that of the answer", {
  x <- budget_points(2500, 3, seed = 209)
  query <- budget_points(1400, 3, seed = 210)
  for (tree in budget_trees(x)) for (case in c("own", "other", "before")) {
    ask <- function(...) {
      knn_query(tree, if (case == "other") query, k = 10, predecessor = case == "before", ...)
    }
    found <- ask(budget = c(16, 40), control = list(seed = 3))
    exact <- ask()
    expect_approximate(found, exact, case)
    stated <- attr(found, "recall")
    share <- mean(oracle_recall(found, exact))
    error <- (stated[["estimate"]] - stated[["lower"]]) / 1.96
    expect(abs(share - stated[["estimate"]]) <= 4 * error, paste(case, "states another recall"))
    measured <- recall_of(tree, found, sample = 5000, query = if (case == "other") query,
                          predecessor = case == "before")
    expect_equal(measured$estimate, share, tolerance = 1e-12)
    # The sample contains all queries.
    small <- knn_query(tree, query[1:300, ], k = 10, budget = 30)
    stated <- attr(small, "recall")
    expect_equal(stated[["estimate"]], mean(oracle_recall(small, knn_query(tree, query[1:300, ], k = 10))))
    expect_identical(stated[["lower"]], stated[["upper"]])
  }
})

test_that("the number of evaluated points is within the budget", {
  x <- budget_points(2000, 3, seed = 211)
  for (name in c("euclidean", "residual")) {
    tree <- budget_trees(x)[[name]]
    for (limit in list(5, 64, c(64, 128), c(40, 200, 1000))) for (diversity in c(TRUE, FALSE)) {
      found <- knn_query(tree, k = 10, budget = budget(limit, diversity = diversity), control = list(stats = TRUE))
      evaluated <- knn_stats(found)$evaluations
      # Tiles have up to 16 points. A query begins with two tiles, and its last tile may exceed the
      # limit.
      most <- if (name == "euclidean") max(limit + 15, 32) else max(limit, 10)
      expect_lte(evaluated[["100%"]], most)
      # An inducing point, without residual variance, evaluates no point by correlation.
      expect_gte(evaluated[["25%"]], 10)
      expect_gte(attr(found, "evaluations"), evaluated[["0%"]])
      expect_lte(attr(found, "evaluations"), evaluated[["100%"]])
      # The first rows evaluate points that are no predecessors, until they have k predecessors.
      found <- knn_query(tree, k = 10, budget = budget(limit, diversity = diversity),
                         predecessor = TRUE, control = list(stats = TRUE))
      evaluated <- knn_stats(found)$evaluations
      expect_lte(evaluated[[if (name == "euclidean") "50%" else "100%"]], most + 16 * (name == "euclidean"))
    }
  }
})

test_that("a larger budget does not find less", {
  x <- budget_points(1500, 4, seed = 212)
  limits <- c(10, 20, 40, 80, 160, 320, 640)
  for (tree in budget_trees(x)) for (diversity in c(TRUE, FALSE)) {
    exact <- knn_query(tree, k = 8)
    recall <- recall_by_budget(tree, limits, 8, exact, stop = 0, diversity = diversity)
    expect(all(diff(recall) >= -0.002), paste("recall falls:", toString(recall)))
    expect_gt(recall[7], min(recall[1] + 0.1, 0.999))
  }
})

test_that("a budget without an end is exact", {
  x <- budget_points(1100, 3, seed = 213)[c(1:1100, 1:100), ]
  query <- budget_points(200, 3, seed = 214)
  endless <- budget(1200, escalate = 0, stop = 0)
  for (layout in c("hilbert", "natural")) for (tree in budget_trees(x, layout = layout)) {
    same <- function(...) {
      found <- knn_query(tree, ..., budget = endless)
      expect_same_knn(found, knn_query(tree, ...), layout)
      expect_identical(attr(found, "recall")[["estimate"]], 1)
      expect_false(attr(found, "exact"))
    }
    for (k in c(1, 9)) {
      same(k = k)
      same(query = query, k = k)
      same(k = k, predecessor = TRUE)
    }
    climbing <- knn_query(tree, k = 9, budget = budget(c(50, 100, 1200), escalate = 0, stop = 0))
    expect_same_knn(climbing, knn_query(tree, k = 9), paste(layout, "by steps"))
  }
})

test_that("space is a better guide than the curve, and needs no curve", {
  x <- uniform_points(2500, 2, seed = 215)
  limits <- c(32, 64, 128)
  hilbert <- budget_trees(x)
  natural <- budget_trees(x, layout = "natural")
  for (name in names(hilbert)) {
    exact <- knn_query(hilbert[[name]], k = 10)
    recall <- function(tree, diversity) {
      recall_by_budget(tree, limits, 10, exact, stop = 0, diversity = diversity)
    }
    diverse <- recall(hilbert[[name]], TRUE)
    expect(all(diverse > recall(hilbert[[name]], FALSE)), paste(name, "the curve is better"))
    expect(all(diverse >= recall(natural[[name]], TRUE) - 0.005), paste(name, "natural layout is better"))
  }
})

test_that("the answer does not depend on threads, instructions or the queries beside it", {
  x <- budget_points(1300, 4, seed = 216)
  query <- budget_points(300, 4, seed = 217)
  ways <- list(budget(c(20, 50, 100)), budget(c(20, 60), diversity = FALSE))
  for (tree in budget_trees(x)) for (way in ways) {
    ask <- function(threads = 1) {
      c(list(knn_query(tree, k = 7, budget = way, threads = threads),
             knn_query(tree, k = 7, budget = way, threads = threads, predecessor = TRUE)),
        if (way$diversity) list(knn_query(tree, query, k = 7, budget = way, threads = threads)))
    }
    first <- ask()
    for (threads in 2:3) expect_identical(ask(threads), first)
    for_each_simd(function(simd) expect_identical(ask(), first, label = simd))
    if (way$diversity) {
      some <- knn_query(tree, query[300:101, ], k = 7, budget = way)
      last <- lapply(first[[3]], function(part) part[300:101, ])
      expect_same_knn(some, last, "other queries")
    }
    for (block_size in c(1, 64)) {
      expect_same_knn(knn_query(tree, k = 7, budget = way, control = list(block_size = block_size)), first[[1]])
    }
  }
})

# ---- statistics ---------------------------------------------------------------------------

test_that("statistics count escalations and early stops", {
  x <- budget_points(2000, 3, seed = 218)
  for (tree in budget_trees(x)) {
    stats <- function(...) knn_stats(knn_query(tree, k = 5, budget = budget(...), control = list(stats = TRUE)))
    one <- stats(100, escalate = 0, stop = 0)
    expect_equal(c(one$escalations, one$early_stops), c(0, 0))
    expect_named(one$evaluations, c("0%", "25%", "50%", "75%", "100%"))
    expect_false(is.unsorted(one$evaluations))
    # With escalate = 0, queries that reach the first limit continue.
    all <- stats(c(40, 80), escalate = 0, stop = 0)
    expect_gt(all$escalations, 0)
    expect_equal(all$early_stops, 0)
    none <- stats(c(40, 80), escalate = 1, stop = 0)
    expect_lt(none$escalations, all$escalations)
    early <- stats(1000, escalate = 0.5, stop = 0.5)
    expect_gt(early$early_stops, 0)
    expect_lt(early$evaluations[["50%"]], 1000)
    expect_lte(early$early_stops, 2000)
  }
  exact <- knn_stats(knn_query(cover_tree(x), k = 5, control = list(stats = TRUE)))
  expect_null(exact$escalations)
  expect_null(exact$evaluations)
  far <- knn_stats(knn_query(cover_tree(x), k = 5, epsilon = 1, control = list(stats = TRUE)))
  expect_null(far$evaluations)
})

covertree_threads(threads_before)
