#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "polystore/engine/result.hpp"

/// The only interface between the engine and the outside: its few operations on files. It has no clock: callers of the
/// engine pass the time.
namespace polystore::engine {

/// An open file. It stays readable until it is destroyed, even if another file takes its name.
class File {
   public:
    File() = default;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    virtual ~File() = default;

    [[nodiscard]] virtual Result<std::uint64_t> size() = 0;

    /// Returns the `length` bytes at `offset`, all of which must exist: in `buffer`, or in memory of the file that is
    /// valid until the file is destroyed.
    [[nodiscard]] virtual Result<std::string_view> read(std::uint64_t offset, std::size_t length,
                                                        std::string& buffer) = 0;

    /// A hint that the `length` bytes at `offset` will be read soon.
    virtual void expect(std::uint64_t /*offset*/, std::size_t /*length*/) {}

    /// Writes all of `bytes` at `offset`, which is never beyond the end. If this fails, any part of them may be
    /// written.
    virtual Status write(std::uint64_t offset, std::string_view bytes) = 0;

    /// Truncates the file to `size` bytes.
    virtual Status truncate(std::uint64_t size) = 0;

    /// Returns once all earlier writes and truncations, and the file's name, survive a power failure. Fails with
    /// ERR_CLIENT if the file's name has been removed or now refers to another file. May be called while another thread
    /// is in another method.
    virtual Status sync() = 0;
};

/// Keeps other processes away for as long as this object exists.
class Lock {
   public:
    Lock() = default;
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    virtual ~Lock() = default;

    /// Must be called before each write. Fails with ERR_CLIENT if another process may have taken the lock because this
    /// one was stopped for too long, or if this process may not write. May rely on a check of the last 100 ms. A
    /// process that is stopped between the check and the write still makes that one write.
    virtual Status check() = 0;

    /// The same, but never relies on an earlier check. Must be called before each sync.
    virtual Status check_now() { return check(); }
};

class Env {
   public:
    Env() = default;
    Env(const Env&) = delete;
    Env& operator=(const Env&) = delete;
    virtual ~Env() = default;

    /// Opens the file at `path`, or returns null if it does not exist. Fails with ERR_CLIENT if the file has a second
    /// name, by which another process could open it.
    [[nodiscard]] virtual Result<std::shared_ptr<File>> open(const std::string& path) = 0;

    /// Creates an empty file at `path`, which is the path of a log followed by ".new", with the permissions of that log
    /// if it exists. An existing log at `path` is removed. Any other file there stays, and this fails with ERR_CLIENT.
    [[nodiscard]] virtual Result<std::shared_ptr<File>> create(const std::string& path) = 0;

    /// Renames the file at `from` to `to`, where it replaces the file that was opened by that name, if any. The rename
    /// takes effect at once, but a power failure may undo it until the file is synced. Fails with ERR_UNSUPPORTED if
    /// the file at `to` cannot be replaced, for example because it alone is mounted into a container; nothing has
    /// changed then. After any other failure, either file may have the name. If another file has the name, it stays,
    /// and this fails with ERR_CLIENT. If this throws std::bad_alloc, nothing has changed.
    virtual Status replace(const std::string& from, const std::string& to) = 0;

    /// Returns the number of bytes that can still be written next to the file at `path`.
    [[nodiscard]] virtual Result<std::uint64_t> room(const std::string& path) = 0;

    /// Removes the file at `path` if it exists and is a log, or was to become one.
    virtual Status remove(const std::string& path) = 0;

    /// Takes the lock of the log at `path`. If another process has it, fails at once with the holder.
    [[nodiscard]] virtual Result<std::unique_ptr<Lock>> lock(const std::string& path) = 0;
};

}  // namespace polystore::engine
