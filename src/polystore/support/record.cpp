#include "polystore/record.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>

#include "polystore/error.hpp"

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

Json unreadable(std::string_view text) {
    // No other value is bytes: neither JSON text nor a user's value can have them.
    return Json::binary({text.begin(), text.end()});
}

void require_readable(std::string_view id, const Json& value) {
    if (!value.is_binary()) return;
    const Json::binary_t& bytes = value.get_binary();
    std::string reason;
    try {
        static_cast<void>(parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    } catch (const Json::out_of_range&) {
        reason = "it has a number that is larger than any that C++ and JavaScript can hold";
    } catch (const std::exception& error) {
        reason = error.what();
    }
    throw Error(ErrorCode::corrupt, "What is stored at " + show(id) + " cannot be read: " + reason +
                                        ". It was left as it is: set another value, or delete it.");
}

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
