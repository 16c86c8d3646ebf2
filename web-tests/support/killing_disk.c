// Loaded into a program, this kills it at the call of the file system with the number KILL_AT, of those that change something
// below the folder KILL_IN. A write is two of these calls: half of it is made before the second one.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/// The function of this name that would be called without this.
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/// Counts a call on a path, and returns nonzero if it is the one at which the program is killed.
static int is_last(const char* path) {
    static atomic_int calls;
    const char* folder = getenv("KILL_IN");
    return folder && strncmp(path, folder, strlen(folder)) == 0 && ++calls == atoi(getenv("KILL_AT"));
}

static int is_last_of(int file) {
    char link[64];
    char path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    return readlink(link, path, sizeof path - 1) > 0 && is_last(path);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void count(const char* path) {
    if (is_last(path)) die();
}

static void count_of(int file) {
    if (is_last_of(file)) die();
}

int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    if (flags & (O_CREAT | O_TRUNC)) count(path);
    return REAL(open64)(path, flags, mode);
}

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open64(path, flags, mode);
}

ssize_t write(int file, const void* bytes, size_t length) {
    count_of(file);
    if (!is_last_of(file)) return REAL(write)(file, bytes, length);
    REAL(write)(file, bytes, length / 2);
    die();
    return -1;
}

ssize_t pwrite64(int file, const void* bytes, size_t length, off64_t offset) {
    count_of(file);
    if (!is_last_of(file)) return REAL(pwrite64)(file, bytes, length, offset);
    REAL(pwrite64)(file, bytes, length / 2, offset);
    die();
    return -1;
}

ssize_t pwrite(int file, const void* bytes, size_t length, off_t offset) {
    return pwrite64(file, bytes, length, offset);
}

int ftruncate64(int file, off64_t length) {
    count_of(file);
    return REAL(ftruncate64)(file, length);
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

int fsync(int file) {
    count_of(file);
    return REAL(fsync)(file);
}

int fdatasync(int file) {
    count_of(file);
    return REAL(fdatasync)(file);
}

int fchmod(int file, mode_t mode) {
    count_of(file);
    return REAL(fchmod)(file, mode);
}

int rename(const char* from, const char* to) {
    count(to);
    return REAL(rename)(from, to);
}

int unlink(const char* path) {
    count(path);
    return REAL(unlink)(path);
}
