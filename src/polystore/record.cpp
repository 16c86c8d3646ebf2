#include "polystore/record.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>

namespace polystore {
namespace {

/// A number as JavaScript writes it: a whole number has no fraction.
Json to_json(double number) {
    constexpr double kLargestExactInteger = 9007199254740991;
    if (number == kNever) return nullptr;
    const bool whole = number == std::trunc(number) && std::fabs(number) <= kLargestExactInteger;
    return whole ? Json(static_cast<std::int64_t>(number)) : Json(number);
}

bool is_deeper(const Json& value, std::size_t levels) {
    if (!value.is_structured()) return false;
    return levels == 0 ||
           std::any_of(value.begin(), value.end(), [&](const Json& member) { return is_deeper(member, levels - 1); });
}

}  // namespace

bool is_record(const Json& json) {
    if (!json.is_object()) return false;
    const auto expires = json.find("expires");
    const auto value = json.find("value");
    if (expires == json.end() || value == json.end()) return false;
    return (expires->is_null() || expires->is_number()) && !value->is_null();
}

std::optional<Record> to_record(const Json& json) {
    if (!is_record(json)) return std::nullopt;
    const Json& expires = json["expires"];
    return Record{expires.is_null() ? kNever : expires.get<double>(), json["value"]};
}

Json to_json(const Record& record) { return {{"expires", to_json(record.expires)}, {"value", record.value}}; }

std::optional<Record> parse_record(std::string_view text) {
    try {
        return to_record(parse_json(text));
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

std::string to_text(const Record& record) {
    // Each level indents its lines further, so a deeply nested value could become a thousand times as long.
    constexpr std::size_t kIndentedLevels = 4;
    if (!is_deeper(record.value, kIndentedLevels)) return to_json(record).dump(2);
    return "{\n  \"expires\": " + to_json(record.expires).dump() + ",\n  \"value\": " + record.value.dump() + "\n}";
}

}  // namespace polystore
