# The names of the arrays and settings of a tree, in the order of src/glue/tree_arrays.c.
array_names <- c("points", "row", "center", "parent", "first_child", "next_sibling", "subtree_begin",
                 "subtree_end", "level", "min_row", "radius", "lower", "upper", "format", "layout",
                 "leaf_size", "dimnames")

#' Arrays of a tree
#'
#' `tree_arrays()` returns the vectors that form a tree, without a copy. `cover_tree_from_arrays()`
#' makes a tree from such vectors, without a copy, after checking their types, sizes and invariants.
#'
#' @param tree A tree from [cover_tree()].
#' @param arrays A list with the elements that `tree_arrays()` returns.
#' @param threads The number of threads for the check; `NULL` for the default of
#'   [covertree_threads()].
#'
#' @return `tree_arrays()` returns a named list. A *position* is the number of a point in the order
#'   in which the tree stores the points. Nodes are numbered breadth first, from the root. All
#'   numbers count from 1; 0 means "none".
#'   \describe{
#'     \item{`points`}{double matrix \[n x d\]: the points by position; for some [metrics], the
#'       coordinates over which the tree is built}
#'     \item{`row`}{integer vector \[n\]: the row of `x` at each position}
#'     \item{`center`}{integer vector \[nodes\]: the position of the center of the node}
#'     \item{`parent`, `first_child`, `next_sibling`}{integer vectors \[nodes\]: numbers of other
#'       nodes; siblings have consecutive numbers}
#'     \item{`subtree_begin`, `subtree_end`}{integer vectors \[nodes\]: the first and the last
#'       position of the points of the node, which are consecutive}
#'     \item{`level`}{integer vector \[nodes\]: the smallest l for which `radius` is at most
#'       2^(l/4); `NA` for radius 0}
#'     \item{`min_row`}{integer vector \[nodes\]: the smallest row of the points of the node}
#'     \item{`radius`}{double vector \[nodes\]: the Euclidean distance from the center to the
#'       farthest point of the node}
#'     \item{`lower`, `upper`}{double matrices \[nodes x d\]: the smallest and the largest
#'       coordinates of the points of the node}
#'     \item{`format`}{integer: the version of the names and meanings of this list, 2}
#'     \item{`layout`, `leaf_size`, `dimnames`}{the settings of [cover_tree()], and the dimnames of
#'       its `x`}
#'   }
#'   With a [metric_function()], `points`, `layout` and `dimnames` are missing, and other arrays
#'   refer to pivots: objects whose distances to all objects are stored.
#'   \describe{
#'     \item{`pivot`}{integer vector \[pivots\]: the positions of the pivots}
#'     \item{`pivot_distance`}{double matrix \[pivots x n\]: the distances of the pivots to all
#'       objects}
#'     \item{`lower`, `upper`}{double matrices \[pivots x nodes\]: the smallest and the largest of
#'       these distances over the points of the node}
#'     \item{`to_center`}{double vector \[n\]: the distance of each point to the center of its leaf}
#'     \item{`to_parent`}{double vector \[nodes\]: the distance of the center of the node to the
#'       center of its parent}
#'     \item{`nearest`, `farthest`}{double vectors \[nodes\]: the smallest and the largest distance
#'       of the points of the node to the center of its parent}
#'   }
#'   `cover_tree_from_arrays()` returns a `cover_tree` with Euclidean distance. The results of its
#'   searches are those of the tree from which the arrays come, if that tree has Euclidean distance,
#'   too; the arrays do not contain a metric.
#'
#' @details
#' The vectors are the memory of the tree itself. R copies such a vector before it changes the
#' vector, so changes to the list never change the tree.
#'
#' For a tree with a residual correlation, `points` has the coordinates divided by the lengthscale.
#' The data of the metric are not in the list.
#'
#' A tree keeps checksums of its arrays, to detect damage to a saved tree. The list has no
#' checksums, so a program may change it. `cover_tree_from_arrays()` accepts every list that forms a
#' valid tree, and computes new checksums.
#'
#' @section Errors:
#' `tree_arrays()` stops if `tree` is not a tree or is damaged. Both functions stop if the tree or
#' the arrays have another `format`, because they come from another version of the package.
#'
#' `cover_tree_from_arrays()` stops with the name of the array if an array is missing, as for a tree
#' with a [metric_function()], or has a wrong
#' type or size; if points are not finite; if `row` is not a permutation of 1 to n; if the links do
#' not form a tree that is numbered breadth first; or if a node violates an invariant of
#' [validate_tree()].
#'
#' @section Cost:
#' `tree_arrays()` takes constant time and memory. `cover_tree_from_arrays()` takes the time of
#' [validate_tree()], and memory for the copy of the points in single precision ([cover_tree()]).
#'
#' @examples
#' tree <- cover_tree(as.matrix(quakes[, 1:3]))
#' arrays <- tree_arrays(tree)
#' str(arrays)
#' again <- cover_tree_from_arrays(arrays)
#' identical(knn_query(again, k = 3), knn_query(tree, k = 3))
#' @export
tree_arrays <- function(tree) {
  if (is_function_tree(tree)) return(function_arrays(tree))
  if (is_grown_tree(tree)) refuse_parts(tree)
  .Call(r_tree_arrays, check_tree(tree))[array_names]
}

#' @rdname tree_arrays
#' @export
cover_tree_from_arrays <- function(arrays, threads = NULL) {
  if (missing(arrays) || !is.list(arrays) || is.data.frame(arrays)) {
    fail("arrays must be a list with the elements of tree_arrays(): got %s",
         if (missing(arrays)) "nothing" else describe(arrays))
  }
  arrays <- unclass(arrays)
  # The format is checked first, because other versions have other names.
  if (!is.null(arrays[["format"]])) .Call(r_check_format, arrays[["format"]])
  missing <- setdiff(array_names, names(arrays))
  if (length(missing) > 0) fail("arrays must contain `%s`: got a list without it", missing[1])
  arrays <- arrays[array_names]
  check_choice(arrays$layout, c("hilbert", "natural"), "tree array `layout`")
  arrays$leaf_size <- check_count(arrays$leaf_size, "tree array `leaf_size`")
  tree <- new_cover_tree(.Call(r_tree_from_arrays, arrays, check_threads(threads)))
  if (!are_dimnames(arrays$dimnames, dim(tree))) {
    fail("tree array `dimnames` must be NULL or the dimnames of a matrix of the tree's size: got %s",
         describe(arrays$dimnames))
  }
  tree
}

# Whether a value can be the dimnames of a matrix of this size [2].
are_dimnames <- function(names, size) {
  fits <- function(side) {
    is.null(names[[side]]) || (is.character(names[[side]]) && length(names[[side]]) == size[side])
  }
  if (is.null(names)) return(TRUE)
  if (!is.list(names) || length(names) != 2) return(FALSE)
  fits(1) && fits(2)
}
