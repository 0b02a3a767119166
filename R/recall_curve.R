#' Recall against cost
#'
#' Answers a sample of the queries with several budgets, and measures the recall of each: how many
#' points a query must evaluate to find a share of its neighbors.
#'
#' @inheritParams knn_query
#' @param budgets The budgets: a vector of limits \[points\], each of which is a budget with a single
#'   limit, or a list of values of [budget()].
#' @param sample The number of queries to draw; all, if there are not more.
#' @param control A [knn_control()], of which `seed` decides the sample and `stats` is not used.
#' @param x,object A value of `recall_curve()` or [recall_of()].
#' @param ... For `plot()` of a value of [recall_of()], more such values; otherwise ignored.
#' @param cost The cost of each of these values, such as points evaluated or seconds; `NULL` for their
#'   numbers.
#' @param label The title of the horizontal axis.
#' @param main,sub The title, and the line below it; `NULL` for a description, `""` for none.
#'
#' @return `recall_curve()` returns a data frame of class `covertree_recall_curve` with a row for each
#'   budget, in ascending order of the cost: `limit`, the last limit of the budget; `cost`, the mean
#'   number of points evaluated for a query; and `estimate`, `lower`, `upper` and `worst` as in
#'   [recall_of()].
#'
#'   `plot()` returns such a data frame with the columns `cost`, `estimate`, `lower`, `upper` and
#'   `worst`, invisibly. `autoplot()`, for which the package \pkg{ggplot2} must be loaded, returns the same
#'   picture as a `ggplot` object.
#'
#' @details
#' The interval of each recall has a confidence of 95%. The intervals of a curve come from the same
#' queries, so they are not independent. If all queries are drawn, the intervals have no width.
#'
#' @section Errors:
#' Stops if `budgets` is not as described, if the tree has a [metric_function()] or compares all
#' pairs, whose searches are exact, or points that were inserted or removed (use [compact()] or, after
#' a removal, `cover_tree(as.matrix(tree))`), and for the reasons of [knn_query()].
#'
#' @section Cost:
#' One exact search, and one search for each budget, of the queries in the sample.
#'
#' @seealso [budget()], [recall_of()], [knn_query()]
#'
#' @examples
#' x <- matrix(rnorm(20000), ncol = 4)
#' curve <- recall_curve(cover_tree(x), c(20, 50, 100, 200, 400), k = 10)
#' curve
#' plot(curve)
#' @export
recall_curve <- function(tree, budgets, query = NULL, k = 10, predecessor = FALSE, sample = 1000, threads = NULL,
                         control = knn_control()) {
  check_tree(tree)
  if (is_grown_tree(tree)) refuse_parts(tree)
  if (is_function_tree(tree) || is_custom(tree$metric$metric$kernel) || is_scanned(tree)) {
    fail("tree must have searches with a budget: got one whose searches are exact")
  }
  budgets <- check_budgets(budgets)
  k <- check_count(k, "k")
  sample <- check_count(sample, "sample")
  control <- check_control(control)
  options <- search_options(control, threads, predecessor)
  query <- plain_query(query, tree)
  queries <- count_queries(query, NULL, length(tree))
  if (queries == 0) fail("query must have at least one row: got none")
  outermost <- begin_progress("recall_curve", control$progress)
  on.exit(end_progress(outermost))
  progress_stage("exact sample")
  drawn <- sample_rows(queries, sample, control$seed)
  exact <- search_for(tree, query, k, options)$exact(drawn)
  rows <- lapply(seq_along(budgets), function(i) {
    budget <- budgets[[i]]
    progress_stage(sprintf("budget %d of %d", i, length(budgets)))
    options$budget <- budget
    call <- search_for(tree, query, k, options)
    found <- call$within(drawn)
    measured <- recall_interval(recall_by_query(found, exact), queries)
    data.frame(limit = budget$schedule[length(budget$schedule)], cost = mean(found$evaluated), as.list(measured))
  })
  curve <- do.call(rbind, rows)
  curve <- curve[order(curve$cost, curve$limit), ]
  row.names(curve) <- NULL
  structure(curve, class = c("covertree_recall_curve", "data.frame"), k = k, sample = length(drawn))
}

check_budgets <- function(budgets) {
  if (missing(budgets)) fail("budgets must be limits or a list of budgets: got nothing")
  if (inherits(budgets, "covertree_budget")) budgets <- list(budgets)
  if (is_numeric(budgets) && length(budgets) > 0) budgets <- as.list(budgets)
  if (!is.list(budgets) || is.object(budgets) || length(budgets) == 0) {
    fail("budgets must be limits or a list of budgets: got %s", describe(budgets))
  }
  lapply(seq_along(budgets), function(i) {
    if (is.null(budgets[[i]])) fail("budgets must be limits or a list of budgets: element %d is NULL", i)
    within_argument(sprintf("element %d of budgets", i), check_budget(budgets[[i]]))
  })
}

#' @rdname recall_curve
#' @method plot covertree_recall_curve
#' @export
plot.covertree_recall_curve <- function(x, label = "points evaluated for a query", main = NULL, sub = NULL, ...) {
  picture <- curve_picture(x, label, main, sub, attr(x, "k"), attr(x, "sample"))
  draw_recall(picture)
  invisible(picture$data)
}

#' @rdname recall_curve
#' @method plot covertree_recall
#' @export
plot.covertree_recall <- function(x, ..., cost = NULL, label = if (is.null(cost)) "result" else "cost", main = NULL,
                                  sub = NULL) {
  picture <- curve_picture(recall_rows(list(x, ...), cost), label, main, sub, common("k", x, ...), common("sample", x, ...))
  draw_recall(picture)
  invisible(picture$data)
}

# Values of recall_of() as a curve, in ascending order of their cost.
recall_rows <- function(values, cost) {
  wrong <- which(!vapply(values, inherits, NA, "covertree_recall"))
  if (length(wrong) > 0) {
    fail("... must be values of recall_of(): element %d is %s", wrong[1] - 1, describe(values[[wrong[1]]]))
  }
  if (is.null(cost)) cost <- seq_along(values)
  if (!is_numeric(cost) || length(cost) != length(values) || any(!is.finite(cost))) {
    fail("cost must be NULL or a number for each of the %d values: got %s", length(values), describe(cost))
  }
  part <- function(name) vapply(values, `[[`, 0, name)
  rows <- data.frame(cost = as.double(cost), estimate = part("estimate"), lower = part("lower"), upper = part("upper"),
                     worst = part("worst"))
  rows <- rows[order(rows$cost), ]
  row.names(rows) <- NULL
  rows
}

# The number `part` of values of recall_of(); NULL if it differs between them.
common <- function(part, ...) {
  value <- unique(vapply(list(...), `[[`, 0, part))
  if (length(value) == 1) value
}

# What plot() and autoplot() draw of a curve: list(data, label, main, sub).
curve_picture <- function(curve, label, main, sub, k, sample) {
  wanted <- c("cost", "estimate", "lower", "upper", "worst")
  absent <- setdiff(wanted, names(curve))
  if (length(absent) > 0) fail("x must have the column `%s`: it was edited", absent[1])
  data <- as.data.frame(unclass(curve)[wanted])
  wrong <- which(!vapply(data, is_numeric, NA))
  if (length(wrong) > 0) fail("x must have numbers in the column `%s`: it was edited", wanted[wrong[1]])
  label <- check_text(label, "label")
  main <- check_text(main, "main")
  sub <- check_text(sub, "sub")
  about <- if (length(k) == 1 && length(sample) == 1) {
    sprintf("%d neighbor%s, %s quer%s", k, plural(k), big_number(sample), if (sample == 1) "y" else "ies")
  }
  list(data = data, label = label, main = if (is.null(main)) "Recall" else main, sub = if (is.null(sub)) about else sub)
}

draw_recall <- function(picture) {
  data <- picture$data
  known <- data[stats::complete.cases(data), ]
  low <- if (nrow(known) > 0) min(known$lower, known$worst) else 0
  log <- nrow(known) > 1 && min(known$cost) > 0 && max(known$cost) > 5 * min(known$cost)
  open_frame(if (nrow(known) > 0) range(known$cost) else c(0, 1), c(min(low, 0.95), 1),
             c(picture$label, "share of the neighbors found"), log = if (log) "x" else "")
  mean_color <- DISTINCT[["blue"]]
  worst_color <- DISTINCT[["red"]]
  graphics::lines(known$cost, known$worst, col = worst_color, lwd = 1.5, lty = 2)
  graphics::points(known$cost, known$worst, col = worst_color, pch = 1, lwd = 2)
  graphics::lines(known$cost, known$estimate, col = mean_color, lwd = 2.5)
  graphics::segments(known$cost, known$lower, known$cost, known$upper, col = mean_color, lwd = 1.5)
  for (end in c("lower", "upper")) graphics::points(known$cost, known[[end]], pch = "-", cex = 1.4, col = mean_color)
  graphics::points(known$cost, known$estimate, pch = 16, col = mean_color)
  add_keys(keys(c("mean, with its 95% interval", "worst 1% of the queries"), c(mean_color, worst_color),
                c("point", "ring")))
  add_title(picture$main, picture$sub)
}
