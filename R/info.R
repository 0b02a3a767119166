#' What the package runs on
#'
#' Tells which instruction set the package uses, how many threads, and whether it
#' was built with OpenMP.
#'
#' @return A list of class `covertree_info`: `version`; `simd`, the instruction
#'   set in use; `simd_available`, those that this processor has, the best one
#'   last; `openmp`; `threads`, the default of [covertree_threads()].
#'
#' @section Instruction sets:
#' The best set that the processor has is chosen at run time. The option
#' `covertree.simd` or, failing that, the environment variable `COVERTREE_SIMD`
#' forces another of those available, to measure or to test: `"base"` (available
#' everywhere), `"avx2"` or `"avx512"` (x86-64), `"neon"` (64-bit ARM: Apple silicon,
#' Graviton). Results are the same bit for bit, on all processors. 32-bit x86 needs SSE2.
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

# The number of the instruction set to use among those available.
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
