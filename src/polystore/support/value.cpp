#include "polystore/value.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>

#include "polystore/error.hpp"
#include "polystore/support/utf8.hpp"

namespace polystore {
namespace {

/// The reason why JSON cannot hold a value. `path` leads there and grows on the way out to the whole value.
struct Fault {
    std::string path;
    std::string what;
};

std::string member_step(const std::string& name) {
    const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '$';
    });
    return plain ? "." + name : "[" + show(name) + "]";
}

std::optional<Fault> find_fault(const Json& value, std::size_t depth);

std::optional<Fault> find_fault_in_array(const Json& array, std::size_t depth) {
    for (std::size_t i = 0; i < array.size(); ++i) {
        if (auto fault = find_fault(array[i], depth + 1)) {
            return Fault{"[" + std::to_string(i) + "]" + fault->path, fault->what};
        }
    }
    return std::nullopt;
}

std::optional<Fault> find_fault_in_object(const Json& object, std::size_t depth) {
    for (const auto& [name, member] : object.items()) {
        if (!is_utf8(name)) return Fault{"", "has a member whose name, " + show(name) + ", is not UTF-8"};
        if (auto fault = find_fault(member, depth + 1)) {
            return Fault{member_step(name) + fault->path, fault->what};
        }
    }
    return std::nullopt;
}

std::optional<Fault> find_fault(const Json& value, std::size_t depth) {
    if (depth > kDeepestNesting) {
        // The message omits the path, which would fill pages.
        throw Error(ErrorCode::value, "value is nested too deeply: 1,000 levels are the most.");
    }
    switch (value.type()) {
        case Json::value_t::array: return find_fault_in_array(value, depth);
        case Json::value_t::object: return find_fault_in_object(value, depth);
        case Json::value_t::binary: return Fault{"", "is binary"};
        case Json::value_t::discarded: return Fault{"", "is what a failed parse left"};
        case Json::value_t::string:
            if (is_utf8(value.get_ref<const std::string&>())) return std::nullopt;
            return Fault{"", "is a string that is not UTF-8: " + show(value.get_ref<const std::string&>())};
        case Json::value_t::number_float:
            if (std::isfinite(value.get<double>())) return std::nullopt;
            return Fault{"", std::isnan(value.get<double>()) ? "is NaN" : "is infinite"};
        default: return std::nullopt;
    }
}

std::size_t nesting_of(std::string_view text) {
    std::size_t depth = 0;
    std::size_t deepest = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') {
            in_string = !in_string;
        } else if (in_string) {
            if (c == '\\') ++i;
        } else if (c == '[' || c == '{') {
            deepest = std::max(deepest, ++depth);
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return deepest;
}

}  // namespace

void check_value(const Json& value) {
    const std::optional<Fault> fault = find_fault(value, 0);
    if (!fault) return;
    throw Error(ErrorCode::value, "value" + fault->path + " " + fault->what +
                                      ", which JSON cannot hold. Store UTF-8 strings, finite numbers, booleans, arrays "
                                      "and objects; encode bytes as text first.");
}

Json parse_json(std::string_view text) {
    // A shorter text, the usual case, cannot hold that many brackets. Counting them always would take 17 % of a `get`.
    const bool has_room = text.size() > kDeepestNesting;
    // The value is inside a record, and the record is inside the object of a file.
    if (has_room && nesting_of(text) > kDeepestNesting + 2)
        throw std::length_error("nested more than 1,000 levels deep");
    return Json::parse(text);
}

}  // namespace polystore
