# Draws on a device without a file, and returns the value of the code. The graphical parameters that
# a user sets must be as before.
draws <- function(code) {
  grDevices::pdf(NULL)
  on.exit(grDevices::dev.off())
  set <- c("mar", "mfrow", "xpd", "cex", "las", "lwd", "col", "fg", "bg", "family", "mgp", "font", "lty")
  before <- graphics::par(set)
  value <- withVisible(code)
  expect(identical(graphics::par(set), before),
         "graphical parameters are changed")
  expect(!value$visible, "the data of a picture are visible")
  expect(is.data.frame(value$value), "the data of a picture are no data frame")
  value$value
}
