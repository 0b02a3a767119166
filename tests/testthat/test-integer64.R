# 64-bit integers of the package bit64 are stored in doubles, and would be read as denormal numbers.

x <- uniform_points(20, 2, seed = 261)
tree <- cover_tree(x)
rbf <- kernel_rbf()

# Returns an object like those of bit64, which need not be installed: the class alone is checked.
wide <- function(...) structure(c(...) * 2^-1074, class = "integer64")
wide_matrix <- wide(1:4)
dim(wide_matrix) <- c(2, 2)
wide_frame <- structure(list(a = 1:2, b = wide(1:2)), class = "data.frame", row.names = 1:2)

test_that("integer64 is refused wherever numbers are taken", {
  expect_sound_tree(tree, x)
  expect_complaints(
    cover_tree(wide_matrix),
    cover_tree(wide(1:4)),
    cover_tree(wide_frame),
    hilbert_order(wide_matrix),
    order_maximin(wide_matrix),
    order_coordinate(x, wide(1)),
    order_random(wide(5)),
    knn_query(tree, wide_matrix),
    radius_query(tree, wide_matrix, radius = 1),
    recall_of(tree, wide_matrix),
    vecchia_neighbors(wide_matrix, 1),
    vecchia_neighbors(x, 3, order = wide(1:20)),
    residual_correlation(rbf, wide_matrix),
    residual_correlation(rbf, wide(3)),
    residual_correlation(rbf, v = wide_matrix, p = c(1, 1)),
    residual_correlation(rbf, v = matrix(1, 2, 1), p = wide(1:2)),
    residual_correlation(rbf, nugget = wide(1)),
    kernel_rbf(wide(1)),
    kernel_rbf(1, wide(1:2)),
    budget(wide(10:11)),
    covertree_threads(wide(1))
  )
})

for (argument in c("block_size", "seed")) {
  test_that(paste("integer64 is refused as", argument), {
    call <- function(value) do.call(knn_control, stats::setNames(list(value), argument))
    expect_error(call(wide(1)), paste0(argument, " must be .*(: got|, not) an integer64"))
  })
}

for (argument in c("k", "rows", "threads", "recall", "epsilon", "budget")) {
  test_that(paste("integer64 is refused as", argument), {
    call <- function(value) do.call(knn_query, c(list(tree), stats::setNames(list(value), argument)))
    expect_error(call(wide(1)), paste0(argument, " must be .*(: got|, not) an integer64"))
  })
}

test_that("with bit64 loaded it is the same, and what is advised works", {
  skip_if_not_installed("bit64")
  loadNamespace("bit64")
  same <- bit64::as.integer64(1:40)
  dim(same) <- c(20, 2)
  expect_error(cover_tree(same), "x must be .*: got an integer64 \\(convert it with as.double\\(\\)\\)")
  expect_error(knn_query(tree, k = bit64::as.integer64(3)), "k must be .*: got an integer64")
  expect_error(radius_query(tree, radius = bit64::as.integer64(3)), "radius must be .*: got an integer64")
  converted <- matrix(as.double(same), 20)
  expect_sound_tree(cover_tree(converted), matrix(1:40, 20))
})

test_that("other classes of numbers, whose memory is what they mean, are taken as before", {
  classed <- structure(x, class = "measured")
  expect_sound_tree(cover_tree(classed), x)
  expect_sound_tree(cover_tree(I(x)), x)
  expect_sound_tree(cover_tree(stats::ts(x)), x)
  expect_sound_tree(cover_tree(table(c(1, 1, 2), c(1, 2, 2))), matrix(c(1, 0, 1, 1), 2))
})
