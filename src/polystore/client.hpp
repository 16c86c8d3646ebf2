#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "polystore/range.hpp"
#include "polystore/record.hpp"
#include "polystore/traits.hpp"

/// The interface that a storage implements to become a store. The library's own clients implement it too.
///
/// A client calls keys "ids": they include every prefix and may hold any bytes.
namespace polystore {

class Connection;

/// The most records that a page is asked to hold. This bounds the memory of an iteration.
inline constexpr std::size_t kPageLength = 512;

/// A record and the full key that it is stored at.
struct Entry {
    std::string id;
    Record record;
};

/// An iteration over the records in a range.
class Cursor {
   public:
    Cursor() = default;
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;
    virtual ~Cursor() = default;

    /// Returns the next records, at most `limit`; `std::nullopt` when there are no more. A page may be empty, and
    /// should end once it has a megabyte. Records may be written and removed between two pages. Each record that stays
    /// must be returned once.
    [[nodiscard]] virtual std::optional<std::vector<Entry>> next(std::size_t limit) = 0;
};

/// An id, and the record that must still be there as it was read, value and expiry; `std::nullopt` if there must be
/// none.
struct Expectation {
    std::string id;
    std::optional<Record> found = {};
};

/// An id, and the record to put there, which replaces any other; `std::nullopt` to remove the record, if there is one.
struct Change {
    std::string id;
    std::optional<Record> record = {};
};

/// Changes that are made in their order if everything is as expected. All of them are made, or none.
struct Commit {
    std::vector<Expectation> expected = {};
    std::vector<Change> changes = {};
};

/// What became of a commit.
struct CommitOutcome {
    CommitOutcome(bool is_made) : made(is_made) {}
    CommitOutcome(std::exception_ptr failure) : error(std::move(failure)) {}

    /// False if an expectation did not hold, or if the commit failed. Nothing was changed then.
    bool made = false;
    /// The exception with which the commit failed; null if it did not fail.
    std::exception_ptr error = nullptr;
};

/// Makes each commit with `make`, which returns true if it made the commit, false if an expectation did not hold, and
/// throws if it failed. A commit that fails does not affect the others.
template <typename Make>
[[nodiscard]] std::vector<CommitOutcome> commit_each(std::span<const Commit> commits, Make make) {
    std::vector<CommitOutcome> outcomes;
    outcomes.reserve(commits.size());
    for (const Commit& commit : commits) {
        try {
            outcomes.emplace_back(static_cast<bool>(make(commit)));
        } catch (...) {
            outcomes.emplace_back(std::current_exception());
        }
    }
    return outcomes;
}

/// Returns a cursor over those of the entries that are in the range, in the order of the range. For a client whose
/// storage has no order.
[[nodiscard]] std::unique_ptr<Cursor> cursor_over(std::vector<Entry> entries, const Range& range);

/// The I/O of one storage and nothing else. The meaning of each public method is defined above the clients.
///
/// Threads: a store calls its client from whichever thread uses the store, but never from two threads at once. A client
/// therefore needs no lock, except for the function that `pending_flush()` returns. A client may call a store of its
/// own, but must not close it. A client that uses another client gets that from `share`.
///
/// Errors: the user receives every exception of a client as an `Error`. An exception of another type is wrapped in one
/// with the code ERR_CLIENT. A client that cannot hold an id throws `Error` ERR_KEY.
class Client {
   public:
    Client() = default;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    virtual ~Client() = default;

    /// The client's properties and abilities, the same at every call. `add` and `sweep` below are called if, and only
    /// if, their trait is set.
    [[nodiscard]] virtual ClientTraits traits() const { return {}; }

    /// Returns the record at `id`, expired or not, or `std::nullopt` if there is none.
    [[nodiscard]] virtual std::optional<Record> read(const std::string& id) = 0;

    /// Makes each of the commits as a whole, if everything is as it expects, or not at all. Returns the outcome of
    /// each, in order; throws if all of them fail for the same reason, having made none. `commit_each` serves for most
    /// clients. The changes are stored once this function and then its `pending_flush()` have returned.
    [[nodiscard]] virtual std::vector<CommitOutcome> commit(std::span<const Commit> commits) = 0;

    /// Runs `attempt`, which reads and commits, while the writers that a commit keeps out cannot commit. The store
    /// calls it after a commit was refused. A client has it if its writers wait for each other in a queue: one that
    /// reads before it waits would be late each time.
    virtual void alone(const std::function<void()>& attempt) { attempt(); }

    /// Iterates over the records in a range, in the order of their ids if the range has bounds, a limit or a direction;
    /// otherwise in any order. `cursor_over` serves for a storage without an order. The cursor is destroyed before the
    /// client.
    [[nodiscard]] virtual std::unique_ptr<Cursor> scan(const Range& range) = 0;

    /// Removes the records in a range, which has no limit, that expire at `until` or before, in milliseconds since the
    /// epoch; without `until`, all of them. Returns the number of removed records.
    [[nodiscard]] virtual std::size_t sweep(const Range& range, std::optional<double> until);

    /// Puts `record` at an id that the client chooses, which begins with `prefix`, and returns that id.
    [[nodiscard]] virtual std::string add(const std::string& prefix, const Record& record);

    /// Returns the function, for example a flush, that must return before a call that writes may return; empty if there
    /// is none. It covers all changes that were made before it was asked for. It runs while other threads may call the
    /// client, so many calls can share one flush; it may run after `close()`. The store asks for it after every call
    /// that writes.
    [[nodiscard]] virtual std::function<void()> pending_flush() { return {}; }

    /// Releases the client's resources. The client is used again only if the user creates a new store over it.
    virtual void close() {}

   private:
    friend class Connection;

    /// What all stores over the client share, as long as there are any.
    std::weak_ptr<Connection> connection_;
};

/// Returns a client that forwards each call to `client`, and keeps others out of it meanwhile: for a client in front of
/// another, for example a cache, while stores or other clients use the one behind as well. `close()` closes the client
/// behind for all of them; if another has closed it, calls throw ERR_CLOSED.
[[nodiscard]] std::shared_ptr<Client> share(const std::shared_ptr<Client>& client);

}  // namespace polystore
