#pragma once

#include <string_view>

#include "polystore/error.hpp"
#include "polystore/value.hpp"

/// JSON with numbers of any size: for text that other code may have written, or that must be written back unchanged.
namespace polystore {

struct ParsedJson {
    Json json;
    bool has_huge_numbers;  ///< True if a number is outside the range of a double; `json` holds a 0 in its place.
};

/// Parses like `parse_json`, but accepts numbers that are outside the range of a double.
[[nodiscard]] ParsedJson parse_any_json(std::string_view text);

/// The error ERR_CORRUPT for a record stored at `id` that contains such a number.
[[nodiscard]] Error huge_number_error(std::string_view id);

}  // namespace polystore
