/*
 * The faulting side of the benchmarks: a native thread that reads one byte of each page in order and takes the time.
 * It is the same code for the C handler and for the .NET handler, so that only the handler differs. It is linked into
 * the C program and loaded as a shared library by the .NET one; the runtime does not know this thread, and so never
 * waits for it.
 */
#define _GNU_SOURCE
#include "toucher.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct toucher {
    pthread_t thread;
    const volatile char *start;
    long pages;
    long page_size;
    int cpu;
    int error;
    long elapsed_ns;
};

static long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

int pin_thread(int cpu)
{
    if (cpu < 0) {
        return 0;
    }
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    return sched_setaffinity(0, sizeof cpus, &cpus) == 0 ? 0 : errno;
}

static void *touch(void *argument)
{
    struct toucher *toucher = argument;
    toucher->error = pin_thread(toucher->cpu);
    if (toucher->error != 0) {
        return NULL;
    }
    long begin = now_ns();
    for (long page = 0; page < toucher->pages; page++) {
        (void)toucher->start[page * toucher->page_size];
    }
    toucher->elapsed_ns = now_ns() - begin;
    return NULL;
}

void *start_touching(const char *start, long pages, int cpu)
{
    struct toucher *toucher = calloc(1, sizeof *toucher);
    if (toucher == NULL) {
        return NULL;
    }
    toucher->start = start;
    toucher->pages = pages;
    toucher->page_size = sysconf(_SC_PAGESIZE);
    toucher->cpu = cpu;
    if (pthread_create(&toucher->thread, NULL, touch, toucher) != 0) {
        free(toucher);
        return NULL;
    }
    return toucher;
}

long finish_touching(void *argument)
{
    struct toucher *toucher = argument;
    pthread_join(toucher->thread, NULL);
    long answer = toucher->error != 0 ? -(long)toucher->error : toucher->elapsed_ns;
    free(toucher);
    return answer;
}
