# The names of the arrays, in the order of src/glue/tree_arrays.c.
array_names <- c("points", "row", "center", "parent", "first_child", "next_sibling", "subtree_begin",
                 "subtree_end", "level", "min_row", "radius", "lower", "upper", "format", "layout",
                 "leaf_size", "dimnames")

#' The arrays of a tree
#'
#' `tree_arrays()` returns the vectors of which a tree consists, without
#' copying them. `cover_tree_from_arrays()` makes a tree from such arrays, again
#' without copying, after checking all of their invariants.
#'
#' @param tree A tree from [cover_tree()].
#' @param arrays A list like the one `tree_arrays()` returns.
#' @param threads The number of threads for the check; `NULL` for the default of
#'   [covertree_threads()].
#'
#' @return `tree_arrays()` returns a named list. Points are numbered by
#'   *position*, the order in which the tree stores them, and nodes from the
#'   root down, breadth first; all numbers count from 1, and 0 stands for
#'   "none".
#'   \describe{
#'     \item{`points`}{n x d double matrix, the points by position}
#'     \item{`row`}{integer, n: the row of `x` at each position}
#'     \item{`center`}{integer, a value for each node: the position of its center}
#'     \item{`parent`, `first_child`, `next_sibling`}{integer: links from node to node;
#'       siblings have consecutive numbers}
#'     \item{`subtree_begin`, `subtree_end`}{integer: the first and the last
#'       position of the node's points, which are consecutive}
#'     \item{`level`}{integer: the least l with `radius` at most 2^(l/4), or `NA` for radius 0}
#'     \item{`min_row`}{integer: the smallest row among the node's points}
#'     \item{`radius`}{double: the distance from the center to the node's farthest point}
#'     \item{`lower`, `upper`}{double matrices, a row for each node: the box around its points}
#'     \item{`format`}{integer: the version of these names and meanings, 2. Trees and arrays of another
#'       version are refused: build the tree again.}
#'     \item{`layout`, `leaf_size`, `dimnames`}{what [cover_tree()] was given}
#'   }
#'   `cover_tree_from_arrays()` returns a tree that answers exactly as the one
#'   the arrays came from.
#'
#' @details
#' The vectors are the tree's own memory. R copies a vector before it changes
#' it, so editing the list never touches the tree.
#'
#' A tree keeps checksums of its arrays, to detect damage to a saved tree. The list has no
#' checksums: it may be edited, and is accepted if the arrays are consistent. The new
#' tree gets its own checksums.
#'
#' @section Errors:
#' All functions stop if the tree or the arrays are of another version of the package.
#' `cover_tree_from_arrays()` stops, naming the array, if one is missing or has
#' the wrong type or size; if links do not form a tree numbered breadth first;
#' if `row` is not a permutation; or if a level, a radius, a box or a smallest
#' row is not that of the points.
#'
#' @examples
#' tree <- cover_tree(as.matrix(quakes[, 1:3]))
#' arrays <- tree_arrays(tree)
#' str(arrays)
#' again <- cover_tree_from_arrays(arrays)
#' identical(knn_query(again, k = 3), knn_query(tree, k = 3))
#' @export
tree_arrays <- function(tree) .Call(r_tree_arrays, check_tree(tree))[array_names]

#' @rdname tree_arrays
#' @export
cover_tree_from_arrays <- function(arrays, threads = NULL) {
  if (!is.list(arrays) || is.data.frame(arrays)) {
    fail("arrays must be a list like that of tree_arrays(), not %s", describe(arrays))
  }
  arrays <- unclass(arrays)
  # First, because other versions have other names.
  if (!is.null(arrays[["format"]])) .Call(r_check_format, arrays[["format"]])
  missing <- setdiff(array_names, names(arrays))
  if (length(missing) > 0) fail("arrays must hold `%s`: it is missing", missing[1])
  arrays <- arrays[array_names]
  check_choice(arrays$layout, c("hilbert", "natural"), "tree array `layout`")
  arrays$leaf_size <- check_count(arrays$leaf_size, "tree array `leaf_size`")
  tree <- new_cover_tree(.Call(r_tree_from_arrays, arrays, check_threads(threads)))
  if (!are_dimnames(arrays$dimnames, dim(tree))) {
    fail("tree array `dimnames` must be NULL or the dimnames of a matrix of the tree's size")
  }
  tree
}

are_dimnames <- function(names, size) {
  fits <- function(side) {
    is.null(names[[side]]) || (is.character(names[[side]]) && length(names[[side]]) == size[side])
  }
  if (is.null(names)) return(TRUE)
  if (!is.list(names) || length(names) != 2) return(FALSE)
  fits(1) && fits(2)
}
