#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "polystore/posix/posix_file.hpp"

namespace polystore::posix {

/// A clock for durations.
using SteadyNow = std::function<std::chrono::steady_clock::time_point()>;

/// The lock on a file: of a log, of a File, and of the naming scheme of a Folder. js/disk/lock.js takes the same one,
/// so JavaScript and C++ keep each other out. It is not flock(2), because Node.js has no flock.
///
/// Each process that wants the lock creates a lock file of its own beside the locked file, with its identity (see
/// process_identity.hpp). Only then it looks for the lock files of others. If it sees one whose process is running, it
/// does not proceed. Of two processes that look, at least one sees the other, so never do both proceed. A lock file
/// whose process has ended may be removed by any process at any time.
///
///     lock file = <path> ".lock-" token
///     unwritten = <path> ".lock-" token ".new"    ; until the identity is written; it does not count yet
///     waiting   = <path> ".lock-" token ".wait"   ; the place of a process in the queue; it keeps nobody out
///     token     = 16 to 36 of the characters "0" to "9", "a" to "f" and "-"; here, the time in milliseconds since the
///                 epoch in 11 hexadecimal digits, and 8 random ones
///
/// A file with another name after ".lock-" belongs to other code: it neither counts nor is it removed.
///
/// A process that waits renames its lock file to its place in the queue, and renames it back when it is first. The
/// queue is only for fairness. A process that stops while it is first holds up the others for 0.1 s.
///
/// A process of another machine or container cannot be checked. Nor can a process whose lock file is empty because the
/// disk was full. Such a process counts as running as long as it renews the date of its lock file.
class TokenLock {
   public:
    /// Takes a lock that will be held for long, as that of a log. The caller has to renew it every 10 s, because others
    /// take it over after 60 s.
    /// @throws Error ERR_CLIENT with the holder if another process has the lock; ERR_QUOTA if the disk is full.
    [[nodiscard]] static TokenLock take(const Path& path);

    /// Waits for a lock that will be held as long as one write takes. Others take it over after 10 s, so the caller has
    /// to check it just before the write takes effect.
    /// @throws Error ERR_CLIENT with the holder if one process has the lock for 20 s; ERR_QUOTA if the disk is full.
    [[nodiscard]] static TokenLock wait(const Path& path, const SteadyNow& now = std::chrono::steady_clock::now);

    /// Like `wait`, but returns `std::nullopt` if permissions do not allow a lock file beside the file.
    [[nodiscard]] static std::optional<TokenLock> wait_if_allowed(const Path& path);

    TokenLock(TokenLock&& other) noexcept;
    TokenLock& operator=(TokenLock&& other) noexcept;
    TokenLock(const TokenLock&) = delete;
    TokenLock& operator=(const TokenLock&) = delete;
    ~TokenLock();

    /// The path of the locked file.
    [[nodiscard]] const Path& path() const { return path_; }

    /// Renews the lock. Returns false if another process has taken it over.
    [[nodiscard]] bool renew() const;

    /// Returns whether no other process has taken the lock over. Throws `Error` if that cannot be determined.
    [[nodiscard]] bool is_held() const;

    /// Renews a lock that `wait` returned. To be called just before a write takes effect.
    /// @throws Error ERR_CLIENT if another process has taken it over.
    void check() const;

   private:
    TokenLock(Path path, std::string token) : path_(std::move(path)), token_(std::move(token)) {}

    static TokenLock ask(const Path& path);
    [[nodiscard]] Path file() const { return file(is_waiting_); }
    [[nodiscard]] Path file(bool waiting) const;
    void set_waiting(bool waiting);

    Path path_;
    std::string token_;  ///< Empty if another object has the lock by now.
    bool is_waiting_ = false;
};

/// Keeps `lock` at `place` while `action` runs, and then releases it.
void hold_during(const std::function<void()>& action, std::optional<TokenLock> lock, std::optional<TokenLock>& place);

/// The message of the error for a lock that another process has taken over.
/// @param rest What that means for the call, and what to do.
[[nodiscard]] std::string lost_message(const Path& path, const std::string& rest);

}  // namespace polystore::posix
