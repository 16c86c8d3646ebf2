#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "polystore/engine/index.hpp"
#include "polystore/engine/log_format.hpp"

namespace polystore::engine {

/// Builds an index from many changes in the order in which they were made. It sorts them first, which takes 25 % of the
/// time of inserting them one by one. As long as the keys come in order, as compaction writes them, sorting is skipped.
class IndexLoader {
   public:
    /// Buffers `most` changes, or as many as the index has keys if that is more, before merging them into it.
    explicit IndexLoader(std::size_t most = std::size_t{1} << 18U) : most_(most) {}

    void put(std::string_view key, const Place& place) {
        if (goes_on_in_order(key)) {
            in_order_.add(key, place);
            last_ = key;
        } else {
            add(key, place);
        }
    }
    void erase(std::string_view key) {
        if (!goes_on_in_order(key)) add(key, {0, kNoExpiry, kErased});
    }

    /// Returns the index after all of these changes.
    [[nodiscard]] Index finish();

   private:
    /// This marks a removal. No value is this long.
    static constexpr std::uint32_t kErased = std::numeric_limits<std::uint32_t>::max();

    /// A change. Its key follows it in memory, so that one memory access reads both.
    struct Change {
        std::uint64_t offset;
        std::int64_t expires;
        std::uint32_t value_length;  ///< `kErased` for a removal.
        std::uint32_t key_length;
    };

    /// The position of a change, and eight bytes of its key as a number that has the same order.
    struct Ordered {
        std::uint64_t head;
        const char* at;
    };

    /// Memory that holds changes, one after the other.
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t size;
        std::size_t used;
    };

    [[nodiscard]] bool goes_on_in_order(std::string_view key);
    void add(std::string_view key, const Place& place);
    void merge();
    void sort(std::span<Ordered> run, std::size_t depth);
    void sort_by_head(std::span<Ordered> run);
    static unsigned shorten_heads(std::span<Ordered> run);
    static void find_heads(std::span<Ordered> run);
    [[nodiscard]] static Change change_at(const char* at) {
        Change change{};
        std::memcpy(&change, at, sizeof(change));
        return change;
    }
    [[nodiscard]] static std::string_view key_at(const char* at) {
        return {at + sizeof(Change), change_at(at).key_length};
    }

    std::size_t most_;
    Index::Builder in_order_;
    std::optional<std::string> last_ = "";  ///< The last key; `std::nullopt` once a key was out of order.
    Index index_;
    std::size_t count_ = 0;
    std::vector<Block> blocks_;
    std::vector<Ordered> order_;
    std::vector<Ordered> scratch_;
};

}  // namespace polystore::engine
