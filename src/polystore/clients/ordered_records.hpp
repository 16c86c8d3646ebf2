#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "polystore/client.hpp"
#include "polystore/support/page_builder.hpp"

/// For clients that keep their records in an ordered map from ids to values.
namespace polystore {

/// A position in an iteration over a range of the map, which may change between two pages.
class OrderedPlace {
   public:
    explicit OrderedPlace(const Range& range)
        : left_(bounds_of(range)), count_left_(range.limit), reverse_(range.reverse) {}

    /// Returns the next page. `to_record` turns a value into a record, or into `std::nullopt` if it is not one.
    template <typename Map, typename ToRecord>
    [[nodiscard]] std::optional<std::vector<Entry>> next(const Map& map, std::size_t limit, ToRecord to_record) {
        const auto first = map.lower_bound(left_.first);
        const auto end = left_.end ? map.lower_bound(*left_.end) : map.end();
        PageBuilder page(std::min(limit, count_left_));
        const auto add = [&](const auto& item) {
            if (std::optional<Record> record = to_record(item.second)) page.add({item.first, *std::move(record)});
        };
        if (reverse_) {
            for (auto i = end; i != first && !page.is_full();) add(*--i);
        } else {
            for (auto i = first; i != end && !page.is_full(); ++i) add(*i);
        }
        std::vector<Entry> entries = page.take();
        if (entries.empty()) return std::nullopt;
        count_left_ -= entries.size();
        // The next page begins with the next possible id.
        reverse_ ? left_.end.emplace(entries.back().id) : left_.first.assign(entries.back().id + '\0');
        return entries;
    }

   private:
    Bounds left_;
    std::size_t count_left_;
    bool reverse_;
};

/// Makes the changes of a commit in the map: all of them or, if there is not enough memory, none. `to_value` makes a
/// value of a record, and `is_record` tells whether a value may be removed. Returns true if the map has changed.
template <typename Map, typename ToValue, typename IsRecord>
bool make_changes(Map& map, const std::vector<Change>& changes, ToValue to_value, IsRecord is_record) {
    Map put;
    for (const auto& [id, record] : changes) {
        put.erase(id);
        if (record) put.emplace(id, to_value(*record));
    }
    // From here on, nothing needs memory.
    bool is_changed = !put.empty();
    for (const Change& change : changes) {
        const auto found = map.find(change.id);
        if (found == map.end() || !(put.contains(change.id) || is_record(found->second))) continue;
        map.erase(found);
        is_changed = true;
    }
    map.merge(put);
    return is_changed;
}

}  // namespace polystore
