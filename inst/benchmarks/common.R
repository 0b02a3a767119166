# Functions of all benchmark scripts: options, timing, recall, tables.
#
# Each script of this folder measures some workloads and writes NAME.csv (all numbers) and
# NAME.md (the table for the performance page). The folder results/ contains the files of the
# last runs; `make bench` updates them.
#
# Options, to be set before a script is sourced:
#   options(covertree.bench.dir = ".")      the folder for the results
#   options(covertree.bench.only = "n1m_d2")  names of workloads: only these are measured, the
#                                           rows of all others are kept. "summary" means the
#                                           workloads of the tables in README.md. "none" measures
#                                           nothing and writes the tables again from the CSV
#                                           files.
#   options(covertree.bench.reps = 9)       runs of each side of a comparison; short sides run
#                                           more often
#   options(covertree.bench.seconds = 60)   time for one workload, shared by its sides [s]
#   options(covertree.bench.scale = 0.1)    share of the points, to try a script quickly

library(covertree)

bench_dir <- getOption("covertree.bench.dir", ".")
bench_only <- getOption("covertree.bench.only")
bench_reps <- getOption("covertree.bench.reps", 9)
bench_seconds <- getOption("covertree.bench.seconds", 60)
bench_scale <- getOption("covertree.bench.scale", 1)

# The workloads of the table in README.md, in its order: script, name in the script.
summary_workloads <- data.frame(
  script = c(rep("knn", 5), "vecchia", "rows", "knn", "zdtree"),
  workload = c("n32k_d3_k10", "n1m_d3", "n50k_d32", "n50k_sub5", "radius_100k_d3", "neighbors", "RBF",
               "n1m_d3_calls", "zd_d3_k1")
)

# Returns the workloads of a script that this run measures.
workloads_to_measure <- function(script, workloads) {
  if (is.null(bench_only)) return(workloads)
  if (identical(bench_only, "summary") && script != "tasks") {
    return(summary_workloads$workload[summary_workloads$script == script])
  }
  if (identical(bench_only, "summary")) workloads else intersect(workloads, bench_only)
}

size <- function(n) round(bench_scale * n)

# Timing -----------------------------------------------------------------------

# Returns the elapsed time of code [s]. Sys.time() has a finer resolution than system.time().
seconds_of <- function(code) {
  start <- Sys.time()
  force(code)
  as.numeric(Sys.time() - start, units = "secs")
}

# Runs the sides of a comparison in turn (A B C A B C ...). Each side runs at least once, then
# until it has used its share of `seconds`: at most `reps` times, or 25 times if all runs
# together take less than 10 s, because short times vary more. The result of a side that measures
# its own time has the attribute "seconds". Returns the times of every side and its last result.
interleave <- function(sides, reps = bench_reps, seconds = bench_seconds) {
  times <- lapply(sides, function(side) numeric())
  results <- lapply(sides, function(side) NULL)
  most <- function() if (sum(unlist(times)) < min(10, seconds)) max(reps, 25) else reps
  repeat {
    spent <- vapply(times, sum, 0)
    open <- lengths(times) == 0 | (spent < seconds / length(sides) & lengths(times) < most())
    if (!any(open)) break
    for (name in names(sides)[open]) {
      gc(FALSE)
      took <- seconds_of(result <- sides[[name]]())
      if (!is.null(attr(result, "seconds"))) took <- attr(result, "seconds")
      times[[name]] <- c(times[[name]], took)
      results[name] <- list(result)
    }
  }
  list(times = times, results = results)
}

# Returns a row for each element of `times`: the number of runs, and quantiles of their times [s].
spread_of <- function(times) {
  quantile <- function(share) vapply(times, stats::quantile, 0, share, names = FALSE)
  data.frame(runs = lengths(times), median = quantile(0.5), min = quantile(0), max = quantile(1),
             lower = quantile(0.25), upper = quantile(0.75), row.names = NULL)
}

# Returns the interquartile range of rows of spread_of() as a share of the median; NA with less than three
# runs.
relative_range <- function(rows) {
  if (is.null(rows$lower)) return(rep(NA_real_, nrow(rows)))
  ifelse(rows$runs < 3, NA, (rows$upper - rows$lower) / rows$median)
}

# Recall -----------------------------------------------------------------------

# Returns the rows of a sample, evenly spaced from 1 to m.
spread_rows <- function(m, sample) unique(round(seq(1, m, length.out = min(sample, m))))

squared_distances <- function(x, q) {
  squared <- 0
  for (j in seq_len(ncol(x))) squared <- squared + (x[, j] - q[j])^2
  squared
}

# Returns the recall of the k neighbors in `index` [m x k], measured by a scan in R for a sample
# of the queries. Without `query`, the queries are the points themselves, and no point is a
# neighbor of itself. A neighbor counts if it is not farther than the k-th nearest, so the order of
# equal distances has no effect.
recall <- function(x, index, query = NULL, sample = 200) {
  k <- ncol(index)
  rows <- spread_rows(nrow(index), sample)
  hits <- vapply(rows, function(i) {
    squared <- squared_distances(x, if (is.null(query)) x[i, ] else query[i, ])
    if (is.null(query)) squared[i] <- Inf
    sum(squared[unique(index[i, ])] <= sort(squared, partial = k)[k])
  }, 0)
  sum(hits) / (length(rows) * k)
}

# Returns the recall of lists of all points within a radius of each point of x.
radius_recall <- function(x, index, radius, sample = 200) {
  counts <- vapply(spread_rows(nrow(x), sample), function(i) {
    true <- setdiff(which(sqrt(squared_distances(x, x[i, ])) <= radius), i)
    c(sum(true %in% index[[i]]), length(true))
  }, numeric(2))
  sum(counts[1, ]) / sum(counts[2, ])
}

# Returns the recall of a result over all of its queries, against the exact result. A neighbor
# counts if it is an exact neighbor, or not farther than the farthest exact neighbor.
share_found <- function(found, exact) {
  stopifnot(identical(dim(found$index), dim(exact$index)))
  pairs <- function(index) index + (row(index) - 1) * 2^31
  farthest <- do.call(pmax, c(as.data.frame(exact$distance), na.rm = TRUE))
  hit <- !is.na(found$index) & (pairs(found$index) %in% pairs(exact$index) | found$distance <= farthest)
  sum(hit, na.rm = TRUE) / sum(!is.na(exact$index))
}

# Returns k of the k + 1 neighbors that another package found for its own points, without the point
# itself, or without the last neighbor if the point is not among them because of duplicates.
drop_self <- function(index) {
  k <- ncol(index) - 1
  place <- max.col(index == row(index), "first")
  place[index[cbind(seq_along(place), place)] != seq_along(place)] <- k + 1
  matrix(vapply(seq_along(place), function(i) index[i, -place[i]], numeric(k)), ncol = k, byrow = TRUE)
}

# Results ----------------------------------------------------------------------

has <- function(package) requireNamespace(package, quietly = TRUE)

# Compiles a file of this folder with the compiler of R, and loads it. Returns whether that succeeded.
# `compile` and `link`: more flags of the compiler, for C files, and of the linker.
load_compiled <- function(file, compile = "", link = "") {
  source <- file.path(tempdir(), file)
  file.copy(system.file("benchmarks", file, package = "covertree"), source, overwrite = TRUE)
  library <- sub("[.][^.]*$", .Platform$dynlib.ext, source)
  flags <- paste0(c("PKG_CFLAGS=", "PKG_LIBS="), shQuote(c(compile, link)))
  done <- system2(file.path(R.home("bin"), "R"), c("CMD", "SHLIB", "-o", shQuote(library), shQuote(source)),
                  stdout = FALSE, stderr = FALSE, env = flags)
  done == 0 && inherits(dyn.load(library), "DLLInfo")
}

version_of <- function(package) as.character(utils::packageVersion(package))

# Returns processor, software and date, for each row of a CSV file.
machine <- function() {
  cpu <- tryCatch({
    line <- grep("model name", readLines("/proc/cpuinfo"), value = TRUE)[1]
    trimws(sub(".*:", "", line))
  }, error = function(e) Sys.info()[["machine"]], warning = function(w) Sys.info()[["machine"]])
  info <- covertree_info()
  trial <- if (bench_scale != 1) sprintf("; a trial with %g times the points", bench_scale) else ""
  sprintf("%s, %d processors; %s; covertree %s, %s; %s%s", cpu, parallel::detectCores(),
          R.version.string, info$version, info$simd, format(Sys.Date()), trial)
}

csv_of <- function(name) file.path(bench_dir, paste0(name, ".csv"))

# Measures the workloads that the options select, by run(workload), which returns rows of a table.
# Takes the rows of the other workloads from NAME.csv, if it exists. Writes all rows to NAME.csv, in
# the order of `workloads`. `key` is the column with the name of the workload.
renew <- function(name, key, workloads, run) {
  measured <- workloads_to_measure(name, workloads)
  new <- do.call(rbind, lapply(measured, function(workload) cbind(run(workload), machine = machine())))
  if (file.exists(csv_of(name)) && !all(workloads %in% measured)) {
    old <- utils::read.csv(csv_of(name), check.names = FALSE)
    new <- bind_rows(new, old[names_in(old[[key]]) %in% setdiff(workloads, measured), ])
  }
  if (is.null(new)) {
    if (interactive()) stop(name, ": no results yet")
    cat(sprintf("%s: no results yet\n", name))
    quit(save = "no")
  }
  new <- new[order(match(names_in(new[[key]]), workloads)), ]
  fractions <- vapply(new, is.double, NA)
  new[fractions] <- lapply(new[fractions], signif, 7)
  utils::write.csv(new, csv_of(name), row.names = FALSE)
  cat(sprintf("%s: results in %s\n", name, csv_of(name)))
  new
}

# Returns the names of workloads in a column, which may be numbers.
names_in <- function(column) if (is.numeric(column)) format(column, scientific = FALSE, trim = TRUE) else column

bind_rows <- function(a, b) {
  if (is.null(a)) return(b)
  columns <- union(names(a), names(b))
  a[setdiff(columns, names(a))] <- rep(list(rep(NA, nrow(a))), length(setdiff(columns, names(a))))
  b[setdiff(columns, names(b))] <- rep(list(rep(NA, nrow(b))), length(setdiff(columns, names(b))))
  rbind(a[columns], b[columns])
}

# Writes a table of the performance page, with machine and date below it. If the rows come from
# several runs, each row has the number of its run. `machines` is NA for published rows that were
# not measured by these scripts.
write_table <- function(name, shown, machines) {
  runs <- unique(stats::na.omit(machines))
  if (length(runs) > 1) shown$run <- ifelse(is.na(machines), "-", match(machines, runs))
  notes <- if (length(runs) > 1) sprintf("- Run %d: %s", seq_along(runs), runs) else runs
  writeLines(c(markdown(shown), "", notes), file.path(bench_dir, paste0(name, ".md")))
}

# Returns a pipe table. Pandoc takes the widths of columns from the line below the header.
markdown <- function(table) {
  line <- function(cells) paste0("| ", paste(cells, collapse = " | "), " |")
  cells <- vapply(table, function(column) format(column, trim = TRUE), character(nrow(table)))
  cells <- matrix(cells, nrow(table))
  words <- vapply(strsplit(names(table), " "), function(parts) max(nchar(parts)), 0)
  widths <- pmax(words, apply(nchar(trimws(cells)), 2, max), 3)
  rules <- paste0(strrep("-", widths), ifelse(vapply(table, is_figure, NA), ":", ""))
  c(line(names(table)), line(rules), apply(cells, 1, line))
}

# Whether a column contains numbers, also as text. Such columns are aligned right.
is_figure <- function(column) {
  is.numeric(column) || all(grepl("^([-0-9.,x%]+( \\((16 cores|[0-9]+%)\\))?|not published)$", column))
}

# Formats numbers with `digits` significant digits; "-" for NA.
figures <- function(value, digits = 3) {
  text <- vapply(signif(value, digits), format, "", big.mark = ",", scientific = FALSE)
  ifelse(is.na(value), "-", text)
}

# Formats the medians of rows of spread_of(), times `scale`, with their spread (relative_range()) if it is
# known: "0.512 (3%)".
with_spread <- function(rows, scale = 1) {
  spread <- relative_range(rows)
  paste0(figures(scale * rows$median), ifelse(is.na(spread), "", sprintf(" (%.0f%%)", ceiling(100 * spread))))
}

# Formats a recall with four decimals, rounded down: only a recall of 1 shows as 1.0000.
shares <- function(value) ifelse(is.na(value), "-", sprintf("%.4f", floor(1e4 * value + 1e-9) / 1e4))

open_plot <- function(name, width = 1200, height = 750) {
  type <- if (capabilities("cairo")) "cairo" else getOption("bitmapType")
  grDevices::png(plot_file(name), width, height, res = 120, type = type)
}

plot_file <- function(name) file.path(bench_dir, paste0(name, ".png"))

# Closes a plot. ImageMagick, if installed, reduces it to 64 colors, a third of the size.
close_plot <- function(name) {
  grDevices::dev.off()
  if (.Platform$OS.type != "unix" || !nzchar(Sys.which("convert"))) return(invisible())
  file <- shQuote(plot_file(name))
  invisible(system2("convert", c(file, "+dither", "-colors", "64", "-white-threshold", "99%", paste0("PNG8:", file))))
}
