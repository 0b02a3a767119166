# validate_tree() agrees with the oracle for valid trees. Violations are tested in
# test-damaged_arrays.R.

test_that("the report has the documented shape", {
  report <- validate_tree(sound_tree(clouds$uniform()))
  expect_named(report, c("valid", "violations", "slack"))
  expect_identical(report$valid, TRUE)
  invariants <- c("nesting", "covering", "descent", "separation", "radius", "level", "lower", "upper",
                  "min_row")
  expect_setequal(names(report$violations), invariants)
  expect_type(report$violations, "integer")
  expect_identical(unname(report$violations), integer(9))
  expect_named(report$slack, c("covering", "separation"))
})

test_that("the slack is that of the oracle, for any number of threads", {
  for (cloud in clouds) for (leaf_size in c(1, 6)) {
    tree <- sound_tree(cloud(), leaf_size = leaf_size)
    expected <- oracle_slack(tree_arrays(tree))
    for (threads in 1:3) {
      slack <- validate_tree(tree, threads)$slack
      expect_true(all(slack >= 0))
      expect_equal(slack, expected, tolerance = 1e-12)
    }
  }
})

test_that("the slack is infinite where there is nothing to measure", {
  for (name in c("one_point", "identical")) {
    slack <- validate_tree(sound_tree(clouds[[name]](), leaf_size = 2))$slack
    expect_identical(slack, c(covering = Inf, separation = Inf))
  }
})

test_that("the oracle tells a broken tree from a sound one", {
  arrays <- tree_arrays(sound_tree(clouds$uniform(), leaf_size = 3))
  expect_identical(tree_faults(arrays), character())
  worse <- list(
    radius = replace(arrays$radius, 1, arrays$radius[1] * (1 + 2^-52)), level = arrays$level + 1L,
    covering = arrays$level - 1L, min_row = rev(arrays$min_row), parent = rev(arrays$parent),
    center = arrays$center + 200L, row = replace(arrays$row, 1, arrays$row[2]),
    first_child = rev(arrays$first_child), next_sibling = rev(arrays$next_sibling)
  )
  for (fault in names(worse)) {
    name <- if (fault == "covering") "level" else fault
    faults <- suppressWarnings(tree_faults(replace(arrays, name, worse[fault])))
    expect_true(fault %in% faults, label = fault)
  }
  expect_true("box" %in% tree_faults(replace(arrays, "lower", list(arrays$lower - 1e-9))))
  near <- replace(arrays, "points", list(arrays$points / 4))
  expect_true("level" %in% tree_faults(near))
})
