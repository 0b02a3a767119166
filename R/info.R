#' Instruction set, threads and OpenMP
#'
#' Reports which instruction set the package uses, how many threads, and whether it was built with
#' OpenMP.
#'
#' @return A list of class `covertree_info`:
#'   \describe{
#'     \item{`version`}{string: the version of the package}
#'     \item{`simd`}{string: the instruction set in use}
#'     \item{`simd_available`}{character vector: the instruction sets of this processor that the
#'       package supports, the best one last}
#'     \item{`openmp`}{whether the package was built with OpenMP}
#'     \item{`threads`}{integer: the default of [covertree_threads()]}
#'   }
#'
#' @section Instruction sets:
#' The package chooses the best available instruction set at run time: `"base"` (on every
#' processor), `"avx2"` or `"avx512"` (x86-64), or `"neon"` (64-bit ARM). The option
#' `covertree.simd` or, if it is not set, the environment variable `COVERTREE_SIMD` selects another
#' available set, for measurements and tests. The results have the same bits for every instruction
#' set. On 32-bit x86 the package needs SSE2.
#'
#' @section Errors:
#' Stops if the option or the environment variable names an instruction set that is not available.
#' All functions that use vector instructions then stop with the same message.
#'
#' @section Cost:
#' Constant time and memory.
#'
#' @examples
#' covertree_info()
#' old <- options(covertree.simd = "base")
#' covertree_info()$simd
#' options(old)
#' @export
covertree_info <- function() {
  available <- .Call(r_simd_levels)
  structure(
    list(version = as.character(utils::packageVersion("covertree")), simd = available[simd_level()],
         simd_available = available, openmp = .Call(r_has_openmp), threads = covertree_threads()),
    class = "covertree_info"
  )
}

#' @export
print.covertree_info <- function(x, ...) {
  cat(sprintf("covertree %s, %s (of %s), %d thread%s, %s OpenMP\n", x$version, x$simd,
              paste(x$simd_available, collapse = ", "), x$threads, plural(x$threads),
              if (x$openmp) "with" else "without"))
  invisible(x)
}

# Returns the index of the instruction set to use among the available ones, from 1.
simd_level <- function() {
  available <- .Call(r_simd_levels)
  wanted <- getOption("covertree.simd")
  from <- "option covertree.simd"
  if (is.null(wanted)) {
    wanted <- Sys.getenv("COVERTREE_SIMD")
    from <- "environment variable COVERTREE_SIMD"
    if (!nzchar(wanted)) return(length(available))
  }
  match(check_choice(wanted, available, from), available)
}
