#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

#include "polystore/options.hpp"
#include "polystore/store/connection.hpp"
#include "polystore/store/turn.hpp"
#include "polystore/store/watch_hub.hpp"
#include "polystore/watcher.hpp"

namespace polystore {

/// The implementation of a `Watcher`. It keeps one entry for each key that changed and was not handed over yet, and the
/// expiry of each record that is there.
class Watching : public std::enable_shared_from_this<Watching> {
   public:
    using Change = Watcher::Change;

    struct Subject {
        std::shared_ptr<Connection> connection;
        Clock clock;
        /// The prefix of the store, which the keys of changes lack.
        std::string prefix;
        /// The full range; of one key, it is that of its id.
        Range range;
        bool is_one_key = false;
    };

    /// `hub` is that of the connection. `listener` may be empty.
    Watching(Subject subject, std::shared_ptr<WatchHub> hub, Watcher::Listener listener)
        : subject_(std::move(subject)),
          bounds_(bounds_of(subject_.range)),
          hub_(std::move(hub)),
          listener_(std::move(listener)),
          is_listening_(static_cast<bool>(listener_)) {}

    /// Hears changes from here on. If `is_initial`, what is there counts as changes. Requires a `Hold` and a `Turn`.
    void begin(bool is_initial);

    [[nodiscard]] std::optional<Change> next(Watcher::Wait wait);
    [[nodiscard]] Reach reach() const noexcept { return subject_.connection->traits().reach; }
    void close() noexcept;

    /// Wakes whoever waits in `next`, or calls the listener with what has come. Called without locks.
    void tell() noexcept;

    /// Calls the listener with what has expired, and returns the milliseconds until the next expiry.
    [[nodiscard]] double tell_expired() noexcept;

    [[nodiscard]] bool is_copy() const noexcept { return hub_->is_copy(); }
    [[nodiscard]] bool is_listening() const noexcept { return is_listening_; }
    [[nodiscard]] bool is_of_one_key() const noexcept { return subject_.is_one_key; }
    /// The id of the one key, or the prefix of the range.
    [[nodiscard]] const std::string& name() const noexcept { return subject_.range.prefix; }
    [[nodiscard]] const Bounds& bounds() const noexcept { return bounds_; }

    // Everything below requires the mutex of the hub.

    /// Notes that a key has changed. `expires` is the expiry of what was put or removed, if that is known.
    void mark(const std::string& id, Hint hint, std::optional<double> expires) noexcept;
    /// Notes that the records in the bounds were removed that expire at `until` or before, or all of them.
    void mark_swept(const Bounds& bounds, std::optional<double> until) noexcept;
    /// Ends it. `failure` is what `next` throws from then on, or null.
    void end(std::exception_ptr failure) noexcept;

   private:
    /// The hints that wait at a key: the largest one, and the expiry that was put or removed last.
    struct Pending {
        Hint hint = Hint::touched;
        std::optional<double> expires = {};
    };

    [[nodiscard]] std::optional<Change> take();
    void hand_over() noexcept;
    void learn(bool is_initial);
    [[nodiscard]] std::optional<Record> read(const std::string& id);
    [[nodiscard]] std::optional<Change> change_at(const std::string& id, const Pending& pending,
                                                  std::optional<Record> found, double now);
    void note(const std::string& id, Hint hint, std::optional<double> expires) noexcept;
    void mark_due(double now);
    void remember(const std::string& id, double expires);
    void forget(const std::string& id);
    void enlist();
    [[nodiscard]] bool has_news() const { return !queue_.empty() || has_gap_ || has_missed_; }

    const Subject subject_;
    const Bounds bounds_;
    const std::shared_ptr<WatchHub> hub_;
    Watcher::Listener listener_;
    const bool is_listening_;

    // Guarded by the mutex of the hub.
    std::unordered_map<std::string, Pending> pending_;
    std::deque<std::string_view> queue_;  ///< The keys of `pending_`, in the order of their first changes.
    /// The expiries of the records that are there, as far as this watcher has said, by their ids.
    std::unordered_map<std::string, double> known_;
    std::set<std::pair<double, std::string_view>> schedule_;  ///< Those of `known_` that expire, in order.
    bool knows_all_ = false;  ///< True if `known_` has all that was there when watching began.
    bool has_gap_ = false;
    bool has_missed_ = false;  ///< True if there was no memory for a change, so that `known_` has to be learned anew.
    bool has_ended_ = false;
    std::exception_ptr failure_;
    std::condition_variable news_;
    const Turn* due_in_ = nullptr;  ///< The turn that tells of the last change.
    std::thread::id handing_;       ///< The thread that is calling the listener, or none.
    bool hands_again_ = false;      ///< True if that thread has to look again when it is done.
    std::condition_variable idle_;
    double timed_ = kNever;  ///< The expiry that the thread of the hub waits for.
};

}  // namespace polystore
