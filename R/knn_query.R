#' Find the k nearest neighbors of many points
#'
#' Finds, for each query point, the k points of a tree with the smallest distances. The result is
#' exact, unless `recall`, `epsilon` or `budget` permits an approximation. Equal distances are
#' ordered by row.
#'
#' @param tree A tree of n points in d dimensions from [cover_tree()], [insert_points()],
#'   [remove_points()] or [read_tree()], or a forest from [cover_forest()].
#' @param query The query points \[m x d\]: a matrix or data frame with the columns of the tree's
#'   points and one row per query; m may be 0, and columns without rows may be logical. If both have
#'   column names, columns are matched by name; if the order differs, a message of class
#'   `covertree_reordered` says so. Otherwise columns are matched by position. With a
#'   [metric_function()], `query` is a list or vector of m objects. For a tree of points of the
#'   package \pkg{sf}, `query` may be of class `sf` or `sfc`, with the same coordinate reference
#'   system. `NULL`: the queries are the tree's own points. An own point is not its own neighbor,
#'   unless `self` is `TRUE`, but a duplicate in another row is.
#' @param k The number of neighbors: a whole number of at least 1.
#' @param rows Queries among the tree's own points: a vector of m row numbers from 1 to n, in any
#'   order, which may contain a row several times. Row i of the result is row `rows[i]` of the
#'   result for all points. `NULL`: all points. A vector without elements: no queries. `query` must
#'   be `NULL`.
#' @param predecessor Whether the neighbors of an own point must be in earlier rows, as for a
#'   Vecchia approximation. The point in row i then has at most i - 1 neighbors. `query` must be
#'   `NULL`. If n is above 1,024 and above 8 k, the first such search also builds the *prefix
#'   trees*: trees of the first n/2, n/4, ... rows. The tree keeps them in memory, but does not save
#'   them. They take about as much memory as a tree with the default `leaf_size`.
#' @param self Whether an own point may be its own neighbor, at distance 0 and ordered by row among
#'   its duplicates. Not with `query`, nor with an argument that excludes the point itself: `before`,
#'   `exclude`, `window` or, in [knn_query()], `predecessor`.
#' @param before A variable, such as time, in which neighbors must come before the query: a vector of
#'   n numbers, a `Date` or a `POSIXct`, with the value of each of the tree's points. The value of a
#'   neighbor is smaller than the value of the query; points with an equal value are no neighbors.
#'   With `query`: `list(points = , query = )`, the values of the n points and of the m queries.
#'   Without `NA`. See "Excluded points" in [knn_query()].
#' @param exclude Groups whose points are not neighbors of each other: a factor or a vector of n
#'   numbers or strings, with the group of each of the tree's points. With `query`: `list(points = ,
#'   query = )`, the groups of the n points and of the m queries. A query of a group without points
#'   may find all points. Without `NA`.
#' @param window A whole number w of at least 0, for rows in the order of time: the own point in row
#'   i does not find the rows from i - w to i + w. `query` must be `NULL`.
#' @param recall The mean share of the true neighbors to find: one number above 0 and at most 1. 1
#'   is exact. Below 1, the search by residual correlation stops early. Samples of the queries, some
#'   of which are also answered exactly, determine how early. By Euclidean distance and by functions
#'   ([metric_function()], [kernel_custom()]), and with `metric_gower(na = "scan")`, the
#'   result is exact.
#' @param epsilon The permitted relative error of distances, at least 0: the distance of the
#'   neighbor of each rank is at most (1 + `epsilon`) times the distance of the true neighbor of
#'   this rank. A search by residual correlation, by a [metric_function()] or with
#'   `metric_gower(na = "scan")` ignores `epsilon` and is exact.
#' @param budget A [budget()], or a vector with its limits: the number of points that may be
#'   evaluated for a query. At most one of `recall` below 1, `epsilon` above 0 and `budget` may be
#'   given. Not with a [metric_function()], a [kernel_custom()] or `metric_gower(na = "scan")`.
#' @param max_distance The largest distance of a neighbor, in the units of the tree's metric: one
#'   number of at least 0, or one for each query (each element of `rows`). A point at a distance of
#'   exactly `max_distance` is returned. A small `max_distance` saves time, because the search
#'   excludes nodes of the tree by this distance from the beginning. A finite `max_distance` cannot
#'   be combined with an approximate search: `budget`, `epsilon` above 0, or, by residual
#'   correlation, `recall` below 1. `Inf`: no limit.
#' @param threads The number of threads; `NULL` for the default of [covertree_threads()]. The result
#'   is the same for any number.
#' @param max_pairs The largest number of pairs (a query and a neighbor) that the result may have:
#'   one number, or `Inf`. The result has m k pairs, including repeated `rows` and the padding with
#'   `NA`. `NULL`: as many as fit into half of the available memory; see [radius_query()].
#' @param control A [knn_control()], or a list of its arguments: settings that do not change an
#'   exact result.
#'
#' @return A list of class `covertree_knn` with
#'   \describe{
#'     \item{`index`}{integer matrix \[m x k\]: row numbers of the points from which the tree was
#'       built. Row i has the neighbors of query i, nearest first.}
#'     \item{`distance`}{double matrix \[m x k\]: the distances of these neighbors by the metric of
#'       the tree}
#'   }
#'   and attributes
#'   \describe{
#'     \item{`exact`}{`TRUE` if the result is exact. It is `FALSE` for every search with a budget,
#'       and for a search with `recall` below 1 or `epsilon` above 0, except where this page says
#'       that the result is exact. A scan by Euclidean distance ([knn_control()]) is exact.}
#'     \item{`recall`}{only if not exact: named vector `estimate`, `lower`, `upper`, `worst`: the
#'       share of the neighbors found, estimated on a sample of the queries; the limits of an
#'       approximate 95% confidence interval, see [recall_of()]; and the share found for the 1% of
#'       the sampled queries that miss most}
#'     \item{`evaluations`}{only if not exact: the mean number of points evaluated per query. By
#'       Euclidean distance without a budget, a scanned tile counts as 16 points.}
#'     \item{`budget`, `epsilon`, `rows`}{the arguments, if used}
#'     \item{`exclusion`}{the names of the arguments `self`, `before`, `exclude` and `window`, if used}
#'     \item{`own`, `points`}{whether the queries are the tree's own points; the largest row number
#'       of a point: n, or more in a grown tree ([insert_points()])}
#'     \item{`no_residual`, `reason`}{only by residual correlation: the share of the queries that
#'       have no residual variance and are answered by distance in space (see
#'       [residual_correlation()]), and, if it is above 0, a sentence with their number and the
#'       reasons}
#'     \item{`stats`}{with `control = knn_control(stats = TRUE)`: see [knn_stats()]}
#'   }
#'   If a query has fewer than k neighbors (within `max_distance`, and not excluded), its rows of
#'   both matrices are padded with `NA`. Without queries, both matrices are 0 x k, and the result is
#'   exact.
#'
#'   `as.data.frame()` converts the result to a data frame with a row for each neighbor, without the
#'   padding, and the columns `query` (the number of the query, or with `rows` the row number of the
#'   point), `neighbor`, `rank` and `distance`. `print(x, n = 6)` prints the first n rows.
#'
#' @section Excluded points:
#' `before`, `exclude` and `window` exclude points for each query; a neighbor must satisfy all that
#' are given. Results are exact and ordered by (distance, row), as without exclusions. The search
#' stores the smallest value, the group (if all points have the same one) and the range of rows of
#' each node and tile of the tree, and so excludes nodes without a permitted point.
#'
#' Applications: `before` finds earlier events, or conditioning sets in a given order; `before =
#' seq_len(n)` is `predecessor = TRUE`. `exclude` finds neighbors in other folds of a
#' cross-validation by groups, other patients or treatment groups for matching, or other spatial
#' blocks. `window` excludes trivial matches in a time series. If the rows of x are the subsequences
#' of length L of a series, each with mean 0 and standard deviation 1, then `k = 1` and `window = w`
#' give the matrix profile with an exclusion zone of w on both sides (in other software often L / 4
#' or L / 2, rounded up), and with `before = seq_len(n)` the left matrix profile (Yeh et al., 2016).
#'
#' These arguments need one tree whose metric compares coordinates, such as Euclidean, Manhattan,
#' Chebyshev, cosine or great-circle distance ([metrics]), and an exact search: `epsilon = 0` and no
#' `budget`. A tree from [read_tree()] is one tree. Other trees are an error: those of a
#' [metric_function()], of `metric_gower(na = "scan")` and of a [residual_correlation()], which
#' support `predecessor` only, and trees after [insert_points()] or [remove_points()], and forests.
#'
#' @section By residual correlation:
#' If the metric of the tree is a [residual_correlation()], the exact search compares every query
#' with every point, or with every predecessor, because the nodes of the tree span such large
#' distances in this metric that almost no node can be excluded. For most pairs, an upper bound of
#' the correlation suffices, often in single precision; only the remaining pairs get their
#' correlation. With `recall` below 1, the points are evaluated in the order of their Euclidean
#' distance in the tree. The search of a query stops after a number of consecutive points that are
#' not among its k nearest.
#'
#' A query without residual variance is answered by distance in space, exactly, in every kind of
#' search. Its neighbors count as found in the recall of the other queries. If all queries are of
#' this kind, the attribute `exact` is `TRUE`.
#'
#' @section Search to a stated recall:
#' By Euclidean distance, a search with `recall` below 1 is the exact one. An exact search is
#' faster, because neighboring queries share their work.
#'
#' By residual correlation, all queries are answered with the least effort that reaches the target
#' on two random samples. In the *exact sample*, 400 queries are answered exactly. In the *control
#' sample*, 2 / (1 - `recall`) other queries, but at least 1,000 (2,000 for 0.999), are answered by
#' a patient search, with about four times the effort that suffices in the exact sample. The loss of
#' a search against the patient search in the control sample, plus the loss of the patient search in
#' the exact sample, is an estimate of its loss. With the chosen effort, the estimated recall
#' exceeds the target by three standard errors. The standard error contains half of the loss of one
#' more query that misses neighbors, so it is above 0 even if no sampled query misses a neighbor.
#'
#' The exact sample is too small if one query could lose more than the target permits, as with
#' `k = 1` and a target of 0.999. Then an exact sample as large as the control sample decides alone.
#' The answer is exact, and its attribute `exact` is `TRUE`, if there are not more than twice as
#' many queries as in the exact sample, if no effort reaches the target, or if the exact search is
#' estimated to cost less, as it may for a smooth kernel. The stated recall is estimated on the
#' samples that chose the effort; the choice shifts it by less than its standard error, as a rule.
#' The answers of the samples are not part of the result.
#'
#' The guarantees of a stated recall, and their limits:
#' \itemize{
#'   \item The target holds for the mean of all queries, not for each query. Outliers and queries
#'     with a small residual variance miss more than others: `worst` tells how much, and
#'     `knn_control(worst_recall = )` sets a target for it.
#'   \item Three standard errors are not a confidence of 99.87%, because the losses of queries are
#'     far from normal. `vignette("performance")` has the observed frequency of a recall below the
#'     target.
#'   \item A sample does not show what is rare. If a share f of the queries misses all of its
#'     neighbors at the chosen effort, a sample of s queries contains none of these with a
#'     probability of about exp(-f s). If the patient search finds these neighbors, s is the size of
#'     both samples: for f = c (1 - `recall`), the probability is below exp(-2 c), which is 0.14 if
#'     these queries lose as much as the target permits, and 0.002 if they lose three times as much.
#'     If the patient search misses them as well, s is 400: a share of 0.1% goes unseen with a
#'     probability of 0.67, and 1% with 0.02.
#' }
#'
#' The result for a query does not depend on the other queries, except through the effort, and not
#' on `threads` or `block_size`. For the tree's own points, the effort is kept with the tree; for
#' its use after a change of the metric, see [update_metric()]. For a `query` it is determined in
#' each call. With `rows`, the effort and the stated recall are determined for all of the tree's own
#' points, also with `epsilon` or `budget`; for rows that are not a random sample of these, such as
#' outliers, use [recall_of()]. The first such call therefore takes longer, by about half of the
#' time for a search of all points, and the following calls only answer their queries. The same
#' calls with the same seed give the same answer. [recall_of()] with another seed measures any
#' answer on other queries.
#'
#' @section Errors:
#' Stops if `tree` is not a tree; if `query` is not numeric and finite, or has other columns than
#' the tree, by number or by name; if the range of the columns of `query` and of the tree's points
#' together is outside the limits of [cover_tree()]; if `rows` contains anything but row numbers of
#' the tree; if `k`, `predecessor`, `self`, `before`, `exclude`, `window`, `recall`, `epsilon`,
#' `budget`, `max_distance`, `threads`, `max_pairs` or `control` is not as described; if arguments
#' exclude each other; and if the result would have more than `max_pairs` pairs.
#'
#' @section Cost:
#' Time, Euclidean distance: at most O(n d + k log k) operations for each query, which is the cost
#' of a scan. For points of few independent dimensions, a query evaluates a small part of the
#' points, and this number grows little with n; see `vignette("performance")`. Each call also sorts
#' the queries along the Hilbert curve, O(m d); with `rows`, it takes O(n) more.
#' A search of all own points with a `k` of at most 16 and few dimensions does not descend from the
#' root for each query, but begins in the tile of the point. With a `k` of at most 32, 16 or more
#' dimensions and a scan of all points, each product of two points serves both as queries, which
#' takes half the operations. With up to four rows of `query`, no
#' other argument than `k` and `threads`, and a tree of points by Euclidean distance, a call omits
#' most of its checks and takes a few microseconds more than the search itself.
#'
#' With `before`, `exclude` or `window`, a call also takes O(n log n) time. With `before`, it also
#' builds trees of the points with small values, for queries with small values, in about the time of
#' one tree. With few queries, it builds no such trees. A query takes longer if many excluded points
#' are nearer than its k nearest permitted points. The search excludes them node by node where
#' possible.
#'
#' Time, residual correlation with s inducing points: O(n (s + d)) for each query of an exact
#' search, and half of that with `predecessor = TRUE` for all points. A rotation of the factors, if
#' the search decides that it saves time, takes O(n s^2). An approximate search takes O(s + d) for
#' each evaluated point. With `query`, a call also computes the factors of the queries, O(m s (s +
#' d)).
#'
#' Memory: 12 bytes for each pair of the result; up to 28 bytes during a search by a
#' [metric_function()]. A Euclidean search also needs temporary memory for the nodes and tiles of
#' the tree and for candidates, for each thread; 5 bytes for each point if it searches all own
#' points, or 4 d + 16 k + 240 bytes for each point if these are scanned in 16 or more dimensions;
#' with exclusions about 30 bytes for each point; with `before` about 100 bytes, and memory to
#' build a tree of n / 2 points. An exact search by residual correlation needs n (s + d + 3) numbers
#' in single precision, double precision, or both. With at most n / 8 queries, it needs about 4 MB,
#' s + d + 3 numbers for each query, and memory for candidates.
#'
#' @references
#' Yeh, C.-C. M. et al. (2016). Matrix Profile I: all pairs similarity joins for time series. *IEEE
#' International Conference on Data Mining*, 1317-1322. \doi{10.1109/ICDM.2016.0179}
#'
#' @seealso [radius_query()] finds all points within a distance. [vecchia_neighbors()] orders points
#'   and finds predecessors. [knn_join()], [knn_predict()], [knn_impute()] and [knn_graph()] use the
#'   neighbors; [as_neighbors()] converts them to the objects of other packages. [insert_points()]
#'   explains the row numbers of a grown tree, and [cover_forest()] the searches in a forest.
#'
#' @examples
#' x <- as.matrix(quakes[, 1:3])
#' tree <- cover_tree(x)
#' knn <- knn_query(tree, k = 3)
#' knn
#' head(as.data.frame(knn))
#'
#' knn_query(tree, query = rbind(c(-20, 180, 100)), k = 2)
#' knn_query(tree, rows = c(1000, 1), k = 2)
#' knn_query(tree, rows = c(1000, 1), k = 2, max_distance = 5)
#'
#' # Earthquakes of smaller magnitude, reported by other numbers of stations.
#' knn_query(tree, k = 2, before = quakes$mag, exclude = quakes$stations)
#' @export
knn_query <- function(tree, query = NULL, k = 10, rows = NULL, predecessor = FALSE, self = FALSE,
                      before = NULL, exclude = NULL, window = NULL, recall = 1, epsilon = 0, budget = NULL,
                      max_distance = Inf, threads = NULL, max_pairs = NULL, control = knn_control()) {
  # Few queries without further arguments: NULL unless all arguments are surely valid.
  if (!missing(query) && nargs() == 4 - missing(k) - missing(threads)) {
    found <- .Call(r_few_knn, tree, query, k, threads)
    if (!is.null(found)) return(found)
  }
  excluding <- list(self = self, before = before, exclude = exclude, window = window)
  if (is_shards(tree)) {
    check_exclusion(excluding, tree, query)
    return(shards_knn(tree, query, k, rows, predecessor, recall, epsilon, budget, max_distance, threads,
                      max_pairs, control))
  }
  check_tree(tree)
  k <- check_count(k, "k")
  recall <- check_share(recall, "recall")
  epsilon <- check_amount(epsilon, "epsilon")
  budget <- check_budget(budget)
  if ((recall < 1) + (epsilon > 0) + (!is.null(budget)) > 1) {
    given <- c("recall", "epsilon", "budget")[c(recall < 1, epsilon > 0, !is.null(budget))]
    fail("at most one of recall, epsilon and budget may be given: got %s", toString(given))
  }
  query <- plain_query(query, tree)
  exclusion <- check_exclusion(excluding, tree, query, check_flag(predecessor, "predecessor"))
  if (is_grown_tree(tree)) {
    return(grown_knn(tree, query, k, rows, list(predecessor = predecessor, recall = recall, epsilon = epsilon,
                                                budget = budget, max_distance = max_distance, threads = threads,
                                                max_pairs = max_pairs, control = control)))
  }
  # Searches by an R function, and searches that compare all pairs, are exact.
  if (is_function_tree(tree) || is_custom(tree$metric$metric$kernel) || is_scanned(tree)) recall <- 1
  if (is_scanned(tree)) epsilon <- 0
  control <- check_control(control)
  if (!is.null(exclusion)) {
    check_exact_exclusion(exclusion, epsilon, budget)
    predecessor <- FALSE
  }
  options <- search_options(control, threads, predecessor, epsilon, budget, exclusion = exclusion)
  euclidean <- is.null(tree$metric)
  scan <- control$search == "scan" && euclidean
  if (scan && !is.null(budget)) fail("control must have search = \"auto\" or \"tree\" with a budget: got search = \"scan\"")
  queries <- count_queries(query, rows, length(tree))
  check_pairs(queries, k, length(tree), options$threads, check_max_pairs(max_pairs),
              pair = if (is_function_tree(tree)) FUNCTION_PAIR else PAIR)
  rows <- check_rows(rows, length(tree))
  distinct <- if (!is.null(rows)) sort(unique(rows))
  max_distance <- check_max_distance(max_distance, queries)
  if (!is.null(max_distance)) {
    check_exact_for(recall < 1 && !euclidean, epsilon, budget)
    options$max_distance <- limits_of(max_distance, rows, distinct)
  }
  outermost <- begin_progress("knn_query", control$progress)
  on.exit(end_progress(outermost))
  progress_stage("search")
  call <- search_for(tree, query, k, options)
  none <- if (!is.null(call$no_residual)) call$no_residual(rows)
  found <- if (queries == 0 || identical(none$share, 1)) call$exact(distinct)
           else if (recall < 1 && !euclidean) {
             search_to_recall(call, c(mean = recall, worst = control$worst_recall), control$seed, distinct)
           }
           else if (!is.null(budget) || epsilon > 0 && euclidean && !scan) {
             search_within(call, control$seed, distinct)
           }
           else call$exact(distinct)
  result <- found[c("index", "distance")]
  if (!identical(rows, distinct)) result <- lines_of(result, match(rows, distinct))
  if (!is.null(max_distance)) result <- drop_farther(result, max_distance)
  knn <- structure(result, class = "covertree_knn", exact = is.null(found$recall),
                   own = is.null(query), points = length(tree))
  if (!is.null(found$recall)) attributes(knn) <- c(attributes(knn), found[c("recall", "evaluations")])
  attr(knn, "budget") <- budget
  if (epsilon > 0 && !is.null(found$recall)) attr(knn, "epsilon") <- epsilon
  attr(knn, "rows") <- rows
  attr(knn, "exclusion") <- exclusion$used
  attributes(knn) <- c(attributes(knn), no_residual_attributes(none))
  if (control$stats) attr(knn, "stats") <- call$stats(found)
  knn
}
