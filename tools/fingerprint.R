# Prints the fingerprint of the installed package, one line "case hash" for each case. With
# --record, writes it to tests/testthat/fingerprint.txt: Rscript tools/fingerprint.R [--record].
# tests/core/test_fingerprint.c does the same for the core.
library(covertree)
for (helper in c("helper-data.R", "helper-fingerprint.R")) source(file.path("tests/testthat", helper))
# The base instruction set has no fused multiply-add, so it defines the results of the others.
options(covertree.simd = "base")
hashes <- fingerprint_hashes()
lines <- paste(names(hashes), hashes)
file <- if (identical(commandArgs(TRUE), "--record")) "tests/testthat/fingerprint.txt" else stdout()
writeLines(lines, file)
