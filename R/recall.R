# Search to a stated recall: the least effort that reaches the recall on a sample of the queries.

SAMPLE <- 1000

# The number of queries on which the effort is chosen. A target near 1 needs more: see
# recall_interval(). The recall is stated for APART other queries, because the sample on which
# the effort was chosen would overestimate it.
sample_size <- function(target) max(SAMPLE, ceiling(2 / (1 - target)))
APART <- 500

# The number of queries with missed neighbors from which a standard error can be estimated.
TELLING <- 10

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

# For each query, the share of its exact neighbors that were found. A point at the distance of the
# farthest exact neighbor counts as one of them.
recall_by_query <- function(found, exact) {
  if (nrow(exact$index) == 0) return(numeric())
  there <- rowSums(!is.na(exact$index))
  farthest <- exact$distance[cbind(seq_along(there), pmax(there, 1))]
  hits <- vapply(seq_along(there), function(i) {
    new <- !duplicated(found$index[i, ]) & !is.na(found$index[i, ])
    sum(new & (found$index[i, ] %in% exact$index[i, ] | (found$distance[i, ] <= farthest[i]) %in% TRUE))
  }, 0)
  ifelse(there > 0, pmin(hits, there) / pmax(there, 1), 1)
}

# The mean of a sample's shares, and limits at `errors` standard errors from it; `queries` is the
# size of the population. Missed neighbors are clustered: an outlying query may miss most of its
# neighbors. If fewer than TELLING queries missed any, the standard error is therefore at least
# that of one query that misses half of its neighbors. If the sample is the population, the
# standard error is 0.
recall_interval <- function(share, queries, errors = stats::qnorm(0.975)) {
  n <- length(share)
  if (n == 0) return(c(estimate = NA_real_, lower = NA_real_, upper = NA_real_))
  least <- if (sum(share < 1) < TELLING) 0.5 / n else 0
  error <- max(stats::sd(share) / sqrt(n), least, na.rm = TRUE) * sqrt(1 - n / queries)
  estimate <- mean(share)
  c(estimate = estimate, lower = max(0, estimate - errors * error),
    upper = min(1, estimate + errors * error))
}

# Answers all queries, or those in `rows`, with the least effort that reaches the target. The stated
# recall is measured on the answer to queries that did not choose the effort.
search_to_recall <- function(call, target, seed, rows = NULL) {
  choice <- choose_effort(call, target, seed)
  if (is.null(choice)) return(call$exact(rows))
  found <- call$attempt(rows, choice$effort, choice)
  recall <- function() {
    apart <- if (is.null(rows)) lines_of(found, choice$rows)
             else call$attempt(choice$rows, choice$effort, choice)
    recall_interval(recall_by_query(apart, choice$exact), call$queries)
  }
  c(found, list(recall = keep_recall(call, c(target, seed), recall, rows),
                evaluations = mean(found$evaluated)))
}

# Answers all queries, or those in `rows`, within the limits of the call, and measures the recall.
search_within <- function(call, seed, rows = NULL) {
  found <- call$within(rows)
  recall <- function() {
    drawn <- sample_rows(call$queries, SAMPLE, seed)
    part <- if (is.null(rows)) lines_of(found, drawn) else call$within(drawn)
    recall_interval(recall_by_query(part, call$exact(drawn)), call$queries)
  }
  c(found, list(recall = keep_recall(call, c("within", call$limits, seed), recall, rows),
                evaluations = mean(found$evaluated)))
}

# The value of `recall`, which measures it on a sample of all queries. If only the queries in `rows`
# are answered, the value is kept with the tree for this session, so that the sample is answered in
# the first call only. The name in the cache is short: searches with the same name replace each other.
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

# The choice for the tree's own points is kept with the tree.
choose_effort <- function(call, target, seed) {
  if (is.null(call$cache)) return(calibrate(call, target, seed))
  key <- paste(c(call$key, target, seed), collapse = " ")
  kept <- call$cache[[key]]
  choice <- if (is_kept_choice(kept, call, target, seed)) kept[[1]] else calibrate(call, target, seed)
  assign(key, list(choice, session), envir = call$cache)
  choice
}

# Whether an element of a cache is a valid choice for this call. A file can contain anything: rows
# must be those that the seed draws, and distances must be those of the neighbors.
is_kept_choice <- function(kept, call, target, seed) {
  if (!is.list(kept) || !length(kept) %in% 1:2) return(FALSE)
  choice <- kept[[1]]
  # NULL means that no effort suffices; it leads to the exact answer.
  if (is.null(choice)) return(TRUE)
  if (!has_choice_shape(choice, call)) return(FALSE)
  if (length(kept) == 2 && identical(kept[[2]], session)) return(TRUE)
  sample <- draw_sample(call, target, seed)
  !is.null(sample) && identical(choice$rows, sample$drawn[sample$apart]) &&
    identical(call$distance(choice$rows, choice$exact$index), choice$exact$distance)
}

has_choice_shape <- function(choice, call) {
  if (!is.list(choice) || !identical(names(choice), c("effort", "evaluated", "rows", "exact"))) {
    return(FALSE)
  }
  exact <- choice$exact
  size <- c(APART, call$key[[1]])
  if (!is.list(exact) || !identical(names(exact), c("index", "distance"))) return(FALSE)
  shaped <- is.integer(exact$index) && identical(dim(exact$index), as.integer(size)) &&
    is_doubles(exact$distance, size) && is.integer(choice$rows) && length(choice$rows) == APART &&
    is_number(choice$effort) && choice$effort %in% call$efforts &&
    is_numeric(choice$evaluated) && length(choice$evaluated) > 0
  shaped && all(choice$rows %in% seq_len(call$queries), is.finite(choice$evaluated),
                choice$evaluated >= 0, is.na(exact$index) | exact$index %in% seq_len(call$queries))
}

# The queries of the sample, and the places among them of those on which the recall is stated.
# NULL if the sample would contain all queries.
draw_sample <- function(call, target, seed) {
  size <- sample_size(target) + APART
  if (size >= call$queries) return(NULL)
  list(drawn = sample_rows(call$queries, size, seed),
       apart = unique(round(seq(1, size, length.out = APART))))
}

# Chooses the effort by bisection: recall increases with effort.
calibrate <- function(call, target, seed) {
  sample <- draw_sample(call, target, seed)
  if (is.null(sample)) return(NULL)
  drawn <- sample$drawn
  apart <- sample$apart
  known <- call$exact(drawn)
  rows <- drawn[-apart]
  exact <- lines_of(known, -apart)
  low <- 0
  high <- length(call$efforts) + 1
  best <- NULL
  while (high - low > 1) {
    middle <- (low + high) %/% 2
    found <- call$attempt(rows, call$efforts[middle], NULL)
    share <- recall_by_query(found, exact)
    if (recall_interval(share, call$queries, 3)[["lower"]] >= target) {
      high <- middle
      best <- list(effort = call$efforts[middle], evaluated = found$evaluated,
                   rows = drawn[apart], exact = lines_of(known, apart))
    } else {
      low <- middle
    }
  }
  best
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
#' @param max_pairs The largest number of exact neighbors to find, for all queries drawn together:
#'   one number, or `Inf`. `NULL` for as many as fit into half of the available memory; see
#'   [radius_query()].
#' @param control A [knn_control()], of which `stats` is not used.
#'
#' @return A list of class `covertree_recall`: `estimate`, the share found, with `lower`
#'   and `upper`, the limits of a 95% interval, which both equal the estimate if all queries were
#'   drawn; `sample`, the number of queries drawn; `k`. A neighbor counts if it is one of the exact
#'   ones or as near as the farthest of them. Without queries, the shares are `NA`.
#'
#' @section Errors:
#' Stops if `result` does not have a row for each query, or holds numbers that are not rows of the
#' tree, and if more than `max_pairs` neighbors would have to be found.
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
                      sample = 1000, threads = NULL, max_pairs = NULL, control = knn_control()) {
  check_tree(tree)
  if (missing(result)) fail("result must be given: a result of knn_query() or a matrix of row numbers")
  sample <- check_count(sample, "sample")
  control <- check_control(control)
  options <- search_options(control, threads, predecessor)
  count_queries(query, rows, length(tree))
  rows <- check_rows(rows, length(tree))
  if (inherits(result, "covertree_knn")) result <- result$index
  index <- check_result(result, length(tree))
  call <- search_for(tree, query, ncol(index), options)
  queries <- if (is.null(rows)) call$queries else length(rows)
  if (nrow(index) != queries) {
    fail("result must have a row for each of the %d queries, not %d", queries, nrow(index))
  }
  check_pairs(min(sample, queries), ncol(index), length(tree), options$threads,
              check_max_pairs(max_pairs), "a smaller sample", "")
  drawn <- sample_rows(queries, sample, control$seed)
  asked <- if (is.null(rows)) drawn else rows[drawn]
  distinct <- sort(unique(asked))
  exact <- lines_of(call$exact(distinct), match(asked, distinct))
  found <- list(index = index[drawn, , drop = FALSE])
  if (is.null(query)) found$index[ineligible(found$index, asked, predecessor)] <- NA
  found$distance <- call$distance(asked, found$index)
  interval <- recall_interval(recall_by_query(found, exact), queries)
  structure(c(as.list(interval), list(sample = length(drawn), k = ncol(index))),
            class = "covertree_recall")
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
    fail("result must be a result of knn_query() or a matrix of row numbers, not %s", describe(index))
  }
  if (ncol(index) == 0) fail("result must have at least one column, but it has none")
  wrong <- which(!is.na(index) & (index < 1 | index > n | index != trunc(index)))
  if (length(wrong) > 0) {
    fail("result must hold rows of the tree's data, 1 to %d, or NA: it holds %s", n,
         format(index[wrong[1]]))
  }
  storage.mode(index) <- "integer"
  index
}

#' @export
print.covertree_recall <- function(x, ...) {
  cat(sprintf("recall %.5f (%.5f to %.5f), %d neighbors of %s queries\n", x$estimate, x$lower,
              x$upper, x$k, format(x$sample, big.mark = ",")))
  invisible(x)
}
