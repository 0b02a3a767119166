# Methods that stop: a tree is not a vector, an editable list or a matrix. Without these methods,
# base functions would return internals of the tree or nonsense.

#' @export
`[.cover_tree` <- function(x, ...) {
  fail(paste("a cover_tree cannot be indexed: as.matrix(tree)[i, ] gives points of it, and",
             "cover_tree(as.matrix(tree)[i, , drop = FALSE]) a tree of those alone"))
}

refuse_change <- function() {
  fail(paste("a cover_tree cannot be changed: build another one with cover_tree(), or, for",
             "another residual correlation, use update_metric()"))
}

# Assigning the present value is not a change: tree$cache$name <- value ends with such an assignment.
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
  fail(paste("trees cannot be combined by c(): list(a, b) keeps them side by side, and",
             "cover_tree(rbind(as.matrix(a), as.matrix(b))) makes one tree of all points"))
}

#' @export
rep.cover_tree <- function(x, ...) fail("a cover_tree cannot be repeated: use rep(list(tree), times)")

#' @export
t.cover_tree <- function(x) {
  fail("a cover_tree cannot be transposed: t(as.matrix(tree)) transposes its points")
}

#' @export
rbind.cover_tree <- function(..., deparse.level = 1) {
  fail(paste("a cover_tree takes no further points: cover_tree(rbind(as.matrix(tree), x)) makes a",
             "tree of all of them"))
}

#' @export
cbind.cover_tree <- function(..., deparse.level = 1) {
  fail(paste("a cover_tree takes no further columns: cover_tree(cbind(as.matrix(tree), x)) makes a",
             "tree with all of them"))
}
