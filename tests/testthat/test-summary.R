# The summary of a tree has the counts that the test computes from its arrays.

test_that("summary() counts points, nodes and leaves", {
  for (name in c("uniform", "duplicates", "identical", "one_point", "hundred_columns")) {
    x <- clouds[[name]]()
    tree <- sound_tree(x, layout = "natural", leaf_size = 4)
    arrays <- tree_arrays(tree)
    s <- summary(tree)
    expect_s3_class(s, "summary.cover_tree", exact = TRUE)
    expect_identical(c(s$n, s$d), dim(x))
    expect_identical(s$layout, "natural")
    expect_identical(s$leaf_size, 4L)
    expect_identical(s$nodes, length(arrays$center))
    leaf <- !seq_along(arrays$center) %in% arrays$parent
    expect_identical(s$leaves, sum(leaf))
    size <- (arrays$subtree_end - arrays$subtree_begin + 1)[leaf]
    expect_identical(s$leaf_sizes, unname(quantile(size)))
    expect_gte(s$bytes, 8 * length(x))
  }
})

test_that("summary() counts nodes by level, and points by their highest node", {
  arrays <- tree_arrays(tree <- sound_tree(clouds$one_distinct(), leaf_size = 3))
  levels <- summary(tree)$levels
  expect_named(levels, c("level", "cover", "nodes", "points"))
  some <- levels$level[!is.na(levels$level)]
  expect_identical(some, sort(unique(arrays$level), decreasing = TRUE))
  expect_identical(is.na(levels$level), c(rep(FALSE, length(some)), TRUE))
  expect_equal(levels$cover, c(2^(some / 4), 0))
  same <- function(level) arrays$level %in% level
  expect_identical(levels$nodes, vapply(levels$level, function(l) sum(same(l)), 1L))
  highest <- function(l) length(setdiff(arrays$center[same(l)], arrays$center[arrays$level > l]))
  expect_identical(levels$points[seq_along(some)], vapply(some, highest, 1L))
  expect_identical(sum(levels$points), length(unique(arrays$center)))
})

test_that("a summary prints", {
  expect_snapshot({
    summary(sound_tree(clouds$grid()))
    summary(sound_tree(clouds$identical(), layout = "natural", leaf_size = 40))
    summary(sound_tree(clouds$one_point()))
  })
})
