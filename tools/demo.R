# The main job of the package on real data: the 30 nearest neighbors of each of the
# 32,436 Argo profiles, by straight-line distance through the Earth [km]. Prints the
# times and the recall, and writes a table and a map to the working directory.

library(covertree)

k <- 30
sample_size <- 1000
earth_radius <- 6371 # km

# Degrees to points on the unit sphere.
sphere <- function(longitude, latitude) {
  longitude <- longitude * pi / 180
  latitude <- latitude * pi / 180
  cbind(x = cos(latitude) * cos(longitude), y = cos(latitude) * sin(longitude), z = sin(latitude))
}

xyz <- earth_radius * sphere(argo$longitude, argo$latitude)

# Search ---------------------------------------------------------------------

seconds <- function(expr) unname(system.time(expr)["elapsed"])

build_seconds <- seconds(tree <- cover_tree(xyz))
query_seconds <- seconds(near <- knn_query(tree, k = k))

# The exact neighbors of one row, by a scan in plain R: the k smallest distances;
# equal distances are ordered by row.
nearest_by_scan <- function(row) {
  square <- 0
  for (j in seq_len(ncol(xyz)))
    square <- square + (xyz[, j] - xyz[row, j])^2
  square[row] <- Inf
  close <- which(square <= sort(square, partial = k)[k])
  close[order(sqrt(square[close]), close)][seq_len(k)]
}

set.seed(2016)
rows <- sample(nrow(xyz), sample_size)
exact <- t(vapply(rows, nearest_by_scan, integer(k)))
found <- vapply(seq_along(rows), function(i) sum(exact[i, ] %in% near$index[rows[i], ]), 0)

say <- function(what, ...) cat(sprintf("%-15s %s\n", what, sprintf(...)))
count <- function(x) format(round(x), big.mark = ",")

say("points", "%s Argo profiles, %d neighbors each", count(nrow(xyz)), k)
say("threads", "%d", covertree_threads())
say("build", "%.3f s", build_seconds)
say("query", "%.3f s, %s queries/s", query_seconds, count(nrow(xyz) / query_seconds))
say("recall", "%.4f over %s profiles (same rows in the same order: %s)",
    sum(found) / length(exact), count(sample_size),
    if (identical(exact, near$index[rows, ])) "yes" else "no")

# Table ----------------------------------------------------------------------

write.csv(as.data.frame(near), "argo-neighbors.csv", row.names = FALSE, quote = FALSE)
say("table", "argo-neighbors.csv (query, neighbor, rank, distance in km)")

# Map ------------------------------------------------------------------------

# The profile nearest to a point in the Kuroshio, east of Japan.
home <- knn_query(tree, earth_radius * sphere(152, 37), k = 1)$index[1]
places <- argo[c("longitude", "latitude")]
type <- if (capabilities("cairo")) "cairo" else getOption("bitmapType")
png("argo-neighbors.png", 1500, 600, res = 93, type = type)
layout(matrix(1:2, 1), widths = c(2.15, 1))
par(cex = 1, mar = c(4.6, 4, 4.2, 1))
plot(near, places, unit = "km", mark = home,
     sub = sprintf("%s Argo profiles, January to March 2016", count(nrow(argo))))
plot(near, places, unit = "km", query = home, main = sprintf("Profile %d", home))
invisible(dev.off())
say("map", "argo-neighbors.png")
