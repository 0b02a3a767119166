# Runs the C checks (make -C tests/core) and the R tests of the installed package. The last line, "N
# passed, N failed", counts both. An error, a crash and a timeout count as failed. The R tests run
# in their own processes, so that the last line is printed even after a crash.

patience <- 1200 # [s] limit for the C checks
counts <- c(passed = 0, failed = 0, skipped = 0)

number_before <- function(word, lines) {
  found <- regmatches(lines, regexec(paste0("([0-9]+) ", word), lines))
  sum(as.numeric(vapply(found, function(m) if (length(m)) m[2] else "0", "")))
}

core_checks <- function() {
  options <- c("-s", "-C", "tests/core", "-j", parallel::detectCores())
  out <- suppressWarnings(system2("make", options, stdout = TRUE, stderr = TRUE,
                                  timeout = patience))
  writeLines(out)
  sums <- grep("^core: [0-9]+ passed, [0-9]+ failed", out, value = TRUE)
  counts["passed"] <- number_before("passed", sums)
  counts["failed"] <- number_before("failed", sums)
  broke_off <- !is.null(attr(out, "status")) || length(sums) == 0
  if (broke_off && counts["failed"] == 0)
    counts["failed"] <- 1
  counts
}

r_tests <- function() {
  # Waiting threads must not spin if there are more threads than free processors. OpenMP reads the
  # variable when R starts.
  Sys.setenv(OMP_WAIT_POLICY = Sys.getenv("OMP_WAIT_POLICY", "passive"))
  results <- tempfile(fileext = ".rds")
  status <- system2("Rscript", c("tools/r_tests.R", results))
  if (status != 0 || !file.exists(results)) {
    cat("The R tests ended early.\n")
    counts["failed"] <- 1
    return(counts)
  }
  each <- readRDS(results)
  counts["passed"] <- sum(each$passed)
  counts["failed"] <- sum(each$failed) + sum(each$error)
  counts["skipped"] <- sum(each$skipped)
  counts
}

# Writes a result for tools/trust.R.
leave_result <- function(name, counts, what) {
  system2("sh", c("-c", shQuote(sprintf(". tools/result.sh && result %s %.0f %.0f %s '%s'", name,
    counts["passed"], counts["failed"], if (counts["failed"] > 0) "failed" else "passed", what))))
}

core <- core_checks()
leave_result("core", core, "C checks of the core under ASan and UBSan, with and without OpenMP")
r <- r_tests()
leave_result("tests", r, "expectations of the R tests")
total <- core + r
cat(sprintf("%d passed, %d failed%s\n", total["passed"], total["failed"],
            if (total["skipped"] > 0) sprintf(", %d skipped", total["skipped"]) else ""))
quit(status = total["failed"] > 0)
