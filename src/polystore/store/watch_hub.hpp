#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "polystore/client.hpp"
#include "polystore/posix/process.hpp"

namespace polystore {

class Watching;

/// A hint tells a watcher about a key. If several hints wait, the largest counts.
enum class Hint : std::uint8_t {
    touched,  ///< Only the expiry has changed, or its time has come.
    maybe,    ///< The record may have changed.
    removed,  ///< The record that was there, if any, was removed.
    put,      ///< A record was put.
};

/// The watchers of a connection, and the thread that tells its listeners of expiry.
class WatchHub : public std::enable_shared_from_this<WatchHub> {
   public:
    WatchHub() = default;
    WatchHub(const WatchHub&) = delete;
    WatchHub& operator=(const WatchHub&) = delete;
    ~WatchHub() = default;  // Each watcher has left, and keeps the hub until then.

    /// Guards the watchers' state. It is locked after the connection's, and no code of a user runs under it.
    [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }

    /// Whether this is the copy that a forked process has, whose mutex may be locked for ever.
    [[nodiscard]] bool is_copy() const noexcept { return process_ != posix::this_process(); }

    [[nodiscard]] bool is_watched() const noexcept { return count_.load(std::memory_order_relaxed) > 0 && !is_copy(); }

    /// Adds a watcher. Throws `Error` ERR_CLIENT if the thread that its listener needs cannot be started.
    void join(const std::shared_ptr<Watching>& watching);

    /// Removes a watcher, if it has joined. Not to be called under a `Hold`.
    void leave(const Watching& watching) noexcept;

    /// Lets the thread look anew which expiry comes next. Requires the mutex.
    void wake_timer() noexcept;

    // Called after a client has done so, under the `Hold`. If there is no memory to tell a watcher, it gets a gap.

    void tell(std::span<const Commit> commits, const std::vector<CommitOutcome>& outcomes, bool is_touch) noexcept;
    void tell_put(const std::string& id, double expires) noexcept;
    /// The records in the bounds were removed that expire at `until` or before; without `until`, all of them.
    void tell_swept(const Bounds& bounds, std::optional<double> until) noexcept;
    /// The client is closed.
    void end_all() noexcept;

   private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    using Watchers = std::vector<std::shared_ptr<Watching>>;
    using ByName = std::unordered_map<std::string, Watchers, Hash, std::equal_to<>>;

    void mark(const std::string& id, Hint hint, std::optional<double> expires);
    void tell(const Commit& commit, bool is_made, bool is_touch);
    template <typename Visit>
    void for_each(Visit visit);
    void await_expiries(unsigned round);

    std::mutex mutex_;
    std::atomic<std::size_t> count_ = 0;
    /// The watchers of one key each, by their keys.
    ByName by_key_;
    /// The watchers of ranges, by the length of the prefix of the range, and by that. A key is looked up once for each
    /// length, however many watchers there are.
    std::map<std::size_t, ByName> by_prefix_;
    Watchers listening_;
    std::thread timer_;
    std::condition_variable wake_;
    unsigned round_ = 0;                        ///< The timer of an earlier round ends.
    unsigned wakes_ = 0;                        ///< How often the timer was told to look anew.
    unsigned process_ = posix::this_process();  ///< The one that has the thread.
};

}  // namespace polystore
