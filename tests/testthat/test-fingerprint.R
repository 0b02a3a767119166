# The results of a fixed set of cases have the hashes in fingerprint.txt, for every instruction set
# and number of threads. tools/fingerprint.R records the hashes again after a change that is meant
# to change results.

recorded_hashes <- function() {
  lines <- utils::read.table("fingerprint.txt", col.names = c("case", "hash"))
  stats::setNames(lines$hash, lines$case)
}

expect_recorded <- function(hashes, label) {
  recorded <- recorded_hashes()
  expect_identical(sort(names(hashes)), sort(names(recorded)), label = label)
  differs <- names(recorded)[hashes[names(recorded)] != recorded]
  expect(length(differs) == 0, sprintf("%s: other results in %s", label, toString(differs)))
}

test_that("results have the recorded bits at every dispatch level", {
  skip_on_cran()
  for_each_simd(function(simd) {
    expect_recorded(fingerprint_hashes(1), paste(simd, "1 thread"))
  })
})

test_that("results have the recorded bits on two and three threads", {
  skip_on_cran()
  for (threads in 2:3) {
    expect_recorded(fingerprint_hashes(threads), paste(threads, "threads"))
  }
})

test_that("a case multiplies each pair of own points once", {
  for (found in products_fingerprint(1, stats = TRUE)) {
    # Each query with all tiles would be 2100 * 2100 / 16.
    expect_lt(knn_stats(found)$tiles, 0.6 * 2100 * 2100 / 16)
  }
})

test_that("a hash tells values apart and nothing else", {
  expect_identical(hash_values(c(a = 1, b = 2)), hash_values(c(1, 2)))
  expect_identical(hash_values(list(1, 2)), hash_values(c(1, 2)))
  expect_false(hash_values(1) == hash_values(1 + .Machine$double.eps))
  expect_false(hash_values(1L) == hash_values(2L))
})
