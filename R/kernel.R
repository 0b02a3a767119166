#' Covariance functions
#'
#' Kernels of Gaussian processes, for [residual_correlation()]. Let r be the Euclidean distance of
#' two points after their coordinates are divided by `lengthscale`. Their covariance is `variance`
#' times
#' \describe{
#'   \item{`kernel_rbf()`}{exp(-r^2 / 2)}
#'   \item{`kernel_exponential()`}{exp(-r)}
#'   \item{`kernel_matern32()`}{(1 + a) exp(-a), a = sqrt(3) r}
#'   \item{`kernel_matern52()`}{(1 + a + a^2 / 3) exp(-a), a = sqrt(5) r}
#' }
#'
#' `kernel_custom()` takes the correlation as an R function of r^2.
#'
#' @param f A function of a vector of squared distances r^2 that returns the vector of the
#'   correlations, accurate to rounding: f(0) must be 1, and all values must be from -1 to 1. The
#'   covariance is `variance` times f(r^2). It must be positive definite in as many dimensions as
#'   the data have.
#' @param variance The variance of the process: one finite number above 0.
#' @param lengthscale The distance over which the process varies, in the units of the coordinates:
#'   one finite number above 0, or one for each coordinate (automatic relevance determination).
#'
#' @return An object of class `covertree_kernel`. If its elements are edited, the functions that use
#'   it check them again.
#'
#' @section A kernel from a function:
#' A search with `kernel_custom()` is exact, also with `recall` below 1, and stops if `budget` is
#' given. The search knows no bound of `f` that excludes a point, so each query is compared with all
#' points or predecessors. The search calls `f` on the main thread, for about a million pairs in
#' each call, and for n^2 pairs in total (half of them with `predecessor = TRUE`). Threads share the
#' multiplications by the factors of the inducing points. The built-in kernels are many times
#' faster. The tree keeps `f` with its environment.
#'
#' @section Errors:
#' Stops if `variance` or `lengthscale` is not as described. `kernel_custom()` also stops if `f` is
#' not a function of one argument or f(0) is not 1. Each use of `f` stops if its value has another length than its
#' argument or is not a number from -1 to 1. An error in `f` is passed on unchanged.
#'
#' @section Other parametrizations:
#' In \pkg{GpGp}, `matern15_isotropic` and `matern25_isotropic` divide the distance by their range,
#' without the factor sqrt(3) or sqrt(5). A range of l there is a `lengthscale` of sqrt(3) l or
#' sqrt(5) l here. `exponential_isotropic` has the same form as `kernel_exponential()`. All of this
#' also holds for the functions with several ranges (`_scaledim`), and on the sphere, where ranges
#' are in units of its radius. The nugget of \pkg{GpGp} is a multiple of the variance; the nugget of
#' [residual_correlation()] is itself a variance.
#'
#' @references
#' Rasmussen, C. E. and Williams, C. K. I. (2006). *Gaussian Processes for Machine
#' Learning*, chapter 4. MIT Press.
#'
#' @examples
#' kernel_matern52(variance = 2, lengthscale = c(0.5, 3))
#'
#' # A rational quadratic kernel.
#' rational <- kernel_custom(function(h2) (1 + h2 / 4)^-2, lengthscale = 0.2)
#' x <- matrix(runif(400), ncol = 2)
#' tree <- cover_tree(x, metric = residual_correlation(rational, inducing = 20))
#' knn_query(tree, k = 3, predecessor = TRUE)
#' @name kernels
NULL

kernel_kinds <- c("rbf", "exponential", "matern32", "matern52")

new_kernel <- function(kind, variance, lengthscale) {
  if (!is_number(variance) || !is.finite(variance) || variance <= 0) {
    fail("variance must be one finite number above 0: got %s", describe(variance))
  }
  if (!is_numeric(lengthscale) || length(lengthscale) == 0 || !is.null(dim(lengthscale))) {
    fail("lengthscale must be one finite number above 0, or one for each column: got %s",
         describe(lengthscale))
  }
  wrong <- which(!is.finite(lengthscale) | lengthscale <= 0)
  if (length(wrong) > 0) {
    fail("lengthscale must be finite and above 0: element %d is %s", wrong[1],
         format(lengthscale[wrong[1]]))
  }
  structure(list(kind = kind, variance = as.double(variance), lengthscale = as.double(lengthscale)),
            class = "covertree_kernel")
}

# A valid kernel. Its elements are checked again, because a user may have edited them.
check_kernel <- function(kernel) {
  if (!inherits(kernel, "covertree_kernel")) {
    fail("kernel must be a kernel, such as kernel_matern32(): got %s", describe(kernel))
  }
  parts <- if (is.list(kernel)) unclass(kernel)
  custom <- identical(parts[["kind", exact = TRUE]], "custom")
  check_parts(parts, c("kind", "variance", "lengthscale", if (custom) "f"), "kernel", "a kernel")
  within_argument("kernel", {
    if (custom) new_custom_kernel(parts$f, parts$variance, parts$lengthscale)
    else new_kernel(check_choice(parts$kind, kernel_kinds, "kind"), parts$variance, parts$lengthscale)
  })
}

#' @rdname kernels
#' @export
kernel_rbf <- function(variance = 1, lengthscale = 1) new_kernel("rbf", variance, lengthscale)

#' @rdname kernels
#' @export
kernel_exponential <- function(variance = 1, lengthscale = 1) {
  new_kernel("exponential", variance, lengthscale)
}

#' @rdname kernels
#' @export
kernel_matern32 <- function(variance = 1, lengthscale = 1) {
  new_kernel("matern32", variance, lengthscale)
}

#' @rdname kernels
#' @export
kernel_matern52 <- function(variance = 1, lengthscale = 1) {
  new_kernel("matern52", variance, lengthscale)
}

# Covariances from the squares of the distances of points divided by the lengthscale.
covariance_of <- function(kernel, squares) {
  r <- sqrt(squares)
  kernel$variance * switch(kernel$kind,
    rbf = exp(-squares / 2),
    exponential = exp(-r),
    matern32 = (1 + sqrt(3) * r) * exp(-sqrt(3) * r),
    matern52 = (1 + sqrt(5) * r + 5 / 3 * squares) * exp(-sqrt(5) * r),
    custom = custom_correlation(kernel$f, squares)
  )
}

#' @export
format.covertree_kernel <- function(x, ...) {
  x <- check_kernel(x)
  sprintf("<%s kernel: variance %s, lengthscale %s>", x$kind, format(x$variance),
          few_values(x$lengthscale))
}

#' @export
print.covertree_kernel <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}
