#include "polystore/support/any_json.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

namespace polystore {
namespace {

bool is_huge(std::string_view number) {
    try {
        static_cast<void>(Json::parse(number).is_number());
        return false;
    } catch (const Json::out_of_range&) {
        return true;
    }
}

/// Returns `text`, which is JSON, with the largest double, or its negative, in place of each number that is outside the
/// range of a double. So a record whose expiry is such a number does not expire.
std::string without_huge_numbers(std::string_view text) {
    constexpr std::string_view kDigits = "-0123456789";
    constexpr std::string_view kLargest = "1.7976931348623157e308";
    std::string changed;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size();) {
        if (!in_string && kDigits.find(text[i]) != std::string_view::npos) {
            const std::size_t end = std::min(text.find_first_not_of("+-.0123456789Ee", i), text.size());
            const std::string_view number = text.substr(i, end - i);
            if (is_huge(number)) {
                if (number.front() == '-') changed += '-';
                changed += kLargest;
            } else {
                changed += number;
            }
            i = end;
            continue;
        }
        if (text[i] == '"') in_string = !in_string;
        if (in_string && text[i] == '\\') changed += text[i++];
        changed += text[i++];
    }
    return changed;
}

}  // namespace

ParsedJson parse_any_json(std::string_view text) {
    try {
        return {parse_json(text), false};
    } catch (const Json::out_of_range&) {
        return {Json::parse(without_huge_numbers(text)), true};
    }
}

}  // namespace polystore
