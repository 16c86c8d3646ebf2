#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "polystore/engine/index.hpp"

namespace polystore::engine {

/// Makes an index of many changes, in the order in which they were made: sorts them first, which costs a quarter of
/// putting them into an index one by one.
class IndexLoader {
   public:
    /// Holds `most` changes, or as many as there are keys, before it adds them to what it has.
    explicit IndexLoader(std::size_t most = std::size_t{1} << 18U) : most_(most) {}

    void put(std::string_view key, const Place& place) { add(key, place, false); }
    void erase(std::string_view key) { add(key, {}, true); }

    /// The index after all of these changes.
    [[nodiscard]] Index finish();

   private:
    /// A change; its key follows it.
    struct Change {
        Place place;
        std::uint32_t key_length;
        bool erases;
    };

    /// Where a change is, and eight bytes of its key as a number that orders as they do.
    struct Ordered {
        std::uint64_t head;
        std::size_t at;
    };

    void add(std::string_view key, const Place& place, bool erases);
    void merge();
    void sort(std::span<Ordered> run, std::size_t depth);
    void sort_by_head(std::span<Ordered> run);
    [[nodiscard]] Change change_at(std::size_t at) const {
        Change change{};
        std::memcpy(&change, changes_.data() + at, sizeof(change));
        return change;
    }
    [[nodiscard]] std::string_view key_at(std::size_t at) const {
        return {changes_.data() + at + sizeof(Change), change_at(at).key_length};
    }

    std::size_t most_;
    Index index_;
    std::string changes_;  ///< One after the other, so that one look finds the place and the key.
    std::vector<Ordered> order_;
    std::vector<Ordered> scratch_;
};

}  // namespace polystore::engine
