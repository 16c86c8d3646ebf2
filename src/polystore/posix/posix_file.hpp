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

/// The file system, as the clients need it. Every function throws `Error`: ERR_QUOTA when there is no room, ERR_CLIENT
/// for any other failure, with the path and the system's reason.
namespace polystore::posix {

using Path = std::filesystem::path;

/// An error of the system.
class IoError : public Error {
   public:
    IoError(ErrorCode code, const std::string& message, int number) : Error(code, message), number_(number) {}

    /// Its errno.
    [[nodiscard]] int number() const noexcept { return number_; }

   private:
    int number_;
};

/// The error that stands for the `number` (an errno) which the system gave when it was to `action` the file at `path`.
[[nodiscard]] IoError io_error(const std::string& action, const Path& path, int number);

/// `path` as an absolute path, which means the same whatever becomes of the working directory.
[[nodiscard]] Path fixed_path(const Path& path);

/// The file that `path` leads to now: every symbolic link in it is followed, one after the other, also where the file
/// or a folder that it lies in is missing. To be called for each write, because a link may be pointed elsewhere
/// meanwhile; what is written or locked is the result and never the link.
[[nodiscard]] Path follow_links(const Path& path);

/// What tells one state of a file from another, as long as the file that it was taken of is held open: so its inode is
/// not given to a new file.
struct Stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    std::int64_t modified_seconds;
    std::int64_t modified_nanoseconds;

    [[nodiscard]] bool operator==(const Stamp&) const = default;
};

/// The stamp of the file at `path`, if there is one.
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

    /// The file at `path`, for reading, if there is one.
    [[nodiscard]] static std::optional<OpenFile> if_there(const Path& path);

    /// A new file at `path`, for reading and writing, unless there is one.
    [[nodiscard]] static std::optional<OpenFile> if_new(const Path& path);

    [[nodiscard]] const Path& path() const { return path_; }
    [[nodiscard]] Stamp stamp() const;
    [[nodiscard]] std::string read_all() const;
    void write_all(std::string_view text) const;

    /// Makes `text` all that is in the file, in place. Fails with ERR_QUOTA before anything is overwritten.
    void overwrite(std::string_view text) const;

    /// Returns once what was written, or what became of a folder's names, outlasts a power failure.
    void sync() const;

    /// Takes over the permissions of another file, and its owner if we may.
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

/// The text of the file at `path`, if there is one; a folder or a device is none.
[[nodiscard]] std::optional<std::string> read_file(const Path& path);

/// Returns the names in the folder at `path` that begin with `prefix`; none if the folder does not exist.
[[nodiscard]] std::vector<std::string> names_in(const Path& path, std::string_view prefix = {});

/// Whether there is anything at `path`, if only a link that leads nowhere.
[[nodiscard]] bool is_there(const Path& path);

/// Gives the file at `path` another name, in place of the one that may be there.
void rename_file(const Path& path, const Path& to);

/// Like `rename_file`, but returns false if there is no file at `path`.
[[nodiscard]] bool rename_if_there(const Path& path, const Path& to);

/// Gives the file at `path` the name `to` again, unless there is a newer file of that name; then removes it.
void put_back(const Path& path, const Path& to);

/// Removes the file at `path`, if there is one.
void remove_file(const Path& path);

/// Syncs the names in a folder. Does nothing on a file system that cannot sync folders (CIFS, some of FUSE), nor where
/// the folder may not be read: what was renamed there has taken place, and may not outlast a power failure.
void sync_folder(const Path& path);

/// Makes the folder at `path`, and those that it lies in, unless it is there; for good, as `sync_folder` has it.
void make_folder(const Path& path);

}  // namespace polystore::posix
