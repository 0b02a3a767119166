# A search does not change the seed and the kind of R's random number generator.

x <- uniform_points(2500, 2, seed = 251)
tree <- cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.5), x[1:8, ]))
search <- list(
  recall = function(tree) knn_query(tree, k = 3, recall = 0.5),
  budget = function(tree) knn_query(tree, k = 3, budget = 40),
  recall_of = function(tree) recall_of(tree, matrix(1L, 2500, 1))
)

# Returns the kinds before and after, whether there was a seed before and after, and the next random
# numbers.
observed <- function(kinds, seeded, code) {
  old <- RNGkind()
  seed <- globalenv()[[".Random.seed"]]
  on.exit({
    suppressWarnings(RNGkind(old[1], old[2], old[3]))
    if (is.null(seed)) rm(".Random.seed", envir = globalenv())
    else assign(".Random.seed", seed, envir = globalenv())
  })
  suppressWarnings(RNGkind(kinds[1], kinds[2], kinds[3]))
  set.seed(7)
  if (!seeded) rm(".Random.seed", envir = globalenv())
  expect_silent(code())
  there <- exists(".Random.seed", globalenv())
  list(kinds = RNGkind(), seeded = there, numbers = if (there) runif(3))
}

test_that("seed and kinds are the same after a search, whether there was a seed or not", {
  expect_sound_tree(tree)
  all_kinds <- list(
    c("Mersenne-Twister", "Inversion", "Rejection"), c("L'Ecuyer-CMRG", "Inversion", "Rejection"),
    c("Wichmann-Hill", "Box-Muller", "Rejection"), c("Mersenne-Twister", "Ahrens-Dieter", "Rounding"),
    c("Knuth-TAOCP-2002", "Kinderman-Ramage", "Rounding")
  )
  for (kinds in all_kinds) for (seeded in c(TRUE, FALSE)) for (name in names(search)) {
    label <- toString(c(kinds, seeded, name))
    fresh <- unserialize(serialize(tree, NULL))
    found <- observed(kinds, seeded, function() search[[name]](fresh))
    expect_identical(found, observed(kinds, seeded, function() NULL), label = label)
    expect_identical(found$kinds, kinds, label = label)
    expect_identical(found$seeded, seeded, label = label)
  }
})

test_that("the sample does not depend on R's kinds", {
  right <- search$budget(tree)
  observed(c("L'Ecuyer-CMRG", "Box-Muller", "Rounding"), FALSE, function() {
    expect_identical(search$budget(tree), right)
  })
})
