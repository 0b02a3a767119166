# Point sets for tests. A function returns the same points at every call, and leaves the state of
# R's random numbers unchanged.

with_seed <- function(seed, code) {
  old <- globalenv()[[".Random.seed"]]
  on.exit(
    if (is.null(old)) rm(".Random.seed", envir = globalenv())
    else assign(".Random.seed", old, envir = globalenv())
  )
  set.seed(seed, "Mersenne-Twister", "Inversion", "Rejection")
  code
}

uniform_points <- function(n, d, seed = 1) with_seed(seed, matrix(runif(n * d), n, d))

clouds <- list(
  uniform = function() uniform_points(200, 3),
  normal = function() with_seed(2, matrix(rnorm(600), 200, 3)),
  grid = function() as.matrix(expand.grid(x = 1:14, y = 1:14)) / 4,
  circle = function() {
    angle <- 2 * pi * seq_len(192) / 192
    cbind(cos(angle), sin(angle))
  },
  line = function() with_seed(3, outer(runif(200), c(1, -2, 3))),
  duplicates = function() uniform_points(12, 2)[rep_len(1:12, 200), ],
  identical = function() matrix(c(0.1, -7, 3), 150, 3, byrow = TRUE),
  one_distinct = function() rbind(matrix(0.3, 120, 2), c(0.4, -1), matrix(0.3, 60, 2)),
  clustered = function() {
    with_seed(4, matrix(rnorm(8), 4, 2)[rep(1:4, 50), ] + 1e-6 * matrix(rnorm(400), 200, 2))
  },
  one_point = function() matrix(c(1, 2, 3), 1, 3),
  two_points = function() rbind(c(0, 0), c(3, 4)),
  one_column = function() with_seed(5, matrix(round(rnorm(200), 2))),
  hundred_columns = function() with_seed(6, matrix(rnorm(12000), 120, 100)),
  huge = function() 1e150 * with_seed(7, matrix(rnorm(400), 200, 2)),
  tiny = function() 1e-140 * with_seed(8, matrix(rnorm(400), 200, 2)),
  far_away = function() 1e6 + 1e-3 * uniform_points(200, 2),
  integers = function() with_seed(9, matrix(sample(-9:9, 400, replace = TRUE), 200, 2)),
  quantized = function() with_seed(10, matrix(rbinom(800, 3, 0.5), 200, 4) / 2)
)

# Returns queries for a point set: some of its points, points between them, and points outside.
queries_for <- function(x) {
  x <- plain_matrix(x)
  some <- x[unique(round(seq(1, nrow(x), length.out = 25))), , drop = FALSE]
  between <- (some + some[rev(seq_len(nrow(some))), , drop = FALSE]) / 2
  width <- max(apply(x, 2, max) - apply(x, 2, min), 1e-140)
  rbind(some, between, some[1:2 %% nrow(some) + 1, , drop = FALSE] + 2 * width)
}

some_points <- function(n, d, seed) {
  with_seed(seed, {
    x <- matrix(rnorm(n * d), n, d)
    x[sample(n, n %/% 20), ] <- x[sample(n, n %/% 20), ]
    x
  })
}

budget_points <- function(n, d, seed) with_seed(seed, matrix(rnorm(n * d), n, d))
