# citation("covertree") names the package, and papers that the help pages cite as well.

test_that("the first entry is the package, in its installed version", {
  first <- utils::citation("covertree")[1]
  expect_identical(first$key, "covertree")
  expect_match(first$note, as.character(utils::packageVersion("covertree")), fixed = TRUE)
  expect_match(first$title, utils::packageDescription("covertree")$Title, fixed = TRUE)
})

test_that("every DOI and every title of a paper is that of a help page", {
  papers <- utils::citation("covertree")[-1]
  help <- gsub("[[:space:]]+", " ", paste(unlist(lapply(tools::Rd_db("covertree"), as.character)), collapse = " "))
  expect_gte(length(papers), 5)
  for (i in seq_along(papers)) {
    expect_match(help, papers[i]$title, fixed = TRUE)
    if (!is.null(papers[i]$doi)) expect_match(help, papers[i]$doi, fixed = TRUE)
  }
})
