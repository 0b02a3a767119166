# Checks conditions for a release that R CMD check does not check:
#
#   Rscript tools/release_check.R DIRECTORY
#
# The address of the maintainer is not at an example domain, the version is not a development
# version, and NEWS.md has an entry for the version. Prints every violation. The exit status is 1 if
# there is one.

# Domains that never receive mail: RFC 2606 and RFC 6761.
example_domains <- "(^|[@.])(example|test|invalid|localhost|local)$|(^|[@.])example\\.(com|net|org|edu)$"

address_breaches <- function(description) {
  people <- tryCatch(eval(parse(text = description[["Authors@R"]])), error = function(e) NULL)
  maintainers <- Filter(function(person) "cre" %in% person$role, people)
  address <- unlist(lapply(maintainers, function(person) person$email))
  if (length(address) != 1) return("DESCRIPTION: Authors@R must name one maintainer (cre) with one address")
  address <- trimws(address)
  if (!grepl("^[^@[:space:]]+@[^@[:space:]]+\\.[^@[:space:]]+$", address)) {
    return(sprintf("DESCRIPTION: the maintainer's address must be an e-mail address, not %s", address))
  }
  if (grepl(example_domains, tolower(address))) {
    sprintf("DESCRIPTION: the maintainer's address, %s, is at an example domain", address)
  }
}

# A development version has four parts, or a last part of 9000 or more.
version_breaches <- function(version) {
  parts <- unlist(tryCatch(package_version(version), error = function(e) NULL))
  if (is.null(parts)) return(sprintf("DESCRIPTION: Version must be a version number, not %s", version))
  if (length(parts) > 3 || parts[length(parts)] >= 9000) {
    sprintf("DESCRIPTION: version %s is one of development", version)
  }
}

news_breaches <- function(file, package, version) {
  headings <- if (file.exists(file)) grep("^# ", readLines(file), value = TRUE)
  entry <- sprintf("# %s %s", package, version)
  if (!entry %in% trimws(headings)) sprintf("NEWS.md: no entry \"%s\"", entry)
}

release_breaches <- function(directory) {
  description <- read.dcf(file.path(directory, "DESCRIPTION"))[1, ]
  version <- description[["Version"]]
  c(address_breaches(description), version_breaches(version),
    news_breaches(file.path(directory, "NEWS.md"), description[["Package"]], version))
}

arguments <- commandArgs(TRUE)
if (length(arguments) != 1) stop("give the directory of the package", call. = FALSE)
breaches <- release_breaches(arguments)
if (length(breaches) > 0) {
  cat(paste0("release: ", breaches, "\n"), sep = "")
  quit(status = 1)
}
cat("release: nothing stands against it\n")
