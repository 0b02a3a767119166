# The coordinates by which a tree searches by a metric of ?metrics.

# The state of a metric in a tree: a list with
#   metric     the metric
#   fit        values that the metric takes from the tree's points, such as ranges
#   code       the options that src/glue/metric.c reads by name
#   x          the points as given, or NULL if they are the coordinates
#   n, extent  the number and the range of the coordinates, by which check_space() compares the state
#              with the arrays of the tree
#   z          the coordinates; the tree has them in its arrays, and drops z from the state
metric_space <- function(x, metric, fit = fit_metric(metric, x)) {
  z <- metric_coordinates(metric, fit, x, "x")
  code <- search_code(metric, ncol(z), fit)
  check_coordinates(z, code, "x")
  list(metric = metric, fit = fit, code = code, x = if (!has_plain_points(metric)) x, n = nrow(z),
       extent = .Call(r_column_range, z), z = z)
}

has_plain_points <- function(metric) metric$kind %in% c("manhattan", "maximum", "minkowski", "hamming")

space_parts <- c("metric", "fit", "code", "x", "n", "extent")

seal_space <- function(space) {
  space <- space[space_parts]
  c(space, list(seal = .Call(r_seal, space)))
}

# The distance that src/core/metric/metric.h describes, for d coordinates.
search_code <- function(metric, d, fit = NULL) {
  code <- function(norm = 0L, measure = 0L, sphere = 0L, radius = 1, power = 2, box = 0) {
    list(norm = norm, measure = measure, sphere = sphere, radius = radius, power = power, box = box)
  }
  switch(metric$kind,
    manhattan = , gower = , hamming = code(norm = 1L),
    maximum = code(norm = 2L),
    cosine = code(measure = 1L),
    angular = code(measure = 2L, sphere = d),
    great_circle = code(measure = 2L, sphere = 3L, radius = metric$radius),
    minkowski = code(measure = 3L, power = metric$exponent),
    jaccard = code(measure = 4L),
    periodic = code(measure = 5L, box = fit$box[fit$periodic]),
    scaled = search_code(metric$inner, d),
    code()
  )
}

# Stops if squared distances can leave the range of doubles. `others`: the extent of other
# coordinates, or NULL.
check_coordinates <- function(z, code, what, others = NULL) {
  extent <- .Call(r_column_range, z)
  if (!is.null(others)) extent <- join_extents(extent, others)
  check_extent(extent, what, if (code$norm == 0L && code$measure < 3L) sqrt(ncol(z)) else ncol(z))
}

# One value for each column: by name if both have names in another order, otherwise by position.
by_column <- function(values, x, argument, what, skip = 0) {
  names <- colnames(x)[seq_len(ncol(x)) > skip]
  count <- ncol(x) - skip
  if (length(values) == 1 && is.null(names(values))) return(rep(unname(values), count))
  if (length(values) != count) {
    fail("%s must be one number or one for each of the %d %scolumns of %s: got %d number%s%s", argument,
         count, if (skip > 0) "further " else "", what, length(values), plural(length(values)),
         if (length(values) == 1) paste(" with the name", quoted(names(values))) else "")
  }
  own <- names(values)
  if (!any(nzchar(own)) || !any(nzchar(names)) || identical(own, names)) return(unname(values))
  if (!setequal(own, names) || anyDuplicated(names)) {
    fail("%s must have the names of the columns of %s, %s: got %s", argument, what, quoted(names),
         quoted(own))
  }
  unname(values[names])
}

fit_metric <- function(metric, x) {
  switch(metric$kind,
    scaled = list(scale = by_column(metric$scale, x, "scale", "x")),
    great_circle = fit_sphere(metric, x),
    periodic = fit_periodic(metric, x),
    gower = fit_gower(x, metric$weights),
    list()
  )
}

metric_coordinates <- function(metric, fit, x, what) {
  switch(metric$kind,
    euclidean = , manhattan = , maximum = , minkowski = , hamming = x,
    cosine = , angular = unit_rows(x, what),
    jaccard = set_coordinates(x),
    periodic = periodic_coordinates(x, fit),
    great_circle = sphere_coordinates(x, fit, metric, what),
    scaled = metric_coordinates(metric$inner, list(), divide_columns(x, fit$scale, what), what),
    mahalanobis = whiten(x, metric, what),
    gower = gower_coordinates(x, fit, what)
  )
}

divide_columns <- function(x, scale, what) {
  check_finite(unname(x) / rep(scale, each = nrow(x)), paste0(what, ", divided by scale,"))
}

check_finite <- function(z, what) {
  where <- .Call(r_first_nonfinite, z)
  if (!is.null(where)) {
    fail("%s must be finite: row %d, column %d is %s", what, where[1], where[2],
         format(z[where[1], where[2]]))
  }
  z
}

# Divides rows by their length: first by their largest absolute value, so that squares stay in
# range.
unit_rows <- function(x, what) {
  x <- unname(x)
  most <- 0
  for (j in seq_len(ncol(x))) most <- pmax(most, abs(x[, j]))
  zero <- which(most == 0)
  if (length(zero) > 0) {
    fail("%s must have a value other than 0 in each row, which gives its direction: row %d has only zeros",
         what, zero[1])
  }
  x <- x / most
  sum <- 0
  for (j in seq_len(ncol(x))) sum <- sum + x[, j]^2
  x / sqrt(sum)
}

# Coordinates in which the distance is Euclidean: z = R'^-1 x for cov = R' R. Column by column, so
# that the coordinates of a point do not depend on other points.
whiten <- function(x, metric, what) {
  factor <- metric$factor
  if (ncol(x) != ncol(factor)) {
    fail("cov must have a row and a column for each of the %d columns of %s: got %d", ncol(x), what,
         ncol(factor))
  }
  x <- match_columns(x, metric$columns, what, "cov")
  z <- unname(x)
  for (j in seq_len(ncol(z))) {
    for (i in seq_len(j - 1)) z[, j] <- z[, j] - factor[i, j] * z[, i]
    z[, j] <- z[, j] / factor[j, j]
  }
  check_finite(z, paste0(what, ", divided by the factor of cov,"))
}

# ---- queries of a tree --------------------------------------------------------------------------

# The points of a tree, or of a query of it, in the form that metric_coordinates() reads.
check_metric_points <- function(x, metric, what = "x", empty = what != "x") {
  if (missing(x)) return(check_points(what = what))
  if (is_gower(metric)) return(check_frame(x, what, allows_missing(metric)))
  binary <- is_binary(metric)
  if (binary) x <- zeros_and_ones(x)
  x <- check_points(x, what, empty = empty)
  if (binary) check_binary(x, what)
  x
}

# The coordinates of query points of a tree with a metric.
query_coordinates <- function(query, tree, what = "query") {
  space <- tree$space
  extent <- tree_extent(tree)
  query <- match_query(check_metric_points(query, space$metric, what, empty = TRUE), tree, what)
  if (nrow(query) == 0) return(matrix(0, 0, ncol(extent)))
  z <- metric_coordinates(space$metric, space$fit, query, what)
  check_coordinates(z, space$code, paste(what, "and the tree's points together"), extent)
  z
}

# The query points with the columns of the tree.
match_query <- function(query, tree, what = "query") {
  metric <- tree$space$metric
  if (is_gower(metric)) match_frame(query, tree$space$fit)
  else match_points(query, metric, dim(tree)[2], dimnames(tree)[[2]], what)
}

# The points with the columns of a tree, given by their number and names. `metric`: NULL for
# Euclidean distance.
match_points <- function(query, metric, columns, names, what) {
  if (ncol(query) != columns) {
    fail("%s must have as many columns as the tree, %d: got %d", what, columns, ncol(query))
  }
  if (identical(metric$kind, "great_circle")) {
    if (is.null(names)) return(query)
    own <- sphere_names(colnames(query))
    # Otherwise the message names the columns as the user does.
    if (!is.null(sphere_places(own)) && setequal(own, sphere_names(names))) {
      colnames(query) <- own
      names <- sphere_names(names)
    }
  }
  match_columns(query, names, what, "the tree")
}

# Checks the state of a metric: a file can contain anything. Checksums are compared once in a
# session. pointer: the arrays of the tree, or NULL for a grown tree, whose parts have the arrays.
check_space <- function(space, pointer = NULL) {
  if (is.null(space)) return()
  if (!is.list(space) || !identical(names(space), c(space_parts, "seal")) || !is_metric(space$metric)) {
    fail("tree's metric must be one that cover_tree(x, metric = ) set: got %s", describe(space))
  }
  if (!is_sealed(space$seal, space[space_parts])) {
    fail("tree's metric is damaged: it does not match its checksum; build the tree again with cover_tree()")
  }
  if (is.null(pointer)) return()
  arrays <- .Call(r_tree_arrays, pointer)
  if (!identical(space$n, nrow(arrays$points)) ||
        !identical(space$extent, rbind(arrays$lower[1, ], arrays$upper[1, ]))) {
    fail("tree's metric must be that of its arrays: got that of another tree; build the tree again with cover_tree()")
  }
}
