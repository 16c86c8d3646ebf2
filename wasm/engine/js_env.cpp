// Calls to JavaScript play the part of system calls: numbers are passed, and a number is returned. None of them throws,
// which env_library.js guarantees. None calls back into the engine, because the files do not know it.

#include "js_env.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "polystore/engine/memory.hpp"

namespace {

/// The results of a failed call. `polystore_files_message` then returns the message.
enum : int {
    kFull = -1,         ///< There is not enough room.
    kFailed = -2,       ///< The call failed for another reason.
    kMissing = -3,      ///< Not a failure: `polystore_files_open` found no such file.
    kUnsupported = -4,  ///< The file system refuses this, and nothing has changed.
};

}  // namespace

extern "C" {
// Files by their paths, which do not end with a zero byte. `open` and `create` return the file's number.
int polystore_files_open(const char* path, std::size_t length);
int polystore_files_create(const char* path, std::size_t length);
int polystore_files_replace(const char* from, std::size_t from_length, const char* to, std::size_t to_length);
int polystore_files_remove(const char* path, std::size_t length);
double polystore_files_room(const char* path, std::size_t length);

/// Fails if the lock, which JavaScript took, is not held any more.
int polystore_files_check_lock();

// Open files by their numbers.
double polystore_files_size(int file);
int polystore_files_read(int file, double offset, char* bytes, std::size_t length);
int polystore_files_write(int file, double offset, const char* bytes, std::size_t length);
int polystore_files_truncate(int file, double size);
int polystore_files_sync(int file);
void polystore_files_close(int file);

/// Writes the message of the last failure, or as much of it as fits into `room`, and returns its length.
std::size_t polystore_files_message(char* text, std::size_t room);
}

namespace polystore::wasm {
namespace {

using engine::Done;
using engine::Failure;
using engine::File;
using engine::Result;
using engine::Status;

/// Returns the failure of a call. If there is no memory for its message, it is empty: the caller must still see the
/// code.
Failure failure_of(int code) {
    Failure failure = {ErrorCode::client, {}};
    if (code == kFull) failure.code = ErrorCode::quota;
    if (code == kUnsupported) failure.code = ErrorCode::unsupported;
    engine::if_memory_allows([&] {
        std::string message(1024, '\0');
        message.resize(polystore_files_message(message.data(), message.size()));
        failure.message = std::move(message);
    });
    return failure;
}

Status status_of(int code) {
    if (code < 0) return failure_of(code);
    return Done{};
}

Result<std::uint64_t> size_of(double answer) {
    if (answer < 0) return failure_of(static_cast<int>(answer));
    return static_cast<std::uint64_t>(answer);
}

constexpr std::uint64_t kWindow = std::uint64_t{1} << 16U;

class JsFile : public File {
   public:
    JsFile(int number, std::uint64_t size) : number_(number), size_(size) {}
    JsFile(const JsFile&) = delete;
    JsFile& operator=(const JsFile&) = delete;
    ~JsFile() override { polystore_files_close(number_); }

    [[nodiscard]] int number() const { return number_; }

    Result<std::uint64_t> size() override { return size_; }

    Result<std::string_view> read(std::uint64_t offset, std::size_t length, std::string& buffer) override {
        if (buffer.size() < length) buffer.resize(length);
        const bool goes_on = offset == std::exchange(read_up_to_, offset + length);
        const bool sees_all = size_ <= kWindow;
        if ((goes_on || sees_all) && length < kWindow && !sees(offset, length)) {
            if (Status looked = look(sees_all ? 0 : offset); !looked.ok()) return looked.failure();
        }
        if (sees(offset, length)) {
            window_.copy(buffer.data(), length, static_cast<std::size_t>(offset - window_offset_));
        } else if (Status read = read_into(buffer.data(), offset, length); !read.ok()) {
            return read.failure();
        }
        return std::string_view(buffer).substr(0, length);
    }

    Status write(std::uint64_t offset, std::string_view bytes) override {
        if (offset < window_offset_ + window_.size()) window_.clear();
        Status written =
            status_of(polystore_files_write(number_, static_cast<double>(offset), bytes.data(), bytes.size()));
        if (written.ok()) size_ = std::max(size_, offset + bytes.size());
        return written;
    }

    Status truncate(std::uint64_t size) override {
        window_.clear();
        Status cut = status_of(polystore_files_truncate(number_, static_cast<double>(size)));
        if (cut.ok()) size_ = size;
        return cut;
    }

    Status sync() override { return status_of(polystore_files_sync(number_)); }

   private:
    Status read_into(char* bytes, std::uint64_t offset, std::size_t length) {
        return status_of(polystore_files_read(number_, static_cast<double>(offset), bytes, length));
    }

    [[nodiscard]] bool sees(std::uint64_t offset, std::size_t length) const {
        return offset >= window_offset_ && offset + length <= window_offset_ + window_.size();
    }

    /// Moves the window to `offset`.
    Status look(std::uint64_t offset) {
        window_.resize(static_cast<std::size_t>(std::min(kWindow, size_ - std::min(offset, size_))));
        window_offset_ = offset;
        Status read = read_into(window_.data(), offset, window_.size());
        if (!read.ok()) window_.clear();
        return read;
    }

    int number_;
    std::uint64_t size_;
    // Small reads, one after the other or of a small file, are served from larger ones. A call takes microseconds, and
    // for 64 KB hardly longer than for 100 bytes.
    std::string window_;
    std::uint64_t window_offset_ = 0;
    std::uint64_t read_up_to_ = 0;
};

Result<std::shared_ptr<File>> file_of(int number) {
    if (number == kMissing) return std::shared_ptr<File>();
    if (number < 0) return failure_of(number);
    Result<std::uint64_t> size = size_of(polystore_files_size(number));
    if (!size.ok()) return size.failure();
    return std::shared_ptr<File>(std::make_shared<JsFile>(number, *size));
}

class JsLock : public engine::Lock {
   public:
    Status check() override { return status_of(polystore_files_check_lock()); }
};

class JsEnv : public engine::Env {
   public:
    Result<std::shared_ptr<File>> open(const std::string& path) override {
        return file_of(polystore_files_open(path.data(), path.size()));
    }

    Result<std::shared_ptr<File>> create(const std::string& path) override {
        return file_of(polystore_files_create(path.data(), path.size()));
    }

    Status replace(const std::string& from, const std::string& to) override {
        return status_of(polystore_files_replace(from.data(), from.size(), to.data(), to.size()));
    }

    Result<std::uint64_t> room(const std::string& path) override {
        return size_of(polystore_files_room(path.data(), path.size()));
    }

    Status remove(const std::string& path) override {
        return status_of(polystore_files_remove(path.data(), path.size()));
    }

    /// The caller takes the lock before it opens the engine, because taking a lock is asynchronous in JavaScript.
    Result<std::unique_ptr<engine::Lock>> lock(const std::string& /*path*/) override {
        return std::unique_ptr<engine::Lock>(std::make_unique<JsLock>());
    }
};

}  // namespace

engine::Env& js_env() {
    static JsEnv env;
    return env;
}

int number_of(File& file) { return static_cast<JsFile&>(file).number(); }

}  // namespace polystore::wasm
