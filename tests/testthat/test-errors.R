# Wrong arguments are errors. Messages state the argument, the expected value, the actual value and
# its place.

x <- as.matrix(expand.grid(1:4, 1:3)) / 2
tree <- cover_tree(x, leaf_size = 2)

test_that("the tree of these tests is sound", {
  expect_sound_tree(tree, x)
})

test_that("points must be a matrix or a data frame of numbers", {
  expect_complaints(
    cover_tree(),
    cover_tree(NULL),
    cover_tree("a"),
    cover_tree(list(1, 2)),
    cover_tree(mean),
    cover_tree(c(1, 2, 3)),
    cover_tree(5L),
    cover_tree(array(1:24, 2:4)),
    cover_tree(matrix("1", 2, 2)),
    cover_tree(matrix(TRUE, 2, 2)),
    cover_tree(matrix(1i, 2, 2)),
    cover_tree(matrix(list(1), 2, 2)),
    cover_tree(factor(c("a", "b"))),
    cover_tree(y ~ x),
    cover_tree(tree)
  )
})

test_that("distances are no points", {
  between <- dist(x)
  expect_complaints(
    cover_tree(between),
    hilbert_order(between),
    knn_query(tree, between),
    vecchia_neighbors(between, 2)
  )
  expect_sound_tree(cover_tree(as.matrix(between)), as.matrix(between))
})

test_that("columns of a data frame must be numeric", {
  expect_complaints(
    cover_tree(iris),
    cover_tree(data.frame(a = 1:2, b = c("x", "y"))),
    cover_tree(data.frame(a = 1:2, b = c(TRUE, NA))),
    cover_tree(data.frame(a = 1:2, b = I(list(1, 2)))),
    cover_tree(data.frame(a = 1:2, b = I(diag(2)))),
    cover_tree(data.frame(when = as.Date(c("2016-01-01", NA))))
  )
})

test_that("points must be finite", {
  spoil <- function(value) replace(x, cbind(3, 2), value)
  expect_complaints(
    cover_tree(spoil(NA)),
    cover_tree(spoil(NaN)),
    cover_tree(spoil(Inf)),
    cover_tree(spoil(-Inf)),
    cover_tree(matrix(c(1:5, NA), 3)),
    cover_tree(airquality),
    hilbert_order(spoil(NA)),
    knn_query(tree, spoil(NaN)),
    radius_query(tree, spoil(Inf), radius = 1)
  )
})

test_that("there must be points, and they must have coordinates", {
  expect_complaints(
    cover_tree(matrix(0, 0, 3)),
    cover_tree(matrix(0, 3, 0)),
    cover_tree(matrix(0, 0, 0)),
    cover_tree(data.frame()),
    cover_tree(quakes[0, ]),
    cover_tree(quakes[, 0]),
    hilbert_order(matrix(0, 0, 3)),
    knn_query(tree, x[, 0])
  )
})

test_that("squared distances must stay within the range of doubles", {
  expect_complaints(
    cover_tree(cbind(1:2, c(-1e308, 1e308))),
    cover_tree(cbind(c(0, 1e153), c(0, 1e153))),
    cover_tree(cbind(c(1e-308, 2e-308, 0))),
    cover_tree(cbind(c(0, 5e-324))),
    hilbert_order(cbind(c(-1e308, 1e308))),
    knn_query(tree, cbind(0, 1e300)),
    knn_query(cover_tree(cbind(1e300)), cbind(-1e300)),
    radius_query(tree, cbind(0, -1e300), radius = 1),
    knn_query(cover_tree(cbind(0)), cbind(1e-200))
  )
})

test_that("points near the ends of the range are fine where they are alike or one", {
  for (value in c(1e308, -1e308, 1e-308, 5e-324, 0)) {
    same <- matrix(value, 4, 2)
    expect_same_knn(knn_query(sound_tree(same), k = 2), oracle_knn(same, k = 2))
    expect_identical(knn_query(sound_tree(cbind(value)), cbind(value), k = 1)$distance, matrix(0))
  }
})

test_that("a query must have the columns of the tree", {
  expect_complaints(
    knn_query(tree, matrix(0, 1, 3)),
    knn_query(tree, matrix(0, 5, 1)),
    knn_query(tree, c(1, 2)),
    knn_query(tree, "a"),
    knn_query(tree, iris),
    radius_query(tree, matrix(0, 1, 3), radius = 1)
  )
})

test_that("k must be one whole number", {
  expect_complaints_for(
    list(0, -1, 2.7, NA, NA_integer_, NaN, Inf, "3", c(1, 2), integer(), NULL, TRUE, factor(3),
         list(3), 1e10, quote(mean)),
    knn_query(tree, k = value)
  )
})

test_that("a radius must be given and finite", {
  expect_complaints(radius_query(tree))
  expect_complaints_for(
    list(-1, NA, NaN, Inf, "1", c(1, 2), NULL, TRUE, list(1), 1e200),
    radius_query(tree, radius = value)
  )
})

test_that("threads must be one whole number, in every function", {
  expect_complaints_for(
    list(0, -1, 1.5, NA, "a", c(1, 2), 1e10),
    cover_tree(x, threads = value)
  )
  expect_complaints(
    knn_query(tree, threads = 0),
    radius_query(tree, radius = 1, threads = 0),
    hilbert_order(x, threads = 0),
    validate_tree(tree, threads = 0),
    cover_tree_from_arrays(tree_arrays(tree), threads = 0),
    covertree_threads("a"),
    covertree_threads(0)
  )
})

test_that("leaf_size must be one whole number", {
  expect_complaints_for(
    list(0, 2.5, NA, "8", c(8, 16), 1e10),
    cover_tree(x, leaf_size = value)
  )
})

test_that("choices must be among those there are", {
  expect_complaints_for(
    list("morton", "hil", NA_character_, 1, NULL, c("natural", "hilbert")),
    cover_tree(x, layout = value)
  )
  expect_complaints(
    knn_query(tree, control = list(search = "brute")),
    knn_query(tree, control = list(search = TRUE))
  )
  expect_complaints_for(
    list(NA, "yes", 1, c(TRUE, FALSE), NULL),
    radius_query(tree, radius = 1, sort = value)
  )
})

test_that("a tree must be a tree", {
  expect_complaints(
    knn_query(x),
    knn_query(NULL),
    knn_query(tree_arrays(tree)),
    radius_query(quakes, radius = 1),
    tree_arrays("tree"),
    validate_tree(mean),
    knn_query(structure(list(), class = "cover_tree")),
    knn_query(structure(1, class = "cover_tree")),
    knn_query(structure(list(pointer = 1), class = "cover_tree")),
    print(structure(list(), class = "cover_tree"))
  )
})

test_that("arrays must be those of a tree", {
  arrays <- tree_arrays(tree)
  expect_complaints(
    cover_tree_from_arrays(NULL),
    cover_tree_from_arrays(tree),
    cover_tree_from_arrays(x),
    cover_tree_from_arrays(quakes),
    cover_tree_from_arrays(list()),
    cover_tree_from_arrays(unname(arrays))
  )
  edit <- function(name, value) cover_tree_from_arrays(replace(arrays, name, list(value)))
  expect_complaints(
    edit("row", arrays$row + 0),
    edit("row", arrays$row[-1]),
    edit("row", replace(arrays$row, 5, NA)),
    edit("row", replace(arrays$row, 5, 13L)),
    edit("points", as.vector(arrays$points)),
    edit("points", replace(arrays$points, 3, NaN)),
    edit("lower", t(arrays$lower)),
    edit("radius", arrays$radius * 2),
    edit("parent", 1L),
    edit("layout", "random"),
    edit("leaf_size", 0L),
    edit("dimnames", list("a")),
    edit("format", 2),
    edit("format", 1L),
    edit("format", 3L)
  )
})

test_that("the tree still answers after all of this", {
  expect_sound_tree(tree, x)
  expect_same_knn(knn_query(tree, k = 5), oracle_knn(x, k = 5))
})
