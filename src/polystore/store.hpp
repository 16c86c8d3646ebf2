#pragma once

#include <cstddef>
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

class Driver;
struct Result;

/// A key-value store over a client.
///
///     polystore::Store store(polystore::file("cache.json"));
///     store.set("greeting", "hello", {.expires = "1h"});
///     std::cout << store.get("greeting");
///
/// A store is a handle: copies and sub-stores share the client, which is let go when the last of them is.
///
/// Threads: any number of them may use stores of one client at once. The calls come one after the other, whole: no
/// other call sees a `clear()` half done. An iteration is one call a page.
///
/// Errors: every method throws `Error`, and nothing else, but for `std::bad_alloc` where there is no memory for an
/// `Error`: ERR_QUOTA where there is none for the call, ERR_CLOSED after `close()`, ERR_UNSUPPORTED from the methods
/// that list if the client cannot, what options.hpp and value.hpp say of expiries and values, and ERR_KEY, ERR_QUOTA,
/// ERR_CORRUPT and ERR_CLIENT from the client. A method that throws has changed nothing, with two exceptions: `clear()`
/// and `prune()` may have done a part; and where a log that is `strict` could not be synced, the change is there until
/// the store is closed, and may or may not be there afterwards.
class Store {
   public:
    class Iterator;

    /// `client` must not be null.
    explicit Store(std::shared_ptr<Client> client, StoreOptions options = {});

    /// The value at `key`; null when it is absent or expired.
    [[nodiscard]] Json get(std::string_view key) const;

    /// Puts `value` at `key`, and returns the key. A null, or an expiry of zero or less, deletes.
    std::string set(std::string_view key, Json value, const SetOptions& options = {}) const;

    /// Puts `value` at a new key, of 24 random characters of `[A-Za-z0-9]`, and returns that.
    std::string add(Json value, const SetOptions& options = {}) const;

    /// Whether there is a value at `key` that has not expired.
    [[nodiscard]] bool has(std::string_view key) const;

    /// Removes the value at `key`, if there is one, and returns the key.
    std::string del(std::string_view key) const;

    // What the store holds, without what has expired, in no particular order. Keys come without the store's prefix.
    [[nodiscard]] std::vector<std::string> keys() const;
    [[nodiscard]] std::vector<Json> values() const;
    [[nodiscard]] std::vector<std::pair<std::string, Json>> entries() const;
    [[nodiscard]] std::map<std::string, Json> all() const;

    /// Goes through the entries once, page by page, so that memory is bounded by a page of 512 and not by the store:
    ///
    ///     for (const auto& [key, value] : store) ...
    ///
    /// What is written meanwhile may or may not come.
    [[nodiscard]] Iterator begin() const;
    [[nodiscard]] std::default_sentinel_t end() const { return std::default_sentinel; }

    /// Removes what the store holds: what has its prefix, and nothing else.
    void clear() const;

    /// Removes what has expired, and returns how many records those were.
    std::size_t prune() const;

    /// A store over the same client whose keys begin with this one's prefix and then `prefix`.
    [[nodiscard]] Store prefix(std::string_view prefix) const;

    /// A store over the same client, with this default expiry; `std::nullopt` for none.
    [[nodiscard]] Store expires(Expires expires) const;

    /// Closes the client, for every store that shares it: later calls throw ERR_CLOSED. Closing it again does nothing.
    /// To go on, make a new store over the same client.
    void close() const;

   private:
    friend class Driver;

    Result perform(Call call, std::string_view key = {}, Json value = nullptr) const;
    Result write(Method method, std::string_view key, Json value, const SetOptions& options) const;
    template <typename Visit>
    void for_each(Visit visit) const;

    std::shared_ptr<Client> client_;
    // How often the client had been closed when this was made: once more, and this is closed too.
    int life_ = 0;
    StoreOptions options_;
};

/// An input iterator. Copies share one position; all of them are to be used by one thread at a time.
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
