#' Progress of long calls
#'
#' Calls that take longer than two seconds can print their progress on the console: builds, searches,
#' the calibration of a search to a stated recall, changes of the metric, orders and forests.
#'
#' @section Switching it on and off:
#' The option `covertree.progress` is `TRUE` or `FALSE`; without it, the default is [interactive()]. So
#' scripts and reports print nothing unless they set `options(covertree.progress = TRUE)`. Functions
#' with the argument `control` use `knn_control(progress = )`, whose default is this option.
#'
#' @section What is printed:
#' If the package \pkg{cli} is installed and the console can redraw a line, a call prints a progress
#' bar of \pkg{cli}, which disappears at the end. Otherwise it prints a line of text on `stderr()`
#' with the name of the function, the stage and its finished share in percent, and rewrites the line
#' about twice a second. A call has one or several stages, and each of them goes from 0 to 100%.
#' Stages that end within the first two seconds of a call are not printed.
#'
#' | function | stages | share of |
#' |---|---|---|
#' | [cover_tree()] | with a [residual_correlation()] `factors`; `tree` | the points; the work to split nodes |
#' | [update_metric()] | `factors` | the points |
#' | [knn_query()], [recall_of()] | `search`; to a stated recall, before it `exact sample` and `patient search`; with a budget or an epsilon, after it `recall` | the queries or, in an exact search by residual correlation, the points |
#' | [recall_curve()] | `exact sample`, and a stage for each budget | the queries or, in an exact search by residual correlation, the points |
#' | [vecchia_neighbors()] | `order`, and those of [cover_tree()] and [knn_query()] | the locations |
#' | [cover_forest()] | for each shard those of [cover_tree()], without workers of mirai or future | as there |
#'
#' [radius_query()] and builds with a [metric_function()] print no progress.
#'
#' @section Cost:
#' None within the first two seconds; after these, about two calls of an R function per second. All
#' output comes from the main thread, between parallel regions. Results do not depend on it.
#'
#' @examples
#' old <- options(covertree.progress = FALSE)
#' tree <- cover_tree(as.matrix(quakes[, 1:3]))
#' options(old)
#' @name covertree_progress
#' @aliases covertree.progress
NULL

# The call whose progress is printed: what, its name, or NULL if there is none; on, whether it is
# printed; part, stage; bar, the number of a progress bar of cli; width, that of the line on the
# console; frame, that of the call.
progress <- new.env(parent = baseenv())
progress$on <- FALSE

# The default of knn_control(progress = ), and of calls without a control.
shows_progress <- function() {
  check_flag(getOption("covertree.progress", interactive()), "the option covertree.progress")
}

# Begins the progress of a call, and returns whether end_progress() has to end it: not if the call is
# a part of another one, which then decides what is printed. `seconds`: c(before the first report,
# between two).
begin_progress <- function(what, on = shows_progress(), seconds = c(2, 0.5)) {
  if (!is.null(progress$what) && is_on_stack(progress$frame)) return(FALSE)
  if (on || progress$on) .Call(r_progress, if (on) report_progress, seconds)
  progress$on <- on
  progress$frame <- parent.frame()
  progress$part <- progress$stage <- NULL
  progress$what <- what
  TRUE
}

# Whether a call is still running: an interrupt may have ended it without end_progress().
is_on_stack <- function(frame) any(vapply(sys.frames(), identical, NA, frame))

end_progress <- function(outermost) {
  if (!outermost) return()
  progress$what <- progress$frame <- NULL
  if (!progress$on) return()
  progress$on <- FALSE
  .Call(r_progress, NULL, c(0, 0))
  bar <- progress$bar
  width <- progress$width
  progress$bar <- progress$width <- NULL
  if (!is.null(bar)) cli::cli_progress_done(id = bar, .envir = progress)
  if (!is.null(width)) cat("\n", file = stderr())
}

# Names the part of a call that follows, which has stages of its own.
progress_part <- function(part) if (!is.null(progress$what)) progress$part <- part

# Names the stage that follows.
progress_stage <- function(stage) progress$stage <- stage

# Shows a share of the stage. C code calls it at most twice a second.
report_progress <- function(share) {
  if (is.null(progress$what)) return()
  if (is.null(progress$width) && uses_cli()) return(show_bar(share))
  text <- sprintf("%s: %3.0f%%", toString(c(progress$what, progress$part, progress$stage)), 100 * share)
  width <- max(nchar(text), progress$width)
  cat("\r", formatC(text, width = -width), sep = "", file = stderr())
  progress$width <- width
}

uses_cli <- function() requireNamespace("cli", quietly = TRUE) && cli::is_dynamic_tty(stderr())

show_bar <- function(share) {
  if (is.null(progress$bar)) {
    old <- options(cli.progress_show_after = 0)
    on.exit(options(old))
    progress$bar <- cli::cli_progress_bar(progress$what, total = 1, clear = TRUE, .auto_close = FALSE,
                                          .envir = progress,
                                          format = "{cli::pb_name}{cli::pb_bar} {cli::pb_percent} {cli::pb_status}")
  }
  cli::cli_progress_update(set = share, id = progress$bar, status = toString(c(progress$part, progress$stage)),
                           force = TRUE, .envir = progress)
}
