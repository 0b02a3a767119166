#' Exact neighbors for functions of BiocNeighbors
#'
#' Makes the functions of the Bioconductor package \pkg{BiocNeighbors} search with a [cover_tree()].
#' Every function with an argument `BNPARAM` takes the object, also functions of other packages:
#'
#' ```
#' bluster::makeSNNGraph(x, k = 10, BNPARAM = CovertreeParam())
#' bluster::clusterRows(x, bluster::NNGraphParam(BNPARAM = CovertreeParam()))
#' scran::buildSNNGraph(sce, use.dimred = "PCA", BNPARAM = CovertreeParam())
#' ```
#'
#' @param distance The distance: `"Euclidean"`, `"Manhattan"` or `"Cosine"`. As in
#'   \pkg{BiocNeighbors}, `"Cosine"` is the Euclidean distance of the points after each is divided
#'   by its length: sqrt(2 (1 - cos)). The metric `"cosine"` of [cover_tree()] is 1 - cos.
#' @param threads The number of threads of a search or a build. `NULL`: the number of workers of
#'   the argument `BPPARAM`, or the argument `num.threads`, of the function that searches; 1 if it
#'   has neither. A search uses threads only, and starts no process.
#'
#' @return An S4 object of class `CovertreeParam`, which extends the class `BiocNeighborParam`.
#'   `buildIndex(x, BNPARAM = CovertreeParam())` returns an object of class `CovertreeIndex`, which
#'   extends `BiocNeighborIndex`. It contains a tree, and can be saved with [saveRDS()].
#'
#' @details
#' The generic functions of \pkg{BiocNeighbors} return what its own exact parameters
#' (`KmknnParam()`, `VptreeParam()`) return, except that
#' \itemize{
#'   \item equal distances are ordered by row. So there is no warning about ties, and `warn.ties`
#'     has no effect;
#'   \item the neighbors of `findNeighbors()` and `queryNeighbors()` are ordered by distance. The
#'     own point, which `findNeighbors()` includes in versions before 2.0, is the first;
#'   \item the index keeps the order of the points, so `raw.index` has no effect;
#'   \item column names are ignored, and missing or infinite values are an error.
#' }
#'
#' The two classes and their methods are defined when both packages are loaded, in either order.
#' There are methods for the functions of \pkg{BiocNeighbors} 1.16, for those of 2.0 and for those
#' of 2.6 and later. Since 2.0, other packages can also search an index from C++, with a builder
#' from `defineBuilder()`. The tree cannot be searched in this way: `defineBuilder()` is an error.
#' `findDistance()` and `queryDistance()` exist since 2.0.
#'
#' @section Errors:
#' Stops if `distance` is not one of the three; if `threads` is not `NULL` or a whole number of at
#' least 1; and if \pkg{BiocNeighbors} is not installed, or has a version with other classes. The
#' functions of \pkg{BiocNeighbors} stop if the points or queries are not as [cover_tree()] and
#' [knn_query()] need them, if a point has only zeros and the distance is `"Cosine"`, and if
#' `subset` has a row that does not exist.
#'
#' @section Cost:
#' The cost of [cover_tree()], once for each index, and of [knn_query()] or [radius_query()], and a
#' copy of the points. If `threshold` has several values, the search finds the neighbors within the
#' largest, and drops those beyond the others.
#'
#' @seealso [as_neighbors()] converts a result of [knn_query()] to the lists of
#'   \pkg{BiocNeighbors}.
#'
#' @references
#' Lun, A. (2018). BiocNeighbors: Nearest neighbor detection for Bioconductor packages. R package.
#' \doi{10.18129/B9.bioc.BiocNeighbors}
#'
#' @examples
#' if (requireNamespace("BiocNeighbors", quietly = TRUE)) {
#'   x <- as.matrix(quakes[, 1:3])
#'   str(BiocNeighbors::findKNN(x, k = 5, BNPARAM = CovertreeParam()))
#'
#'   BiocNeighbors::queryKNN(x, x[1:2, ] + 0.1, k = 3, BNPARAM = CovertreeParam("Manhattan"))
#' }
#' @aliases CovertreeParam-class CovertreeIndex-class
#' @export
CovertreeParam <- function(distance = c("Euclidean", "Manhattan", "Cosine"), threads = NULL) {
  distance <- check_choice(distance, c("Euclidean", "Manhattan", "Cosine"), "distance")
  threads <- as.integer(check_threads(threads))
  need_package("BiocNeighbors", "CovertreeParam()")
  if (is.null(methods::getClassDef("CovertreeParam"))) {
    fail("CovertreeParam() does not support version %s of BiocNeighbors", getNamespaceVersion("BiocNeighbors"))
  }
  methods::new("CovertreeParam", distance = distance, threads = threads)
}

# ---- classes and methods ------------------------------------------------------------------------

# Calls `register` if the package is loaded, and whenever it is loaded later. An error becomes a
# warning, so that both packages can be loaded.
when_loaded <- function(package, register) {
  call <- function(...) {
    tryCatch(register(), error = function(e) {
      warning(sprintf("covertree has no methods for package %s: %s", package, conditionMessage(e)), call. = FALSE)
    })
  }
  if (isNamespaceLoaded(package)) call()
  setHook(packageEvent(package, "onLoad"), call)
}

# Defines the classes, which extend classes of BiocNeighbors, and their methods. They are in an
# environment of their own, because the namespace of this package may already be locked.
register_bioc_neighbors <- function() {
  where <- new.env(parent = topenv())
  assign(".packageName", "covertree", where)
  methods::setClass("CovertreeParam", contains = "BiocNeighborParam", slots = c(threads = "integer"),
                    where = where)
  methods::setClass("CovertreeIndex", contains = "BiocNeighborIndex", where = where,
                    slots = c(tree = "ANY", distance = "character", threads = "integer", rownames = "ANY"))
  exports <- getNamespaceExports("BiocNeighbors")
  define <- if ("findKnnFromIndex" %in% exports) methods_since_2_6
            else if ("defineBuilder" %in% exports) methods_since_2_0
            else methods_before_2_0
  define(function(generic, signature, to, ...) {
    generic <- if (generic %in% exports) getExportedValue("BiocNeighbors", generic) else generic
    method <- if (is.function(to)) to else method_for(generic, to, ...)
    methods::setMethod(generic, signature, method, where = where)
  })
}

# Returns a function with the arguments of a generic function. It calls the function `to` with the
# arguments in `...`, which are expressions, and those of the generic, except the points, the index
# and the parameter.
method_for <- function(generic, to, ...) {
  arguments <- setdiff(names(formals(generic)), c("X", "BNINDEX", "BNPARAM", "..."))
  call <- as.call(c(to, list(...), sapply(arguments, as.name), quote(...)))
  as.function(c(formals(generic), call), envir = topenv())
}

methods_before_2_0 <- function(set) {
  set("buildIndex", "CovertreeParam", quote(bioc_index), quote(X), quote(BNPARAM))
  searches <- list(findKNN = quote(bioc_find_knn), queryKNN = quote(bioc_query_knn),
                   findNeighbors = quote(bioc_find_neighbors_and_self),
                   queryNeighbors = quote(bioc_query_neighbors))
  for (generic in names(searches)) {
    index <- if (startsWith(generic, "query")) quote(bioc_index_for_query(X, BNPARAM, ...))
             else quote(bioc_index(X, BNPARAM, ...))
    set(generic, c("missing", "CovertreeParam"), searches[[generic]], index)
    set(generic, c("CovertreeIndex", "ANY"), searches[[generic]], quote(BNINDEX))
  }
  set("bndata", "CovertreeIndex", function(x) t(as.matrix(x@tree)))
  set("bnorder", "CovertreeIndex", function(x) seq_len(length(x@tree)))
  set("dim", "CovertreeIndex", function(x) dim(x@tree))
  set("dimnames", "CovertreeIndex", function(x) list(x@rownames, NULL))
}

methods_since_2_0 <- function(set) {
  set("buildIndex", c("ANY", "CovertreeParam"), quote(bioc_index), quote(X), quote(BNPARAM))
  # More specific than the method for a matrix and any parameter of BiocNeighbors.
  set("buildIndex", c("matrix", "CovertreeParam"), quote(bioc_index), quote(X), quote(BNPARAM))
  set("defineBuilder", "CovertreeParam", refuse_builder)
  searches <- list(findKNN = quote(bioc_find_knn), queryKNN = quote(bioc_query_knn),
                   findNeighbors = quote(bioc_find_neighbors), queryNeighbors = quote(bioc_query_neighbors),
                   findDistance = quote(bioc_find_distance), queryDistance = quote(bioc_query_distance))
  for (generic in names(searches)) {
    set(generic, c("CovertreeIndex", "ANY"), searches[[generic]], quote(X))
  }
}

methods_since_2_6 <- function(set) {
  set("buildIndex", "CovertreeParam", quote(bioc_index), quote(X), quote(BNPARAM))
  set("defineBuilder", "CovertreeParam", refuse_builder)
  searches <- list(findKnnFromIndex = quote(bioc_find_knn), queryKnnFromIndex = quote(bioc_query_knn),
                   findNeighborsFromIndex = quote(bioc_find_neighbors),
                   queryNeighborsFromIndex = quote(bioc_query_neighbors),
                   findDistanceFromIndex = quote(bioc_find_distance),
                   queryDistanceFromIndex = quote(bioc_query_distance))
  for (generic in names(searches)) {
    set(generic, "CovertreeIndex", searches[[generic]], quote(BNINDEX))
  }
}

refuse_builder <- function(BNPARAM) {
  fail(paste("BNPARAM must be a parameter of BiocNeighbors for a search from C++: got a CovertreeParam, which",
             "only R functions can search; use BiocNeighbors::KmknnParam() or VptreeParam()"))
}

# ---- searches -----------------------------------------------------------------------------------

# The functions below have the arguments of the functions of BiocNeighbors, whose help pages
# describe them. An argument of an older or a later version has the same default as there.

# Returns the index of the points X. `...`: arguments for the search that follows.
bioc_index <- function(X, BNPARAM, transposed = FALSE, ..., num.threads = NULL, BPPARAM = NULL) {
  points <- bioc_points(X, transposed, BNPARAM@distance, "X")
  tree <- naming("x", "X", cover_tree(points, if (BNPARAM@distance == "Manhattan") "manhattan" else "euclidean",
                                      threads = bioc_threads(BNPARAM, num.threads, BPPARAM)))
  methods::new("CovertreeIndex", tree = tree, distance = BNPARAM@distance, threads = BNPARAM@threads,
               rownames = if (transposed) colnames(X) else rownames(X))
}

# Before version 2.0, `transposed` of a query does not refer to X.
bioc_index_for_query <- function(X, BNPARAM, ..., transposed) bioc_index(X, BNPARAM, ...)

# Returns points as a matrix without names, a row for each point.
bioc_points <- function(x, transposed, distance, what) {
  if (!is.matrix(x)) x <- as.matrix(x)
  if (transposed) x <- t(x)
  x <- unname(x)
  if (distance == "Cosine") unit_rows(check_points(x, what, empty = what == "query"), what) else x
}

# x: a CovertreeParam or a CovertreeIndex.
bioc_threads <- function(x, num.threads, BPPARAM) {
  if (length(x@threads) > 0) return(x@threads)
  if (!is.null(BPPARAM)) return(getExportedValue("BiocParallel", "bpnworkers")(BPPARAM))
  if (is.null(num.threads)) 1L else num.threads
}

bioc_find_knn <- function(index, k, get.index = TRUE, get.distance = TRUE, num.threads = NULL, subset = NULL,
                          last = max(k), BPPARAM = NULL, transposed = FALSE, warn.ties = TRUE,
                          raw.index = FALSE, .check.nonfinite = TRUE) {
  found <- bioc_knn(index, k, NULL, subset, bioc_threads(index, num.threads, BPPARAM))
  bioc_parts(last_columns(found, last), get.index, get.distance)
}

bioc_query_knn <- function(index, query, k, get.index = TRUE, get.distance = TRUE, num.threads = NULL,
                           subset = NULL, transposed = FALSE, last = max(k), BPPARAM = NULL,
                           warn.ties = TRUE, raw.index = FALSE, .check.nonfinite = TRUE) {
  query <- bioc_query(index, query, subset, transposed)
  found <- bioc_knn(index, k, query, NULL, bioc_threads(index, num.threads, BPPARAM))
  bioc_parts(last_columns(found, last), get.index, get.distance)
}

bioc_find_distance <- function(index, k, num.threads = NULL, subset = NULL, BPPARAM = NULL,
                               transposed = FALSE, .check.nonfinite = TRUE) {
  last_distance(bioc_knn(index, k, NULL, subset, bioc_threads(index, num.threads, BPPARAM)))
}

bioc_query_distance <- function(index, query, k, num.threads = NULL, subset = NULL, transposed = FALSE,
                                BPPARAM = NULL, .check.nonfinite = TRUE) {
  query <- bioc_query(index, query, subset, transposed)
  last_distance(bioc_knn(index, k, query, NULL, bioc_threads(index, num.threads, BPPARAM)))
}

bioc_find_neighbors <- function(index, threshold, get.index = TRUE, get.distance = TRUE, num.threads = NULL,
                                subset = NULL, BPPARAM = NULL, transposed = FALSE, raw.index = FALSE,
                                .check.nonfinite = TRUE) {
  found <- bioc_radius(index, threshold, NULL, subset, get.index, get.distance,
                       bioc_threads(index, num.threads, BPPARAM))
  bioc_parts(found, get.index, get.distance)
}

# As bioc_find_neighbors(), but each point is its own first neighbor.
bioc_find_neighbors_and_self <- function(index, threshold, get.index = TRUE, get.distance = TRUE,
                                         subset = NULL, ...) {
  found <- bioc_find_neighbors(index, threshold, get.index, get.distance, subset = subset, ...)
  if (!is.list(found)) return(found + 1L)
  rows <- subset_rows(subset, length(index@tree), index@rownames)
  if (is.null(rows)) rows <- seq_along(found[[1]])
  if (get.index) found$index <- Map(c, rows, found$index)
  if (get.distance) found$distance <- lapply(found$distance, function(d) c(0, d))
  found
}

bioc_query_neighbors <- function(index, query, threshold, get.index = TRUE, get.distance = TRUE,
                                 num.threads = NULL, subset = NULL, transposed = FALSE, BPPARAM = NULL,
                                 raw.index = FALSE, .check.nonfinite = TRUE) {
  query <- bioc_query(index, query, subset, transposed)
  found <- bioc_radius(index, threshold, query, NULL, get.index, get.distance,
                       bioc_threads(index, num.threads, BPPARAM))
  bioc_parts(found, get.index, get.distance)
}

# The query points that `subset` selects, in the coordinates of the tree [m x d].
bioc_query <- function(index, query, subset, transposed) {
  points <- bioc_points(query, transposed, index@distance, "query")
  rows <- subset_rows(subset, nrow(points), if (transposed) colnames(query) else rownames(query))
  if (is.null(rows)) points else points[rows, , drop = FALSE]
}

# Returns NULL, or the row numbers that `subset` selects from n rows: by number, name or condition.
subset_rows <- function(subset, n, names) {
  if (is.null(subset)) return(NULL)
  if (is.numeric(subset) && any(subset < 0, na.rm = TRUE) && any(is.na(subset) | subset > 0)) {
    fail("subset must have negative numbers only, or none: got both")
  }
  rows <- stats::setNames(seq_len(n), names)[subset]
  wrong <- which(is.na(rows))
  if (length(wrong) > 0) {
    fail("subset must select rows from 1 to %d%s: element %d is %s", n, if (is.null(names)) "" else " or their names",
         wrong[1], format(subset[wrong[1]]))
  }
  unname(rows)
}

# Returns the index and distance of the k nearest neighbors: matrices [m x k]; or lists of m vectors
# if k is a vector with a number for each query, or has class AsIs.
bioc_knn <- function(index, k, query, subset, threads) {
  n <- length(index@tree)
  most <- if (is.null(query)) n - 1L else n
  rows <- subset_rows(subset, n, index@rownames)
  queries <- if (!is.null(query)) nrow(query) else if (is.null(rows)) n else length(rows)
  scalar <- length(k) == 1 && !inherits(k, "AsIs")
  if (!is_numeric(k) || !(scalar || length(k) == queries) || any(!is.finite(k) | k < 0 | k != trunc(k))) {
    fail("k must be one whole number of at least 0, or one for each of the %d queries: got %s", queries, describe(k))
  }
  if (any(k > most)) {
    warning("'k' capped at the number of observations", if (is.null(query)) " minus 1", call. = FALSE)
    k[k > most] <- most
  }
  found <- if (max(0, k) > 0) knn_query(index@tree, query, k = max(k), rows = rows, threads = threads)
           else list(index = matrix(0L, queries, 0), distance = matrix(0, queries, 0))
  found <- list(index = found$index, distance = found$distance)
  if (scalar) return(found)
  lapply(found, function(all) lapply(seq_len(queries), function(i) all[i, seq_len(k[i])]))
}

# Returns the index and distance of the points within a threshold, which may differ between queries:
# lists of m vectors. Without `get.index` and `get.distance`: the number of points.
bioc_radius <- function(index, threshold, query, subset, get.index, get.distance, threads) {
  rows <- subset_rows(subset, length(index@tree), index@rownames)
  queries <- if (!is.null(query)) nrow(query) else if (is.null(rows)) length(index@tree) else length(rows)
  one <- length(threshold) == 1
  if (!is_numeric(threshold) || !(one || length(threshold) == queries) || any(is.na(threshold) | threshold < 0)) {
    fail("threshold must be one number of at least 0, or one for each of the %d queries: got %s", queries,
         describe(threshold))
  }
  threshold <- pmin(threshold, widest)
  count_only <- one && !get.index && !get.distance
  found <- radius_query(index@tree, query, max(0, threshold), rows, count_only = count_only, threads = threads)
  if (count_only) return(found)
  found <- list(index = found$index, distance = found$distance)
  if (!one) {
    # The points are in ascending order of distance.
    within <- mapply(function(distance, most) sum(distance <= most), found$distance, threshold)
    found <- lapply(found, function(all) Map(utils::head, all, within))
  }
  if (get.index || get.distance) found else lengths(found$index)
}

# The part of a result that the caller asked for. "transposed": a matrix [k x m].
bioc_parts <- function(found, get.index, get.distance) {
  if (!is.list(found)) return(found)
  asked <- list(index = get.index, distance = get.distance)
  for (part in names(asked)) {
    if (isFALSE(asked[[part]])) found[part] <- NULL
    else if (identical(asked[[part]], "transposed") && is.matrix(found[[part]])) found[[part]] <- t(found[[part]])
  }
  found
}

last_columns <- function(found, last) {
  if (!is.matrix(found$index)) return(found)
  k <- ncol(found$index)
  columns <- seq_len(k) > k - last
  lapply(found, function(all) all[, columns, drop = FALSE])
}

# The distance of the last neighbor of each query.
last_distance <- function(found) {
  if (is.matrix(found$distance)) return(found$distance[, ncol(found$distance)])
  vapply(found$distance, function(d) if (length(d) > 0) d[length(d)] else 0, 0)
}
