#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "polystore/client.hpp"
#include "polystore/posix/process.hpp"
#include "polystore/store/watch_hub.hpp"

namespace polystore {

/// What all stores over a client, and all clients in front of it, share: the lock, the calls in progress, and how often
/// the client was closed.
class Connection {
   public:
    /// Keeps other threads away from the client, and counts the calls in progress on this thread.
    class Hold {
       public:
        /// Throws `Error` ERR_CLIENT in a process that was forked while another thread held the connection.
        explicit Hold(Connection& connection) : connection_(connection), lock_(connection.locked_mutex()) {
            ++connection_.calls_in_progress_;
        }
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;
        ~Hold() { --connection_.calls_in_progress_; }

       private:
        Connection& connection_;
        std::unique_lock<std::recursive_mutex> lock_;
    };

    /// Returns the connection of a client, the same for all who ask while one of them keeps it.
    [[nodiscard]] static std::shared_ptr<Connection> to(const std::shared_ptr<Client>& client);

    Connection(std::shared_ptr<Client> client, const ClientTraits& traits)
        : client_(std::move(client)), traits_(traits) {}

    [[nodiscard]] const ClientTraits& traits() const { return traits_; }

    /// The abilities of the client, with those that follow from its other traits.
    [[nodiscard]] Traits abilities() const {
        if (traits_.atomic == Atomic::none) return traits_.can;
        return traits_.can | Trait::compares | (traits_.many ? Traits(Trait::transactions) : Traits());
    }

    /// Throws `Error` ERR_KEY if the client cannot hold `id`.
    void check_key(const std::string& id) const;

    // Everything below requires a Hold.

    /// For reading. What changes something goes through the methods below, so that watchers are told.
    [[nodiscard]] Client& client() { return *client_; }

    /// As the client's. `is_touch` says that the values are those that were there. Requires a `Turn`.
    [[nodiscard]] std::vector<CommitOutcome> commit(std::span<const Commit> commits, bool is_touch = false);
    [[nodiscard]] std::string add(const std::string& prefix, const Record& record);
    [[nodiscard]] std::size_t sweep(const Range& range, std::optional<double> until);

    /// Returns what the watchers join.
    [[nodiscard]] std::shared_ptr<WatchHub> hub();

    /// How often the client was closed. A store remembers this number, and is closed once it has increased.
    [[nodiscard]] int times_closed() const { return times_closed_; }

    /// Throws if another call is in progress: it must be the one that led to this one, because a hold keeps other
    /// threads away.
    void drain() const;

    /// Closes the client for all who share it.
    void close();

   private:
    std::unique_lock<std::recursive_mutex> locked_mutex();
    [[nodiscard]] bool is_watched() const { return hub_ && hub_->is_watched(); }

    std::shared_ptr<Client> client_;
    ClientTraits traits_;
    /// The mutex is recursive: a client may call a store of its own.
    std::recursive_mutex mutex_;
    std::shared_ptr<WatchHub> hub_;  ///< Null until there is a watcher.
    int calls_in_progress_ = 0;
    int times_closed_ = 0;
    std::atomic<unsigned> process_ = posix::this_process();  ///< The process that locked the mutex last.
};

/// Throws the error of a call on a store, or on a client in front, whose client was closed.
[[noreturn]] void throw_closed();

}  // namespace polystore
