#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

/// Ranges of keys, in the order of their bytes. For keys in UTF-8 this is also the order of their code points.
namespace polystore {

/// The ids that begin with `prefix` and lie within the bounds. `gte` takes precedence over `gt`, and `lte` over `lt`.
struct Range {
    std::string prefix = {};
    std::optional<std::string> gt = {};
    std::optional<std::string> gte = {};
    std::optional<std::string> lt = {};
    std::optional<std::string> lte = {};
    /// The maximum number of records, including expired ones.
    std::size_t limit = std::numeric_limits<std::size_t>::max();
    /// True if the last id comes first.
    bool reverse = false;
};

/// The ids from `first` up to, but not including, `end`. There are none if both are the same.
struct Bounds {
    std::string first = {};
    /// If omitted, there is no end.
    std::optional<std::string> end = {};

    [[nodiscard]] bool contains(std::string_view id) const { return id >= first && (!end || id < *end); }
};

/// Returns the bounds of all ids in the range. For a storage that is ordered by the bytes of its ids.
[[nodiscard]] Bounds bounds_of(const Range& range);

}  // namespace polystore
