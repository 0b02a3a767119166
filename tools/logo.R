# Draws the logo: points in cells of a grid, the Hilbert curve through the points, and balls of a
# cover tree around some of them.
#
#   R_LIBS=build/library Rscript tools/logo.R [FOLDER]
#
# writes man/figures/logo.png, or, with FOLDER, the icons of the web site (tools/site.R).

library(covertree)

ink <- list(ground = "#0c2340", rim = "#3fc1b0", ball = "#5fd3c4", point = "#fdf6e3", text = "#fdf6e3")
curve_colors <- grDevices::colorRampPalette(c("#3fc1b0", "#8fd694", "#ffd166", "#f4845f"))

# The corners of a hexagon with a corner at the top; `radius` is the distance of a corner from 0.
hexagon <- function(radius) {
  angle <- pi / 2 + (0:5) * pi / 3
  list(x = radius * cos(angle), y = radius * sin(angle))
}

# Returns `side`^2 points, one in each cell of a square grid around `center`, not at the centers of
# the cells.
scattered_points <- function(side, width, center) {
  set.seed(7)
  cell <- as.matrix(expand.grid(seq_len(side), seq_len(side))) - (side + 1) / 2
  moved <- cell + matrix(stats::runif(2 * side^2, -0.22, 0.22), ncol = 2)
  sweep(moved * width / side, 2, center, "+")
}

disk <- function(center, radius, fill, border, lwd) {
  angle <- seq(0, 2 * pi, length.out = 181)
  graphics::polygon(center[1] + radius * cos(angle), center[2] + radius * sin(angle),
                    col = fill, border = border, lwd = lwd)
}

# Returns the centers of side^2 squares that divide a square around `middle`.
square_centers <- function(side, width, middle) {
  at <- (seq_len(side) - (side + 1) / 2) * width / side
  sweep(as.matrix(expand.grid(at, at)), 2, middle, "+")
}

# Draws the balls of three levels around points of x. A radius is about half of that of
# the level above.
draw_balls <- function(x, width, lwd) {
  for (level in 0:2) {
    targets <- square_centers(2^level, width, colMeans(x))
    centers <- if (level == 0) targets else x[knn_query(cover_tree(x), targets, k = 1)$index, ]
    for (i in seq_len(nrow(targets))) {
      disk(centers[i, ], c(0.69, 0.69, 0.6)[level + 1] * width / 2^level,
           grDevices::adjustcolor(ink$ball, c(0, 0.12, 0.14)[level + 1]),
           grDevices::adjustcolor(ink$ball, c(0.5, 0.8, 0)[level + 1]), lwd)
    }
  }
}

# Draws on a new page of `pixels` columns and `rows` rows. The icons have no text and fewer points.
draw_logo <- function(file, pixels, rows = round(pixels * 2 / sqrt(3)), text = TRUE, side = 8) {
  grDevices::png(file, pixels, rows, bg = "transparent", type = "cairo", antialias = "gray")
  on.exit(grDevices::dev.off())
  graphics::par(mar = c(0, 0, 0, 0), family = "sans", ljoin = "round", lend = "round")
  graphics::plot.new()
  graphics::plot.window(c(-1, 1) * sqrt(3) / 2, c(-1, 1), asp = 1, xaxs = "i", yaxs = "i")
  unit <- pixels / 240
  graphics::polygon(hexagon(0.965), col = ink$ground, border = ink$rim, lwd = 9 * unit)
  width <- if (text) 0.9 else 1.05
  x <- scattered_points(side, width, c(0, if (text) 0.17 else 0))
  draw_balls(x, width, 1.2 * unit)
  path <- x[hilbert_order(x), ]
  n <- nrow(path)
  thick <- unit * 8 / side
  graphics::segments(path[-n, 1], path[-n, 2], path[-1, 1], path[-1, 2],
                     col = curve_colors(n - 1), lwd = 6 * thick)
  graphics::points(path, pch = 16, cex = 0.72 * thick, col = ink$point)
  if (text) graphics::text(0, -0.635, "covertree", col = ink$text, cex = 2.3 * unit, font = 2)
}

# The names and sizes [pixels] of the icons that pkgdown expects.
draw_icons <- function(folder) {
  dir.create(folder, showWarnings = FALSE, recursive = TRUE)
  sizes <- c(16, 32, 60, 76, 120, 152, 180)
  names <- sprintf(ifelse(sizes < 60, "favicon-%dx%d.png", "apple-touch-icon-%dx%d.png"), sizes, sizes)
  names[sizes == 180] <- "apple-touch-icon.png"
  for (i in seq_along(sizes)) {
    draw_logo(file.path(folder, names[i]), sizes[i], sizes[i], text = FALSE, side = 4)
  }
}

folder <- commandArgs(TRUE)
if (length(folder) == 0) draw_logo("man/figures/logo.png", 208) else draw_icons(folder)
