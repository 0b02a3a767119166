/* options.h: the options of a call, which R hands over as a named list. */
#ifndef COVERTREE_GLUE_OPTIONS_H
#define COVERTREE_GLUE_OPTIONS_H

#include "glue/host.h"

/* The element of the list that has this name, which may be NULL. Stops with an R error if
 * the list has no such element. Costs a comparison for each name before it: for use once in a
 * call. */
SEXP r_option(SEXP list, const char *name);

/* The same as one number. An R logical counts as an integer. */
int r_int_option(SEXP list, const char *name);
double r_double_option(SEXP list, const char *name);

/* Returns the option as a vector of doubles, or NULL if it is R's NULL. */
const double *r_doubles_option(SEXP list, const char *name);

/* A list of `count` NULL elements that have these names. The caller protects it. */
SEXP r_named_list(const char *const *name, int count);

#endif
