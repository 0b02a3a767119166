# Search to a stated recall: the least effort that reaches the recall on a sample of the queries.

# The number of queries on which the recall of a budget or of an epsilon is measured.
SAMPLE <- 1000

# A sorted sample of the numbers 1 to n. The state of R's random numbers is restored.
sample_rows <- function(n, size, seed) {
  if (size >= n) return(seq_len(n))
  old <- globalenv()[[".Random.seed"]]
  kinds <- RNGkind()
  on.exit(restore_random(old, kinds))
  set.seed(seed, "Mersenne-Twister", "Inversion", "Rejection")
  sort(sample.int(n, size))
}

# The seed also encodes the kinds of generators. Without a seed the kinds are restored, for some
# of which R warns.
restore_random <- function(seed, kinds) {
  if (!is.null(seed)) return(assign(".Random.seed", seed, envir = globalenv()))
  suppressWarnings(RNGkind(kinds[1], kinds[2], kinds[3]))
  rm(".Random.seed", envir = globalenv())
}

# Answers all queries, or those in `rows`, with the least effort that reaches the target: c(mean,
# worst), the mean recall and that of the worst queries, 0 if not asked for.
search_to_recall <- function(call, target, seed, rows = NULL) {
  choice <- choose_effort(call, target, seed)
  progress_stage("search")
  if (is.na(choice$effort)) return(call$exact(rows))
  found <- call$attempt(rows, choice$effort, choice$few)
  c(found, list(recall = choice$recall, evaluations = mean(found$evaluated)))
}

# Answers all queries, or those in `rows`, within the limits of the call, and measures the recall.
search_within <- function(call, seed, rows = NULL) {
  found <- call$within(rows)
  recall <- function() {
    progress_stage("recall")
    drawn <- sample_rows(call$queries, SAMPLE, seed)
    part <- if (is.null(rows)) lines_of(found, drawn) else call$within(drawn)
    recall_interval(recall_by_query(part, call$exact(drawn)), call$queries)
  }
  c(found, list(recall = keep_recall(call, c("within", call$limits, seed), recall, rows),
                evaluations = mean(found$evaluated)))
}

# The value of `recall`, which measures it on a sample of all queries. If only the queries in `rows`
# are answered, the value is kept with the tree for this session, so that the sample is answered in
# the first call only. The name in the cache is short: searches with the same name replace each
# other.
keep_recall <- function(call, settings, recall, rows) {
  if (is.null(rows)) return(recall())
  name <- paste(c("recall", call$key, utils::head(settings, 20)), collapse = " ")
  kept <- call$cache[[name]]
  if (is.list(kept) && length(kept) == 3 && identical(kept[2:3], list(session, settings))) return(kept[[1]])
  value <- recall()
  assign(name, list(value, session, settings), envir = call$cache)
  value
}

lines_of <- function(found, rows) {
  lapply(found[c("index", "distance")], function(part) part[rows, , drop = FALSE])
}

# Marks choices made in this session: after saveRDS() and readRDS() an environment is a different
# one.
session <- new.env(parent = emptyenv())

# The choice for the tree's own points is kept with the tree. If its metric has changed, the choice
# for the metric before is checked first.
choose_effort <- function(call, target, seed) {
  if (is.null(call$cache)) return(calibrate(call, target, seed))
  key <- paste(c("effort", call$key, target, seed), collapse = " ")
  kept <- call$cache[[key]]
  if (is_kept_choice(kept, key)) return(kept)
  before <- if (is.list(call$cache$before)) call$cache$before[[key]]
  choice <- if (is_kept_choice(before, key)) carry_over(call, target, seed, before)
  if (is.null(choice)) choice <- calibrate(call, target, seed)
  choice$seal <- .Call(r_seal, c(choice[names(no_choice)], key))
  assign(key, choice, envir = call$cache)
  choice
}

# A file can contain anything: a choice has a checksum.
is_kept_choice <- function(kept, key) {
  if (!is.list(kept) || !identical(names(kept), c(names(no_choice), "seal"))) return(FALSE)
  choice <- kept[names(no_choice)]
  shape <- function(choice) {
    list(lapply(choice, typeof), lengths(choice[c("effort", "few", "updates")]), names(choice$recall))
  }
  identical(shape(choice), shape(no_choice)) && is_sealed(kept$seal, c(choice, key))
}

# The choices that the searches of a tree have made, by key: its own, and those before its metric
# changed.
kept_choices <- function(cache) {
  before <- if (is.list(cache$before)) cache$before else list()
  keys <- grep("^effort ", ls(cache), value = TRUE)
  before[keys] <- mget(keys, envir = cache)
  before
}

#' Measure the recall of any answer
#'
#' Answers a sample of the queries exactly, and returns the share of these neighbors that a result
#' contains: a result of [knn_query()], or of any other program.
#'
#' @inheritParams knn_query
#' @param result A result of [knn_query()], or a matrix of row numbers with a row for each query,
#'   in any order, padded with `NA`: such as the `nn.idx` of other packages, or, with
#'   `predecessor = TRUE`, the `NNarray` of \pkg{GpGp} without its first column, for a tree of the
#'   locations in the order to which `NNarray` refers.
#' @param rows The queries that `result` answers, as row numbers of the tree's own points; by
#'   default those that [knn_query()] was given. `NULL`: all points. Not with `query`.
#' @param predecessor Whether `result` contains predecessors only.
#' @param sample The number of queries to draw; all, if there are not more.
#' @param tolerance The relative difference up to which two distances are equal: one number of at least
#'   0 and below 1.
#' @param max_pairs The largest number of exact neighbors to find, for all queries drawn together:
#'   one number, or `Inf`. `NULL` for as many as fit into half of the available memory; see
#'   [radius_query()].
#' @param control A [knn_control()], of which `stats` is not used.
#'
#' @return A list of class `covertree_recall`: `estimate`, the share found, with `lower` and
#'   `upper`, the limits of an approximate 95% interval, which both equal the estimate if all queries
#'   were drawn; `worst`, the share found for the 1% of the drawn queries that miss most; `sample`, the number
#'   of queries drawn; `k`. Without queries, the shares are `NA`.
#'
#' @section Equal distances:
#' The recall does not depend on the choice between points at equal distances. Let `r` be the distance of
#' the farthest exact neighbor of a query, and c the number of its exact neighbors at distance `r`. A point
#' nearer than `r` counts if it is in the result, and of the points at distance `r` in the result, up to c
#' count. So the recall of a query is 1 only if the result has k nearest points.
#'
#' The default tolerance makes distances equal that differ by rounding only, because another program may
#' add the same squares in another order: on a grid with a step of 0.1, most neighbors of a point are such
#' ties. A program that computes in single precision needs a tolerance of about 1e-6. The recall in a
#' result of [knn_query()] or [recall_curve()] is measured with tolerance 0, because both searches compute
#' the same distances.
#'
#' @section The interval:
#' The limits are those of Clopper and Pearson for a binomial share, with the effective sample size
#' of Korn and Graubard, which accounts for neighbors that are missed together, by one query, and a
#' correction for the share of the queries that were drawn. A query that misses neighbors is taken to
#' miss at least half of them if there are fewer than ten such queries, and all of them if there is
#' none. If rare queries miss much more than the others, the interval of a small sample can be too
#' narrow: draw more queries.
#'
#' @section Errors:
#' Stops if `result` does not have a row for each query, or holds numbers that are not rows of the
#' tree, or was found with `self`, `before`, `exclude` or `window`, and if more than `max_pairs`
#' neighbors would have to be found.
#'
#' @section Cost:
#' One exact search of the drawn queries, and the distances of the neighbors that `result` has for
#' them.
#'
#' @references
#' Clopper, C. J. and Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in
#' the case of the binomial. *Biometrika* 26(4), 404-413. \doi{10.1093/biomet/26.4.404}
#'
#' Korn, E. L. and Graubard, B. I. (1998). Confidence intervals for proportions with small expected
#' number of positive counts estimated from survey data. *Survey Methodology* 24(2), 193-201.
#'
#' @examples
#' x <- matrix(rnorm(3000), ncol = 3)
#' tree <- cover_tree(x)
#' recall_of(tree, knn_query(tree, k = 5))
#'
#' near <- vecchia_neighbors(x, m = 5)
#' recall_of(cover_tree(x[near$order, ]), near$NNarray[, -1], predecessor = TRUE)
#' @export
recall_of <- function(tree, result, query = NULL, rows = attr(result, "rows"), predecessor = FALSE,
                      sample = 1000, tolerance = 1e-8, threads = NULL, max_pairs = NULL, control = knn_control()) {
  check_tree(tree)
  if (missing(result)) {
    fail("result must be a result of knn_query() or a matrix of row numbers: got nothing")
  }
  if (is_grown_tree(tree)) {
    return(grown_recall(tree, result, query, rows, list(predecessor = predecessor, sample = sample, tolerance = tolerance,
                                                        threads = threads, max_pairs = max_pairs,
                                                        control = control)))
  }
  sample <- check_count(sample, "sample")
  tolerance <- check_tolerance(tolerance)
  control <- check_control(control)
  options <- search_options(control, threads, predecessor)
  query <- plain_query(query, tree)
  count_queries(query, rows, length(tree))
  rows <- check_rows(rows, length(tree))
  refuse_exclusion(result, "result")
  if (inherits(result, "covertree_knn")) result <- result$index
  index <- check_result(result, length(tree))
  call <- search_for(tree, query, ncol(index), options)
  queries <- if (is.null(rows)) call$queries else length(rows)
  if (nrow(index) != queries) {
    fail("result must have a row for each of the %d queries: got %d", queries, nrow(index))
  }
  check_pairs(min(sample, queries), ncol(index), length(tree), options$threads,
              check_max_pairs(max_pairs), "a smaller sample", "")
  outermost <- begin_progress("recall_of", control$progress)
  on.exit(end_progress(outermost))
  progress_stage("search")
  drawn <- sample_rows(queries, sample, control$seed)
  asked <- if (is.null(rows)) drawn else rows[drawn]
  distinct <- sort(unique(asked))
  exact <- lines_of(call$exact(distinct), match(asked, distinct))
  found <- list(index = index[drawn, , drop = FALSE])
  if (is.null(query)) found$index[ineligible(found$index, asked, predecessor)] <- NA
  found$distance <- call$distance(asked, found$index)
  interval <- recall_interval(recall_by_query(found, exact, tolerance), queries)
  structure(c(as.list(interval), list(sample = length(drawn), k = ncol(index))),
            class = "covertree_recall")
}

check_tolerance <- function(tolerance) {
  if (!is_number(tolerance) || is.na(tolerance) || tolerance < 0 || tolerance >= 1) {
    fail("tolerance must be one number of at least 0 and below 1: got %s", describe(tolerance))
  }
  as.double(tolerance)
}

# Entries that cannot be neighbors of the tree's own points: a point itself, and with `predecessor`
# any later row. `rows` are the rows of the queries.
ineligible <- function(index, rows, predecessor) {
  own <- rows[row(index)]
  which(if (predecessor) index >= own else index == own)
}

# A matrix of NA only, or without rows, may be logical.
check_result <- function(index, n) {
  untyped <- is.logical(index) && all(is.na(index))
  if (!is.matrix(index) || !(is_numeric(index) || untyped)) {
    fail("result must be a result of knn_query() or a matrix of row numbers: got %s", describe(index))
  }
  if (ncol(index) == 0) fail("result must have at least one column: got none")
  wrong <- which(!is.na(index) & (index < 1 | index > n | index != trunc(index)))
  if (length(wrong) > 0) {
    place <- arrayInd(wrong[1], dim(index))
    fail("result must be row numbers of the tree's data, 1 to %d, or NA: got %s, row %d, column %d", n,
         format(index[wrong[1]]), place[1], place[2])
  }
  storage.mode(index) <- "integer"
  index
}

#' @export
print.covertree_recall <- function(x, ...) {
  cat(sprintf("recall %.5f (%.5f to %.5f), worst 1%% %.4f, %d neighbor%s of %s quer%s\n", x$estimate,
              x$lower, x$upper, x$worst, x$k, plural(x$k), format(x$sample, big.mark = ","),
              if (x$sample == 1) "y" else "ies"))
  invisible(x)
}
