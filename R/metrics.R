#' Metrics
#'
#' The distances by which [cover_tree()] can search, given as `metric`: a name, or an object from
#' one of these functions. [knn_query()], [radius_query()], [recall_of()] and [vecchia_neighbors()]
#' (for numeric columns) accept all of these metrics. Statements on their pages about Euclidean
#' distance hold for all of these metrics, unless a page names an exception. Results are ordered by
#' distance, and equal distances by row. For a distance that an R function computes between objects
#' of any kind, see [metric_function()].
#'
#' With x and y the rows of two points, and sums over their columns j:
#' \describe{
#'   \item{`"euclidean"`}{sqrt(sum (x_j - y_j)^2)}
#'   \item{`"manhattan"`}{sum |x_j - y_j|}
#'   \item{`"maximum"`, `"chebyshev"`}{max |x_j - y_j|}
#'   \item{`metric_minkowski(p)`}{(sum |x_j - y_j|^p)^(1/p)}
#'   \item{`"cosine"`}{1 - cos(x, y), from 0 to 2}
#'   \item{`"angular"`}{the angle between x and y \[radians\], from 0 to pi}
#'   \item{`metric_great_circle()`}{the distance g along the surface of a sphere. Two columns are
#'     longitude and latitude \[degrees\]: the columns with the names `lon`, `long`, `lng` or
#'     `longitude` and `lat` or `latitude`, in upper or lower case; without such names, the first
#'     and the second column. With further columns, such as time, the distance is sqrt(g^2 + sum
#'     ((x_j - y_j) / `scale`_j)^2).}
#'   \item{`metric_periodic(box)`}{sqrt(sum g_j^2), the Euclidean distance on a torus. In a column
#'     with the period L = `box`_j, g_j = min(|x_j - y_j|, L - |x_j - y_j|), with x and y moved into
#'     the same period: the distance of the nearest images. In other columns g_j = |x_j - y_j|.}
#'   \item{`"hamming"`}{the number of columns in which two rows of zeros and ones differ
#'     (scikit-learn and SciPy divide it by the number of columns)}
#'   \item{`"jaccard"`}{for two rows of zeros and ones, the number of columns that differ, divided
#'     by the number of columns in which at least one of the two rows has a 1. Two rows without a 1
#'     have distance 0. A row with a 1 and a row without have distance 1. [stats::dist()] calls this
#'     distance `"binary"`.}
#'   \item{`metric_scaled(metric, scale)`}{the distance by `metric` after each column is divided by
#'     its scale}
#'   \item{`metric_mahalanobis(cov)`}{sqrt((x - y)' `cov`^-1 (x - y))}
#'   \item{`metric_gower()`}{the weighted mean, over columns, of the differences of two rows of a
#'     data frame: |x_j - y_j| / range_j for numeric columns and for the level numbers of ordered
#'     factors; 0 for equal and 1 for different values of factors and logicals. The distance is the
#'     same as in `cluster::daisy(metric = "gower")` with logicals as symmetric variables. range_j
#'     is the range of column j of the tree's points. So the difference to a query outside the range
#'     can exceed 1, and a numeric column or ordered factor with a single value adds 0, also for
#'     queries with another value. With `na = "scan"`, the mean is over the columns in which both
#'     rows have a value.}
#' }
#'
#' @param radius The radius of the sphere; `NULL` for the mean radius of the Earth, 6371.0088 km.
#'   The distances are in the same unit.
#' @param unit The unit of the distances: `"km"`, `"m"`, `"mi"`, `"nmi"`, `"degrees"` or
#'   `"radians"`; with `radius`, a label for printing.
#' @param scale A number above 0, or one for each column (for `metric_great_circle()`: each further
#'   column): the difference that counts as 1. Names, if given, must be the names of the columns.
#' @param metric The metric to scale: `"euclidean"`, `"manhattan"`, `"maximum"`, `"cosine"`,
#'   `"angular"`, or an object from `metric_minkowski()`, `metric_mahalanobis()` or
#'   `metric_scaled()`.
#' @param cov A covariance matrix with a row and a column for each column of the points: symmetric
#'   and positive definite.
#' @param p The exponent, at least 1; 1 is the Manhattan, 2 the Euclidean, `Inf` the maximum
#'   distance.
#' @param box The period of each column, above 0, or one period for all columns; `NA` or `Inf` for
#'   columns that are not periodic. Names, if given, must be the names of the columns.
#' @param na The treatment of missing values (`NA`, `NaN`). `NULL`: missing values are an error,
#'   because with them the Gower coefficient does not obey the triangle inequality. `"scan"`: each
#'   query is compared with all points, by the columns in which both have a value.
#' @param weights The weights of the columns: numbers of at least 0, not all 0; `NULL` for equal
#'   weights. Names, if given, must be the names of the columns.
#'
#' @return An object of class `covertree_metric`. If its elements are edited, the functions that use
#'   it check them again.
#'
#' @seealso `vignette("metrics")` compares the metrics; [metric_function()] makes a metric of an R
#'   function; [residual_correlation()] is the metric of Gaussian processes. [knn_join()],
#'   [knn_predict()] and [knn_graph()] take a metric; [knn_impute()] uses Gower or scaled Euclidean
#'   distance.
#'
#' @section Coordinates:
#' The tree is built over coordinates from which the distance is computed:
#' \itemize{
#'   \item `"manhattan"`, `"maximum"`, `metric_minkowski()`, `"hamming"`: the columns of the points;
#'   \item `"cosine"`, `"angular"`: rows divided by their length;
#'   \item `"jaccard"`: rows divided by their length, with a last column for rows without a 1;
#'   \item `metric_great_circle()`: unit vectors, then further columns divided by their scales;
#'   \item `metric_scaled()`: the coordinates of the inner metric for columns divided by their
#'     scales;
#'   \item `metric_mahalanobis()`: R'^-1 x for the Cholesky factor `cov` = R' R;
#'   \item `metric_gower()`: columns times their weight and divided by their range, and an indicator
#'     for each level of a factor (one indicator for two levels); 0 in place of missing values;
#'   \item `metric_periodic()`: for each periodic column two coordinates on a circle of
#'     circumference L, then the other columns, then the periodic columns times 2^-40, from which
#'     distances are computed.
#' }
#'
#' [tree_arrays()] returns these coordinates; its elements `radius` and `level` and
#' [validate_tree()] refer to their Euclidean distance. `as.matrix()` of the tree returns the points
#' as given, or `as.matrix()` of the data frame. A tree from [cover_tree_from_arrays()] is
#' Euclidean.
#'
#' @section Precision and ties:
#' Distances by `"euclidean"`, `"manhattan"` and `"maximum"` are defined as in [stats::dist()], and
#' summed in the order of the columns. Cosine distances are computed from the differences of rows
#' divided by their length, which keeps full precision at small angles. By rounding, a cosine
#' distance can exceed 2 by about 1e-15. The relative error of a Mahalanobis distance is about 1e-16
#' times the condition number of `cov`. Great-circle distances are computed from the differences and
#' sums of unit vectors, which keeps full precision at small distances and near antipodes. The error
#' of the unit vectors is about 1 nm on the Earth. A pole is one point for all longitudes, and
#' longitudes of -180 and 180 degrees are equal. Values of a periodic column within one period from
#' the least value of the tree's points are not rounded. Queries beyond are moved by whole periods,
#' with the rounding error of this difference. Squares are added in the order of the columns,
#' periodic columns first. Hamming distances are exact counts, and Jaccard distances are quotients
#' of counts, rounded once: equal distances are frequent.
#'
#' If distances that are equal in exact arithmetic differ in the last digits by rounding, the
#' computed values decide their order.
#'
#' All answers are the same bit for bit for any number of threads, layout of the tree and
#' instruction set. Sines, cosines and powers come from R and the C library, and the Cholesky factor of
#' `cov` from LAPACK. So coordinates on the sphere or on circles, and Minkowski and Mahalanobis
#' distances, may differ in the last digits between machines.
#'
#' @section Cost:
#' The times are relative to a Euclidean search in the same number of columns.
#' \itemize{
#'   \item `"manhattan"`, `"maximum"`: up to about 1.5 times as long.
#'   \item `"cosine"`, `"angular"`, `metric_great_circle()`, scaled and Mahalanobis distance: little
#'     longer.
#'   \item `metric_minkowski()`: about 10 times as long in 3 columns, and 20 to 50 times in 8. In
#'     32 columns, the search compares half of all pairs or more. The reasons are powers, and bounds
#'     by the Euclidean distance that are loose for many columns and p far from 2.
#'   \item `metric_gower()`: as a Manhattan search in as many dimensions as there are columns and
#'     levels.
#'   \item `metric_periodic()`: as a Euclidean search in up to three times as many dimensions.
#'   \item `"hamming"`: as a Manhattan search; `"jaccard"`: as a Euclidean search. If the tree
#'     excludes few points, as for many columns, a search of at least 1,024 queries compares all
#'     pairs instead, 64 columns at a time. So does `search = "scan"` of [knn_control()], and a
#'     [radius_query()] of at least 64 queries in more than 64 columns. The tree takes 8 bytes for
#'     each value.
#' }
#'
#' With `metric_gower(na = "scan")`, each query is compared with all points, O(n d). Results are
#' exact, also with `recall` below 1 or `epsilon` above 0; a `budget` is an error. Two rows without
#' a column in which both have a value have no distance (`NA` in `cluster::daisy()`) and are no
#' neighbors. So a query may have fewer than k neighbors; the remaining entries are `NA`.
#'
#' @section Errors:
#' Stops if
#' \itemize{
#'   \item an argument is outside its range, such as a p below 1, a scale of 0, a period of 0 or a
#'     `cov` that is not positive definite, or singular up to rounding;
#'   \item the number of scales, periods, weights or rows of `cov` is not that of the columns;
#'   \item longitudes are not within -360 and 720 or latitudes not within -90 and 90; or only one of
#'     the two is identified by its name, and its column is in the place of the other;
#'   \item the range of a periodic column of the tree's points exceeds the period (queries may be
#'     outside);
#'   \item a value for `"hamming"` or `"jaccard"` is other than 0, 1, `FALSE` or `TRUE`;
#'   \item a row to be divided by its length is zero;
#'   \item squared distances would leave the range of doubles; see [cover_tree()];
#'   \item for `metric_gower()`, a value is infinite, or missing without `na = "scan"`, or a factor
#'     of a query has a level that the tree's factor does not have.
#' }
#'
#' @examples
#' places <- data.frame(lon = c(13.4, 2.35, -0.13, -179.9, 179.9), lat = c(52.5, 48.9, 51.5, 10, 10))
#' tree <- cover_tree(places, metric = metric_great_circle())
#' tree
#' knn_query(tree, k = 1)$distance
#'
#' knn_query(cover_tree(quakes[, 1:3], metric = metric_scaled("manhattan", c(1, 1, 50))), k = 2)
#'
#' knn_query(cover_tree(iris, metric = metric_gower()), iris[c(1, 51), ], k = 3)
#' knn_query(cover_tree(airquality, metric = metric_gower(na = "scan")), k = 2)
#'
#' hours <- cbind(time = c(23.5, 0.25, 12), temperature = c(10, 11, 20))
#' knn_query(cover_tree(hours, metric = metric_periodic(c(24, NA))), k = 1)
#'
#' words <- c("tree", "treat", "street", "cover")
#' letters_in <- sapply(letters, grepl, words)
#' knn_query(cover_tree(letters_in, metric = "jaccard"), k = 1)
#' @name metrics
#' @order 1
NULL

new_metric <- function(kind, ...) structure(list(kind = kind, ...), class = "covertree_metric")

is_metric <- function(metric) inherits(metric, "covertree_metric")

is_function_metric <- function(metric) inherits(metric, "covertree_metric_function")

is_residual <- function(metric) inherits(metric, "covertree_residual_correlation")

is_gower <- function(metric) is_metric(metric) && metric$kind == "gower"

metric_names <- c("euclidean", "manhattan", "maximum", "chebyshev", "cosine", "angular", "hamming",
                  "jaccard")

# The elements of a covertree_metric besides `kind`.
metric_elements <- list(euclidean = NULL, manhattan = NULL, maximum = NULL, cosine = NULL,
                        angular = NULL, hamming = NULL, jaccard = NULL, minkowski = "exponent",
                        scaled = c("inner", "scale"), great_circle = c("radius", "unit", "scale"),
                        mahalanobis = c("cov", "factor", "columns"), periodic = "box",
                        gower = c("weights", "na"))

# Returns NULL for Euclidean distance, or a valid covertree_metric, metric_function() or
# residual_correlation().
check_metric <- function(metric) {
  if (is.null(metric) || identical(metric, "euclidean")) return(NULL)
  if (is_residual(metric)) return(check_residual(metric))
  if (is_function_metric(metric)) return(check_metric_function(metric))
  if (is.character(metric) && length(metric) == 1 && metric %in% metric_names) {
    return(new_metric(if (metric == "chebyshev") "maximum" else metric))
  }
  if (!is_metric(metric)) {
    fail("metric must be %s, a residual_correlation() or an object of ?metrics: got %s%s",
         paste0("\"", metric_names, "\"", collapse = ", "), describe(metric), metric_advice(metric))
  }
  metric <- check_elements(metric)
  if (metric$kind != "euclidean") metric
}

# Other names of metrics, and the names of functions that make a metric.
metric_synonyms <- c(l1 = "manhattan", cityblock = "manhattan", taxicab = "manhattan", l2 = "euclidean",
                     linf = "maximum", binary = "jaccard", cosinesimil = "cosine")
metric_makers <- c(great_circle = "great_circle", haversine = "great_circle", geodesic = "great_circle",
                   minkowski = "minkowski", mahalanobis = "mahalanobis", periodic = "periodic", scaled = "scaled",
                   gower = "gower")

# Returns the end of a message about a value that is no metric: advice for the user.
metric_advice <- function(value) {
  if (is.function(value)) return("; metric_function() makes a metric of a function")
  if (inherits(value, "covertree_kernel")) return("; use residual_correlation(kernel)")
  if (!is.character(value) || length(value) != 1 || is.na(value)) return("")
  name <- tolower(sub("^metric_", "", value))
  if (name %in% metric_names) return(sprintf("; use \"%s\"", name))
  if (name %in% names(metric_synonyms)) return(sprintf("; use \"%s\"", metric_synonyms[[name]]))
  if (name %in% names(metric_makers)) return(sprintf("; use metric_%s()", metric_makers[[name]]))
  ""
}

# Returns a valid covertree_metric. Its elements are checked again, because a user may have edited
# them.
check_elements <- function(metric) {
  parts <- if (is.list(metric)) unclass(metric)
  kind <- parts[["kind", exact = TRUE]]
  if (!is.character(kind) || length(kind) != 1 || !kind %in% names(metric_elements)) {
    fail("metric must be an object of ?metrics: got the kind %s", describe(kind))
  }
  check_parts(parts, c("kind", metric_elements[[kind]]), "metric", "an object of ?metrics")
  within_argument("metric", switch(kind,
    minkowski = metric_minkowski(parts$exponent),
    scaled = metric_scaled(parts$inner, parts$scale),
    great_circle = check_great_circle(parts$radius, parts$unit, parts$scale),
    mahalanobis = metric_mahalanobis(with_columns(parts$cov, parts$columns)),
    periodic = metric_periodic(parts$box),
    gower = metric_gower(parts$weights, parts$na),
    metric
  ))
}

with_columns <- function(cov, names) {
  if (!is.null(names)) colnames(cov) <- names
  cov
}

earth_radius <- c(km = 6371.0088, m = 6371008.8, mi = 6371.0088 / 1.609344, nmi = 6371.0088 / 1.852,
                  degrees = 180 / pi, radians = 1)

#' @rdname metrics
#' @export
metric_great_circle <- function(radius = NULL, unit = "km", scale = 1) {
  if (is.null(radius)) radius <- earth_radius[[check_choice(unit, names(earth_radius), "unit")]]
  check_great_circle(radius, unit, scale)
}

check_great_circle <- function(radius, unit, scale) {
  if (!is_number(radius) || !is.finite(radius) || radius < 1e-100 || radius > 1e100) {
    fail("radius must be NULL or one number from 1e-100 to 1e100: got %s", describe(radius))
  }
  if (!is.character(unit) || length(unit) != 1 || is.na(unit)) {
    fail("unit must be one string: got %s", describe(unit))
  }
  new_metric("great_circle", radius = as.double(radius), unit = unit, scale = check_scale(scale))
}

check_scale <- function(scale) {
  if (!is_numeric(scale) || length(scale) == 0 || !is.null(dim(scale))) {
    fail("scale must be one finite number above 0, or one for each column: got %s", describe(scale))
  }
  wrong <- which(!is.finite(scale) | scale <= 0)
  if (length(wrong) > 0) {
    fail("scale must be finite and above 0: element %d is %s", wrong[1], format(scale[wrong[1]]))
  }
  stats::setNames(as.double(scale), names(scale))
}

#' @rdname metrics
#' @export
metric_scaled <- function(metric, scale) {
  if (missing(metric)) fail("metric must be a name or an object of ?metrics: got nothing")
  if (missing(scale)) fail("scale must be one finite number above 0, or one for each column: got nothing")
  inner <- check_metric(metric)
  if (is.null(inner)) inner <- new_metric("euclidean")
  if (!is_metric(inner) || inner$kind %in% c("great_circle", "gower", "hamming", "jaccard", "periodic")) {
    fail("metric must be one that metric_scaled() can scale: got %s",
         if (is_metric(inner)) paste("the", metric_label(inner)) else describe(inner))
  }
  new_metric("scaled", inner = inner, scale = check_scale(scale))
}

#' @rdname metrics
#' @export
metric_mahalanobis <- function(cov) {
  if (missing(cov) || !is.matrix(cov) || !is_numeric(cov) || nrow(cov) != ncol(cov) || nrow(cov) == 0) {
    fail("cov must be a square numeric matrix: got %s",
         if (missing(cov)) "nothing" else if (is.matrix(cov) && is_numeric(cov)) {
           paste(dim(cov), collapse = " x ")
         } else describe(cov))
  }
  names <- colnames(cov)
  cov <- matrix(as.double(cov), nrow(cov))
  check_finite(cov, "cov")
  if (!isSymmetric(cov)) fail("cov must be symmetric: got a matrix that differs from its transpose")
  factor <- tryCatch(chol(cov), error = function(e) NULL)
  if (is.null(factor)) fail("cov must be positive definite: got a matrix without a Cholesky factor")
  # The share of the variance of a column that earlier columns leave; below 10 eps it is rounding error.
  dependent <- which(diag(factor)^2 <= 10 * .Machine$double.eps * diag(cov))
  if (length(dependent) > 0) {
    fail("cov must be positive definite: column %d is a linear combination of the columns before it",
         dependent[1])
  }
  new_metric("mahalanobis", cov = cov, factor = factor, columns = names)
}

#' @rdname metrics
#' @export
metric_minkowski <- function(p) {
  if (missing(p) || !is_number(p) || is.na(p) || p < 1) {
    fail("p must be one number of at least 1: got %s", if (missing(p)) "nothing" else describe(p))
  }
  if (p == 1) return(new_metric("manhattan"))
  if (p == 2) return(new_metric("euclidean"))
  if (p == Inf) return(new_metric("maximum"))
  new_metric("minkowski", exponent = as.double(p))
}

#' @rdname metrics
#' @export
metric_periodic <- function(box) {
  of_type <- !missing(box) && (is_numeric(box) || is.logical(box) && all(is.na(box)))
  if (!of_type || length(box) == 0 || !is.null(dim(box))) {
    fail("box must be a period above 0 for each column, NA for a column that is not periodic: got %s",
         if (missing(box)) "nothing" else describe(box))
  }
  wrong <- which(!is.na(box) & (box <= 0 | box < narrowest))
  if (length(wrong) > 0) {
    fail("box must have periods of at least %g: element %d is %s", narrowest, wrong[1], format(box[wrong[1]]))
  }
  box[is.infinite(box)] <- NA
  if (all(is.na(box))) fail("box must have a finite period: got none")
  new_metric("periodic", box = stats::setNames(as.double(box), names(box)))
}

# Numbers for printing: all, or the first four and the last.
few_values <- function(values) {
  texts <- vapply(values, format, "")
  if (length(texts) > 6) texts <- c(texts[1:4], "...", texts[length(texts)])
  toString(texts)
}

metric_label <- function(metric) {
  switch(metric$kind,
    euclidean = "Euclidean distance",
    manhattan = "Manhattan distance",
    maximum = "maximum distance",
    minkowski = sprintf("Minkowski distance of p = %s", format(metric$exponent)),
    cosine = "cosine distance",
    angular = "angular distance",
    great_circle = sprintf("great-circle distance [%s, radius %s]", metric$unit,
                           format(metric$radius, digits = 8)),
    scaled = sprintf("%s of columns divided by %s", metric_label(metric$inner),
                     few_values(metric$scale)),
    mahalanobis = "Mahalanobis distance",
    hamming = "Hamming distance",
    jaccard = "Jaccard distance",
    periodic = sprintf("Euclidean distance with periods %s", few_values(metric$box)),
    gower = paste0(if (is.null(metric$weights)) "Gower distance" else "weighted Gower distance",
                   if (identical(metric$na, "scan")) " over common columns")
  )
}

#' @export
format.covertree_metric <- function(x, ...) sprintf("<%s>", metric_label(x))

#' @export
print.covertree_metric <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}
