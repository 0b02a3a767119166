# Expectations of this package. Tests build every tree with sound_tree(), or pass it to
# expect_sound_tree().

sound_tree <- function(x, ...) {
  tree <- cover_tree(x, ...)
  expect_sound_tree(tree, x)
  tree
}

# The tree is valid by validate_tree() and by the oracle, and contains the points x.
expect_sound_tree <- function(tree, x = NULL) {
  report <- validate_tree(tree)
  arrays <- tree_arrays(tree)
  faults <- tree_faults(arrays)
  expect(isTRUE(report$valid) && all(report$violations == 0L), "validate_tree() finds a fault")
  expect(length(faults) == 0, paste("the oracle finds broken:", toString(faults)))
  if (!is.null(x)) {
    points <- plain_matrix(x)[arrays$row, , drop = FALSE]
    expect(identical(arrays$points, points), "the tree's points are not those it was built from")
  }
  invisible(tree)
}

# Returns the tree with a replaced element, as from a damaged file or after a change that avoids the
# methods.
with_part <- function(tree, name, part) {
  parts <- unclass(tree)
  parts[name] <- list(part)
  structure(parts, class = "cover_tree")
}

# Index and distance have the same bits.
expect_same_knn <- function(actual, expected, label = "knn") {
  for (part in c("index", "distance")) {
    same <- identical(actual[[part]], expected[[part]])
    message <- if (!same) first_difference(actual[[part]], expected[[part]])
    expect(same, paste0(label, ": ", part, " differs, ", message))
  }
  invisible(actual)
}

expect_same_neighbors <- function(actual, expected, label = "neighbors") {
  expect_same_knn(actual, expected, label)
  expect(identical(actual$count, lengths(expected$index)), paste0(label, ": count differs"))
}

# Describes the first query with a different result. A comparison of all results would take long.
first_difference <- function(actual, expected) {
  if (!identical(dim(actual), dim(expected)) || length(actual) != length(expected)) {
    return("in its size")
  }
  rows <- function(x) if (is.matrix(x)) split(x, row(x)) else x
  query <- which(!mapply(identical, rows(actual), rows(expected)))[1]
  show <- function(x) toString(format(rows(x)[[query]], digits = 17), width = 200)
  sprintf("first at query %d\n  actual:   %s\n  expected: %s", query, show(actual), show(expected))
}

# Returns the first k columns. The k nearest are the first k of any larger number of neighbors.
first_columns <- function(knn, k) {
  list(index = knn$index[, seq_len(k), drop = FALSE],
       distance = knn$distance[, seq_len(k), drop = FALSE])
}

expect_none_twice <- function(index, label) {
  twice <- apply(index, 1, function(row) anyDuplicated(row[!is.na(row)]) > 0)
  expect(!any(twice), paste0(label, ": the same neighbor twice"))
}

# An approximate result has as many neighbors as the exact one, and none of them is nearer.
expect_possible <- function(found, exact, label) {
  expect(identical(is.na(found$index), is.na(exact$index)), paste(label, "not as many neighbors"))
  expect(identical(is.na(found$distance), is.na(found$index)), paste(label, "distances do not fit"))
  expect(all(found$distance >= exact$distance, na.rm = TRUE), paste(label, "too near"))
  expect_none_twice(found$index, label)
}

expect_recall <- function(recall, label) {
  expect_named(recall, c("estimate", "lower", "upper", "worst"), label = label)
  expect_lte(recall[["worst"]], recall[["estimate"]])
  expect_true(all(diff(recall[c("lower", "estimate", "upper")]) >= 0, recall >= 0, recall <= 1))
}

expect_in_set <- function(actual, allowed) {
  expect(all(actual %in% allowed), paste("not allowed:", toString(setdiff(actual, allowed))))
}

# Returns the value of code, or stops after `limit` seconds. The limits are wide: the defects that
# they detect take minutes.
within_seconds <- function(limit, code) {
  on.exit(setTimeLimit())
  setTimeLimit(elapsed = limit, transient = TRUE)
  code
}

# Every call must stop. The snapshot shows each call with its message, in a form that does not
# depend on the version of testthat.
expect_complaints <- function(..., frame = parent.frame()) {
  calls <- as.list(substitute(list(...)))[-1]
  lines <- unlist(lapply(calls, complaint_lines, frame = frame))
  expect_snapshot(writeLines(lines))
}

# The same for one call, once for each of the values, which replaces the name `value`.
expect_complaints_for <- function(values, call, frame = parent.frame()) {
  call <- substitute(call)
  calls <- lapply(values, function(value) do.call(substitute, list(call, list(value = value))))
  lines <- unlist(lapply(calls, complaint_lines, frame = frame))
  expect_snapshot(writeLines(lines))
}

complaint_lines <- function(call, frame) {
  error <- tryCatch(list(eval(call, frame)), error = identity)
  code <- deparse1(call)
  expect(inherits(error, "error"), paste("no error from", code))
  if (!inherits(error, "error")) return(c(code, "  no error"))
  message <- conditionMessage(error)
  from_us <- is.null(conditionCall(error)) || grepl("is missing, with no default", message)
  expect(from_us, paste(code, "fails by accident, in", deparse1(conditionCall(error))))
  c(code, paste0("  Error: ", message))
}

# Properties of every approximate result. Correlations may differ by rounding.
expect_approximate <- function(found, exact, label) {
  expect(isFALSE(attr(found, "exact")), paste(label, "claims to be exact"))
  expect_possible(found, exact, label)
  expect_recall(attr(found, "recall"), label)
  expect_gte(attr(found, "evaluations"), 0, label = label)
}
