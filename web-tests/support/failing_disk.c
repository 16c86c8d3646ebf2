// Loaded into a program, this makes calls of the file system fail as they do on disks that no test can mount:
// - FOLDER_SYNC_ERROR: the errno with which a folder cannot be synced, as on CIFS, FUSE or VirtualBox.
// - RENAME_ERROR: the errno with which no file can be renamed to RENAME_TO, as one that is mounted alone; RENAME_TIMES
//   is how often that fails, if not always.
// - ROOM: how many bytes that file has room for, when it is written in place.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/// The function of this name that would be called without this.
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int file) {
    const char* error = getenv("FOLDER_SYNC_ERROR");
    struct stat status;
    if (error && fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
        errno = atoi(error);
        return -1;
    }
    return REAL(fsync)(file);
}

int rename(const char* from, const char* to) {
    static atomic_int failures;
    const char* target = getenv("RENAME_TO");
    const char* times = getenv("RENAME_TIMES");
    if (target && strcmp(to, target) == 0 && (!times || failures++ < atoi(times))) {
        errno = atoi(getenv("RENAME_ERROR"));
        return -1;
    }
    return REAL(rename)(from, to);
}

/// Writes what there is room for.
ssize_t pwrite64(int file, const void* bytes, size_t length, off64_t offset) {
    const char* target = getenv("RENAME_TO");
    const char* room = getenv("ROOM");
    char link[64];
    char path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if (room && readlink(link, path, sizeof path - 1) > 0 && target && strcmp(path, target) == 0) {
        off64_t left = atoi(room) - offset;
        if (left <= 0) {
            errno = ENOSPC;
            return -1;
        }
        if ((off64_t)length > left) length = left;
    }
    return REAL(pwrite64)(file, bytes, length, offset);
}

ssize_t pwrite(int file, const void* bytes, size_t length, off_t offset) {
    return pwrite64(file, bytes, length, offset);
}
