# Hundreds of thousands of duplicates: results are correct, and the time is not quadratic.

test_that("a million duplicates and one other point are soon built and queried", {
  x <- matrix(rep(c(0.25, -3), each = 1e6 + 1), ncol = 2)
  x[777777, ] <- c(1, 1)
  within_seconds(15, {
    tree <- cover_tree(x)
    found <- knn_query(tree, x[1:10000, ], k = 10)
    other <- knn_query(tree, x[777777, , drop = FALSE], k = 3)
  })
  expect_sound_tree(tree, x)
  expect_identical(found$index, matrix(1:10, 10000, 10, byrow = TRUE))
  expect_identical(found$distance, matrix(0, 10000, 10))
  expect_identical(other$index, cbind(777777L, 1L, 2L))
  expect_identical(other$distance, cbind(0, sqrt(0.75^2 + 4^2), sqrt(0.75^2 + 4^2)))
})

test_that("each of 200,000 identical points soon finds its neighbors", {
  n <- 2e5
  within_seconds(15, {
    tree <- cover_tree(matrix(0.1, n, 2))
    found <- knn_query(tree, k = 10)
  })
  expect_sound_tree(tree)
  first <- t(vapply(1:10, function(i) setdiff(1:11, i), 1:10))
  expect_identical(found$index, rbind(first, matrix(1:10, n - 10, 10, byrow = TRUE)))
  expect_identical(found$distance, matrix(0, n, 10))
})

test_that("a hundred places of a thousand points each keep the smaller rows first", {
  place <- with_seed(12, sample(rep(1:100, 1000)))
  x <- cbind(place %% 10, place %/% 10)
  within_seconds(15, knn <- knn_query(tree <- cover_tree(x), k = 5))
  expect_sound_tree(tree, x)
  members <- split(seq_along(place), place)
  expected <- t(vapply(seq_along(place), function(i) {
    first <- members[[place[i]]][1:6]
    first[first != i][1:5]
  }, 1:5))
  expect_identical(knn$index, expected)
  expect_identical(knn$distance, matrix(0, 1e5, 5))
})

test_that("a radius of 0 finds the duplicates only", {
  x <- clouds$duplicates()
  found <- radius_query(sound_tree(x, leaf_size = 2), radius = 0)
  expected <- lapply(1:200, function(i) setdiff(seq((i - 1L) %% 12L + 1L, 200L, by = 12L), i))
  expect_identical(found$index, expected)
  expect_identical(unlist(found$distance), rep(0, sum(lengths(expected))))
})
