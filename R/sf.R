# Points of the package sf: their coordinates, and the metric of their coordinate reference system
# (CRS).

is_sf <- function(x) inherits(x, c("sf", "sfc", "sfg"))

# Returns the coordinates [n x 2] of points, with the columns X and Y. `what` is the name of the
# argument.
sf_coordinates <- function(x, what) {
  need_package("sf", sprintf("%s of class %s", what, class(x)[1]))
  if (inherits(x, "sfg")) {
    fail("%s must be an sf or sfc object: got a geometry without a coordinate reference system; use sf::st_sfc(%s, crs = )",
         what, what)
  }
  shapes <- sf::st_geometry(x)
  check_sf_points(shapes, what)
  if (is.na(sf::st_crs(shapes))) {
    fail(paste("%s must have a coordinate reference system, which tells degrees from meters: got none; set it with",
               "sf::st_set_crs(), or pass sf::st_coordinates(%s)"), what, what)
  }
  if (length(shapes) == 0) return(matrix(0, 0, 2, dimnames = list(NULL, c("X", "Y"))))
  points <- sf::st_coordinates(shapes)
  if (ncol(points) > 2) {
    fail("%s must have points of two coordinates: got %s; drop the others with sf::st_zm(%s), or pass sf::st_coordinates(%s)",
         what, paste(colnames(points), collapse = ", "), what, what)
  }
  rownames(points) <- NULL
  points
}

check_sf_points <- function(shapes, what) {
  type <- as.character(sf::st_geometry_type(shapes))
  other <- which(type != "POINT")
  if (length(other) > 0) {
    fail(paste("%s must have points: row %d is a %s; use sf::st_centroid(%s), or sf::st_coordinates(%s) for all of",
               "its vertices"), what, other[1], type[other[1]], what, what)
  }
  empty <- which(sf::st_is_empty(shapes))
  if (length(empty) > 0) {
    fail("%s must have points with coordinates: row %d is empty; use %s[!sf::st_is_empty(%s), ]", what, empty[1],
         what, what)
  }
}

# Returns the coordinates of a query of class sf, and any other query as it is. `what` is the name
# of the argument.
plain_query <- function(query, tree, what = "query") {
  if (!is_sf(query) || is_function_tree(tree)) return(query)
  points <- sf_coordinates(query, what)
  crs <- attr(tree, "crs")
  if (is.null(crs)) {
    fail("%s must be a matrix or a data frame, because the tree's points have no coordinate reference system: got %s; use sf::st_coordinates(%s)",
         what, describe(query), what)
  }
  check_crs(query, what, crs, "the tree", "attr(tree, \"crs\")")
  points
}

# Stops unless `x` has this CRS of `whose` points. `source`: code for it.
check_crs <- function(x, what, crs, whose, source) {
  own <- sf::st_crs(x)
  if (own == crs) return(invisible())
  fail("%s must have the coordinate reference system of %s, %s: got %s; use sf::st_transform(%s, %s)", what, whose,
       crs_label(crs), crs_label(own), what, if (is.na(crs$epsg)) source else crs$epsg)
}

crs_label <- function(crs) encodeString(if (is.na(crs$input)) "unnamed" else crs$input, quote = "\"")

# The metric for points of a CRS.
sf_metric <- function(crs) if (sf::st_is_longlat(crs)) metric_great_circle(unit = "m") else "euclidean"
