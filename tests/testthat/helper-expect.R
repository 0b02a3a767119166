# Expectations of this package. Every tree that a test builds is made by
# sound_tree() or passed to expect_sound_tree().

sound_tree <- function(x, ...) {
  tree <- cover_tree(x, ...)
  expect_sound_tree(tree, x)
  tree
}

# Valid in the eyes of the package and in those of the oracle, over these points.
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

# The tree with another part in the place of one: what a damaged file gives, or someone who
# goes round the methods of trees.
with_part <- function(tree, name, part) {
  parts <- unclass(tree)
  parts[name] <- list(part)
  structure(parts, class = "cover_tree")
}

# Index and distance identical, to the bit.
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

# Shows the first query with another answer. Comparing all would take long.
first_difference <- function(actual, expected) {
  if (!identical(dim(actual), dim(expected)) || length(actual) != length(expected)) {
    return("in its size")
  }
  rows <- function(x) if (is.matrix(x)) split(x, row(x)) else x
  query <- which(!mapply(identical, rows(actual), rows(expected)))[1]
  show <- function(x) toString(format(rows(x)[[query]], digits = 17), width = 200)
  sprintf("first at query %d\n  actual:   %s\n  expected: %s", query, show(actual), show(expected))
}

# The first k columns: a longer list of neighbors begins with the shorter one.
first_columns <- function(knn, k) {
  list(index = knn$index[, seq_len(k), drop = FALSE],
       distance = knn$distance[, seq_len(k), drop = FALSE])
}

expect_none_twice <- function(index, label) {
  twice <- apply(index, 1, function(row) anyDuplicated(row[!is.na(row)]) > 0)
  expect(!any(twice), paste0(label, ": the same neighbor twice"))
}

# As many neighbors as the exact answer has, none of them nearer.
expect_possible <- function(found, exact, label) {
  expect(identical(is.na(found$index), is.na(exact$index)), paste(label, "not as many neighbors"))
  expect(identical(is.na(found$distance), is.na(found$index)), paste(label, "distances do not fit"))
  expect(all(found$distance >= exact$distance, na.rm = TRUE), paste(label, "too near"))
  expect_none_twice(found$index, label)
}

expect_recall <- function(recall, label) {
  expect_named(recall, c("estimate", "lower", "upper"), label = label)
  expect_true(all(diff(recall[c("lower", "estimate", "upper")]) >= 0, recall >= 0, recall <= 1))
}

expect_in_set <- function(actual, allowed) {
  expect(all(actual %in% allowed), paste("not allowed:", toString(setdiff(actual, allowed))))
}

# The value of code, which an error ends where it takes longer than it may. Limits
# are wide: what they catch would take minutes.
within_seconds <- function(limit, code) {
  on.exit(setTimeLimit())
  setTimeLimit(elapsed = limit, transient = TRUE)
  code
}

# Every call must fail; the snapshot shows each with the message its error gives.
# Written by hand, because testthat's own form changes from version to version.
expect_complaints <- function(..., frame = parent.frame()) {
  calls <- as.list(substitute(list(...)))[-1]
  lines <- unlist(lapply(calls, complaint_lines, frame = frame))
  expect_snapshot(writeLines(lines))
}

# The same for one call, in which each of the values takes the place of `value`.
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
