/* check.h: counts what holds and what does not, and says where and about what.
 *
 * Each check_*.c is a program of its own: CHECKs, then check_done(). */
#ifndef CHECK_H
#define CHECK_H

#define CHECK(holds) check_that((holds) != 0, #holds, __FILE__, __LINE__)

void check_that(int holds, const char *what, const char *file, int line);

/* What the next checks are about; printed with those that fail. */
__attribute__((format(printf, 1, 2))) void check_about(const char *format, ...);

/* Prints the tally, frees everything; returns what main() should. */
int check_done(const char *name);

#endif
