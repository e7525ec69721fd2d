/* The faulting side of the benchmarks; see toucher.c. */
#ifndef TOUCHER_H
#define TOUCHER_H

/* Pins the calling thread to one CPU; a negative number leaves it free. Returns 0 or an errno. */
int pin_thread(int cpu);

/* Starts a thread on a CPU that reads one byte of each page, in order. Returns NULL if there is no thread to be had. */
void *start_touching(const char *start, long pages, int cpu);

/* Waits for it. Returns the nanoseconds from before the first page to after the last, or minus an errno. */
long finish_touching(void *toucher);

#endif
