# Writes inst/trust.md. It lists for each check what it ran, the number of cases and the number of
# failures, and for each known defect the test that detects it. The targets of the Makefile write
# the results to build/trust/NAME.dcf (tools/result.sh). For a target that has not run in this
# checkout, the script takes the file in inst/trust/, which also has the results of runs by hand.
#
# Fails if a named test does not exist.
#
#   Rscript tools/trust.R            writes inst/trust.md
#   Rscript tools/trust.R --keep     copies build/trust/ to inst/trust/ first

# The checks, in the order of the table. `part`: the target that runs the check.
checks <- read.table(header = TRUE, sep = "|", strip.white = TRUE, text = "
  name            | check                          | part
  core            | C checks                       | make core
  tests           | R tests                        | make test
  sanitize        | R tests under sanitizers       | make sanitize
  fuzz-points     | fuzzing: points                | make fuzz
  fuzz-parameters | fuzzing: parameters            | make fuzz
  fuzz-arrays     | fuzzing: arrays                | make fuzz
  fuzz-files      | fuzzing: damaged files         | make fuzz
  valgrind        | valgrind                       | make valgrind
  compilers       | compilers                      | make compilers
  compilers-other | compilers, other flags         | by hand
  cross-aarch64   | cross build: aarch64           | make cross
  cross-armhf     | cross build: armhf             | by hand
  cross-i686      | cross build: i686 with x87     | by hand
  cross-i686-sse2 | cross build: i686 with SSE2    | by hand
  cross-s390x     | cross build: s390x             | by hand
")

read_results <- function(folder) {
  files <- list.files(folder, "\\.dcf$", full.names = TRUE)
  files <- files[basename(files) != "findings.dcf"]
  results <- lapply(files, function(file) as.list(read.dcf(file)[1, ]))
  names(results) <- sub("\\.dcf$", "", basename(files))
  results
}

# Whether a test "FILE: TITLE" exists. For tests/core/ and tools/ the file alone is sufficient.
test_is_there <- function(test) {
  parts <- strsplit(test, ": ", fixed = TRUE)[[1]]
  if (!file.exists(parts[1])) return(FALSE)
  lines <- readLines(parts[1], warn = FALSE)
  length(parts) == 1 || any(grepl(paste(parts[-1], collapse = ": "), lines, fixed = TRUE))
}

# Returns the defects: number, description, the check and the tests that detect the defect, and why
# a test covers the defect in part only, if so.
read_findings <- function() {
  findings <- as.data.frame(read.dcf("inst/trust/findings.dcf"), stringsAsFactors = FALSE)
  findings[] <- lapply(findings, function(column) gsub("\\s*\n\\s*", " ", column))
  findings[is.na(findings)] <- ""
  tests <- strsplit(findings$Test, "; ", fixed = TRUE)
  findings$there <- vapply(tests, function(test) {
    length(test) > 0 && all(vapply(test, test_is_there, TRUE))
  }, TRUE)
  findings
}

row <- function(...) paste0("| ", paste(..., sep = " | "), " |")

count <- function(number) format(as.numeric(number), big.mark = ",", trim = TRUE)

check_rows <- function(results, findings) {
  vapply(seq_len(nrow(checks)), function(i) {
    found <- results[[checks$name[i]]]
    detected <- sum(findings$there & findings$Check == checks$name[i])
    name <- sprintf("%s (%s)", checks$check[i], checks$part[i])
    if (is.null(found)) return(row(name, "not run yet", "", "", detected, ""))
    row(name, found$Ran, count(found$Cases), count(found$Found), detected,
        paste(c(found$Date, found$Machine), collapse = ", "))
  }, "")
}

finding_rows <- function(findings) {
  here <- ifelse(findings$Test == "", "no: not fixed",
          ifelse(!findings$there, "no: the test is missing",
                 ifelse(findings$Why == "", "yes", paste("in part:", findings$Why))))
  tests <- ifelse(findings$Test == "", "none yet", paste0("`", gsub("; ", "`, `", findings$Test), "`"))
  row(findings$Number, findings$Defect, tests, here)
}

if (identical(commandArgs(TRUE), "--keep")) {
  dir.create("inst/trust", showWarnings = FALSE)
  file.copy(list.files("build/trust", full.names = TRUE), "inst/trust", overwrite = TRUE)
}
results <- read_results("inst/trust")
results <- utils::modifyList(results, read_results("build/trust"))
findings <- read_findings()
writeLines(c(
  "# What is checked", "",
  "`make trust` writes this page from the results of the checks. *Failed* is the number of cases that",
  "failed in the last run. *Defects* is the number of defects of the second table that the check detects.", "",
  row("check", "what it ran", "cases", "failed", "defects", "when and where"),
  row("---", "---", "--:", "--:", "--:", "---"),
  check_rows(results, findings), "",
  "## Defects", "",
  "Defects of earlier versions, all of them fixed unless the last column says otherwise, and the tests that",
  "detect them. A review from outside found those with numbers; fuzzing found those with an F.", "",
  row("number", "defect", "test", "tested here"),
  row("--:", "---", "---", "---"),
  finding_rows(findings)
), "inst/trust.md")
stale <- findings$Test != "" & !findings$there
for (i in which(stale)) {
  cat(sprintf("trust: number %s: no such test: %s\n", findings$Number[i], findings$Test[i]))
}
cat(sprintf("trust: inst/trust.md: %d checks, %d not run yet; %d defects, %d without a test\n",
            nrow(checks), sum(!checks$name %in% names(results)), nrow(findings),
            sum(!findings$there)))
quit(status = any(stale))
