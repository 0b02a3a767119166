#' The number of threads
#'
#' Reads the number of threads that functions use when their own argument
#' `threads` is `NULL`, or sets it for the rest of the session.
#'
#' @param threads One whole number of at least 1, or `NULL` to read only.
#'
#' @return The number of threads in use before the call; invisibly if `threads`
#'   was given.
#'
#' @details
#' Unless set here, the default is that of OpenMP: the environment variable
#' `OMP_NUM_THREADS`, or all processors. No call uses more threads than
#' `OMP_THREAD_LIMIT` allows, than a few for each processor, or, while R checks
#' packages, than two. A process that was made by a fork, as
#' `parallel::mclapply()` makes it, uses one, because OpenMP does not survive a
#' fork; it does not matter whether this package was loaded before the fork or
#' after it. Without OpenMP there is always one. The setting concerns this package
#' only: OpenMP's own is left alone.
#'
#' @section Busy machines:
#' A function begins on one thread. It starts others when more than about 10
#' milliseconds of work are left, so short calls always run on one thread. At the
#' end of its work a function waits for its slowest thread. When other processes
#' occupy the processors, that thread may wait for a processor for some
#' milliseconds, sometimes longer: the gain of a second thread then shrinks, and a
#' single call can be slower than on one thread. OpenMP's threads also keep a
#' processor for a few milliseconds after their work has ended, because they expect
#' more work. The environment variable `OMP_WAIT_POLICY=passive`, set before R starts,
#' prevents that; a package cannot set it later. On a machine that is always
#' busy, `covertree_threads(1)` is the safe choice.
#'
#' @examples
#' covertree_threads()
#' old <- covertree_threads(1)
#' covertree_threads(old)
#' @export
covertree_threads <- function(threads = NULL) {
  before <- .Call(r_threads_get, NULL)
  if (is.null(threads)) return(before)
  .Call(r_threads_set, check_count(threads, "threads"))
  invisible(before)
}

# Sets how many seconds of remaining work are worth a parallel region; returns the
# value before. Tests set 0: every region is opened.
region_seconds <- function(seconds) invisible(.Call(r_region_seconds, as.double(seconds)))

# The package parallel knows whether it made this process by a fork. C code finds
# out by itself on Linux only.
.onLoad <- function(libname, pkgname) {
  if (!"parallel" %in% loadedNamespaces()) return()
  is_child <- get0("isChild", asNamespace("parallel"), mode = "function")
  if (is.function(is_child)) .Call(r_threads_forked, isTRUE(is_child()))
}
