# all.equal() compares the data of trees, not their pointers.

x <- uniform_points(500, 3, seed = 241)
tree <- cover_tree(x)
by <- function(...) cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.4), ...))

test_that("trees of the same points are equal, wherever they were built", {
  expect_sound_tree(tree, x)
  others <- list(tree, cover_tree(x), cover_tree(x, threads = 1), unserialize(serialize(tree, NULL)),
                 cover_tree_from_arrays(tree_arrays(tree)))
  for (other in others) {
    expect_true(all.equal(tree, other))
    expect_true(all.equal(tree, other, tolerance = 0))
    expect_true(identical(tree_arrays(tree), tree_arrays(other)))
  }
  metric <- by(10)
  knn_query(metric, k = 3, recall = 0.9)
  expect_true(all.equal(metric, by(10)))
  expect_true(all.equal(metric, unserialize(serialize(metric, NULL)), tolerance = 0))
  expect_true(all.equal(update_metric(metric, residual_correlation(kernel_matern32(lengthscale = 0.4), 10)),
                        metric, tolerance = 0))
})

# The test runs outside the namespace of the package, so that it finds only registered methods.
test_that("all.equal() finds the method for who only has the package loaded", {
  compare <- in_globalenv(function(a, b) all.equal(a, b))
  expect_match(compare(tree, cover_tree(x + 1)), "^[a-z_]+: ", all = TRUE)
  expect_true(compare(tree, cover_tree(x)))
})

test_that("the tolerance is that of all.equal()", {
  near <- cover_tree(x, layout = "natural")
  nearer <- cover_tree(x * (1 + 2^-50), layout = "natural")
  expect_true(all.equal(near, nearer))
  expect_type(all.equal(near, nearer, tolerance = 0), "character")
})

test_that("what differs is said", {
  named <- cover_tree(`colnames<-`(x, c("a", "b", "c")))
  expect_match(all.equal(tree, named), "^dimnames: ")
  exchanged <- cover_tree(x[c(2, 1, 3:500), ], layout = "natural", leaf_size = 500)
  found <- all.equal(cover_tree(x, layout = "natural", leaf_size = 500), exchanged)
  expect_match(found[1], "^points: Mean relative difference: ")
  expect_match(found[2], "^row: [0-9]+ of 500 values differ$")
  said <- function(...) writeLines(all.equal(...))
  expect_snapshot({
    said(tree, cover_tree(x[1:499, ]))
    said(tree, cover_tree(x[, 1:2], leaf_size = 7))
    said(cover_tree(x[1:20, ]), cover_tree(x[1:20, ], leaf_size = 7, layout = "natural"))
    said(tree, 1:3)
    said(tree, by(10))
  })
  expect_match(all.equal(by(10), by(11)), "^metric: .*inducing")
  expect_match(all.equal(by(10), by(10, nugget = 0.1)), "^metric: .*nugget")
  rbf <- residual_correlation(kernel_rbf(lengthscale = 0.4), 10)
  expect_match(all.equal(by(10), update_metric(by(10), rbf)), "^metric: .*kernel")
  for (other in list(cover_tree(x + 1), cover_tree(x, leaf_size = 8), cover_tree(-x))) {
    expect_type(all.equal(tree, other), "character")
    expect_type(all.equal(other, tree), "character")
  }
})

test_that("a damaged metric is an error or a difference, never equality", {
  metric <- by(10)
  changed <- metric$metric
  changed$x <- changed$x + 1
  expect_match(all.equal(metric, with_part(metric, "metric", changed)), "^data of the metric: ")
  expect_error(all.equal(metric, with_part(metric, "metric", 1)), "metric must be")
})
