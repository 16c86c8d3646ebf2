#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "polystore/range.hpp"

namespace polystore {

/// Leaves those of the items whose ids are in the range, in the order of the range. `id_of` returns the id of an item.
template <typename Item, typename IdOf>
void select(std::vector<Item>& items, const Range& range, IdOf id_of) {
    const Bounds bounds = bounds_of(range);
    std::erase_if(items, [&](const Item& item) { return !bounds.contains(id_of(item)); });
    std::sort(items.begin(), items.end(), [&](const Item& left, const Item& right) {
        return range.reverse ? id_of(right) < id_of(left) : id_of(left) < id_of(right);
    });
    if (items.size() > range.limit) items.erase(items.begin() + static_cast<std::ptrdiff_t>(range.limit), items.end());
}

}  // namespace polystore
