# R processes of their own, for what cannot be tried in the process of the tests.

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

# The value of code(...) in a fresh R process with the same libraries. Stops with
# its output if the process fails. Environment variables given as NA are unset.
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

# A function that takes nothing of the tests along to another process.
in_globalenv <- function(code) {
  environment(code) <- globalenv()
  code
}
