/* The work of the budget matrix; see walker.c. */
#ifndef WALKER_H
#define WALKER_H

/*
 * Goes from page to page, "sequential", "random" or "zipf", with some threads that share the accesses; the number of pages is a power of
 * two. Each access looks whether the page's last word is the page's number plus one, and one that writes increments a word of its thread
 * before. Returns the nanoseconds it took, or minus an errno: EIO if a page had another number.
 */
long walk(char *start, long pages, const char *pattern, int is_write, int threads, long accesses, unsigned long seed);

#endif
