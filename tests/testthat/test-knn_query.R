# knn_query() has the bits of the oracle's result, for every point set, k, layout, leaf size, number
# of threads and search mode.

layouts <- c("hilbert", "natural")
leaf_sizes <- list(NULL, 1, 5)

for (name in names(clouds)) {
  test_that(paste("knn_query() gives the oracle's answer for each point of:", name), {
    x <- clouds[[name]]()
    expected <- oracle_knn(x, k = max(10, nrow(x) + 3))
    for (layout in layouts) for (leaf_size in leaf_sizes) for (threads in 1:3) {
      tree <- sound_tree(x, layout = layout, leaf_size = leaf_size, threads = threads)
      for (k in c(1, 2, 10, nrow(x) + 3)) {
        label <- paste(layout, leaf_size, k, threads)
        expect_same_knn(knn_query(tree, NULL, k, threads = threads), first_columns(expected, k), label)
      }
    }
  })

  test_that(paste("knn_query() gives the oracle's answer for other points, near:", name), {
    x <- clouds[[name]]()
    query <- queries_for(x)
    expected <- oracle_knn(x, query, k = max(10, nrow(x) + 3))
    for (layout in layouts) for (leaf_size in leaf_sizes) for (threads in 1:3) {
      tree <- sound_tree(x, layout = layout, leaf_size = leaf_size, threads = threads)
      for (k in c(1, 2, 10, nrow(x) + 3)) {
        label <- paste(layout, leaf_size, k, threads)
        expect_same_knn(knn_query(tree, query, k, threads = threads), first_columns(expected, k), label)
      }
    }
  })
}

test_that("search = \"scan\" gives the same answer", {
  for (cloud in clouds) for (layout in layouts) for (query in list(NULL, queries_for(cloud()))) {
    tree <- sound_tree(cloud(), layout = layout, leaf_size = 5)
    for (k in c(1, 10, 300)) for (threads in 1:2) {
      by_tree <- knn_query(tree, query, k, threads = threads)
      expect_identical(knn_query(tree, query, k, threads = threads, control = list(search = "scan")), by_tree)
    }
  }
})

test_that("a point is left out of its own neighbors by row, a duplicate is not", {
  x <- rbind(c(1, 1), c(5, 5), c(1, 1), c(1, 1))
  tree <- sound_tree(x)
  knn <- knn_query(tree, k = 3)
  expect_identical(knn$index, rbind(c(3L, 4L, 2L), c(1L, 3L, 4L), c(1L, 4L, 2L), c(1L, 3L, 2L)))
  expect_identical(knn$distance[1, ], c(0, 0, sqrt(32)))
  expect_identical(knn_query(tree, x, k = 1)$index, matrix(c(1L, 2L, 1L, 1L)))
})

test_that("ties go to the smaller row", {
  x <- rbind(c(1, 0), c(0, 1), c(-1, 0), c(0, -1), c(0, 0))
  middle <- rbind(c(0, 0))
  for (permutation in list(1:5, 5:1, c(3, 5, 1, 4, 2))) for (leaf_size in c(1, 2, 32)) {
    tree <- sound_tree(x[permutation, ], leaf_size = leaf_size)
    center <- which(permutation == 5)
    around <- setdiff(1:5, center)
    expect_identical(knn_query(tree, middle, k = 5)$index, rbind(c(center, around)))
    expect_identical(knn_query(tree, middle, k = 3)$index, rbind(c(center, around[1:2])))
  }
})

test_that("neighbors that do not exist are NA", {
  knn <- knn_query(sound_tree(rbind(c(0, 0), c(3, 4))), k = 3)
  expect_identical(knn$index, cbind(2:1, NA, NA))
  expect_identical(knn$distance, cbind(c(5, 5), NA, NA))
  alone <- knn_query(sound_tree(matrix(1:3, 1)), k = 2)
  expect_identical(alone$index, matrix(NA_integer_, 1, 2))
  expect_identical(alone$distance, matrix(NA_real_, 1, 2))
  itself <- knn_query(sound_tree(matrix(1:3, 1)), matrix(1:3, 1), k = 2)
  expect_identical(itself$index, cbind(1L, NA))
})

test_that("k may be far larger than the number of points", {
  x <- clouds$uniform()
  expected <- oracle_knn(x, k = 20000)
  tree <- sound_tree(x)
  for (threads in 1:2) expect_same_knn(knn_query(tree, k = 20000, threads = threads), expected)
})

test_that("queries may come as a data frame, in integers, with names or a class", {
  x <- clouds$integers()
  tree <- sound_tree(x)
  expected <- oracle_knn(x, x[1:20, ], k = 4)
  some <- x[1:20, ]
  expect_true(is.integer(some))
  named <- some
  dimnames(named) <- list(letters[1:20], c("a", "b"))
  mixed <- data.frame(a = some[, 1] + 0, b = some[, 2])
  queries <- list(some, some + 0, named, as.data.frame(some), mixed,
                  structure(some, class = c("mine", class(some))))
  for (query in queries) expect_same_knn(knn_query(tree, query, k = 4), expected)
})

test_that("one query, and many that are all the same, are answered", {
  x <- clouds$normal()
  tree <- sound_tree(x)
  one <- oracle_knn(x, x[7, , drop = FALSE], k = 5)
  expect_same_knn(knn_query(tree, x[7, , drop = FALSE], k = 5), one)
  same <- knn_query(tree, x[rep(7, 300), ], k = 5, threads = 2)
  expect_identical(same$index, one$index[rep(1, 300), ])
  expect_identical(same$distance, one$distance[rep(1, 300), ])
})

test_that("a query may lie very far from the points", {
  x <- clouds$uniform()
  tree <- sound_tree(x, leaf_size = 4)
  query <- rbind(c(1e9, 0, 0), c(-1e150, 1e150, 3), c(0, 0, 5e152))
  expect_same_knn(knn_query(tree, query, k = 200), oracle_knn(x, query, k = 200))
})

test_that("the result says what it is", {
  knn <- knn_query(sound_tree(clouds$uniform()), k = 4)
  expect_s3_class(knn, "covertree_knn", exact = TRUE)
  expect_named(knn, c("index", "distance"))
  expect_true(attr(knn, "exact"))
  expect_identical(c(typeof(knn$index), typeof(knn$distance)), c("integer", "double"))
  expect_identical(dim(knn$index), c(200L, 4L))
  expect_identical(dim(knn$distance), c(200L, 4L))
  expect_identical(dim(knn_query(sound_tree(clouds$uniform()))$index), c(200L, 10L))
})

test_that("knn_query() changes neither the query nor R's random numbers", {
  x <- clouds$uniform()
  query <- x + 0
  set.seed(1)
  before <- .Random.seed
  knn_query(sound_tree(x), query, k = 3)
  expect_identical(query, x)
  expect_identical(.Random.seed, before)
})

test_that("as.data.frame() gives a row for each neighbor there is", {
  knn <- knn_query(sound_tree(rbind(c(0, 0), c(3, 4), c(0, 1))), k = 4)
  expect_identical(
    as.data.frame(knn),
    data.frame(query = rep(1:3, each = 2), neighbor = c(3L, 2L, 3L, 1L, 1L, 2L),
               rank = rep(1:2, 3), distance = c(1, 5, sqrt(18), 5, 1, sqrt(18)))
  )
  alone <- as.data.frame(knn_query(sound_tree(matrix(1, 1, 1)), k = 2))
  expect_identical(dim(alone), c(0L, 4L))
})

test_that("knn results print", {
  x <- clouds$grid()
  tree <- sound_tree(x)
  expect_snapshot({
    knn_query(tree, k = 3)
    print(knn_query(tree, k = 12), n = 2)
    knn_query(tree, x[1, , drop = FALSE], k = 1)
    knn_query(sound_tree(rbind(c(0, 0), c(3, 4))), k = 2)
  })
})
