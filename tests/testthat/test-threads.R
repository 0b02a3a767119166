# The number of threads: its default, its limits, and forked processes.

has_openmp <- .Call(covertree:::r_has_openmp)

# Returns the value of ask() in a new R process, where of these four environment variables only
# those in `...` are set.
threads_under <- function(..., ask = function() covertree_threads()) {
  names <- c("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OMP_DYNAMIC", "_R_CHECK_LIMIT_CORES_")
  blank <- stats::setNames(rep(NA, 4), names)
  in_fresh_r(ask, env = replace(blank, names(c(...)), c(...)))
}

test_that("covertree_threads() reads the default, and sets it", {
  before <- covertree_threads()
  on.exit(covertree_threads(before))
  expect_type(before, "integer")
  expect_gte(before, 1L)
  expect_visible(covertree_threads())
  expect_invisible(covertree_threads(1))
  expect_identical(covertree_threads(), 1L)
  expect_identical(covertree_threads(2), 1L)
  expect_identical(covertree_threads(), if (has_openmp) 2L else 1L)
})

test_that("the default is that of OpenMP", {
  skip_if_not(has_openmp)
  expect_identical(threads_under(OMP_NUM_THREADS = "3"), 3L)
  expect_identical(threads_under(OMP_NUM_THREADS = "1"), 1L)
})

test_that("OMP_THREAD_LIMIT limits what is set and what is asked for", {
  skip_if_not(has_openmp)
  ask <- function() {
    covertree_threads(3)
    x <- matrix(sin(1:300), 100)
    knn_query(cover_tree(x, threads = 7), k = 2, threads = 7)
    covertree_threads()
  }
  expect_identical(threads_under(OMP_THREAD_LIMIT = "2", ask = ask), 2L)
  expect_identical(threads_under(OMP_THREAD_LIMIT = "1", OMP_NUM_THREADS = "4", ask = ask), 1L)
  expect_identical(threads_under(ask = ask), 3L)
})

test_that("while R checks packages there are two threads at most", {
  skip_if_not(has_openmp)
  ask <- function() {
    says <- function(check) {
      Sys.setenv("_R_CHECK_LIMIT_CORES_" = check)
      covertree_threads()
    }
    covertree_threads(4)
    vapply(c("TRUE", "true", "warn", "false", "FALSE", ""), says, 1L)
  }
  found <- threads_under(ask = ask)
  expect_identical(unname(found), c(2L, 2L, 2L, 4L, 4L, 4L))
  expect_identical(threads_under(OMP_NUM_THREADS = "4", `_R_CHECK_LIMIT_CORES_` = "TRUE"), 2L)
})

test_that("any number of threads may be asked for", {
  x <- clouds$uniform()
  expected <- oracle_knn(x, k = 3)
  for (threads in c(1, 7, 1000, .Machine$integer.max)) {
    expect_same_knn(knn_query(sound_tree(x, threads = threads), k = 3, threads = threads), expected)
    expect_identical(radius_query(sound_tree(x), radius = 0, threads = threads)$count, integer(200))
  }
})

test_that("the session's number of threads does not change the answer", {
  before <- covertree_threads()
  on.exit(covertree_threads(before))
  x <- clouds$duplicates()
  expected <- oracle_knn(x, k = 30)
  for (threads in 1:3) {
    covertree_threads(threads)
    expect_same_knn(knn_query(sound_tree(x), k = 30), expected)
  }
})

# Returns the values of the calls, each in a forked child, as parallel::mclapply() does. A child
# that hangs is ended; its value is NULL.
in_forks <- function(...) {
  calls <- as.list(substitute(list(...)))[-1]
  frame <- parent.frame()
  jobs <- lapply(calls, function(call) parallel::mcparallel(eval(call, frame)))
  lapply(jobs, function(job) {
    value <- parallel::mccollect(job, wait = FALSE, timeout = 20)
    if (is.null(value)) tools::pskill(job$pid, tools::SIGKILL)
    value[[1]]
  })
}

# OpenMP does not work after a fork; a child that used it would hang.
test_that("forked children answer after their parent has used threads", {
  skip_on_os("windows")
  x <- uniform_points(5000, 3)
  tree <- cover_tree(x, threads = 2)
  expect_sound_tree(tree, x)
  expected <- knn_query(tree, k = 5, threads = 2)
  found <- in_forks(
    covertree_threads(),
    knn_query(tree, k = 5, threads = 2),
    tree_arrays(cover_tree(x, threads = 2)),
    validate_tree(tree, threads = 2)$valid
  )
  expect_identical(found, list(1L, expected, tree_arrays(tree), TRUE))
  expect_identical(knn_query(tree, k = 5, threads = 2), expected)
})

test_that("mclapply() gives the same answers", {
  skip_on_os("windows")
  x <- clouds$normal()
  tree <- sound_tree(x, threads = 2)
  alive <- identical(in_forks(length(knn_query(tree, x, threads = 2))), list(2L))
  expect_true(alive)
  skip_if_not(alive, "forked children that answer")
  parts <- list(x[1:100, ], x[101:200, ])
  found <- parallel::mclapply(parts, function(part) knn_query(tree, part, k = 3), mc.cores = 2)
  for (i in 1:2) expect_same_knn(found[[i]], oracle_knn(x, parts[[i]], k = 3))
})

# The parent has used OpenMP through other code. Only the child loads the package.
test_that("a forked child that loads the package itself uses one thread", {
  skip_on_os(c("windows", "mac"))
  skip_on_cran()
  folder <- tempfile("openmp")
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  writeLines(c(
    "void use_threads(int *sum)",
    "{",
    "#pragma omp parallel for num_threads(2) reduction(+ : sum[:1])",
    "    for (int i = 0; i < 1000; i++)",
    "        sum[0] += i;",
    "}"
  ), file.path(folder, "other.c"))
  writeLines(c("PKG_CFLAGS = $(SHLIB_OPENMP_CFLAGS)", "PKG_LIBS = $(SHLIB_OPENMP_CFLAGS)"),
             file.path(folder, "Makevars"))
  r <- file.path(R.home("bin"), "R")
  status <- system(sprintf("cd %s && R_MAKEVARS_USER=/dev/null %s CMD SHLIB other.c >/dev/null 2>&1",
                           shQuote(folder), shQuote(r)))
  skip_if_not(status == 0, "a C compiler for OpenMP")
  script <- file.path(folder, "parent.R")
  writeLines(c(
    sprintf(".libPaths(%s)", deparse1(.libPaths())),
    sprintf("dyn.load(%s)", deparse(file.path(folder, paste0("other", .Platform$dynlib.ext)))),
    "stopifnot(.C('use_threads', sum = 0L)$sum == 499500L)",
    "job <- parallel::mcparallel({",
    "  x <- matrix(runif(3e5), ncol = 3)",
    "  tree <- covertree::cover_tree(x, threads = 2)",
    "  covertree:::region_seconds(0)",
    "  index <- covertree::knn_query(tree, k = 5, threads = 2)$index",
    "  c(nrow(index), covertree::covertree_threads())",
    "})",
    "value <- parallel::mccollect(job, wait = FALSE, timeout = 60)",
    "if (is.null(value)) tools::pskill(job$pid, tools::SIGKILL)",
    "cat('value:', value[[1]])"
  ), script)
  output <- system2(file.path(R.home("bin"), "Rscript"), c("--vanilla", shQuote(script)), stdout = TRUE)
  expect_identical(output, "value: 100000 1")
})

test_that("short calls stay on one thread, and regions can be forced", {
  expect_identical(covertree:::region_seconds(0.0075), 0)
  expect_identical(covertree:::region_seconds(0), 0.0075)
})
