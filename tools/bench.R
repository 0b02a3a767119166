# Runs the benchmarks of the installed package, each in a process of its own, and
# leaves their tables and plots in the folder given.
into <- normalizePath(commandArgs(TRUE)[1])
for (script in c("knn.R", "scaling.R", "gold.R", "diversity.R", "vecchia.R", "memory.R")) {
  path <- system.file("benchmarks", script, package = "covertree", mustWork = TRUE)
  code <- sprintf("options(covertree.bench.dir = %s); source(%s)", deparse(into), deparse(path))
  status <- system2(file.path(R.home("bin"), "Rscript"), c("-e", shQuote(code)))
  if (status != 0) quit(status = status)
}
