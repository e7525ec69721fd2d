/*
 * The bare C handler that the .NET ones are measured against: read a message, install the page, nothing else.
 *
 * It is a child of the benchmark and takes one round a line on standard input:
 *
 *     KIND STYLE PAGES RANGE FAULTING_CPU HANDLER_CPU
 *
 *     KIND   copy         missing faults on anonymous memory, resolved by UFFDIO_COPY
 *            continue     minor faults on a memfd whose pages are there, resolved by UFFDIO_CONTINUE
 *            faultaround  the memfd mapped without a userfaultfd: the kernel's own faults
 *     STYLE  blocking     read(2) waits
 *            polling      epoll_wait(2) waits, read(2) does not
 *     PAGES  how many are touched, in order
 *     RANGE  how many are installed at each fault
 *     CPUs   -1 for any
 *
 * Each round maps fresh memory, so rounds do not depend on each other. The answer is one line: "ok NANOSECONDS FAULTS"
 * or "error WHAT: WHY".
 */
#define _GNU_SOURCE
#include "toucher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MESSAGES 16

enum kind { COPY, CONTINUE, FAULT_AROUND };

struct round {
    enum kind kind;
    int polling;
    long pages;
    long range;
    int faulting_cpu;
    int handler_cpu;

    int uffd;
    int epoll;
    char *start;
    unsigned long length;
    long faults;
    const char *failed;
    int error;
};

static long page_size;
static char *source_page;
static int memory_file = -1;
static long memory_file_pages;

static int fail(struct round *round, const char *what)
{
    if (round->failed == NULL) {
        round->failed = what;
        round->error = errno;
    }
    return -1;
}

/* Pages installed by one resolution; 0 if another one was faster; -1 on failure. */
static long installed(struct round *round, const char *what, int result, long long field, unsigned long address)
{
    if (result == 0 || field > 0) {
        return (long)(field / page_size);
    }
    if (errno != EEXIST) {
        return fail(round, what);
    }
    struct uffdio_range range = { .start = address, .len = (unsigned long)page_size };
    return ioctl(round->uffd, UFFDIO_WAKE, &range) == 0 ? 0 : fail(round, "UFFDIO_WAKE");
}

static long resolve(struct round *round, unsigned long address)
{
    unsigned long end = (unsigned long)round->start + round->length;
    unsigned long length = (unsigned long)(round->range * page_size);
    if (length > end - address) {
        length = end - address;
    }
    if (round->kind == COPY) {
        struct uffdio_copy copy = { .dst = address, .src = (unsigned long)source_page, .len = (unsigned long)page_size };
        int result = ioctl(round->uffd, UFFDIO_COPY, &copy);
        return installed(round, "UFFDIO_COPY", result, copy.copy, address);
    }
    struct uffdio_continue advance = { .range = { .start = address, .len = length } };
    int result = ioctl(round->uffd, UFFDIO_CONTINUE, &advance);
    return installed(round, "UFFDIO_CONTINUE", result, advance.mapped, address);
}

static void *serve(void *argument)
{
    struct round *round = argument;
    struct uffd_msg messages[MESSAGES];
    struct epoll_event ready;

    errno = pin_thread(round->handler_cpu);
    if (errno != 0) {
        fail(round, "sched_setaffinity");
        return NULL;
    }
    for (long done = 0; done < round->pages;) {
        if (round->polling && epoll_wait(round->epoll, &ready, 1, -1) < 0) {
            fail(round, "epoll_wait");
            return NULL;
        }
        ssize_t bytes = read(round->uffd, messages, sizeof messages);
        if (bytes < 0 && errno == EAGAIN) {
            continue;
        }
        if (bytes < 0) {
            fail(round, "read");
            return NULL;
        }
        for (size_t i = 0; i < (size_t)bytes / sizeof *messages; i++) {
            round->faults++;
            long pages = resolve(round, messages[i].arg.pagefault.address);
            if (pages < 0) {
                return NULL;
            }
            done += pages;
        }
    }
    return NULL;
}

/* Makes the memfd large enough and fills it through a mapping that is not registered. */
static int fill_memory_file(struct round *round)
{
    if (memory_file >= 0 && memory_file_pages >= round->pages) {
        return 0;
    }
    if (memory_file < 0 && (memory_file = memfd_create("faultline-bench", MFD_CLOEXEC)) < 0) {
        return fail(round, "memfd_create");
    }
    if (ftruncate(memory_file, (off_t)round->length) != 0) {
        return fail(round, "ftruncate");
    }
    char *alias = mmap(NULL, round->length, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
    if (alias == MAP_FAILED) {
        return fail(round, "mmap");
    }
    memset(alias, 1, round->length);
    munmap(alias, round->length);
    memory_file_pages = round->pages;
    return 0;
}

static int open_uffd(struct round *round)
{
    round->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | (round->polling ? O_NONBLOCK : 0));
    if (round->uffd < 0) {
        return fail(round, "userfaultfd");
    }
    struct uffdio_api api = { .api = UFFD_API };
    if (ioctl(round->uffd, UFFDIO_API, &api) != 0) {
        return fail(round, "UFFDIO_API");
    }
    struct uffdio_register area = {
        .range = { .start = (unsigned long)round->start, .len = round->length },
        .mode = round->kind == COPY ? UFFDIO_REGISTER_MODE_MISSING : UFFDIO_REGISTER_MODE_MINOR,
    };
    if (ioctl(round->uffd, UFFDIO_REGISTER, &area) != 0) {
        return fail(round, "UFFDIO_REGISTER");
    }
    if (!round->polling) {
        return 0;
    }
    struct epoll_event wanted = { .events = EPOLLIN };
    round->epoll = epoll_create1(EPOLL_CLOEXEC);
    return round->epoll >= 0 && epoll_ctl(round->epoll, EPOLL_CTL_ADD, round->uffd, &wanted) == 0 ? 0 : fail(round, "epoll");
}

static int map(struct round *round)
{
    round->length = (unsigned long)(round->pages * page_size);
    if (round->kind != COPY && fill_memory_file(round) != 0) {
        return -1;
    }
    int flags = round->kind == COPY ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *start = mmap(NULL, round->length, PROT_READ | PROT_WRITE, flags, round->kind == COPY ? -1 : memory_file, 0);
    if (start == MAP_FAILED) {
        return fail(round, "mmap");
    }
    round->start = start;
    return round->kind == FAULT_AROUND ? 0 : open_uffd(round);
}

static long run(struct round *round)
{
    pthread_t handler;
    if (map(round) != 0) {
        return -1;
    }
    if (round->kind != FAULT_AROUND && (errno = pthread_create(&handler, NULL, serve, round)) != 0) {
        return fail(round, "pthread_create");
    }
    void *toucher = start_touching(round->start, round->pages, round->faulting_cpu);
    if (toucher == NULL) {
        return fail(round, "start_touching");
    }
    if (round->kind != FAULT_AROUND) {
        pthread_join(handler, NULL);
    }
    if (round->failed != NULL) {
        return -1; /* the toucher may sleep for ever; the caller ends the program */
    }
    long elapsed = finish_touching(toucher);
    if (elapsed < 0) {
        errno = (int)-elapsed;
        return fail(round, "touching");
    }
    return elapsed;
}

static void unmap(const struct round *round)
{
    if (round->epoll >= 0) {
        close(round->epoll);
    }
    if (round->uffd >= 0) {
        close(round->uffd);
    }
    munmap(round->start, round->length);
}

static int parse(const char *line, struct round *round)
{
    char kind[16], style[16];
    if (sscanf(line, "%15s %15s %ld %ld %d %d", kind, style, &round->pages, &round->range, &round->faulting_cpu,
               &round->handler_cpu) != 6 || round->pages < 1 || round->range < 1) {
        return -1;
    }
    round->kind = strcmp(kind, "copy") == 0 ? COPY : strcmp(kind, "continue") == 0 ? CONTINUE : FAULT_AROUND;
    round->polling = strcmp(style, "polling") == 0;
    return 0;
}

int main(void)
{
    char line[256];
    page_size = sysconf(_SC_PAGESIZE);
    source_page = mmap(NULL, (size_t)page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (source_page == MAP_FAILED) {
        return 1;
    }
    memset(source_page, 1, (size_t)page_size);
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct round round = { .uffd = -1, .epoll = -1 };
        if (parse(line, &round) != 0) {
            printf("error parse: not a round\n");
            return 1;
        }
        long elapsed = run(&round);
        if (elapsed < 0) {
            printf("error %s: %s\n", round.failed, strerror(round.error));
            return 1;
        }
        printf("ok %ld %ld\n", elapsed, round.faults);
        fflush(stdout);
        unmap(&round);
    }
    return 0;
}
