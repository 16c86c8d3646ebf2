// Defines the functions of the C library that polystore calls, so that the test program uses these instead.

#include "support/system_faults.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace polystore::testing {
namespace {

SystemFaults::Faults current;

/// Returns true if the process is to be killed at this call.
bool is_last() { return current.kill_at > 0 && --current.kill_at == 0; }

void count_call() {
    if (is_last()) raise(SIGKILL);
}

int fail(int number) {
    errno = number;
    return -1;
}

bool is_folder(int fd) {
    struct stat status {};
    return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

SystemFaults::SystemFaults(const Faults& faults) { current = faults; }
SystemFaults::~SystemFaults() { current = {}; }

extern "C" {

ssize_t write(int fd, const void* bytes, size_t length) {
    count_call();
    if (is_last()) {
        syscall(SYS_write, fd, bytes, length / 2);
        raise(SIGKILL);
    }
    return syscall(SYS_write, fd, bytes, length);
}

int unlink(const char* path) noexcept {
    count_call();
    return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

int fsync(int fd) {
    count_call();
    if (const int number = is_folder(fd) ? current.sync_of_folders : current.sync_of_files) return fail(number);
    return static_cast<int>(syscall(SYS_fsync, fd));
}

int fdatasync(int fd) {
    if (current.sync_of_files != 0) return fail(current.sync_of_files);
    return static_cast<int>(syscall(SYS_fdatasync, fd));
}

int rename(const char* from, const char* to) noexcept {
    count_call();
    const bool is_lock = std::strstr(to, ".lock-") != nullptr;
    if (current.rename != 0 && !is_lock) return fail(current.rename);
    return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
}

}  // namespace polystore::testing
