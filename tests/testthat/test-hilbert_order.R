# hilbert_order() is a permutation, and consecutive cells of the curve share a face.

test_that("the order is a permutation of the rows, the same for any number of threads", {
  for (cloud in clouds) {
    x <- cloud()
    order <- hilbert_order(x, threads = 1)
    expect_type(order, "integer")
    expect_identical(sort(order), seq_len(nrow(x)))
    for (threads in 2:3) expect_identical(hilbert_order(x, threads), order)
  }
  many <- uniform_points(2e5, 3)
  expect_identical(hilbert_order(many, 3), hilbert_order(many, 1))
})

# Returns all cells of a grid with 2^bits cells per side, in a random order.
grid_cells <- function(d, bits) {
  cells <- as.matrix(expand.grid(rep(list(seq_len(2^bits) - 1), d)))
  unname(cells[with_seed(13, sample(nrow(cells))), , drop = FALSE])
}

# c(dimensions, bits)
grids <- list(c(1, 6), c(2, 1), c(2, 6), c(3, 1), c(3, 4), c(4, 3), c(5, 2), c(6, 2), c(7, 1),
              c(10, 1))

test_that("consecutive cells share a face", {
  for (size in grids) {
    cells <- grid_cells(size[1], size[2])
    along <- cells[hilbert_order(cells), , drop = FALSE]
    expect_true(all(rowSums(abs(diff(along))) == 1), label = toString(size))
  }
})

test_that("each half, quarter, ... of the cube is one run of the curve", {
  for (size in grids[vapply(grids, `[`, 0, 2) > 1]) {
    cells <- grid_cells(size[1], size[2])
    along <- cells[hilbert_order(cells), , drop = FALSE]
    for (side in 2^seq_len(size[2] - 1)) {
      cube <- do.call(paste, as.data.frame(along %/% side))
      expect_identical(length(rle(cube)$lengths), length(unique(cube)), label = toString(size))
    }
  }
})

test_that("on a line the curve is the order of the values", {
  x <- matrix(with_seed(14, rnorm(1000)))
  expect_identical(hilbert_order(x), order(x))
})

# With one bit per coordinate, the curve is the Gray code: the bits of the key are the cumulative
# parities of the bits of the coordinates.
test_that("the corners of the cube come in the order of the Gray code", {
  for (d in c(33, 64, 65, 130, 200)) {
    corners <- with_seed(d, matrix(rbinom(300 * d, 1, 0.5), 300, d))
    parity <- t(apply(corners, 1, cumsum)) %% 2
    expected <- do.call(order, as.data.frame(parity))
    expect_identical(hilbert_order(corners), expected)
  }
})

test_that("points in the same cell keep the order of their rows", {
  expect_identical(hilbert_order(matrix(7, 100, 3)), 1:100)
  x <- rbind(c(0, 0), c(1, 1), c(0, 0), c(1, 1), c(1e-12, 0), c(0, 0))
  along <- hilbert_order(x)
  expect_identical(along[along %in% c(1, 3, 5, 6)], c(1L, 3L, 5L, 6L))
  expect_identical(along[along %in% c(2, 4)], c(2L, 4L))
})

test_that("shift and scale do not change the order", {
  x <- round(clouds$uniform() * 1024)
  for (moved in list(x + 4096, x * 2^40, x * 2^-400, x * 2^400 - 2^400)) {
    expect_identical(hilbert_order(moved), hilbert_order(x))
  }
})

test_that("neighbors on the curve are near each other", {
  x <- uniform_points(10000, 2)
  step <- function(x) mean(sqrt(rowSums(diff(x)^2)))
  expect_lt(step(x[hilbert_order(x), ]), 2 / sqrt(10000))
  expect_gt(step(x), 0.4)
})

test_that("one point, a data frame and integers have an order", {
  expect_identical(hilbert_order(matrix(5, 1, 4)), 1L)
  x <- clouds$integers()
  expect_identical(hilbert_order(as.data.frame(x)), hilbert_order(x))
  expect_identical(hilbert_order(x + 0), hilbert_order(x))
})
