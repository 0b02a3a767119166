# Methods that stop with advice. A tree is not a vector, an editable list or a matrix; without these
# methods, base functions would return internal parts of the tree or wrong values.

#' @export
`[.cover_tree` <- function(x, ...) {
  fail(paste("a cover_tree cannot be indexed: as.matrix(tree)[i, ] returns some of its points,",
             "cover_tree(as.matrix(tree)[i, , drop = FALSE]) builds a tree of them"))
}

refuse_change <- function() {
  fail(paste("a cover_tree cannot be changed: build another tree with cover_tree(), insert_points() or",
             "remove_points(), or set another residual correlation with update_metric()"))
}

# An assignment of the present value is permitted, because R evaluates tree$cache$name <- value with
# such an assignment.
#' @export
`$<-.cover_tree` <- function(x, name, value) {
  if (identical(unclass(x)[[name]], value)) x else refuse_change()
}

#' @export
`[[<-.cover_tree` <- function(x, i, ..., value) refuse_change()

#' @export
`[<-.cover_tree` <- function(x, ..., value) refuse_change()

#' @export
c.cover_tree <- function(...) {
  fail(paste("trees cannot be combined with c(): list(a, b) makes a list of trees,",
             "cover_tree(rbind(as.matrix(a), as.matrix(b))) builds one tree of all points"))
}

#' @export
rep.cover_tree <- function(x, ...) fail("a cover_tree cannot be repeated: rep(list(tree), times) makes a list of trees")

#' @export
t.cover_tree <- function(x) {
  fail("a cover_tree cannot be transposed: t(as.matrix(tree)) transposes its points")
}

#' @export
rbind.cover_tree <- function(..., deparse.level = 1) {
  fail(paste("a cover_tree cannot get more points in place: insert_points(tree, x) returns a tree of all",
             "points"))
}

#' @export
cbind.cover_tree <- function(..., deparse.level = 1) {
  fail(paste("a cover_tree cannot get more columns: cover_tree(cbind(as.matrix(tree), x)) builds a",
             "tree with all columns"))
}

# ---- forests -------------------------------------------------------------------------------------------

refuse_forest <- function() {
  fail(paste("tree must be one tree: got a forest of cover_forest(), for which there are knn_query(), radius_query(),",
             "summary() and saveRDS(); to change its points, build another forest; read_tree() opens the tree of",
             "a shard, see ?cover_forest"))
}

refuse_forest_change <- function() {
  fail("a forest cannot be indexed, changed or combined: build another one with cover_forest()")
}

#' @export
`[.covertree_shards` <- function(x, ...) refuse_forest_change()

#' @export
`$<-.covertree_shards` <- function(x, name, value) refuse_forest_change()

#' @export
`[[<-.covertree_shards` <- function(x, i, ..., value) refuse_forest_change()

#' @export
`[<-.covertree_shards` <- function(x, ..., value) refuse_forest_change()

#' @export
c.covertree_shards <- function(...) refuse_forest_change()

#' @export
rep.covertree_shards <- function(x, ...) refuse_forest_change()

#' @export
t.covertree_shards <- function(x) refuse_forest_change()

#' @export
rbind.covertree_shards <- function(..., deparse.level = 1) refuse_forest_change()

#' @export
cbind.covertree_shards <- function(..., deparse.level = 1) refuse_forest_change()
