# Points on a torus: circles for the periodic columns.

# Returns list(box, periodic, lower), each [columns]: the period, or NA; whether the column is
# periodic; the least value.
fit_periodic <- function(metric, x) {
  box <- by_column(metric$box, x, "box", "x")
  extent <- .Call(r_column_range, x)
  wide <- which(extent[2, ] - extent[1, ] > box)
  if (length(wide) > 0) {
    j <- wide[1]
    fail("box must be at least as wide as each column of x: column %d has %g to %g, with a period of %g", j,
         extent[1, j], extent[2, j], box[j])
  }
  list(box = box, periodic = !is.na(box), lower = extent[1, ])
}

# Moves values by whole periods to within one period from `lower`. Values within this period do not
# change.
wrap_columns <- function(x, lower, box) {
  for (j in seq_along(box)) {
    x[, j] <- x[, j] - box[j] * floor((x[, j] - lower[j]) / box[j])
    x[, j] <- pmin(pmax(x[, j], lower[j]), lower[j] + box[j])
  }
  x
}

# The coordinates of src/core/metric/periodic.h.
periodic_coordinates <- function(x, fit) {
  x <- unname(x)
  box <- fit$box[fit$periodic]
  lower <- fit$lower[fit$periodic]
  wrapped <- wrap_columns(x[, fit$periodic, drop = FALSE], lower, box)
  circles <- lapply(seq_along(box), function(j) {
    turn <- 2 * ((wrapped[, j] - lower[j]) / box[j])
    cbind(cospi(turn), sinpi(turn)) * (box[j] / (2 * pi))
  })
  cbind(do.call(cbind, circles), x[, !fit$periodic, drop = FALSE], wrapped * 2^-40)
}
