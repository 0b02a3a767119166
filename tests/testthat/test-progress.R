# Progress of long calls.

printed <- function(code) capture.output(code, type = "message")

test_that("the outermost call decides, and its end clears the state", {
  expect_true(begin_progress("outer", FALSE))
  expect_false(begin_progress("inner", TRUE))
  end_progress(FALSE)
  expect_identical(progress$what, "outer")
  end_progress(TRUE)
  expect_identical(ls(progress), character())
  expect_silent(report_progress(0.5))
  tree <- cover_tree(matrix(1:20, 10))
  expect_error(knn_query(tree, k = 2, budget = 3, epsilon = 1))
  expect_error(cover_tree(matrix(NA_real_, 2, 2)))
  expect_identical(ls(progress), character())
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
})

test_that("a long call prints its progress, and a call without it nothing", {
  skip_on_cran()
  delay <- 0
  slow <- function(i, js) {
    Sys.sleep(delay)
    abs(i - js)
  }
  tree <- cover_tree(30, metric = metric_function(slow, check = FALSE))
  delay <- 0.2
  lines <- printed(knn <- knn_query(tree, k = 2, control = list(progress = TRUE)))
  shares <- as.integer(regmatches(lines, gregexpr("[0-9]+(?=%)", lines, perl = TRUE))[[1]])
  expect_match(paste(lines, collapse = ""), "knn_query, search: ", fixed = TRUE)
  expect_gt(length(shares), 0)
  expect_false(is.unsorted(shares))
  expect_true(all(shares >= 0 & shares <= 100))
})
