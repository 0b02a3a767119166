# Writes the web site of the installed package to build/site, by pkgdown and without internet access.
# `make site` runs this script.
icons <- "pkgdown/favicon"
if (!dir.exists(icons)) {
  status <- system2(file.path(R.home("bin"), "Rscript"), c("tools/logo.R", icons))
  stopifnot(status == 0)
}
# The package has no page elsewhere to link to, so no other site is asked.
options(pkgdown.internet = FALSE)
pkgdown::build_site(preview = FALSE, install = FALSE, new_process = FALSE)
