# knn_control(), and the options that R passes to the C code.

x <- uniform_points(300, 3, seed = 531)
tree <- cover_tree(x)

test_that("a control has the settings it is given, and defaults for the others", {
  expect_identical(
    unclass(knn_control(progress = FALSE)),
    list(search = "auto", block_size = NULL, seed = 1L, stats = FALSE, progress = FALSE, worst_recall = 0)
  )
  expect_identical(knn_control()$progress, interactive())
  control <- knn_control("scan", 8, -3, TRUE, TRUE, 0.75)
  expect_identical(unclass(control), list(search = "scan", block_size = 8L, seed = -3L, stats = TRUE,
                                          progress = TRUE, worst_recall = 0.75))
  expect_snapshot(knn_control(progress = FALSE))
  expect_snapshot(print(control))
})

test_that("a list of settings is as good as a control", {
  stats <- function(control) names(attributes(knn_query(tree, k = 2, control = control)))
  expect_identical(stats(list(stats = TRUE)), stats(knn_control(stats = TRUE)))
  expect_false("stats" %in% stats(list()))
  expect_true("stats" %in% stats(list(stats = TRUE, block_size = NULL)))
  expect_identical(knn_query(tree, k = 2, control = list()), knn_query(tree, k = 2))
})

test_that("every function that searches takes a control", {
  scan <- list(search = "scan", block_size = 3, seed = 2)
  expect_same_knn(knn_query(tree, k = 4, control = scan), knn_query(tree, k = 4))
  expect_identical(radius_query(tree, radius = 0.3, control = scan), radius_query(tree, radius = 0.3))
  near <- vecchia_neighbors(x, m = 3)
  expect_identical(vecchia_neighbors(x, m = 3, control = scan), near)
  expect_s3_class(knn_stats(vecchia_neighbors(x, m = 3, control = list(stats = TRUE))), "covertree_knn_stats")
  knn <- knn_query(tree, k = 4)
  expect_identical(recall_of(tree, knn, control = scan), recall_of(tree, knn))
  # The seed determines the queries on which a recall is measured.
  knn$index[1:30, ] <- knn$index[30:1, ]
  estimate <- function(seed) recall_of(tree, knn, sample = 40, control = list(seed = seed))$estimate
  expect_identical(estimate(5), estimate(5))
  expect_gt(length(unique(vapply(1:9, estimate, 0))), 1)
})

test_that("search = \"scan\" scans, and a block size is that of every block", {
  stats <- function(...) knn_stats(knn_query(tree, k = 2, control = list(stats = TRUE, ...)))
  expect_identical(stats(search = "scan")$nodes, 0)
  expect_gt(stats(search = "tree", block_size = 1)$blocks[["1"]], 290)
})

test_that("settings that make no sense are refused", {
  expect_complaints_for(list("brute", TRUE, NA_character_, c("tree", "scan")), knn_control(search = value))
  expect_complaints_for(list(0, 65, 1.5, NA, "8"), knn_control(block_size = value))
  expect_complaints_for(list(NA, 1.5, NULL, "1", c(1, 2), Inf, 1e10), knn_control(seed = value))
  expect_complaints_for(list(NA, "yes", 1, NULL), knn_control(stats = value))
  expect_complaints_for(list(NA, "yes", 1, NULL), knn_control(progress = value))
  expect_complaints_for(list(NA, "1", -0.1, 1.5, c(0, 1), NULL), knn_control(worst_recall = value))
  expect_complaints_for(
    list(NULL, "scan", 1, list("scan"), list(search = "scan", 3), list(serch = "scan", sed = 1),
         list(seed = 1, seed = 2), list(search = "brute"), budget(10), data.frame(seed = 1)),
    knn_query(tree, k = 2, control = value)
  )
  expect_complaints(
    knn_query(tree, k = 2, control = replace(knn_control(), "seed", "a")),
    radius_query(tree, radius = 1, control = "scan"),
    vecchia_neighbors(x, m = 2, control = list(stats = 1)),
    recall_of(tree, matrix(1L, 300, 1), control = list(sample = 3))
  )
})

test_that("a control that was edited by hand is checked again, in every function and when printed", {
  edited <- function(name, value) {
    control <- knn_control(progress = FALSE)
    control[name] <- list(value)
    control
  }
  wrong <- list(edited("block_size", "a"), edited("block_size", 65), edited("block_size", NA),
                edited("seed", NA), edited("seed", "a"), edited("seed", c(1, 2)), edited("seed", NULL),
                edited("search", 1), edited("search", "brute"), edited("search", factor("tree")),
                edited("search", quote(stop("evaluated"))), edited("stats", NA), edited("stats", "yes"),
                edited("progress", 1), edited("progress", c(TRUE, FALSE)), edited("extra", 1),
                structure("a", class = "covertree_knn_control"),
                structure(knn_control(), class = "other_control"))
  expect_complaints_for(wrong, knn_query(tree, k = 2, control = value))
  for (control in wrong) {
    complaint <- tryCatch(knn_query(tree, k = 2, control = control), error = conditionMessage)
    for (use in list(function() radius_query(tree, radius = 0.1, control = control),
                     function() recall_of(tree, matrix(1L, 300, 1), control = control),
                     function() vecchia_neighbors(x, m = 2, control = control),
                     function() knn_query(tree, x[0, ], control = control),
                     function() radius_query(tree, radius = 0.1, rows = 1, control = control))) {
      expect_error(use(), complaint, fixed = TRUE)
    }
    if (inherits(control, "covertree_knn_control")) expect_error(print(control), complaint, fixed = TRUE)
  }
  # A setting that was taken away has its default, as in a plain list.
  control <- knn_control(seed = 7, progress = FALSE)
  control$seed <- NULL
  expect_identical(format(control), format(knn_control(progress = FALSE)))
})

test_that("an option that R does not hand over is missed", {
  options <- covertree:::search_options()
  expect_named(options, c("search", "block_size", "simd", "threads", "stats", "progress", "predecessor",
                          "epsilon", "budget", "metric", "max_distance", "max_row", "self", "limits", "exclusion"))
  ask <- function(options) .Call(covertree:::r_knn, tree$pointer, NULL, NULL, 2L, options)
  expect_identical(ask(rev(options)), ask(options))
  for (name in setdiff(names(options), "exclusion")) {
    expect_error(ask(options[names(options) != name]), paste0("options of this call lack `", name, "`"))
  }
  expect_error(ask(unname(options)), "options of this call lack")
})
