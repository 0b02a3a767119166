# The choice of the least effort that reaches a target recall, on samples of the queries.
#
# A small sample of queries is answered exactly, and a larger control sample by a patient search.
# The loss of the control sample against the patient search, plus the loss of the patient search
# itself in the exact sample, estimates the loss of all queries: a control variate. The patient
# search is recorded, so that every smaller effort is read off one run: see
# src/core/residual_approx/approx_search.h.

# Queries of the exact sample.
EXACT <- 400

# The number of queries of the control sample. A target near 1 needs more.
control_size <- function(target) max(1000, ceiling(2 / (1 - target[["mean"]])))

# The number of the effort that is tried first, and the number of efforts by which the patient
# search is above the least one that reaches the target. Each effort is 10% larger than the one
# before.
FIRST <- 25
PATIENT <- 14

# The least effort that reaches the target, c(mean, worst), and what follows from it: a list like
# no_choice. If the exact sample is too small to tell, as with one neighbor for each query and a
# target near 1, a larger one without a control sample decides.
calibrate <- function(call, target, seed) {
  control <- control_size(target)
  for (size in list(c(EXACT, control), c(control, 0))) {
    if (2 * size[1] >= call$queries) break
    rows <- sample_rows(call$queries, min(sum(size), call$queries), seed)
    known <- unique(round(seq(1, length(rows), length.out = size[1])))
    samples <- call$samples(rows, known)
    choice <- calibrate_on(samples, target, call$queries)
    if (!is.na(choice$effort) || samples$exact_is_cheaper()) return(choice)
  }
  no_choice
}

# No effort reaches the target or costs less than the exact search, so the answer is exact. In other
# choices, most queries evaluate at most `few` points, `recall` is stated, `losses` are those of
# exactly answered queries, and the choice has been carried over so many `updates` of the metric.
no_choice <- list(effort = NA_real_, few = NA_real_,
                  recall = c(estimate = NA_real_, lower = NA_real_, upper = NA_real_, worst = NA_real_),
                  losses = numeric(), updates = 0)

# The choice from these samples. Without a control sample, only the effort can be too small.
calibrate_on <- function(samples, target, queries) {
  number <- patient_effort(samples, target)
  if (is.na(number)) return(no_choice)
  repeat {
    choice <- read_choice(samples, number, target, queries)
    if (!is.na(choice$effort) || samples$control || number == samples$last) return(choice)
    number <- min(samples$last, number + PATIENT)
  }
}

# The samples of a search, of which those at the places `known` are the exact sample: functions that
# run a patient search, given by the number of its effort.
open_samples <- function(call, rows, known) {
  progress_stage("exact sample")
  exact <- call$exact(rows[known])
  stop <- NULL
  cheaper <- FALSE
  # All smaller efforts are recorded.
  run <- function(rows, number, ...) {
    efforts <- call$efforts[seq_len(number)]
    progress_stage("patient search")
    call$attempt(rows, efforts[number], ..., levels = efforts)
  }
  list(
    last = length(call$efforts),
    control = length(known) < length(rows),
    # The losses of the exact sample.
    pilot = function(number) {
      found <- run(rows[known], number)
      stop <<- found$stop
      loss_by_effort(found, near_enough(found$distance, exact, 0, found$position), exact)
    },
    # Whether the exact search of all queries costs less than a search with this effort, by the points
    # that the exact sample evaluated; without a number, whether it has been found to.
    exact_is_cheaper = function(number = NULL) {
      if (!is.null(number)) cheaper <<- call$exact_is_cheaper(mean(stop[, number]))
      cheaper
    },
    # The losses of both samples, those of the exact sample also against the patient search; and the
    # points evaluated.
    run = function(number) {
      most <- stats::quantile(stop[, ncol(stop)], 0.9, names = FALSE)
      found <- run(rows, number, call$evaluations_with(call$efforts[number], most, call$efforts[ncol(stop)]))
      part <- function(places) lapply(found[c("index", "distance", "position", "stop")], `[`, places, TRUE, drop = FALSE)
      both <- part(known)
      control <- part(-known)
      list(exact = loss_by_effort(both, near_enough(both$distance, exact, 0, both$position), exact),
           patient = loss_by_effort(both, !is.na(both$index), both),
           control = loss_by_effort(control, !is.na(control$index), control),
           evaluated = function(number) found$stop[, number])
    },
    effort = function(number) call$efforts[number]
  )
}

# A function of the number of an effort: for each query, the share of the neighbors in `exact` that
# the run does not find with this effort. `hit`: the entries of the run that are such neighbors.
loss_by_effort <- function(run, hit, exact) {
  position <- run$position
  position[!(hit %in% TRUE)] <- .Machine$integer.max
  there <- rowSums(!is.na(exact$index))
  size <- dim(position)
  function(number) {
    found <- .rowSums(position <= run$stop[, number], size[1], size[2])
    pmax(there - found, 0) / pmax(there, 1)
  }
}

# The number of the effort of the patient search; NA if no effort reaches the target in the exact
# sample, or if the exact search costs less.
patient_effort <- function(samples, target) {
  number <- FIRST
  repeat {
    loss <- samples$pilot(number)
    least <- least_number(number, function(number) meets(loss(number), target))
    if (samples$exact_is_cheaper(if (is.na(least)) number else least)) return(NA)
    if (!is.na(least) || number == samples$last) return(min(samples$last, least + PATIENT))
    number <- min(samples$last, number + 2 * PATIENT)
  }
}

meets <- function(loss, target) {
  mean(loss) <= 1 - target[["mean"]] &&
    (target[["worst"]] == 0 || mean(worst_of(1 - loss)) >= target[["worst"]])
}

# The least of the numbers 1 to `last` that is accepted, by bisection; NA if `last` is not.
least_number <- function(last, accepts) {
  if (!accepts(last)) return(NA)
  low <- 0
  while (last - low > 1) {
    middle <- (low + last) %/% 2
    if (accepts(middle)) last <- middle else low <- middle
  }
  last
}

# The least effort that reaches the target, read off a search with the effort of this number.
read_choice <- function(samples, number, target, queries) {
  run <- samples$run(number)
  state <- function(number) {
    losses <- lapply(run[c("exact", "patient", "control")], function(loss) loss(number))
    sample_state(losses, size_of_misses(run, number), queries)
  }
  number <- least_number(number, function(number) reaches(state(number), target))
  if (is.na(number)) return(no_choice)
  found <- state(number)
  list(effort = samples$effort(number), few = stats::quantile(run$evaluated(number), 0.9, names = FALSE),
       recall = c(loss_interval(found$loss, found$variance, found$unseen), worst = mean(found$worst)),
       losses = run$exact(number), updates = 0)
}

# How much a query loses that misses neighbors: that of the most patient effort up to this number
# with which at least TELLING queries miss any.
size_of_misses <- function(run, number) {
  loss <- function(number) c(run$exact(number), run$control(number))
  while (number > 1 && sum(loss(number) > 0) < TELLING) number <- number - 1
  miss_size(loss(number))
}

# What the losses of the samples tell: see loss_interval(); and the worst shares. Exact and patient
# losses are those of the exact sample, control losses are against the patient search.
sample_state <- function(losses, size, queries) {
  if (length(losses$control) == 0) losses$patient[] <- 0
  rest <- losses$exact - losses$patient
  variance <- function(loss) {
    n <- length(loss)
    if (n == 0) 0 else (1 - n / queries) * loss_variance(loss, size) / n
  }
  list(loss = mean(rest) + if (length(losses$control) > 0) mean(losses$control) else 0,
       variance = variance(rest) + variance(losses$control),
       unseen = (1 - length(rest) / queries) * size / length(rest),
       worst = worst_of(1 - c(losses$exact, losses$control)))
}

# Whether the mean and the worst shares exceed their targets by three standard errors. That of the
# mean includes half of one more query that misses neighbors.
reaches <- function(state, target) {
  error <- sqrt(state$variance + (state$unseen / 2)^2)
  state$loss + 3 * error <= 1 - target[["mean"]] &&
    (target[["worst"]] == 0 || mean(state$worst) - 3 * worst_error(state$worst) >= target[["worst"]])
}

# ---- after a change of the metric ----------------------------------------------------------

# Queries that are answered exactly to check an effort again, and the number of times that this is
# done before it is chosen anew.
CHECKED <- 200
UPDATES <- 16

# The choice for the metric before, one effort higher, if the target is still reached on a few other
# queries; otherwise NULL. Losses of the checks since the choice are pooled.
carry_over <- function(call, target, seed, before) {
  updates <- before$updates + 1
  if (is.na(before$effort) || updates > UPDATES || 2 * CHECKED >= call$queries) return(NULL)
  effort <- before$effort
  if (updates == 1) effort <- min(c(call$efforts[call$efforts > effort], Inf))
  if (is.infinite(effort)) return(NULL)
  progress_stage("exact sample")
  rows <- sample_rows(call$queries, CHECKED, (seed + updates) %% .Machine$integer.max)
  exact <- call$exact(rows)
  found <- call$attempt(rows, effort, before$few)
  share <- share_found(near_enough(found$distance, exact), exact)
  losses <- c(before$losses, 1 - share)
  size <- miss_size(losses)
  error <- sqrt(loss_variance(losses, size) / length(losses))
  if (!meets(losses + error, target)) return(NULL)
  list(effort = effort, few = before$few, recall = recall_interval(share, call$queries, size),
       losses = losses, updates = updates)
}
