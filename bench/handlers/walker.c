/*
 * Walks over pages, in native threads that the .NET runtime does not know. The same code runs over memory that the pager serves, as a
 * shared library, and over a plain mapping of the file, as a program (mapper.c).
 */
#include "walker.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAGE_BYTES = 4096, LAST_WORD = PAGE_BYTES / 8 - 1, MOST_THREADS = 64 };

/* How uneven zipf is: the usual value of storage benchmarks. */
static const double THETA = 0.99;

struct job {
    char *start;
    long pages;
    const char *pattern;
    int is_write;
    int threads;
    long accesses;
    unsigned long seed;
    double zeta;
    pthread_barrier_t ready;
};

struct walker {
    struct job *job;
    int index;
    pthread_t thread;
    long begin_ns;
    long end_ns;
    long wrong;
};

static long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x * 0x2545F4914F6CDD1DULL;
}

static double zeta_of(long pages)
{
    double sum = 0;
    for (long rank = 1; rank <= pages; rank++) {
        sum += 1 / pow((double)rank, THETA);
    }
    return sum;
}

/* The rank, then spread over the pages by an odd factor, so that the favourites are not neighbours. */
static long zipf_page(const struct job *job, uint64_t *state)
{
    double pages = (double)job->pages;
    double alpha = 1 / (1 - THETA);
    double second = 1 + pow(0.5, THETA);
    double eta = (1 - pow(2 / pages, 1 - THETA)) / (1 - second / job->zeta);
    double u = (double)(next_random(state) >> 11) / 9007199254740992.0;
    double scaled = u * job->zeta;
    uint64_t rank = scaled < 1 ? 0 : scaled < second ? 1 : (uint64_t)(pages * pow(eta * u - eta + 1, alpha));
    return (long)((rank * 0x9E3779B1ULL) & (uint64_t)(job->pages - 1));
}

static void *run(void *argument)
{
    struct walker *walker = argument;
    struct job *job = walker->job;
    uint64_t state = (job->seed + (uint64_t)walker->index + 1) * 0x9E3779B97F4A7C15ULL;
    long accesses = job->accesses / job->threads;
    long part = job->pages / job->threads;
    int pattern = job->pattern[0];
    pthread_barrier_wait(&job->ready);
    walker->begin_ns = now_ns();
    for (long i = 0; i < accesses; i++) {
        long page = pattern == 's' ? walker->index * part + i % part
                  : pattern == 'r' ? (long)(next_random(&state) & (uint64_t)(job->pages - 1))
                                   : zipf_page(job, &state);
        volatile uint64_t *words = (volatile uint64_t *)(job->start + page * PAGE_BYTES);
        if (job->is_write) {
            words[walker->index] = words[walker->index] + 1;
        }
        walker->wrong += words[LAST_WORD] != (uint64_t)page + 1;
    }
    walker->end_ns = now_ns();
    return NULL;
}

long walk(char *start, long pages, const char *pattern, int is_write, int threads, long accesses, unsigned long seed)
{
    if (threads < 1 || threads > MOST_THREADS || (pages & (pages - 1)) != 0 || strchr("srz", pattern[0]) == NULL) {
        return -EINVAL;
    }
    struct walker walkers[MOST_THREADS];
    struct job job = {.start = start, .pages = pages, .pattern = pattern, .is_write = is_write, .threads = threads};
    job.accesses = accesses;
    job.seed = seed;
    job.zeta = pattern[0] == 'z' ? zeta_of(pages) : 0;
    pthread_barrier_init(&job.ready, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        walkers[i].job = &job;
        walkers[i].index = i;
        walkers[i].wrong = 0;
        if (pthread_create(&walkers[i].thread, NULL, run, &walkers[i]) != 0) {
            abort();
        }
    }
    long begin = 0;
    long end = 0;
    long wrong = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(walkers[i].thread, NULL);
        begin = i == 0 || walkers[i].begin_ns < begin ? walkers[i].begin_ns : begin;
        end = walkers[i].end_ns > end ? walkers[i].end_ns : end;
        wrong += walkers[i].wrong;
    }
    pthread_barrier_destroy(&job.ready);
    return wrong == 0 ? end - begin : -EIO;
}
