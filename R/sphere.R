# Longitude and latitude: unit vectors for the great circle.

# Replaces the names of longitude and latitude by "longitude" and "latitude"; other names do not
# change.
sphere_names <- function(names) {
  if (is.null(names)) return(NULL)
  names[grepl("^(lon(g|gitude)?|lng)$", names, ignore.case = TRUE)] <- "longitude"
  names[grepl("^lat(itude)?$", names, ignore.case = TRUE)] <- "latitude"
  names
}

# The numbers of the columns of longitude and latitude, or NULL if the names do not identify both.
sphere_places <- function(names) {
  names <- sphere_names(names)
  place <- list(which(names == "longitude"), which(names == "latitude"))
  if (all(lengths(place) == 1)) unlist(place)
}

# The numbers of the columns: longitude, latitude, then the other columns. By name if the names
# identify both, otherwise by position. Stops if the names contradict the positions.
sphere_order <- function(x, what) {
  if (ncol(x) < 2) fail("%s must have at least two columns, longitude and latitude: got one", what)
  place <- sphere_places(colnames(x))
  if (!is.null(place)) return(c(place, setdiff(seq_len(ncol(x)), place)))
  refuse_swapped_names(colnames(x), what)
  seq_len(ncol(x))
}

fit_sphere <- function(metric, x) {
  order <- sphere_order(x, "x")
  list(order = order, named = !is.null(colnames(x)),
       scale = by_column(metric$scale, x[, order, drop = FALSE], "scale", "x", skip = 2))
}

# Unit vectors, and further columns divided by `scale` and the radius.
sphere_coordinates <- function(x, fit, metric, what) {
  order <- if (fit$named) fit$order else sphere_order(x, what)
  x <- x[, order, drop = FALSE]
  z <- unit_vectors(x, what, order)
  if (ncol(x) == 2) return(z)
  cbind(z, divide_columns(x[, -(1:2), drop = FALSE], fit$scale * metric$radius, what))
}

# Longitude and latitude by position, for vecchia_neighbors(lonlat = ).
on_sphere <- function(x, what) {
  refuse_swapped_names(colnames(x), what)
  unit_vectors(x, what)
}

# Coordinates on the unit sphere. Sines and cosines of half turns are exact for whole numbers, so a
# pole is one point, and -180 and 180 degrees are the same. `columns`: the numbers of the two
# columns for the user.
unit_vectors <- function(x, what, columns = 1:2) {
  check_degrees(x[, 1], -360, 720, "longitudes", columns[1], what)
  check_degrees(x[, 2], -90, 90, "latitudes", columns[2], what)
  longitude <- x[, 1] / 180
  latitude <- x[, 2] / 180
  unname(cbind(cospi(latitude) * cospi(longitude), cospi(latitude) * sinpi(longitude),
               sinpi(latitude)))
}

refuse_swapped_names <- function(names, what) {
  known <- sphere_names(names)
  if (any(known[-2] == "latitude", known[-1] == "longitude")) {
    fail("%s must have longitude in its first column and latitude in its second: got `%s` and `%s`",
         what, names[1], names[2])
  }
}

check_degrees <- function(value, least, most, name, column, what) {
  wrong <- which(value < least | value > most)
  if (length(wrong) > 0) {
    fail("%s must have %s within %g and %g in its %s column: row %d is %s", what, name, least, most,
         if (column < 3) c("first", "second")[column] else paste0(column, "th"), wrong[1],
         format(value[wrong[1]]))
  }
}
