# Writes all figures of README.md, between comments that mark their place: the output of the demo,
# and the tables of the last benchmarks (inst/benchmarks/summary.R and tasks.R). `make readme` runs
# this script after the demo.
between <- function(readme, mark, text) {
  marks <- which(readme %in% sprintf(c("<!-- %s -->", "<!-- /%s -->"), mark))
  stopifnot(length(marks) == 2)
  c(readme[seq_len(marks[1])], text, readme[marks[2]:length(readme)])
}

readme <- readLines("README.md")
demo <- system2("Rscript", "tools/demo.R", stdout = TRUE)
readme <- between(readme, "demo", c("```text", demo, "```"))
dir.create("man/figures", showWarnings = FALSE, recursive = TRUE)
stopifnot(file.copy("argo-neighbors.png", "man/figures/argo.png", overwrite = TRUE))
for (name in c("summary", "tasks")) {
  readme <- between(readme, name, readLines(file.path("inst/benchmarks/results", paste0(name, ".md"))))
}
writeLines(readme, "README.md")
