# Damages saved trees: Rscript tools/fuzz_files.R [SECONDS]; the default is 15. A case is a saved
# tree of which some bytes are changed, removed or moved. To read and use the tree must give an R
# error or the results of the undamaged tree. Other results, a crash, or more than 10 seconds are
# failures. Case number i is the same in every run:
#
#   Rscript tools/fuzz_files.R --case i
#
# Cases run in a child process with limited memory. Crashes of R itself, while it reads a case and
# before code of covertree runs, are counted separately: R does not protect unserialize() against
# damaged input.

slow <- 10        # [s] limit for one case
most_crashes <- 5 # crashes of covertree after which the run ends
memory <- 4e6     # [KiB] address space of the child

library(covertree)

with_numbers <- function(seed, code) {
  set.seed(seed, "Mersenne-Twister", "Inversion", "Rejection")
  code
}

# Small trees, each with a function `ask` that uses the tree.
subjects <- function() with_numbers(1, {
  x <- matrix(round(rnorm(240), 2), ncol = 3, dimnames = list(NULL, c("a", "b", "c")))
  x <- rbind(x, x[1:5, ])
  query <- matrix(rnorm(12), ncol = 3, dimnames = list(NULL, c("a", "b", "c")))
  metric <- residual_correlation(kernel_matern32(lengthscale = 1.5), inducing = 9)
  by_distance <- function(tree) list(
    knn_query(tree, k = 4, threads = 1), knn_query(tree, query, k = 3, threads = 1),
    radius_query(tree, radius = 1, threads = 1),
    knn_query(tree, k = 2, predecessor = TRUE, threads = 1), unname(as.matrix(tree)), dim(tree))
  by_correlation <- function(tree) list(
    knn_query(tree, k = 4, threads = 1), knn_query(tree, query, k = 3, threads = 1),
    knn_query(tree, k = 3, predecessor = TRUE, threads = 1), unname(as.matrix(tree)), dim(tree))
  list(
    list(tree = cover_tree(x, leaf_size = 4, threads = 1), ask = by_distance),
    list(tree = cover_tree(x, layout = "natural", leaf_size = 40, threads = 1), ask = by_distance),
    list(tree = cover_tree(x, metric = metric, threads = 1), ask = by_correlation)
  )
})

# A tree in a file of these bytes, opened by read_tree().
opened <- function(bytes, verify) {
  file <- tempfile()
  on.exit(unlink(file))
  writeBin(bytes, file)
  read_tree(file, verify)
}

# As saveRDS() writes them: binary, as text, and compressed; and as write_tree() does. `trust` reads a
# tree without checking all values: its answers may be others, but nothing may crash.
forms <- list(
  binary = list(write = function(tree) serialize(tree, NULL, xdr = TRUE), read = unserialize),
  text = list(write = function(tree) serialize(tree, NULL, ascii = TRUE), read = unserialize),
  gzip = list(write = function(tree) memCompress(serialize(tree, NULL, xdr = TRUE), "gzip"),
              read = function(bytes) {
                file <- tempfile()
                on.exit(unlink(file))
                writeBin(bytes, file)
                readRDS(file)
              }),
  mapped = list(write = function(tree) {
                  file <- tempfile()
                  on.exit(unlink(file))
                  write_tree(tree, file)
                  readBin(file, raw(), file.size(file))
                },
                read = function(bytes) opened(bytes, TRUE), trust = function(bytes) opened(bytes, FALSE))
)

damages <- list(
  flip_bit = function(bytes, at) {
    bytes[at] <- xor(bytes[at], as.raw(2^sample(0:7, 1)))
    bytes
  },
  set_byte = function(bytes, at) {
    bytes[at] <- as.raw(sample(0:255, 1))
    bytes
  },
  set_digit = function(bytes, at) {
    digits <- which(bytes %in% charToRaw("0123456789"))
    bytes[sample(digits, 1)] <- sample(charToRaw("0123456789"), 1)
    bytes
  },
  set_number = function(bytes, at) {
    number <- sample(c(0L, 1L, -1L, NA, 255L, 65536L, .Machine$integer.max, 1000L), 1)
    at <- min(at + -at %% 4 + 1, length(bytes) - 3)
    bytes[at + 0:3] <- writeBin(number, raw(), endian = "big")
    bytes
  },
  cut = function(bytes, at) bytes[seq_len(at - 1)],
  drop = function(bytes, at) bytes[-(at + seq_len(sample(8, 1)) - 1)],
  double = function(bytes, at) append(bytes, bytes[at], at),
  move = function(bytes, at) {
    size <- min(sample(64, 1), length(bytes) - at + 1)
    from <- sample(length(bytes) - size + 1, 1)
    bytes[at + seq_len(size) - 1] <- bytes[from + seq_len(size) - 1]
    bytes
  }
)

make_case <- function(saved, number) with_numbers(number, {
  subject <- sample(length(saved), 1)
  form <- sample(names(forms), 1, prob = c(3, 2, 1, 3))
  damage <- sample(names(damages), 1, prob = c(3, 2, 3, 2, 0.5, 1, 1, 1))
  bytes <- saved[[subject]][[form]]
  list(subject = subject, form = form, damage = damage,
       bytes = damages[[damage]](bytes, sample(length(bytes), 1)))
})

# Operations of R on any object. They can crash if unserialize() has returned an invalid object.
walk_through <- function(tree) {
  typeof(tree)
  inherits(tree, "cover_tree")
  attributes(tree)
  names(tree)
  if (is.list(tree)) unclass(tree)[["pointer", exact = TRUE]]
  serialize(tree, NULL)
}

# Returns the outcome of a case: "refused", "same", "another answer" or "slow".
try_case <- function(case, subject, expected, note) {
  on.exit(setTimeLimit())
  setTimeLimit(elapsed = slow, transient = TRUE)
  form <- forms[[case$form]]
  tryCatch({
    note(if (is.null(form$trust)) "read" else "use")
    if (!is.null(form$trust)) try(subject$ask(form$trust(case$bytes)), silent = TRUE)
    tree <- form$read(case$bytes)
    walk_through(tree)
    note("use")
    if (identical(subject$ask(tree), expected)) "same" else "another answer"
  }, error = function(e) {
    if (grepl("time limit", conditionMessage(e))) "slow" else "refused"
  })
}

# Runs cases in the child process, from number `first` until the time `until`. `folder` receives the
# outcomes.
run_cases <- function(first, until, folder) {
  known <- subjects()
  saved <- lapply(known, function(s) lapply(forms, function(form) form$write(s$tree)))
  expected <- lapply(known, function(s) s$ask(s$tree))
  options(warn = -1)
  number <- first
  outcomes <- character()
  while (as.numeric(Sys.time()) < until) {
    case <- make_case(saved, number)
    note <- function(phase) cat(number, phase, file = file.path(folder, "at"))
    utils::capture.output(
      outcome <- try_case(case, known[[case$subject]], expected[[case$subject]], note))
    if (outcome %in% c("another answer", "slow")) {
      outcome <- sprintf("%s: case %d, tree %d, %s, %s", outcome, number, case$subject, case$form,
                         case$damage)
    }
    cat(outcome, "\n", sep = "", file = file.path(folder, "outcomes"), append = TRUE)
    number <- number + 1
  }
}

show_case <- function(number) {
  known <- subjects()
  saved <- lapply(known, function(s) lapply(forms, function(form) form$write(s$tree)))
  case <- make_case(saved, number)
  subject <- known[[case$subject]]
  sound <- saved[[case$subject]][[case$form]]
  str(case)
  tree <- forms[[case$form]]$read(case$bytes)
  print(all.equal(unclass(tree), unclass(subject$tree)))
  print(all.equal(tree_arrays(tree), tree_arrays(subject$tree)))
  print(all.equal(subject$ask(tree), subject$ask(subject$tree)))
}

script <- function() sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])

# Runs child processes one after another. After a crash, the next child starts with the following
# case.
run_children <- function(seconds) {
  folder <- tempfile()
  dir.create(folder)
  until <- as.numeric(Sys.time()) + seconds
  crashes <- character()
  first <- 1
  while (as.numeric(Sys.time()) < until && sum(grepl("phase use", crashes)) < most_crashes) {
    command <- sprintf("ulimit -v %.0f; exec timeout %.0f '%s' '%s' --from %.0f %.2f '%s'", memory,
                       seconds + 4 * slow, file.path(R.home("bin"), "Rscript"), script(), first,
                       until, folder)
    status <- system2("sh", c("-c", shQuote(command)))
    if (status == 0) break
    at <- scan(file.path(folder, "at"), "", quiet = TRUE)
    crashes <- c(crashes, sprintf("crash (status %d) in phase %s: case %s", status, at[2], at[1]))
    first <- as.numeric(at[1]) + 1
  }
  outcomes <- if (file.exists(file.path(folder, "outcomes"))) readLines(file.path(folder, "outcomes"))
  c(outcomes, crashes)
}

report <- function(seconds) {
  outcomes <- run_children(seconds)
  own <- grepl("^crash .* phase read", outcomes)
  bad <- !outcomes %in% c("same", "refused") & !own
  writeLines(utils::head(sort(outcomes[bad], decreasing = TRUE), 20))
  cat(sprintf(paste("fuzz: files: %d damaged files: %d refused, %d answered as before, %d failed;",
                    "R's own reader crashed on %d\n"), length(outcomes), sum(outcomes == "refused"),
              sum(outcomes == "same"), sum(bad), sum(own)))
  what <- sprintf("damaged saved trees (fuzz_files.R) in %.0f s: %d refused, the rest as before",
                  seconds, sum(outcomes == "refused"))
  system2("sh", c("-c", shQuote(sprintf(". tools/result.sh && result fuzz-files %d %d %s '%s'",
    length(outcomes), sum(bad), if (any(bad)) "failed" else "passed", what))))
  quit(status = any(bad) || length(outcomes) == 0)
}

arguments <- commandArgs(TRUE)
if (length(arguments) == 4 && arguments[1] == "--from") {
  run_cases(as.numeric(arguments[2]), as.numeric(arguments[3]), arguments[4])
} else if (length(arguments) == 2 && arguments[1] == "--case") {
  show_case(as.numeric(arguments[2]))
} else {
  report(if (length(arguments) > 0) as.numeric(arguments[1]) else 15)
}
