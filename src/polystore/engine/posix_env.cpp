#include "polystore/engine/posix_env.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <span>
#include <vector>

#include "polystore/clients/posix_file.hpp"
#include "polystore/engine/posix_lock.hpp"

namespace polystore::engine {
namespace {

/// From here on it is faster to copy than to map: a page of a mapping costs a fault, or a part of one, when it is first
/// read.
constexpr std::size_t kLong = std::size_t{1} << 16U;

/// Calls until no signal interrupts.
template <typename SystemCall>
auto repeated(SystemCall call) {
    for (;;) {
        const auto result = call();
        if (result >= 0 || errno != EINTR) return result;
    }
}

Failure failure_of(const std::string& action, const std::string& path) {
    const Error error = posix::io_error(action, path, errno);
    return {error.code(), error.what()};
}

class Descriptor {
   public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    [[nodiscard]] int number() const { return number_; }

   private:
    int number_;
};

class PosixFile : public File {
   public:
    PosixFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
    PosixFile(const PosixFile&) = delete;
    PosixFile& operator=(const PosixFile&) = delete;
    ~PosixFile() override {
        for (const std::span<char> mapping : mappings_) munmap(mapping.data(), mapping.size());
    }

    Result<std::uint64_t> size() override {
        struct stat status {};
        if (fstat(fd_.number(), &status) != 0) return failure_of("look at", path_);
        return static_cast<std::uint64_t>(status.st_size);
    }

    Result<std::string_view> read(std::uint64_t offset, std::size_t length, std::string& buffer) override {
        if (length >= kLong) return copy(offset, length, buffer);
        if (offset + length > mapping_.size()) {
            if (Status mapped = map(offset + length); !mapped.ok()) return mapped.failure();
        }
        return std::string_view(mapping_.data() + offset, length);
    }

    void expect(std::uint64_t offset, std::size_t length) override {
        constexpr std::size_t kLine = 64;
        constexpr std::size_t kMost = 4 * kLine;  // The processor goes on by itself.
        if (offset + length > mapping_.size()) return;
        const char* const begin = mapping_.data() + offset;
        for (std::size_t i = 0; i < std::min(length, kMost); i += kLine) __builtin_prefetch(begin + i);
    }

    Status write(std::uint64_t offset, std::string_view bytes) override {
        while (!bytes.empty()) {
            const auto length =
                repeated([&] { return pwrite(fd_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
            if (length < 0) return failure_of("write", path_);
            bytes.remove_prefix(static_cast<std::size_t>(length));
            offset += static_cast<std::uint64_t>(length);
        }
        return Done{};
    }

    Status truncate(std::uint64_t size) override {
        if (repeated([&] { return ftruncate(fd_.number(), static_cast<off_t>(size)); }) != 0) {
            return failure_of("cut off", path_);
        }
        return Done{};
    }

    Status sync() override {
#ifdef __APPLE__
        // fsync leaves the bytes in the cache of the disk there.
        const auto synced = repeated([&] { return fcntl(fd_.number(), F_FULLFSYNC); });
#elif defined(__linux__)
        // The size of the file is synced as well, but not its date.
        const auto synced = repeated([&] { return fdatasync(fd_.number()); });
#else
        const auto synced = repeated([&] { return fsync(fd_.number()); });
#endif
        if (synced != 0) return failure_of("sync", path_);
        return Done{};
    }

   private:
    Result<std::string_view> copy(std::uint64_t offset, std::size_t length, std::string& buffer) {
        buffer.resize(length);
        for (std::size_t done = 0; done < length;) {
            const auto count = repeated([&] {
                return pread(fd_.number(), buffer.data() + done, length - done, static_cast<off_t>(offset + done));
            });
            if (count < 0) return failure_of("read", path_);
            if (count == 0) return Failure{ErrorCode::client, "The file " + path_ + " was cut off by another program."};
            done += static_cast<std::size_t>(count);
        }
        return std::string_view{buffer}.substr(0, length);
    }

    /// Maps twice of what is needed, beyond the end of the file: a log grows, and mapping it anew costs. What was
    /// mapped before stays, as it is still read from.
    Status map(std::uint64_t needed) {
        const std::size_t length = static_cast<std::size_t>(2 * needed) + (std::size_t{1} << 20U);
        void* const mapping = mmap(nullptr, length, PROT_READ, MAP_SHARED, fd_.number(), 0);
        if (mapping == MAP_FAILED) return failure_of("map", path_);
        mapping_ = {static_cast<char*>(mapping), length};
        mappings_.push_back(mapping_);
        return Done{};
    }

    std::string path_;
    Descriptor fd_;
    std::span<char> mapping_;
    std::vector<std::span<char>> mappings_;
};

/// Opens a file for reading and writing, with the flags of open(2) besides.
Result<std::shared_ptr<File>> open_file(const std::string& path, int flags) {
    const int fd = repeated([&] { return open(path.c_str(), flags | O_RDWR | O_CLOEXEC, 0666); });
    if (fd >= 0) return std::shared_ptr<File>(std::make_shared<PosixFile>(path, fd));
    if (errno == ENOENT && (flags & O_CREAT) == 0) return std::shared_ptr<File>();
    return failure_of("open", path);
}

class PosixEnv : public Env {
   public:
    Result<std::shared_ptr<File>> open(const std::string& path) override {
        struct stat status {};
        // A log that is made takes the place of what has its name: nothing else may lose that.
        if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
            return Failure{ErrorCode::client, "Could not open " + path + ": it is no file."};
        }
        Result<std::shared_ptr<File>> file = open_file(path, 0);
        if (file.ok() && *file == nullptr && lstat(path.c_str(), &status) == 0) {
            return Failure{ErrorCode::client, "Could not open " + path + ": it is a link to what is not there."};
        }
        return file;
    }

    Result<std::shared_ptr<File>> create(const std::string& path) override {
        return open_file(path, O_CREAT | O_TRUNC);
    }

    Status replace(const std::string& from, const std::string& to) override {
        struct stat status {};
        // The permissions are the user's, and the owner too, which only root is not already. Before the name, so that
        // the file never has both others and the name.
        if (stat(to.c_str(), &status) == 0) {
            if (geteuid() == 0 && chown(from.c_str(), status.st_uid, status.st_gid) != 0) {
                return failure_of("set the owner of", from);
            }
            if (chmod(from.c_str(), status.st_mode & 07777U) != 0) return failure_of("set the mode of", from);
        }
        if (std::rename(from.c_str(), to.c_str()) != 0) return failure_of("replace", to);
        const std::string folder = std::filesystem::absolute(to).parent_path().string();
        const Descriptor fd(repeated([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
        if (fd.number() < 0 || repeated([&] { return fsync(fd.number()); }) != 0) return failure_of("sync", folder);
        return Done{};
    }

    Result<std::uint64_t> room(const std::string& path) override {
        struct statvfs status {};
        if (repeated([&] { return statvfs(path.c_str(), &status); }) != 0) return failure_of("look at", path);
        return std::uint64_t{status.f_bavail} * status.f_frsize;
    }

    Status remove(const std::string& path) override {
        if (unlink(path.c_str()) != 0 && errno != ENOENT) return failure_of("remove", path);
        return Done{};
    }

    Result<std::unique_ptr<Lock>> lock(const std::string& path) override { return take_posix_lock(path); }
};

}  // namespace

Env& posix_env() {
    static PosixEnv env;
    return env;
}

}  // namespace polystore::engine
