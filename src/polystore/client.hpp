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

/// What a storage has to offer to become a store. The clients that come with the library implement this too.
namespace polystore {

/// How many records a page is asked to hold: it bounds the memory of an iteration.
inline constexpr std::size_t kPageLength = 512;

/// A record, and the full key that it is stored at.
struct Entry {
    std::string id;
    Record record;
};

/// A walk through the records that have a prefix.
class Cursor {
   public:
    Cursor() = default;
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;
    virtual ~Cursor() = default;

    /// The next records, `limit` at most; no page when there are no more. A page may be empty.
    /// Records may be written and removed between two pages; each that stays must still come once.
    [[nodiscard]] virtual std::optional<std::vector<Entry>> next(std::size_t limit) = 0;
};

/// The I/O of one storage, and nothing but: what a method means is decided in operations.hpp.
///
/// Keys are "ids" here: with every prefix, any bytes. A client that cannot hold one throws `Error` ERR_KEY.
///
/// Threads: a store calls its client from whichever thread uses it, but never from two at once, so a client needs no
/// lock. A client may call a store of its own in turn, but not close it.
///
/// Errors: whatever a client throws reaches the user as an `Error`, with ERR_CLIENT if it was something else.
class Client {
   public:
    Client() = default;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    virtual ~Client() = default;

    /// What the client is and can do; the same at every call. `add`, `clear` and `prune` below are called if,
    /// and only if, their trait is set. `Trait::closed` is not the client's to set.
    [[nodiscard]] virtual Traits traits() const { return Trait::list; }

    /// The record at `id`, expired or not, if there is one.
    [[nodiscard]] virtual std::optional<Record> read(const std::string& id) = 0;

    /// Puts `record` at `id`, in place of what is there. Once this returns, and the `pending_flush()` after it, it is
    /// stored; if this throws, it is not.
    virtual void write(const std::string& id, const Record& record) = 0;

    /// Removes the record at `id`, if there is one.
    virtual void erase(const std::string& id) = 0;

    /// Removes those of these records that are still the ones stored: what was written since, by another process or by
    /// the client itself, stays.
    virtual void evict(std::span<const Entry> entries);

    /// A walk through the records whose id begins with `prefix`, in any order. It is destroyed before the client is.
    [[nodiscard]] virtual std::unique_ptr<Cursor> list(const std::string& prefix) = 0;

    /// Puts `record` at `prefix` and a fresh key of the client's choice, and returns that key, without `prefix`.
    [[nodiscard]] virtual std::string add(const std::string& prefix, const Record& record);

    /// Removes every record whose id begins with `prefix`.
    virtual void clear(const std::string& prefix);

    /// Removes every expired record whose id begins with `prefix`, and returns how many those were.
    [[nodiscard]] virtual std::size_t prune(const std::string& prefix);

    /// What has to return before a call that wrote does, if anything: a flush, say. It is called when other threads may
    /// call the client again, so that many can wait for one flush, and perhaps after `close()`. Asked for after
    /// every call but those that list.
    [[nodiscard]] virtual std::function<void()> pending_flush() { return {}; }

    /// Lets go of what the client holds. It is used again only if the user makes a new store over it.
    virtual void close() {}

   private:
    friend class Hold;
    friend class Driver;
    friend class Store;

    // What all stores over the client share. The mutex is recursive because a client may call a store of its own.
    std::recursive_mutex mutex_;
    int calls_under_way_ = 0;
    int times_closed_ = 0;
};

}  // namespace polystore
