/* large_pages.h: new memory in large pages.
 *
 * The system provides new memory page by page, at the first write to each page. inst/benchmarks/
 * roofline.R measures what that costs. With pages of 4 KB it takes an eighth of the time of a
 * search for 10 neighbors of 1,000,000 points; with pages of 2 MB it takes little. */
#ifndef COVERTREE_GLUE_LARGE_PAGES_H
#define COVERTREE_GLUE_LARGE_PAGES_H

#include <stddef.h>

/* Asks the system to use large pages for memory that was not written to. Returns `memory`. Linux
 * only, where its setting "transparent_hugepage" permits this; otherwise without effect. Does not
 * change the contents or the address. */
void *r_large_pages(void *memory, size_t bytes);

#endif
