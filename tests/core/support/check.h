/* check.h: counts conditions that hold and that fail, and prints the place of each failure.
 *
 * Each test_*.c is a program: it calls CHECK() for each condition, and check_done() at the end. */
#ifndef CHECK_H
#define CHECK_H

#define CHECK(holds) check_that((holds) != 0, #holds, __FILE__, __LINE__)

void check_that(int holds, const char *what, const char *file, int line);

/* Describes the next checks; printed with each failure. */
__attribute__((format(printf, 1, 2))) void check_about(const char *format, ...);

/* Prints the totals and frees all memory. Returns the exit status of the program. */
int check_done(const char *name);

#endif
