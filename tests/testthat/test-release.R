# tools/release_check.R finds violations of the conditions for a release.

root <- file.path("..", "..")
script <- file.path(root, "tools", "release_check.R")

# Returns a package directory with one changed line in DESCRIPTION; NULL leaves a line unchanged.
package_with <- function(line = NULL, news = "# covertree 1.2.3") {
  directory <- tempfile("package")
  dir.create(directory)
  lines <- c("Package: covertree", "Version: 1.2.3",
             "Authors@R: person(\"A\", \"B\", email = \"b@c.org\", role = c(\"aut\", \"cre\"))")
  if (!is.null(line)) lines[sub(":.*", "", lines) == sub(":.*", "", line)] <- line
  writeLines(lines, file.path(directory, "DESCRIPTION"))
  writeLines(c(news, "", "* First."), file.path(directory, "NEWS.md"))
  directory
}

check_release <- function(directory) {
  out <- suppressWarnings(system2(file.path(R.home("bin"), "Rscript"), c(shQuote(script), shQuote(directory)),
                                  stdout = TRUE, stderr = TRUE))
  list(status = c(attr(out, "status"), 0L)[1], lines = as.vector(out))
}

maintainer <- function(address) {
  sprintf("Authors@R: person(\"A\", \"B\", email = \"%s\", role = c(\"aut\", \"cre\"))", address)
}

test_that("a package with an address, a version and news may be released", {
  skip_if_not(file.exists(script))
  expect_identical(check_release(package_with()),
                   list(status = 0L, lines = "release: nothing stands against it"))
})

test_that("an example domain, a development version and missing news are refused", {
  skip_if_not(file.exists(script))
  refused <- function(..., pattern) {
    found <- check_release(package_with(...))
    expect_identical(found$status, 1L)
    expect_match(found$lines, paste0("^release: ", pattern), all = FALSE)
  }
  for (address in c("maintainers@covertree.example", "a@example.com")) {
    refused(maintainer(address), pattern = ".* is at an example domain$")
  }
  refused(maintainer("nobody"), pattern = ".* must be an e-mail address, not nobody$")
  refused("Authors@R: person(\"A\", role = \"aut\")", pattern = ".* must name one maintainer")
  refused("Version: 1.2.3.9000", pattern = ".*version 1.2.3.9000 is one of development$")
  refused("Version: 1.2.4", pattern = "NEWS.md: no entry \"# covertree 1.2.4\"$")
  refused(news = "# covertree (development version)", pattern = "NEWS.md: no entry")
})

test_that("make release-check runs it on the package, whose maintainer stands in one line", {
  skip_if_not(file.exists(script))
  rule <- grep("tools/release_check.R", readLines(file.path(root, "Makefile")), value = TRUE)
  expect_identical(trimws(rule), "@Rscript tools/release_check.R .")
  description <- readLines(file.path(root, "DESCRIPTION"))
  expect_length(grep("^Authors@R: person\\(.*email = \"[^\"]+\".*\\)$", description), 1)
  found <- check_release(root)
  at_example <- any(grepl("@[^\"]*example\"", description))
  expect_identical(any(grepl("example domain", found$lines)), at_example)
})
