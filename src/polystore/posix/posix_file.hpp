#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "polystore/error.hpp"

/// The file system for the clients. Every function throws `Error`: ERR_QUOTA if the disk is full, and ERR_CLIENT for
/// any other failure, with the path and the system's reason.
namespace polystore::posix {

using Path = std::filesystem::path;

/// The error of a system call.
class IoError : public Error {
   public:
    IoError(ErrorCode code, const std::string& message, int number) : Error(code, message), number_(number) {}

    /// Its errno.
    [[nodiscard]] int number() const noexcept { return number_; }

   private:
    int number_;
};

/// Returns the error for the errno `number` of a system call.
/// @param action What the call did to the file at `path`, as a verb for the message: "open".
[[nodiscard]] IoError io_error(const std::string& action, const Path& path, int number);

/// Returns `path` as an absolute path, so that it stays the same if the working directory changes.
[[nodiscard]] Path fixed_path(const Path& path);

/// Resolves the symbolic links of a path. Neither the target nor its folders need to exist. To be called for each
/// write, because a link may get another target; the target is written and locked, never the link.
[[nodiscard]] Path follow_links(const Path& path);

/// Distinguishes one state of a file from another, as long as the file is kept open: then its inode is not reused for a
/// new file.
struct Stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    std::int64_t modified_seconds;
    std::int64_t modified_nanoseconds;

    [[nodiscard]] bool operator==(const Stamp&) const = default;
};

/// Returns the stamp of the file at `path`, if it exists.
[[nodiscard]] std::optional<Stamp> stamp_of(const Path& path);

/// A file or folder that is open until this object is destroyed.
class OpenFile {
   public:
    /// Opens with the flags and the mode of open(2).
    OpenFile(Path path, int flags, mode_t mode = 0666);
    OpenFile(OpenFile&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
    OpenFile& operator=(OpenFile&& other) noexcept;
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile();

    /// Opens the file at `path` for reading, if it exists.
    [[nodiscard]] static std::optional<OpenFile> if_there(const Path& path);

    /// Creates a file at `path` for reading and writing, unless it exists.
    [[nodiscard]] static std::optional<OpenFile> if_new(const Path& path);

    [[nodiscard]] const Path& path() const { return path_; }
    [[nodiscard]] Stamp stamp() const;
    [[nodiscard]] std::string read_all() const;
    void write_all(std::string_view text) const;

    /// Replaces the content of the file in place. If the disk is full, fails before anything is overwritten.
    void overwrite(std::string_view text) const;

    /// Returns once the content of a file, or the names in a folder, survive a power failure.
    void sync() const;

    /// Copies the permissions of another file, and its owner if this process may set it.
    void imitate(const Path& other) const;

   private:
    struct Descriptor {
        int number;
    };

    OpenFile(Path path, Descriptor fd) : path_(std::move(path)), fd_(fd.number) {}

    static std::optional<OpenFile> open_unless(int expected, const Path& path, int flags);

    Path path_;
    int fd_;
};

/// Creates a file in a folder. Its name differs from every record's, because those end with ".json".
[[nodiscard]] OpenFile make_temporary_file(const Path& folder);

/// Replaces the file at `path`, which is not a link, or creates it, durably and as a whole: others see the old text or
/// the new one. The new file keeps the permissions of the old one. If this function throws, the old file is still
/// there, except if the very last step failed: then the new file is there, but may not survive a power failure.
///
/// If the folder does not allow a new file but the old one is writable (a file that is a mount point, for example in a
/// container, or a folder without write permission), the file is written in place. A crash may then leave parts of both
/// texts, and others that read meanwhile may see that.
/// @returns The new file, open for reading.
OpenFile replace_file(const Path& path, std::string_view text);

/// Like `replace_file`, if `condition` returns true just before the new text becomes visible. Otherwise, or if it
/// throws, the file is unchanged.
/// @returns The new file, or `std::nullopt` if the condition does not hold.
[[nodiscard]] std::optional<OpenFile> replace_file_if(const Path& path, std::string_view text,
                                                      const std::function<bool()>& condition);

/// Returns the content of the file at `path`, or `std::nullopt` if it does not exist or is not a regular file.
[[nodiscard]] std::optional<std::string> read_file(const Path& path);

/// Returns the names in the folder at `path` that begin with `prefix`; none if the folder does not exist.
[[nodiscard]] std::vector<std::string> names_in(const Path& path, std::string_view prefix = {});

/// Returns whether `path` exists; a dangling symbolic link counts.
[[nodiscard]] bool is_there(const Path& path);

/// Renames the file at `path`, and replaces the file at `to` if it exists.
void rename_file(const Path& path, const Path& to);

/// Like `rename_file`, but returns false if there is no file at `path`.
[[nodiscard]] bool rename_if_there(const Path& path, const Path& to);

/// Gives the file at `path` the name `to` again, unless there is a newer file of that name; then removes it.
void put_back(const Path& path, const Path& to);

/// Removes the file at `path`, if it exists.
void remove_file(const Path& path);

/// Syncs the names in a folder. Does nothing if the file system cannot sync folders (CIFS, some of FUSE), or if this
/// process may not read the folder: a rename there may then not survive a power failure.
void sync_folder(const Path& path);

/// Creates the folder at `path` and its parents, unless they exist, and syncs them as `sync_folder` does.
void make_folder(const Path& path);

}  // namespace polystore::posix
