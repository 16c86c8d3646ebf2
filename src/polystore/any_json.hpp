#pragma once

#include <string_view>

#include "polystore/error.hpp"
#include "polystore/value.hpp"

/// JSON with numbers of any size: of a text that may be other code's, or be kept as it is.
namespace polystore {

struct ParsedJson {
    Json json;
    bool has_huge_numbers;  ///< Beyond what a double holds; in `json` there is a 0 for each.
};

/// As `parse_json`.
[[nodiscard]] ParsedJson parse_any_json(std::string_view text);

/// The error ERR_CORRUPT of a record, stored at `id`, with such a number.
[[nodiscard]] Error huge_number_error(std::string_view id);

}  // namespace polystore
