/* The work of the budget matrix; see walker.c. */
#ifndef WALKER_H
#define WALKER_H

/*
 * Reads, or reads and increments, one word of a page at a time: "sequential", "random" or "zipf", with some threads that share the
 * accesses. The number of pages is a power of two. Returns the nanoseconds it took, or minus an errno.
 */
long walk(char *start, long pages, const char *pattern, int is_write, int threads, long accesses, unsigned long seed);

#endif
