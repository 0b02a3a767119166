# An interrupted call leaves trees unchanged and frees its memory. The calls run in separate
# processes, so that the interrupt does not stop the tests.

# Returns a call that takes about ten seconds on this machine: scans with a suitable number of
# queries.
long_work <- function(x, tree) {
  ask <- function(queries) {
    query <- x[rep_len(seq_len(nrow(x)), queries), ]
    system.time(knn_query(tree, query, k = 1, threads = 2, control = list(search = "scan")))[["elapsed"]]
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

test_that("a search that multiplies each pair of own points once stops at a time limit", {
  skip_on_cran()
  result <- in_fresh_r(function() {
    set.seed(1)
    scan <- knn_control(search = "scan", stats = TRUE)
    new_tree <- function(n) cover_tree(matrix(runif(32 * n), n))
    ask <- function(tree) knn_query(tree, k = 1, threads = 2, control = scan)
    seconds <- function(tree) system.time(ask(tree))[["elapsed"]]
    small <- new_tree(10000)
    before <- ask(small)
    # So many points that the search takes about ten seconds, if memory permits.
    large <- new_tree(min(1e4 * sqrt(10 / min(seconds(small), seconds(small))), 3e5))
    took <- system.time(why <- tryCatch({
      setTimeLimit(elapsed = 1, transient = TRUE)
      ask(large)
      "done"
    }, error = conditionMessage))[["elapsed"]]
    setTimeLimit()
    list(why = why, took = took, tiles = knn_stats(before)$tiles,
         same = identical(ask(small)[1:2], before[1:2]), valid = validate_tree(large)$valid)
  })
  expect_match(result$why, "time limit")
  expect_lt(result$took, 5)
  # Each query with all tiles would be 1e4 * 1e4 / 16.
  expect_lt(result$tiles, 0.6 * 1e4 * 1e4 / 16)
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
    why <- vapply(c(0.02, 0.05, 0.1, 0.15), break_off, "")
    list(why = why, left = used() - at_first,
         same = identical(knn_query(tree, x[1:500, ], k = 5), before),
         equal = identical(tree_arrays(build()), tree_arrays(tree)))
  })
  expect_match(result$why, "time limit")
  expect_true(result$same)
  expect_true(result$equal)
  expect_lt(result$left, 10)
})

test_that("the factor of many inducing points stops at a time limit", {
  skip_on_cran()
  result <- in_fresh_r(function() {
    x <- matrix(sin(as.numeric(1:5000)^2), ncol = 2)
    metric <- residual_correlation(kernel_exponential(lengthscale = 0.1), inducing = x)
    build <- function() cover_tree(x, metric = metric)
    full <- system.time(build())[["elapsed"]]
    limit <- full / 5
    took <- system.time(why <- tryCatch({
      setTimeLimit(elapsed = limit, transient = TRUE)
      build()
      "done"
    }, error = conditionMessage))[["elapsed"]]
    setTimeLimit()
    list(why = why, late = took - limit, full = full)
  })
  expect_match(result$why, "time limit")
  # The limit is one second: half a second, doubled for a busy machine. Without polls, the wait
  # would be nearly the remaining time of the call.
  expect_lt(result$late, max(1, result$full / 4))
})

test_that("calls that are broken off leave no memory behind", {
  skip_on_cran()
  used <- in_fresh_r(function() {
    set.seed(1)
    x <- matrix(runif(1.5e5), ncol = 3)
    plane <- x[1:4000, 1:2]
    metric <- residual_correlation(kernel_matern52(lengthscale = 0.1), inducing = 60)
    tree <- cover_tree(x)
    residual <- cover_tree(plane, metric = metric)
    knn <- knn_query(tree, k = 10)
    calls <- list(
      function() cover_tree(x), function() knn_query(tree, k = 20), function() radius_query(tree, radius = 0.05),
      function() knn_query(residual, k = 20), function() cover_tree(plane, metric = metric),
      function() recall_of(tree, knn), function() vecchia_neighbors(plane, m = 10)
    )
    full <- vapply(calls, function(call) system.time(call())[["elapsed"]], 0)
    # The limit may also end the reset after a call that was not broken off.
    break_off <- function(i) {
      tryCatch({
        setTimeLimit(elapsed = runif(1) * full[i], transient = TRUE)
        calls[[i]]()
        setTimeLimit()
      }, error = function(e) setTimeLimit())
    }
    vapply(1:4, function(round) {
      for (i in rep(seq_along(calls), 4)) break_off(i)
      gc()
      sum(gc()[, 2])
    }, 0)
  })
  expect_lt(max(used) - used[1], 5)
})
