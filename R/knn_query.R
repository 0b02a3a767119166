#' Find the k nearest neighbours of many points
#'
#' Exact: the k smallest by distance, and by row where distances are equal.
#'
#' @inheritParams cover_tree
#' @param tree A tree from [cover_tree()].
#' @param query The points whose neighbours are sought: a matrix or data frame
#'   with the columns of the tree's points. `NULL` asks for the neighbours of
#'   the tree's own points, each among the others: a point is not its own
#'   neighbour, but a duplicate of it in another row is.
#' @param k The number of neighbours.
#' @param search `"tree"` uses the index; `"scan"` compares every query with
#'   every point; `"auto"` uses the index, and scans where the index excludes too
#'   little to pay, as with points of many independent dimensions. All three give
#'   the same answer.
#' @param block_size How many neighbouring queries go through the tree together,
#'   at most 64; `NULL` lets the search choose as it goes. It changes speed, never
#'   answers.
#' @param predecessor Whether each of the tree's own points is to find only points
#'   in rows before its own, as the neighbours of a Vecchia approximation: the
#'   first row finds none, row i at most i - 1. Not with `query`.
#' @param stats Whether to attach what the search did, as attribute `stats`.
#' @param progress Whether to tell on the console how far a long call has got.
#'
#' @return A list of class `knn` with
#'   \describe{
#'     \item{`index`}{m x k integer matrix: rows of the data that the tree was
#'       built from, nearest first; a row for each of the m queries}
#'     \item{`distance`}{m x k double matrix: their Euclidean distances}
#'   }
#'   and attribute `exact`, which is `TRUE`. With `stats = TRUE` there is also an
#'   attribute `stats`; see [knn_stats()]. Where there are fewer than k
#'   points to find, both are padded with `NA`; that is not an error.
#'   `as.data.frame()` turns the result into long form, with columns `query`,
#'   `neighbour`, `rank` and `distance`, without the padding.
#'
#' @section Errors:
#' Stops if `query` is not numeric and finite or has another number of columns
#' than the tree, if `k` is not one whole number of at least 1, and if the
#' squared distances of `query` to the tree's points would overflow.
#'
#' @seealso [radius_query()] for all points within a distance.
#'
#' @examples
#' x <- as.matrix(quakes[, 1:3])
#' tree <- cover_tree(x)
#' knn <- knn_query(tree, k = 3)
#' knn
#' head(as.data.frame(knn))
#'
#' knn_query(tree, query = rbind(c(-20, 180, 100)), k = 2)
#' @export
knn_query <- function(tree, query = NULL, k = 10, threads = NULL, search = c("auto", "tree", "scan"),
                      block_size = NULL, predecessor = FALSE, stats = FALSE,
                      progress = interactive()) {
  pointer <- check_tree(tree)
  k <- check_count(k, "k")
  how <- check_how(search, block_size, threads, stats, progress, predecessor)
  if (predecessor && !is.null(query)) {
    fail("predecessor = TRUE is for the tree's own points, which have rows: query must be NULL, not %s",
         describe(query))
  }
  query <- check_query(query, pointer)
  found <- .Call(r_knn, pointer, query, k, how)
  knn <- structure(found[c("index", "distance")], class = "knn", exact = TRUE)
  if (stats) attr(knn, "stats") <- new_stats(found$tally, nrow(knn$index))
  knn
}

#' @export
format.knn <- function(x, ...) {
  size <- dim(x$index)
  sprintf("<knn: %d nearest neighbour%s of %s quer%s, %s>", size[2], plural(size[2]),
          format(size[1], big.mark = ","), if (size[1] == 1) "y" else "ies",
          if (isTRUE(attr(x, "exact"))) "exact" else "approximate")
}

#' @export
print.knn <- function(x, n = 6, ...) {
  cat(format(x), "\n", sep = "")
  rows <- seq_len(min(n, nrow(x$index)))
  columns <- seq_len(min(10, ncol(x$index)))
  cat("$index\n")
  print(x$index[rows, columns, drop = FALSE])
  cat("$distance\n")
  print(x$distance[rows, columns, drop = FALSE], digits = 4)
  if (length(rows) < nrow(x$index) || length(columns) < ncol(x$index)) {
    cat(sprintf("(%d of %d rows, %d of %d columns)\n", length(rows), nrow(x$index),
                length(columns), ncol(x$index)))
  }
  invisible(x)
}

#' @export
as.data.frame.knn <- function(x, ...) {
  found <- !is.na(t(x$index))
  data.frame(query = col(found)[found], neighbour = t(x$index)[found], rank = row(found)[found],
             distance = t(x$distance)[found])
}
