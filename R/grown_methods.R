# Methods of a grown tree. See R/grown_tree.R.

#' @export
dim.covertree_grown_tree <- function(x) {
  check_tree(x)
  c(remaining_count(x$state), as.integer(x$state$d))
}

#' @export
length.covertree_grown_tree <- function(x) dim(x)[1]

#' @export
dimnames.covertree_grown_tree <- function(x) {
  check_tree(x)
  if (!is.null(x$state$columns)) list(NULL, x$state$columns)
}

#' @export
as.matrix.covertree_grown_tree <- function(x, ...) {
  check_tree(x)
  points <- points_of(parts_of(x))
  if (is.null(points)) return(matrix(0, 0, x$state$d, dimnames = dimnames(x)))
  matrix <- if (is.null(points$x)) points$z else points$x
  dimnames(matrix) <- dimnames(x)
  matrix
}

#' @export
format.covertree_grown_tree <- function(x, ...) {
  size <- dim(x)
  parts <- length(parts_of(x))
  removed <- x$state$next_row - 1 - size[1]
  sprintf("<cover_tree: %s point%s in %d dimension%s, %s layout%s, %d part%s%s>",
          format(size[1], big.mark = ","), plural(size[1]), size[2], plural(size[2]),
          layout_label(x$state$layout),
          if (!is.null(x$space)) paste0(", by ", metric_label(x$space$metric)) else "", parts, plural(parts),
          if (removed > 0) sprintf(", %s removed", format(removed, big.mark = ",")) else "")
}

#' @export
summary.covertree_grown_tree <- function(object, ...) {
  check_tree(object)
  state <- object$state
  each <- lapply(parts_of(object), function(part) {
    arrays <- .Call(r_tree_arrays, part$pointer)
    n <- nrow(arrays$points)
    rows <- if (length(part$rows) == n) range(part$rows) else part$rows + c(0L, n - 1L)
    data.frame(points = as.integer(part$count), removed = as.integer(n - part$count), first_row = rows[1],
               last_row = rows[2], nodes = length(arrays$level),
               bytes = bytes_of(arrays) + bytes_of(part[c("rows", "removed", "x")]))
  })
  parts <- do.call(rbind, each)
  structure(list(n = length(object), d = dim(object)[2], layout = state$layout,
                 leaf_size = state$leaf_size, removed = state$next_row - 1 - length(object),
                 parts = parts, bytes = sum(parts$bytes), metric = object$space$metric),
            class = "covertree_grown_summary")
}

#' @export
print.covertree_grown_summary <- function(x, ...) {
  number <- function(value) format(value, big.mark = ",")
  count <- NROW(x$parts)
  cat(sprintf("Cover tree of %s point%s in %d dimension%s, %s layout (leaf size %d)\n", number(x$n), plural(x$n),
              x$d, plural(x$d), layout_label(x$layout), x$leaf_size))
  cat(sprintf("  %d part%s, %s point%s removed since the first build\n", count, plural(count),
              number(x$removed), plural(x$removed)))
  if (!is.null(x$metric)) cat(sprintf("  metric: %s\n", gsub("[<>]", "", format(x$metric))))
  cat(sprintf("  memory: %s\n", format(structure(x$bytes, class = "object_size"), units = "auto")))
  if (count > 0) print(x$parts, row.names = FALSE)
  invisible(x)
}
