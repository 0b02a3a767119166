# Runs the tasks of a forest: on the daemons of mirai, if any are connected; otherwise by a plan of
# future that is not sequential; otherwise in this process, one after the other. A task is a list
# for run_task() in R/shard_worker.R. If a process dies, another process runs its tasks again.

TRIES <- 3 # the number of times that a task is tried before the call stops

# Returns list(name, workers).
find_engine <- function() {
  if ("mirai" %in% loadedNamespaces() && requireNamespace("mirai", quietly = TRUE)) {
    if (are_daemons_set()) return(list(name = "mirai", workers = wait_for_daemons()))
  }
  if ("future" %in% loadedNamespaces() && requireNamespace("future", quietly = TRUE) &&
        !inherits(future::plan(), "sequential")) {
    return(list(name = "future", workers = future::nbrOfWorkers()))
  }
  list(name = "this process", workers = 1)
}

# Whether the default profile of mirai has an address to which daemons connect.
are_daemons_set <- function() is.character(tryCatch(mirai::status()$daemons, error = function(e) 0L))

# Returns the number of connected daemons. Waits up to `seconds` for the first, because a new daemon
# may take some seconds to connect.
wait_for_daemons <- function(seconds = 10) {
  end <- proc.time()[["elapsed"]] + seconds
  repeat {
    workers <- count_daemons()
    if (workers > 0) return(workers)
    if (proc.time()[["elapsed"]] > end) {
      fail(paste("mirai must have daemons connected: got none within %g seconds; start some, or use",
                 "mirai::daemons(0) to work in this process"), seconds)
    }
    Sys.sleep(0.05)
  }
}

# Returns the number of connected daemons; 0 if none are set.
count_daemons <- function() {
  connections <- tryCatch(mirai::status()$connections, error = function(e) 0)
  if (is.numeric(connections) && length(connections) == 1 && !is.na(connections)) as.integer(connections) else 0L
}

# Returns the values of the tasks. about(task) describes the shard of a task, for messages.
run_tasks <- function(tasks, about) {
  engine <- find_engine()
  tasks <- lapply(tasks, function(task) c(task, list(version = own_version(), workers = engine$workers)))
  attempt <- switch(engine$name, mirai = run_by_mirai, future = run_by_future, run_here)
  values <- vector("list", length(tasks))
  left <- seq_along(tasks)
  for (try in seq_len(TRIES)) {
    values[left] <- attempt(tasks[left])
    failed <- vapply(values[left], inherits, NA, "covertree_lost_task")
    if (!any(failed)) break
    left <- left[failed]
    if (try == TRIES) stop_for(values[[left[1]]], about(tasks[[left[1]]]), engine)
  }
  for (i in seq_along(values)) {
    if (inherits(values[[i]], "covertree_task_error")) stop_for(values[[i]], about(tasks[[i]]), engine)
  }
  values
}

own_version <- function() unname(as.character(getNamespaceVersion("covertree")))

stop_for <- function(value, about, engine) {
  fail("%s cannot be reached, and no answer is given without it (workers: %s): %s", about, engine$name,
       value$message)
}

lost_task <- function(why) structure(list(message = why), class = "covertree_lost_task")

run_here <- function(tasks) {
  lapply(seq_along(tasks), function(i) {
    progress_part(sprintf("shard %d of %d", i, length(tasks)))
    run_task(tasks[[i]])
  })
}

# If a daemon dies, its task ends with an error value. While a task waits, wait_for_mirai() counts
# the daemons, because without a daemon the task would wait forever.
run_by_mirai <- function(tasks) {
  job <- quote(run(task))
  calls <- lapply(tasks, function(task) mirai::mirai(job, run = run_task, task = task))
  on.exit(lapply(calls, function(call) if (mirai::unresolved(call)) mirai::stop_mirai(call)))
  lapply(calls, function(call) {
    if (!wait_for_mirai(call)) return(lost_task("no daemon of mirai is connected"))
    value <- call$data
    if (mirai::is_mirai_error(value)) return(task_error(as.character(value)))
    if (mirai::is_error_value(value)) lost_task(sprintf("its daemon ended (%s)", format_error_value(value)))
    else value
  })
}

format_error_value <- function(value) paste("error", as.integer(value))

# Returns whether the call ended; FALSE if there has been no daemon for a second.
wait_for_mirai <- function(call) {
  pause <- 0.0005
  last_seen <- proc.time()[["elapsed"]]
  next_look <- last_seen + 0.5
  while (mirai::unresolved(call)) {
    Sys.sleep(pause)
    pause <- min(0.02, 1.2 * pause)
    now <- proc.time()[["elapsed"]]
    if (now < next_look) next
    if (count_daemons() > 0) last_seen <- now
    if (now - last_seen > 1) return(FALSE)
    next_look <- now + 0.5
  }
  TRUE
}

run_by_future <- function(tasks) {
  job <- quote(run(task))
  old <- options(future.globals.maxSize = Inf)
  on.exit(options(old))
  start <- function(task) {
    tryCatch(future::future(job, substitute = FALSE, globals = list(run = run_task, task = task), seed = NULL),
             error = function(e) lost_task(conditionMessage(e)))
  }
  futures <- lapply(tasks, start)
  lapply(futures, function(call) {
    if (inherits(call, "covertree_lost_task")) return(call)
    tryCatch(future::value(call), error = function(e) {
      if (inherits(e, "FutureError")) lost_task(conditionMessage(e)) else task_error(conditionMessage(e))
    })
  })
}
