#pragma once

#include <string_view>

#include "polystore/value.hpp"

/// JSON with numbers of any size: for text that other code may have written, or that must be written back unchanged.
namespace polystore {

struct ParsedJson {
    Json json;
    /// True if a number is outside the range of a double; `json` holds the largest double, or its negative, in its
    /// place.
    bool has_huge_numbers;
};

/// Parses like `parse_json`, but accepts numbers that are outside the range of a double.
[[nodiscard]] ParsedJson parse_any_json(std::string_view text);

}  // namespace polystore
