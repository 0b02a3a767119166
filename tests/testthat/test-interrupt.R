# Work that is broken off leaves the trees as they were and no memory behind. In
# processes of their own: an interrupt there does not stop the tests.

# One query that takes about ten seconds on any machine: points are asked for as
# often as that needs, and compared with all points.
long_work <- function(x, tree) {
  ask <- function(queries) {
    query <- x[rep_len(seq_len(nrow(x)), queries), ]
    system.time(knn_query(tree, query, k = 1, threads = 2, search = "scan"))[["elapsed"]]
  }
  quick <- min(ask(5000), ask(5000), ask(5000))
  function() ask(ceiling(5000 * 10 / quick))
}

test_that("a query stops at a time limit, and the tree still answers", {
  skip_on_cran()
  x <- uniform_points(20000, 20)
  result <- in_fresh_r(function(x, long_work) {
    tree <- cover_tree(x)
    before <- knn_query(tree, k = 5)
    work <- long_work(x, tree)
    stopped <- system.time(why <- tryCatch({
      setTimeLimit(elapsed = 1, transient = TRUE)
      work()
      "done"
    }, error = conditionMessage))
    setTimeLimit()
    list(why = why, took = stopped[["elapsed"]], same = identical(knn_query(tree, k = 5), before),
         valid = validate_tree(tree)$valid, tree = tree)
  }, x, in_globalenv(long_work))
  expect_match(result$why, "time limit")
  expect_lt(result$took, 5)
  expect_true(result$same)
  expect_true(result$valid)
  expect_sound_tree(result$tree, x)
})

test_that("a query stops at the user's interrupt, and the tree still answers", {
  skip_on_cran()
  skip_on_os("windows")
  x <- uniform_points(20000, 20)
  result <- in_fresh_r(function(x, long_work) {
    tree <- cover_tree(x)
    before <- knn_query(tree, k = 5)
    work <- long_work(x, tree)
    system(sprintf("(sleep 1; kill -INT %d)", Sys.getpid()), wait = FALSE)
    stopped <- system.time(why <- tryCatch({
      work()
      "done"
    }, interrupt = function(condition) "interrupted"))
    list(why = why, took = stopped[["elapsed"]], same = identical(knn_query(tree, k = 5), before),
         valid = validate_tree(tree)$valid)
  }, x, in_globalenv(long_work))
  expect_identical(result$why, "interrupted")
  expect_lt(result$took, 5)
  expect_true(result$same)
  expect_true(result$valid)
})

test_that("builds that are broken off leave nothing behind", {
  skip_on_cran()
  result <- in_fresh_r(function() {
    x <- matrix(sin(as.numeric(1:2e6)^2), ncol = 2)
    build <- function() cover_tree(x, leaf_size = 4)
    full <- min(replicate(3, system.time(build())[["elapsed"]]))
    tree <- build()
    before <- knn_query(tree, x[1:500, ], k = 5)
    used <- function() {
      gc()
      gc()
      sum(gc()[, 2])
    }
    at_first <- used()
    break_off <- function(share) {
      on.exit(setTimeLimit())
      tryCatch({
        setTimeLimit(elapsed = share * full, transient = TRUE)
        build()
        "done"
      }, error = conditionMessage)
    }
    why <- vapply(c(0.02, 0.1, 0.2, 0.3), break_off, "")
    list(why = why, left = used() - at_first,
         same = identical(knn_query(tree, x[1:500, ], k = 5), before),
         equal = identical(tree_arrays(build()), tree_arrays(tree)))
  })
  expect_match(result$why, "time limit")
  expect_true(result$same)
  expect_true(result$equal)
  expect_lt(result$left, 10)
})
