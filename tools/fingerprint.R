# Prints the fingerprint of the installed package, one line "case hash" each, or
# records it: Rscript tools/fingerprint.R [--record]. The C twin is
# tests/core/test_fingerprint.c.
library(covertree)
for (helper in c("helper-data.R", "helper-fingerprint.R")) source(file.path("tests/testthat", helper))
# The base level has no fused multiply-add, so it defines what the others must give.
options(covertree.simd = "base")
hashes <- fingerprint_hashes()
lines <- paste(names(hashes), hashes)
file <- if (identical(commandArgs(TRUE), "--record")) "tests/testthat/fingerprint.txt" else stdout()
writeLines(lines, file)
