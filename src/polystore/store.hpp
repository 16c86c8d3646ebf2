#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "polystore/client.hpp"
#include "polystore/error.hpp"
#include "polystore/options.hpp"
#include "polystore/value.hpp"
#include "polystore/watcher.hpp"

namespace polystore {

class Connection;
class Driver;
class Pruner;
enum class Method : std::uint8_t;
struct Call;
struct Changing;
struct Result;

/// A value with its expiry and its version.
struct VersionedEntry {
    std::string key;
    Json value;
    /// In milliseconds since the epoch; `kNever` if the value does not expire.
    double expires = kNever;
    /// Identifies the value, but not its expiry. Equal values have the same version, so it comes back when the value
    /// does.
    std::string version;
};

/// A change of `Store::batch`, or a condition.
class Write {
   public:
    /// Puts a value. A null, or an expiry of zero or less, deletes the key.
    static Write set(std::string key, Json value, WriteOptions options = {});
    static Write del(std::string key);
    /// Requires the version of an entry; `std::nullopt` requires that there is no value.
    static Write check(std::string key, std::optional<std::string> version);

   private:
    friend class Store;
    std::string key_;
    std::optional<Json> value_;
    WriteOptions options_;
    bool is_check_ = false;
    std::optional<std::string> version_;
};

/// The keys of a call: a range of strings, for example a vector, a set, an array or a span, or a list in braces. It
/// refers to them, so it must not outlive them.
class KeyList {
   public:
    KeyList(std::initializer_list<std::string_view> keys) : keys_(keys) {}

    template <std::ranges::input_range Strings>
    requires(std::convertible_to<std::ranges::range_reference_t<const Strings>, std::string_view> &&
             !std::same_as<std::ranges::range_reference_t<const Strings>, std::string> &&
             !std::convertible_to<const Strings&, std::string_view>) KeyList(const Strings& keys) {
        for (const std::string_view key : keys) keys_.push_back(key);
    }

    [[nodiscard]] auto begin() const { return keys_.begin(); }
    [[nodiscard]] auto end() const { return keys_.end(); }
    [[nodiscard]] std::size_t size() const { return keys_.size(); }

   private:
    std::vector<std::string_view> keys_;
};

/// One page of `Store::page`.
struct EntryPage {
    std::vector<std::pair<std::string, Json>> entries;
    /// Pass it to the next call; `std::nullopt` after the last page.
    std::optional<std::string> cursor;
};

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
/// ERR_QUOTA if there is not enough memory for the call; ERR_CLOSED after `close()`; ERR_UNSUPPORTED from a method that
/// the client cannot support; the errors of expiries and values in options.hpp and value.hpp; and ERR_KEY,
/// ERR_QUOTA, ERR_CORRUPT and ERR_CLIENT from the client.
///
/// A method that throws has changed nothing, with two exceptions. `clear()` and `prune()` may have removed some
/// records. If a `strict` log could not be synced, the change is visible until the store is closed, and may or may not
/// survive that.
class Store {
   public:
    class Iterator;
    class View;

    /// `client` must not be null. Throws ERR_OPTIONS or ERR_UNSUPPORTED for options that cannot be met.
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

    /// Returns the value at `key` as a `T`, by nlohmann's conversions, or `std::nullopt` if it is absent or expired.
    /// Throws ERR_VALUE if the value does not convert.
    template <typename T>
    [[nodiscard]] std::optional<T> get(std::string_view key) const {
        const Json value = get(key);
        if (value.is_null()) return std::nullopt;
        try {
            return value.get<T>();
        } catch (const Json::exception& error) {
            throw Error(ErrorCode::value,
                        "The value at " + show(key) + " does not convert to the type of get(): " + error.what());
        }
    }

    // The same with values as JSON text, for a program that has them as text already.
    [[nodiscard]] std::optional<std::string> get_text(std::string_view key) const;
    /// Throws ERR_VALUE if `text` is not JSON.
    std::string set_text(std::string_view key, std::string_view text, const SetOptions& options = {}) const;

    /// Returns the seconds that the value at `key` has left; `kNever` if it does not expire; `std::nullopt` if there is
    /// none.
    [[nodiscard]] std::optional<double> ttl(std::string_view key) const;

    /// Gives the value at `key` a new expiry, by default that of the store, and returns true if there is a value. The
    /// value stays the same, also if another writer sets it meanwhile.
    bool touch(std::string_view key, Expires expires = {}) const;

    /// Says whom the methods below keep out: no change of theirs comes between the reading of a value and its change.
    [[nodiscard]] Atomic atomic() const;

    /// Returns the value at `key` with its expiry and its version, or `std::nullopt` if there is none.
    [[nodiscard]] std::optional<VersionedEntry> entry(std::string_view key) const;

    /// Changes the value at `key` depending on what it is, and returns the new value. `change` receives the value, or
    /// null if there is none, and returns the new one, or null to delete the key. It may be called again. If it throws,
    /// nothing is changed, and the exception reaches the caller as it is.
    ///
    /// A value that is there keeps its expiry unless `options.renew` is true. This and the following methods throw
    /// ERR_UNSUPPORTED over a client with `Atomic::none`, and ERR_CONFLICT after a hundred attempts in which another
    /// writer was faster.
    template <std::convertible_to<std::string_view> Key>  // Not for braces, which would be several keys.
    Json update(const Key& key, const std::function<Json(Json)>& change, const UpdateOptions& options = {}) const {
        return update_one(key, change, options);
    }

    /// Changes several values as a whole or not at all. `change` returns as many values as it receives.
    std::vector<Json> update(const KeyList& keys, const std::function<std::vector<Json>(std::vector<Json>)>& change,
                             const UpdateOptions& options = {}) const;

    /// Adds to the number at `key`, which is 0 if there is none, and returns the sum. Throws ERR_VALUE if the value is
    /// not a number, or if the sum is beyond 2^53 - 1.
    double incr(std::string_view key, double by = 1, const UpdateOptions& options = {}) const;

    /// Puts a value if there is none, and returns true if it did.
    bool set_if_absent(std::string_view key, Json value, const SetOptions& options = {}) const;

    /// Puts `value`, or deletes the key if it is null, if the value there has this version; `std::nullopt` means that
    /// there must be none. Returns true if it did.
    bool cas(std::string_view key, const std::optional<std::string>& version, Json value,
             const UpdateOptions& options = {}) const;

    /// Returns the value at `key` and deletes it in one step; null if there is none.
    Json take(std::string_view key) const;

    /// Makes all of these changes if all checks hold, and returns true; otherwise makes none.
    bool batch(const std::vector<Write>& writes) const;

    // So many calls of `get`, `set`, `del` or `has`, in their order. `set_many` and `del_many` check every key and
    // value first, and change nothing if the client cannot hold one. If the client fails at one, those before it are
    // changed, and those after it are not; `batch` changes all or none.
    [[nodiscard]] std::vector<Json> get_many(const KeyList& keys) const;
    /// `entries` are pairs, for example of a map or a vector.
    template <std::ranges::input_range Entries>
    std::vector<std::string> set_many(const Entries& entries, const SetOptions& options = {}) const {
        std::vector<std::pair<std::string, Json>> all;
        for (const auto& [key, value] : entries) all.emplace_back(key, value);
        return set_all(std::move(all), options);
    }
    std::vector<std::string> set_many(std::initializer_list<std::pair<std::string_view, Json>> entries,
                                      const SetOptions& options = {}) const {
        return set_many(std::span(entries.begin(), entries.size()), options);
    }
    std::vector<std::string> del_many(const KeyList& keys) const;
    [[nodiscard]] std::vector<bool> has_many(const KeyList& keys) const;

    // The contents of the store without expired values. Keys come without the store's prefix. The order is unspecified,
    // unless a range is given, whose bounds are keys of the store.
    [[nodiscard]] std::vector<std::string> keys(const Range& range = {}) const;
    [[nodiscard]] std::vector<Json> values(const Range& range = {}) const;
    [[nodiscard]] std::vector<std::pair<std::string, Json>> entries(const Range& range = {}) const;
    [[nodiscard]] std::map<std::string, Json> all(const Range& range = {}) const;
    /// Counts the values.
    [[nodiscard]] std::size_t size(const Range& range = {}) const;

    /// Returns one page of the entries in a range, in order: at most `range.limit`, or 100. Throws ERR_OPTIONS for a
    /// cursor of another prefix or range.
    [[nodiscard]] EntryPage page(const Range& range = {}, const std::optional<std::string>& cursor = {}) const;

    /// Iterates over a range:
    ///
    ///     for (const auto& [key, value] : store.range({.gte = "a", .lt = "b"})) ...
    [[nodiscard]] View range(const Range& range) const;

    /// Iterates over the entries once, in pages of 512 or a megabyte, so that memory does not grow with the size of the
    /// store:
    ///
    ///     for (const auto& [key, value] : store) ...
    ///
    /// Entries that are written during the iteration may or may not be visited.
    [[nodiscard]] Iterator begin() const;
    [[nodiscard]] std::default_sentinel_t end() const { return std::default_sentinel; }

    /// Removes all values whose keys have the store's prefix and lie in the range, and nothing else.
    void clear(const Range& range = {}) const;

    /// Removes the expired values, and returns the number of removed records.
    std::size_t prune() const;

    /// Watches a range, by default the whole store; see `Watcher`. Throws ERR_OPTIONS for a range with a limit or a
    /// direction, ERR_UNSUPPORTED for `options` that cannot be met, and ERR_CLIENT if the thread of a listener cannot
    /// be started.
    [[nodiscard]] Watcher watch(const Range& range = {}, const WatchOptions& options = {}) const {
        return watch(range, nullptr, options);
    }
    /// Calls `listener` with each change.
    [[nodiscard]] Watcher watch(const Range& range, Watcher::Listener listener, const WatchOptions& options = {}) const;
    template <std::invocable<const Watcher::Change&> Function>
    [[nodiscard]] Watcher watch(Function listener) const {
        return watch(Range(), std::move(listener));
    }

    /// Watches one key.
    template <std::convertible_to<std::string_view> Key>  // Not for braces, which are a range.
    [[nodiscard]] Watcher watch(const Key& key, const WatchOptions& options = {}) const {
        return watch_key(key, nullptr, options);
    }
    template <std::convertible_to<std::string_view> Key>
    [[nodiscard]] Watcher watch(const Key& key, Watcher::Listener listener, const WatchOptions& options = {}) const {
        return watch_key(key, std::move(listener), options);
    }

    /// Returns a store over the same client whose keys begin with this store's prefix followed by `prefix`.
    [[nodiscard]] Store prefix(std::string_view prefix) const;

    /// Returns a store over the same client with this default expiry; `std::nullopt` means that values never expire.
    [[nodiscard]] Store expires(Expires expires, ExpiresOptions options = {}) const;

    /// Closes the client for every store that shares it: later calls throw ERR_CLOSED. Closing it again has no effect.
    /// Its watchers end with ERR_CLOSED. Waits for a prune in the background that has begun.
    /// To continue, create a new store over the same client.
    void close() const;

   private:
    friend class Driver;

    /// What the caller of a listing uses of the records.
    enum class Needs : bool { keys, values };

    Result perform(Call call, std::string_view key = {}, Json value = nullptr, const Range* range = nullptr,
                   Changing* changing = nullptr) const;
    Json update_one(std::string_view key, const std::function<Json(Json)>& change, const UpdateOptions& options) const;
    bool change(Changing& changing, bool renew = false) const;
    [[nodiscard]] Watcher watch_key(std::string_view key, Watcher::Listener listener,
                                    const WatchOptions& options) const;
    [[nodiscard]] Watcher watch_range(Range range, bool is_one_key, Watcher::Listener listener,
                                      const WatchOptions& options) const;
    [[nodiscard]] Changing changing(std::string_view method, std::string_view key, const Expires& expires = {},
                                    const std::optional<std::string>& prefix = {}) const;
    [[nodiscard]] double life(const Expires& expires) const;
    Result write(Method method, std::string_view key, Json value, const SetOptions& options) const;
    std::vector<std::string> set_all(std::vector<std::pair<std::string, Json>> entries,
                                     const SetOptions& options) const;
    template <typename Visit>
    void for_each(Needs needs, const Range& range, Visit visit) const;

    std::shared_ptr<Connection> connection_;
    // How often the client had been closed when this store was created. Once it is closed again, this store is closed.
    int life_ = 0;
    StoreOptions options_;
    /// True if `get` renews the lifetime of a value.
    bool sliding_ = false;
    /// Prunes in the background, if the options say so.
    std::shared_ptr<Pruner> pruner_;
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

    explicit Iterator(const Store& store, Range range = {});

    std::shared_ptr<Walk> walk_;
};

/// The entries of a range. Each `begin()` iterates anew.
class Store::View {
   public:
    [[nodiscard]] Iterator begin() const;
    [[nodiscard]] std::default_sentinel_t end() const { return std::default_sentinel; }

   private:
    friend class Store;

    View(Store store, Range range);

    std::shared_ptr<const Store> store_;
    Range range_;
};

}  // namespace polystore
