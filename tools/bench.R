# Runs the benchmarks of the installed package, each script in its own process, and writes
# their tables and plots to a folder:
#
#   Rscript tools/bench.R FOLDER [WORKLOAD...]
#
# WORKLOAD is the name of a workload in a script; the default is all workloads. "summary" measures
# the workloads of the tables in README.md; "none" measures nothing and writes the tables again from
# the CSV files. Environment variables: SECONDS is the time for a workload [s], SCALE the share of
# the points (to try a script).
arguments <- commandArgs(TRUE)
options <- list(covertree.bench.dir = normalizePath(arguments[1]))
if (length(arguments) > 1) options$covertree.bench.only <- arguments[-1]
number <- function(name) as.numeric(Sys.getenv(name, NA))
if (!is.na(number("SECONDS"))) options$covertree.bench.seconds <- number("SECONDS")
if (!is.na(number("SCALE"))) options$covertree.bench.scale <- number("SCALE")

scripts <- c("knn", "zdtree", "roofline", "scaling", "gold", "rows", "handover", "diversity", "replay", "vecchia", "vif",
             "metrics", "metric_function", "memory", "busy", "shards", "tasks", "summary")
for (script in scripts) {
  path <- system.file("benchmarks", paste0(script, ".R"), package = "covertree", mustWork = TRUE)
  code <- sprintf("options(%s); source(%s)", sub("^list\\((.*)\\)$", "\\1", paste(deparse(options), collapse = "")),
                  deparse(path))
  status <- system2(file.path(R.home("bin"), "Rscript"), c("-e", shQuote(code)))
  if (status != 0) quit(status = status)
}
