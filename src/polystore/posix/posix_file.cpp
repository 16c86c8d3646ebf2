#include "polystore/posix/posix_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <system_error>

#include "polystore/posix/temporary_file.hpp"

namespace polystore::posix {
namespace {

/// Repeats a system call until no signal interrupts it. Returns its result, or throws if that is negative.
template <typename SystemCall>
auto checked(const std::string& action, const Path& path, SystemCall call) {
    for (;;) {
        const auto result = call();
        if (result >= 0) return result;
        if (errno != EINTR) throw io_error(action, path, errno);
    }
}

Stamp to_stamp(const struct stat& status) {
#ifdef __APPLE__
    const timespec& modified = status.st_mtimespec;
#else
    const timespec& modified = status.st_mtim;
#endif
    return {status.st_dev, status.st_ino, status.st_size, modified.tv_sec, modified.tv_nsec};
}

}  // namespace

IoError io_error(const std::string& action, const Path& path, int number) {
    const std::string what =
        "Cannot " + action + " " + path.string() + ": " + std::generic_category().message(number) + ".";
    // EFBIG: the process may not write files of this size (ulimit -f), or the file system holds none.
    const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
    if (!full) return {ErrorCode::client, what, number};
    return {ErrorCode::quota, what + " What was there is unchanged; make room, or prune() the store.", number};
}

Path fixed_path(const Path& path) { return std::filesystem::absolute(path); }

Path follow_links(const Path& path) {
    constexpr int kMostLinks = 40;  // The limit of Linux.
    int links = 0;
    Path followed;           // Contains no links.
    std::vector<Path> left;  // In reverse order.
    const auto go_through = [&](const Path& steps) {
        if (steps.is_absolute()) followed = steps.root_path();
        const Path relative = steps.relative_path();
        const std::vector<Path> names(relative.begin(), relative.end());
        left.insert(left.end(), names.rbegin(), names.rend());
    };
    go_through(path);
    while (!left.empty()) {
        const Path name = std::move(left.back());
        left.pop_back();
        if (name.empty() || name == ".") continue;
        if (name == "..") {
            followed = followed.parent_path();
            continue;
        }
        std::error_code error;
        const Path target = std::filesystem::read_symlink(followed / name, error);
        if (!error) {
            if (++links > kMostLinks) throw io_error("find", path, ELOOP);
            go_through(target);
        } else if (error.value() == EINVAL || error.value() == ENOENT) {  // It is not a link, or does not exist.
            followed /= name;
        } else {
            throw io_error("find", path, error.value());
        }
    }
    return followed;
}

std::optional<Stamp> stamp_of(const Path& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) == 0) return to_stamp(status);
    if (errno == ENOENT) return std::nullopt;
    throw io_error("look at", path, errno);
}

OpenFile::OpenFile(Path path, int flags, mode_t mode)
    : path_(std::move(path)),
      fd_(checked("open", path_, [&] { return open(path_.c_str(), flags | O_CLOEXEC, mode); })) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(fd_, other.fd_);
    return *this;
}

OpenFile::~OpenFile() {
    if (fd_ >= 0) close(fd_);
}

std::optional<OpenFile> OpenFile::open_unless(int expected, const Path& path, int flags) {
    for (;;) {
        const int fd = open(path.c_str(), flags | O_CLOEXEC, 0666);
        if (fd >= 0) return OpenFile(path, Descriptor{fd});
        if (errno == expected) return std::nullopt;
        if (errno != EINTR) throw io_error("open", path, errno);
    }
}

std::optional<OpenFile> OpenFile::if_there(const Path& path) { return open_unless(ENOENT, path, O_RDONLY); }

std::optional<OpenFile> OpenFile::if_new(const Path& path) {
    return open_unless(EEXIST, path, O_RDWR | O_CREAT | O_EXCL);
}

Stamp OpenFile::stamp() const {
    struct stat status {};
    checked("look at", path_, [&] { return fstat(fd_, &status); });
    return to_stamp(status);
}

std::string OpenFile::read_all() const {
    std::string text;
    std::array<char, 1 << 16> buffer;
    for (;;) {
        const auto length = checked("read", path_, [&] { return read(fd_, buffer.data(), buffer.size()); });
        if (length == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(length));
    }
}

void OpenFile::write_all(std::string_view text) const {
    while (!text.empty()) {
        const auto length = checked("write", path_, [&] { return write(fd_, text.data(), text.size()); });
        text.remove_prefix(static_cast<std::size_t>(length));
    }
}

/// Writes the part beyond the old length first, because only that part needs room.
void OpenFile::overwrite(std::string_view text) const {
    const auto old_size = static_cast<std::size_t>(stamp().size);
    const auto seek = [&](std::size_t offset) {
        checked("write", path_, [&] { return lseek(fd_, static_cast<off_t>(offset), SEEK_SET); });
    };
    if (text.size() > old_size) {
        seek(old_size);
        try {
            write_all(text.substr(old_size));
        } catch (const Error&) {
            static_cast<void>(ftruncate(fd_, static_cast<off_t>(old_size)) == 0);
            throw;
        }
    }
    seek(0);
    write_all(text.substr(0, old_size));
    checked("write", path_, [&] { return ftruncate(fd_, static_cast<off_t>(text.size())); });
}

void OpenFile::sync() const {
    checked("sync", path_, [&] { return fsync(fd_); });
}

void OpenFile::imitate(const Path& other) const {
    struct stat status {};
    if (stat(other.c_str(), &status) != 0) return;
    // The owner is set first, because that clears bits of the mode. Only root may change it.
    static_cast<void>(fchown(fd_, status.st_uid, status.st_gid) == 0);
    checked("set the mode of", path_, [&] { return fchmod(fd_, status.st_mode & 07777U); });
}

OpenFile make_temporary_file(const Path& folder) {
    for (;;) {
        if (auto file = OpenFile::if_new(folder / temporary_name())) return *std::move(file);
    }
}

namespace {

/// Like `replace_file_if`, but does not sync the folder, and never writes in place.
std::optional<OpenFile> put_new_file(const Path& path, std::string_view text, const std::function<bool()>& condition) {
    OpenFile file = make_temporary_file(path.parent_path());
    const Path temporary = file.path();
    try {
        file.imitate(path);
        file.write_all(text);
        file.sync();
        if (condition()) {
            rename_file(temporary, path);
            return file;
        }
    } catch (...) {
        unlink(temporary.c_str());
        throw;
    }
    remove_file(temporary);
    return std::nullopt;
}

/// Returns whether the system refused a new file for a reason that allows writing the old one at `path` in place.
bool is_writable_in_place(int refusal, const Path& path) {
    const bool refused = refusal == EACCES || refusal == EPERM || refusal == EROFS || refusal == EBUSY;
    std::error_code error;
    return refused && std::filesystem::is_regular_file(path, error) && access(path.c_str(), W_OK) == 0;
}

}  // namespace

OpenFile replace_file(const Path& path, std::string_view text) {
    return *replace_file_if(path, text, [] { return true; });
}

std::optional<OpenFile> replace_file_if(const Path& path, std::string_view text,
                                        const std::function<bool()>& condition) {
    try {
        std::optional<OpenFile> file = put_new_file(path, text, condition);
        if (file) sync_folder(path.parent_path());
        return file;
    } catch (const IoError& error) {
        if (!is_writable_in_place(error.number(), path)) throw;
    }
    if (!condition()) return std::nullopt;
    OpenFile file(path, O_RDWR);
    file.overwrite(text);
    file.sync();
    return file;
}

std::optional<std::string> read_file(const Path& path) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) return std::nullopt;
    const std::optional<OpenFile> file = OpenFile::if_there(path);
    return file ? std::optional(file->read_all()) : std::nullopt;
}

std::vector<std::string> names_in(const Path& path, std::string_view prefix) {
    std::vector<std::string> names;
    // A std::filesystem::directory_iterator would make a path of every name, also of those that are not returned.
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), closedir);
    if (!folder && errno == ENOENT) return names;
    if (!folder) throw io_error("list", path, errno);
    for (;;) {
        errno = 0;
        const dirent* const entry = readdir(folder.get());
        if (!entry && errno != 0) throw io_error("list", path, errno);
        if (!entry) return names;
        const std::string_view name = entry->d_name;
        if (name != "." && name != ".." && name.starts_with(prefix)) names.emplace_back(name);
    }
}

bool is_there(const Path& path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT) return false;
    throw io_error("look at", path, errno);
}

void rename_file(const Path& path, const Path& to) {
    checked("replace", to, [&] { return std::rename(path.c_str(), to.c_str()); });
}

bool rename_if_there(const Path& path, const Path& to) {
    try {
        rename_file(path, to);
    } catch (const IoError& error) {
        if (error.number() != ENOENT) throw;
        return false;
    }
    return true;
}

void put_back(const Path& path, const Path& to) {
    // A link, unlike a rename, does not replace a newer file.
    if (link(path.c_str(), to.c_str()) == 0 || errno == EEXIST) return remove_file(path);
    // The file system has no links, for example FAT. Then a newer file is replaced only if it is created right now.
    if (is_there(to)) return remove_file(path);
    rename_file(path, to);
}

void remove_file(const Path& path) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) throw io_error("remove", path, errno);
}

void sync_folder(const Path& path) {
    try {
        OpenFile(path, O_RDONLY | O_DIRECTORY).sync();
    } catch (const IoError& error) {
        constexpr std::array kUnsyncable = {EINVAL, ENOTSUP, EOPNOTSUPP, ENOSYS, EBADF, EACCES, EPERM};
        if (std::find(kUnsyncable.begin(), kUnsyncable.end(), error.number()) == kUnsyncable.end()) throw;
    }
}

void make_folder(const Path& path) {
    std::error_code error;
    Path missing = path;
    while (!missing.empty() && !std::filesystem::exists(missing, error)) missing = missing.parent_path();
    const Path there = std::move(missing);
    std::filesystem::create_directories(path, error);
    if (error) throw io_error("make the folder", path, error.value());
    for (Path made = path; made != there && made.has_relative_path(); made = made.parent_path()) {
        sync_folder(made.parent_path());
    }
}

}  // namespace polystore::posix
