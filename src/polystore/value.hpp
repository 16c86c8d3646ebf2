#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

namespace polystore {

/// A value: what JSON can hold.
using Json = nlohmann::json;

/// Values go in and out of a text by recursion; a text nested deeper than this is refused before it exhausts the stack.
inline constexpr std::size_t kDeepestNesting = 1000;

/// Throws `Error` ERR_VALUE, with the path to the reason, if JSON cannot hold `value`: a NaN or an infinity, bytes, a
/// string that is not UTF-8, or more than `kDeepestNesting` arrays and objects around each other.
void check_value(const Json& value);

/// The value that `text` stands for. Throws a `std::exception` that says where it is not JSON, or nested too deeply.
[[nodiscard]] Json parse_json(std::string_view text);

}  // namespace polystore
