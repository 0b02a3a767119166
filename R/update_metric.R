#' Change the metric of a tree
#'
#' Replaces the residual correlation of a tree: other hyperparameters or other inducing points. The
#' tree itself is kept: [cover_tree()] built it over the coordinates divided by the lengthscale of
#' the first metric. Only V and p are computed again. Unless inducing points are few, this takes most
#' of the time of [cover_tree()].
#'
#' @inheritParams cover_tree
#' @param tree A tree that [cover_tree()] made with a [residual_correlation()].
#' @param metric Another [residual_correlation()].
#'
#' @return A new tree; `tree` keeps its metric. Exact searches have the same results as with
#'   `cover_tree(x, metric = metric)`. Searches to a stated recall evaluate points in the order of
#'   their Euclidean distance in the old tree. If the ratios of lengthscales have changed much, such a
#'   search is faster in a tree from [cover_tree()].
#'
#' @section Searches to a stated recall:
#' The effort that such a search has chosen for `tree` is used for the new tree as well, one step
#' (10%) higher, because it changes little while hyperparameters change little, as during a fit. The
#' first search of the new tree checks it: 200 other queries are answered exactly, and the recall is
#' stated for these. If the mean recall of all queries that were checked since the effort was chosen
#' does not exceed the target by a standard error, or after 16 updates, the effort is chosen again.
#' The result therefore depends on the searches before the update; [cover_tree()] makes a tree
#' without them.
#'
#' @section Errors:
#' Stops if `tree` has no residual correlation, and, as [residual_correlation()] and [cover_tree()]
#' do, if the metric does not fit the points. Warns if many points have no residual variance; see
#' [residual_correlation()].
#'
#' @examples
#' x <- matrix(runif(2000), ncol = 2)
#' tree <- cover_tree(x, metric = residual_correlation(kernel_matern32(lengthscale = 0.2), 50))
#' again <- update_metric(tree, residual_correlation(kernel_matern32(lengthscale = 0.3), 50))
#' knn_query(again, k = 3)
#' @export
update_metric <- function(tree, metric, threads = NULL) {
  check_tree(tree)
  if (is.null(tree$metric) || is_function_tree(tree)) {
    fail("tree must have a residual correlation to update: got one with %s; build it with cover_tree(x, metric = )",
         if (is_function_tree(tree)) "a metric_function()"
         else if (is.null(tree$space)) "Euclidean distance" else metric_label(tree$space$metric))
  }
  if (missing(metric) || !inherits(metric, "covertree_residual_correlation")) {
    fail("metric must be a residual_correlation(): got %s",
         if (missing(metric)) "nothing" else describe(metric))
  }
  metric <- check_metric(metric)
  outermost <- begin_progress("update_metric")
  on.exit(end_progress(outermost))
  state <- check_state(tree$metric, dim(tree_arrays(tree)$points))
  updated <- new_cover_tree(tree$pointer, metric_state(state$x, metric, threads, state$space),
                            crs = attr(tree, "crs"))
  before <- kept_choices(cache_of(tree))
  if (length(before) > 0) updated$cache$before <- before
  updated
}
