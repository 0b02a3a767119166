# How much memory do building and searching take? Each step runs in its own R process, which
# also runs the steps before it, and reports its peak (VmHWM, on Linux only).
#
#   Rscript -e 'source(system.file("benchmarks/memory.R", package = "covertree"))'

source(system.file("benchmarks/common.R", package = "covertree"))

n <- size(1e6)
d <- 3
k <- 10

input <- sprintf("set.seed(42); x <- runif(%d); dim(x) <- c(%d, %d)", n * d, n, d)
tree <- "tree <- covertree::cover_tree(x)"
query <- sprintf("knn <- covertree::knn_query(tree, k = %d)", k)
steps <- list(
  "R and the package" = "loadNamespace(\"covertree\")",
  "input" = input,
  "tree" = c(input, tree),
  "tree and neighbors" = c(input, tree, query)
)
if (has("nabor")) steps$`nabor, neighbors` <- c(input, sprintf("knn <- nabor::knn(x, k = %d)", k + 1))
if (has("RANN")) steps$`RANN, neighbors` <- c(input, sprintf("knn <- RANN::nn2(x, k = %d)", k + 1))

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
  weights <- vapply(steps, function(code) weigh(paste(code, collapse = "; ")), numeric(2))
  megabyte <- 2^20
  size_of_input <- 8 * n * d / megabyte
  size_of_result <- 12 * n * k / megabyte
  table <- data.frame(name = name, step = names(steps), peak = weights[1, ], after = weights[2, ], row.names = NULL)
  table$above <- table$peak - table$peak[1]
  table$result <- ifelse(grepl("neighbors", table$step), size_of_result, 0)
  table$inputs <- (table$above - table$result) / size_of_input
  print(table, digits = 4)
  table
}

if (!file.exists("/proc/self/status")) {
  message("memory: needs /proc/self/status, skipped")
} else {
  all <- renew("memory", "name", "memory", run)
  write_table("memory", data.frame(
    step = all$step, `peak, MB` = figures(all$peak, 4), `above R and the package, MB` = figures(all$above, 4),
    `result, MB` = figures(all$result, 4), `rest, in sizes of the input` = sprintf("%.1f", all$inputs),
    check.names = FALSE
  ), all$machine)
}
