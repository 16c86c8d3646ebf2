#pragma once

#include <sys/resource.h>

#include <csignal>

namespace polystore::testing {

/// While this object exists, the process cannot write a file beyond a size. To the process this looks like a full disk,
/// for any user and on any file system.
class FileSizeLimit {
   public:
    explicit FileSizeLimit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit = {bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, signal_);
    }

   private:
    rlimit before_{};
    void (*signal_)(int);
};

}  // namespace polystore::testing
