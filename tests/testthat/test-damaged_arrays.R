# cover_tree_from_arrays() with changed arrays. The result is an error that names an array, or, if
# the changed arrays form another valid tree, a tree with correct results.

numbers <- c("points", "row", "center", "parent", "first_child", "next_sibling", "subtree_begin",
             "subtree_end", "level", "min_row", "radius", "lower", "upper")
small_points <- function() {
  x <- with_seed(15, round(matrix(rnorm(60), 30, 2), 1))
  rbind(x, x[c(1, 1, 1, 2), ])
}
small <- function() tree_arrays(sound_tree(small_points(), leaf_size = 2))

# Returns the message of the error; NULL for arrays that form a valid tree.
complaint <- function(arrays) {
  tree <- tryCatch(cover_tree_from_arrays(arrays), error = conditionMessage)
  if (is.character(tree)) return(tree)
  expect_sound_tree(tree)
  expect_same_knn(knn_query(tree, k = 40), oracle_knn(as.matrix(tree), k = 40))
  NULL
}

# Returns the names of the arrays in the messages; "" for a NULL message.
blamed <- function(messages) {
  messages[lengths(messages) == 0] <- ""
  sub("^tree array `(\\w+)`.*", "\\1", unlist(messages))
}

wrong_values <- function(array, at) {
  value <- array[at]
  if (is.integer(array)) {
    near <- value + c(-1L, 1L)
    far <- c(0L, -1L, NA, length(array) + 1L, .Machine$integer.max, -.Machine$integer.max)
    return(setdiff(c(near, far), value))
  }
  near <- value * (1 + c(-1, 1) * 2^-50)
  unique(setdiff(c(near, 0, -1, 1e300, -1e300, NA, NaN, Inf, -Inf), value))
}

damage_each_entry <- function(arrays, name) {
  messages <- list()
  for (at in seq_along(arrays[[name]])) for (value in wrong_values(arrays[[name]], at)) {
    edited <- arrays
    edited[[name]][at] <- value
    messages[length(messages) + 1] <- list(complaint(edited))
  }
  messages
}

# Other arrays that the message may name for a changed array: if two arrays contradict each other,
# the wrong one is not always known.
entangled <- list(
  points = c("radius", "lower", "upper"),
  center = "radius",
  first_child = "parent",
  next_sibling = "subtree_end",
  subtree_end = c("subtree_begin", "center")
)

for (name in numbers) {
  test_that(paste("any wrong entry is noticed in:", name), {
    tree <- sound_tree(small_points(), leaf_size = 2)
    messages <- damage_each_entry(tree_arrays(tree), name)
    expect_gt(length(messages), 200)
    expect_in_set(blamed(messages), c(name, entangled[[name]], if (name == "center") ""))
    expect_gt(mean(blamed(messages) == name), if (name == "points") 0.4 else 0.8)
    expect_sound_tree(tree, small_points())
    expect_same_knn(knn_query(tree, k = 9), oracle_knn(small_points(), k = 9))
  })

  test_that(paste("exchanged or reversed entries are noticed in:", name), {
    arrays <- small()
    array <- arrays[[name]]
    messages <- list()
    for (other in list(rev(array), sort(array, na.last = TRUE), array[c(2:length(array), 1)])) {
      edited <- array
      edited[] <- other
      if (identical(edited, array)) next
      messages[length(messages) + 1] <- list(complaint(replace(arrays, name, list(edited))))
    }
    expect_gt(length(messages), 0)
    if (name == "row") entangled$row <- "min_row"
    expect_in_set(blamed(messages), c(name, entangled[[name]]))
  })

  test_that(paste("another type, size or shape is named in:", name), {
    arrays <- small()
    array <- arrays[[name]]
    other_type <- array
    storage.mode(other_type) <- if (is.integer(array)) "double" else "integer"
    as_character <- array
    storage.mode(as_character) <- "character"
    others <- list(other_type, as_character, NULL, "a", TRUE, mean, as.list(array), array[0],
                   array[-1], c(array, array[1]), as.vector(array)[1:2])
    if (is.matrix(array)) {
      others <- c(others, list(as.vector(array), t(array), array[, 1, drop = FALSE],
                               array[0, ], cbind(array, array), array(array, c(dim(array), 1))))
    }
    for (other in others) {
      edited <- replace(arrays, name, list(other))
      expect_error(cover_tree_from_arrays(edited), paste0("`", name, "`"))
    }
    expect_error(cover_tree_from_arrays(arrays[names(arrays) != name]), paste0("`", name, "`"))
  })
}

# A method for such a class could return a wrong size of an array.
test_that("arrays with a class are refused", {
  arrays <- small()
  for (name in numbers) {
    edited <- arrays
    class(edited[[name]]) <- "mine"
    expect_error(cover_tree_from_arrays(edited), paste0("tree array `", name, "` must not have a class"))
  }
})

# The number of nodes is the median length of three arrays, so a wrong length of one shows in this
# array.
test_that("entries added to or missing from all arrays of nodes are noticed", {
  arrays <- small()
  nodes <- length(arrays$center)
  per_node <- setdiff(numbers, c("points", "row"))
  pick <- function(array, rows) if (is.matrix(array)) array[rows, , drop = FALSE] else array[rows]
  keep <- function(rows) replace(arrays, per_node, lapply(arrays[per_node], pick, rows))
  expect_null(complaint(keep(seq_len(nodes))))
  for (rows in list(1, 1:2, seq_len(nodes - 1), c(seq_len(nodes), nodes), nodes:1, 2:nodes)) {
    expect_match(complaint(keep(rows)), "^tree array `\\w+` is damaged")
  }
})

test_that("settings are checked", {
  arrays <- small()
  bad <- list(
    layout = list(NULL, "random", 1, NA_character_, c("hilbert", "hilbert")),
    leaf_size = list(NULL, 0, -1, 2.5, NA, "2", c(1, 2)),
    dimnames = list("a", list("a", NULL), list(NULL, c("a", "b", "c")), list(NULL),
                    list(1:34, NULL)),
    format = list(NULL, 1L, 3L, 0L, -1L, 2, NA_integer_, "1", c(1L, 1L))
  )
  for (name in names(bad)) {
    for (value in bad[[name]]) {
      edited <- replace(arrays, name, list(value))
      expect_error(cover_tree_from_arrays(edited), paste0("`", name, "`"))
    }
    expect_error(cover_tree_from_arrays(arrays[names(arrays) != name]), paste0("`", name, "`"))
  }
  named <- replace(arrays, "dimnames", list(list(NULL, c("a", "b"))))
  expect_identical(colnames(as.matrix(cover_tree_from_arrays(named))), c("a", "b"))
  named["points"] <- list(as.vector(named$points))
  expect_error(cover_tree_from_arrays(named), "`points` must be a matrix")
})

# Returns the arrays of a tree of points on a line, with nodes given by the test.
line_tree <- function(at, begin, end, center, parent, first_child, next_sibling) {
  cell <- Map(function(from, to) at[from:to], begin, end)
  radius <- mapply(function(points, center) max(abs(points - at[center])), cell, center)
  level <- rep(NA_integer_, length(radius))
  level[radius > 0] <- as.integer(ceiling(4 * log2(radius[radius > 0])))
  list(
    points = matrix(at), row = seq_along(at), center = center, parent = parent, first_child = first_child,
    next_sibling = next_sibling, subtree_begin = begin, subtree_end = end,
    level = level, min_row = begin, radius = radius, lower = matrix(vapply(cell, min, 0)),
    upper = matrix(vapply(cell, max, 0)), layout = "natural", leaf_size = 1L,
    dimnames = NULL, format = 2L
  )
}
two_children <- function(at, split, centers) {
  n <- length(at)
  line_tree(at, begin = c(1L, 1L, split + 1L), end = c(n, split, n), centers,
            parent = c(0L, 1L, 1L), first_child = c(2L, 0L, 0L), next_sibling = c(0L, 3L, 0L))
}

test_that("trees that break one invariant only are refused for it", {
  expect_null(complaint(two_children(c(0, 1, 10, 11), 2L, c(1L, 1L, 3L))))
  nests_nowhere <- two_children(c(0, 1, 10, 11), 2L, c(2L, 1L, 3L))
  expect_match(complaint(nests_nowhere), "`center` .*node 1 .*nesting")
  too_close <- two_children(c(0, 1, 3, 6.5), 1L, c(1L, 1L, 3L))
  expect_match(complaint(too_close), "`center` .*node 1 .*separation")
  no_descent <- two_children(c(0, 5, 10), 2L, c(2L, 2L, 3L))
  expect_match(complaint(no_descent), "`level` .*node 2 .*descent")
  coinciding <- line_tree(c(0, 0, 5), begin = c(1L, 1L, 2L, 3L), end = c(3L, 1L, 2L, 3L),
                          center = c(1L, 1L, 2L, 3L), parent = c(0L, 1L, 1L, 1L),
                          first_child = c(2L, 0L, 0L, 0L), next_sibling = c(0L, 3L, 4L, 0L))
  expect_match(complaint(coinciding), "`center` .*node 1 .*separation")
  coinciding$points[2] <- coinciding$lower[3] <- coinciding$upper[3] <- 2
  expect_null(complaint(coinciding))
})
