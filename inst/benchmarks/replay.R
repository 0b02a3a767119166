# Does a search to a stated recall deliver it? For each case, the recall of every query with every
# effort is computed once. Then the calibration of knn_query() is repeated with many seeds: its
# searches are answered from these tables, so that a repetition takes milliseconds.
#
# The population of a case is the queries of its tree, each many times, so that a sample is small beside
# it. The true recall is the mean over the population.
#
#   Rscript -e 'source(system.file("benchmarks/replay.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

repetitions <- getOption("covertree.bench.repetitions", 500)
targets <- c(0.9, 0.99, 0.999)
inside <- asNamespace("covertree")
kernels <- list(exponential = kernel_exponential, "Matern-3/2" = kernel_matern32,
                "Matern-5/2" = kernel_matern52, RBF = kernel_rbf)

# Nine settings for each kernel. `stretch` multiplies the lengthscale of the last column.
settings <- data.frame(
  lengthscale = c(0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5),
  d = c(2, 2, 3, 2, 5, 2, 3, 2, 2), m = c(20, 60, 100, 60, 300, 20, 150, 40, 100),
  k = c(10, 30, 20, 10, 30, 1, 20, 30, 10), stretch = c(1, 1, 10, 1, 1, 100, 1, 1, 30),
  points = c("uniform", "normal", "clusters", "uniform", "uniform", "uniform", "normal", "clusters", "uniform"),
  predecessor = c(FALSE, FALSE, FALSE, TRUE, FALSE, FALSE, FALSE, TRUE, FALSE)
)
cases <- merge(data.frame(kernel = names(kernels)), settings, sort = FALSE)
cases$case <- sprintf("%s, lengthscale %g", cases$kernel, cases$lengthscale)

draw_points <- function(case, n) {
  switch(case$points,
    uniform = matrix(stats::runif(n * case$d), n),
    normal = matrix(stats::rnorm(n * case$d), n),
    clusters = matrix(stats::runif(40 * case$d), 40)[sample.int(40, n, TRUE), ] +
      matrix(stats::rnorm(n * case$d, sd = 0.02), n)
  )
}

# The losses of every query with every effort, [queries x efforts]: of the search with the largest effort
# against the exact answer, and of the search with each effort against itself, computed when needed.
# `evaluated`: points evaluated.
tabulate_case <- function(case, n) {
  set.seed(7)
  x <- draw_points(case, n)
  lengthscale <- case$lengthscale * c(rep(1, case$d - 1), case$stretch)
  tree <- cover_tree(x, metric = residual_correlation(kernels[[case$kernel]](lengthscale = lengthscale), case$m))
  call <- inside$search_for(tree, NULL, case$k, inside$search_options(predecessor = case$predecessor))
  samples <- call$samples(seq_len(n), seq_len(n))
  columns <- function(of, last) vapply(seq_len(last), of, numeric(n))
  run <- samples$run(samples$last)
  tables <- list(exact = columns(run$exact, samples$last), evaluated = columns(run$evaluated, samples$last))
  own <- new.env()
  tables$patient <- function(number) {
    key <- as.character(number)
    if (is.null(own[[key]])) own[[key]] <- columns(samples$run(number)$patient, number)
    own[[key]]
  }
  c(tables, samples[c("last", "effort")])
}

# The samples of calibrate(), answered from the tables.
replay_samples <- function(tables) {
  function(rows, known) {
    query <- (rows - 1) %% nrow(tables$exact) + 1
    list(last = tables$last, effort = tables$effort, control = length(known) < length(rows),
         exact_is_cheaper = function(...) FALSE,
         pilot = function(number) function(level) tables$exact[query[known], level],
         run = function(number) {
           patient <- tables$patient(number)
           list(exact = function(level) tables$exact[query[known], level],
                patient = function(level) patient[query[known], level],
                control = function(level) patient[query[-known], level],
                evaluated = function(level) tables$evaluated[query, level])
         })
  }
}

POPULATION <- 1e8

replay <- function(case, n) {
  tables <- tabulate_case(case, n)
  call <- list(queries = POPULATION, samples = replay_samples(tables))
  true <- 1 - colMeans(tables$exact)
  worst <- apply(1 - tables$exact, 2, function(share) mean(sort(share)[seq_len(ceiling(n / 100))]))
  efforts <- vapply(seq_len(tables$last), tables$effort, 0)
  do.call(rbind, lapply(targets, function(target) {
    runs <- vapply(seq_len(repetitions), function(seed) {
      choice <- inside$calibrate(call, c(mean = target, worst = 0), seed)
      c(number = match(choice$effort, efforts), choice$recall)
    }, numeric(5))
    number <- runs["number", ]
    found <- true[number]
    least <- which(true >= target)[1]
    data.frame(
      case[c("case", "kernel", "lengthscale", "d", "m", "k")], target = target, repetitions = repetitions,
      exact = mean(is.na(number)), mean = mean(found, na.rm = TRUE), lowest = min(c(found, Inf), na.rm = TRUE),
      below = mean(found < target, na.rm = TRUE),
      covered = mean(runs["lower", ] <= found & found <= runs["upper", ], na.rm = TRUE),
      bias = mean(runs["estimate", ] - found, na.rm = TRUE),
      width = mean(runs["upper", ] - runs["lower", ], na.rm = TRUE),
      proven = mean(runs["lower", ] >= target, na.rm = TRUE),
      worst = mean(worst[number], na.rm = TRUE), worst_stated = mean(runs["worst", ], na.rm = TRUE),
      effort = mean(colMeans(tables$evaluated)[number], na.rm = TRUE) / mean(tables$evaluated[, least])
    )
  }))
}

run <- function(name) {
  table <- replay(cases[cases$case == name, ], size(3000))
  print(table[c("case", "target", "mean", "below", "covered", "exact")], digits = 4, row.names = FALSE)
  table
}
all <- renew("replay", "case", cases$case, run)

# A row for each target: the mean over its cases, and the worst case. An exact result is not below the
# target, and its recall is known.
all$below <- ifelse(all$exact == 1, 0, all$below * (1 - all$exact))
all$covered <- ifelse(all$exact == 1, 1, all$covered * (1 - all$exact) + all$exact)
both <- function(value, worst, digits = 2) {
  value <- value[!is.na(value)]
  sprintf("%s (%s)", figures(mean(value), digits), figures(worst(value), digits))
}
by_target <- split(all, all$target)
write_table("replay", data.frame(
  target = names(by_target), cases = vapply(by_target, nrow, 0L),
  recall = vapply(by_target, function(part) sprintf("%.5f", mean(part$mean, na.rm = TRUE)), ""),
  lowest = vapply(by_target, function(part) sprintf("%.4f", min(part$lowest[part$exact < 1])), ""),
  `below target, %` = vapply(by_target, function(part) both(100 * part$below, max), ""),
  `coverage, %` = vapply(by_target, function(part) both(100 * part$covered, min, 3), ""),
  `width of the interval` = vapply(by_target, function(part) both(part$width, max), ""),
  `proven, %` = vapply(by_target, function(part) both(100 * part$proven, min), ""),
  `worst 1%` = vapply(by_target, function(part) both(part$worst, min), ""),
  `worst 1% stated` = vapply(by_target, function(part) both(part$worst_stated, min), ""),
  evaluations = vapply(by_target, function(part) both(part$effort[is.finite(part$effort)], max), ""),
  `exact, %` = vapply(by_target, function(part) both(100 * part$exact, max), ""),
  check.names = FALSE
), all$machine[1])
