# The frame, the colors and the legends of all pictures, in base graphics. The margins are those of
# par("mar"): the title is in the top margin, and a legend below the axis.

INK <- "gray20"
PAPER <- "#f7f7f4"

# Colors of Okabe and Ito (2008) that color-blind readers tell apart.
DISTINCT <- c(blue = "#0072B2", orange = "#E69F00", green = "#009E73", red = "#D55E00", sky = "#56B4E9",
              purple = "#CC79A7", gray = "gray60")

# From dark to bright, in the same order for color-blind readers and in print.
map_colors <- function(count) grDevices::hcl.colors(256, "Inferno")[round(seq(11, 230, length.out = count))]

# More points than MANY are drawn as single pixels, and of more than MOST points MOST are drawn.
MANY <- 50000
MOST <- 200000

# The numbers of the points to draw, of n points: all, or an even sample.
drawn_of <- function(n) if (n <= MOST) seq_len(n) else unique(round(seq(1, n, length.out = MOST)))

# Draws points, as small as their number and the size of the plot require.
scatter <- function(x, y, col) {
  count <- length(x)
  if (count > MANY) return(graphics::points(x, y, pch = ".", col = col))
  size <- min(1, sqrt(prod(graphics::par("pin"))) / 5)
  graphics::points(x, y, pch = 16, col = col, cex = size * min(0.8, max(0.33, 25 / sqrt(count))))
}

# ---- the frame -------------------------------------------------------------------------------------

# Opens a plot with a light background, white grid lines and labels without tick marks. `labels`:
# the titles of both axes. `degrees`: whether the axes are longitude and latitude.
open_frame <- function(xlim, ylim, labels, asp = NA, degrees = FALSE, log = "", xaxt = TRUE, yaxt = TRUE) {
  graphics::plot.new()
  graphics::plot.window(wide_range(xlim, log == "x"), wide_range(ylim), asp = asp, log = log, xaxs = "i", yaxs = "i")
  usr <- corners()
  if (degrees) usr[3:4] <- pmin(pmax(usr[3:4], -90), 90)
  graphics::rect(usr[1], usr[3], usr[2], usr[4], col = PAPER, border = NA)
  if (xaxt) frame_axis(1, ticks_within(usr[1:2], degrees, log == "x"), if (degrees) degrees_east, usr[3:4])
  if (yaxt) frame_axis(2, ticks_within(usr[3:4], degrees), if (degrees) degrees_north)
  if (degrees) return(invisible())
  graphics::mtext(labels[1], 1, line = 1.5, cex = 0.9 * graphics::par("cex"), col = INK)
  graphics::mtext(labels[2], 2, line = 2.6, cex = 0.9 * graphics::par("cex"), col = INK)
}

# The limits of the plot [x1, x2, y1, y2] in the units of the data.
corners <- function() {
  usr <- graphics::par("usr")
  if (graphics::par("xlog")) usr[1:2] <- 10^usr[1:2]
  if (graphics::par("ylog")) usr[3:4] <- 10^usr[3:4]
  usr
}

# `limits`: the ends of the grid lines of the horizontal axis.
frame_axis <- function(side, at, format = NULL, limits = NULL) {
  if (side == 1) graphics::segments(at, limits[1], at, limits[2], col = "white", lwd = 1.5)
  else graphics::abline(h = at, col = "white", lwd = 1.5)
  labels <- if (is.null(format)) tick_labels(at) else format(at)
  # Labels that would reach the title of the axis are parallel to it.
  line <- graphics::par("cin")[2] * graphics::par("cex") * graphics::par("mex")
  wide <- side == 2 && is.null(format) && any(graphics::strwidth(labels, "inches", cex = 0.85) > 2.1 * line)
  graphics::axis(side, at, labels, lwd = 0, mgp = c(0, if (side == 1) 0.35 else 0.45, 0), cex.axis = 0.85,
                 col.axis = INK, las = if (wide) 0 else 1)
}

# Labels with 6 digits, or as many as the differences between the ticks need.
tick_labels <- function(at) {
  at <- as.double(at)
  plain <- all(at == 0 | (abs(at) >= 1e-4 & abs(at) < 1e7))
  step <- if (length(at) > 1) min(abs(diff(at))) else Inf
  digits <- 6
  while (digits < 15 && any(abs(signif(at, digits) - at) > 0.01 * step)) digits <- digits + 1
  vapply(at, format, "", trim = TRUE, big.mark = ",", digits = digits, scientific = !plain)
}

# A range with room at both ends; of a single value, a range of one unit around it.
wide_range <- function(limits, log = FALSE) {
  if (log) return(10^wide_range(log10(limits)))
  span <- diff(limits)
  if (span == 0) limits + c(-1, 1) * max(0.5, abs(limits[1]) * 1e-6) else limits + c(-0.04, 0.04) * span
}

ticks_within <- function(limits, degrees = FALSE, log = FALSE) {
  if (log) {
    at <- grDevices::axisTicks(log10(limits), TRUE, nint = 5)
  } else {
    span <- diff(limits)
    steps <- c(1, 2, 5, 10, 15, 30, 60)
    step <- steps[steps >= span / 7][1]
    at <- if (degrees && span > 4 && !is.na(step)) seq(ceiling(limits[1] / step) * step, limits[2], step)
          else pretty(limits, 5)
  }
  at[at >= min(limits) & at <= max(limits)]
}

degrees_east <- function(at) {
  at <- round((at + 180) %% 360 - 180, 6)
  paste0(abs(at), "\u00b0", ifelse(at %in% c(0, -180), "", ifelse(at > 0, "E", "W")))
}

degrees_north <- function(at) {
  at <- round(at, 6)
  paste0(abs(at), "\u00b0", ifelse(at == 0, "", ifelse(at > 0, "N", "S")))
}

# ---- title and legends -----------------------------------------------------------------------------

# The title, bold, and a line below it, both as small as the width requires.
add_title <- function(main, sub = NULL) {
  put <- function(text, line, size, font) {
    if (is_empty_text(text)) return()
    room <- graphics::par("pin")[1] + graphics::par("mai")[4]
    # The width of a text is no multiple of its size on a device with fonts of whole points.
    while (size > 0.3 && graphics::strwidth(text, "inches", cex = size, font = font) > room) size <- 0.95 * size
    graphics::mtext(text, 3, line = line, adj = 0, font = font, cex = size * graphics::par("cex"), col = INK)
  }
  put(main, if (is.null(sub)) 0.8 else 1.9, 1.2, 2)
  put(sub, 0.6, 0.9, 1)
}

is_empty_text <- function(text) is.null(text) || identical(text, "")

# Returns a text of a picture. `what`: the name of the argument.
check_text <- function(text, what) {
  if (is.null(text) || is.language(text)) return(text)
  if (!is.atomic(text) || length(text) != 1 || is.na(text)) {
    fail("%s must be NULL or one string: got %s", what, describe(text))
  }
  as.character(text)
}

# The y coordinate of a line of the bottom margin, counted from the axis.
bottom_line <- function(line) {
  inches <- line * graphics::par("cin")[2] * graphics::par("cex") * graphics::par("mex")
  usr <- graphics::par("usr")
  usr[3] - inches * diff(usr[3:4]) / graphics::par("pin")[2]
}

# Draws in the margins as well, with both axes linear: `code` gets the limits of the plot.
in_margins <- function(code) {
  usr <- graphics::par("usr")
  log <- graphics::par(c("xlog", "ylog"))
  old <- graphics::par(xpd = NA, xlog = FALSE, ylog = FALSE)
  on.exit({
    graphics::par(old)
    graphics::par(usr = usr)
  })
  graphics::par(usr = usr)
  code(usr)
}

# A legend of colors, each with a label, in a row of the bottom margin or in as many rows as it
# needs. `key`: data frame with label, color, and shape: "box", "point", "line", "ring".
add_keys <- function(key, line = 3.3) {
  if (nrow(key) == 0) return(invisible())
  in_margins(function(usr) {
    em <- graphics::strwidth("m", cex = 0.85)
    width <- 2.2 * em + graphics::strwidth(key$label, cex = 0.85) + 1.6 * em
    x <- usr[1]
    for (i in seq_len(nrow(key))) {
      if (x > usr[1] && x + width[i] - 1.6 * em > usr[2]) {
        x <- usr[1]
        line <- line + 1.15
      }
      draw_key(key[i, ], x, bottom_line(line), em)
      x <- x + width[i]
    }
  })
}

draw_key <- function(key, x, y, em) {
  half <- abs(bottom_line(0.32) - bottom_line(0))
  color <- key$color
  switch(key$shape,
    box = graphics::rect(x, y - half, x + 1.6 * em, y + half, col = color, border = "gray45"),
    frame = graphics::rect(x, y - half, x + 1.6 * em, y + half, border = color, lwd = 1.5),
    line = graphics::segments(x, y, x + 1.6 * em, y, col = color, lwd = 2.5),
    dashes = graphics::segments(x, y, x + 1.6 * em, y, col = color, lwd = 1.5, lty = 2),
    graphics::points(x + 0.8 * em, y, pch = c(point = 16, ring = 1, cross = 4)[[key$shape]], col = color, lwd = 2)
  )
  graphics::text(x + 2.2 * em, y, key$label, adj = c(0, 0.4), cex = 0.85, col = INK)
}

keys <- function(label, color, shape) data.frame(label = label, color = color, shape = shape)

# ---- a scale of colors -----------------------------------------------------------------------------

# A scale for values: logarithmic if they are positive and spread over more than a factor of 5. Of
# many values, its ends are open at the 2% and 99% quantiles. `colors(values)` returns a color for
# each; NA is gray.
color_scale <- function(values, count = 200) {
  known <- values[is.finite(values)]
  positive <- known[known > 0]
  ends_of <- function(v) stats::quantile(v, if (length(v) < 100) c(0, 1) else c(0.02, 0.99), names = FALSE)
  limits <- if (length(known) > 0) ends_of(known) else c(0, 1)
  wide <- if (2 * length(positive) > length(known) && min(known) >= 0) ends_of(positive)
  log <- !is.null(wide) && wide[2] > 5 * wide[1]
  if (log) limits <- wide
  if (limits[1] == limits[2]) limits <- if (limits[1] == 0) c(0, 1) else limits[1] + c(-0.5, 0.5) * abs(limits[1])
  palette <- map_colors(count)
  to <- if (log) function(v) log10(pmax(v, limits[1])) else identity
  ends <- to(limits)
  colors <- function(values) {
    at <- pmin(pmax((to(values) - ends[1]) / diff(ends), 0), 1)
    found <- palette[1 + round(at * (count - 1))]
    found[is.na(found)] <- "gray75"
    found
  }
  list(limits = limits, log = log, palette = palette, colors = colors,
       open = any(known < limits[1] | known > limits[2]))
}

# A bar of the colors in the right part of the bottom margin, with its title on the left.
add_color_bar <- function(scale, title, line = 3.4) {
  in_margins(function(usr) {
    span <- diff(usr[1:2])
    note <- c(if (scale$log) "log scale", if (scale$open) "open ends")
    if (length(note) > 0) title <- sprintf("%s (%s)", title, toString(note))
    size <- 0.85 * min(1, 0.5 * span / graphics::strwidth(title, cex = 0.85))
    from <- max(usr[1] + 0.45 * span, usr[1] + graphics::strwidth(title, cex = size) + 0.04 * span)
    edges <- seq(from, usr[2], length.out = length(scale$palette) + 1)
    y <- bottom_line(c(line + 0.35, line - 0.35))
    graphics::rect(utils::head(edges, -1), y[1], edges[-1], y[2], col = scale$palette, border = scale$palette,
                   lwd = 0.4)
    graphics::text(usr[1], mean(y), title, adj = c(0, 0.45), cex = size, col = INK)
    at <- if (scale$log) grDevices::axisTicks(log10(scale$limits), TRUE, nint = 5) else pretty(scale$limits, 4)
    at <- at[at >= scale$limits[1] & at <= scale$limits[2]]
    place <- function(v) if (scale$log) log10(v) else v
    ends <- place(scale$limits)
    x <- from + (usr[2] - from) * (place(at) - ends[1]) / diff(ends)
    graphics::segments(x, y[1], x, bottom_line(line + 0.55), col = INK)
    labels <- tick_labels(at)
    shown <- without_overlap(x, graphics::strwidth(paste0(labels, " "), cex = 0.8))
    graphics::text(x[shown], bottom_line(line + 1.1), labels[shown], cex = 0.8, col = INK)
  })
}

# The numbers of the labels of a row that do not overlap the one before, from ascending places and
# their widths.
without_overlap <- function(x, width) {
  shown <- integer()
  end <- -Inf
  for (i in seq_along(x)) {
    if (x[i] - width[i] / 2 < end) next
    shown <- c(shown, i)
    end <- x[i] + width[i] / 2
  }
  shown
}

ordinal <- function(count) {
  paste0(count, if (count %% 100 %in% 11:13) "th" else c("th", "st", "nd", "rd", rep("th", 6))[count %% 10 + 1])
}
