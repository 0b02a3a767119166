# What the benchmarks share: timing both sides in turn, recall, tables, the machine.
# results/ beside this file holds what they wrote last; `make bench` renews it.
#
# Set before sourcing a script, if the defaults do not suit:
#   options(covertree.bench.reps = 5)      timed runs of each side; more, if they are short
#   options(covertree.bench.seconds = 60)  time after which no further run of a
#                                          workload is begun
#   options(covertree.bench.dir = ".")     where results are written
#   options(covertree.bench.only = "d8")   workloads, by name (all if not set); the results
#                                          of others, if there are any, are kept
#   options(covertree.bench.scale = 0.1)   a share of the points, to try a script

library(covertree)

bench_reps <- getOption("covertree.bench.reps", 5)
bench_seconds <- getOption("covertree.bench.seconds", 60)
bench_dir <- getOption("covertree.bench.dir", ".")
bench_only <- getOption("covertree.bench.only")
bench_scale <- getOption("covertree.bench.scale", 1)

size <- function(n) round(bench_scale * n)

# By the clock on the wall, finer than system.time() tells it.
seconds_of <- function(code) {
  start <- Sys.time()
  force(code)
  as.numeric(Sys.time() - start, units = "secs")
}

has <- function(package) requireNamespace(package, quietly = TRUE)

version_of <- function(package) as.character(utils::packageVersion(package))

# Runs the sides in turn, A B C A B C ...; returns the seconds of each side's runs, and
# its last result. What is short is run more often, because noise is more of it.
interleave <- function(sides, reps = bench_reps, seconds = bench_seconds) {
  times <- lapply(sides, function(side) numeric())
  results <- lapply(sides, function(side) NULL)
  start <- proc.time()[["elapsed"]]
  for (rep in seq_len(max(reps, 25))) {
    for (name in names(sides)) {
      gc(FALSE)
      took <- seconds_of(result <- sides[[name]]())
      times[[name]] <- c(times[[name]], took)
      results[name] <- list(result)
    }
    if (proc.time()[["elapsed"]] - start > if (rep < reps) seconds else min(seconds, 10)) break
  }
  list(times = times, results = results)
}

# The share of the neighbours that belong to the k nearest, for a sample of the
# queries: their distances are taken anew and compared with the k-th smallest of
# all. Without `query`, a point is none of its own. Any k nearest will do among ties.
recall <- function(x, index, query = NULL, sample = 200) {
  m <- if (is.null(query)) nrow(x) else nrow(query)
  k <- ncol(index)
  rows <- unique(round(seq(1, m, length.out = min(sample, m))))
  hits <- vapply(rows, function(i) {
    q <- if (is.null(query)) x[i, ] else query[i, ]
    squared <- 0
    for (j in seq_len(ncol(x))) squared <- squared + (x[, j] - q[j])^2
    if (is.null(query)) squared[i] <- Inf
    kth <- sort(squared, partial = k)[k]
    found <- unique(index[i, ])
    sum(squared[found] <= kth)
  }, 0)
  sum(hits) / (length(rows) * k)
}

# The share of the exact answer's neighbours that an answer to the same queries holds,
# over all of them; a neighbour as near as the farthest exact one will do.
share_found <- function(found, exact) {
  pairs <- function(index) index + (row(index) - 1) * 2^31
  farthest <- do.call(pmax, c(as.data.frame(exact$distance), na.rm = TRUE))
  hit <- !is.na(found$index) & (pairs(found$index) %in% pairs(exact$index) | found$distance <= farthest)
  sum(hit, na.rm = TRUE) / sum(!is.na(exact$index))
}

# A peer's k + 1 neighbours of its own points, the point itself among them, as
# ours: without it. Where duplicates crowded it out, without the last.
drop_self <- function(index) {
  k <- ncol(index) - 1
  place <- max.col(index == row(index), "first")
  place[index[cbind(seq_along(place), place)] != seq_along(place)] <- k + 1
  t(vapply(seq_along(place), function(i) index[i, -place[i]], numeric(k)))
}

machine <- function() {
  cpu <- tryCatch({
    line <- grep("model name", readLines("/proc/cpuinfo"), value = TRUE)[1]
    trimws(sub(".*:", "", line))
  }, error = function(e) Sys.info()[["machine"]], warning = function(w) Sys.info()[["machine"]])
  info <- covertree_info()
  sprintf("%s, %d processors; %s; covertree %s, %s; %s", cpu, parallel::detectCores(),
          R.version.string, info$version, info$simd, format(Sys.Date()))
}

markdown <- function(table) {
  line <- function(cells) paste0("| ", paste(cells, collapse = " | "), " |")
  cells <- vapply(table, function(column) format(column, trim = TRUE), character(nrow(table)))
  cells <- matrix(cells, nrow(table))
  c(line(names(table)), line(rep("---", ncol(table))), apply(cells, 1, line))
}

# Of the results that were written before, those that are not renewed.
kept <- function(name, column, renewed) {
  csv <- file.path(bench_dir, paste0(name, ".csv"))
  if (is.null(bench_only) || !file.exists(csv)) return(NULL)
  old <- utils::read.csv(csv, check.names = FALSE)
  old[!old[[column]] %in% renewed, ]
}

write_results <- function(name, table, shown) {
  csv <- file.path(bench_dir, paste0(name, ".csv"))
  utils::write.csv(table, csv, row.names = FALSE)
  writeLines(c(markdown(shown), "", machine()), file.path(bench_dir, paste0(name, ".md")))
  cat(sprintf("%s: results in %s.csv and .md\n", name, file.path(bench_dir, name)))
}

# Numbers as a table shows them: "-" where there is none.
figures <- function(value, digits = 3) {
  text <- vapply(signif(value, digits), format, "", big.mark = ",", scientific = FALSE)
  ifelse(is.na(value), "-", text)
}

# Recall, cut, not rounded: only what is exact shows as 1.0000.
shares <- function(value) ifelse(is.na(value), "-", sprintf("%.4f", floor(1e4 * value + 1e-9) / 1e4))

open_plot <- function(name, width = 1600, height = 1000) {
  type <- if (capabilities("cairo")) "cairo" else getOption("bitmapType")
  grDevices::png(file.path(bench_dir, paste0(name, ".png")), width, height, res = 160, type = type)
}
