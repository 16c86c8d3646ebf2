#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace polystore::engine {

/// The position of a key's record, with the fields that callers need without reading the record.
struct Place {
    std::uint64_t offset = 0;
    std::int64_t expires = 0;
    std::uint32_t value_length = 0;

    [[nodiscard]] bool operator==(const Place&) const = default;
};

/// An ordered map from keys (by their bytes) to places: a B+-tree that knows the earliest expiry in each of its parts.
/// A copy is a snapshot: copying costs nothing, and afterwards each copy only duplicates the nodes that it changes.
///
/// Memory: a change that has too little memory throws std::bad_alloc and does not change any entry.
///
/// Threads: one at a time, and this includes all copies that share nodes. Destroying a copy is a change too.
class Index {
    class Places;
    struct Node;
    struct Leaf;
    struct Inner;

   public:
    class Walk;
    class Builder;

    [[nodiscard]] std::size_t size() const { return size_; }

    /// The total number of bytes of all keys and their values.
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    /// Returns the place of `key`, or `std::nullopt` if it has none.
    [[nodiscard]] std::optional<Place> find(std::string_view key) const;

    /// Like `find`, but if `key` has no place, this may return the place of another key of the same length. The caller
    /// must check the key in the record. This avoids reading the memory that holds the keys.
    [[nodiscard]] std::optional<Place> find_likely(std::string_view key) const;

    /// Sets the place of `key` and returns its previous place.
    std::optional<Place> put(std::string_view key, const Place& place);

    /// Removes `key` and returns its previous place.
    std::optional<Place> erase(std::string_view key);

    /// Allocates the memory that `erase(key)` needs, so that the call cannot fail if it is the next change.
    void prepare_erase(std::string_view key);

    /// The earliest expiry of all keys; `kNoExpiry` if no key expires.
    [[nodiscard]] std::int64_t earliest_expiry() const;

    /// Visits the keys that are not less than `from` and expire at `now` or before, in order, until `visit` returns
    /// false. `visit` must not change the index. Nodes in which nothing has expired are skipped.
    void visit_expired(std::int64_t now, std::string_view from,
                       const std::function<bool(std::string_view key)>& visit) const;

   private:
    using Ref = std::shared_ptr<Node>;

    [[nodiscard]] const Leaf* leaf_for(std::string_view key) const;
    static Node& own(Ref& ref);
    static void insert(Ref& ref, std::string_view key, const Place& place, std::optional<Place>& before);
    static void split_child(Inner& inner, std::size_t i, std::string_view key);
    static std::size_t middle_of(const Node& node, bool at_end);
    static Ref split(Node& node, std::size_t middle);
    static void remove(Ref& ref, std::string_view key, const Place& place);

    Ref root_;
    std::size_t size_ = 0;
    std::uint64_t bytes_ = 0;
};

/// A position in a snapshot of an index: on an entry, behind the last entry, or before the first one.
class Index::Walk {
   public:
    explicit Walk(Index index) : index_(std::move(index)) {}

    /// Moves to the first entry whose key is not less than `key`.
    void seek(std::string_view key);

    /// Moves behind the last entry, so that `previous` leads to it.
    void seek_end();

    void next();
    void previous();

    /// True if the position is on an entry. Only then it has a place, and a key, which is valid until it moves.
    [[nodiscard]] bool on_entry() const;
    [[nodiscard]] std::string_view key() const;
    [[nodiscard]] Place place() const;

    /// True if `next` moved to another node.
    [[nodiscard]] bool on_first_of_node() const { return path_.back().at == 0; }

    /// Returns the place of the entry `count` entries ahead; `std::nullopt` if it does not exist or is in another node.
    [[nodiscard]] std::optional<Place> place_ahead(std::size_t count) const;

   private:
    struct Step {
        const Node* node;
        std::size_t at;  ///< The child that was taken, or in a leaf the current entry.
    };

    void descend(const Node* node, bool to_last);

    Index index_;
    std::vector<Step> path_;
};

/// Builds an index from keys that arrive in order: from the leaves up, without searching.
class Index::Builder {
   public:
    /// `key` must be greater than the one before.
    void add(std::string_view key, const Place& place);

    [[nodiscard]] std::size_t size() const { return index_.size_; }

    /// Returns the index of the added keys.
    [[nodiscard]] Index finish();

   private:
    std::vector<Ref> leaves_;
    Index index_;  ///< Everything except the nodes.
};

}  // namespace polystore::engine
