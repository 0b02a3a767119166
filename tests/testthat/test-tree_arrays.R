# tree_arrays() and cover_tree_from_arrays() do not copy arrays; the second one checks them.

address <- function(x) format(.Internal(address(x)))
addresses <- function(list) vapply(list, address, "")

# Returns the sizes of the allocations of at least `least` bytes in code.
large_allocations <- function(least, code) {
  skip_if_not(capabilities("profmem"))
  log <- tempfile()
  on.exit(unlink(log))
  utils::Rprofmem(log, threshold = least)
  tryCatch(code, finally = utils::Rprofmem(NULL))
  as.numeric(sub(" *:.*", "", grep("^[0-9]+ *:", readLines(log), value = TRUE)))
}

test_that("the arrays have the documented names, in the documented order", {
  arrays <- tree_arrays(sound_tree(clouds$grid()))
  expect_named(arrays, c("points", "row", "center", "parent", "first_child", "next_sibling",
                         "subtree_begin", "subtree_end", "level", "min_row", "radius", "lower",
                         "upper", "format", "layout", "leaf_size", "dimnames"))
  expect_identical(arrays[c("format", "layout", "leaf_size")],
                   list(format = 2L, layout = "hilbert", leaf_size = 128L))
  expect_identical(arrays$dimnames, list(NULL, c("x", "y")))
  expect_null(tree_arrays(sound_tree(unname(clouds$grid())))$dimnames)
})

test_that("tree_arrays() hands out the same memory every time", {
  tree <- sound_tree(clouds$uniform(), leaf_size = 3)
  knn_query(tree, k = 2)
  expect_identical(addresses(tree_arrays(tree)), addresses(tree_arrays(tree)))
  copy <- tree
  expect_identical(addresses(tree_arrays(copy)), addresses(tree_arrays(tree)))
})

test_that("cover_tree_from_arrays() keeps the memory it is given", {
  arrays <- tree_arrays(sound_tree(clouds$uniform()))
  expect_identical(addresses(tree_arrays(cover_tree_from_arrays(arrays))), addresses(arrays))
})

test_that("neither way allocates anything of the size of the points", {
  x <- uniform_points(50000, 4)
  tree <- cover_tree(x)
  expect_sound_tree(tree, x)
  size <- 8 * length(x)
  expect_gt(length(large_allocations(size, x + 1)), 0)
  expect_length(large_allocations(size, arrays <- tree_arrays(tree)), 0)
  expect_length(large_allocations(size, again <- cover_tree_from_arrays(arrays)), 0)
  expect_length(large_allocations(size, knn_query(again, x[1:9, ], k = 3)), 0)
  expect_length(large_allocations(size / 100, tree_arrays(tree)), 0)
})

test_that("editing exported arrays leaves the tree alone", {
  x <- clouds$uniform()
  tree <- sound_tree(x, leaf_size = 3)
  before <- knn_query(tree, k = 5)
  arrays <- tree_arrays(tree)
  for (name in names(arrays)) {
    if (is.numeric(arrays[[name]])) arrays[[name]][] <- 0L
  }
  arrays$layout[1] <- "natural"
  points <- tree_arrays(tree)$points
  points[1, 1] <- 99
  row <- tree_arrays(tree)$row
  row[1:2] <- row[2:1]
  expect_sound_tree(tree, x)
  expect_same_knn(knn_query(tree, k = 5), before)
  expect_same_knn(before, oracle_knn(x, k = 5))
})

test_that("a tree goes through its arrays and back unchanged", {
  for (cloud in clouds) for (threads in 1:2) {
    x <- cloud()
    tree <- sound_tree(x, leaf_size = 5)
    again <- cover_tree_from_arrays(tree_arrays(tree), threads)
    expect_sound_tree(again, x)
    expect_identical(tree_arrays(again), tree_arrays(tree))
    expect_identical(as.matrix(again), as.matrix(tree))
    expect_identical(knn_query(again, k = 4), knn_query(tree, k = 4))
    expect_identical(radius_query(again, radius = 1), radius_query(tree, radius = 1))
  }
})

test_that("arrays may come in any order, with others beside them, from a file", {
  arrays <- tree_arrays(sound_tree(clouds$grid()))
  file <- tempfile()
  on.exit(unlink(file))
  saveRDS(arrays, file)
  others <- list(rev(arrays), c(list(note = "x"), arrays, more = 1), readRDS(file),
                 structure(arrays, class = "mine"))
  for (other in others) expect_identical(tree_arrays(cover_tree_from_arrays(other)), arrays)
})

test_that("leaf_size is an integer again, whatever it was in the list", {
  arrays <- tree_arrays(sound_tree(clouds$grid()))
  again <- cover_tree_from_arrays(replace(arrays, "leaf_size", 32))
  expect_identical(tree_arrays(again)$leaf_size, 32L)
})

test_that("a tree outlives the arrays and the tree it came from", {
  x <- clouds$uniform()
  tree <- sound_tree(x)
  arrays <- tree_arrays(tree)
  again <- cover_tree_from_arrays(arrays)
  rm(tree, arrays)
  gc()
  junk <- lapply(1:200, function(i) runif(600))
  expect_sound_tree(again, x)
  expect_same_knn(knn_query(again, k = 5), oracle_knn(x, k = 5))
})
