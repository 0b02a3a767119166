# covertree_info(), and the choice of the instruction set.

available <- function() covertree_info()$simd_available

test_that("the best instruction set is used unless another is asked for", {
  old <- options(covertree.simd = NULL)
  on.exit(options(old))
  expect_identical(available()[1], "base")
  expect_identical(covertree_info()$simd, available()[length(available())])
  for (level in available()) {
    options(covertree.simd = level)
    expect_identical(covertree_info()$simd, level)
  }
})

test_that("the environment variable decides where the option is silent", {
  old <- options(covertree.simd = NULL)
  before <- Sys.getenv("COVERTREE_SIMD", NA)
  on.exit({
    options(old)
    if (is.na(before)) Sys.unsetenv("COVERTREE_SIMD") else Sys.setenv(COVERTREE_SIMD = before)
  })
  Sys.setenv(COVERTREE_SIMD = "base")
  expect_identical(covertree_info()$simd, "base")
  options(covertree.simd = available()[length(available())])
  expect_identical(covertree_info()$simd, available()[length(available())])
  options(covertree.simd = NULL)
  Sys.setenv(COVERTREE_SIMD = "mmx")
  expect_error(covertree_info(), "environment variable COVERTREE_SIMD must be one of \"base\"")
})

test_that("an unknown instruction set is refused by every function, and named", {
  old <- options(covertree.simd = "neon9")
  on.exit(options(old))
  expect_error(cover_tree(matrix(1:4, 2)), "option covertree.simd must be one of .*: got \"neon9\"")
  options(covertree.simd = 3)
  expect_error(covertree_info(), ": got 3")
})

test_that("the information is complete, and prints in a line", {
  info <- covertree_info()
  expect_s3_class(info, "covertree_info")
  expect_named(info, c("version", "simd", "simd_available", "openmp", "threads"))
  expect_identical(info$threads, covertree_threads())
  expect_match(capture.output(print(info)), "^covertree [0-9.]+, .* thread")
})
