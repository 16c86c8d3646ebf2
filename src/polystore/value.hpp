#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

namespace polystore {

/// A value: anything that JSON can hold.
using Json = nlohmann::json;

/// Values are parsed and written recursively. Text nested deeper than this is rejected before it exhausts the stack.
inline constexpr std::size_t kDeepestNesting = 1000;

/// Throws `Error` ERR_VALUE, with the path to the reason, if JSON cannot hold `value`: NaN, an infinity, bytes, a
/// string that is not UTF-8, or more than `kDeepestNesting` nested arrays and objects.
void check_value(const Json& value);

/// Returns the value that `text` stands for. Throws a `std::exception` that says where the text is not valid JSON, or
/// that it is nested too deeply.
[[nodiscard]] Json parse_json(std::string_view text);

}  // namespace polystore
