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

ink <- "gray20"
paper <- "#f7f7f4"
reach <- near$distance[, k]
limits <- log10(quantile(reach, c(0.02, 0.99), names = FALSE))
palette <- hcl.colors(256, "Inferno")[11:230]

color <- function(km) {
  at <- pmin(pmax((log10(km) - limits[1]) / diff(limits), 0), 1)
  palette[1 + round(at * (length(palette) - 1))]
}

degrees_east <- function(at) {
  at <- (at + 180) %% 360 - 180
  side <- ifelse(at %in% c(0, -180), "", ifelse(at > 0, "E", "W"))
  paste0(abs(at), "\u00b0", side)
}

degrees_north <- function(at) {
  paste0(abs(at), "\u00b0", ifelse(at == 0, "", ifelse(at > 0, "N", "S")))
}

frame_map <- function(xlim, ylim, xat, yat, asp) {
  plot.new()
  plot.window(xlim, ylim, asp = asp, xaxs = "i", yaxs = "i")
  usr <- par("usr")
  rect(usr[1], usr[3], usr[2], usr[4], col = paper, border = NA)
  abline(v = xat, h = yat, col = "white", lwd = 1.5)
  axis(1, xat, degrees_east(xat), lwd = 0, line = -0.6, cex.axis = 0.85, col.axis = ink)
  axis(2, yat, degrees_north(yat), lwd = 0, line = -0.6, cex.axis = 0.85, col.axis = ink, las = 1)
}

world_map <- function(home) {
  par(mar = c(3, 4, 4.2, 1))
  frame_map(c(20, 380), c(-68, 68), seq(60, 360, 60), seq(-60, 60, 30), asp = 1.25)
  later <- order(reach) # draw points with distant neighbors last
  points(argo$longitude[later], argo$latitude[later], pch = 16, cex = 0.33,
         col = color(reach[later]))
  points(argo$longitude[home], argo$latitude[home], pch = 0, cex = 2.4, lwd = 2, col = ink)
  mtext(sprintf("Distance to the %dth neighbor", k),
        3, line = 2.1, adj = 0, font = 2, cex = 1.35, col = ink)
  mtext(sprintf("%s Argo profiles, January to March 2016", count(nrow(argo))),
        3, line = 0.7, adj = 0, cex = 0.95, col = ink)
}

legend_bar <- function() {
  par(mar = c(3, 4, 2.2, 1))
  plot.new()
  plot.window(limits, c(0, 1), xaxs = "i", yaxs = "i")
  edges <- seq(limits[1], limits[2], length.out = length(palette) + 1)
  rect(head(edges, -1), 0, tail(edges, -1), 1, col = palette, border = NA)
  at <- c(10, 20, 50, 100, 200, 300, 500, 1000)
  at <- at[log10(at) > limits[1] & log10(at) < limits[2]]
  axis(1, log10(at), at, lwd = 0, lwd.ticks = 1, tcl = -0.25, line = 0, mgp = c(0, 0.35, 0),
       cex.axis = 0.85, col.axis = ink, col.ticks = ink)
  mtext(sprintf("km to the %dth neighbor (log scale, open ends)", k),
        3, line = 0.4, adj = 0, cex = 0.8, col = ink)
}

# Longitudes and latitudes of the circle at distance `arc` [radians] from a center.
circle <- function(center, arc) {
  bearing <- seq(0, 2 * pi, length.out = 361)
  from <- center[2] * pi / 180
  to <- asin(sin(from) * cos(arc) + cos(from) * sin(arc) * cos(bearing))
  east <- atan2(sin(bearing) * sin(arc) * cos(from), cos(arc) - sin(from) * sin(to))
  cbind(center[1] + east * 180 / pi, to * 180 / pi)
}

# A profile, its neighbors, and the circle through the farthest neighbor.
neighbor_map <- function(home) {
  par(mar = c(3, 4, 4.2, 1))
  center <- c(argo$longitude[home], argo$latitude[home])
  rim <- circle(center, 2 * asin(reach[home] / (2 * earth_radius)))
  wide <- 1.3 * max(abs(rim[, 1] - center[1]))
  tall <- 1.3 * max(abs(rim[, 2] - center[2]))
  frame_map(center[1] + c(-wide, wide), center[2] + c(-tall, tall),
            pretty(center[1] + c(-wide, wide) * 0.8, 4),
            pretty(center[2] + c(-tall, tall) * 0.8, 4),
            asp = wide / tall)
  lines(rim, col = "gray60", lty = 2)
  others <- near$index[home, ]
  points(argo$longitude, argo$latitude, pch = 16, cex = 0.7, col = "gray75")
  segments(center[1], center[2], argo$longitude[others], argo$latitude[others], col = "gray45")
  points(argo$longitude[others], argo$latitude[others], pch = 21, cex = 1.2, col = "white",
         bg = color(reach[others]))
  points(center[1], center[2], pch = 22, cex = 1.9, col = "white", bg = ink)
  mtext(sprintf("Profile %d", home), 3, line = 2.1, adj = 0, font = 2, cex = 1.1, col = ink)
  mtext(sprintf("and its %d neighbors within %.0f km", k, reach[home]),
        3, line = 0.7, adj = 0, cex = 0.85, col = ink)
}

draw <- function(home) {
  layout(matrix(c(1, 1, 2, 3), 2), widths = c(2.15, 1), heights = c(4.6, 1))
  par(family = "sans", cex = 1)
  world_map(home)
  neighbor_map(home)
  legend_bar()
}

# The profile nearest to a point in the Kuroshio, east of Japan.
home <- knn_query(tree, earth_radius * sphere(152, 37), k = 1)$index[1]
type <- if (capabilities("cairo")) "cairo" else getOption("bitmapType")
png("argo-neighbors.png", 1800, 720, res = 112, type = type)
draw(home)
invisible(dev.off())
say("map", "argo-neighbors.png")
