# Methods of the results of knn_query(): format(), print(), as.data.frame().

#' @export
format.covertree_knn <- function(x, ...) {
  check_knn(x)
  size <- dim(x$index)
  sprintf("<knn: %d nearest neighbor%s of %s quer%s, %s%s>", size[2], plural(size[2]),
          format(size[1], big.mark = ","), if (size[1] == 1) "y" else "ies",
          if (isTRUE(attr(x, "exact"))) "exact" else approximate_label(attr(x, "recall")),
          no_residual_label(attr(x, "no_residual")))
}

approximate_label <- function(recall) {
  if (is.null(recall)) return("approximate")
  sprintf("recall %.4f (%.4f to %.4f), worst 1%% %.4f", recall[1], recall[2], recall[3], recall[4])
}

#' @export
print.covertree_knn <- function(x, n = 6, ...) {
  if (!is_number(n) || is.na(n) || n < 0) fail("n must be one number of at least 0: got %s", describe(n))
  cat(c(format(x), attr(x, "reason")), sep = "\n")
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
as.data.frame.covertree_knn <- function(x, ...) {
  check_knn(x)
  found <- !is.na(t(x$index))
  query <- col(found)[found]
  if (!is.null(attr(x, "rows"))) query <- attr(x, "rows")[query]
  data.frame(query = query, neighbor = t(x$index)[found], rank = row(found)[found],
             distance = t(x$distance)[found])
}
