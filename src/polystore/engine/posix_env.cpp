#include "polystore/engine/posix_env.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "polystore/engine/log_format.hpp"
#include "polystore/engine/posix_lock.hpp"
#include "polystore/posix/posix_file.hpp"

namespace polystore::engine {
namespace {

/// Reads of this length and longer are copied instead of mapped, because each page of a mapping costs a fault, or a
/// part of one, when it is first read.
constexpr std::size_t kLong = std::size_t{1} << 16U;

/// Repeats a system call until no signal interrupts it.
template <typename SystemCall>
auto repeated(SystemCall call) {
    for (;;) {
        const auto result = call();
        if (result >= 0 || errno != EINTR) return result;
    }
}

/// Returns the failure of a system call. If there is no memory for its message, the message is empty: the caller has to
/// learn of the failure in any case.
Failure failure_of(const char* action, const std::string& path) {
    const int number = errno;
    try {
        const Error error = posix::io_error(action, path, number);
        return {error.code(), error.what()};
    } catch (const std::bad_alloc&) {
        return {ErrorCode::client, {}};
    }
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

/// Distinguishes a file from another that takes its name.
struct Identity {
    dev_t device;
    ino_t inode;

    [[nodiscard]] bool operator==(const Identity&) const = default;
};

Identity identity_of(const struct stat& status) { return {status.st_dev, status.st_ino}; }

class PosixFile : public File {
   public:
    /// The name of an existing file counts as unsynced: it is unknown whether the program that created it synced it.
    PosixFile(std::string path, int fd, const struct stat& status, bool is_new)
        : path_(std::move(path)), name_is_synced_(is_new), identity_(identity_of(status)), fd_(fd) {}
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
        constexpr std::size_t kMost = 4 * kLine;  // The processor prefetches the rest by itself.
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
            return failure_of("truncate", path_);
        }
        return Done{};
    }

    Status sync() override {
#ifdef __APPLE__
        // On macOS, fsync leaves the bytes in the cache of the disk.
        const auto synced = repeated([&] { return fcntl(fd_.number(), F_FULLFSYNC); });
#elif defined(__linux__)
        // fdatasync also syncs the size of the file, but not its date.
        const auto synced = repeated([&] { return fdatasync(fd_.number()); });
#else
        const auto synced = repeated([&] { return fsync(fd_.number()); });
#endif
        const int number = errno;
        std::unique_lock hold(path_mutex_);
        if (synced != 0) return sync_failure(number);
        if (Status named = check_name(); !named.ok() || name_is_synced_) return named;
        const std::string path = path_;
        hold.unlock();  // The engine may ask for the name meanwhile, and must not wait for the disk.
        if (Status synced_name = sync_name(path); !synced_name.ok()) return synced_name;
        hold.lock();
        name_is_synced_ = path == path_;
        return Done{};
    }

    /// Tells this object that the file has the name `path` now.
    void rename(const std::string& path) {
        const Hold hold(path_mutex_);
        path_ = path;
        name_is_synced_ = false;
    }

    /// Fails if the name of the file now refers to another file, or to none.
    Status look_for_name() {
        const Hold hold(path_mutex_);
        return check_name();
    }

   private:
    using Hold = std::scoped_lock<std::mutex>;

    Status check_name() {
        struct stat status {};
        if (stat(path_.c_str(), &status) == 0) {
            if (identity_of(status) == identity_) return Done{};
        } else if (errno != ENOENT && errno != ENOTDIR) {
            return failure_of("look at", path_);
        }
        return Failure{ErrorCode::client, "The file " + path_ +
                                              " was removed, replaced or moved away while it was open, so what is "
                                              "written to it would be lost. Stop the program that did it."};
    }

    static Status sync_name(const std::string& path) {
        try {
            posix::sync_folder(std::filesystem::absolute(path).parent_path());
        } catch (const Error& error) {
            return Failure{error.code(), error.what()};
        }
        return Done{};
    }

    /// Unlike `failure_of`, this does not say that the data is unchanged: after a failed sync, that is unknown.
    [[nodiscard]] Failure sync_failure(int number) const {
        return {posix::io_error("sync", path_, number).code(),
                "Cannot sync " + path_ + ": " + std::generic_category().message(number) + "."};
    }

    Result<std::string_view> copy(std::uint64_t offset, std::size_t length, std::string& buffer) {
        buffer.resize(length);
        for (std::size_t done = 0; done < length;) {
            const auto count = repeated([&] {
                return pread(fd_.number(), buffer.data() + done, length - done, static_cast<off_t>(offset + done));
            });
            if (count < 0) return failure_of("read", path_);
            if (count == 0)
                return Failure{ErrorCode::client, "Another program truncated the file " + path_ +
                                                      " while it was open. Salvage it, or restore a copy."};
            done += static_cast<std::size_t>(count);
        }
        return std::string_view{buffer}.substr(0, length);
    }

    /// Maps twice the needed length, beyond the end of the file, because a log grows and each mapping costs time. The
    /// earlier mappings stay, because readers still use them.
    Status map(std::uint64_t needed) {
        const std::size_t length = static_cast<std::size_t>(2 * needed) + (std::size_t{1} << 20U);
        mappings_.reserve(mappings_.size() + 1);  // Reserved first: a mapping that could not be recorded would leak.
        void* const mapping = mmap(nullptr, length, PROT_READ, MAP_SHARED, fd_.number(), 0);
        if (mapping == MAP_FAILED) return failure_of("map", path_);
        mapping_ = {static_cast<char*>(mapping), length};
        mappings_.push_back(mapping_);
        return Done{};
    }

    std::mutex path_mutex_;
    std::string path_;
    bool name_is_synced_;
    const Identity identity_;
    Descriptor fd_;
    std::span<char> mapping_;
    std::vector<std::span<char>> mappings_;
};

/// Returns true for an error that says that a file system or permissions do not allow a change: nothing has changed.
bool is_refusal(int number) {
    return number == EACCES || number == EBUSY || number == EPERM || number == EROFS || number == EXDEV;
}

/// Opens a file for reading and, if this process may, for writing. `flags` are additional ones of open(2). Returns null
/// if the file does not exist.
Result<std::shared_ptr<PosixFile>> open_file(const std::string& path, int flags, mode_t mode = 0666) {
    const auto open_for = [&](int access) {
        return repeated([&] { return open(path.c_str(), flags | access | O_CLOEXEC, mode); });
    };
    int fd = open_for(O_RDWR);
    if (fd < 0 && is_refusal(errno) && (flags & O_CREAT) == 0) fd = open_for(O_RDONLY);
    if (fd < 0) {
        if (errno == ENOENT && (flags & O_CREAT) == 0) return std::shared_ptr<PosixFile>();
        return failure_of("open", path);
    }
    struct stat status {};
    if (fstat(fd, &status) != 0) {
        const Failure failure = failure_of("look at", path);
        close(fd);
        return failure;
    }
    if (status.st_nlink > 1) {
        close(fd);
        return Failure{ErrorCode::client, "The file " + path +
                                              " has another name (a hard link), by which another "
                                              "program could open it at the same time. Remove one of the names."};
    }
    return std::make_shared<PosixFile>(path, fd, status, (flags & O_CREAT) != 0);
}

/// Returns whether the file at `path` is a log, or was to become one when the power failed.
bool is_log(const std::string& path) {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    const Descriptor fd(repeated([&] { return open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); }));
    struct stat status {};
    if (fd.number() < 0 || fstat(fd.number(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    std::array<char, kMagic.size()> begin{};
    const auto length = repeated([&] { return pread(fd.number(), begin.data(), begin.size(), 0); });
    if (length < 0) return false;
    const std::string_view bytes(begin.data(), static_cast<std::size_t>(length));
    return kMagic.starts_with(bytes) || bytes.find_first_not_of('\0') == std::string_view::npos;
}

/// Returns true if this process cannot create files in a folder.
bool is_read_only(const std::filesystem::path& folder) {
    const char* const path = folder.empty() ? "." : folder.c_str();
    return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) != 0 && is_refusal(errno);
}

/// In place of the lock of a log that can only be read.
class ReadOnly : public Lock {
   public:
    explicit ReadOnly(std::string log) : log_(std::move(log)) {}

    Status check() override {
        return Failure{ErrorCode::client, "The log " + log_ +
                                              " is read-only, because this process has no permission to write to its "
                                              "folder. Grant it, and open the store again."};
    }

   private:
    std::string log_;
};

class PosixEnv : public Env {
   public:
    Result<std::shared_ptr<File>> open(const std::string& path) override {
        struct stat status {};
        // A new log replaces whatever has its name, so a path that is not a regular file is refused here.
        if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
            return Failure{ErrorCode::client,
                           "Cannot open " + path + ": it is not a regular file. Give the path of a file."};
        }
        return named(path, open_file(path, 0));
    }

    Result<std::shared_ptr<File>> create(const std::string& path) override {
        if (Status removed = remove(path); !removed.ok()) return removed.failure();
        struct stat old {};
        const bool has_old = path.ends_with(".new") && stat(path.substr(0, path.rfind('.')).c_str(), &old) == 0;
        // No other user may open it before it has the permissions of the log.
        Result<std::shared_ptr<PosixFile>> file = open_file(path, O_CREAT | O_EXCL, has_old ? 0600 : 0666);
        if (!file.ok()) {
            if (!posix::is_there(path)) return file.failure();
            return Failure{ErrorCode::client, "The file " + path +
                                                  " is needed for a new log, and what is there is not a log. Move it "
                                                  "away."};
        }
        if (has_old) {
            if (Status imitated = imitate(path, old); !imitated.ok()) return imitated.failure();
        }
        return named(path, std::move(file));
    }

    Status replace(const std::string& from, const std::string& to) override {
        const std::shared_ptr<PosixFile> old = file_named(to);
        struct stat status {};
        if (old) {
            if (Status named = old->look_for_name(); !named.ok()) return named;
            // The user may have changed the permissions of the log. They are copied before the rename, so that the new
            // file never has the name with other permissions.
            if (stat(to.c_str(), &status) != 0) return failure_of("look at", to);
            if (Status imitated = imitate(from, status); !imitated.ok()) return imitated;
        } else if (posix::is_there(to)) {
            return Failure{ErrorCode::client,
                           "Another program has just created " + to + ", which was left as it is. Move it away."};
        }
        if (std::rename(from.c_str(), to.c_str()) != 0) {
            const bool is_refused = is_refusal(errno);
            Failure failure = failure_of("replace", to);
            if (is_refused) failure.code = ErrorCode::unsupported;
            return failure;
        }
        try {
            if (const std::shared_ptr<PosixFile> file = file_named(from)) {
                file->rename(to);
                static_cast<void>(named(to, file));
            }
        } catch (const std::bad_alloc&) {
            return Failure{ErrorCode::client, {}};  // The file has its new name, so it is too late to throw.
        }
        return Done{};
    }

    Result<std::uint64_t> room(const std::string& path) override {
        struct statvfs status {};
        if (repeated([&] { return statvfs(path.c_str(), &status); }) != 0) return failure_of("look at", path);
        return std::uint64_t{status.f_bavail} * status.f_frsize;
    }

    Status remove(const std::string& path) override {
        if (!is_log(path)) return Done{};
        if (unlink(path.c_str()) != 0 && errno != ENOENT) return failure_of("remove", path);
        return Done{};
    }

    Result<std::unique_ptr<Lock>> lock(const std::string& path) override {
        // This process cannot take the lock, so it can only read the log.
        if (posix::is_there(path) && is_read_only(std::filesystem::path(path).parent_path())) {
            return std::unique_ptr<Lock>(std::make_unique<ReadOnly>(path));
        }
        return take_posix_lock(path);
    }

   private:
    using Files = std::map<std::string, std::weak_ptr<PosixFile>>;

    /// Copies the mode, and the owner if this process is root: only root may change it.
    static Status imitate(const std::string& path, const struct stat& other) {
        if (geteuid() == 0 && chown(path.c_str(), other.st_uid, other.st_gid) != 0) {
            return failure_of("set the owner of", path);
        }
        if (chmod(path.c_str(), other.st_mode & 07777U) != 0) return failure_of("set the mode of", path);
        return Done{};
    }

    /// Records that the file has this name.
    Result<std::shared_ptr<File>> named(const std::string& path, Result<std::shared_ptr<PosixFile>> file) {
        if (!file.ok()) return file.failure();
        const std::scoped_lock hold(mutex_);
        std::erase_if(files_, [](const auto& known) { return known.second.expired(); });
        files_.insert_or_assign(path, *file);
        return std::shared_ptr<File>(std::move(*file));
    }

    std::shared_ptr<PosixFile> file_named(const std::string& path) {
        const std::scoped_lock hold(mutex_);
        const auto found = files_.find(path);
        return found == files_.end() ? nullptr : found->second.lock();
    }

    std::mutex mutex_;
    Files files_;  ///< The open files by their names.
};

}  // namespace

Env& posix_env() {
    // Never destroyed, so that a static store may still use it when the process ends.
    static auto* const env = new PosixEnv;
    return *env;
}

}  // namespace polystore::engine
