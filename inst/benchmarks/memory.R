# How much memory do building and searching take? Each step runs in its own R process, which
# also runs the steps before it, and reports its peak (VmHWM, on Linux only).
#
#   Rscript -e 'source(system.file("benchmarks/memory.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

d <- 3
sizes <- c(memory = 1e6, n10m = 1e7) # the second one only if 4 GB are free
k_of <- list(memory = 10, n10m = c(1, 10))

# Returns the steps of a workload, each with the code that its process runs.
steps_of <- function(name) {
  n <- size(sizes[[name]])
  text <- function(step) sprintf("%s, n %s", step, format(n, big.mark = ",", scientific = FALSE))
  input <- sprintf("set.seed(42); x <- runif(%d); dim(x) <- c(%d, %d)", n * d, n, d)
  tree <- c(input, "tree <- covertree::cover_tree(x)")
  steps <- list(input, tree)
  names(steps) <- text(c("input", "tree"))
  for (k in k_of[[name]]) {
    steps[[text(sprintf("tree and neighbors, k %d", k))]] <- c(tree, sprintf("knn <- covertree::knn_query(tree, k = %d)", k))
    if (name == "memory" && has("nabor")) {
      steps[[text(sprintf("nabor, neighbors, k %d", k))]] <- c(input, sprintf("knn <- nabor::knn(x, k = %d)", k + 1))
    }
    if (name == "memory" && has("RANN")) {
      steps[[text(sprintf("RANN, neighbors, k %d", k))]] <- c(input, sprintf("knn <- RANN::nn2(x, k = %d)", k + 1))
    }
  }
  steps
}

# Returns the free memory [bytes].
free_memory <- function() {
  line <- grep("^MemAvailable", readLines("/proc/meminfo"), value = TRUE)
  1024 * as.numeric(gsub("[^0-9]", "", line))
}

# Returns the memory of a new process [MiB]: the peak, and the memory in use after garbage
# collection.
weigh <- function(code) {
  tell <- paste("invisible(gc())", "status <- readLines('/proc/self/status')",
                "cat(gsub('[^0-9]', '', grep('^Vm(HWM|RSS)', status, value = TRUE)))", sep = "; ")
  script <- paste(c("invisible(loadNamespace('covertree'))", code, tell), collapse = "; ")
  out <- system2(file.path(R.home("bin"), "Rscript"), c("-e", shQuote(script)), stdout = TRUE)
  as.numeric(strsplit(out[length(out)], " ")[[1]]) / 1024
}

run <- function(name) {
  steps <- c(list("R and the package" = "loadNamespace(\"covertree\")"), steps_of(name))
  weights <- vapply(steps, function(code) weigh(paste(code, collapse = "; ")), numeric(2))
  n <- size(sizes[[name]])
  k <- ifelse(grepl(", k ", names(steps)), suppressWarnings(as.numeric(sub(".*, k ([0-9]+).*", "\\1", names(steps)))), 0)
  megabyte <- 2^20
  table <- data.frame(name = name, step = names(steps), peak = weights[1, ], after = weights[2, ], row.names = NULL)
  table$above <- table$peak - table$peak[1]
  table$result <- 12 * n * k / megabyte
  table$inputs <- (table$above - table$result) / (8 * n * d / megabyte)
  table <- if (name == "memory") table else table[-1, ]
  print(table, digits = 4)
  table
}

if (!file.exists("/proc/self/status")) {
  message("memory: needs /proc/self/status, skipped")
} else {
  enough <- names(sizes)[sizes <= 1e6 | free_memory() > 4e9]
  all <- renew("memory", "name", enough, run)
  write_table("memory", data.frame(
    step = all$step, `peak, MB` = figures(all$peak, 4), `above R and the package, MB` = figures(all$above, 4),
    `result, MB` = figures(all$result, 4), `rest, in sizes of the input` = sprintf("%.1f", all$inputs),
    check.names = FALSE
  ), all$machine)
}
