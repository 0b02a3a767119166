# Searches by residual correlation: exact, to a stated recall, and with a budget.

# See euclidean_search(). The effort is the patience of the approximate search: let e be the number
# of points that a query had evaluated when one of them was last among the k nearest so far; the
# query stops after patience * (e + 4 k) more points.
residual_search <- function(tree, query, k, options) {
  arrays <- tree_arrays(tree)
  state <- check_state(tree$metric, dim(arrays$points))
  code <- state$code
  n <- nrow(state$x)
  origin <- if (!is.null(state$inducing)) {
    list(inducing = state$inducing, factor = state$factor, jitter = state$metric$jitter)
  }
  if (!is.null(query)) query <- check_query_of(query, state, arrays, options$threads)
  others <- query$points
  pick <- function(rows) {
    if (is.null(rows) || is.null(others)) return(others)
    list(z = others$z[rows, , drop = FALSE], v = others$v[, rows, drop = FALSE], p = others$p[rows])
  }
  own <- function(rows) if (is.null(others)) rows
  space <- space_search(tree, state, others, k, options)
  if (is_custom(state$metric$kernel)) return(custom_search(state, others, k, options, space))
  call <- list(
    queries = if (is.null(others)) n else nrow(others$z),
    key = if (is.null(others)) list(k, options$predecessor),
    limits = unlist(options$budget),
    cache = if (is.null(others)) cache_of(tree),
    no_residual = space$report,
    exact = function(rows) {
      some <- pick(rows)
      if (length(rows) == 0 && !is.null(rows) || !is.null(some) && nrow(some$z) == 0) return(no_pairs(k))
      space$complete(rows, .Call(r_residual_exact, code, origin, some, own(rows), k, options))
    },
    exact_is_cheaper = exact_comparison(tree, code, origin, others, k, options),
    efforts = c(0, 0.05 * 1.1^(0:62)),
    # The number of points that a query evaluates with this effort, given the number that it evaluates
    # with the effort `other`.
    evaluations_with = function(effort, evaluated, other) {
      last <- (evaluated - other * 4 * k) / (1 + other)
      max(last, 0) + effort * (max(last, 0) + 4 * k)
    },
    attempt = function(rows, effort, few = 8 * k, levels = numeric()) {
      first <- min(n, 16 * ceiling(max(16, 2 * k, few) / 16))
      at <- if (is.null(rows)) query$space else query$space[rows, , drop = FALSE]
      options["budget"] <- list(NULL)
      found <- .Call(r_residual_approx, tree$pointer, code, quantized_values(tree, options$threads), at,
                     pick(rows), own(rows), k, list(patience = effort, levels = levels, first = first, most = n),
                     options)
      space$complete(rows, found)
    },
    within = function(rows) {
      if (!options$budget$diversity && !is.null(others)) {
        fail("budget must have diversity = TRUE with query: only the tree's own points have a place on the curve")
      }
      found <- .Call(r_residual_approx, tree$pointer, code, quantized_values(tree, options$threads),
                     query$space, others, own(rows), k,
                     list(patience = 0, levels = numeric(), first = min(n, 16 * ceiling(k / 2)), most = n), options)
      space$complete(rows, found)
    },
    distance = function(rows, index) {
      found <- .Call(r_residual_distance, code, pick(rows), own(rows), index, simd_level())
      space$exclude_farther(rows, index, found)
    },
    stats = function(found) residual_stats(found)
  )
  call$samples <- function(rows, known) open_samples(call, rows, known)
  call
}

# A function that tells whether the exact search of all queries costs less than an approximate
# search with this mean number of evaluated points. Costs are estimated on a sample of pairs when
# bounds of them do not decide. With V quantized, an evaluation costs a quarter of an exact
# correlation.
exact_comparison <- function(tree, code, origin, others, k, options) {
  costs <- NULL
  estimate <- function(measure) .Call(r_residual_costs, code, origin, others, k, measure, options)
  function(evaluated) {
    if (is.null(origin)) return(FALSE)
    share <- if (is.null(quantized_values(tree, options$threads))) 1 else 0.25
    cheaper <- function(costs) costs[1] < share * costs[2] * evaluated
    if (is.null(costs)) {
      if (!cheaper(estimate(FALSE))) return(FALSE)
      costs <<- estimate(TRUE)
    }
    cheaper(costs)
  }
}

# The result of the exact search without queries.
no_pairs <- function(k) {
  list(index = matrix(integer(), 0, k), distance = matrix(numeric(), 0, k),
       counts = list(single = 0, double = 0, correlations = 0))
}

# V quantized to 16 bits for the approximate search, or NULL if residual variances are too small for
# its precision. It is computed when first needed and saved with the tree. If the file comes from a
# machine with another byte order, or is damaged, it is computed again.
quantized_values <- function(tree, threads) {
  code <- tree$metric$code
  if (code$m == 0 || stats::median(code$points$p) < 5e-3 * code$variance) return(NULL)
  cache <- cache_of(tree)
  if (!is_quantized(cache$quantized, code)) {
    made <- .Call(r_residual_quantize, tree$pointer, code, threads)
    cache$quantized <- c(made, list(endian = .Platform$endian, seal = .Call(r_seal, made)))
  }
  if (is.finite(cache$quantized$unit)) cache$quantized
}

is_quantized <- function(kept, code) {
  size <- .Call(r_quantized_stride, code$m) / 2 * length(code$points$p)
  is.list(kept) && identical(names(kept), c("unit", "values", "endian", "seal")) &&
    is.double(kept$unit) && length(kept$unit) == 1 && is.integer(kept$values) &&
    length(kept$values) == size && identical(kept$endian, .Platform$endian) &&
    is_sealed(kept$seal, kept[c("unit", "values")])
}

# The factors z, v and p of foreign points, and their coordinates in the tree's space.
check_query_of <- function(query, state, arrays, threads) {
  query <- check_points(query, "query", empty = TRUE)
  if (ncol(query) != ncol(state$x)) {
    fail("query must have as many columns as the tree, %d: got %d", ncol(state$x), ncol(query))
  }
  query <- match_columns(query, colnames(state$x), "query", "the tree")
  if (is.null(state$inducing)) {
    fail("query must be NULL: with v and p given, only the tree's own points have values")
  }
  what <- "query and the tree's points together"
  metric <- state$metric
  z <- scale_points(query, metric$kernel$lengthscale, what, state$code$points$z)
  level <- rounding_level(nrow(state$inducing), ncol(z), metric$kernel$variance, metric$jitter)
  list(points = residual_factors(z, state$inducing, state$factor, metric, threads, level),
       space = scale_points(query, state$space, what, arrays$points))
}
