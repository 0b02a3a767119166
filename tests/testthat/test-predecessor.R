# Searches for predecessors have the bits of the oracle's result.

# The point sets are small, so more threads than a test asks for would only wait for each other.
threads_before <- covertree_threads(1)

oracle_predecessors <- function(x, k) {
  x <- plain_matrix(x)
  index <- matrix(NA_integer_, nrow(x), k)
  distance <- matrix(NA_real_, nrow(x), k)
  for (i in seq_len(nrow(x))[-1]) {
    near <- oracle_ranking(x[seq_len(i - 1), , drop = FALSE], x[i, ])
    some <- seq_len(min(k, i - 1))
    index[i, some] <- near$index[some]
    distance[i, some] <- near$distance[some]
  }
  list(index = index, distance = distance)
}

expect_predecessors_only <- function(knn) {
  n <- nrow(knn$index)
  there <- outer(seq_len(n) - 1, seq_len(ncol(knn$index)), ">=")
  expect_identical(!is.na(knn$index), there)
  expect_identical(!is.na(knn$distance), there)
  expect_true(all(knn$index < row(knn$index), na.rm = TRUE))
}

large <- list(
  random = function() uniform_points(3000, 2, seed = 41),
  sorted = function() {
    x <- uniform_points(2200, 3, seed = 42)
    x[order(x[, 1]), ]
  },
  reversed = function() {
    x <- uniform_points(2100, 2, seed = 43)
    x[rev(hilbert_order(x)), ]
  },
  duplicates = function() with_seed(44, uniform_points(150, 2)[sample(150, 2200, replace = TRUE), ]),
  identical = function() matrix(0.7, 2060, 2),
  grid = function() with_seed(45, as.matrix(expand.grid(1:50, 1:44))[sample(2200), ]),
  ten = function() with_seed(46, matrix(rnorm(21000), 2100, 10))
)

for (name in names(clouds)) {
  test_that(paste("each point finds the oracle's predecessors in:", name), {
    x <- clouds[[name]]()
    n <- nrow(x)
    expected <- oracle_predecessors(x, max(10, n + 3))
    for (layout in c("hilbert", "natural")) {
      tree <- sound_tree(x, layout = layout, leaf_size = if (layout == "natural") 3)
      for (k in unique(c(1, 2, 10, n, n + 3))) for (search in c("auto", "tree", "scan")) {
        knn <- knn_query(tree, k = k, predecessor = TRUE, control = list(search = search))
        expect_same_knn(knn, first_columns(expected, k), paste(layout, k, search))
      }
      knn <- knn_query(tree, k = n, threads = 2, predecessor = TRUE)
      expect_same_knn(knn, first_columns(expected, n), paste(layout, "two threads"))
    }
    expect_predecessors_only(knn)
  })
}

for (name in names(large)) {
  test_that(paste("many points find the oracle's predecessors in:", name), {
    x <- large[[name]]()
    many <- if (name %in% c("random", "duplicates")) c(250, 300)
    expected <- oracle_predecessors(x, max(30, many))
    tree <- sound_tree(x)
    for (k in c(1, 7, 30, many)) for (threads in 1:2) for (search in c("auto", "tree", "scan")) {
      knn <- knn_query(tree, k = k, threads = threads, predecessor = TRUE, control = list(search = search))
      expect_same_knn(knn, first_columns(expected, k), paste(k, threads, search))
    }
    for (block_size in c(1, 16, 33, 64)) {
      knn <- knn_query(tree, k = 7, predecessor = TRUE, control = list(block_size = block_size))
      expect_same_knn(knn, first_columns(expected, 7), paste("blocks of", block_size))
    }
    for_each_simd(function(simd) {
      expect_same_knn(knn_query(tree, k = 30, predecessor = TRUE), first_columns(expected, 30), simd)
    })
    expect_predecessors_only(knn)
  })
}

test_that("all predecessors are found where k is the number of points", {
  x <- uniform_points(1100, 2, seed = 47)
  expected <- oracle_predecessors(x, 1100)
  for (tree in list(sound_tree(x), sound_tree(x, layout = "natural", leaf_size = 2))) {
    for (k in c(130, 140, 1099, 1100)) {
      expect_same_knn(knn_query(tree, k = k, predecessor = TRUE), first_columns(expected, k), k)
    }
  }
})

test_that("predecessors survive saving, and stats and progress change nothing", {
  x <- uniform_points(2500, 2, seed = 48)
  tree <- sound_tree(x)
  knn <- knn_query(tree, k = 5, predecessor = TRUE)
  again <- unserialize(serialize(tree, NULL))
  expect_identical(knn_query(again, k = 5, predecessor = TRUE), knn)
  with_stats <- knn_query(tree, k = 5, predecessor = TRUE, control = list(stats = TRUE))
  expect_same_knn(with_stats, knn)
  expect_identical(knn_stats(with_stats)$queries, 2500L)
  expect_identical(nrow(as.data.frame(knn)), sum(!is.na(knn$index)))
})

test_that("the maximin order makes predecessors the ordered neighbors", {
  x <- uniform_points(1500, 2, seed = 49)
  order <- order_maximin(x)
  knn <- knn_query(sound_tree(x[order, ]), k = 10, predecessor = TRUE)
  expect_same_knn(knn, oracle_predecessors(x[order, ], 10))
})

test_that("predecessor is a flag, and not for other points", {
  x <- clouds$grid()
  tree <- sound_tree(x)
  expect_complaints(
    knn_query(tree, x, predecessor = TRUE),
    knn_query(tree, as.data.frame(x), predecessor = TRUE, recall = 0.9),
    recall_of(tree, knn_query(tree, x[1:5, ]), query = x[1:5, ], predecessor = TRUE)
  )
  expect_complaints_for(list(NA, 1, "yes", NULL, c(TRUE, FALSE)),
                        knn_query(tree, predecessor = value))
})

covertree_threads(threads_before)
