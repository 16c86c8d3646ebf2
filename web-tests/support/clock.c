// Loaded into a server, this makes its clock say what a file says: a number of milliseconds since the epoch, as a double; where
// that is 0, the time.
// So a test moves the time of a real server, and need not wait for anything to expire.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile double* milliseconds;

__attribute__((constructor)) static void open_clock(void) {
    const int file = open(getenv("TEST_CLOCK"), O_RDONLY);
    if (file < 0) abort();
    milliseconds = mmap(NULL, sizeof(double), PROT_READ, MAP_SHARED, file, 0);
    if (milliseconds == MAP_FAILED) abort();
}

int clock_gettime(clockid_t clock, struct timespec* time) {
    // Some ask for other clocks before there is a file.
    const double now = clock == CLOCK_REALTIME ? *milliseconds : 0;
    if (now == 0) return (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec = (time_t)(now / 1000);
    time->tv_nsec = (long)((now - 1000.0 * (double)time->tv_sec) * 1e6);
    return 0;
}

int gettimeofday(struct timeval* time, void* zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t* result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
