# Progress of long calls.

printed <- function(code) capture.output(code, type = "message")

test_that("the outermost call decides, and its end clears the state", {
  outer <- function() {
    expect_true(begin_progress("outer", FALSE))
    inner <- function() begin_progress("inner", TRUE)
    expect_false(inner())
  }
  outer()
  end_progress(FALSE)
  expect_identical(progress$what, "outer")
  # The call has ended without end_progress().
  expect_true(begin_progress("next", FALSE))
  end_progress(TRUE)
  expect_null(progress$what)
  expect_silent(report_progress(0.5))
  tree <- cover_tree(matrix(1:20, 10))
  expect_error(knn_query(tree, k = 2, budget = 3, epsilon = 1))
  expect_error(cover_tree(matrix(NA_real_, 2, 2)))
  expect_null(progress$what)
})

test_that("a line has the call, the stage and the share, and is rewritten in its width", {
  lines <- printed({
    outermost <- begin_progress("cover_forest", TRUE)
    progress_part("shard 1 of 2")
    progress_stage("tree")
    report_progress(0.125)
    progress_stage("x")
    report_progress(1)
    end_progress(outermost)
  })
  lines <- strsplit(paste(lines, collapse = ""), "\r")[[1]]
  expect_identical(lines[2], "cover_forest, shard 1 of 2, tree:  12%")
  expect_identical(trimws(lines[3]), "cover_forest, shard 1 of 2, x: 100%")
  expect_identical(nchar(lines[3]), nchar(lines[2]))
})

test_that("an option switches progress on and off", {
  old <- options(covertree.progress = TRUE)
  on.exit(options(old))
  expect_true(knn_control()$progress)
  expect_silent(cover_tree(matrix(1:20, 10)))
  options(covertree.progress = "yes")
  expect_complaints(cover_tree(matrix(1:20, 10)), knn_control())
  expect_null(progress$what)
})

# The shares that code prints, one vector for each stage, if reports are not delayed.
shares_by_stage <- function(code) {
  lines <- printed({
    outermost <- begin_progress("call", TRUE, seconds = c(0, 0))
    code
    end_progress(outermost)
  })
  lines <- regmatches(paste(lines, collapse = ""), gregexpr("call(, [a-z0-9 ]+)?: +[0-9]+%", paste(lines, collapse = "")))[[1]]
  split(as.integer(sub("^.*?([0-9]+)%$", "\\1", lines)), sub("^call(, )?(.*):.*$", "\\2", lines))
}

test_that("builds, searches, calibrations, orders and updates report shares that grow up to 100%", {
  x <- uniform_points(20000, 2)
  metric <- residual_correlation(kernel_matern32(lengthscale = 0.2), 30)
  tree <- NULL
  built <- shares_by_stage(tree <- cover_tree(x, metric = metric, threads = 1))
  expect_setequal(names(built), c("factors", "tree"))
  loud <- list(progress = TRUE)
  searched <- shares_by_stage(knn_query(tree, k = 5, recall = 0.95, threads = 1, control = loud))
  expect_in_set(names(searched), c("exact sample", "patient search", "search"))
  expect_gt(length(searched), 1)
  updated <- shares_by_stage(update_metric(tree, metric))
  expect_identical(names(updated), "factors")
  plain <- cover_tree(x)
  ordered <- shares_by_stage(vecchia_neighbors(x, m = 5, control = loud))
  expect_setequal(names(ordered), c("order", "search", "tree"))
  limited <- shares_by_stage(knn_query(plain, k = 5, budget = 50, control = loud))
  expect_setequal(names(limited), c("recall", "search"))
  measured <- shares_by_stage(recall_of(plain, knn_query(plain, k = 5), control = loud))
  curve <- shares_by_stage(recall_curve(plain, c(20, 50), k = 5, control = loud))
  expect_setequal(names(curve), c("exact sample", "budget 1 of 2", "budget 2 of 2"))
  for (shares in c(built, updated, ordered["tree"], limited["search"])) {
    expect_false(is.unsorted(shares))
    expect_identical(max(shares), 100L)
  }
  for (shares in c(searched, ordered, limited, measured)) expect_true(all(shares >= 0 & shares <= 100))
  forest <- printed({
    outermost <- begin_progress("cover_forest", TRUE, seconds = c(0, 0))
    cover_forest(x, shards = 2)
    end_progress(outermost)
  })
  for (part in c("shard 1 of 2, tree: ", "shard 2 of 2, tree: ")) {
    expect_match(paste(forest, collapse = ""), part, fixed = TRUE)
  }
})

test_that("reports change no result, and an error ends them", {
  x <- uniform_points(3000, 3)
  tree <- cover_tree(x)
  quiet <- knn_query(tree, k = 4)
  outermost <- begin_progress("call", TRUE, seconds = c(0, 0))
  lines <- printed(loud <- knn_query(cover_tree(x), k = 4))
  end_progress(outermost)
  expect_identical(loud, quiet)
  stopping <- function() {
    outermost <- begin_progress("call", TRUE, seconds = c(0, 0))
    on.exit(end_progress(outermost))
    .Call(r_progress, function(share) stop("no console"), c(0, 0))
    cover_tree(x)
  }
  expect_error(stopping(), "no console")
  expect_null(progress$what)
  expect_silent(cover_tree(x))
})
