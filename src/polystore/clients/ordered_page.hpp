#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "polystore/client.hpp"

namespace polystore {

/// Returns the next page of an iteration over an ordered map from ids to values. `to_record` turns a value into a
/// record, or into `std::nullopt` if it is not one. The iteration's only state is `place`, which starts as `prefix`, so
/// the map may change between two pages.
template <typename Map, typename ToRecord>
[[nodiscard]] std::optional<std::vector<Entry>> next_page(const Map& map, const std::string& prefix, std::string& place,
                                                          std::size_t limit, ToRecord to_record) {
    std::vector<Entry> page;
    for (auto i = map.lower_bound(place); i != map.end() && i->first.starts_with(prefix) && page.size() < limit; ++i) {
        if (std::optional<Record> record = to_record(i->first, i->second))
            page.push_back({i->first, *std::move(record)});
    }
    if (page.empty()) return std::nullopt;
    place = page.back().id + '\0';  // The next possible id after this page.
    return page;
}

}  // namespace polystore
