#' Number of threads
#'
#' Returns the number of threads that functions use if their own argument `threads` is `NULL`, or
#' sets it for the rest of the session.
#'
#' @param threads One whole number of at least 1; `NULL` to read only.
#'
#' @return One integer: the number of threads before the call, within the limits described under
#'   Details. Invisible if `threads` is given.
#'
#' @details
#' Without a setting, the default is that of OpenMP: the environment variable `OMP_NUM_THREADS`, or
#' all processors. This function does not change the settings of OpenMP, so it has no effect on
#' other packages.
#'
#' Limits: a call uses at most `OMP_THREAD_LIMIT` threads, at most 8 threads per processor plus 8,
#' and at most two threads while R checks packages (environment variable `_R_CHECK_LIMIT_CORES_`).
#' Without OpenMP, a call uses one thread.
#'
#' A forked process, such as a worker of `parallel::mclapply()`, uses one thread, because OpenMP
#' does not work after a fork. If the fork happened before this package was loaded, the package
#' recognizes it on Linux, and on other systems if the package parallel made it.
#'
#' @section Busy machines:
#' A function starts on one thread. It uses further threads if more than about 7.5 milliseconds of
#' work remain, so short calls always run on one thread. At the end of its work, a function waits
#' for its slowest thread. If other processes occupy the processors, this thread may have to wait
#' some milliseconds or longer for a processor. Then two threads save less time than on an idle
#' machine, and a single call can take longer than on one thread. In addition, the threads of OpenMP
#' may occupy a processor for some milliseconds after their work has ended. The environment variable
#' `OMP_WAIT_POLICY=passive`, set before R starts, prevents this; a package cannot set it later. On
#' a machine that is always busy, use `covertree_threads(1)`.
#'
#' @section Errors:
#' Stops if `threads` is not `NULL` or one whole number of at least 1.
#'
#' @section Cost:
#' Constant time and memory.
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

# Sets the least remaining work [s] for which a parallel region is opened. Returns the previous
# value. Tests set 0, to open every region.
region_seconds <- function(seconds) invisible(.Call(r_region_seconds, as.double(seconds)))

.onLoad <- function(libname, pkgname) {
  when_loaded("BiocNeighbors", register_bioc_neighbors)
  detect_fork()
}

# Tells the C code whether the package parallel made this process by a fork. The C code can
# recognize a fork before the loading of this package on Linux only.
detect_fork <- function() {
  if (!"parallel" %in% loadedNamespaces()) return()
  is_child <- get0("isChild", asNamespace("parallel"), mode = "function")
  if (is.function(is_child)) .Call(r_threads_forked, isTRUE(is_child()))
}
