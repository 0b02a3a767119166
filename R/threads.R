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
#' packages, than two. A process made by `parallel::mclapply()` uses one,
#' because OpenMP does not survive a fork. Without OpenMP there is always one.
#' The setting concerns this package only: OpenMP's own is left alone.
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
