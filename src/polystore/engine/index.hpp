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

/// Where the record of a key lies, and what is worth knowing without reading it.
struct Place {
    std::uint64_t offset = 0;
    std::int64_t expires = 0;
    std::uint32_t value_length = 0;

    [[nodiscard]] bool operator==(const Place&) const = default;
};

/// An ordered map from keys (by their bytes) to places: a B+-tree, which knows of every part of it what expires first.
/// A copy is a snapshot: it costs nothing, and from then on each of the two copies only those nodes that it changes.
///
/// Memory: a change for which there is none throws std::bad_alloc, and changes no entry.
///
/// Threads: none at once, copies that share nodes included; destroying one is a change too.
class Index {
    class Places;
    struct Node;
    struct Leaf;
    struct Inner;

   public:
    class Walk;
    class Builder;

    [[nodiscard]] std::size_t size() const { return size_; }

    /// How many bytes the keys and their values have together.
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    /// The place of `key`, if it has one.
    [[nodiscard]] std::optional<Place> find(std::string_view key) const;

    /// As `find`, but if `key` has none, perhaps the place of another key of the same length: for whoever sees at the
    /// place whose it is. It does without the memory where the keys are.
    [[nodiscard]] std::optional<Place> find_likely(std::string_view key) const;

    /// Gives `key` this place. Returns the one that it had.
    std::optional<Place> put(std::string_view key, const Place& place);

    /// Removes `key`. Returns the place that it had.
    std::optional<Place> erase(std::string_view key);

    /// Gets the memory that `erase(key)` needs, so that it cannot fail if it is the next change.
    void prepare_erase(std::string_view key);

    /// When the first key expires; `kNoExpiry` if none does.
    [[nodiscard]] std::int64_t earliest_expiry() const;

    /// Visits the keys that are not less than `from` and expire at `now` or before, in their order, until `visit`,
    /// which must not change the index, says false. Looks into no node in which nothing has expired.
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

/// A position in an index as it was when this was made: on an entry, or beyond the last or the first one.
class Index::Walk {
   public:
    explicit Walk(Index index) : index_(std::move(index)) {}

    /// Goes to the first entry whose key is not less than `key`.
    void seek(std::string_view key);

    /// Goes behind the last entry, so that `previous` leads to it.
    void seek_end();

    void next();
    void previous();

    /// Whether it is on an entry; only then it has a key, which is valid until it moves, and a place.
    [[nodiscard]] bool on_entry() const;
    [[nodiscard]] std::string_view key() const;
    [[nodiscard]] Place place() const;

    /// Whether `next` led to another node.
    [[nodiscard]] bool on_first_of_node() const { return path_.back().at == 0; }

    /// The place of the entry that comes so many after this one, unless it is in another node, or there is none.
    [[nodiscard]] std::optional<Place> place_ahead(std::size_t count) const;

   private:
    struct Step {
        const Node* node;
        std::size_t at;  ///< Which child was taken; in the leaf, which entry this is on.
    };

    void descend(const Node* node, bool to_last);

    Index index_;
    std::vector<Step> path_;
};

/// Makes an index of keys that come in their order: from below, without a search.
class Index::Builder {
   public:
    /// `key` is greater than the one before.
    void add(std::string_view key, const Place& place);

    [[nodiscard]] std::size_t size() const { return index_.size_; }

    /// The index of what was added.
    [[nodiscard]] Index finish();

   private:
    std::vector<Ref> leaves_;
    Index index_;  ///< But for its nodes.
};

}  // namespace polystore::engine
