# Runs R tests of the installed package in one process per core:
#
#   Rscript tools/r_tests.R RESULTS.rds [TEST...]
#
# TEST: the name of a test file without test- and .R; the default is all. RESULTS.rds becomes a data
# frame with one row per test and the columns file, test, passed, failed, error and skipped. A
# process that crashes or exceeds the time limit adds one row with an error.

patience <- 1200 # [s] limit for each process

# Large files come first, so that the processes end at about the same time.
all_tests <- function() {
  files <- list.files("tests/testthat", "^test-.*[.]R$", full.names = TRUE)
  files <- files[order(file.size(files), decreasing = TRUE)]
  sub("^test-(.*)[.]R$", "\\1", basename(files))
}

# Runs the tests that no other process runs: a test belongs to the process that creates the
# directory of its name below `claims`.
run_worker <- function(claims, tests) {
  Sys.setenv(NOT_CRAN = "true")
  options(testthat.summary.omit_dots = TRUE, testthat.summary.max_reports = 50L)
  for (test in tests) {
    if (!dir.create(file.path(claims, test), showWarnings = FALSE))
      next
    each <- testthat::test_dir("tests/testthat", package = "covertree", load_package = "installed",
                               filter = paste0("^", test, "$"), reporter = "summary",
                               stop_on_failure = FALSE)
    each <- as.data.frame(each)[c("file", "test", "passed", "failed", "error", "skipped")]
    saveRDS(each, file.path(claims, paste0(test, ".rds")))
  }
}

# Starts the workers, waits for all, prints their output, and returns their numbers of those with a
# status other than 0.
run_workers <- function(claims, tests) {
  workers <- seq_len(max(1L, parallel::detectCores(), na.rm = TRUE))
  log <- file.path(claims, paste0("worker", workers, ".log"))
  worker <- sprintf("timeout %d Rscript tools/r_tests.R --worker %s %s >%s 2>&1 &", patience,
                    shQuote(claims), paste(shQuote(tests), collapse = " "), shQuote(log))
  script <- c("pids=", rbind(worker, "pids=\"$pids $!\""),
              "number=0",
              "for pid in $pids; do number=$((number + 1)); wait $pid || echo $number; done")
  file <- file.path(claims, "run.sh")
  writeLines(script, file)
  broken <- system2("sh", file, stdout = TRUE)
  for (each in log)
    writeLines(readLines(each, warn = FALSE))
  broken
}

arguments <- commandArgs(TRUE)
if (arguments[1] == "--worker") {
  run_worker(arguments[2], arguments[-(1:2)])
} else {
  claims <- tempfile("tests")
  dir.create(claims)
  broken <- run_workers(claims, if (length(arguments) > 1) arguments[-1] else all_tests())
  each <- do.call(rbind, lapply(list.files(claims, "[.]rds$", full.names = TRUE), readRDS))
  if (length(broken) > 0) {
    cat("Worker", broken, "of the R tests ended early.\n")
    each <- rbind(each, data.frame(file = "", test = paste("worker", broken), passed = 0, failed = 0,
                                   error = TRUE, skipped = FALSE))
  }
  saveRDS(each, arguments[1])
}
