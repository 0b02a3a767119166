# Puts what scripts measured into README.md, between the marks that name them: the
# output of the demo, and the tables and the plot of the last benchmarks, as far as those
# have been run. Run by `make readme`, which has just run the demo.
between <- function(readme, mark, text) {
  marks <- which(readme %in% sprintf(c("<!-- %s -->", "<!-- /%s -->"), mark))
  stopifnot(length(marks) == 2)
  c(readme[seq_len(marks[1])], "", text, "", readme[marks[2]:length(readme)])
}

readme <- readLines("README.md")
demo <- system2("Rscript", "tools/demo.R", stdout = TRUE)
readme <- between(readme, "demo", c("```text", demo, "```"))
dir.create("man/figures", showWarnings = FALSE, recursive = TRUE)
file.copy("argo-neighbours.png", "man/figures/argo.png", overwrite = TRUE)
results <- function(file) file.path("inst/benchmarks/results", file)
if (file.exists(results("knn.md"))) readme <- between(readme, "bench", readLines(results("knn.md")))
if (all(file.exists(results(c("gold.md", "gold.png"))))) {
  file.copy(results("gold.png"), "man/figures/gold.png", overwrite = TRUE)
  readme <- between(readme, "gold", c(
    "### What recall costs",
    "",
    "32,768 points of a 3-D normal distribution, 50 neighbours, for 1,024 other queries and for all",
    "points; by Euclidean distance, and by residual correlation (lengthscale 1, 512 inducing points).",
    "Seconds are those of the search alone; `call` adds what `knn_query()` does to choose its effort or",
    "to measure its recall. The last rows were published for the system that this project follows,",
    "measured elsewhere, at a recall that is not known. `vignette(\"performance\")` explains the columns.",
    "",
    "![Recall against queries per second, for each metric](man/figures/gold.png)",
    "",
    readLines(results("gold.md"))
  ))
}
writeLines(readme, "README.md")
