# Makes data/argo.rda from the copy of the Argo temperatures that CRAN's GpGp
# carries (argo2016). Only names and the origin of time change; no value is
# rounded or left out. Run it at the top of the checkout: Rscript data-raw/argo.R

if (!requireNamespace("GpGp", quietly = TRUE))
  stop("data-raw/argo.R needs GpGp: install.packages(\"GpGp\")", call. = FALSE)
if (!file.exists("data-raw/argo.R"))
  stop("run data-raw/argo.R at the top of the checkout", call. = FALSE)

argo2016 <- GpGp::argo2016
stopifnot(nrow(argo2016) == 32436, !anyNA(argo2016))

# GpGp counts days as MATLAB's datenum does, where 1 January 2016 is 736330.
argo <- data.frame(
  longitude = argo2016$lon,
  latitude = argo2016$lat,
  time = argo2016$day - 736330,
  temperature_100 = argo2016$temp100,
  temperature_150 = argo2016$temp150,
  temperature_200 = argo2016$temp200
)
stopifnot(argo$time >= 0, argo$time < 31 + 29 + 31)

# Version 2 can be read by every R since 1.4.0; xz makes the smallest file.
dir.create("data", showWarnings = FALSE)
save(argo, file = "data/argo.rda", version = 2, compress = "xz")
