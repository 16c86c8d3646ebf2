#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "polystore/operations.hpp"
#include "polystore/record.hpp"

/// The interface that a storage implements to become a store. The library's own clients implement it too.
namespace polystore {

/// The most records that a page is asked to hold. This bounds the memory of an iteration.
inline constexpr std::size_t kPageLength = 512;

/// A record and the full key that it is stored at.
struct Entry {
    std::string id;
    Record record;
};

/// An iteration over the records whose ids begin with a prefix.
class Cursor {
   public:
    Cursor() = default;
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;
    virtual ~Cursor() = default;

    /// Returns the next records, at most `limit`; `std::nullopt` when there are no more. A page may be empty.
    /// Records may be written and removed between two pages. Each record that stays must be returned once.
    [[nodiscard]] virtual std::optional<std::vector<Entry>> next(std::size_t limit) = 0;
};

/// The I/O of one storage and nothing else. The meaning of each method is defined in operations.hpp.
///
/// This class calls keys "ids": they include every prefix and may hold any bytes. A client that cannot hold an id
/// throws `Error` ERR_KEY.
///
/// Threads: a store calls its client from whichever thread uses the store, but never from two threads at once. A client
/// therefore needs no lock, except for the function that `pending_flush()` returns. A client may call a store of its
/// own, but must not close it.
///
/// Errors: the user receives every exception of a client as an `Error`. An exception of another type is wrapped in one
/// with the code ERR_CLIENT.
class Client {
   public:
    Client() = default;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    virtual ~Client() = default;

    /// The client's properties and abilities, the same at every call. `add`, `clear` and `prune` below are called if,
    /// and only if, their trait is set. A client never sets `Trait::closed`.
    [[nodiscard]] virtual Traits traits() const { return Trait::list; }

    /// Returns the record at `id`, expired or not, or `std::nullopt` if there is none.
    [[nodiscard]] virtual std::optional<Record> read(const std::string& id) = 0;

    /// Puts `record` at `id` and replaces any record there. The record is stored once this function and then its
    /// `pending_flush()` have returned. If this function throws, the record is not stored.
    virtual void write(const std::string& id, const Record& record) = 0;

    /// Removes the record at `id`, if it exists.
    virtual void erase(const std::string& id) = 0;

    /// Removes each of these records if it is still the stored one. A record that was written since then, by another
    /// process or by this client, stays.
    virtual void evict(std::span<const Entry> entries);

    /// Iterates over the records whose ids begin with `prefix`, in any order. The cursor is destroyed before the
    /// client.
    [[nodiscard]] virtual std::unique_ptr<Cursor> list(const std::string& prefix) = 0;

    /// Puts `record` at `prefix` plus a fresh key that the client chooses, and returns that key without `prefix`.
    [[nodiscard]] virtual std::string add(const std::string& prefix, const Record& record);

    /// Removes every record whose id begins with `prefix`.
    virtual void clear(const std::string& prefix);

    /// Removes every expired record whose id begins with `prefix`, and returns their number.
    [[nodiscard]] virtual std::size_t prune(const std::string& prefix);

    /// Returns the function, for example a flush, that must return before a writing call may return; empty if there is
    /// none. It runs while other threads may call the client, so many calls can share one flush; it may run after
    /// `close()`. The store asks for it after every call except those that list.
    [[nodiscard]] virtual std::function<void()> pending_flush() { return {}; }

    /// Releases the client's resources. The client is used again only if the user creates a new store over it.
    virtual void close() {}

   private:
    friend class Hold;
    friend class Driver;
    friend class Store;

    // State that all stores over the client share. The mutex is recursive: a client may call a store of its own.
    std::recursive_mutex mutex_;
    int calls_under_way_ = 0;
    int times_closed_ = 0;
};

}  // namespace polystore
