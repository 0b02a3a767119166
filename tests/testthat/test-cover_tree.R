# cover_tree() builds valid trees, the same for any number of threads, and uses its arguments.

test_that("every cloud makes a sound tree, the same for any number of threads", {
  for (cloud in clouds) for (layout in c("hilbert", "natural")) for (leaf_size in c(1, 7, 1000)) {
    x <- cloud()
    arrays <- tree_arrays(sound_tree(x, layout = layout, leaf_size = leaf_size, threads = 1))
    for (threads in 2:3) {
      expect_identical(tree_arrays(sound_tree(x, layout = layout, leaf_size = leaf_size, threads = threads)), arrays)
    }
  }
})

# One thread splits the nodes of many points; then all threads build branches.
test_that("many points make the same sound tree for any number of threads", {
  x <- with_seed(11, rbind(uniform_points(60000, 2), matrix(rnorm(40002, 2, 0.01), ncol = 2)))
  tree <- sound_tree(x, threads = 1)
  for (threads in 2:3) {
    expect_identical(tree_arrays(cover_tree(x, threads = threads)), tree_arrays(tree))
  }
  some <- round(seq(1, nrow(x), length.out = 40))
  knn <- knn_query(tree, k = 6, threads = 2)
  for (i in some) {
    expected <- oracle_ranking(x, x[i, ], self = i)
    expect_identical(knn$index[i, ], expected$index[1:6])
    expect_identical(knn$distance[i, ], expected$distance[1:6])
  }
})

test_that("a leaf of one tile, or of coinciding points, keeps the order of the build", {
  few <- clouds$uniform()[1:16, ]
  expect_identical(tree_arrays(sound_tree(few))$row, hilbert_order(few))
  expect_identical(tree_arrays(sound_tree(few))$layout, "hilbert")
  expect_identical(tree_arrays(sound_tree(few, layout = "natural"))$row, 1:16)
  expect_identical(tree_arrays(sound_tree(few, layout = "natural"))$layout, "natural")
  same <- clouds$identical()
  for (layout in c("hilbert", "natural")) {
    expect_identical(tree_arrays(sound_tree(same, layout = layout))$row, seq_len(nrow(same)))
  }
})

# Returns the indices of the points of a leaf as a list of tiles. A run of tiles is halved along the
# widest coordinate; equal coordinates are ordered by index.
leaf_tiles <- function(x) {
  tiles <- ceiling(nrow(x) / 16)
  begin <- (nrow(x) * (0:tiles)) %/% tiles
  halve <- function(place, first, last) {
    if (last - first < 2) return(list(sort(place)))
    middle <- (first + last) %/% 2
    column <- which.max(apply(x[place, , drop = FALSE], 2, function(x) diff(range(x))))
    place <- place[order(x[place, column], place)]
    front <- seq_len(begin[middle + 1] - begin[first + 1])
    c(halve(place[front], first, middle), halve(place[-front], middle, last))
  }
  halve(seq_len(nrow(x)), 0, tiles)
}

test_that("a leaf is put in compact tiles; ties go by the order of the build", {
  for (cloud in clouds[c("uniform", "grid", "duplicates", "hundred_columns")]) {
    x <- plain_matrix(cloud())
    for (layout in c("hilbert", "natural")) {
      arrays <- tree_arrays(sound_tree(x, layout = layout, leaf_size = nrow(x)))
      expect_length(arrays$center, 1)
      place <- if (layout == "hilbert") hilbert_order(x) else seq_len(nrow(x))
      tiles <- leaf_tiles(x[place, , drop = FALSE])
      tile <- rep(seq_along(tiles), lengths(tiles))
      stored <- split(match(arrays$row, place), tile)
      expect_identical(lapply(unname(stored), sort), tiles)
    }
  }
})

test_that("no leaf is larger than leaf_size, and no smaller node is split", {
  for (cloud in clouds[c("uniform", "grid", "duplicates", "identical", "one_distinct", "tiny")]) {
    for (leaf_size in c(1, 2, 5, 32)) {
      arrays <- tree_arrays(sound_tree(cloud(), leaf_size = leaf_size))
      size <- arrays$subtree_end - arrays$subtree_begin + 1L
      expect_identical(size <= leaf_size, arrays$first_child == 0L)
      expect_identical(arrays$leaf_size, as.integer(leaf_size))
    }
  }
  expect_identical(tree_arrays(sound_tree(clouds$uniform()))$leaf_size, 128L)
})

test_that("x may be a data frame or hold integers, and may have names or a class", {
  x <- clouds$integers()
  expect_true(is.integer(x))
  arrays <- tree_arrays(sound_tree(x))
  expect_type(arrays$points, "double")
  same <- function(x) expect_identical(unname_dims(tree_arrays(sound_tree(x))), arrays)
  unname_dims <- function(arrays) replace(arrays, "dimnames", list(NULL))
  same(x + 0)
  same(as.data.frame(x))
  same(data.frame(a = x[, 1], b = x[, 2] + 0))
  same(structure(x, class = c("mine", "matrix")))
  same(matrix(x, 200, 2, dimnames = list(NULL, c("a", "b"))))
})

test_that("the tree keeps its own copy of the points", {
  x <- clouds$uniform()
  original <- x + 0
  tree <- sound_tree(x)
  x[] <- 0
  expect_identical(as.matrix(tree), original)
  y <- original + 0
  cover_tree(y)
  expect_identical(y, original)
})

test_that("R's random numbers are not touched", {
  set.seed(1)
  before <- .Random.seed
  sound_tree(clouds$uniform())
  expect_identical(.Random.seed, before)
})

test_that("dim(), length() and as.matrix() give back what went in", {
  for (cloud in clouds) {
    x <- plain_matrix(cloud())
    tree <- sound_tree(x, leaf_size = 3)
    expect_identical(dim(tree), dim(x))
    expect_identical(length(tree), nrow(x))
    expect_identical(as.matrix(tree), x)
  }
})

test_that("as.matrix() keeps the dimnames of x", {
  x <- as.matrix(quakes[, 1:3])
  expect_identical(as.matrix(sound_tree(x)), x)
  rownames(x) <- paste0("q", seq_len(nrow(x)))
  expect_identical(as.matrix(sound_tree(x)), x)
  expect_identical(as.matrix(sound_tree(quakes)), as.matrix(quakes))
  expect_null(dimnames(as.matrix(sound_tree(unname(x)))))
})

test_that("a tree prints in one line", {
  expect_snapshot({
    sound_tree(clouds$uniform())
    sound_tree(clouds$one_point(), layout = "natural")
    sound_tree(matrix(as.double(1:5000), ncol = 1))
    str(sound_tree(clouds$uniform()))
    format(sound_tree(clouds$two_points()))
  })
})
