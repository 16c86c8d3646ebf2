#include "polystore/range.hpp"

#include <algorithm>
#include <utility>

namespace polystore {
namespace {

/// Returns the first id after all ids with the prefix, or `std::nullopt` if no id comes after them.
std::optional<std::string> end_of_prefix(std::string prefix) {
    // A last byte of 255 cannot be increased, so it is removed.
    while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
    if (prefix.empty()) return std::nullopt;
    prefix.back() = static_cast<char>(prefix.back() + 1);
    return prefix;
}

/// Returns the id that comes right after another.
std::string after(std::string id) { return std::move(id) + '\0'; }

}  // namespace

Bounds bounds_of(const Range& range) {
    Bounds bounds{range.prefix, end_of_prefix(range.prefix)};
    if (range.gte || range.gt) bounds.first = std::max(bounds.first, range.gte ? *range.gte : after(*range.gt));
    if (range.lte || range.lt) {
        std::string end = range.lte ? after(*range.lte) : *range.lt;
        if (!bounds.end || end < *bounds.end) bounds.end = std::move(end);
    }
    if (bounds.end && *bounds.end < bounds.first) bounds.end = bounds.first;
    return bounds;
}

}  // namespace polystore
