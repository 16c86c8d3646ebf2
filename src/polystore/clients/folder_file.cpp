#include "polystore/clients/folder_file.hpp"

#include <exception>
#include <utility>

#include "polystore/support/any_json.hpp"
#include "polystore/value.hpp"

namespace polystore {
namespace {

std::optional<std::string> key_in(std::string_view name, const Json& json) {
    if (!is_long(name)) return to_key(name);
    const auto key = json.find("key");
    return key != json.end() && key->is_string() ? std::optional(key->get<std::string>()) : std::nullopt;
}

}  // namespace

std::string to_file_text(std::string_view name, const std::string& key, const Record& record) {
    std::string text = to_text(record);
    if (is_long(name)) text.insert(1, "\n  \"key\": " + Json(key).dump() + ",");
    return text;
}

std::optional<Entry> parse_file(std::string_view name, std::string_view text, Case letter_case) {
    ParsedJson parsed;
    std::optional<std::string> key;
    try {
        parsed = parse_any_json(text);
        if (is_record(parsed.json)) key = key_in(name, parsed.json);
    } catch (const std::exception&) {
        return std::nullopt;  // It is not JSON.
    }
    if (!key) return std::nullopt;
    const std::string right = to_file_name(*key, letter_case);
    // A disk that ignores case may give the name in another.
    const bool ours = name == right || (letter_case == Case::is_ignored && is_same(name, right));
    if (!ours) return std::nullopt;
    Record record = *to_record(parsed.json);
    if (parsed.has_huge_numbers) record.value = unreadable(text);
    return Entry{*std::move(key), std::move(record)};
}

}  // namespace polystore
