# Search to a stated recall: the least effort that reaches it on a sample.

SAMPLE <- 1000

# Queries to draw to choose the effort by. To be sure of a target near 1 takes more: see
# recall_interval(). As many as APART more are kept apart, to state the recall by: that of
# those by which the effort was chosen would flatter it.
sample_size <- function(target) max(SAMPLE, ceiling(2 / (1 - target)))
APART <- 500

# Queries that missed some, so many that the spread of their shares can be told.
TELLING <- 10

check_seed <- function(seed) {
  if (!is_number(seed) || !is.finite(seed) || abs(seed) > .Machine$integer.max || seed != trunc(seed)) {
    fail("seed must be one whole number, not %s", describe(seed))
  }
  as.integer(seed)
}

# Some of n, in order; R's own random numbers go on as if nothing had been.
sample_rows <- function(n, size, seed) {
  if (size >= n) return(seq_len(n))
  old <- globalenv()[[".Random.seed"]]
  kinds <- RNGkind()
  on.exit(restore_random(old, kinds))
  set.seed(seed, "Mersenne-Twister", "Inversion", "Rejection")
  sort(sample.int(n, size))
}

# A seed tells the generators, too; without one they are set anew, with the warnings that
# R gives for some.
restore_random <- function(seed, kinds) {
  if (!is.null(seed)) return(assign(".Random.seed", seed, envir = globalenv()))
  suppressWarnings(RNGkind(kinds[1], kinds[2], kinds[3]))
  rm(".Random.seed", envir = globalenv())
}

# For each query, the share of its exact neighbors that were found. Where the farthest
# are as far as others, any of those will do.
recall_by_query <- function(found, exact) {
  there <- rowSums(!is.na(exact$index))
  farthest <- exact$distance[cbind(seq_along(there), pmax(there, 1))]
  hits <- vapply(seq_along(there), function(i) {
    new <- !duplicated(found$index[i, ]) & !is.na(found$index[i, ])
    sum(new & (found$index[i, ] %in% exact$index[i, ] | (found$distance[i, ] <= farthest[i]) %in% TRUE))
  }, 0)
  ifelse(there > 0, pmin(hits, there) / pmax(there, 1), 1)
}

# The mean, and limits that lie `errors` standard errors from it, for a sample of so
# many queries. Misses come together: an outlying query may miss most of its
# neighbors. So where too few of the sample missed any to tell how they spread, the
# error is at least half of those of one query. Without others there is none.
recall_interval <- function(share, queries, errors = stats::qnorm(0.975)) {
  n <- length(share)
  least <- if (sum(share < 1) < TELLING) 0.5 / n else 0
  error <- max(stats::sd(share) / sqrt(n), least, na.rm = TRUE) * sqrt(1 - n / queries)
  estimate <- mean(share)
  c(estimate = estimate, lower = max(0, estimate - errors * error),
    upper = min(1, estimate + errors * error))
}

# The recall that is stated is that of the answer itself, for queries kept apart.
search_to_recall <- function(call, target, seed) {
  choice <- choose_effort(call, target, seed)
  if (is.null(choice)) return(call$exact(NULL))
  found <- call$attempt(NULL, choice$effort, choice)
  share <- recall_by_query(lines_of(found, choice$rows), choice$exact)
  c(found, list(recall = recall_interval(share, call$queries),
                evaluations = mean(found$evaluated)))
}

# The effort is given; the recall is measured.
search_within <- function(call, seed) {
  found <- call$within()
  rows <- sample_rows(call$queries, SAMPLE, seed)
  exact <- call$exact(rows)
  share <- recall_by_query(lines_of(found, rows), exact)
  c(found, list(recall = recall_interval(share, call$queries),
                evaluations = mean(found$evaluated)))
}

lines_of <- function(found, rows) {
  lapply(found[c("index", "distance")], function(part) part[rows, , drop = FALSE])
}

# Tells what was found out in this session from what came with a tree from a file: after
# saveRDS() and readRDS() an environment is another one.
session <- new.env(parent = emptyenv())

# What was found out for the tree's own points is kept.
choose_effort <- function(call, target, seed) {
  if (is.null(call$cache)) return(calibrate(call, target, seed))
  key <- paste(c(call$key, target, seed), collapse = " ")
  kept <- call$cache[[key]]
  choice <- if (is_kept_choice(kept, call, target, seed)) kept[[1]] else calibrate(call, target, seed)
  assign(key, list(choice, session), envir = call$cache)
  choice
}

# Whether what a cache holds is a choice for this call. A file can hold anything: rows must
# be those that the seed draws, and distances those of the neighbors.
is_kept_choice <- function(kept, call, target, seed) {
  if (!is.list(kept) || !length(kept) %in% 1:2) return(FALSE)
  choice <- kept[[1]]
  # No effort suffices: that leads to the exact answer.
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

# Queries to choose the effort by, and among them, by place, those kept apart. None, if the
# sample would be all.
draw_sample <- function(call, target, seed) {
  size <- sample_size(target) + APART
  if (size >= call$queries) return(NULL)
  list(drawn = sample_rows(call$queries, size, seed),
       apart = unique(round(seq(1, size, length.out = APART))))
}

# By bisection: efforts rise, and recall with them.
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
#' Answers a sample of the queries exactly, and tells what share of those neighbors a
#' result holds: one of [knn_query()], or of any other program.
#'
#' @inheritParams knn_query
#' @param result A result of [knn_query()], or a matrix of row numbers with a row for
#'   each query, in any order, padded with `NA`: such as the `nn.idx` of other
#'   packages, or, with `predecessor = TRUE`, the `NNarray` of \pkg{GpGp} without its
#'   first column, for a tree of the locations in the order that `NNarray` speaks of.
#' @param sample How many queries to draw; all, if there are no more.
#' @param predecessor Whether `result` was to hold predecessors only.
#' @param max_pairs The largest number of exact neighbors to find, of all queries drawn
#'   together: one number, or `Inf`. `NULL` for as many as half of the available memory
#'   holds; see [radius_query()].
#'
#' @return A list of class `covertree_recall`: `estimate`, the share found, with `lower`
#'   and `upper`, the limits of a 95% interval, which is that alone where all queries were
#'   drawn; `sample`, the number of queries drawn; `k`. A neighbor counts if it is one of
#'   the exact ones or as near as the farthest of them.
#'
#' @section Errors:
#' Stops if `result` has not a row for each query, or holds numbers that are no rows, and
#' if more than `max_pairs` neighbors would have to be found.
#'
#' @examples
#' x <- matrix(rnorm(3000), ncol = 3)
#' tree <- cover_tree(x)
#' recall_of(tree, knn_query(tree, k = 5))
#'
#' near <- vecchia_neighbors(x, m = 5)
#' recall_of(cover_tree(x[near$order, ]), near$NNarray[, -1], predecessor = TRUE)
#' @export
recall_of <- function(tree, result, sample = 1000, seed = 1, query = NULL, predecessor = FALSE,
                      threads = NULL, max_pairs = NULL) {
  check_tree(tree)
  sample <- check_count(sample, "sample")
  seed <- check_seed(seed)
  how <- check_how("auto", NULL, threads, predecessor = predecessor)
  if (inherits(result, "covertree_knn")) result <- result$index
  index <- check_result(result, length(tree))
  call <- search_for(tree, query, ncol(index), how)
  if (nrow(index) != call$queries) {
    fail("result must have a row for each of the %d queries, not %d", call$queries, nrow(index))
  }
  check_pairs(min(sample, call$queries), ncol(index), length(tree), how[[4]],
              check_max_pairs(max_pairs), "a smaller sample", "")
  rows <- sample_rows(call$queries, sample, seed)
  exact <- call$exact(rows)
  found <- list(index = index[rows, , drop = FALSE])
  if (is.null(query)) found$index[not_wanted(found$index, rows, predecessor)] <- NA
  found$distance <- call$distance(rows, found$index)
  interval <- recall_interval(recall_by_query(found, exact), call$queries)
  structure(c(as.list(interval), list(sample = length(rows), k = ncol(index))),
            class = "covertree_recall")
}

# Of the tree's own points, none is its own neighbor, nor a later one a predecessor.
not_wanted <- function(index, rows, predecessor) {
  own <- rows[row(index)]
  which(if (predecessor) index >= own else index == own)
}

check_result <- function(index, n) {
  if (!is.matrix(index) || !is_numeric(index)) {
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
