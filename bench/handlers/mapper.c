/*
 * Plain mmap of a file, for the budget matrix: a program of its own, so that it can be put into a memory control group. Takes a line
 * for each round, "pattern write threads accesses seed", and answers "ok" and the nanoseconds, or "error" and why. The kernel is told not
 * to read ahead where that is in vain (MADV_RANDOM). What was written is synchronised within the time.
 */
#define _GNU_SOURCE
#include "walker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

int main(int count, char **arguments)
{
    char line[128];
    char pattern[16];
    int is_write;
    int threads;
    long accesses;
    unsigned long seed;
    struct stat status;
    int file = count == 2 ? open(arguments[1], O_RDWR) : -1;
    if (file < 0 || fstat(file, &status) != 0) {
        printf("error the file cannot be opened\n");
        return 1;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (sscanf(line, "%15s %d %d %ld %lu", pattern, &is_write, &threads, &accesses, &seed) != 5) {
            printf("error not understood\n");
            return 1;
        }
        char *start = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (start == MAP_FAILED) {
            printf("error mmap: %s\n", strerror(errno));
            return 1;
        }
        if (pattern[0] != 's' && madvise(start, (size_t)status.st_size, MADV_RANDOM) != 0) {
            printf("error madvise: %s\n", strerror(errno));
            return 1;
        }
        long elapsed = walk(start, status.st_size / 4096, pattern, is_write, threads, accesses, seed);
        long begin = now_ns();
        if (elapsed >= 0 && is_write && msync(start, (size_t)status.st_size, MS_SYNC) != 0) {
            elapsed = -errno;
        }
        elapsed = elapsed < 0 ? elapsed : elapsed + now_ns() - begin;
        munmap(start, (size_t)status.st_size);
        if (elapsed < 0) {
            printf("error %s\n", strerror((int)-elapsed));
            return 1;
        }
        printf("ok %ld\n", elapsed);
        fflush(stdout);
    }
    return 0;
}
