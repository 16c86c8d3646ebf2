#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "polystore/client.hpp"
#include "polystore/error.hpp"
#include "polystore/options.hpp"
#include "polystore/value.hpp"

namespace polystore {

class Connection;
class Driver;
enum class Method : std::uint8_t;
struct Call;
struct Result;

/// A key-value store over a client.
///
///     polystore::Store store(polystore::file("cache.json"));
///     store.set("greeting", "hello", {.expires = "1h"});
///     std::cout << store.get("greeting");
///
/// A store is a handle: copies and sub-stores share the client, which is released together with the last of them.
///
/// Threads: any number of threads may use stores of one client at once. Calls run one after the other and are never
/// interleaved: no other call sees a half-done `clear()`. Each page of an iteration is one call.
///
/// Errors: every method throws only `Error`, or `std::bad_alloc` if there is no memory for an `Error`. The codes are:
/// ERR_QUOTA if there is not enough memory for the call; ERR_CLOSED after `close()`; ERR_UNSUPPORTED from the methods
/// that list, if the client cannot; the errors of expiries and values in options.hpp and value.hpp; and ERR_KEY,
/// ERR_QUOTA, ERR_CORRUPT and ERR_CLIENT from the client.
///
/// A method that throws has changed nothing, with two exceptions. `clear()` and `prune()` may have removed some
/// records. If a `strict` log could not be synced, the change is visible until the store is closed, and may or may not
/// survive that.
class Store {
   public:
    class Iterator;

    /// `client` must not be null.
    explicit Store(std::shared_ptr<Client> client, StoreOptions options = {});

    /// Returns the value at `key`, or null if it is absent or expired.
    [[nodiscard]] Json get(std::string_view key) const;

    /// Puts `value` at `key` and returns the key. A null, or an expiry of zero or less, deletes the key.
    std::string set(std::string_view key, Json value, const SetOptions& options = {}) const;

    /// Puts `value` at a new key of 24 random characters of `[A-Za-z0-9]`, and returns the key.
    std::string add(Json value, const SetOptions& options = {}) const;

    /// Returns true if there is a value at `key` that has not expired.
    [[nodiscard]] bool has(std::string_view key) const;

    /// Removes the value at `key`, if it exists, and returns the key.
    std::string del(std::string_view key) const;

    // The contents of the store without expired values, in no particular order. Keys come without the store's prefix.
    [[nodiscard]] std::vector<std::string> keys() const;
    [[nodiscard]] std::vector<Json> values() const;
    [[nodiscard]] std::vector<std::pair<std::string, Json>> entries() const;
    [[nodiscard]] std::map<std::string, Json> all() const;

    /// Iterates over the entries once, in pages of 512 or a megabyte, so that memory does not grow with the size of the
    /// store:
    ///
    ///     for (const auto& [key, value] : store) ...
    ///
    /// Entries that are written during the iteration may or may not be visited.
    [[nodiscard]] Iterator begin() const;
    [[nodiscard]] std::default_sentinel_t end() const { return std::default_sentinel; }

    /// Removes all values whose keys have the store's prefix, and nothing else.
    void clear() const;

    /// Removes the expired values, and returns the number of removed records.
    std::size_t prune() const;

    /// Returns a store over the same client whose keys begin with this store's prefix followed by `prefix`.
    [[nodiscard]] Store prefix(std::string_view prefix) const;

    /// Returns a store over the same client with this default expiry; `std::nullopt` means that values never expire.
    [[nodiscard]] Store expires(Expires expires) const;

    /// Closes the client for every store that shares it: later calls throw ERR_CLOSED. Closing it again has no effect.
    /// To continue, create a new store over the same client.
    void close() const;

   private:
    friend class Driver;

    /// What the caller of a listing uses of the records.
    enum class Needs : bool { keys, values };

    Result perform(Call call, std::string_view key = {}, Json value = nullptr) const;
    Result write(Method method, std::string_view key, Json value, const SetOptions& options) const;
    template <typename Visit>
    void for_each(Needs needs, Visit visit) const;

    std::shared_ptr<Connection> connection_;
    // How often the client had been closed when this store was created. Once it is closed again, this store is closed.
    int life_ = 0;
    StoreOptions options_;
};

/// An input iterator. Copies share one position, and only one thread at a time may use any of them.
class Store::Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::pair<std::string, Json>;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = const value_type&;

    [[nodiscard]] reference operator*() const;
    [[nodiscard]] pointer operator->() const { return &**this; }
    Iterator& operator++();
    void operator++(int) { ++*this; }
    [[nodiscard]] bool operator==(std::default_sentinel_t end) const;

   private:
    friend class Store;
    struct Walk;

    explicit Iterator(const Store& store);

    std::shared_ptr<Walk> walk_;
};

}  // namespace polystore
