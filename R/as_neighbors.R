#' Convert neighbors to the form of another package
#'
#' Converts a result of [knn_query()], [radius_query()] or [vecchia_neighbors()] to the object that
#' another package makes or takes, so that its functions can continue with exact neighbors.
#'
#' @param x A result of [knn_query()] or [radius_query()] of m queries among n points; for GpGp,
#'   BRISC and spNNGP, also a result of [vecchia_neighbors()]. A result for k neighbors with `self =
#'   TRUE` is read as the result for k - 1 neighbors with `self = FALSE`.
#' @param to The name of the package: one of the rows of the table below.
#' @param self Whether each own point is its own first neighbor, at distance 0. `NULL`: as in the
#'   package. With `TRUE`, the result has one more neighbor per query than `x`, or as many as an `x`
#'   with `self = TRUE`, and the queries must be own points of the tree.
#' @param points The points of the tree, or the `x` of [vecchia_neighbors()] in its own order: a
#'   numeric matrix or data frame of two columns. For BRISC only, whose object also contains the
#'   distances between the neighbors of each point.
#'
#' @return The object in the third or fourth column of the table. The last column names the
#'   permitted queries; "all": the queries must be all own points of the tree, so that row i of the
#'   result is point i.
#'
#'   | `to` | `self` | of `knn_query()` | of `radius_query()` | queries |
#'   |---|---|---|---|---|
#'   | `"RANN"` | in | list `nn.idx`, `nn.dists` \[m x k\], as `nn2()` | the same, padded to the longest result | any |
#'   | `"nabor"` | in | list `nn.idx`, `nn.dists` \[m x k\], as `knn()` | the same, padded to the longest result | any |
#'   | `"FNN"` | out | list `nn.index`, `nn.dist` \[m x k\], as `get.knn()`, `get.knnx()` | - | any |
#'   | `"dbscan"` | out | class `kNN`, as `kNN()` | class `frNN`, as `frNN()` | all |
#'   | `"uwot"` | in | list `idx`, `dist` \[n x k\], for `umap(nn_method = )` | - | any |
#'   | `"BiocNeighbors"` | out, in | list `index`, `distance` \[m x k\], as `findKNN()`, `queryKNN()` | list `index`, `distance` of m vectors each, as `findNeighbors()` | any |
#'   | `"spdep"` | out | class `nb`, as `knn2nb(knearneigh())` | class `nb`, as `dnearneigh()` | all |
#'   | `"GpGp"` | in | integer matrix `NNarray` \[n x (k + 1)\], of a search with `predecessor = TRUE` | - | all |
#'   | `"spNNGP"` | out | list `n.neighbors`, `n.indx`, `nn.indx`, `nn.indx.lu`, `ord`, for the argument `neighbor.info` of `spNNGP()` and `spConjNNGP()`, of a search with `predecessor = TRUE` | - | all |
#'   | `"BRISC"` | out | list `nnIndxLU`, `CIndx`, `D`, `d`, `nnIndx`, `Length.D`, as `BRISC_neighbor()`, of a search with `predecessor = TRUE` | - | all |
#'   | `"Matrix"` | out | sparse matrix \[m x n\] of class `dgCMatrix`, with the distances | the same | any |
#'   | `"igraph"` | out | directed graph of n vertices with the edge attribute `distance` | the same | all |
#'
#'   Queries with fewer than k neighbors: `nn.idx` is padded with 0, and `nn.dists` with 1.34e154
#'   (RANN) or `Inf` (nabor); `NNarray` is padded with `NA`; classes `nb` and `dgCMatrix` and graphs
#'   have fewer entries. For the other packages, all queries must have k neighbors.
#'
#'   Neighbors for spNNGP and BRISC have row numbers from 0, in one vector for all points (`nn.indx`,
#'   `nnIndx`): the neighbors of the second point, then those of the third, and so on. `nn.indx.lu`
#'   and `nnIndxLU` have the number of elements before those of each point, then the number of its
#'   neighbors. `ord` is the order of [vecchia_neighbors()], or 1 to n for a result of
#'   [knn_query()]. Pass the order to BRISC as `ordering`, and the data in their own order to both
#'   packages.
#'
#'   Two defects of these packages affect all neighbors that a user passes. `spConjNNGP()` of spNNGP
#'   1.0.2 stops unless `return.neighbor.info = FALSE`. `BRISC_estimation()` of BRISC 1.0.6 does not
#'   read `Length.D`: it crashes R unless `BRISC_neighbor()` or `BRISC_estimation()` has found the
#'   same number of neighbors for as many points before, in the same session.
#'
#'   A `dgCMatrix` keeps a neighbor at distance 0 as an entry of value 0. An edge of a graph has no
#'   `weight`, because some functions of igraph read a weight as a distance, and others as a
#'   similarity: see the example.
#'
#' @section Errors:
#' Stops if `x` is not a result of a search, was edited so that its parts do not fit, or has no
#' neighbors except the own points that the package leaves out; if `to` is not in the table, or the table has no form for a result of
#' `radius_query()` or `vecchia_neighbors()`; if the last column does not permit the queries; if a query has
#' fewer than k neighbors and the package has no form for such a query; if a neighbor for GpGp,
#' spNNGP or BRISC is in a later row than its query, or, for spNNGP and BRISC, the point in row i
#' has not min(i - 1, k) neighbors or k is not below n; if `points` is given for another package
#' than BRISC, or the distances of these points are not those of `x`; if `self` is not `NULL`,
#' `TRUE` or `FALSE`, or differs from the table for dbscan, spdep, GpGp, spNNGP and BRISC; and if the package
#' Matrix or igraph is needed and not installed.
#'
#' @section Cost:
#' O(m k) time and memory; for BRISC O(n k^2).
#'
#' @seealso [vecchia_neighbors()] orders points, finds predecessors, and returns `NNarray`.
#'   [knn_graph()] makes graphs of mutual neighbors.
#'
#' @examples
#' x <- as.matrix(quakes[, 1:3])
#' tree <- cover_tree(x)
#' knn <- knn_query(tree, k = 5)
#' str(as_neighbors(knn, "RANN"))
#'
#' # For functions of other packages:
#' if (requireNamespace("dbscan", quietly = TRUE)) {
#'   table(dbscan::dbscan(as_neighbors(radius_query(tree, radius = 10), "dbscan"), minPts = 5)$cluster)
#' }
#' if (requireNamespace("igraph", quietly = TRUE)) {
#'   graph <- igraph::as.undirected(as_neighbors(knn, "igraph"), edge.attr.comb = "first")
#'   similarity <- 1 / (1 + igraph::E(graph)$distance)
#'   igraph::cluster_louvain(graph, weights = similarity)
#' }
#'
#' # For NNGP models:
#' places <- as.matrix(quakes[1:2])
#' info <- as_neighbors(vecchia_neighbors(places, m = 5), "spNNGP")
#' str(info[c("n.neighbors", "nn.indx", "nn.indx.lu", "ord")])
#' @export
as_neighbors <- function(x, to, self = NULL, points = NULL) {
  if (missing(x)) fail("x must be a result of knn_query(), radius_query() or vecchia_neighbors(): got nothing")
  of_radius <- inherits(x, "covertree_radius")
  of_vecchia <- inherits(x, "covertree_vecchia")
  if (!of_radius && !of_vecchia && !inherits(x, "covertree_knn")) {
    fail("x must be a result of knn_query(), radius_query() or vecchia_neighbors(): got %s", describe(x))
  }
  if (of_radius) check_radius_result(x) else if (of_vecchia) check_vecchia(x) else check_knn(x)
  if (missing(to)) fail("to must be the name of a package: got nothing")
  form <- FORMS[[check_choice(to, names(FORMS), "to")]]
  if (of_vecchia) x <- knn_of_vecchia(x, form, to)
  if (to == "BRISC") attr(x, "coordinates") <- check_plane_points(points, x)
  else if (!is.null(points)) fail("points must be NULL for \"%s\": got %s", to, describe(points))
  make <- if (of_radius) form$radius else form$knn
  if (is.null(make)) fail("x must be a result of knn_query() for \"%s\": got one of radius_query()", to)
  own <- isTRUE(attr(x, "own"))
  rows <- if (is.null(attr(x, "rows"))) seq_along_queries(x) else attr(x, "rows")
  if (own && "self" %in% attr(x, "exclusion")) x[c("index", "distance")] <- without_self(x, rows)
  if (form$all) check_all_own(x, own, to)
  if (form$complete && !of_radius) check_complete(x, to)
  self <- check_self(self, own, form, if (of_radius) form$radius_self else form$self, to)
  if (!self && !of_radius && ncol(x$index) == 0) {
    fail("x must have at least 2 neighbors, the first of which is the point itself, for \"%s\": got 1", to)
  }
  parts <- list(index = x$index, distance = x$distance)
  if (self) parts <- with_self(parts, rows)
  make(parts, x)
}

# Returns the neighbors as a result of knn_query() with the attribute `order`.
knn_of_vecchia <- function(x, form, to) {
  if (!form$predecessors) {
    fail("x must be a result of knn_query() or radius_query() for \"%s\": got one of vecchia_neighbors()", to)
  }
  structure(list(index = x$NNarray[, -1, drop = FALSE], distance = x$distance), class = "covertree_knn",
            own = TRUE, points = nrow(x$NNarray), order = x$order)
}

# Returns the points of the plane in the order of the rows of x.
check_plane_points <- function(points, x) {
  if (is.null(points)) fail("points must be the points of the tree for \"BRISC\": got NULL")
  points <- unname(check_points(points, "points"))
  if (!identical(dim(points), c(attr(x, "points"), 2L))) {
    fail("points must be %d x 2, the points of the tree: got %d x %d", attr(x, "points"), nrow(points), ncol(points))
  }
  if (is.null(attr(x, "order"))) points else points[attr(x, "order"), ]
}

check_self <- function(self, own, form, self_default, to) {
  if (is.null(self)) return(own && self_default)
  self <- check_flag(self, "self")
  if (form$fixed && self != form$self) fail("self must be NULL or %s for \"%s\": got %s", form$self, to, self)
  if (self && !own) fail("self must be FALSE if the queries are not own points of the tree: got TRUE")
  self
}

check_all_own <- function(x, own, to) {
  all <- own && is.null(attr(x, "rows"))
  queries <- length(seq_along_queries(x))
  if (all && isTRUE(queries == attr(x, "points"))) return(invisible())
  fail("x must have the neighbors of all own points of the tree for \"%s\": got the neighbors of %s", to,
       if (all) sprintf("%d of %s points", queries, describe(attr(x, "points"))) else if (own) "some rows" else "a query")
}

check_complete <- function(x, to) {
  short <- which(is.na(x$index[, ncol(x$index)]))
  if (length(short) == 0) return(invisible())
  fail("x must have %d neighbors for each query for \"%s\": query %d has %d", ncol(x$index), to, short[1],
       sum(!is.na(x$index[short[1], ])))
}

seq_along_queries <- function(x) if (is.matrix(x$index)) seq_len(nrow(x$index)) else seq_along(x$index)

# Adds the query itself, a point in row rows[i], as the first neighbor of query i.
with_self <- function(parts, rows) {
  if (is.matrix(parts$index)) {
    list(index = cbind(as.integer(rows), parts$index, deparse.level = 0),
         distance = cbind(numeric(nrow(parts$distance)), parts$distance))
  } else {
    list(index = Map(c, as.integer(rows), parts$index), distance = lapply(parts$distance, function(d) c(0, d)))
  }
}

# Removes the query itself, a point in row rows[i], from the neighbors of query i. If k duplicates in
# smaller rows are nearer in the order of neighbors, removes the last neighbor.
without_self <- function(parts, rows) {
  index <- parts$index
  if (!is.matrix(index)) {
    keep <- Map(`!=`, index, rows)
    return(list(index = unname(Map(`[`, index, keep)), distance = unname(Map(`[`, parts$distance, keep))))
  }
  at <- rep(ncol(index), nrow(index))
  found <- which(index == rows, arr.ind = TRUE)
  at[found[, 1]] <- found[, 2]
  keep <- t(col(index) != at)
  lapply(list(index = index, distance = parts$distance), function(values) {
    matrix(t(values)[keep], nrow(index), ncol(index) - 1L, byrow = TRUE)
  })
}

# Returns lists of neighbors as matrices [m x longest], padded with NA.
as_matrices <- function(parts) {
  if (is.matrix(parts$index)) return(parts)
  longest <- max(0L, lengths(parts$index))
  pad <- function(list, na) {
    t(vapply(list, function(each) c(each, rep(na, longest - length(each))), rep(na, longest)))
  }
  shape <- c(length(parts$index), longest)
  list(index = array(pad(parts$index, NA_integer_), shape), distance = array(pad(parts$distance, NA_real_), shape))
}

# Returns the pairs of a query and a neighbor as vectors `query`, `neighbor` and `distance`.
as_pairs <- function(parts) {
  if (!is.matrix(parts$index)) {
    return(list(query = rep(seq_along(parts$index), lengths(parts$index)),
                neighbor = as.integer(unlist(parts$index)), distance = as.double(unlist(parts$distance))))
  }
  found <- which(!is.na(parts$index))
  list(query = row(parts$index)[found], neighbor = parts$index[found], distance = parts$distance[found])
}

# Whether the neighbor of each pair also has the query as a neighbor, for pairs of n own points.
have_reverse <- function(pairs, n) {
  ((pairs$neighbor - 1) * n + pairs$query) %in% ((pairs$query - 1) * n + pairs$neighbor)
}

# Returns a function that gives matrices, padded with row 0 at the distance `missing`, as a list
# with the given names.
padded_as <- function(names, missing) {
  function(parts, x) {
    parts <- as_matrices(parts)
    none <- is.na(parts$index)
    parts$index[none] <- 0L
    parts$distance[none] <- missing
    stats::setNames(parts, names)
  }
}

named_as <- function(names) function(parts, x) stats::setNames(parts, names)

dbscan_knn <- function(parts, x) {
  k <- ncol(parts$index)
  named <- function(values) {
    dimnames(values) <- list(NULL, seq_len(k))
    values
  }
  structure(list(dist = named(parts$distance), id = named(parts$index), k = k, sort = TRUE),
            class = c("kNN", "NN"))
}

dbscan_radius <- function(parts, x) {
  structure(list(dist = parts$distance, id = parts$index, eps = x$radius, sort = TRUE),
            class = c("frNN", "NN"))
}

# The neighbors of a point are in ascending order, and 0 if it has none. `sym`: whether each
# neighbor of a point also has the point as a neighbor.
spdep_nb <- function(type) {
  function(parts, x) {
    pairs <- as_pairs(parts)
    n <- length(seq_along_queries(x))
    ascending <- order(pairs$query, pairs$neighbor, method = "radix")
    query <- pairs$query[ascending]
    neighbor <- pairs$neighbor[ascending]
    # The pairs with query and neighbor exchanged, in the same order.
    exchanged <- order(neighbor, method = "radix")
    point <- structure(query, levels = as.character(seq_len(n)), class = "factor")
    nb <- unname(split(neighbor, point))
    nb[lengths(nb) == 0] <- list(0L)
    structure(nb, class = "nb", region.id = as.character(seq_len(n)), call = quote(as_neighbors(x, "spdep")),
              sym = identical(query, neighbor[exchanged]) && identical(neighbor, query[exchanged]), type = type)
  }
}

gpgp_array <- function(parts, x) check_predecessors(parts$index, "GpGp")

check_predecessors <- function(index, to) {
  late <- which(index > row(index), arr.ind = TRUE)
  if (length(late) > 0) {
    fail("x must be a result with predecessor = TRUE for \"%s\": point %d has the later neighbor %d", to,
         late[1, 1], index[late[1, , drop = FALSE]])
  }
  index
}

# Returns the neighbors among the previous points in the layout of NNGP models: `index`, row numbers
# from 0, point by point; `count`, the number of neighbors of each point; `start`, the number of
# elements before those of each point.
nngp_neighbors <- function(index, to) {
  n <- nrow(check_predecessors(index, to))
  if (ncol(index) >= n) fail("x must have fewer neighbors than points for \"%s\": got %d of %d points", to, ncol(index), n)
  count <- pmin(seq_len(n) - 1L, ncol(index))
  short <- which(rowSums(!is.na(index)) < count)
  if (length(short) > 0) {
    fail("x must have %d neighbor%s for point %d for \"%s\": got %d", count[short[1]], plural(count[short[1]]),
         short[1], to, sum(!is.na(index[short[1], ])))
  }
  list(index = present(index) - 1L, count = count, start = before(count))
}

# The values that are not NA, row by row.
present <- function(values) t(values)[!is.na(t(values))]

# The sum of the previous elements.
before <- function(count) c(0L, as.integer(cumsum(as.double(count))[-length(count)]))

spnngp_info <- function(parts, x) {
  found <- nngp_neighbors(parts$index, "spNNGP")
  n <- length(found$count)
  each <- unname(split(found$index + 1L, factor(rep(seq_len(n), found$count), seq_len(n))))
  each[1] <- NA
  list(n.neighbors = ncol(parts$index), n.indx = each, nn.indx = found$index,
       nn.indx.lu = c(found$start, found$count),
       ord = if (is.null(attr(x, "order"))) seq_len(n) else attr(x, "order"))
}

brisc_list <- function(parts, x) {
  found <- nngp_neighbors(parts$index, "BRISC")
  points <- attr(x, "coordinates")
  distance <- row_distance(points, points, parts$index)
  wrong <- which(abs(distance - parts$distance) > 1e-8 * max(distance, na.rm = TRUE), arr.ind = TRUE)
  if (length(wrong) > 0) {
    first <- wrong[1, , drop = FALSE]
    fail("points must be the points of the tree, with Euclidean distance: neighbor %d of point %d is at %g, in x at %g",
         first[2], first[1], distance[first], parts$distance[first])
  }
  pairs <- sum(as.double(found$count)^2)
  if (pairs > .Machine$integer.max) {
    fail("x must have at most %d distances between neighbors for \"BRISC\": got %.0f", .Machine$integer.max, pairs)
  }
  list(nnIndxLU = c(found$start, found$count), CIndx = c(before(found$count^2), found$count * found$count),
       D = neighbor_distances(points, parts$index), d = present(distance), nnIndx = found$index,
       Length.D = as.integer(pairs))
}

# Returns the distances between the neighbors of each point, point by point: for c neighbors, a
# matrix [c x c].
neighbor_distances <- function(points, index) {
  k <- ncol(index)
  distance <- array(0, c(k, k, nrow(index)))
  for (j in seq_len(k)) distance[, j, ] <- t(row_distance(points[index[, j], , drop = FALSE], points, index))
  distance[!is.na(distance)]
}

sparse_matrix <- function(parts, x) {
  need_package("Matrix", "to = \"Matrix\"")
  pairs <- as_pairs(parts)
  Matrix::sparseMatrix(pairs$query, pairs$neighbor, x = pairs$distance,
                       dims = c(length(seq_along_queries(x)), attr(x, "points")))
}

directed_graph <- function(parts, x) {
  need_package("igraph", "to = \"igraph\"")
  pairs <- as_pairs(parts)
  graph_of_pairs(pairs, attr(x, "points"), distance = pairs$distance)
}

# Returns a graph of n vertices with an edge for each pair. `...`: edge attributes by name.
graph_of_pairs <- function(pairs, n, ..., directed = TRUE) {
  graph <- igraph::make_graph(rbind(pairs$query, pairs$neighbor), n = n, directed = directed)
  attributes <- list(...)
  for (name in names(attributes)) graph <- igraph::set_edge_attr(graph, name, value = attributes[[name]])
  graph
}

# A form of neighbors in another package. knn, radius: functions of (parts, x) that convert a result
# of knn_query() or radius_query(); NULL if the package has no such form. self, radius_self: whether
# an own point is its own neighbor; fixed: whether `self` cannot be changed. all: whether the
# queries must be all own points. complete: whether each query must have k neighbors. predecessors:
# whether the neighbors are previous points, so that vecchia_neighbors() can find them.
new_form <- function(knn, radius = NULL, self = FALSE, radius_self = self, fixed = FALSE, all = FALSE,
                     complete = FALSE, predecessors = FALSE) {
  list(knn = knn, radius = radius, self = self, radius_self = radius_self, fixed = fixed, all = all,
       complete = complete, predecessors = predecessors)
}

LARGEST_ROOT <- sqrt(.Machine$double.xmax)

FORMS <- list(
  RANN = new_form(padded_as(c("nn.idx", "nn.dists"), LARGEST_ROOT),
                  padded_as(c("nn.idx", "nn.dists"), LARGEST_ROOT), self = TRUE),
  nabor = new_form(padded_as(c("nn.idx", "nn.dists"), Inf), padded_as(c("nn.idx", "nn.dists"), Inf),
                   self = TRUE),
  FNN = new_form(named_as(c("nn.index", "nn.dist")), complete = TRUE),
  dbscan = new_form(dbscan_knn, dbscan_radius, fixed = TRUE, all = TRUE, complete = TRUE),
  uwot = new_form(named_as(c("idx", "dist")), self = TRUE, complete = TRUE),
  BiocNeighbors = new_form(named_as(c("index", "distance")), named_as(c("index", "distance")),
                           radius_self = TRUE, complete = TRUE),
  spdep = new_form(spdep_nb("knn"), spdep_nb("distance"), fixed = TRUE, all = TRUE),
  GpGp = new_form(gpgp_array, self = TRUE, fixed = TRUE, all = TRUE, predecessors = TRUE),
  spNNGP = new_form(spnngp_info, fixed = TRUE, all = TRUE, predecessors = TRUE),
  BRISC = new_form(brisc_list, fixed = TRUE, all = TRUE, predecessors = TRUE),
  Matrix = new_form(sparse_matrix, sparse_matrix),
  igraph = new_form(directed_graph, directed_graph, all = TRUE)
)
