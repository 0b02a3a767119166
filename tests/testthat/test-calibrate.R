# The choice of an effort on samples of the queries.

calibrate <- covertree:::calibrate

# Queries whose loss is known for each of 40 efforts, [queries x 40], decreasing. A patient search finds
# what it does not lose, and fills up with points that every effort finds. `asked` counts: exact queries,
# patient searches and their queries. The exact search costs less than an effort of `cheaper` or more.
LAST <- 40L
search_of <- function(loss, queries = 1e8, cheaper = Inf) {
  found_cheaper <- FALSE
  asked <- c(exact = 0, runs = 0, patient = 0)
  at <- function(rows, number) loss[(rows - 1) %% nrow(loss) + 1, number]
  samples <- function(rows, known) {
    asked["exact"] <<- asked["exact"] + length(known)
    search <- function(rows) {
      asked["runs"] <<- asked["runs"] + 1
      asked["patient"] <<- asked["patient"] + length(rows)
    }
    list(
      last = LAST, control = length(known) < length(rows), effort = function(number) number / 10,
      exact_is_cheaper = function(number = NULL) {
        if (!is.null(number)) found_cheaper <<- number >= cheaper
        found_cheaper
      },
      pilot = function(patient) {
        search(rows[known])
        function(number) {
          stopifnot(number <= patient)
          at(rows[known], number)
        }
      },
      run = function(patient) {
        search(rows)
        against <- function(rows) function(number) at(rows, number) - at(rows, patient)
        list(exact = function(number) at(rows[known], number), patient = against(rows[known]),
             control = against(rows[-known]), evaluated = function(number) 100 * number + rows %% 10)
      }
    )
  }
  list(queries = queries, samples = samples, asked = function() asked)
}

# Of each query, k neighbors need an effort; `late` of the queries need `by` more for all of theirs.
some_losses <- function(queries, k, late = 0, by = 0, seed = 151) {
  need <- with_seed(seed, {
    need <- matrix(1 + stats::rgeom(queries * k, 0.25), queries)
    slow <- stats::runif(queries) < late
    need[slow, ] <- need[slow, ] + by
    need
  })
  vapply(seq_len(LAST), function(number) rowMeans(need > number), numeric(queries))
}

target <- function(mean, worst = 0) c(mean = mean, worst = worst)

test_that("the recall of all queries reaches the target, and is stated", {
  for (k in c(5, 30)) for (mean in c(0.9, 0.99)) {
    loss <- some_losses(5000, k)
    true <- 1 - colMeans(loss)
    choices <- lapply(1:60, function(seed) calibrate(search_of(loss), target(mean), seed))
    number <- round(10 * vapply(choices, `[[`, 0, "effort"))
    least <- which(true >= mean)[1]
    expect_gte(min(number), least)
    expect_lte(max(number), least + 3)
    recall <- vapply(choices, `[[`, numeric(4), "recall")
    expect_gt(mean(recall["lower", ] <= true[number] & true[number] <= recall["upper", ]), 0.85)
    expect_lt(abs(mean(recall["estimate", ] - true[number])), 0.1 * (1 - mean))
    worst <- vapply(number, function(i) mean(sort(1 - loss[, i])[1:50]), 0)
    expect_equal(mean(recall["worst", ]), mean(worst), tolerance = 0.1)
    # Most queries evaluate at most so many points.
    few <- vapply(choices, `[[`, 0, "few")
    expect_true(all(few > 100 * number & few < 100 * number + 10))
    expect_identical(unique(lengths(lapply(choices, `[[`, "losses"))), 400L)
  }
})

test_that("one exact sample and two patient searches suffice as a rule", {
  search <- search_of(some_losses(5000, 30))
  calibrate(search, target(0.99), 1L)
  expect_identical(search$asked(), c(exact = 400, runs = 2, patient = 400 + 1400))
  expect_identical(covertree:::control_size(target(0.999)), 2000)
  expect_identical(covertree:::control_size(target(0.5)), 1000)
})

test_that("a larger exact sample decides where one query could lose too much", {
  loss <- some_losses(5000, 1)
  loss[, 30:LAST] <- 0
  search <- search_of(loss)
  choice <- calibrate(search, target(0.999), 1L)
  expect_identical(search$asked()[["exact"]], 2400)
  expect_length(choice$losses, 2000)
  # One query of 2,000 that loses its neighbor would be too much.
  expect_identical(sum(choice$losses), 0)
})

test_that("queries that a patient search misses are noticed in the exact sample", {
  # 5% lose everything below an effort that no patient search reaches.
  loss <- some_losses(5000, 20, late = 0.05, by = 35)
  true <- 1 - colMeans(loss)
  for (seed in 1:30) {
    choice <- calibrate(search_of(loss), target(0.98), seed)
    expect_true(is.na(choice$effort) || true[round(10 * choice$effort)] >= 0.98)
  }
})

test_that("a target for the worst queries takes more effort", {
  loss <- some_losses(5000, 20)
  worst <- apply(1 - loss, 2, function(share) mean(sort(share)[1:50]))
  for (seed in 1:20) {
    mean <- calibrate(search_of(loss), target(0.9), seed)
    both <- calibrate(search_of(loss), target(0.9, 0.9), seed)
    expect_gt(both$effort, mean$effort)
    expect_gt(worst[round(10 * both$effort)], 0.89)
    expect_gte(both$recall[["worst"]], 0.9)
  }
})

test_that("without an effort that suffices, or with few queries, the answer is exact", {
  never <- pmax(some_losses(2000, 10), 0.2)
  search <- search_of(never)
  expect_identical(calibrate(search, target(0.9), 1L), covertree:::no_choice)
  expect_identical(calibrate(search_of(never[1:800, ], 800), target(0.5), 1L), covertree:::no_choice)
  few <- search_of(some_losses(801, 10), 801)
  expect_false(is.na(calibrate(few, target(0.5), 1L)$effort))
  expect_identical(few$asked()[["patient"]], 400 + 801)
})

test_that("the answer is exact where that is estimated to cost less", {
  loss <- some_losses(5000, 30)
  number <- round(10 * calibrate(search_of(loss), target(0.99), 1L)$effort)
  search <- search_of(loss, cheaper = number - 5)
  expect_identical(calibrate(search, target(0.99), 1L), no_choice)
  # The exact sample is enough to see it.
  expect_identical(search$asked(), c(exact = 400, runs = 1, patient = 400))
  expect_false(is.na(calibrate(search_of(loss, cheaper = LAST), target(0.99), 1L)$effort))
})

test_that("the standard error includes half of a query that misses neighbors", {
  state <- list(loss = 0.004, variance = 1e-6, unseen = 0, worst = c(0.5, 0.5))
  reaches <- function(mean, least = 0, ...) covertree:::reaches(utils::modifyList(state, list(...)), target(mean, least))
  expect_true(reaches(0.993 - 1e-9))
  expect_false(reaches(0.993 + 1e-9))
  expect_true(reaches(0.996 - 3 * sqrt(1e-6 + 1e-4) - 1e-9, unseen = 0.02))
  expect_false(reaches(0.996 - 3 * sqrt(1e-6 + 1e-4) + 1e-9, unseen = 0.02))
  expect_true(reaches(0.9, 0.5))
  expect_false(reaches(0.9, 0.51))
  # The ten worst: mean 0.45, standard deviation 0.15, and the quantile that bounds them is 0.5.
  error <- sqrt((0.15^2 + 0.99 * 0.05^2) / 10)
  expect_true(reaches(0.9, 0.45 - 3 * error - 1e-9, worst = c(0, rep(0.5, 9))))
  expect_false(reaches(0.9, 0.45 - 3 * error + 1e-9, worst = c(0, rep(0.5, 9))))
})

# ---- the record of a search -------------------------------------------------------------------

test_that("a patient search tells what less patient ones find", {
  x <- uniform_points(900, 3, seed = 152)
  for (inducing in c(0, 25)) for (predecessor in c(FALSE, TRUE)) {
    tree <- cover_tree(x, metric = residual_correlation(kernel_matern52(lengthscale = 0.4), inducing))
    options <- covertree:::search_options(threads = 2, predecessor = predecessor)
    call <- covertree:::search_for(tree, NULL, 7L, options)
    levels <- call$efforts[c(1, 3, 20, 35)]
    all <- call$attempt(NULL, levels[4], 64, levels)
    rows <- with_seed(153, sort(sample(900, 200)))
    some <- call$attempt(rows, levels[4], 64, levels)
    expect_identical(some, lapply(all, function(part) if (is.matrix(part)) part[rows, ] else part[rows]))
    expect_identical(all[c("index", "distance")], call$attempt(NULL, levels[4], 64)[c("index", "distance")])
    expect_identical(all$stop[, 4], all$evaluated)
    agree <- vapply(1:4, function(j) {
      less <- call$attempt(NULL, levels[j], 64)
      in_less <- matrix(paste(row(all$index), all$index) %in% paste(row(less$index), less$index), 900)
      at_once <- all$position <= all$stop[, j]
      mean((in_less == at_once)[!is.na(all$index)])
    }, 0)
    # Quantized values depend a little on where rounds end.
    if (inducing == 0) expect_identical(agree, rep(1, 4)) else expect_gt(min(agree), 0.999)
  }
})
