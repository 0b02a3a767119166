# Hamming and Jaccard distance of rows of zeros and ones.

# Points with numbers in place of logical values.
zeros_and_ones <- function(x) {
  if (is.data.frame(x)) {
    logical <- vapply(x, function(column) is.logical(column) && is.null(dim(column)), NA)
    x[logical] <- lapply(x[logical], as.integer)
  } else if (is.logical(x) && length(dim(x)) == 2) {
    x <- array(as.integer(x), dim(x), dimnames(x))
  }
  x
}

check_binary <- function(x, what) {
  wrong <- which(x != 0 & x != 1)
  if (length(wrong) > 0) {
    at <- arrayInd(wrong[1], dim(x))
    fail("%s must be 0, 1, FALSE or TRUE: row %d, column %d is %s", what, at[1], at[2], format(x[wrong[1]]))
  }
}

# Rows as unit vectors, from which src/core/metric/jaccard.h computes the distance. A last column is
# 1 for rows without a 1: two such rows are equal, and orthogonal to all other rows.
set_coordinates <- function(x) {
  size <- rowSums(x)
  cbind(unname(x), size == 0) / sqrt(pmax(size, 1))
}
