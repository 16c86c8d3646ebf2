// Loaded into a program, this makes a folder a disk that keeps the case of names and ignores it when it looks for one,
// as those of macOS and Windows do: a name leads to the file whose name differs in nothing else. So a test has such a
// disk where none can be mounted.

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// The function of this name that would be called without this.
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/// The path of what a path leads to on such a disk, which is written to `found`; the path itself where that is
/// elsewhere.
static const char* find(const char* path, char found[PATH_MAX]) {
    const char* disk = getenv("IGNORE_CASE_IN");
    const size_t length = disk ? strlen(disk) : 0;
    if (length == 0 || strncmp(path, disk, length) != 0 || path[length] != '/' || strlen(path) >= PATH_MAX) return path;
    strcpy(found, path);
    for (char* name = found + length; name && name[1];) {
        char* end = strchr(++name, '/');
        if (end) *end = 0;
        name[-1] = 0;
        DIR* folder = opendir(found);
        name[-1] = '/';
        for (struct dirent* entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
            if (strcasecmp(entry->d_name, name) == 0) strcpy(name, entry->d_name);
        }
        if (folder) closedir(folder);
        if (end) *end = '/';
        name = end;
    }
    return found;
}

#define OPEN(open)                                                   \
    int open(const char* path, int flags, ...) {                     \
        va_list more;                                                \
        va_start(more, flags);                                       \
        const mode_t mode = flags & O_CREAT ? va_arg(more, int) : 0; \
        va_end(more);                                                \
        char found[PATH_MAX];                                        \
        return REAL(open)(find(path, found), flags, mode);           \
    }
OPEN(open)
OPEN(open64)

int stat(const char* path, struct stat* status) {
    char found[PATH_MAX];
    return REAL(stat)(find(path, found), status);
}

int lstat(const char* path, struct stat* status) {
    char found[PATH_MAX];
    return REAL(lstat)(find(path, found), status);
}

int access(const char* path, int mode) {
    char found[PATH_MAX];
    return REAL(access)(find(path, found), mode);
}

int unlink(const char* path) {
    char found[PATH_MAX];
    return REAL(unlink)(find(path, found));
}

int link(const char* path, const char* to) {
    char found[PATH_MAX], found_to[PATH_MAX];
    return REAL(link)(find(path, found), find(to, found_to));
}

int rename(const char* path, const char* to) {
    char found[PATH_MAX], found_to[PATH_MAX];
    path = find(path, found);
    // A file may be given its own name in another case.
    return REAL(rename)(path, strcasecmp(path, to) == 0 ? to : find(to, found_to));
}

// Node looks at files by this.
long syscall(long number, ...) {
    va_list more;
    va_start(more, number);
    long a[6];
    for (int i = 0; i < 6; ++i) a[i] = va_arg(more, long);
    va_end(more);
    char found[PATH_MAX];
    if (number == SYS_statx) a[1] = (long)find((const char*)a[1], found);
    return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
