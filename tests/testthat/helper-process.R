# Runs code in separate R processes, for tests that would change or stop the process of the tests.

local_env <- function(..., frame = parent.frame()) {
  new <- c(...)
  old <- Sys.getenv(names(new), unset = NA, names = TRUE)
  set <- function(values) {
    Sys.unsetenv(names(values)[is.na(values)])
    if (!all(is.na(values))) do.call(Sys.setenv, as.list(values[!is.na(values)]))
  }
  set(new)
  restore <- as.call(list(set, old))
  do.call(on.exit, list(restore, add = TRUE), envir = frame)
}

# Returns the value of code(...) in a new R process with the same libraries. Stops with the output
# of the process if it fails. An environment variable with the value NA is unset.
in_fresh_r <- function(code, ..., env = NULL) {
  local_env(c(R_TESTS = NA, env))
  files <- tempfile(c("job", "value", "script"))
  on.exit(unlink(files), add = TRUE)
  saveRDS(list(code = in_globalenv(code), arguments = list(...), library = .libPaths()), files[1])
  writeLines(c(
    sprintf("job <- readRDS(%s)", deparse(files[1])),
    ".libPaths(job$library)",
    "library(covertree)",
    sprintf("saveRDS(do.call(job$code, job$arguments), %s)", deparse(files[2]))
  ), files[3])
  rscript <- file.path(R.home("bin"), "Rscript")
  output <- suppressWarnings(
    system2(rscript, c("--vanilla", shQuote(files[3])), stdout = TRUE, stderr = TRUE, timeout = 300)
  )
  if (!file.exists(files[2])) stop("the R process failed:\n", paste(output, collapse = "\n"))
  readRDS(files[2])
}

# Returns a function whose environment is the global one, so that no object of the tests is sent
# with it.
in_globalenv <- function(code) {
  environment(code) <- globalenv()
  code
}
