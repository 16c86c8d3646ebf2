#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "polystore/engine/result.hpp"

/// The one seam between the engine and the outside: the few things that it does with files. It asks for no time: who
/// calls it says what time it is.
namespace polystore::engine {

/// An open file. It stays readable after another took its name, until this is destroyed.
class File {
   public:
    File() = default;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    virtual ~File() = default;

    [[nodiscard]] virtual Result<std::uint64_t> size() = 0;

    /// The `length` bytes at `offset`, all of which must be there: in `buffer`, or in memory of the file, where they
    /// are valid until it is destroyed.
    [[nodiscard]] virtual Result<std::string_view> read(std::uint64_t offset, std::size_t length,
                                                        std::string& buffer) = 0;

    /// A hint: so many bytes at `offset` will be read soon.
    virtual void expect(std::uint64_t /*offset*/, std::size_t /*length*/) {}

    /// Writes all of `bytes` at `offset`, which is never beyond the end. When it fails, any part may be written.
    virtual Status write(std::uint64_t offset, std::string_view bytes) = 0;

    /// Cuts the file off after `size` bytes.
    virtual Status truncate(std::uint64_t size) = 0;

    /// Returns once what was written and cut off before the call, and the name of the file, outlast a power failure.
    /// Fails with ERR_CLIENT if the name of the file leads to another by now, or nowhere. May be called while another
    /// thread is in another method.
    virtual Status sync() = 0;
};

/// Keeps others away for as long as it is there.
class Lock {
   public:
    Lock() = default;
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    virtual ~Lock() = default;

    /// To be called before something is written. Fails with ERR_CLIENT where another may have the lock by now, as this
    /// program was stopped for too long.
    virtual Status check() = 0;
};

class Env {
   public:
    Env() = default;
    Env(const Env&) = delete;
    Env& operator=(const Env&) = delete;
    virtual ~Env() = default;

    /// The file at `path`; null if there is none. Fails with ERR_CLIENT if it has a second name, by which another could
    /// open it.
    [[nodiscard]] virtual Result<std::shared_ptr<File>> open(const std::string& path) = 0;

    /// An empty file at `path`, which is that of a log with ".new" behind it, and with the permissions of that log if
    /// it is there. What is there already is removed if it is a log; if not, it stays, and this fails with ERR_CLIENT.
    [[nodiscard]] virtual Result<std::shared_ptr<File>> create(const std::string& path) = 0;

    /// Gives the file at `from` the name `to`, in place of the one that was opened by that name, if it was there: at
    /// once, but until the file is synced after it, a power failure may undo it. When it fails, either may have the
    /// name. Another file that has the name stays, and this fails with ERR_CLIENT. When it throws std::bad_alloc,
    /// nothing has changed.
    virtual Status replace(const std::string& from, const std::string& to) = 0;

    /// How many bytes can be written still, beside the file at `path`.
    [[nodiscard]] virtual Result<std::uint64_t> room(const std::string& path) = 0;

    /// Removes the file at `path`, if there is one and it is a log, or was to become one.
    virtual Status remove(const std::string& path) = 0;

    /// The lock that goes by the name `path`. Fails at once, and says who has it, when it is taken.
    [[nodiscard]] virtual Result<std::unique_ptr<Lock>> lock(const std::string& path) = 0;
};

}  // namespace polystore::engine
